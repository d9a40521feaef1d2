// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-gpu as a PCI device: what a driver finds, in the order in which drivers of
 * Linux and of OVMF look, how it sets the device up, and what each reset leaves.
 */
#include "virtio_device.h"

TEST_F(virtio, identity)
{
	struct vgpu_model *m = &self->model;
	u32 bar;

	EXPECT_EQ(0x10501af4, config_in(m, 0x00, 4));
	EXPECT_EQ(0x03800001, config_in(m, 0x08, 4));
	EXPECT_EQ(0x11001af4, config_in(m, 0x2c, 4));
	EXPECT_EQ(0x10, config_in(m, 0x06, 2) & 0x10);
	EXPECT_EQ(1, config_in(m, 0x3d, 1));
	for (bar = 0; bar < 6; bar++) {
		config_out(m, 0x10 + 4 * bar, 4, ~0U);
		EXPECT_EQ(bar == 1 ? 0xfffff000 : bar == 2 ? 0xffffc000 : 0,
			  config_in(m, 0x10 + 4 * bar, 4));
	}
	EXPECT_EQ(3, vgpu_config_vectors(&self->profile));
	EXPECT_EQ(7, vgpu_event_mask(m));
	/* Function-level reset is how VMMs reset it. */
	EXPECT_TRUE(config_out(m, 0x68, 2, 0x8000));
}

TEST_F(virtio, capabilities)
{
	static const struct {
		u8 type, len;
		u32 offset, least;
	} caps[] = {
		{ 1, 16, 0x0000, 60 },		/* common */
		{ 2, 20, 0x3000, 8 },		/* notify */
		{ 3, 16, 0x1000, 1 },		/* ISR */
		{ 4, 16, 0x2000, 16 },		/* device */
		{ 5, 20, 0, 0 },		/* PCI config */
	};
	struct vgpu_model *m = &self->model;
	u8 taken[256] = { };
	u32 i, j, nr;
	u8 pos;

	for (i = 0; i < ARRAY_SIZE(caps); i++) {
		u32 offset, length;

		pos = find_cap(m, caps[i].type, &nr);
		ASSERT_NE(0, pos);
		EXPECT_EQ(1, nr);
		EXPECT_EQ(caps[i].len, config_in(m, pos + 2, 1));
		ASSERT_GE(256, pos + caps[i].len);
		for (j = 0; j < caps[i].len; j++)
			EXPECT_EQ(0, taken[pos + j]++);
		offset = config_in(m, pos + 8, 4);
		length = config_in(m, pos + 12, 4);
		EXPECT_EQ(caps[i].offset, offset);
		EXPECT_LE(caps[i].least, length);
		EXPECT_EQ(0, config_in(m, pos + 5, 1));
		EXPECT_EQ(0, config_in(m, pos + 6, 2));
		if (caps[i].type == 5)
			continue;
		EXPECT_EQ(2, config_in(m, pos + 4, 1));
		EXPECT_GE(V_SIZE, offset + length);
		EXPECT_EQ(0, offset % 4);
		for (j = 0; j < i; j++)
			EXPECT_TRUE(offset != caps[j].offset);
	}
	/* Cannot be written, but for the window. */
	for (i = 1; i < 5; i++) {
		pos = find_cap(m, i, &nr);
		for (j = 0; j < 16; j += 4) {
			u32 was = config_in(m, pos + j, 4);

			config_out(m, pos + j, 4, ~was);
			EXPECT_EQ(was, config_in(m, pos + j, 4));
		}
	}
	/* notify_off_multiplier */
	EXPECT_EQ(4, config_in(m, find_cap(m, 2, &nr) + 16, 4));
	/* MSI-X has three vectors in BAR1. */
	for (pos = config_in(m, 0x34, 1); pos; pos = config_in(m, pos + 1, 1))
		if (config_in(m, pos, 1) == 0x11)
			break;
	ASSERT_NE(0, pos);
	EXPECT_EQ(2, config_in(m, pos + 2, 2));
	EXPECT_EQ(1, config_in(m, pos + 4, 4) & 7);
	EXPECT_EQ(1, config_in(m, pos + 8, 4) & 7);
	EXPECT_LE((config_in(m, pos + 4, 4) & ~7) + 3 * 16,
		  config_in(m, pos + 8, 4) & ~7);
}

