// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-gpu as a PCI device: what a driver finds, in the order in which drivers of
 * Linux and of OVMF look, and every rule for its registers.
 */
#include <errno.h>

#include "unit.h"
#include "virtio.h"

#define CAP_ID_VENDOR	0x09

FIXTURE(virtio)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
};

FIXTURE_SETUP(virtio)
{
	self->profile = (struct vgpu_profile){
		.fb_size = 64 * MIB,
		.num_heads = 4,
		.frl_hz = 60,
		.max_width = 1280,
		.max_height = 800,
		.personality = VGPU_VIRTIO,
	};
	vgpu_model_init(&self->model, &self->profile);
	self->model.virtio.work = 0;
	self->model.changed = 0;
}

FIXTURE_TEARDOWN(virtio)
{
}

static u32 config_in(struct vgpu_model *model, u32 offset, u32 len)
{
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 i, value = 0;

	vgpu_virtio_config_read(model, offset, buf.data, len);
	for (i = 0; i < len; i++)
		value |= (u32)buf.data[i] << 8 * i;
	free(buf.memory);
	return value;
}

static bool config_out(struct vgpu_model *model, u32 offset, u32 len, u32 value)
{
	struct unit_buf buf = unit_buf(len, 0);
	bool reset;
	u32 i;

	for (i = 0; i < len; i++)
		buf.data[i] = value >> 8 * i;
	reset = vgpu_virtio_config_write(model, offset, buf.data, len);
	free(buf.memory);
	return reset;
}

/* What has changed, and what there is to do, since the last call. */
static u32 take_changed(struct vgpu_model *model)
{
	u32 changed = model->changed;

	model->changed = 0;
	return changed;
}

static u32 take_work(struct vgpu_model *model)
{
	u32 work = model->virtio.work;

	model->virtio.work = 0;
	return work;
}

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

/* Position of the first virtio structure of a type, as vp_find() of Linux walks. */
static u8 find_cap(struct vgpu_model *model, u8 type, u32 *nr)
{
	u8 pos = config_in(model, 0x34, 1), found = 0;
	u32 left = 48;

	*nr = 0;
	for (; pos && left; left--) {
		if (pos < 0x40 || pos % 4)
			return 0;
		if (config_in(model, pos, 1) == CAP_ID_VENDOR &&
		    config_in(model, pos + 3, 1) == type) {
			found = found ?: pos;
			++*nr;
		}
		pos = config_in(model, pos + 1, 1);
	}
	return left ? found : 0;
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

static void expect_power_on(struct __test_metadata *_metadata,
			    struct vgpu_model *m)
{
	u32 nr, reg;

	EXPECT_EQ(0, v_status(m));
	EXPECT_EQ(0, v_in(m, V_DFSELECT, 4));
	EXPECT_EQ(0, v_in(m, V_GFSELECT, 4));
	EXPECT_EQ(0, m->virtio.features);
	EXPECT_EQ(NO_VECTOR, v_in(m, V_CONFIG_VECTOR, 2));
	EXPECT_EQ(2, v_in(m, V_NUM_QUEUES, 2));
	EXPECT_EQ(0, v_in(m, V_GENERATION, 1));
	EXPECT_EQ(0, v_in(m, V_Q_SELECT, 2));
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
	for (nr = 0; nr < 2; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		EXPECT_EQ(nr ? 16 : 256, v_in(m, V_Q_SIZE, 2));
		EXPECT_EQ(NO_VECTOR, v_in(m, V_Q_VECTOR, 2));
		EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
		EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
		for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4)
			EXPECT_EQ(0, v_in(m, reg, 4));
	}
	v_out(m, V_Q_SELECT, 2, 0);
	EXPECT_FALSE(vgpu_event_line(m));
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_EQ(0, v_in(m, V_ISR, 1));
}

TEST_F(virtio, power_on)
{
	expect_power_on(_metadata, &self->model);
}

static void set_up_queue(struct vgpu_model *m, u32 nr)
{
	u32 reg;

	v_out(m, V_Q_SELECT, 2, nr);
	v_out(m, V_Q_SIZE, 2, 8);
	v_out(m, V_Q_VECTOR, 2, 1 + nr);
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4)
		v_out(m, reg, 4, 0x1000 * reg + nr);
	v_out(m, V_Q_ENABLE, 2, 1);
}

