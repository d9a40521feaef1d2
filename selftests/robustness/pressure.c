// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that has reached the limit of its memory cgroup, and its neighbour on the
 * same GPU: whatever the former does, no operation of the latter takes long.
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_card.h"
#include "lib/vgpu_migrate.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR4	VFIO_PCI_BAR4_REGION_INDEX
#define FB	(64 * VT_MIB)
#define OWN	(16 * VT_MIB)
#define PAGE	4096UL
#define CGROOT	"/sys/fs/cgroup"
#define CGROUP	CGROOT "/vgpu-pressure"
#define SECONDS	3

/* How long an operation of the neighbour may take, in seconds. */
static unsigned int longest(void)
{
	/* A kernel that looks at every access is ten times as slow. */
	return vt_finds_leaks() ? 10 : 1;
}

/* What the VMM does that has no memory, again and again until it is killed. */

static bool hungry_faults(struct vt_dev *dev, volatile uint8_t *fb)
{
	uint64_t pos;

	for (pos = 0; pos < FB; pos += PAGE)
		fb[pos] = 1;
	return !vt_reset(dev) && !vt_memory(dev, true);
}

static void *touch(void *arg)
{
	volatile uint8_t *fb = arg;
	uint64_t pos;

	for (pos = 0; ; pos = (pos + PAGE) % FB)
		fb[pos] = 1;
	return NULL;
}

/* Writing to @fd unmasks INTx; none does for -1. */
static int unmask_by(struct vt_dev *dev, int fd)
{
	return vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX, VT_EVENTFD_UNMASK, 0,
			   1, &fd);
}

/* With a reset waiting for whoever touches memory, INTx is unmasked. */
static void *unmask(void *arg)
{
	struct vt_dev *dev = arg;
	uint64_t one = 1;
	int fd;

	for (;;) {
		fd = eventfd(0, EFD_CLOEXEC);
		if (unmask_by(dev, fd) || write(fd, &one, sizeof(one)) < 0)
			usleep(1000);
		/* VFIO takes it away from the vGPU then, on a queue of its own. */
		close(fd);
	}
	return NULL;
}

static bool hungry_interrupts(struct vt_dev *dev, volatile uint8_t *fb)
{
	static pthread_t threads[2];

	if (!threads[0] &&
	    (pthread_create(&threads[0], NULL, touch, (void *)fb) ||
	     pthread_create(&threads[1], NULL, unmask, dev)))
		return false;
	return !vt_reset(dev) && !vt_memory(dev, true);
}

/* The card of vgem, or a negative errno. */
static int card;

/* A picture for a driver that imports it. */
static bool hungry_dmabuf(struct vt_dev *dev, volatile uint8_t *fb)
{
	struct drm_gem_close done = { };
	int fd;

	if (card < 0)
		return hungry_faults(dev, fb);
	/* All of the picture has to be there. */
	vt_head_mode(dev, 0, 1920, 1200, 0);
	fd = vt_dmabuf(dev);
	if (fd < 0)
		return false;
	done.handle = vt_vgem_import(card, fd);
	close(fd);
	if ((int)done.handle > 0)
		ioctl(card, DRM_IOCTL_GEM_CLOSE, &done);
	return !vt_reset(dev) && !vt_memory(dev, true);
}

/* All but the first few pages of a stream are the framebuffer's. */
static bool hungry_migration(struct vt_dev *dev, volatile uint8_t *fb)
{
	static struct vt_stream stream;
	uint64_t pos;

	for (pos = 0; pos < FB; pos += 64 * PAGE)
		fb[pos] = 1;
	if (vt_save(dev, &stream) ||
	    vt_load(dev, stream.data, stream.len, 1 << 20))
		return false;
	return !vt_reset(dev) && !vt_memory(dev, true);
}

static const struct {
	const char *name;
	bool (*act)(struct vt_dev *dev, volatile uint8_t *fb);
} hungry[] = {
	{ "faults", hungry_faults },
	{ "interrupts", hungry_interrupts },
	{ "dmabuf", hungry_dmabuf },
	{ "migration", hungry_migration },
};

static void __attribute__((noreturn))
be_hungry(const char *uuid, const char *limit, int mib, unsigned int what)
{
	static struct vt_dev dev;
	long long bytes;
	int ret = -EBUSY, i;
	const char *why;
	char text[32];
	void *fb;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It is memory that the neighbour might have to wait for. */
	if (nice(19) != 19)
		_exit(5);
	/* The last one may not be through with closing it. */
	for (i = 0; i < 300 && ret == -EBUSY; i++) {
		ret = vt_open(&dev, uuid);
		if (ret == -EBUSY)
			usleep(100000);
	}
	if (ret)
		_exit(1);
	/* Which may run modprobe: not where that has no memory, and outlives this. */
	card = vt_open_vgem(&why);
	fb = vt_mmap(&dev, BAR0, 0, FB);
	if (!fb || vt_write("0", CGROUP "/cgroup.procs"))
		_exit(2);
	/* A maximum below what it has would end it here. */
	bytes = mib * VT_MIB;
	if (!strcmp(limit, "memory.max"))
		bytes += vt_read_number(CGROUP "/memory.current");
	snprintf(text, sizeof(text), "%lld", bytes);
	if (vt_write(text, CGROUP "/%s", limit))
		_exit(3);
	while (hungry[what].act(&dev, fb))
		;
	_exit(4);
}

