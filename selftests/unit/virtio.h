/* SPDX-License-Identifier: GPL-2.0 */
/* A driver's side of a virtio-gpu's registers: virtio 1.2, 4.1.4, with its numbers. */
#ifndef _UNIT_VIRTIO_H
#define _UNIT_VIRTIO_H

#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"
#include "model/virtio/virtio.h"

/* Fields of the common configuration, which is at the beginning of BAR2. */
enum {
	V_DFSELECT = 0x00, V_DF = 0x04, V_GFSELECT = 0x08, V_GF = 0x0c,
	V_CONFIG_VECTOR = 0x10, V_NUM_QUEUES = 0x12,
	V_STATUS = 0x14, V_GENERATION = 0x15,
	V_Q_SELECT = 0x16, V_Q_SIZE = 0x18, V_Q_VECTOR = 0x1a, V_Q_ENABLE = 0x1c,
	V_Q_NOFF = 0x1e, V_Q_DESC = 0x20, V_Q_AVAIL = 0x28, V_Q_USED = 0x30,
	V_Q_DATA = 0x38, V_Q_RESET = 0x3a,
	V_ISR = 0x1000, V_CONFIG = 0x2000, V_NOTIFY = 0x3000, V_SIZE = 0x4000,
};

enum {
	S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8,
	S_NEEDS_RESET = 64, S_FAILED = 128,
};

/* Bits of features, by 32. */
#define F0_EDID		0x02
#define F0_UUID		0x04
#define F0_BLOB		0x08
#define F0_INDIRECT	0x10000000
#define F0_EVENT_IDX	0x20000000
#define F0_ALL		(F0_EDID | F0_UUID | F0_BLOB | F0_INDIRECT | F0_EVENT_IDX)
#define F1_VERSION_1	0x001
#define F1_PLATFORM	0x002
#define F1_RING_RESET	0x100
#define F1_ALL		(F1_VERSION_1 | F1_PLATFORM | F1_RING_RESET)

#define NO_VECTOR	0xffff

static inline u32 v_in(struct vgpu_model *model, u32 offset, u32 len)
{
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 i, value = 0;

	vgpu_virtio_bar_read(model, offset, buf.data, len);
	for (i = 0; i < len; i++)
		value |= (u32)buf.data[i] << 8 * i;
	free(buf.memory);
	return value;
}

static inline void v_out(struct vgpu_model *model, u32 offset, u32 len, u32 value)
{
	struct unit_buf buf = unit_buf(len, 0);
	u32 i;

	for (i = 0; i < len; i++)
		buf.data[i] = value >> 8 * i;
	vgpu_virtio_bar_write(model, offset, buf.data, len);
	free(buf.memory);
}

static inline u32 v_status(struct vgpu_model *model)
{
	return v_in(model, V_STATUS, 1);
}

static inline void v_set_status(struct vgpu_model *model, u8 status)
{
	v_out(model, V_STATUS, 1, status);
}

static inline void v_features(struct vgpu_model *model, u32 low, u32 high)
{
	v_out(model, V_GFSELECT, 4, 0);
	v_out(model, V_GF, 4, low);
	v_out(model, V_GFSELECT, 4, 1);
	v_out(model, V_GF, 4, high);
}

/* 3.1.1, up to where queues are set up, and up to the end. */
static inline void v_negotiate(struct vgpu_model *model)
{
	v_set_status(model, S_ACKNOWLEDGE);
	v_set_status(model, S_ACKNOWLEDGE | S_DRIVER);
	v_features(model, F0_ALL, F1_ALL);
	v_set_status(model, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
}

static inline void v_start(struct vgpu_model *model)
{
	v_negotiate(model);
	v_set_status(model, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK |
			    S_DRIVER_OK);
}

#endif /* _UNIT_VIRTIO_H */