/* All that a driver can have set up. */
static void set_up(struct vgpu_model *m)
{
	v_negotiate(m);
	v_out(m, V_CONFIG_VECTOR, 2, 0);
	set_up_queue(m, 0);
	set_up_queue(m, 1);
	v_set_status(m, 15);
	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	vgpu_virtio_interrupt(m, 0);
	take_work(m);
	take_changed(m);
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

TEST_F(virtio, queue_size)
{
	struct vgpu_model *m = &self->model;
	u32 nr, size, want;

	for (nr = 0; nr < 2; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		want = nr ? 16 : 256;
		for (size = 0; size <= 0xffff; size++) {
			v_out(m, V_Q_SIZE, 2, size);
			if (size && size <= 1024 && !(size & (size - 1)))
				want = size;
			ASSERT_EQ(want, v_in(m, V_Q_SIZE, 2));
		}
		EXPECT_EQ(1024, want);
	}
}

TEST_F(virtio, queue_enable)
{
	struct vgpu_model *m = &self->model;
	u32 value, reg;

	v_out(m, V_Q_SELECT, 2, 1);
	for (value = 0; value <= 0xffff; value++) {
		if (value == 1)
			continue;
		v_out(m, V_Q_ENABLE, 2, value);
		ASSERT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	}
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
		v_out(m, reg, 4, 0x89abcdef * reg);
		EXPECT_EQ(0x89abcdef * reg, v_in(m, reg, 4));
	}
	EXPECT_EQ(0x89abcdefULL * 0x24 << 32 | 0x89abcdefU * 0x20,
		  m->virtio.queues[1].desc);
	EXPECT_EQ(0x89abcdefULL * 0x2c << 32 | 0x89abcdefU * 0x28,
		  m->virtio.queues[1].avail);
	EXPECT_EQ(0x89abcdefULL * 0x34 << 32 | 0x89abcdefU * 0x30,
		  m->virtio.queues[1].used);
	v_out(m, V_Q_SIZE, 2, 4);
	v_out(m, V_Q_ENABLE, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* From here on nothing of it changes, and it is not disabled. */
	for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
		v_out(m, reg, 4, 0);
		EXPECT_EQ(0x89abcdef * reg, v_in(m, reg, 4));
	}
	v_out(m, V_Q_SIZE, 2, 8);
	EXPECT_EQ(4, v_in(m, V_Q_SIZE, 2));
	v_out(m, V_Q_ENABLE, 2, 0);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* Vectors do. */
	v_out(m, V_Q_VECTOR, 2, 2);
	EXPECT_EQ(2, v_in(m, V_Q_VECTOR, 2));
	/* The other queue is another. */
	v_out(m, V_Q_SELECT, 2, 0);
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(0, v_in(m, V_Q_DESC, 4));
	EXPECT_EQ(256, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(NO_VECTOR, v_in(m, V_Q_VECTOR, 2));
}

/* 4.1.4.3: a size of 0 tells the driver that there is no such queue. */
TEST_F(virtio, queue_select)
{
	struct vgpu_model *m = &self->model;
	struct vgpu_virtio_queue was[VGPU_NR_QUEUES];
	u32 nr, reg;

	EXPECT_EQ(0, v_in(m, V_Q_NOFF, 2));
	v_out(m, V_Q_SELECT, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_NOFF, 2));
	memcpy(was, m->virtio.queues, sizeof(was));
	for (nr = 2; nr <= 0xffff; nr++) {
		v_out(m, V_Q_SELECT, 2, nr);
		ASSERT_EQ(nr, v_in(m, V_Q_SELECT, 2));
		for (reg = V_Q_SIZE; reg < V_Q_DESC; reg += 2) {
			v_out(m, reg, 2, 1);
			ASSERT_EQ(0, v_in(m, reg, 2));
		}
		for (reg = V_Q_DESC; reg < V_Q_DATA; reg += 4) {
			v_out(m, reg, 4, ~0);
			ASSERT_EQ(0, v_in(m, reg, 4));
		}
		v_out(m, V_Q_RESET, 2, 1);
		ASSERT_EQ(0, v_in(m, V_Q_RESET, 2));
	}
	EXPECT_EQ(0, memcmp(was, m->virtio.queues, sizeof(was)));
}

