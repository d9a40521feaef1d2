// SPDX-License-Identifier: GPL-2.0
/* BAR2, and BAR3 which is the same: dispi registers, EDID, VGA ports. */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

/* Through which of them get() and put() go; other helpers use BAR2. */
static unsigned int bar;

FIXTURE(registers)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
};

FIXTURE_VARIANT(registers)
{
	unsigned int bar;
};

FIXTURE_VARIANT_ADD(registers, bar2) { VFIO_PCI_BAR2_REGION_INDEX };
FIXTURE_VARIANT_ADD(registers, bar3) { VFIO_PCI_BAR3_REGION_INDEX };

FIXTURE_SETUP(registers)
{
	bar = variant->bar;
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "32Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "32Q"));
}

FIXTURE_TEARDOWN(registers)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static uint64_t get(struct vt_dev *dev, unsigned int pos, size_t len)
{
	uint64_t value = 0;

	return vt_pread(dev, bar, pos, &value, len) == len ? value : ~0ull;
}

static void put(struct vt_dev *dev, unsigned int pos, uint64_t value,
		size_t len)
{
	vt_pwrite(dev, bar, pos, &value, len);
}

TEST_F(registers, dispi_identity)
{
	EXPECT_EQ(VGPU_DISPI_ID_VALUE, vt_dispi_get(&self->dev, VGPU_DISPI_ID));
	EXPECT_EQ(32 * VT_MIB / 65536,
		  vt_dispi_get(&self->dev, VGPU_DISPI_VIDEO_MEMORY_64K));
	vt_dispi_set(&self->dev, VGPU_DISPI_ID, 0);
	vt_dispi_set(&self->dev, VGPU_DISPI_VIDEO_MEMORY_64K, 0);
	EXPECT_EQ(VGPU_DISPI_ID_VALUE, vt_dispi_get(&self->dev, VGPU_DISPI_ID));
	EXPECT_EQ(32 * VT_MIB / 65536,
		  vt_dispi_get(&self->dev, VGPU_DISPI_VIDEO_MEMORY_64K));
}

TEST_F(registers, dispi_keeps_values)
{
	unsigned int reg;

	for (reg = VGPU_DISPI_XRES; reg <= VGPU_DISPI_Y_OFFSET; reg++) {
		if (reg == VGPU_DISPI_ENABLE)
			continue;
		ASSERT_EQ(0, vt_dispi_set(&self->dev, reg, 0x1230 + reg));
	}
	for (reg = VGPU_DISPI_XRES; reg <= VGPU_DISPI_Y_OFFSET; reg++) {
		if (reg == VGPU_DISPI_ENABLE)
			continue;
		EXPECT_EQ(0x1230 + reg, vt_dispi_get(&self->dev, reg));
	}
	ASSERT_EQ(0, vt_reset(&self->dev));
	for (reg = VGPU_DISPI_XRES; reg <= VGPU_DISPI_Y_OFFSET; reg++)
		EXPECT_EQ(0, vt_dispi_get(&self->dev, reg));
}

TEST_F(registers, dispi_caps)
{
	vt_dispi_set(&self->dev, VGPU_DISPI_ENABLE, VGPU_DISPI_GETCAPS);
	EXPECT_EQ(1920, vt_dispi_get(&self->dev, VGPU_DISPI_XRES));
	EXPECT_EQ(1200, vt_dispi_get(&self->dev, VGPU_DISPI_YRES));
	EXPECT_EQ(32, vt_dispi_get(&self->dev, VGPU_DISPI_BPP));
}

/* Registers in one access, parts of registers, holes. */
TEST_F(registers, odd_accesses)
{
	struct vt_dev *dev = &self->dev;
	unsigned int xres = VGPU_BAR2_DISPI + 2 * VGPU_DISPI_XRES;

	put(dev, xres, 0x03000400, 4);
	EXPECT_EQ(0x400, vt_dispi_get(dev, VGPU_DISPI_XRES));
	EXPECT_EQ(0x300, vt_dispi_get(dev, VGPU_DISPI_YRES));
	EXPECT_EQ(0x03000400, get(dev, xres, 4));
	/* Half a register is none. */
	EXPECT_EQ(0, get(dev, xres, 1));
	EXPECT_EQ(0, get(dev, xres + 1, 1));
	put(dev, xres, 0xff, 1);
	put(dev, xres + 1, 0xff, 1);
	EXPECT_EQ(0x400, vt_dispi_get(dev, VGPU_DISPI_XRES));
	/* The second half of one, a whole one, and the first half of one. */
	put(dev, xres + 1, 0xaabbccdd, 4);
	EXPECT_EQ(0x400, vt_dispi_get(dev, VGPU_DISPI_XRES));
	EXPECT_EQ(0xbbcc, vt_dispi_get(dev, VGPU_DISPI_YRES));
	EXPECT_EQ(0, vt_dispi_get(dev, VGPU_DISPI_BPP));
	EXPECT_EQ(0xbbcc00, get(dev, xres + 1, 4));
	/* Nothing between the blocks. */
	put(dev, 0x700, ~0ull, 8);
	EXPECT_EQ(0, get(dev, 0x700, 8));
	EXPECT_EQ(0, get(dev, VGPU_BAR2_SIZE - 1, 1));
}

TEST_F(registers, extended)
{
	EXPECT_EQ(VGPU_BAR2_EXT_SIZE, get(&self->dev, VGPU_EXT_SIZE, 4));
	EXPECT_EQ(VGPU_EXT_ENDIAN_LITTLE, get(&self->dev, VGPU_EXT_ENDIAN, 4));
	put(&self->dev, VGPU_EXT_ENDIAN, VGPU_EXT_ENDIAN_BIG, 4);
	EXPECT_EQ(VGPU_EXT_ENDIAN_LITTLE, get(&self->dev, VGPU_EXT_ENDIAN, 4));
}

TEST_F(registers, edid)
{
	static const uint8_t magic[8] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	uint8_t edid[VGPU_BAR2_EDID_SIZE], sum = 0;
	unsigned int i;

	ASSERT_EQ(sizeof(edid), vt_pread(&self->dev, bar, VGPU_BAR2_EDID, edid,
					 sizeof(edid)));
	EXPECT_EQ(0, memcmp(edid, magic, sizeof(magic)));
	for (i = 0; i < 128; i++)
		sum += edid[i];
	EXPECT_EQ(0, sum);
	/* The guest cannot change it. */
	put(&self->dev, VGPU_BAR2_EDID, ~0ull, 8);
	EXPECT_EQ(0xff00, get(&self->dev, VGPU_BAR2_EDID, 2));
}

TEST_F(registers, past_the_end)
{
	uint8_t buf[8] = { };

	EXPECT_EQ(2, vt_pread(&self->dev, bar, VGPU_BAR2_SIZE - 2, buf, 8));
	EXPECT_EQ(2, vt_pwrite(&self->dev, bar, VGPU_BAR2_SIZE - 2, buf, 8));
	EXPECT_EQ(-EINVAL, vt_pread(&self->dev, bar, VGPU_BAR2_SIZE, buf, 1));
	EXPECT_EQ(-EINVAL, vt_pwrite(&self->dev, bar, VGPU_BAR2_SIZE, buf, 1));
	EXPECT_EQ(-EFAULT, vt_pread(&self->dev, bar, 0, (void *)8, 8));
}

TEST_HARNESS_MAIN
