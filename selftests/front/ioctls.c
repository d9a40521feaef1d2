// SPDX-License-Identifier: GPL-2.0
/* VFIO device ioctls: what they answer, and what they refuse. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

FIXTURE(ioctls)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
};

FIXTURE_SETUP(ioctls)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", "48Q,64Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "48Q"));
}

FIXTURE_TEARDOWN(ioctls)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static int do_ioctl(struct vt_dev *dev, unsigned long cmd, void *arg)
{
	return ioctl(dev->fd, cmd, arg) ? -errno : 0;
}

TEST_F(ioctls, info)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, do_ioctl(&self->dev, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_RESET);
	/* QEMU refuses less. */
	EXPECT_GE(info.num_regions, VFIO_PCI_CONFIG_REGION_INDEX + 1);
	EXPECT_GE(info.num_irqs, VFIO_PCI_MSIX_IRQ_INDEX + 1);
	info.argsz = 4;
	EXPECT_EQ(-EINVAL, do_ioctl(&self->dev, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(-EFAULT, do_ioctl(&self->dev, VFIO_DEVICE_GET_INFO, NULL));
}

TEST_F(ioctls, regions)
{
	const uint64_t sizes[VGPU_NUM_REGIONS] = {
		[VFIO_PCI_BAR0_REGION_INDEX] = 64 * VT_MIB,
		[VFIO_PCI_BAR2_REGION_INDEX] = VGPU_BAR2_SIZE,
		[VFIO_PCI_BAR3_REGION_INDEX] = VGPU_BAR2_SIZE,
		[VFIO_PCI_BAR4_REGION_INDEX] = VGPU_BAR4_SIZE,
		[VGPU_REGION_CONSOLE] = 48 * VT_MIB,
		[VGPU_REGION_EDID] = VGPU_REGION_EDID_SIZE,
		[VGPU_REGION_CURSOR] = 48 * VT_MIB,
	};
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < VGPU_NUM_REGIONS; i++) {
		info = (struct vfio_region_info){ .argsz = sizeof(info),
						  .index = i };
		ASSERT_EQ(0, do_ioctl(&self->dev, VFIO_DEVICE_GET_REGION_INFO,
				      &info));
		EXPECT_EQ((uint64_t)i << 40, info.offset);
		if (i == VFIO_PCI_CONFIG_REGION_INDEX) {
			EXPECT_GE(info.size, 256);
		} else {
			EXPECT_EQ(sizes[i], info.size);
		}
		EXPECT_EQ(sizes[i] > VGPU_BAR4_SIZE,
			  !!(info.flags & VFIO_REGION_INFO_FLAG_MMAP));
		EXPECT_EQ(!!info.size,
			  !!(info.flags & VFIO_REGION_INFO_FLAG_READ));
	}
	for (i = VGPU_NUM_REGIONS; i; i <<= 1) {
		info = (struct vfio_region_info){ .argsz = sizeof(info),
						  .index = i };
		EXPECT_EQ(-EINVAL, do_ioctl(&self->dev,
					    VFIO_DEVICE_GET_REGION_INFO, &info));
	}
	info = (struct vfio_region_info){ .argsz = 8 };
	EXPECT_EQ(-EINVAL, do_ioctl(&self->dev, VFIO_DEVICE_GET_REGION_INFO,
				    &info));
}

/* The BAR is larger than the framebuffer: only a part can be mapped. */
TEST_F(ioctls, sparse)
{
	struct {
		struct vfio_region_info info;
		uint8_t caps[256];
	} r = { .info = { .argsz = sizeof(r.info) } };
	struct vfio_region_info_cap_sparse_mmap *sparse = NULL;

	ASSERT_EQ(0, do_ioctl(&self->dev, VFIO_DEVICE_GET_REGION_INFO, &r));
	ASSERT_TRUE(r.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	/* Too small for the capability: the size that is needed comes back. */
	ASSERT_GT(r.info.argsz, sizeof(r.info));
	ASSERT_LE(r.info.argsz, sizeof(r));
	EXPECT_EQ(0, r.info.cap_offset);

	ASSERT_EQ(0, do_ioctl(&self->dev, VFIO_DEVICE_GET_REGION_INFO, &r));
	ASSERT_GE(r.info.cap_offset, sizeof(r.info));
	sparse = (void *)((uint8_t *)&r + r.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, sparse->header.id);
	ASSERT_EQ(1, sparse->nr_areas);
	EXPECT_EQ(0, sparse->areas[0].offset);
	EXPECT_EQ(48 * VT_MIB, sparse->areas[0].size);
}

TEST_F(ioctls, irqs)
{
	struct vfio_irq_info info;
	unsigned int i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		info = (struct vfio_irq_info){ .argsz = sizeof(info),
					       .index = i };
		EXPECT_EQ(0, do_ioctl(&self->dev, VFIO_DEVICE_GET_IRQ_INFO,
				      &info));
	}
	info = (struct vfio_irq_info){ .argsz = sizeof(info),
				       .index = VFIO_PCI_NUM_IRQS };
	EXPECT_EQ(-EINVAL, do_ioctl(&self->dev, VFIO_DEVICE_GET_IRQ_INFO,
				    &info));
	info = (struct vfio_irq_info){ .argsz = 4 };
	EXPECT_EQ(-EINVAL, do_ioctl(&self->dev, VFIO_DEVICE_GET_IRQ_INFO,
				    &info));
}

TEST_F(ioctls, unknown_ioctls)
{
	unsigned int nr;
	char arg[256] = { };

	/* Numbers that VFIO has not given to devices. */
	for (nr = 60; nr < 255; nr++)
		EXPECT_EQ(-ENOTTY, do_ioctl(&self->dev, _IO(VFIO_TYPE,
							    VFIO_BASE + nr),
					    arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(&self->dev, _IO('x', 1), arg));
	EXPECT_EQ(-ENOTTY, do_ioctl(&self->dev, VFIO_DEVICE_PCI_HOT_RESET, arg));
}

/* Regions that a vGPU does not have cannot be read, written or mapped. */
TEST_F(ioctls, absent_regions)
{
	static const unsigned int absent[] = {
		VFIO_PCI_BAR1_REGION_INDEX, VFIO_PCI_BAR5_REGION_INDEX,
		VFIO_PCI_ROM_REGION_INDEX, VFIO_PCI_VGA_REGION_INDEX,
		VGPU_NUM_REGIONS, 1000, 0x7fffff,
	};
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		EXPECT_EQ(-EINVAL, vt_pread(&self->dev, absent[i], 0, &value, 4));
		EXPECT_EQ(-EINVAL, vt_pwrite(&self->dev, absent[i], 0, &value, 4));
		EXPECT_EQ(NULL, vt_mmap(&self->dev, absent[i], 0, 4096));
		EXPECT_EQ(EINVAL, errno);
	}
}

/* A group belongs to one user; the device is not removed under it. */
TEST_F(ioctls, one_user)
{
	struct vt_dev other;

	EXPECT_EQ(-EBUSY, vt_open(&other, self->dev.uuid));
	vt_close(&self->dev);
	EXPECT_EQ(0, vt_open(&self->dev, self->dev.uuid));
}

TEST_HARNESS_MAIN
