// SPDX-License-Identifier: GPL-2.0
/* The EDID region: a VMM replaces the guest's monitor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define EDID VGPU_REGION_EDID
#define BAR2 VFIO_PCI_BAR2_REGION_INDEX
#define REG(field) offsetof(struct vfio_region_gfx_edid, field)
#define UP VFIO_DEVICE_GFX_LINK_STATE_UP
#define DOWN VFIO_DEVICE_GFX_LINK_STATE_DOWN

FIXTURE(edid_region)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint8_t edid[VGPU_BAR2_EDID_SIZE + 128];
	uint8_t seen[VGPU_BAR2_EDID_SIZE];
};

FIXTURE_SETUP(edid_region)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "16M", NULL));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
}

FIXTURE_TEARDOWN(edid_region)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static uint32_t get(struct vt_dev *dev, unsigned int reg)
{
	uint32_t value = ~0u;

	vt_pread(dev, EDID, reg, &value, 4);
	return value;
}

static int put(struct vt_dev *dev, unsigned int reg, uint32_t value)
{
	ssize_t n = vt_pwrite(dev, EDID, reg, &value, 4);

	return n == 4 ? 0 : n;
}

/* What the guest sees. */
static void look(struct vt_dev *dev, uint8_t *seen)
{
	vt_pread(dev, BAR2, VGPU_BAR2_EDID, seen, VGPU_BAR2_EDID_SIZE);
}

/* An EDID of that many blocks that differs from the default one. */
static void make(struct vt_dev *dev, uint8_t *edid, unsigned int blocks)
{
	unsigned int i, b;

	vt_pread(dev, EDID, VGPU_REGION_EDID_BLOB, edid, 128);
	edid[12] = 0x42;
	edid[126] = blocks - 1;
	for (b = 0; b < blocks; b++) {
		uint8_t *block = edid + 128 * b, sum = 0;

		if (b) {
			memset(block, 0, 128);
			block[0] = 0x10 + b;
		}
		for (i = 0; i < 127; i++)
			sum += block[i];
		block[127] = -sum;
	}
}

/* Down, size, blob, up: the order of QEMU. */
static int plug(struct vt_dev *dev, const uint8_t *edid, uint32_t size)
{
	int ret;

	ret = put(dev, REG(link_state), DOWN);
	if (!ret)
		ret = put(dev, REG(edid_size), size);
	if (!ret && vt_pwrite(dev, EDID, get(dev, REG(edid_offset)), edid,
			      size) != size)
		ret = -EIO;
	return ret ?: put(dev, REG(link_state), UP);
}

TEST_F(edid_region, capability)
{
	struct {
		struct vfio_region_info info;
		uint8_t caps[256];
	} r = { .info = { .argsz = sizeof(r), .index = EDID } };
	struct vfio_region_info_cap_type *type;

	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &r));
	ASSERT_TRUE(r.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	type = (void *)((uint8_t *)&r + r.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_TYPE, type->header.id);
	EXPECT_EQ(VFIO_REGION_TYPE_GFX, type->type);
	EXPECT_EQ(VFIO_REGION_SUBTYPE_GFX_EDID, type->subtype);
}

TEST_F(edid_region, registers)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(VGPU_REGION_EDID_BLOB, get(dev, REG(edid_offset)));
	EXPECT_EQ(VGPU_BAR2_EDID_SIZE, get(dev, REG(edid_max_size)));
	EXPECT_EQ(128, get(dev, REG(edid_size)));
	EXPECT_EQ(1920, get(dev, REG(max_xres)));
	EXPECT_EQ(1200, get(dev, REG(max_yres)));
	EXPECT_EQ(UP, get(dev, REG(link_state)));
	EXPECT_EQ(-EINVAL, put(dev, REG(edid_offset), 0));
	EXPECT_EQ(-EINVAL, put(dev, REG(edid_max_size), 0));
	EXPECT_EQ(-EINVAL, put(dev, REG(max_xres), 0));
	EXPECT_EQ(-EINVAL, put(dev, REG(edid_size), VGPU_BAR2_EDID_SIZE + 1));
	EXPECT_EQ(-EINVAL, put(dev, REG(edid_size), ~0u));
	EXPECT_EQ(-EINVAL, put(dev, REG(link_state), 0));
	EXPECT_EQ(-EINVAL, put(dev, REG(link_state), 3));
	EXPECT_EQ(-EINVAL, put(dev, REG(link_state) + 1, UP));
	EXPECT_EQ(-EINVAL, put(dev, 0x100, 0));
	EXPECT_EQ(UP, get(dev, REG(link_state)));
}

