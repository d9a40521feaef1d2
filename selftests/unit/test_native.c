// SPDX-License-Identifier: GPL-2.0
/* BAR4 but for heads: identification, interrupts, doorbells, MSI-X table. */
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

TEST_F(native, identification)
{
	static const u32 want[] = {
		0x55504756, 0x00010001, 0xf, 3, 0x80000000, 1, 4096, 2160, 5, 0,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		EXPECT_EQ(want[i], unit_reg_in(&self->model, 4 * i));
		unit_reg_out(&self->model, 4 * i, ~want[i]);
		EXPECT_EQ(want[i], unit_reg_in(&self->model, 4 * i));
	}
	for (; 4 * i < 0x40; i++)
		EXPECT_EQ(0, unit_reg_in(&self->model, 4 * i));
}

/* Status bits and counts of errors; a double-bit error silences doorbells. */
TEST_F(native, ecc)
{
	struct vgpu_model *model = &self->model;
	u32 i;

	/* With ECC off nobody tells. */
	vgpu_model_ecc(model, true, 5);
	for (i = 0x28; i < 0x40; i += 4)
		EXPECT_EQ(0, unit_reg_in(model, i));
	EXPECT_EQ(0, unit_reg_in(model, 0x40));

	model->ecc.on = true;
	EXPECT_EQ(1, unit_reg_in(model, 0x2c));
	vgpu_model_ecc(model, false, 6);
	EXPECT_EQ(1, unit_reg_in(model, 0x30));
	EXPECT_EQ(0, unit_reg_in(model, 0x40));
	EXPECT_EQ(1, unit_reg_in(model, 0x2c));
	unit_reg_out(model, 0x1000, 1);
	EXPECT_EQ(1, unit_reg_in(model, 0x24));

	vgpu_model_ecc(model, true, 0x12345);
	EXPECT_EQ(3, unit_reg_in(model, 0x2c));
	EXPECT_EQ(1, unit_reg_in(model, 0x34));
	EXPECT_EQ(0x12345, unit_reg_in(model, 0x38));
	EXPECT_EQ(1, unit_reg_in(model, 0x40));
	unit_reg_out(model, 0x1000, 1);
	vgpu_bochs.kick(model, 0, 1);
	EXPECT_EQ(1, unit_reg_in(model, 0x24));
	/* The guest cannot talk its way out. */
	for (i = 0x2c; i < 0x3c; i += 4)
		unit_reg_out(model, i, 0);
	unit_reg_out(model, 0x28, 1);
	EXPECT_EQ(1, unit_reg_in(model, 0x28));
	EXPECT_EQ(2, unit_reg_in(model, 0x2c));
	unit_reg_out(model, 0x28, ~1u);
	EXPECT_EQ(0, unit_reg_in(model, 0x28));
	EXPECT_EQ(3, unit_reg_in(model, 0x2c));

	unit_reg_out(model, 0x28, 1);
	vgpu_model_reset(model);
	EXPECT_EQ(1, unit_reg_in(model, 0x2c));
	for (i = 0x30; i < 0x40; i += 4)
		EXPECT_EQ(0, unit_reg_in(model, i));
	unit_reg_out(model, 0x28, 1);
	vgpu_model_ecc(model, true, 7);
	EXPECT_EQ(0, unit_reg_in(model, 0x2c));
	EXPECT_EQ(0, unit_reg_in(model, 0x34));
}

/* Status is cleared by ones, enable takes only events that there are. */
TEST_F(native, interrupts)
{
	struct vgpu_model *model = &self->model;

	unit_reg_out(model, 0x44, ~0u);
	EXPECT_EQ(0x1f, unit_reg_in(model, 0x44));
	unit_reg_out(model, 0x44, 0x10);
	EXPECT_EQ(0x10, unit_reg_in(model, 0x44));
	unit_reg_out(model, 0x40, ~0u);
	EXPECT_EQ(0, unit_reg_in(model, 0x40));

	vgpu_event_raise(model, 2);
	vgpu_event_raise(model, 4);
	EXPECT_EQ(0x14, unit_reg_in(model, 0x40));
	EXPECT_EQ(0x10, vgpu_event_pending(model));
	unit_reg_out(model, 0x40, 0x04);
	EXPECT_EQ(0x10, unit_reg_in(model, 0x40));
	EXPECT_EQ(0x10, vgpu_event_pending(model));
	unit_reg_out(model, 0x40, 0x10);
	EXPECT_EQ(0, vgpu_event_pending(model));
	vgpu_event_raise(model, 4);
	vgpu_model_reset(model);
	EXPECT_EQ(0, unit_reg_in(model, 0x40));
	EXPECT_EQ(0, unit_reg_in(model, 0x44));
}