TEST_F(virtio, queue_reset)
{
	struct vgpu_model *m = &self->model;

	set_up(m);
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_RESET, 2, 0);
	v_out(m, V_Q_RESET, 2, 2);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, take_work(m));
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(1, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(VGPU_WORK_RESET, take_work(m));
	EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m) & VGPU_CHANGED_WORK);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* 2.6.1: neither the device nor the other queue is reset. */
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(16, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(NO_VECTOR, v_in(m, V_Q_VECTOR, 2));
	EXPECT_EQ(0, v_in(m, V_Q_USED, 4));
	EXPECT_EQ(15, v_status(m));
	EXPECT_TRUE(vgpu_virtio_runs(m));
	v_out(m, V_Q_SELECT, 2, 0);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(8, v_in(m, V_Q_SIZE, 2));
	/* A queue that is disabled has nothing to reset. */
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	/* And then it is set up again. */
	set_up_queue(m, 1);
	EXPECT_EQ(1, v_in(m, V_Q_ENABLE, 2));
	/* Not while it is being reset. */
	v_out(m, V_Q_RESET, 2, 1);
	v_out(m, V_Q_ENABLE, 2, 1);
	v_out(m, V_Q_DESC, 4, 5);
	vgpu_virtio_reset_done(m,
		vgpu_virtio_queues_resetting(m));
	EXPECT_EQ(0, v_in(m, V_Q_ENABLE, 2));
	EXPECT_EQ(0, v_in(m, V_Q_DESC, 4));
}

TEST_F(virtio, queue_reset_not_negotiated)
{
	struct vgpu_model *m = &self->model;

	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER);
	v_features(m, F0_ALL, F1_ALL & ~F1_RING_RESET);
	v_set_status(m, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	set_up_queue(m, 0);
	v_set_status(m, 15);
	take_work(m);
	v_out(m, V_Q_RESET, 2, 1);
	EXPECT_EQ(0, v_in(m, V_Q_RESET, 2));
	EXPECT_EQ(0, take_work(m));
}

TEST_F(virtio, vectors)
{
	struct vgpu_model *m = &self->model;
	u32 value;

	for (value = 0; value <= 0xffff; value++) {
		u32 want = value < 3 ? value : NO_VECTOR;

		v_out(m, V_CONFIG_VECTOR, 2, value);
		ASSERT_EQ(want, v_in(m, V_CONFIG_VECTOR, 2));
		v_out(m, V_Q_SELECT, 2, value % 2);
		v_out(m, V_Q_VECTOR, 2, value);
		ASSERT_EQ(want, v_in(m, V_Q_VECTOR, 2));
	}
	v_out(m, V_NUM_QUEUES, 2, 9);
	EXPECT_EQ(2, v_in(m, V_NUM_QUEUES, 2));
}

TEST_F(virtio, messages)
{
	struct vgpu_model *m = &self->model;
	u32 i;

	set_up(m);
	/* set_up() has raised both. */
	EXPECT_EQ(3, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_sent(m, 1));
	EXPECT_EQ(2, vgpu_event_pending(m));
	/* Nothing was sent. */
	EXPECT_FALSE(vgpu_event_sent(m, 0));
	EXPECT_TRUE(vgpu_event_sent(m, 6));
	EXPECT_EQ(0, vgpu_event_pending(m));
	for (i = 0; i < 2; i++) {
		vgpu_virtio_interrupt(m, i);
		EXPECT_EQ(2 << i, vgpu_event_pending(m));
		EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
		vgpu_event_sent(m, 7);
	}
	/* Two queues can share one, and do with Linux when vectors are scarce. */
	v_out(m, V_Q_SELECT, 2, 1);
	v_out(m, V_Q_VECTOR, 2, 1);
	vgpu_virtio_interrupt(m, 0);
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(2, vgpu_event_pending(m));
	vgpu_event_sent(m, 7);
	v_out(m, V_Q_VECTOR, 2, NO_VECTOR);
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_valid(m));
}