TEST_F(virtio, feature_selects)
{
	static const u32 selects[] = { 0, 1, 2, 3, 31, 32, 64, 0x80000000, ~0U };
	struct vgpu_model *m = &self->model;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(selects); i++) {
		u32 want = !i ? F0_ALL : i == 1 ? F1_ALL : 0;

		v_out(m, V_DFSELECT, 4, selects[i]);
		EXPECT_EQ(selects[i], v_in(m, V_DFSELECT, 4));
		EXPECT_EQ(want, v_in(m, V_DF, 4));
		v_out(m, V_DF, 4, ~want);
		EXPECT_EQ(want, v_in(m, V_DF, 4));
		v_out(m, V_GFSELECT, 4, selects[i]);
		EXPECT_EQ(selects[i], v_in(m, V_GFSELECT, 4));
		EXPECT_EQ(0, v_in(m, V_GF, 4));
		v_out(m, V_GF, 4, 0x12345670 + i);
		EXPECT_EQ(i < 2 ? 0x12345670 + i : 0, v_in(m, V_GF, 4));
	}
	v_out(m, V_GFSELECT, 4, 0);
	EXPECT_EQ(0x12345670, v_in(m, V_GF, 4));
	EXPECT_EQ(0x1234567112345670ULL, m->virtio.features);
}

TEST_F(virtio, features_ok)
{
	struct vgpu_model *m = &self->model;
	u32 bit;

	for (bit = 0; bit < 64; bit++) {
		u64 all = F0_ALL | (u64)F1_ALL << 32, have = 1ULL << 32 | 1ULL << bit;

		m->virtio.features = 0;
		v_set_status(m, S_ACKNOWLEDGE | S_DRIVER);
		v_features(m, have, have >> 32);
		v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
		EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER |
			  (have & ~all ? 0 : S_FEATURES_OK), v_status(m))
			TH_LOG("bit %u", bit);
		/* The same without VERSION_1. */
		v_set_status(m, S_ACKNOWLEDGE | S_DRIVER);
		v_features(m, 1ULL << bit, (1ULL << bit >> 32) & ~1);
		v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
		EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER, v_status(m));
	}
}

TEST_F(virtio, features_frozen)
{
	struct vgpu_model *m = &self->model;
	u64 all = F0_ALL | (u64)F1_ALL << 32;

	v_negotiate(m);
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, v_status(m));
	EXPECT_EQ(all, m->virtio.features);
	v_features(m, 0, 0);
	EXPECT_EQ(all, m->virtio.features);
	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	v_features(m, ~0, ~0);
	EXPECT_EQ(all, m->virtio.features);
}

TEST_F(virtio, status)
{
	struct vgpu_model *m = &self->model;

	EXPECT_EQ(0, v_status(m));
	EXPECT_FALSE(vgpu_virtio_runs(m));
	v_set_status(m, S_ACKNOWLEDGE);
	EXPECT_EQ(S_ACKNOWLEDGE, v_status(m));
	EXPECT_EQ(0, take_work(m));
	v_negotiate(m);
	EXPECT_FALSE(vgpu_virtio_runs(m));
	EXPECT_EQ(0, take_work(m));
	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	EXPECT_EQ(15, v_status(m));
	EXPECT_TRUE(vgpu_virtio_runs(m));
	/* What was notified before is looked at now. */
	EXPECT_EQ(3, take_work(m));
	EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m) & VGPU_CHANGED_WORK);
	v_set_status(m, 15 | S_FAILED);
	EXPECT_EQ(15 | S_FAILED, v_status(m));
}

TEST_F(virtio, needs_reset)
{
	struct vgpu_model *m = &self->model;

	v_start(m);
	v_out(m, V_CONFIG_VECTOR, 2, 2);
	vgpu_virtio_broken(m);
	EXPECT_EQ(15 | S_NEEDS_RESET, v_status(m));
	EXPECT_EQ(1, v_in(m, V_GENERATION, 1));
	EXPECT_FALSE(vgpu_virtio_runs(m));
	EXPECT_EQ(4, vgpu_event_pending(m));
	EXPECT_EQ(2, v_in(m, V_ISR, 1));
	/* A driver cannot clear it, but by a reset. */
	v_set_status(m, 15);
	EXPECT_EQ(15 | S_NEEDS_RESET, v_status(m));
	EXPECT_FALSE(vgpu_virtio_runs(m));
	v_set_status(m, 0);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(0, v_status(m));
	v_start(m);
	EXPECT_TRUE(vgpu_virtio_runs(m));
}

/* A driver can set it by itself, which does no harm but to the driver. */
TEST_F(virtio, needs_reset_by_driver)
{
	struct vgpu_model *m = &self->model;

	v_start(m);
	v_set_status(m, 15 | S_NEEDS_RESET);
	EXPECT_FALSE(vgpu_virtio_runs(m));
}

