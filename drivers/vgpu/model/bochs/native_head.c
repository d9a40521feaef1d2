// SPDX-License-Identifier: GPL-2.0
/*
 * The registers in BAR4 with which a guest sets heads.
 *
 * The guest writes a mode into registers that do nothing by themselves and
 * commits it with one write, so no half-written mode is ever shown.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>

#include "compat/unaligned.h"
#include "model/bochs/bochs.h"
#include "model/model.h"

static u64 vgpu_head_reg64(const struct vgpu_head *h, u32 lo)
{
	return h->regs[lo / 4] | (u64)h->regs[lo / 4 + 1] << 32;
}

static void vgpu_head_commit(struct vgpu_model *model, u32 head, u32 what)
{
	struct vgpu_head *h = &model->heads[head];
	struct vgpu_scanout want = { };

	switch (what) {
	case VGPU_COMMIT_OFF:
		h->refused = false;
		break;
	case VGPU_COMMIT_MODE:
		want.format = h->regs[VGPU_HEAD_SET_FORMAT / 4];
		want.width = h->regs[VGPU_HEAD_SET_WIDTH / 4];
		want.height = h->regs[VGPU_HEAD_SET_HEIGHT / 4];
		want.pitch = h->regs[VGPU_HEAD_SET_PITCH / 4];
		break;
	case VGPU_COMMIT_FLIP:
		want = h->shown;
		break;
	default:
		h->refused = true;
		return;
	}
	if (what != VGPU_COMMIT_OFF) {
		want.offset = vgpu_head_reg64(h, VGPU_HEAD_SET_OFFSET_LO);
		/* VMMs map whole pages. */
		h->refused = want.offset % VGPU_HEAD_ALIGN ||
			     !vgpu_scanout_valid(model->profile, &want);
		if (h->refused)
			return;
	}
	if (!head)
		model->dispi_on = false;
	vgpu_head_show(model, head, &want);
}

static void vgpu_cursor_commit(struct vgpu_model *model, struct vgpu_head *h,
			       u32 show)
{
	u32 size = h->regs[VGPU_HEAD_CURSOR_SIZE / 4];
	u32 hot = h->regs[VGPU_HEAD_CURSOR_HOTSPOT / 4];
	struct vgpu_cursor cursor = { .x = h->cursor.x, .y = h->cursor.y };

	h->refused = false;
	if (show) {
		cursor.image.format = DRM_FORMAT_ARGB8888;
		cursor.image.width = size & 0xffff;
		cursor.image.height = size >> 16;
		cursor.image.pitch = cursor.image.width * 4;
		cursor.image.offset = vgpu_head_reg64(h,
						      VGPU_HEAD_CURSOR_OFFSET_LO);
		cursor.hot_x = hot & 0xffff;
		cursor.hot_y = hot >> 16;
		h->refused = show > 1 ||
			     !vgpu_cursor_valid(model->profile, &cursor);
		if (h->refused)
			return;
	}
	model->changed |= VGPU_CHANGED_HEADS;
	h->cursor = cursor;
}

/* The VMM has a say in head 0's monitor; the others have the default one. */
static const u8 *vgpu_head_edid(const struct vgpu_model *model, u32 head,
				u32 *size)
{
	if (head) {
		*size = sizeof(model->default_edid);
		return model->default_edid;
	}
	/* It was checked that there are as many extensions as it says. */
	*size = model->link.up ? (1 + model->edid[VGPU_EDID_EXTENSIONS]) *
				 VGPU_EDID_BLOCK : 0;
	return model->edid;
}

static u32 vgpu_head_edid_data(const struct vgpu_model *model, u32 head)
{
	u32 index = model->heads[head].regs[VGPU_HEAD_EDID_INDEX / 4];
	const u8 *edid;
	u32 size;

	edid = vgpu_head_edid(model, head, &size);
	if (size < 4 || index > size - 4)
		return 0;
	return get_unaligned_le32(edid + index);
}

static u32 vgpu_head_status(const struct vgpu_head *h)
{
	return (h->shown.format ? VGPU_HEAD_ON : 0) |
	       (h->flip ? VGPU_HEAD_FLIP_PENDING : 0) |
	       (h->refused ? VGPU_HEAD_REFUSED : 0) |
	       (h->cursor.image.format ? VGPU_HEAD_CURSOR_ON : 0);
}