/* Every one rings, with any value, and only when it is written as a whole. */
TEST_F(native, doorbells)
{
	struct vgpu_model *model = &self->model;
	u8 bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	u32 i;

	for (i = 0; i < 1024; i++) {
		unit_reg_out(model, 0x1000 + 4 * i, i * 0x01010101);
		EXPECT_EQ(0, unit_reg_in(model, 0x1000 + 4 * i));
		EXPECT_EQ(i + 1, unit_reg_in(model, 0x24));
	}
	vgpu_bar4_write(model, 0x1ff8, bytes, 8);
	EXPECT_EQ(1026, unit_reg_in(model, 0x24));
	EXPECT_EQ(0, model->bad_access);
	vgpu_bar4_write(model, 0x1000, bytes, 2);
	vgpu_bar4_write(model, 0x1002, bytes, 4);
	EXPECT_EQ(1026, unit_reg_in(model, 0x24));
	EXPECT_EQ(3, model->bad_access);
	/* The pages before and behind have none. */
	unit_reg_out(model, 0xffc, 1);
	unit_reg_out(model, 0x2000, 1);
	EXPECT_EQ(1026, unit_reg_in(model, 0x24));

	/* An eventfd leads to the same. */
	vgpu_bochs.kick(model, 1023, 5);
	EXPECT_EQ(1031, unit_reg_in(model, 0x24));
	model->doorbells = ~0u;
	unit_reg_out(model, 0x1000, 0);
	EXPECT_EQ(0, unit_reg_in(model, 0x24));
	unit_reg_out(model, 0x1000, 0);
	vgpu_model_reset(model);
	EXPECT_EQ(0, unit_reg_in(model, 0x24));
}

/* Every register of the BAR: what it does not keep it ignores. */
TEST_F(native, writes)
{
	struct vgpu_model *model = &self->model;
	u32 offset;

	for (offset = 0; offset < 0x4000; offset += 4) {
		bool table = offset >= 0x2000 && offset < 0x2060;
		u32 before = unit_reg_in(model, offset);

		/* Heads, and the events that are enabled, have their tests. */
		if (offset == 0x44 || (offset >= 0x100 && offset < 0x500))
			continue;
		unit_reg_out(model, offset, 0x5a5a0000 | offset);
		EXPECT_EQ(table ? 0x5a5a0000 | offset : before,
			  unit_reg_in(model, offset));
	}
	vgpu_model_reset(model);
	EXPECT_EQ(0, unit_reg_in(model, 0x2000));
	EXPECT_EQ(0, unit_reg_in(model, 0x205c));
}

/* What waits for messages to be allowed; who sends them says so. */
TEST_F(native, pending_bits)
{
	struct vgpu_model *model = &self->model;

	EXPECT_EQ(0, unit_reg_in(model, 0x3000));
	model->msix_pending = 0x5;
	EXPECT_EQ(0x5, unit_reg_in(model, 0x3000));
	EXPECT_EQ(0, unit_reg_in(model, 0x3004));
	EXPECT_EQ(0, unit_reg_in(model, 0x3ffc));
	unit_reg_out(model, 0x3000, ~0U);
	EXPECT_EQ(0x5, unit_reg_in(model, 0x3000));
	vgpu_model_reset(model);
	EXPECT_EQ(0, unit_reg_in(model, 0x3000));
}

/* Doorbells and pending bits are registers, the holes between are none. */
TEST_F(native, holes)
{
	struct vgpu_model *model = &self->model;
	u64 bad = model->bad_access;

	unit_reg_in(model, 0x1000);
	unit_reg_in(model, 0x3000);
	unit_reg_in(model, 0x2000);
	EXPECT_EQ(bad, model->bad_access);
	unit_reg_in(model, 0x500);
	unit_reg_in(model, 0x2060);
	EXPECT_EQ(bad + 2, model->bad_access);
	unit_reg_in(model, 0x002);
	EXPECT_LT(bad + 2, model->bad_access);
}

TEST_HARNESS_MAIN