/* What is known of it. */
struct news {
	volatile unsigned int died;
	volatile int failed;
};

/* Who has more than the maximum is killed, and comes again. */
static void __attribute__((noreturn))
keep_hungry(const char *uuid, const char *limit, int mib, unsigned int what,
	    struct news *news)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid)
			be_hungry(uuid, limit, mib, what);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			_exit(1);
		news->died++;
		if (!WIFSIGNALED(status)) {
			news->failed = WEXITSTATUS(status);
			_exit(2);
		}
	}
}

FIXTURE(pressure)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char hungry[VT_UUID];
	volatile uint8_t *fb;
	struct news *news;
};

FIXTURE_VARIANT(pressure)
{
	const char *limit;
	int mib;
};

FIXTURE_VARIANT_ADD(pressure, high_1)
{
	.limit = "memory.high",
	.mib = 1,
};

FIXTURE_VARIANT_ADD(pressure, high_16)
{
	.limit = "memory.high",
	.mib = 16,
};

FIXTURE_VARIANT_ADD(pressure, max_1)
{
	.limit = "memory.max",
	.mib = 1,
};

FIXTURE_VARIANT_ADD(pressure, max_16)
{
	.limit = "memory.max",
	.mib = 16,
};

FIXTURE_SETUP(pressure)
{
	if (vt_pgpu())
		SKIP(return, "a device's memory is nobody's");
	if (!vt_exists(CGROOT "/cgroup.controllers") &&
	    mount("cgroup2", CGROOT, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup v2: %s", strerror(errno));
	if (vt_write("+memory", CGROOT "/cgroup.subtree_control"))
		SKIP(return, "no memory controller");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", "64Q,16Q"));
	vt_uuid(self->hungry);
	ASSERT_EQ(0, vt_create(&self->gpu, "64Q", self->hungry));
	ASSERT_EQ(0, vt_params(self->hungry, "console=dmabuf"));
	self->news = mmap(NULL, sizeof(*self->news), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->news);
}

FIXTURE_TEARDOWN(pressure)
{
	munmap(self->news, sizeof(*self->news));
	vt_remove(self->hungry);
	vt_gpu_del(&self->gpu);
}

typedef FIXTURE_DATA(pressure) pressure_data;

/* Operations of the neighbour; 0 or a negative errno. */

static int own_touch(pressure_data *self)
{
	uint64_t pos;

	for (pos = 0; pos < OWN; pos += 16 * PAGE)
		self->fb[pos] = 1;
	return 0;
}

static int own_reset(pressure_data *self)
{
	return vt_reset(&self->dev) ?: vt_memory(&self->dev, true);
}

static int own_unmask(pressure_data *self)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	int ret;

	ret = unmask_by(&self->dev, fd) ?: unmask_by(&self->dev, -1);
	close(fd);
	return ret;
}

static int own_ioeventfd(pressure_data *self)
{
	struct vfio_device_ioeventfd bell = {
		.argsz = sizeof(bell), .flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = VT_OFFSET(BAR4, VGPU_DOORBELL(1)),
		.fd = eventfd(0, EFD_CLOEXEC),
	};
	int fd = bell.fd;
	int ret;

	ret = ioctl(self->dev.fd, VFIO_DEVICE_IOEVENTFD, &bell) ? -errno : 0;
	bell.fd = -1;
	if (!ret && ioctl(self->dev.fd, VFIO_DEVICE_IOEVENTFD, &bell))
		ret = -errno;
	close(fd);
	return ret;
}

static int own_reopen(pressure_data *self)
{
	char uuid[VT_UUID];
	int ret;

	memcpy(uuid, self->dev.uuid, VT_UUID);
	munmap((void *)self->fb, OWN);
	vt_close(&self->dev);
	ret = vt_open(&self->dev, uuid);
	if (!ret)
		self->fb = vt_mmap(&self->dev, BAR0, 0, OWN);
	return ret ?: self->fb ? 0 : -errno;
}

static int own_lifecycle(pressure_data *self)
{
	char uuid[VT_UUID];

	vt_uuid(uuid);
	return vt_create(&self->gpu, "16Q", uuid) ?: vt_remove(uuid);
}

static int own_migration(pressure_data *self)
{
	struct vt_stream stream = { };
	int ret;

	ret = own_reset(self);
	if (ret)
		return ret;
	self->fb[0] = 1;
	ret = vt_save(&self->dev, &stream) ?:
	      vt_load(&self->dev, stream.data, stream.len, 1 << 20);
	free(stream.data);
	return ret ?: own_reset(self);
}

/* Two errors in a page, and another page takes its place: for each of the two. */
static int own_retirement(pressure_data *self)
{
	static unsigned long page;
	int i, ret = 0;

	if (vt_debugfs())
		return 0;
	page = (page + 37) % (OWN / PAGE);
	for (i = 0; i < 4 && !ret; i++)
		ret = vt_inject(&self->gpu, "sbe", i % 2 ? self->hungry :
				self->dev.uuid, page * PAGE);
	/* It may be held by an importer. */
	self->fb[page * PAGE] = 1;
	return ret;
}

static const struct {
	const char *name;
	int (*act)(pressure_data *self);
} operations[] = {
	{ "touch", own_touch },
	{ "SET_IRQS", own_unmask },
	{ "IOEVENTFD", own_ioeventfd },
	{ "reset", own_reset },
	{ "migration", own_migration },
	{ "close and open", own_reopen },
	{ "create and remove", own_lifecycle },
	{ "retirement", own_retirement },
};

#define NR_OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

/* How often the limit was felt. */
static long long was_limited(const char *limit)
{
	char text[1024], *at;

	if (vt_read(text, sizeof(text), CGROUP "/memory.events"))
		return -1;
	at = strstr(text, strcmp(limit, "memory.max") ? "high " : "max ");
	return at ? strtoll(strchr(at, ' '), NULL, 10) : -1;
}

/* How long the machine has stood still at most since this was last set to 0. */
static volatile uint64_t still;

static void *watch(void *arg)
{
	volatile bool *end = arg;
	uint64_t began;

	while (!*end) {
		began = vt_now();
		usleep(10000);
		if (vt_now() - began > still)
			still = vt_now() - began;
	}
	return NULL;
}

/*
 * The neighbour's operations while the other has no memory, and the longest of each.
 * When the machine stands still, as an emulated one does, it is not the driver's.
 */
static void beside(struct __test_metadata *_metadata, pressure_data *self,
		   const char *limit, int mib, unsigned int what)
{
	uint64_t took[NR_OPERATIONS] = { }, began, end, time;
	struct news *news = self->news;
	volatile bool done = false;
	pthread_t watcher;
	unsigned int i;
	pid_t pid;
	int ret;

	*news = (struct news){ };
	mkdir(CGROUP, 0755);
	/* First, so that it has nothing open of the neighbour's. */
	pid = fork();
	if (!pid)
		keep_hungry(self->hungry, limit, mib, what, news);
	ASSERT_EQ(0, pthread_create(&watcher, NULL, watch, (void *)&done));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, OWN);
	ASSERT_NE(NULL, self->fb);
	/* Those that do nothing but touch memory are there soon, if slowly. */
	for (i = 0; hungry[what].act == hungry_faults && i < 600 &&
	     was_limited(limit) < 1; i++)
		usleep(100000);
	end = vt_now() + SECONDS * 1000000000ULL;
	for (i = 0; vt_now() < end; i = (i + 1) % NR_OPERATIONS) {
		still = 0;
		began = vt_now();
		ret = operations[i].act(self);
		time = vt_now() - began;
		time -= still < time ? still : time;
		EXPECT_EQ(0, ret)
			TH_LOG("%s: %s", operations[i].name, strerror(-ret));
		if (time > took[i])
			took[i] = time;
	}
	/* Others need not have come so far. */
	if (hungry[what].act == hungry_faults)
		EXPECT_LE(1, was_limited(limit));
	EXPECT_EQ(0, news->failed);
	TH_LOG("%s: limited %lld times, killed %u times", hungry[what].name,
	       was_limited(limit), news->died);
	for (i = 0; i < NR_OPERATIONS; i++) {
		EXPECT_GT(longest() * 1000000000ULL, took[i])
			TH_LOG("%s, %s %d MiB: %s took %llu ms",
			       hungry[what].name, limit, mib,
			       operations[i].name,
			       (unsigned long long)took[i] / 1000000);
	}
	done = true;
	pthread_join(watcher, NULL);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	munmap((void *)self->fb, OWN);
	began = vt_now();
	vt_end(&self->dev);
	EXPECT_GT(longest() * 1000000000ULL, vt_now() - began);
	/* Its child dies after it. */
	for (i = 0; i < 300 && rmdir(CGROUP) && errno == EBUSY; i++)
		usleep(100000);
	EXPECT_FALSE(vt_exists(CGROUP));
}

TEST_F_TIMEOUT(pressure, neighbour, 600)
{
	unsigned int i;

	for (i = 0; i < sizeof(hungry) / sizeof(hungry[0]); i++)
		beside(_metadata, self, variant->limit, variant->mib, i);
}

TEST_HARNESS_MAIN
