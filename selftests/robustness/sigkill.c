// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM is killed with SIGKILL at each stage of what it does.  The next one finds
 * the vGPU as if it were new, and nothing that the killed one has left to others
 * reaches it: not its files, its eventfds or its dma-bufs.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_pair.h"

#define BAR4		VFIO_PCI_BAR4_REGION_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define PICTURE		(640 * 480 * 4)

/* How long anything may take, in milliseconds. */
#define PATIENCE	20000

FIXTURE(sigkill)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char uuid[VT_UUID];
	pid_t vmm;
	int report;
};

FIXTURE_SETUP(sigkill)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	vt_uuid(self->uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", self->uuid));
	ASSERT_EQ(0, vt_params(self->uuid, "console=dmabuf"));
}

FIXTURE_TEARDOWN(sigkill)
{
	/* Nobody else would end one that has failed. */
	if (self->vmm)
		kill(self->vmm, SIGKILL);
	EXPECT_EQ(0, vt_remove(self->uuid));
	vt_gpu_del(&self->gpu);
}

/* What a VMM does; returns a file that others get, -1, or a negative errno. */
typedef int (*stage_fn)(struct vt_dev *dev, uint32_t *fb);

/* In the child: come to a stage, say so, and wait for the end. */
static void vmm(const char *uuid, stage_fn stage, int report)
{
	struct vt_dev dev;
	uint32_t *fb;
	int ret;

	ret = vt_open(&dev, uuid);
	if (!ret) {
		fb = vt_mmap(&dev, BAR0, 0, FB);
		ret = fb ? stage(&dev, fb) : -ENOMEM;
	}
	if (write(report, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
	for (;;)
		pause();
}

/* Another process's file under a number of our own. */
static int take_file(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int ret = pidfd < 0 ? -1 : syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	ret = ret < 0 ? -errno : ret;
	close(pidfd);
	return ret;
}

/* Start a VMM and bring it to a stage; the file that it has for others, or -1. */
static int start(struct __test_metadata *_metadata, FIXTURE_DATA(sigkill) *self,
		 stage_fn stage)
{
	struct pollfd p = { .events = POLLIN };
	int said = -ETIMEDOUT, ends[2];

	ASSERT_EQ(0, pipe(ends));
	self->vmm = fork();
	ASSERT_LE(0, self->vmm);
	if (!self->vmm)
		vmm(self->uuid, stage, ends[1]);
	close(ends[1]);
	p.fd = ends[0];
	ASSERT_EQ(1, poll(&p, 1, PATIENCE));
	ASSERT_EQ(sizeof(said), read(ends[0], &said, sizeof(said)));
	close(ends[0]);
	ASSERT_LE(-1, said) {
		TH_LOG("%s", strerror(-said));
	}
	if (said < 0)
		return said;
	said = take_file(self->vmm, said);
	EXPECT_LE(0, said);
	return said;
}

static bool is_busy(const char *uuid)
{
	return vt_read_number("/sys/bus/mdev/devices/%s/vgpu/busy", uuid);
}

/* Kill it, and open what it had; still open afterwards. */
static void succeed(struct __test_metadata *_metadata,
		    FIXTURE_DATA(sigkill) *self)
{
	int status, i;

	EXPECT_TRUE(is_busy(self->uuid));
	ASSERT_EQ(0, kill(self->vmm, SIGKILL));
	ASSERT_EQ(self->vmm, waitpid(self->vmm, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	self->vmm = 0;
	for (i = 0; i < PATIENCE / 20 && is_busy(self->uuid); i++)
		usleep(10000);
	ASSERT_FALSE(is_busy(self->uuid));
	ASSERT_EQ(0, vt_open(&self->dev, self->uuid));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_IRQ_ENABLE));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_IRQ_STATUS));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_DOORBELLS));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_BAR4_MSIX_TABLE));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_HEAD(0) +
				VGPU_HEAD_CURSOR_POSITION));
	vt_check_clean(_metadata, &self->dev);
}

static int stage_open(struct vt_dev *dev, uint32_t *fb)
{
	return -1;
}