TEST_F(virtio, isr)
{
	struct vgpu_model *m = &self->model;

	v_start(m);
	EXPECT_FALSE(vgpu_event_line(m));
	EXPECT_EQ(0, config_in(m, 0x06, 2) & 8);
	take_changed(m);
	EXPECT_EQ(0, v_in(m, V_ISR, 1));
	EXPECT_EQ(0, take_changed(m));
	vgpu_virtio_interrupt(m, 1);
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(8, config_in(m, 0x06, 2) & 8);
	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	EXPECT_TRUE(vgpu_event_line(m));
	/* Writing it does nothing, reading it clears it and takes the pin back. */
	v_out(m, V_ISR, 1, 0xff);
	v_out(m, V_ISR, 1, 0);
	take_changed(m);
	EXPECT_EQ(3, v_in(m, V_ISR, 1));
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m));
	EXPECT_FALSE(vgpu_event_line(m));
	EXPECT_EQ(0, v_in(m, V_ISR, 1));
	EXPECT_EQ(0, config_in(m, 0x06, 2) & 8);
	/* Reading it in a wider access, as well. */
	vgpu_virtio_interrupt(m, 0);
	EXPECT_EQ(1, v_in(m, V_ISR, 4));
	EXPECT_FALSE(vgpu_event_line(m));
	/* Reading what is beside it does not. */
	vgpu_virtio_interrupt(m, 0);
	v_in(m, V_ISR - 2, 2);
	v_in(m, V_ISR + 1, 2);
	EXPECT_TRUE(vgpu_event_line(m));
}

TEST_F(virtio, config)
{
	struct vgpu_model *m = &self->model;
	u32 heads;

	for (heads = 1; heads <= 4; heads++) {
		self->profile.num_heads = heads;
		EXPECT_EQ(heads, v_in(m, V_CONFIG + 8, 4));
	}
	EXPECT_EQ(0, v_in(m, V_CONFIG + 4, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 12, 4));
	v_out(m, V_CONFIG, 4, ~0);
	v_out(m, V_CONFIG + 8, 4, ~0);
	v_out(m, V_CONFIG + 12, 4, ~0);
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(4, v_in(m, V_CONFIG + 8, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 12, 4));

	vgpu_event_raise(m, VGPU_EVENT_MONITOR);
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	v_out(m, V_CONFIG, 4, 0);
	v_out(m, V_CONFIG + 4, 4, ~1);
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(0, v_in(m, V_CONFIG + 4, 4));
	v_out(m, V_CONFIG + 4, 4, 1);
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
}

TEST_F(virtio, monitor)
{
	const u32 link = 20;	/* of struct vfio_region_gfx_edid */
	struct vgpu_model *m = &self->model;
	u8 down[4] = { 2 }, up[4] = { 1 }, bad[4] = { 3 };

	v_negotiate(m);
	v_out(m, V_CONFIG_VECTOR, 2, 0);
	ASSERT_EQ(0, vgpu_link_write(m, link, down, 4));
	/* It is told, but before DRIVER_OK by nothing but a generation. */
	EXPECT_EQ(1, v_in(m, V_CONFIG, 4));
	EXPECT_EQ(1, v_in(m, V_GENERATION, 1));
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_FALSE(vgpu_event_line(m));
	v_set_status(m, 15);
	EXPECT_EQ(0, vgpu_event_pending(m));
	take_changed(m);
	ASSERT_EQ(0, vgpu_link_write(m, link, up, 4));
	EXPECT_EQ(2, v_in(m, V_GENERATION, 1));
	EXPECT_EQ(1, vgpu_event_pending(m));
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(VGPU_CHANGED_EVENTS, take_changed(m) & VGPU_CHANGED_EVENTS);
	EXPECT_EQ(2, v_in(m, V_ISR, 1));
	ASSERT_EQ(-EINVAL, vgpu_link_write(m, link, bad, 4));
	EXPECT_EQ(2, v_in(m, V_GENERATION, 1));
	m->virtio.generation = 0xff;
	ASSERT_EQ(0, vgpu_link_write(m, link, up, 4));
	EXPECT_EQ(0, v_in(m, V_GENERATION, 1));
	v_out(m, V_GENERATION, 1, 7);
	EXPECT_EQ(0, v_in(m, V_GENERATION, 1));
}

