// SPDX-License-Identifier: GPL-2.0
/* Doorbells: as registers, and as eventfds. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"

#define BAR4 VFIO_PCI_BAR4_REGION_INDEX

FIXTURE(doorbell)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	int fd;
};

FIXTURE_SETUP(doorbell)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "16M", NULL));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fd = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(doorbell)
{
	close(self->fd);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static int set(struct vt_dev *dev, uint32_t flags, uint64_t offset,
	       uint64_t data, int fd)
{
	struct vfio_device_ioeventfd args = {
		.argsz = sizeof(args), .flags = flags, .offset = offset,
		.data = data, .fd = fd,
	};

	return ioctl(dev->fd, VFIO_DEVICE_IOEVENTFD, &args) ? -errno : 0;
}

static int ring(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

/* Rung at least @n times, soon. */
static int wait_rung(struct vt_dev *dev, uint32_t n)
{
	int i;

	for (i = 0; i < 5000; i++) {
		if (vt_reg_get(dev, VGPU_REG_DOORBELLS) >= n)
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

TEST_F(doorbell, registers)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	vt_reg_set(dev, VGPU_DOORBELL(0), 1);
	vt_reg_set(dev, VGPU_DOORBELL(VGPU_NR_DOORBELLS - 1), 2);
	EXPECT_EQ(2, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_DOORBELL(0)));
	EXPECT_EQ(2, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_DOORBELLS));
}

TEST_F(doorbell, eventfd)
{
	const uint64_t bell = VT_OFFSET(BAR4, VGPU_DOORBELL(7));
	struct vt_dev *dev = &self->dev;
	uint32_t i;

	ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32, bell, 5, self->fd));
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, ring(self->fd));
		ASSERT_EQ(0, wait_rung(dev, i));
	}
	EXPECT_EQ(10, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	/* Memory off: a doorbell goes nowhere, however it is rung. */
	ASSERT_EQ(0, vt_memory(dev, false));
	ASSERT_EQ(0, ring(self->fd));
	usleep(100000);
	ASSERT_EQ(0, vt_memory(dev, true));
	EXPECT_EQ(10, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	/* Taken away, it rings no more. */
	ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32, bell, 5, -1));
	ASSERT_EQ(0, ring(self->fd));
	usleep(100000);
	EXPECT_EQ(10, vt_reg_get(dev, VGPU_REG_DOORBELLS));
}

/* Several, each of which rings on its own. */
TEST_F(doorbell, several)
{
	struct vt_dev *dev = &self->dev;
	int fds[8], i, n;

	for (i = 0; i < 8; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32,
				 VT_OFFSET(BAR4, VGPU_DOORBELL(100 * i)), 0,
				 fds[i]));
	}
	for (n = 0; n < 100; n++)
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, ring(fds[i]));
	ASSERT_EQ(0, wait_rung(dev, 800));
	EXPECT_EQ(800, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	/* One that goes before anybody looks has rung all the same. */
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, ring(fds[i]));
	ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32,
			 VT_OFFSET(BAR4, VGPU_DOORBELL(300)), 0, -1));
	EXPECT_EQ(808, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	/* A reset forgets what has rung before it. */
	ASSERT_EQ(0, ring(fds[0]));
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	for (i = 0; i < 8; i++)
		close(fds[i]);
}

/* A double-bit error stops them; what has rung before it counts. */
TEST_F(doorbell, error)
{
	struct vt_dev *dev = &self->dev;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32,
			 VT_OFFSET(BAR4, VGPU_DOORBELL(7)), 5, self->fd));
	ASSERT_EQ(0, ring(self->fd));
	ASSERT_EQ(0, vt_inject(&self->gpu, "dbe", dev->uuid, 0));
	ASSERT_EQ(0, ring(self->fd));
	EXPECT_EQ(1, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	vt_reg_set(dev, VGPU_DOORBELL(7), 5);
	EXPECT_EQ(1, vt_reg_get(dev, VGPU_REG_DOORBELLS));
	ASSERT_EQ(0, vt_reset(dev));
	ASSERT_EQ(0, ring(self->fd));
	ASSERT_EQ(0, wait_rung(dev, 1));
	EXPECT_EQ(1, vt_reg_get(dev, VGPU_REG_DOORBELLS));
}

/* What was rung and that nobody has asked for goes with the vGPU that moves. */
TEST_F(doorbell, migrates)
{
	const uint64_t bell = VT_OFFSET(BAR4, VGPU_DOORBELL(7));
	struct vt_stream stream = { };
	struct vt_dev other;

	ASSERT_EQ(0, set(&self->dev, VFIO_DEVICE_IOEVENTFD_32, bell, 5,
			 self->fd));
	ASSERT_EQ(0, ring(self->fd));
	ASSERT_EQ(0, vt_save(&self->dev, &stream));
	vt_end(&self->dev);
	ASSERT_EQ(0, vt_start(&other, &self->gpu, "16Q"));
	ASSERT_EQ(0, vt_load(&other, stream.data, stream.len, stream.len));
	EXPECT_EQ(1, vt_reg_get(&other, VGPU_REG_DOORBELLS));
	vt_end(&other);
	free(stream.data);
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
}

TEST_F(doorbell, refused)
{
	const uint64_t bell = VT_OFFSET(BAR4, VGPU_DOORBELL(0));
	const uint32_t word = VFIO_DEVICE_IOEVENTFD_32;
	struct vfio_device_ioeventfd small = { .argsz = 8, .flags = word };
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(-EINVAL, set(dev, VFIO_DEVICE_IOEVENTFD_8, bell, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, VFIO_DEVICE_IOEVENTFD_64, bell, 0,
			       self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word | 1u << 31, bell, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, bell + 2, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, bell - 4, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, bell + 0x1000, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, VT_OFFSET(2, VGPU_DOORBELL(0)), 0,
			       self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, ~0ULL, 0, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, bell, 1ULL << 32, self->fd));
	EXPECT_EQ(-EINVAL, set(dev, word, bell, 0, -2));
	EXPECT_EQ(-EBADF, set(dev, word, bell, 0, 1000));
	EXPECT_EQ(-EINVAL, set(dev, word, bell, 0, dev->fd));
	EXPECT_EQ(-ENODEV, set(dev, word, bell, 0, -1));
	EXPECT_EQ(-1, ioctl(dev->fd, VFIO_DEVICE_IOEVENTFD, &small));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, set(dev, word, bell, 0, self->fd));
	EXPECT_EQ(-EEXIST, set(dev, word, bell, 0, self->fd));
	EXPECT_EQ(0, set(dev, word, bell, 1, self->fd));
	/* Both are left for close to clean up. */
}

/* No more than there are doorbells. */
TEST_F(doorbell, many)
{
	const uint64_t bell = VT_OFFSET(BAR4, VGPU_DOORBELL(0));
	struct vt_dev *dev = &self->dev;
	uint32_t i;

	for (i = 0; i < VGPU_NR_DOORBELLS; i++)
		ASSERT_EQ(0, set(dev, VFIO_DEVICE_IOEVENTFD_32, bell + 4 * i,
				 0, self->fd));
	EXPECT_EQ(-ENOSPC, set(dev, VFIO_DEVICE_IOEVENTFD_32, bell, 1,
			       self->fd));
	/* The eventfd may go first. */
	close(self->fd);
	self->fd = eventfd(0, EFD_CLOEXEC);
}

TEST_HARNESS_MAIN