TEST_F(virtio, power_on)
{
	expect_power_on(_metadata, &self->model);
}

TEST_F(virtio, reset)
{
	struct vgpu_model *m = &self->model;
	u32 era = m->virtio.era, reg;
	struct vgpu_virtio was;

	set_up(m);
	EXPECT_EQ(era, m->virtio.era);
	v_set_status(m, 0);
	EXPECT_EQ(15, v_status(m));
	EXPECT_EQ(era + 1, m->virtio.era);
	EXPECT_EQ(VGPU_WORK_RESET, m->virtio.work);
	EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m) & VGPU_CHANGED_WORK);
	EXPECT_FALSE(vgpu_virtio_runs(m));
	/* Nothing of what is written meanwhile counts. */
	was = m->virtio;
	v_set_status(m, S_ACKNOWLEDGE);
	v_set_status(m, 0);
	EXPECT_EQ(15, v_status(m));
	EXPECT_EQ(0, memcmp(&was, &m->virtio, sizeof(was)));
	v_out(m, V_CONFIG_VECTOR, 2, 1);
	v_out(m, V_GFSELECT, 4, 1);
	v_out(m, V_GF, 4, 1);
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_SIZE, 2, 4);
	v_out(m, V_Q_VECTOR, 2, 2);
	v_out(m, V_Q_ENABLE, 2, 1);
	v_out(m, V_Q_RESET, 2, 1);
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4)
		v_out(m, reg, 4, ~0);
	v_out(m, V_NOTIFY, 2, 0);
	EXPECT_EQ(15, v_status(m));
	EXPECT_EQ(era + 1, m->virtio.era);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m) & VGPU_CHANGED_EVENTS);
	expect_power_on(_metadata, m);
	EXPECT_EQ(era + 1, m->virtio.era);
	set_up(m);
	EXPECT_TRUE(vgpu_virtio_runs(m));
}

/* What was shown is nobody's any more, also where who executes commands can say no more. */
TEST_F(virtio, reset_of_heads)
{
	static const struct vgpu_scanout picture = {
		REF_FOURCC('X', 'R', '2', '4'), 1280, 800, 5120, 0,
	};
	struct vgpu_model *m = &self->model;

	set_up(m);
	vgpu_head_show(m, 3, &picture);
	ASSERT_TRUE(vgpu_heads_shown(m));
	m->heads[1].cursor.image.format = REF_FOURCC('A', 'R', '2', '4');
	v_set_status(m, 0);
	take_changed(m);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_FALSE(vgpu_heads_shown(m));
	EXPECT_EQ(0, m->heads[1].cursor.image.format);
	EXPECT_EQ(VGPU_CHANGED_HEADS, take_changed(m) & VGPU_CHANGED_HEADS);
	/* A queue's reset leaves them. */
	set_up(m);
	vgpu_head_show(m, 3, &picture);
	v_out(m, V_Q_RESET, 2, 1);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_TRUE(vgpu_heads_shown(m));
}

/*
 * A driver that begins finds a status of 0, so that it does not wait after it has written
 * 0: what it writes next is not to be ignored, and not to be reset either.
 */
TEST_F(virtio, reset_of_nothing)
{
	struct vgpu_model *m = &self->model;

	v_set_status(m, 0);
	if (v_status(m))
		vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	ASSERT_EQ(0, v_status(m));
	v_negotiate(m);
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, v_status(m));
	/* What executes commands is late. */
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, v_status(m));
	EXPECT_EQ(F0_ALL | (u64)F1_ALL << 32, m->virtio.features);
}

/* The same, with registers that were written without a status. */
TEST_F(virtio, reset_of_registers)
{
	struct vgpu_model *m = &self->model;

	set_up_queue(m, 0);
	v_out(m, V_CONFIG_VECTOR, 2, 1);
	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	take_work(m);
	v_set_status(m, 0);
	EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
	if (v_status(m))
		vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	expect_power_on(_metadata, m);
}

TEST_F(virtio, function_level_reset)
{
	struct vgpu_model *m = &self->model;
	u32 era = m->virtio.era;

	set_up(m);
	vgpu_model_reset(m);
	EXPECT_EQ(era + 1, m->virtio.era);
	EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
	EXPECT_EQ(VGPU_CHANGED_ALL | VGPU_CHANGED_WORK, take_changed(m));
	expect_power_on(_metadata, m);
	/* In the middle of a reset by the driver. */
	set_up(m);
	v_set_status(m, 0);
	vgpu_model_reset(m);
	expect_power_on(_metadata, m);
	v_negotiate(m);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK, v_status(m));
}

TEST_HARNESS_MAIN
