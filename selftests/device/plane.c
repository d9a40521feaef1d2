// SPDX-License-Identifier: GPL-2.0
/* VFIO_DEVICE_QUERY_GFX_PLANE: the picture follows the guest's registers. */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

FIXTURE(plane)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	struct vfio_device_gfx_plane_info info;
};

FIXTURE_SETUP(plane)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
}

FIXTURE_TEARDOWN(plane)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static void expect_off(struct __test_metadata *_metadata, struct vt_dev *dev)
{
	struct vfio_device_gfx_plane_info info;

	ASSERT_EQ(0, vt_plane(dev, &info));
	EXPECT_EQ(0, info.drm_format);
	EXPECT_EQ(0, info.size);
	EXPECT_EQ(0, info.width);
	EXPECT_EQ(0, info.height);
}

static int probe(struct vt_dev *dev, uint32_t argsz, uint32_t flags,
		 uint32_t plane)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = argsz, .flags = flags, .drm_plane_type = plane,
	};

	return ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info) ? -errno : 0;
}

TEST_F(plane, probe)
{
	const uint32_t size = sizeof(self->info);
	struct vt_dev *dev = &self->dev;
	uint32_t flags;

	EXPECT_EQ(0, probe(dev, size, VFIO_GFX_PLANE_TYPE_PROBE |
			   VFIO_GFX_PLANE_TYPE_REGION, 0));
	/* QEMU falls back to REGION only when this fails. */
	EXPECT_EQ(-EINVAL, probe(dev, size, VFIO_GFX_PLANE_TYPE_PROBE |
				 VFIO_GFX_PLANE_TYPE_DMABUF, 0));
	for (flags = 0; flags < 16; flags++)
		if (flags != VFIO_GFX_PLANE_TYPE_REGION &&
		    flags != (VFIO_GFX_PLANE_TYPE_REGION |
			      VFIO_GFX_PLANE_TYPE_PROBE))
			EXPECT_EQ(-EINVAL, probe(dev, size, flags, 1));
	EXPECT_EQ(-EINVAL, probe(dev, 16, VFIO_GFX_PLANE_TYPE_REGION, 1));
	EXPECT_EQ(-EINVAL, probe(dev, size, VFIO_GFX_PLANE_TYPE_REGION, 3));
	EXPECT_EQ(-EINVAL, probe(dev, size, 1u << 31, 1));
}

TEST_F(plane, follows_mode)
{
	static const struct {
		uint16_t width, height, bpp;
		uint32_t format;
	} modes[] = {
		{ 640, 480, 32, FOURCC('X', 'R', '2', '4') },
		{ 1920, 1200, 32, FOURCC('X', 'R', '2', '4') },
		{ 800, 600, 16, FOURCC('R', 'G', '1', '6') },
		{ 1024, 768, 24, FOURCC('R', 'G', '2', '4') },
		{ 1, 1, 32, FOURCC('X', 'R', '2', '4') },
	};
	struct vfio_device_gfx_plane_info *info = &self->info;
	unsigned int i;

	expect_off(_metadata, &self->dev);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		uint32_t pitch = modes[i].width * modes[i].bpp / 8;

		ASSERT_EQ(0, vt_mode(&self->dev, modes[i].width,
				     modes[i].height, modes[i].bpp));
		ASSERT_EQ(0, vt_plane(&self->dev, info));
		EXPECT_EQ(modes[i].format, info->drm_format);
		EXPECT_EQ(modes[i].width, info->width);
		EXPECT_EQ(modes[i].height, info->height);
		EXPECT_EQ(pitch, info->stride);
		EXPECT_EQ(pitch * modes[i].height, info->size);
		EXPECT_EQ(0, info->drm_format_mod);
	}
	ASSERT_EQ(0, vt_dispi_set(&self->dev, VGPU_DISPI_ENABLE, 0));
	expect_off(_metadata, &self->dev);
}

TEST_F(plane, impossible_modes)
{
	static const uint16_t modes[][3] = {
		{ 0, 0, 32 }, { 0, 480, 32 }, { 640, 0, 32 },
		{ 1921, 1200, 32 }, { 1920, 1201, 32 },
		{ 0xffff, 0xffff, 32 }, { 640, 480, 0 }, { 640, 480, 8 },
		{ 640, 480, 0xffff }, { 640, 480, 31 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ASSERT_EQ(0, vt_mode(&self->dev, modes[i][0], modes[i][1],
				     modes[i][2]));
		expect_off(_metadata, &self->dev);
	}
}

/* A picture that would end one byte behind the framebuffer is none. */
TEST_F(plane, last_line)
{
	struct vt_dev *dev = &self->dev;

	ASSERT_EQ(0, vt_mode(dev, 1024, 1024, 32));
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, 3072));
	ASSERT_EQ(0, vt_plane(dev, &self->info));
	EXPECT_EQ(1024, self->info.height);
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_X_OFFSET, 1));
	expect_off(_metadata, dev);
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_X_OFFSET, 0));
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, 3073));
	expect_off(_metadata, dev);
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, 0));
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_VIRT_WIDTH, 0xffff));
	expect_off(_metadata, dev);
}

TEST_F(plane, blank)
{
	const unsigned int bar2 = VFIO_PCI_BAR2_REGION_INDEX;
	struct vt_dev *dev = &self->dev;
	uint8_t value;

	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	vt_pread(dev, bar2, VGPU_VGA_STATUS1, &value, 1);
	value = 0;
	ASSERT_EQ(1, vt_pwrite(dev, bar2, VGPU_VGA_ATT, &value, 1));
	expect_off(_metadata, dev);
	vt_pread(dev, bar2, VGPU_VGA_STATUS1, &value, 1);
	value = VGPU_VGA_ATT_ENABLE;
	ASSERT_EQ(1, vt_pwrite(dev, bar2, VGPU_VGA_ATT, &value, 1));
	ASSERT_EQ(0, vt_plane(dev, &self->info));
	EXPECT_EQ(640, self->info.width);
}

TEST_F(plane, reset_turns_off)
{
	ASSERT_EQ(0, vt_mode(&self->dev, 640, 480, 32));
	ASSERT_EQ(0, vt_reset(&self->dev));
	expect_off(_metadata, &self->dev);
}

TEST_HARNESS_MAIN