TEST_F(virtio, frames)
{
	struct vgpu_model *m = &self->model;
	u32 head;

	v_start(m);
	take_work(m);
	take_changed(m);
	for (head = 0; head < 4; head++) {
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(0, take_work(m));
		EXPECT_EQ(0, take_changed(m));
		m->virtio.frames_wanted = true;
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(VGPU_WORK_FRAME, take_work(m));
		EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m));
		/* Once. */
		vgpu_event_raise(m, VGPU_EVENT_FRAME + head);
		EXPECT_EQ(0, take_work(m));
	}
	EXPECT_EQ(0, vgpu_event_pending(m));
	/* Of errors a driver of virtio-gpu knows nothing. */
	vgpu_event_raise(m, VGPU_EVENT_ECC);
	EXPECT_EQ(0, take_work(m));
	EXPECT_EQ(0, vgpu_event_pending(m));
	EXPECT_EQ(0, v_in(m, V_CONFIG, 4));
}

TEST_F(virtio, notify)
{
	struct vgpu_model *m = &self->model;
	u32 queue;

	for (queue = 0; queue < 2; queue++) {
		/* What is written is the number of the queue, which is not needed. */
		v_out(m, V_NOTIFY + 4 * queue, 2, queue);
		EXPECT_EQ(1 << queue, take_work(m));
		EXPECT_EQ(VGPU_CHANGED_WORK, take_changed(m));
		v_out(m, V_NOTIFY + 4 * queue, 2, 0xffff);
		EXPECT_EQ(1 << queue, take_work(m));
		v_out(m, V_NOTIFY + 4 * queue, 4, 0);
		EXPECT_EQ(1 << queue, take_work(m));
		take_changed(m);
		v_out(m, V_NOTIFY + 4 * queue, 1, 0);
		v_out(m, V_NOTIFY + 4 * queue + 1, 2, 0);
		v_out(m, V_NOTIFY + 4 * queue + 2, 2, 0);
		EXPECT_EQ(0, take_work(m));
		EXPECT_EQ(0, take_changed(m));
		EXPECT_EQ(0, v_in(m, V_NOTIFY + 4 * queue, 2));
	}
	v_out(m, V_NOTIFY + 8, 2, 2);
	v_out(m, V_NOTIFY + 0xffe, 2, 0);
	EXPECT_EQ(0, take_work(m));
}

/* Where the window is: bar, offset, length, data. */
struct window {
	u8 bar, offset, length, data;
};

static struct window find_window(struct vgpu_model *m)
{
	u32 nr;
	u8 pos = find_cap(m, 5, &nr);

	return (struct window){ pos + 4, pos + 8, pos + 12, pos + 16 };
}

static void set_window(struct vgpu_model *m, u8 bar, u32 offset, u32 length)
{
	struct window w = find_window(m);

	config_out(m, w.bar, 1, bar);
	config_out(m, w.offset, 4, offset);
	config_out(m, w.length, 4, length);
}

