// SPDX-License-Identifier: GPL-2.0
/* Migration streams: what is in them, who reads and writes them, and bad ones. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_pair.h"

VT_PAIR_FIXTURE(streams)

/* An empty framebuffer takes no room, nor does one that was written zeroes. */
TEST_F(streams, empty)
{
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	EXPECT_GT(16384, self->stream.len);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	memset(self->fb, 0, FB);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	EXPECT_GT(16384, self->stream.len);
	/* What the target had in it goes. */
	ASSERT_EQ(4, vt_pwrite(&self->dst, BAR0, FB / 2, "xxxx", 4));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     100));
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

/* Not all of a stream, and no more than it. */
TEST_F_TIMEOUT(streams, truncated, 300)
{
	size_t n, step;

	memset((char *)self->fb + 3 * PAGE, 0x55, 2 * PAGE);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     1));
	/* At every byte is what the unit test does; here at some. */
	step = self->stream.len / 100;
	for (n = 0; n < self->stream.len; n += step) {
		ASSERT_EQ(0, vt_reset(&self->dst));
		EXPECT_EQ(-EINVAL, vt_load(&self->dst, self->stream.data, n,
					   4096))
			TH_LOG("%zu bytes", n);
		EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&self->dst));
	}
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
	self->stream.data = realloc(self->stream.data, self->stream.len + 1);
	EXPECT_EQ(-EINVAL, vt_load(&self->dst, self->stream.data,
				   self->stream.len + 1, 4096));
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

/* How often the kernel's log says that a stream for a vGPU was refused. */
static int log_says(const char *uuid)
{
	char command[128];
	int n = -1;
	FILE *p;

	snprintf(command, sizeof(command),
		 "dmesg | grep -c '%s: migration stream refused'", uuid);
	p = popen(command, "r");
	if (!p || fscanf(p, "%d", &n) != 1)
		n = -1;
	if (p)
		pclose(p);
	return n;
}

/* Bits that flipped: taken or refused, and clean after a reset. */
TEST_F_TIMEOUT(streams, flipped, 300)
{
	unsigned int seed = getpid(), refused = 0, i;
	char *data;
	int ret;

	TH_LOG("seed %u", seed);
	ASSERT_EQ(0, vt_mode(&self->src, 1024, 768, 32));
	/* Two records of pages, and enough else. */
	vt_fill(self->fb, PAGE, 1);
	vt_fill((char *)self->fb + VT_MIB, PAGE, 2);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_LT(2 * PAGE, self->stream.len);
	data = self->stream.data;
	for (i = 0; i < 500; i++) {
		size_t at = rand_r(&seed) % self->stream.len;
		int bit = 1 << rand_r(&seed) % 8;

		data[at] ^= bit;
		ASSERT_EQ(0, vt_reset(&self->dst));
		ret = vt_load(&self->dst, data, self->stream.len, 4096);
		EXPECT_EQ(ret ? VFIO_DEVICE_STATE_ERROR :
				VFIO_DEVICE_STATE_STOP,
			  vt_mig_state(&self->dst));
		refused += !!ret;
		if (!ret)
			EXPECT_EQ(0, vt_mig_set(&self->dst,
						VFIO_DEVICE_STATE_RUNNING,
						NULL));
		data[at] ^= bit;
	}
	TH_LOG("%u of 500 refused", refused);
	EXPECT_LT(20, refused);
	/* A VMM does not fill it. */
	EXPECT_EQ(1, log_says(self->dst.uuid));
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

TEST_F(streams, other_type)
{
	struct vt_dev other;

	ASSERT_EQ(0, vt_start(&other, &self->gpu, "16B"));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	EXPECT_EQ(-ENODEV, vt_load(&other, self->stream.data,
				   self->stream.len, 4096));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&other));
	vt_end(&other);
}

/* A VMM that gives up with the first write that fails, as QEMU does, is told why. */
TEST_F(streams, reason)
{
	char uuid[VT_UUID], *data;
	int fd, i;

	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	data = self->stream.data;
	data[0] ^= 1;
	strcpy(uuid, self->dst.uuid);
	for (i = 1; i <= 2; i++) {
		ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING,
					&fd));
		EXPECT_EQ(-1, write(fd, data, self->stream.len));
		EXPECT_EQ(-1, write(fd, data, self->stream.len));
		close(fd);
		vt_close(&self->dst);
		EXPECT_EQ(i, log_says(uuid));
		ASSERT_EQ(0, vt_open(&self->dst, uuid));
	}
}

struct racer {
	pthread_t thread;
	int fd;
	/* What is written, or NULL. */
	const struct vt_stream *from;
	unsigned int busy;
	volatile bool stop;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	static char buf[300000];
	size_t at = 0, len;
	ssize_t n;

	while (!r->stop) {
		len = sizeof(buf);
		if (r->from && len > r->from->len - at)
			len = r->from->len - at;
		n = r->from ? write(r->fd, r->from->data + at, len) :
			      read(r->fd, buf, len);
		r->busy += n < 0 && errno == EBUSY;
		if (!n)
			break;
		at += n < 0 ? 0 : n;
	}
	return NULL;
}

