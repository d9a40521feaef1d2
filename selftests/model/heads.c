// SPDX-License-Identifier: GPL-2.0
/*
 * Heads as a native guest driver sets them, the cursor, and the frame-rate
 * limiter.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define XRGB8888	('X' | 'R' << 8 | '2' << 16 | '4' << 24)
#define ARGB8888	('A' | 'R' << 8 | '2' << 16 | '4' << 24)
#define PRIMARY		1
#define CURSOR		2
#define SECOND		1000000000ULL

FIXTURE(heads)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char uuid[VT_UUID];
};

FIXTURE_VARIANT(heads)
{
	const char *type;
	uint32_t hz;
	const char *params;
};

FIXTURE_VARIANT_ADD(heads, q) { "64Q", 60, "frame_rate_limiter=1" };
FIXTURE_VARIANT_ADD(heads, b) { "64B", 45, " " };
FIXTURE_VARIANT_ADD(heads, unlimited) { "64B", 0, "frame_rate_limiter=0" };

FIXTURE_SETUP(heads)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", NULL));
	vt_uuid(self->uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, variant->type, self->uuid));
	ASSERT_EQ(0, vt_params(self->uuid, variant->params));
	ASSERT_EQ(0, vt_open(&self->dev, self->uuid));
}

FIXTURE_TEARDOWN(heads)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static int plane(struct vt_dev *dev, uint32_t type,
		 struct vfio_device_gfx_plane_info *info)
{
	*info = (struct vfio_device_gfx_plane_info){
		.argsz = sizeof(*info),
		.flags = VFIO_GFX_PLANE_TYPE_REGION,
		.drm_plane_type = type,
	};
	return ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, info) ? -errno : 0;
}

TEST_F(heads, native_mode)
{
	struct vfio_device_gfx_plane_info info;
	struct vt_dev *dev = &self->dev;
	uint32_t head;

	EXPECT_EQ(VGPU_FEATURE_VBLANK | VGPU_FEATURE_MODESET |
		  VGPU_FEATURE_CURSOR | VGPU_FEATURE_ECC,
		  vt_reg_get(dev, VGPU_REG_FEATURES));
	for (head = 0; head < 4; head++)
		EXPECT_EQ(VGPU_HEAD_ON,
			  vt_head_mode(dev, head, 1024 + head, 768,
				       head * 4 * VT_MIB));
	for (head = 0; head < 4; head++) {
		uint32_t base = VGPU_REG_HEAD(head);

		EXPECT_EQ(1024 + head, vt_reg_get(dev, base + VGPU_HEAD_WIDTH));
		EXPECT_EQ(768, vt_reg_get(dev, base + VGPU_HEAD_HEIGHT));
		EXPECT_EQ(XRGB8888, vt_reg_get(dev, base + VGPU_HEAD_FORMAT));
		EXPECT_EQ(head * 4 * VT_MIB,
			  vt_reg_get(dev, base + VGPU_HEAD_OFFSET_LO));
		EXPECT_EQ(128, vt_reg_get(dev, base + VGPU_HEAD_EDID_SIZE));
		EXPECT_EQ(0xffffff00,
			  vt_reg_get(dev, base + VGPU_HEAD_EDID_DATA));
	}
	/* The VMM shows head 0. */
	ASSERT_EQ(0, plane(dev, PRIMARY, &info));
	EXPECT_EQ(1024, info.width);

	/* What cannot be shown changes nothing. */
	EXPECT_EQ(VGPU_HEAD_ON | VGPU_HEAD_REFUSED,
		  vt_head_mode(dev, 3, 1921, 768, 0));
	EXPECT_EQ(1027, vt_reg_get(dev, VGPU_REG_HEAD(3) + VGPU_HEAD_WIDTH));
	EXPECT_EQ(VGPU_HEAD_ON | VGPU_HEAD_REFUSED,
		  vt_head_mode(dev, 3, 1024, 768, ~0ULL << 12));
	EXPECT_EQ(VGPU_HEAD_ON | VGPU_HEAD_REFUSED,
		  vt_head_mode(dev, 3, 1024, 768, 64));

	ASSERT_EQ(0, vt_reset(dev));
	for (head = 0; head < 4; head++)
		EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_HEAD(head) +
					VGPU_HEAD_STATUS));
}

