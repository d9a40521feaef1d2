// SPDX-License-Identifier: GPL-2.0
/* BAR4: identification, interrupts, heads, MSI-X table. */
#include "unit.h"

FIXTURE(native)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
};

FIXTURE_SETUP(native)
{
	self->profile.fb_size = 6 * GIB;
	self->profile.num_heads = 3;
	self->profile.frl_hz = 60;
	self->profile.max_width = 4096;
	self->profile.max_height = 2160;
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->profile);
}

FIXTURE_TEARDOWN(native)
{
}

static u32 in(struct vgpu_model *model, u32 offset)
{
	u8 b[4];

	vgpu_bar4_read(model, offset, b, 4);
	return b[0] | b[1] << 8 | b[2] << 16 | (u32)b[3] << 24;
}

static void out(struct vgpu_model *model, u32 offset, u32 value)
{
	u8 b[4] = { value, value >> 8, value >> 16, value >> 24 };

	vgpu_bar4_write(model, offset, b, 4);
}

TEST_F(native, identification)
{
	static const u32 want[] = {
		0x55504756, 0x00010000, 1, 3, 0x80000000, 1, 4096, 2160, 5,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		EXPECT_EQ(want[i], in(&self->model, 4 * i));
		out(&self->model, 4 * i, ~want[i]);
		EXPECT_EQ(want[i], in(&self->model, 4 * i));
	}
	for (; 4 * i < 0x40; i++)
		EXPECT_EQ(0, in(&self->model, 4 * i));
}

/* Status is cleared by ones, enable takes only events that there are. */
TEST_F(native, interrupts)
{
	struct vgpu_model *model = &self->model;

	out(model, 0x44, ~0u);
	EXPECT_EQ(0x1f, in(model, 0x44));
	out(model, 0x44, 0x10);
	EXPECT_EQ(0x10, in(model, 0x44));
	out(model, 0x40, ~0u);
	EXPECT_EQ(0, in(model, 0x40));

	vgpu_native_vblank(model, 0);
	vgpu_native_vblank(model, 2);
	EXPECT_EQ(0x14, in(model, 0x40));
	EXPECT_EQ(0x10, vgpu_native_pending(model));
	out(model, 0x40, 0x04);
	EXPECT_EQ(0x10, in(model, 0x40));
	EXPECT_EQ(0x10, vgpu_native_pending(model));
	out(model, 0x40, 0x10);
	EXPECT_EQ(0, vgpu_native_pending(model));
	EXPECT_EQ(1, in(model, 0x118));
	EXPECT_EQ(0, in(model, 0x218));
	EXPECT_EQ(1, in(model, 0x318));
	vgpu_model_reset(model);
	EXPECT_EQ(0, in(model, 0x44));
	EXPECT_EQ(0, in(model, 0x118));
}

TEST_F(native, heads)
{
	struct vgpu_model *model = &self->model;
	u32 head, reg;

	unit_dispi_out(model, 1, 1024);
	unit_dispi_out(model, 2, 768);
	unit_dispi_out(model, 3, 32);
	unit_dispi_out(model, 9, 40000);
	unit_dispi_out(model, 6, 32768);
	unit_dispi_out(model, 4, 1);
	ASSERT_TRUE(model->scanout.format);
	EXPECT_EQ(1024, in(model, 0x100));
	EXPECT_EQ(768, in(model, 0x104));
	EXPECT_EQ(131072, in(model, 0x108));
	EXPECT_EQ(model->scanout.format, in(model, 0x10c));
	EXPECT_EQ((u32)(40000ULL * 131072), in(model, 0x110));
	EXPECT_EQ(40000ULL * 131072 >> 32, in(model, 0x114));
	/* The others show nothing, and the last one is not there. */
	for (head = 1; head < 4; head++)
		for (reg = 0; reg < 0x100; reg += 4)
			EXPECT_EQ(0, in(model, 0x100 + 0x100 * head + reg));
}

/* Every register of the BAR: what it does not keep it ignores. */
TEST_F(native, writes)
{
	struct vgpu_model *model = &self->model;
	u32 offset;

	for (offset = 0; offset < 0x4000; offset += 4) {
		bool table = offset >= 0x2000 && offset < 0x2060;
		u32 before = in(model, offset);

		out(model, offset, 0x5a5a0000 | offset);
		if (offset == 0x44)
			continue;
		EXPECT_EQ(table ? 0x5a5a0000 | offset : before,
			  in(model, offset));
	}
	vgpu_model_reset(model);
	EXPECT_EQ(0, in(model, 0x2000));
	EXPECT_EQ(0, in(model, 0x205c));
}

/* Doorbells and pending bits are registers, the holes between are none. */
TEST_F(native, holes)
{
	struct vgpu_model *model = &self->model;
	u64 bad = model->bad_access;

	in(model, 0x1000);
	in(model, 0x3000);
	in(model, 0x2000);
	EXPECT_EQ(bad, model->bad_access);
	in(model, 0x500);
	in(model, 0x2060);
	EXPECT_EQ(bad + 2, model->bad_access);
	in(model, 0x002);
	EXPECT_LT(bad + 2, model->bad_access);
}

TEST_HARNESS_MAIN