TEST_F_TIMEOUT(sigkill, open, 120)
{
	start(_metadata, self, stage_open);
	succeed(_metadata, self);
	vt_close(&self->dev);
}

/* A guest that has everything in use. */
static int stage_mapped(struct vt_dev *dev, uint32_t *fb)
{
	uint32_t x = 3;

	vt_fill(fb, FB, 1);
	if (vt_head_mode(dev, 0, 640, 480, 0) != VGPU_HEAD_ON)
		return -EIO;
	vt_reg_set(dev, VGPU_REG_HEAD(0) + VGPU_HEAD_CURSOR_POSITION, x);
	vt_reg_set(dev, VGPU_BAR4_MSIX_TABLE, 0xfee00000);
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, ~0u);
	vt_reg_set(dev, VGPU_DOORBELL(0), x);
	return vt_reg_get(dev, VGPU_REG_DOORBELLS) == 1 ? -1 : -EIO;
}

TEST_F_TIMEOUT(sigkill, mapped, 120)
{
	start(_metadata, self, stage_mapped);
	succeed(_metadata, self);
	vt_close(&self->dev);
}

/* Each frame of head 0 is signalled. */
static int stage_irqs(struct vt_dev *dev, uint32_t *fb)
{
	int fd = vt_eventfd(dev, MSIX, VGPU_IRQ_HEAD(0));
	int ret = stage_mapped(dev, fb);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || ret < -1)
		return fd < 0 ? fd : ret;
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_HEAD(0));
	return poll(&p, 1, PATIENCE / 2) == 1 ? fd : -ETIMEDOUT;
}

TEST_F_TIMEOUT(sigkill, irqs, 120)
{
	int fd = start(_metadata, self, stage_irqs);
	uint64_t n;

	succeed(_metadata, self);
	/* It is quiet, although the next one has frames, too. */
	if (read(fd, &n, sizeof(n)) < 0)
		EXPECT_EQ(EAGAIN, errno);
	vt_reg_set(&self->dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_HEAD(0));
	usleep(300000);
	EXPECT_EQ(-1, read(fd, &n, sizeof(n)));
	EXPECT_LT(0, vt_reg_get(&self->dev, VGPU_REG_HEAD(0) +
				VGPU_HEAD_VBLANKS));
	close(fd);
	vt_close(&self->dev);
}

static int set_ioeventfd(struct vt_dev *dev, int fd)
{
	struct vfio_device_ioeventfd args = {
		.argsz = sizeof(args), .flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = VT_OFFSET(BAR4, VGPU_DOORBELL(7)), .fd = fd,
	};

	return ioctl(dev->fd, VFIO_DEVICE_IOEVENTFD, &args) ? -errno : 0;
}

/* Rung soon. */
static int wait_rung(struct vt_dev *dev)
{
	int i;

	for (i = 0; i < PATIENCE / 20; i++) {
		if (vt_reg_get(dev, VGPU_REG_DOORBELLS))
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

static int ring(int fd)
{
	uint64_t one = 1;

	return write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

static int stage_ioeventfd(struct vt_dev *dev, uint32_t *fb)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret = set_ioeventfd(dev, fd);

	ret = ret ?: ring(fd);
	ret = ret ?: wait_rung(dev);
	return ret ?: fd;
}

TEST_F_TIMEOUT(sigkill, ioeventfd, 120)
{
	int fd = start(_metadata, self, stage_ioeventfd);

	succeed(_metadata, self);
	EXPECT_EQ(0, ring(fd));
	usleep(100000);
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_DOORBELLS));
	/* The doorbell is free again. */
	EXPECT_EQ(0, set_ioeventfd(&self->dev, fd));
	EXPECT_EQ(0, ring(fd));
	EXPECT_EQ(0, wait_rung(&self->dev));
	close(fd);
	vt_close(&self->dev);
}

static int stage_dmabuf(struct vt_dev *dev, uint32_t *fb)
{
	int ret = stage_mapped(dev, fb);

	return ret < -1 ? ret : vt_dmabuf(dev);
}