/* Two on one file, and a reset that does not wait for them. */
TEST_F(streams, two_race)
{
	struct vt_stream *s = &self->stream;
	struct racer r[2] = { };
	unsigned int busy = 0;
	int fd, i, j;

	vt_fill(self->fb, FB, 30);
	ASSERT_EQ(0, vt_save(&self->src, s));
	ASSERT_EQ(0, vt_reset(&self->src));
	for (j = 0; j < 10; j++) {
		vt_fill(self->fb, FB, j);
		fd = -1;
		ASSERT_EQ(0, vt_mig_set(&self->src, j % 2 ?
					VFIO_DEVICE_STATE_RESUMING :
					VFIO_DEVICE_STATE_STOP_COPY, &fd));
		for (i = 0; i < 2; i++) {
			r[i] = (struct racer){ .fd = fd };
			if (j % 2)
				r[i].from = s;
			ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, race,
						    &r[i]));
		}
		usleep(20000);
		ASSERT_EQ(0, vt_reset(&self->src));
		for (i = 0; i < 2; i++) {
			r[i].stop = true;
			pthread_join(r[i].thread, NULL);
			busy += r[i].busy;
		}
		close(fd);
	}
	TH_LOG("EBUSY %u times", busy);
	vt_check_clean(_metadata, &self->src);
}

/* Who waits for memory of his own while he reads or writes. */
struct waiter {
	pthread_t thread;
	int fd;
	bool write;
	char *page;
	int faults;
	ssize_t ret;
};

static void *wait_in_page(void *arg)
{
	struct waiter *w = arg;

	w->ret = w->write ? write(w->fd, w->page, PAGE) :
			    read(w->fd, w->page, PAGE);
	if (w->ret < 0)
		w->ret = -errno;
	return NULL;
}

/* A page that is there when we give it; 0 or what the kernel said. */
static int waiter_init(struct waiter *w)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	w->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->page == MAP_FAILED)
		return -errno;
	w->faults = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (w->faults < 0)
		return -errno;
	reg.range.start = (uintptr_t)w->page;
	if (ioctl(w->faults, UFFDIO_API, &api) ||
	    ioctl(w->faults, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

/* Begin, and return when it waits. */
static int waiter_start(struct waiter *w, int fd, bool write)
{
	struct uffd_msg msg;
	int ret;

	w->fd = fd;
	w->write = write;
	ret = -pthread_create(&w->thread, NULL, wait_in_page, w);
	if (!ret && read(w->faults, &msg, sizeof(msg)) != sizeof(msg))
		ret = -EIO;
	return ret;
}

/* Give it the page, with that in it, and return what it returned. */
static ssize_t waiter_end(struct waiter *w, const void *content)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)w->page, .src = (uintptr_t)content,
		.len = PAGE,
	};

	if (ioctl(w->faults, UFFDIO_COPY, &copy))
		abort();
	pthread_join(w->thread, NULL);
	madvise(w->page, PAGE, MADV_DONTNEED);
	return w->ret;
}

/* The second one is told so and costs the first nothing; a reset does not wait. */
TEST_F(streams, two_users)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	static char content[PAGE];
	struct vt_stream *s = &self->stream;
	struct waiter w;
	char buf[PAGE];
	ssize_t n;
	int fd;

	if (waiter_init(&w))
		SKIP(return, "no userfaultfd");
	vt_fill(self->fb, FB / 4, 31);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	ASSERT_EQ(0, waiter_start(&w, fd, false));
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(EBUSY, errno);
	n = waiter_end(&w, content);
	ASSERT_EQ(PAGE, n);
	ASSERT_EQ(0, vt_drain(fd, s));
	close(fd);

	/* All but the first page of it is still to come, and only that. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP, NULL));
	n = s->len;
	ASSERT_EQ(0, vt_save(&self->src, s));
	EXPECT_EQ(s->len, n + PAGE);

	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, waiter_start(&w, fd, true));
	EXPECT_EQ(-1, write(fd, buf, sizeof(buf)));
	EXPECT_EQ(EBUSY, errno);
	memcpy(content, s->data, PAGE);
	ASSERT_EQ(PAGE, waiter_end(&w, content));
	ASSERT_EQ(s->len - PAGE, write(fd, s->data + PAGE, s->len - PAGE));
	close(fd);
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));

	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, waiter_start(&w, fd, true));
	ASSERT_EQ(0, vt_reset(&self->dst));
	EXPECT_EQ(-ENODEV, waiter_end(&w, content));
	close(fd);
	vt_check_clean(_metadata, &self->dst);

	ASSERT_EQ(0, vt_reset(&self->src));
	if (!vt_mig_precopy(&self->src))
		return;
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, waiter_start(&w, fd, false));
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(EBUSY, errno);
	/* Neither a reset nor the change of state waits for it. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	ASSERT_EQ(0, vt_reset(&self->src));
	waiter_end(&w, content);
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
}

/* A refused stream leaves the registers alone; only the framebuffer is lost. */
TEST_F(streams, refused_keeps_registers)
{
	uint32_t before[0x500 / 4];
	uint8_t config[2][256], edid[2][VGPU_REGION_EDID_SIZE];
	unsigned int i;

	ASSERT_EQ(0, vt_mode(&self->src, 640, 480, 32));
	vt_reg_set(&self->src, VGPU_REG_IRQ_ENABLE, 1);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));

	EXPECT_EQ(0, vt_mode(&self->dst, 1024, 768, 16));
	vt_reg_set(&self->dst, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_HEAD(0));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	for (i = 0; i < 0x500; i += 4)
		before[i / 4] = vt_reg_get(&self->dst, i);
	vt_pread(&self->dst, VFIO_PCI_CONFIG_REGION_INDEX, 0, config[0], 256);
	vt_pread(&self->dst, VGPU_REGION_EDID, 0, edid[0], sizeof(edid[0]));

	/* All of the state, and only the end is not there. */
	EXPECT_EQ(-EINVAL, vt_load(&self->dst, self->stream.data,
				   self->stream.len - 1, 4096));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&self->dst));
	for (i = 0; i < 0x500; i += 4)
		EXPECT_EQ(before[i / 4], vt_reg_get(&self->dst, i))
			TH_LOG("register %#x", i);
	EXPECT_EQ(1024, vt_dispi_get(&self->dst, VGPU_DISPI_XRES));
	vt_pread(&self->dst, VFIO_PCI_CONFIG_REGION_INDEX, 0, config[1], 256);
	vt_pread(&self->dst, VGPU_REGION_EDID, 0, edid[1], sizeof(edid[1]));
	EXPECT_EQ(0, memcmp(config[0], config[1], 256));
	EXPECT_EQ(0, memcmp(edid[0], edid[1], sizeof(edid[0])));
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