TEST_F(virtio, window)
{
	struct vgpu_model *m = &self->model;
	struct window w = find_window(m);

	set_window(m, 2, V_STATUS, 1);
	EXPECT_EQ(2, config_in(m, w.bar, 1));
	EXPECT_EQ(V_STATUS, config_in(m, w.offset, 4));
	EXPECT_EQ(1, config_in(m, w.length, 4));
	config_out(m, w.data, 1, S_ACKNOWLEDGE);
	EXPECT_EQ(S_ACKNOWLEDGE, v_status(m));
	EXPECT_EQ(S_ACKNOWLEDGE, config_in(m, w.data, 1));
	/* As SeaBIOS, which always accesses 4 bytes or as many as the length says. */
	config_out(m, w.data, 4, S_ACKNOWLEDGE | S_DRIVER | 0xabcdef00);
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER, v_status(m));
	EXPECT_EQ(S_ACKNOWLEDGE | S_DRIVER, config_in(m, w.data, 4) & 0xff);
	set_window(m, 2, V_Q_SIZE, 2);
	config_out(m, w.data, 2, 64);
	EXPECT_EQ(64, v_in(m, V_Q_SIZE, 2));
	EXPECT_EQ(64, config_in(m, w.data, 2));
	set_window(m, 2, V_GF, 4);
	config_out(m, w.data, 4, 0x87654321);
	EXPECT_EQ(0x87654321, v_in(m, V_GF, 4));
	EXPECT_EQ(0x87654321, config_in(m, w.data, 4));
	/* Reading through it has the effect of reading. */
	vgpu_virtio_interrupt(m, 0);
	set_window(m, 2, V_ISR, 1);
	EXPECT_TRUE(vgpu_event_line(m));
	EXPECT_EQ(1, config_in(m, w.data, 1));
	EXPECT_FALSE(vgpu_event_line(m));
	/* Less than the length is none, and neither is what is beside it. */
	vgpu_virtio_interrupt(m, 0);
	set_window(m, 2, V_ISR, 4);
	config_in(m, w.data, 1);
	config_in(m, w.data, 2);
	config_in(m, w.data + 1, 1);
	config_in(m, w.data - 4, 4);
	EXPECT_TRUE(vgpu_event_line(m));
	config_in(m, w.data, 4);
	EXPECT_FALSE(vgpu_event_line(m));
	/* FLR forgets it. */
	vgpu_model_reset(m);
	EXPECT_EQ(0, config_in(m, w.bar, 1));
	EXPECT_EQ(0, config_in(m, w.length, 4));
}

TEST_F(virtio, window_that_is_none)
{
	static const struct {
		u8 bar;
		u32 offset, length;
	} windows[] = {
		{ 0, V_GF, 4 }, { 1, V_GF, 4 }, { 3, V_GF, 4 }, { 255, V_GF, 4 },
		{ 2, V_GF, 0 }, { 2, V_GF, 3 }, { 2, V_GF, 5 }, { 2, V_GF, 8 },
		{ 2, V_GF, 0x104 }, { 2, V_GF, ~0U },
		{ 2, V_GF + 1, 4 }, { 2, V_GF + 2, 4 }, { 2, V_GF + 1, 2 },
		{ 2, V_SIZE, 1 }, { 2, V_SIZE, 2 }, { 2, V_SIZE, 4 },
		{ 2, V_SIZE - 2, 4 }, { 2, ~0U, 1 }, { 2, ~1U, 2 }, { 2, ~3U, 4 },
		{ 2, 0x80000000 + V_GF, 4 },
	};
	struct vgpu_model *m = &self->model;
	struct window w = find_window(m);
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		set_window(m, windows[i].bar, windows[i].offset,
			   windows[i].length);
		for (len = 1; len <= 4; len *= 2) {
			u64 bad = m->bad_access;

			config_out(m, w.data, len, ~0);
			config_in(m, w.data, len);
			EXPECT_EQ(0, v_in(m, V_GF, 4))
				TH_LOG("window %u, %u bytes", i, len);
			EXPECT_EQ(bad, m->bad_access);
		}
	}
	/* The last bytes of the BAR are in it, though no registers. */
	for (len = 1; len <= 4; len *= 2) {
		set_window(m, 2, V_SIZE - len, len);
		m->bad_access = 0;
		config_in(m, w.data, len);
		EXPECT_EQ(1, m->bad_access);
	}
}

/* Every register, so that an access at any place and of any width can be judged. */
static const struct {
	u32 start, nr, width;
} registers[] = {
	{ 0x0000, 4, 4 }, { 0x0010, 2, 2 }, { 0x0014, 2, 1 }, { 0x0016, 5, 2 },
	{ 0x0020, 6, 4 }, { 0x0038, 2, 2 }, { 0x1000, 1, 1 }, { 0x2000, 4, 4 },
	{ 0x3000, 4, 2 },
};

static u32 width_at(u32 offset, bool *begins)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		u32 pos = offset - registers[i].start;

		if (offset < registers[i].start ||
		    pos >= registers[i].nr * registers[i].width)
			continue;
		*begins = pos % registers[i].width == 0;
		return registers[i].width;
	}
	return 0;
}