/* Who shows the picture lives on, and sees nothing of the next one. */
TEST_F_TIMEOUT(sigkill, dmabuf, 120)
{
	int fd = start(_metadata, self, stage_dmabuf);
	uint8_t *p;

	p = mmap(NULL, PICTURE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, vt_differs(p, PICTURE, 1));
	succeed(_metadata, self);
	EXPECT_TRUE(vt_faults(p));
	EXPECT_TRUE(vt_faults(p + PICTURE - 1));
	munmap(p, PICTURE);
	close(fd);
	vt_close(&self->dev);
}

/* Killed with the file of a migration, which nobody leads any more then. */
static void dies_migrating(struct __test_metadata *_metadata,
			   FIXTURE_DATA(sigkill) *self, stage_fn stage, bool loads)
{
	int fd = start(_metadata, self, stage);
	char buf[64] = { };

	succeed(_metadata, self);
	EXPECT_EQ(-1, loads ? write(fd, buf, sizeof(buf)) :
			      read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
	vt_close(&self->dev);
}

/* In a state, and some of the data has been read. */
static int saving(struct vt_dev *dev, uint32_t *fb, unsigned int state)
{
	struct vt_stream stream = { };
	int ret, fd = -1;

	vt_fill(fb, FB, 2);
	ret = vt_mig_set(dev, state, &fd);
	ret = ret ?: vt_drain_some(fd, &stream, 4 * VT_MIB);
	if (ret)
		return ret;
	/* Written again after it was sent. */
	if (state == VFIO_DEVICE_STATE_PRE_COPY)
		vt_fill(fb, VT_MIB, 3);
	return stream.len < FB ? fd : -EMSGSIZE;
}

static int stage_precopy(struct vt_dev *dev, uint32_t *fb)
{
	return saving(dev, fb, VFIO_DEVICE_STATE_PRE_COPY);
}

TEST_F_TIMEOUT(sigkill, precopy, 120)
{
	bool precopy;

	ASSERT_EQ(0, vt_open(&self->dev, self->uuid));
	precopy = vt_mig_precopy(&self->dev);
	vt_close(&self->dev);
	if (!precopy)
		SKIP(return, "no PRE_COPY on this kernel");
	dies_migrating(_metadata, self, stage_precopy, false);
}

static int stage_stop_copy(struct vt_dev *dev, uint32_t *fb)
{
	return saving(dev, fb, VFIO_DEVICE_STATE_STOP_COPY);
}

TEST_F_TIMEOUT(sigkill, stop_copy, 120)
{
	dies_migrating(_metadata, self, stage_stop_copy, false);
}

/* Half of a stream of this vGPU's own has been written to it. */
static int stage_resuming(struct vt_dev *dev, uint32_t *fb)
{
	struct vt_stream stream = { };
	int ret, fd = -1;
	size_t at;
	ssize_t n;

	vt_fill(fb, FB, 4);
	ret = vt_save(dev, &stream);
	ret = ret ?: vt_reset(dev);
	ret = ret ?: vt_mig_set(dev, VFIO_DEVICE_STATE_RESUMING, &fd);
	if (ret)
		return ret;
	for (at = 0; at < stream.len / 2; at += n) {
		n = write(fd, stream.data + at, stream.len / 2 - at);
		if (n <= 0)
			return -errno;
	}
	/* Some of it is there already. */
	return vt_is_zero(fb, FB) ? -ENODATA : fd;
}

TEST_F_TIMEOUT(sigkill, resuming, 120)
{
	dies_migrating(_metadata, self, stage_resuming, true);
}

static int stage_error(struct vt_dev *dev, uint32_t *fb)
{
	int fd = stage_resuming(dev, fb);

	if (fd < 0)
		return fd;
	if (vt_mig_set(dev, VFIO_DEVICE_STATE_STOP, NULL) != -EINVAL ||
	    vt_mig_state(dev) != VFIO_DEVICE_STATE_ERROR)
		return -EIO;
	return fd;
}

TEST_F_TIMEOUT(sigkill, error, 120)
{
	dies_migrating(_metadata, self, stage_error, true);
}

TEST_HARNESS_MAIN