/**
 * vgpu_head_read() - read a register of a head's block
 * @model: the model
 * @reg: counted from the block of head 0
 *
 * Return: its value; 0 for a head that the type does not have
 */
u32 vgpu_head_read(struct vgpu_model *model, u32 reg)
{
	u32 head = reg * 4 / VGPU_HEAD_SIZE;
	u32 offset = reg * 4 % VGPU_HEAD_SIZE;
	struct vgpu_head *h;
	u32 size;

	if (head >= model->profile->num_heads)
		return 0;
	h = &model->heads[head];
	switch (offset) {
	case VGPU_HEAD_WIDTH:
		return h->shown.width;
	case VGPU_HEAD_HEIGHT:
		return h->shown.height;
	case VGPU_HEAD_PITCH:
		return h->shown.pitch;
	case VGPU_HEAD_FORMAT:
		return h->shown.format;
	case VGPU_HEAD_OFFSET_LO:
		return lower_32_bits(h->shown.offset);
	case VGPU_HEAD_OFFSET_HI:
		return upper_32_bits(h->shown.offset);
	case VGPU_HEAD_VBLANKS:
		return h->vblanks;
	case VGPU_HEAD_FLIPS:
		return h->flips;
	case VGPU_HEAD_STATUS:
		return vgpu_head_status(h);
	case VGPU_HEAD_FRAME_LIMIT:
		return model->frl_hz;
	case VGPU_HEAD_EDID_SIZE:
		vgpu_head_edid(model, head, &size);
		return size;
	case VGPU_HEAD_EDID_DATA:
		return vgpu_head_edid_data(model, head);
	default:
		/* Zero where nothing is ever written. */
		return h->regs[offset / 4];
	}
}

/* The bits of a register that are kept as they were written. */
static u32 vgpu_head_kept(u32 offset)
{
	switch (offset) {
	case VGPU_HEAD_SET_WIDTH:
	case VGPU_HEAD_SET_HEIGHT:
	case VGPU_HEAD_SET_PITCH:
	case VGPU_HEAD_SET_FORMAT:
	case VGPU_HEAD_SET_OFFSET_LO:
	case VGPU_HEAD_SET_OFFSET_HI:
	case VGPU_HEAD_CURSOR_SIZE:
	case VGPU_HEAD_CURSOR_OFFSET_LO:
	case VGPU_HEAD_CURSOR_OFFSET_HI:
	case VGPU_HEAD_CURSOR_HOTSPOT:
	case VGPU_HEAD_CURSOR_POSITION:
		return ~0U;
	case VGPU_HEAD_EDID_INDEX:
		return VGPU_BAR2_EDID_SIZE - 4;
	default:
		return 0;
	}
}

/**
 * vgpu_head_write() - write a register of a head's block
 * @model: the model
 * @reg: counted from the block of head 0; read-only ones, and heads that the
 *	type does not have, ignore it
 * @value: 32 bits
 */
void vgpu_head_write(struct vgpu_model *model, u32 reg, u32 value)
{
	u32 head = reg * 4 / VGPU_HEAD_SIZE;
	u32 offset = reg * 4 % VGPU_HEAD_SIZE;
	struct vgpu_head *h;

	if (head >= model->profile->num_heads)
		return;
	h = &model->heads[head];
	switch (offset) {
	case VGPU_HEAD_COMMIT:
		vgpu_head_commit(model, head, value);
		break;
	case VGPU_HEAD_CURSOR_COMMIT:
		vgpu_cursor_commit(model, h, value);
		break;
	case VGPU_HEAD_CURSOR_POSITION:
		h->cursor.x = value & 0xffff;
		h->cursor.y = value >> 16;
		fallthrough;
	default:
		h->regs[offset / 4] = value & vgpu_head_kept(offset);
	}
}

/**
 * vgpu_head_regs_valid() - whether a head's registers can have their values
 * @head: any values
 *
 * Return: true if a guest can bring them to that
 */
bool vgpu_head_regs_valid(const struct vgpu_head *head)
{
	u32 i;

	for (i = 0; i < VGPU_HEAD_SIZE / 4; i++)
		if (head->regs[i] & ~vgpu_head_kept(i * 4))
			return false;
	return true;
}
