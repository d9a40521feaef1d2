// SPDX-License-Identifier: GPL-2.0
/* A vGPU through iommufd and its own character device, without a group. */
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

FIXTURE(iommufd)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	int iommufd;
	uint32_t ioas;
};

FIXTURE_SETUP(iommufd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	char uuid[VT_UUID];

	self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (self->iommufd < 0)
		SKIP(return, "/dev/iommu: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(self->iommufd, IOMMU_IOAS_ALLOC, &alloc));
	self->ioas = alloc.out_ioas_id;
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", NULL));
	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid));
	memcpy(self->dev.uuid, uuid, VT_UUID);
	self->dev.group = -1;
	self->dev.container = -1;
	self->dev.fd = vt_open_cdev(uuid);
	if (self->dev.fd == -ENOENT) {
		vt_end(&self->dev);
		vt_gpu_del(&self->gpu);
		SKIP(return, "no character device for VFIO devices");
	}
	ASSERT_LE(0, self->dev.fd);
}

FIXTURE_TEARDOWN(iommufd)
{
	if (self->iommufd < 0)
		return;
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
	close(self->iommufd);
}

static int bind(struct vt_dev *dev, int iommufd)
{
	struct vfio_device_bind_iommufd args = {
		.argsz = sizeof(args), .iommufd = iommufd,
	};

	return ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &args) ? -errno : 0;
}

static int attach(struct vt_dev *dev, uint32_t ioas)
{
	struct vfio_device_attach_iommufd_pt args = {
		.argsz = sizeof(args), .pt_id = ioas,
	};

	return ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &args) ? -errno :
								      0;
}

static int detach(struct vt_dev *dev)
{
	struct vfio_device_detach_iommufd_pt args = { .argsz = sizeof(args) };

	return ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &args) ? -errno :
								      0;
}

TEST_F(iommufd, device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vt_dev *dev = &self->dev;
	uint32_t id = 0;
	uint8_t *fb;

	/* Nothing before it is bound. */
	EXPECT_EQ(-1, ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-EINVAL, vt_pread(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, &id,
				    4));
	ASSERT_EQ(0, bind(dev, self->iommufd));
	ASSERT_EQ(0, vt_find_regions(dev));
	EXPECT_EQ(1, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/busy",
				    dev->uuid));
	ASSERT_EQ(0, ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(VGPU_NUM_REGIONS, info.num_regions);
	ASSERT_EQ(4, vt_pread(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, &id, 4));
	EXPECT_EQ(VGPU_PCI_DEVICE << 16 | VGPU_PCI_VENDOR, id);
	ASSERT_EQ(0, vt_memory(dev, true));
	EXPECT_EQ(VGPU_MAGIC, vt_reg_get(dev, VGPU_REG_MAGIC));
	fb = vt_mmap(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, 16 * VT_MIB);
	ASSERT_NE(NULL, fb);
	vt_fill(fb, 16 * VT_MIB, 1);
	EXPECT_EQ(-1, vt_differs(fb, 16 * VT_MIB, 1));
	munmap(fb, 16 * VT_MIB);
}

/* An address space comes, changes and goes while the device is in use. */
TEST_F(iommufd, address_spaces)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct vt_dev *dev = &self->dev;
	int i;

	ASSERT_EQ(0, ioctl(self->iommufd, IOMMU_IOAS_ALLOC, &alloc));
	ASSERT_EQ(0, bind(dev, self->iommufd));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, attach(dev, self->ioas));
		EXPECT_EQ(0, attach(dev, alloc.out_ioas_id));
		EXPECT_EQ(0, detach(dev));
	}
	EXPECT_EQ(-ENOENT, attach(dev, 12345));
	EXPECT_EQ(0, attach(dev, self->ioas));
	/* Closed attached: the device must let go of it. */
	vt_close(dev);
	ASSERT_EQ(0, vt_open(dev, dev->uuid));
}

TEST_HARNESS_MAIN