/* User memory that is not there costs nothing of the stream. */
TEST_F(streams, bad_user_memory)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vt_stream s = { };
	int fd;

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	vt_fill(self->fb, FB, 9);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	EXPECT_EQ(10, read(fd, page + PAGE - 10, 100));
	EXPECT_EQ(-1, read(fd, page + PAGE, 100));
	EXPECT_EQ(EFAULT, errno);
	/* Into a mapping of the framebuffer itself: no deadlock. */
	EXPECT_LT(0, read(fd, self->fb, 100000));
	close(fd);
	ASSERT_EQ(0, vt_reset(&self->src));
	vt_fill(self->fb, FB, 10);
	ASSERT_EQ(0, vt_save(&self->src, &s));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	EXPECT_EQ(-1, write(fd, page + PAGE, 100));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(s.len, write(fd, s.data, s.len));
	EXPECT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	vt_check_fb(_metadata, &self->dst, 10);
	close(fd);
	munmap(page, PAGE);
	free(s.data);
}

/* Memory that ends in the middle, or has not been touched: nothing is lost. */
TEST_F(streams, half_user_memory)
{
	const size_t half = 40 * PAGE, all = 2 * half;
	char *map = mmap(NULL, all, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vt_stream *s = &self->stream;
	size_t at = 0;
	ssize_t n;
	int fd;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, mprotect(map + half, half, PROT_NONE));
	vt_fill(self->fb, FB, 21);
	ASSERT_EQ(0, vt_save(&self->src, s));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	for (;;) {
		madvise(map, half, MADV_DONTNEED);
		/* From anywhere in a page, into the hole. */
		n = read(fd, map + at % PAGE, all - at % PAGE);
		if (n <= 0)
			break;
		ASSERT_GE(half, n);
		ASSERT_GE(s->len, at + n);
		EXPECT_EQ(0, memcmp(s->data + at, map + at % PAGE, n));
		at += n;
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(s->len, at);
	close(fd);
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	for (at = 0; at < s->len; at += n) {
		size_t part = s->len - at < half ? s->len - at : half - at % 64;

		memcpy(map + half - part, s->data + at, part);
		n = write(fd, map + half - part, part == s->len - at ? part :
						 part + all);
		ASSERT_LT(0, n);
		ASSERT_GE(part, n);
	}
	close(fd);
	EXPECT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	vt_check_fb(_metadata, &self->dst, 21);
	munmap(map, all);
}

/* A file that was closed early has still been written. */
TEST_F(streams, closed_before_the_end)
{
	int fd;

	vt_fill(self->fb, FB, 11);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(self->stream.len,
		  write(fd, self->stream.data, self->stream.len));
	close(fd);
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	vt_check_fb(_metadata, &self->dst, 11);
}

/* Nothing follows the end, whatever is done to a vGPU that has stopped. */
TEST_F(streams, after_the_end)
{
	char more[64];
	int fd = -1;

	self->fb[0] = 1;
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	ASSERT_EQ(0, vt_drain(fd, &self->stream));
	self->fb[1] = 1;
	EXPECT_EQ(4, vt_pwrite(&self->src, BAR0, FB / 2, "xxxx", 4));
	EXPECT_EQ(0, read(fd, more, sizeof(more)));
	close(fd);
}

TEST_HARNESS_MAIN