TEST_F(heads, cursor)
{
	const uint32_t head = VGPU_REG_HEAD(0);
	struct vfio_device_gfx_plane_info info;
	struct vt_dev *dev = &self->dev;
	uint8_t *window, pixels[64 * 64 * 4];

	ASSERT_EQ(0, plane(dev, CURSOR, &info));
	EXPECT_EQ(0, info.drm_format);
	vt_fill(pixels, sizeof(pixels), 7);
	ASSERT_EQ(sizeof(pixels), vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX,
					    16 * VT_MIB, pixels,
					    sizeof(pixels)));
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_SIZE, 64 | 64 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_OFFSET_LO, 16 * VT_MIB);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_HOTSPOT, 3 | 5 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 1);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_POSITION,
		   100 | (uint32_t)-7 << 16);
	ASSERT_EQ(0, plane(dev, CURSOR, &info));
	EXPECT_EQ(ARGB8888, info.drm_format);
	EXPECT_EQ(64, info.width);
	EXPECT_EQ(64, info.height);
	EXPECT_EQ(256, info.stride);
	EXPECT_EQ(100, info.x_pos);
	EXPECT_EQ(-7, (int32_t)info.y_pos);
	EXPECT_EQ(3, info.x_hot);
	EXPECT_EQ(5, info.y_hot);
	ASSERT_EQ(VGPU_REGION_CURSOR, info.region_index);
	memset(pixels, 0, sizeof(pixels));
	ASSERT_EQ(sizeof(pixels), vt_pread(dev, VGPU_REGION_CURSOR, 0, pixels,
					   sizeof(pixels)));
	EXPECT_EQ(-1, vt_differs(pixels, sizeof(pixels), 7));
	window = vt_mmap(dev, VGPU_REGION_CURSOR, 0, sizeof(pixels));
	ASSERT_NE(NULL, window);
	EXPECT_EQ(-1, vt_differs(window, sizeof(pixels), 7));

	/* One pixel too many, and it stays as it is. */
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_SIZE, 257 | 64 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 1);
	EXPECT_EQ(VGPU_HEAD_REFUSED | VGPU_HEAD_CURSOR_ON,
		  vt_reg_get(dev, head + VGPU_HEAD_STATUS));
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 0);
	ASSERT_EQ(0, plane(dev, CURSOR, &info));
	EXPECT_EQ(0, info.drm_format);
	munmap(window, sizeof(pixels));
}

/* Heads that show nothing have no frames. */
TEST_F(heads, vblanks)
{
	struct vt_dev *dev = &self->dev;
	uint32_t n[4], head;
	uint64_t start, ns;

	vt_head_mode(dev, 0, 640, 480, 0);
	vt_head_mode(dev, 2, 640, 480, 0);
	start = vt_now();
	for (head = 0; head < 4; head++)
		n[head] = vt_reg_get(dev, VGPU_REG_HEAD(head) +
				     VGPU_HEAD_VBLANKS);
	usleep(500000);
	for (head = 0; head < 4; head++)
		n[head] = vt_reg_get(dev, VGPU_REG_HEAD(head) +
				     VGPU_HEAD_VBLANKS) - n[head];
	ns = vt_now() - start;
	EXPECT_LT(0, n[0]);
	EXPECT_EQ(0, n[1]);
	EXPECT_GE(1, n[0] > n[2] ? n[0] - n[2] : n[2] - n[0]);
	EXPECT_EQ(0, n[3]);
	TH_LOG("%u frames in %llu ms", n[0],
	       (unsigned long long)ns / 1000000);
}

/*
 * As many flips as the vGPU takes: with the limiter as many as the type has
 * frames, without it as many as there is time for.
 */
TEST_F(heads, flip_rate)
{
	const uint32_t head = VGPU_REG_HEAD(0);
	struct vt_dev *dev = &self->dev;
	uint64_t start, ns, flips, i = 0;
	uint32_t first;
	double rate;

	EXPECT_EQ(variant->hz, vt_reg_get(dev, head + VGPU_HEAD_FRAME_LIMIT));
	EXPECT_EQ(variant->hz,
		  vt_read_number("/sys/bus/mdev/devices/%s/vgpu/frame_rate_limit",
				 self->uuid));
	EXPECT_EQ(0, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/frame_rate",
				    self->uuid));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 640, 480, 0));
	first = vt_reg_get(dev, head + VGPU_HEAD_FLIPS);
	start = vt_now();
	do {
		vt_head_flip(dev, 0, ++i % 2 * 4 * VT_MIB);
		while (vt_reg_get(dev, head + VGPU_HEAD_STATUS) &
		       VGPU_HEAD_FLIP_PENDING)
			usleep(500);
		ns = vt_now() - start;
	} while (ns < 3 * SECOND);
	flips = vt_reg_get(dev, head + VGPU_HEAD_FLIPS) - first;
	EXPECT_EQ(i, flips);
	rate = flips * 1e9 / ns;
	TH_LOG("%.1f flips a second, limit %u", rate, variant->hz);
	i = vt_read_number("/sys/bus/mdev/devices/%s/vgpu/frame_rate",
			   self->uuid);
	TH_LOG("frame_rate %llu", (unsigned long long)i);
	if (variant->hz) {
		EXPECT_GE(variant->hz * 1.02, rate);
		/* A loaded machine misses frames; it never shows more. */
		EXPECT_LE(variant->hz * 0.5, rate);
		EXPECT_GE(variant->hz + 1, i);
		EXPECT_LE(variant->hz * 0.5, i);
	} else {
		EXPECT_LE(200, rate);
		EXPECT_LT(60, i);
	}
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_EQ(0, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/frame_rate",
				    self->uuid));
}

/* The guest's stock driver flips with the dispi registers. */
TEST_F(heads, dispi_flips)
{
	const uint32_t head = VGPU_REG_HEAD(0);
	struct vt_dev *dev = &self->dev;
	uint64_t start, ns;
	uint32_t i, flips;
	double rate;

	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	start = vt_now();
	for (i = 0; i == 0 || vt_now() - start < SECOND; i++) {
		vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, i % 2 * 480);
		usleep(1000);
	}
	ns = vt_now() - start;
	flips = vt_reg_get(dev, head + VGPU_HEAD_FLIPS);
	rate = flips * 1e9 / ns;
	TH_LOG("%u writes, %u flips, %.1f a second", i, flips, rate);
	if (variant->hz) {
		EXPECT_GE(variant->hz * 1.05, rate);
		EXPECT_LT(0, flips);
	} else {
		EXPECT_EQ(i - 1, flips);
	}
}

TEST_HARNESS_MAIN