/* What an access has whole reads as by itself; of the rest nothing is read. */
TEST_F(virtio, access)
{
	struct vgpu_model *m = &self->model;
	u8 whole[V_SIZE] = { }, buf[16];
	u32 offset, len, i, width;
	bool begins = false;

	set_up(m);
	v_out(m, V_DFSELECT, 4, 1);
	v_out(m, V_GFSELECT, 4, 0);
	m->virtio.isr = 0;
	for (offset = 0; offset < V_SIZE; offset++) {
		width = width_at(offset, &begins);
		if (width && begins) {
			m->bad_access = 0;
			vgpu_virtio_bar_read(m, offset, whole + offset, width);
			ASSERT_EQ(0, m->bad_access);
		}
	}
	for (offset = 0; offset < V_SIZE; offset++) {
		if (offset % 0x1000 > 0x60 && offset % 0x1000 < 0xff0)
			continue;
		for (len = 1; len <= 16 && offset + len <= V_SIZE; len++) {
			memset(buf, 0xa5, sizeof(buf));
			vgpu_virtio_bar_read(m, offset, buf, len);
			for (i = 0; i < len;) {
				u32 n = 1, j;
				bool good;

				width = width_at(offset + i, &begins);
				good = width && begins && i + width <= len;
				if (good)
					n = width;
				for (j = 0; j < n; j++)
					ASSERT_EQ(good ? whole[offset + i + j] : 0,
						  buf[i + j])
						TH_LOG("%#x+%u byte %u", offset,
						       len, i + j);
				i += n;
			}
			for (; i < sizeof(buf); i++)
				ASSERT_EQ(0xa5, buf[i]);
		}
	}
}

/* A part of a register cannot be written, and an access beside it does not reach it. */
TEST_F(virtio, partial_writes)
{
	static const u8 wide[16] = { 1, 0, 0, 0, 9, 9, 9, 9,
				     1, 0, 0, 0, 5, 0, 0, 0 };
	struct vgpu_model *m = &self->model;
	struct vgpu_virtio was;
	u32 i, reg, at;
	u8 ones[4];

	memset(ones, 0xff, sizeof(ones));
	was = m->virtio;
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		u32 width = registers[i].width, end;

		for (reg = 0; reg < registers[i].nr; reg++)
			for (at = 0; at < width; at++)
				for (end = at + 1; end <= width; end++) {
					if (end - at == width)
						continue;
					m->bad_access = 0;
					vgpu_virtio_bar_write(m, registers[i].start +
							      reg * width + at,
							      ones, end - at);
					ASSERT_EQ(1, m->bad_access);
					ASSERT_EQ(0, memcmp(&was, &m->virtio,
							    sizeof(was)));
				}
	}
	/* A wide one is as many as it covers: both selects, with features between. */
	v_out(m, V_DFSELECT, 4, 0);
	vgpu_virtio_bar_write(m, V_DFSELECT, wide, sizeof(wide));
	EXPECT_EQ(1, m->virtio.device_select);
	EXPECT_EQ(1, m->virtio.driver_select);
	EXPECT_EQ(5ULL << 32, m->virtio.features);
}

TEST_F(virtio, msix)
{
	struct vgpu_model *m = &self->model;
	struct unit_buf buf = unit_buf(4, 0);
	u32 i;

	for (i = 0; i < 3 * 16; i += 4) {
		memset(buf.data, 0x11 * (i / 4), 4);
		vgpu_virtio_msix_write(m, i, buf.data, 4);
	}
	for (i = 0; i < 3 * 16; i += 4) {
		vgpu_virtio_msix_read(m, i, buf.data, 4);
		EXPECT_EQ(0x11 * (i / 4), buf.data[0]);
	}
	EXPECT_EQ(0, m->bad_access);
	/* Behind the table. */
	vgpu_virtio_msix_write(m, 3 * 16, buf.data, 4);
	vgpu_virtio_msix_read(m, 3 * 16, buf.data, 4);
	EXPECT_EQ(0, buf.data[0]);
	EXPECT_EQ(2, m->bad_access);
	m->msix_pending = 5;
	vgpu_virtio_msix_write(m, 0x800, buf.data, 4);
	vgpu_virtio_msix_read(m, 0x800, buf.data, 4);
	EXPECT_EQ(5, buf.data[0]);
	vgpu_virtio_msix_read(m, 0x804, buf.data, 4);
	EXPECT_EQ(0, buf.data[0]);
	free(buf.memory);
}

TEST_HARNESS_MAIN
