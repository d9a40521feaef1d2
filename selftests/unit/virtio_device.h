/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-gpu, its config space, and a driver that sets all of it up. */
#ifndef _UNIT_VIRTIO_DEVICE_H
#define _UNIT_VIRTIO_DEVICE_H

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

static inline u32 config_in(struct vgpu_model *model, u32 offset, u32 len)
{
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 i, value = 0;

	vgpu_virtio_config_read(model, offset, buf.data, len);
	for (i = 0; i < len; i++)
		value |= (u32)buf.data[i] << 8 * i;
	free(buf.memory);
	return value;
}

static inline bool config_out(struct vgpu_model *model, u32 offset, u32 len, u32 value)
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
static inline u32 take_changed(struct vgpu_model *model)
{
	u32 changed = model->changed;

	model->changed = 0;
	return changed;
}

static inline u32 take_work(struct vgpu_model *model)
{
	u32 work = model->virtio.work;

	model->virtio.work = 0;
	return work;
}

/* Position of the first virtio structure of a type, as vp_find() of Linux walks. */
static inline u8 find_cap(struct vgpu_model *model, u8 type, u32 *nr)
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

static inline void set_up_queue(struct vgpu_model *m, u32 nr)
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
static inline void set_up(struct vgpu_model *m)
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

static inline void expect_power_on(struct __test_metadata *_metadata,
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

#endif /* _UNIT_VIRTIO_DEVICE_H */
