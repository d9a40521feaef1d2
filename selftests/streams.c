// SPDX-License-Identifier: GPL-2.0
/* Migration streams: what is in them, who reads and writes them, and bad ones. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
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
	EXPECT_LT(50, refused);
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

struct racer {
	pthread_t thread;
	int fd;
	bool write;
	unsigned int busy;
	volatile bool stop;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	static char buf[300000];
	ssize_t n;

	while (!r->stop) {
		n = r->write ? write(r->fd, buf, sizeof(buf)) :
			       read(r->fd, buf, sizeof(buf));
		r->busy += n < 0 && errno == EBUSY;
		if (!n)
			break;
	}
	return NULL;
}

/* Two on one file, and a reset that does not wait for them. */
TEST_F(streams, two_users)
{
	struct racer r[2] = { };
	int fd, i, j;

	for (j = 0; j < 10; j++) {
		vt_fill(self->fb, FB, j);
		fd = -1;
		ASSERT_EQ(0, vt_mig_set(&self->src, j % 2 ?
					VFIO_DEVICE_STATE_RESUMING :
					VFIO_DEVICE_STATE_STOP_COPY, &fd));
		for (i = 0; i < 2; i++) {
			r[i] = (struct racer){ .fd = fd, .write = j % 2 };
			ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, race,
						    &r[i]));
		}
		usleep(20000);
		ASSERT_EQ(0, vt_reset(&self->src));
		for (i = 0; i < 2; i++) {
			r[i].stop = true;
			pthread_join(r[i].thread, NULL);
		}
		close(fd);
	}
	vt_check_clean(_metadata, &self->src);
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

static int inject(struct vt_gpu *gpu, const char *what, const char *uuid,
		  unsigned long offset)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %s %#lx", what, uuid, offset);
	return vt_write(text, VT_DEBUGFS "/vgpu/%s/inject",
			strrchr(gpu->dir, '/') + 1);
}

/* Bad pages stay where they are, on either side. */
TEST_F(streams, retired_pages)
{
	unsigned int i;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	vt_fill(self->fb, FB, 12);
	ASSERT_EQ(VGPU_ECC_ON, vt_reg_get(&self->src, VGPU_REG_ECC_STATUS));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, inject(&self->gpu, "sbe", self->src.uuid,
				    7 * PAGE));
		ASSERT_EQ(0, inject(&self->gpu, "sbe", self->dst.uuid,
				    9 * PAGE));
		ASSERT_EQ(0, inject(&self->gpu, "sbe", self->dst.uuid, 0));
	}
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     100000));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	vt_check_fb(_metadata, &self->dst, 12);
	/* The guest's counts came with it. */
	EXPECT_EQ(2, vt_reg_get(&self->dst, VGPU_REG_ECC_SBE));
	EXPECT_EQ(0, vt_reg_get(&self->dst, VGPU_REG_ECC_DBE));
}

/* Memory of the target that fails while it is written. */
TEST_F(streams, target_fails)
{
	int fd;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, inject(&self->gpu, "dbe", self->dst.uuid, 7 * PAGE));
	EXPECT_EQ(self->stream.len,
		  write(fd, self->stream.data, self->stream.len));
	EXPECT_EQ(-EIO, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&self->dst));
	close(fd);
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

TEST_HARNESS_MAIN