TEST_F(edid_region, replace)
{
	struct vt_dev *dev = &self->dev;
	unsigned int blocks;

	for (blocks = 1; blocks <= 8; blocks++) {
		make(dev, self->edid, blocks);
		ASSERT_EQ(0, plug(dev, self->edid, 128 * blocks));
		look(dev, self->seen);
		EXPECT_EQ(0, memcmp(self->edid, self->seen, 128 * blocks));
		EXPECT_TRUE(vt_is_zero(self->seen + 128 * blocks,
				       sizeof(self->seen) - 128 * blocks));
	}
	/* It outlives a reset and not the VMM. */
	ASSERT_EQ(0, vt_reset(dev));
	look(dev, self->seen);
	EXPECT_EQ(0, memcmp(self->edid, self->seen, 128));
	vt_close(dev);
	ASSERT_EQ(0, vt_open(dev, dev->uuid));
	look(dev, self->seen);
	EXPECT_NE(0x42, self->seen[12]);
	EXPECT_EQ(0, self->seen[126]);
}

TEST_F(edid_region, link)
{
	struct vt_dev *dev = &self->dev;
	uint32_t status = 0;

	ASSERT_EQ(0, put(dev, REG(link_state), DOWN));
	EXPECT_EQ(DOWN, get(dev, REG(link_state)));
	look(dev, self->seen);
	EXPECT_TRUE(vt_is_zero(self->seen, sizeof(self->seen)));
	/* The guest can hear of it. */
	vt_pread(dev, VFIO_PCI_BAR4_REGION_INDEX, VGPU_REG_IRQ_STATUS, &status,
		 4);
	EXPECT_EQ(1 << VGPU_IRQ_CONFIG, status);
	ASSERT_EQ(0, put(dev, REG(link_state), UP));
	look(dev, self->seen);
	EXPECT_EQ(0xff, self->seen[1]);
}

/* A blob that is no EDID does not get in, whatever is wrong with it. */
TEST_F(edid_region, broken)
{
	struct vt_dev *dev = &self->dev;
	unsigned int i;

	make(dev, self->edid, 2);
	ASSERT_EQ(0, plug(dev, self->edid, 256));
	for (i = 0; i < 256; i++) {
		self->edid[i] ^= 0x10;
		EXPECT_EQ(-EINVAL, plug(dev, self->edid, 256));
		EXPECT_EQ(DOWN, get(dev, REG(link_state)));
		self->edid[i] ^= 0x10;
	}
	for (i = 0; i <= sizeof(self->seen); i++) {
		int ret = plug(dev, self->edid, i);

		EXPECT_EQ(i == 256 ? 0 : -EINVAL, ret);
	}
	make(dev, self->edid, 1);
	self->edid[126] = 255;
	self->edid[127] -= 255;
	EXPECT_EQ(-EINVAL, plug(dev, self->edid, 128));
	/* Written with the link up: the guest keeps the old one. */
	make(dev, self->edid, 1);
	ASSERT_EQ(0, plug(dev, self->edid, 128));
	self->edid[20]++;
	EXPECT_EQ(128, vt_pwrite(dev, EDID, VGPU_REGION_EDID_BLOB, self->edid,
				 128));
	EXPECT_EQ(-EINVAL, put(dev, REG(link_state), UP));
	look(dev, self->seen);
	self->edid[20]--;
	EXPECT_EQ(0, memcmp(self->edid, self->seen, 128));
	EXPECT_EQ(UP, get(dev, REG(link_state)));
}

TEST_F(edid_region, past_the_end)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(64, vt_pwrite(dev, EDID, VGPU_REGION_EDID_SIZE - 64,
				self->edid, 128));
	EXPECT_EQ(64, vt_pread(dev, EDID, VGPU_REGION_EDID_SIZE - 64,
			       self->edid, 128));
	EXPECT_EQ(-EINVAL, vt_pread(dev, EDID, VGPU_REGION_EDID_SIZE,
				    self->edid, 1));
	EXPECT_EQ(NULL, vt_mmap(dev, EDID, 0, 4096));
}

TEST_HARNESS_MAIN
