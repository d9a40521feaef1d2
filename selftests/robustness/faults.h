/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An operation again and again, its first, second, third ... allocation failing.  Who
 * includes this has the fixture whose data operations get, as faults_data, with a vGPU
 * and a stream.
 */
#ifndef VGPU_ROBUSTNESS_FAULTS_H
#define VGPU_ROBUSTNESS_FAULTS_H

/* More than any operation does. */
#define MOST		5000

/* An operation, and what undoes it when it has succeeded. */
struct operation {
	int (*begin)(faults_data *self);
	void (*end)(faults_data *self);
};

/* From the first symbol of a module, or of one function, to the next. */
static bool text_range(const char *wanted, bool module, unsigned long *start,
		       unsigned long *end)
{
	char line[512], name[256], of[64], type;
	unsigned long address;
	FILE *symbols = fopen("/proc/kallsyms", "r");

	*start = 0;
	*end = 0;
	while (symbols && fgets(line, sizeof(line), symbols)) {
		of[0] = '\0';
		if (sscanf(line, "%lx %c %255s [%63[^]]", &address, &type,
			   name, of) < 3 || (type != 't' && type != 'T'))
			continue;
		if (module && !strcmp(of, wanted)) {
			if (!*start || address < *start)
				*start = address;
			if (address >= *end)
				*end = address + 4096;
		} else if (!module && !strcmp(name, wanted)) {
			*start = address;
		}
	}
	if (!module && *start) {
		rewind(symbols);
		while (fgets(line, sizeof(line), symbols))
			if (sscanf(line, "%lx", &address) == 1 &&
			    address > *start && (!*end || address < *end))
				*end = address;
	}
	if (symbols)
		fclose(symbols);
	return *start;
}

/* Deep enough for everything. */
#define DEEP		32
/* What a module calls for memory, and not what it calls for something else. */
#define DIRECT		7

/*
 * Fail below the module @of, no more than @depth calls from the allocator, and
 * not in @spared.
 */
static bool choose(const char *of, unsigned long depth, const char *spared)
{
	static const char *const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	unsigned long start, end, no_start = 0, no_end = 0;
	char value[32];
	size_t i;

	if (!text_range(of, true, &start, &end) ||
	    (spared && !text_range(spared, false, &no_start, &no_end)))
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct {
			const char *name;
			unsigned long value;
		} settings[] = {
			{ "verbose", 0 }, { "stacktrace-depth", depth },
			{ "require-start", start }, { "require-end", end },
			{ "reject-start", no_start }, { "reject-end", no_end },
		};
		size_t j;

		for (j = 0; j < sizeof(settings) / sizeof(*settings); j++) {
			snprintf(value, sizeof(value), "%#lx",
				 settings[j].value);
			if (vt_write(value, VT_DEBUGFS "/%s/%s", kinds[i],
				     settings[j].name))
				return false;
		}
	}
	return !vt_write("N", VT_DEBUGFS "/failslab/ignore-gfp-wait") &&
	       !vt_write("N", VT_DEBUGFS "/fail_page_alloc/ignore-gfp-wait") &&
	       !vt_write("N",
			 VT_DEBUGFS "/fail_page_alloc/ignore-gfp-highmem") &&
	       !vt_write("0", VT_DEBUGFS "/fail_page_alloc/min-order");
}

static int fail_nth_fd = -1;

/* In the thread that is called so in /proc; whether that is possible. */
static bool fail_in(const char *thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fail-nth", thread);
	if (fail_nth_fd >= 0)
		close(fail_nth_fd);
	fail_nth_fd = open(path, O_RDWR | O_CLOEXEC);
	return fail_nth_fd >= 0 && !vt_debugfs() &&
	       vt_exists(VT_DEBUGFS "/failslab/require-start");
}

static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_nth_fd, text, len, 0) != len)
		abort();
}

/* Whether it has failed; turns it off. */
static bool has_failed(void)
{
	char text[16] = "";

	if (pread(fail_nth_fd, text, sizeof(text) - 1, 0) <= 0)
		abort();
	fail_nth(0);
	return !atoi(text);
}

/*
 * Fail the first, second, ... until the operation succeeds without any that
 * has failed.  Returns how many there were, or a negative errno that does not
 * mean that memory has run out.
 */
static int sweep(faults_data *self, const struct operation *op, int *survived)
{
	int n, ret;
	bool failed;

	*survived = 0;
	for (n = 1; n < MOST; n++) {
		fail_nth(n);
		ret = op->begin(self);
		failed = has_failed();
		if (!ret && op->end)
			op->end(self);
		if (!failed)
			return ret ?: n - 1;
		if (ret && ret != -ENOMEM && ret != -EFAULT)
			return ret;
		*survived += !ret;
	}
	return -ELOOP;
}

#define SWEEP(least, begin, end) do {					\
	const struct operation op = { begin, end };			\
	int survived, n = sweep(self, &op, &survived);			\
									\
	TH_LOG(#begin ": %d, %d of which it survives", n, survived);	\
	EXPECT_LE(least, n);						\
} while (0)

static void running(faults_data *self)
{
	vt_mig_set(&self->dev, VFIO_DEVICE_STATE_RUNNING, NULL);
}

static int save(faults_data *self)
{
	int ret = vt_save(&self->dev, &self->stream);

	if (ret)
		running(self);
	return ret;
}

/* All of it or an error, after which a reset is the way back. */
static int load(faults_data *self)
{
	int fd = -1, ret;
	size_t done = 0;
	ssize_t n;

	ret = vt_mig_set(&self->dev, VFIO_DEVICE_STATE_RESUMING, &fd);
	while (!ret && done < self->stream.len) {
		n = write(fd, self->stream.data + done,
			  self->stream.len - done);
		if (n < 0)
			ret = -errno;
		else
			done += n;
	}
	if (fd >= 0)
		close(fd);
	if (!ret)
		ret = vt_mig_set(&self->dev, VFIO_DEVICE_STATE_STOP, NULL);
	if (ret) {
		vt_reset(&self->dev);
		vt_memory(&self->dev, true);
	}
	return ret;
}

#endif /* VGPU_ROBUSTNESS_FAULTS_H */
