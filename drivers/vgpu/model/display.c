// SPDX-License-Identifier: GPL-2.0
/*
 * Heads: what each display output shows, its cursor, and the registers in BAR4
 * with which a guest sets them.
 *
 * The guest writes a mode into registers that do nothing by themselves and
 * commits it with one write, so no half-written mode is ever shown.  A flip,
 * which is a change of nothing but the offset, waits for the next frame; that
 * is what the frame-rate limit limits.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>

#include "compat/compat.h"
#include "model/model.h"

const struct vgpu_format vgpu_formats[VGPU_NR_FORMATS] = {
	{ DRM_FORMAT_XRGB1555, 2, 15 },
	{ DRM_FORMAT_RGB565, 2, 16 },
	{ DRM_FORMAT_RGB888, 3, 24 },
	{ DRM_FORMAT_XRGB8888, 4, 32 },
};

static u32 vgpu_format_bytes(u32 format)
{
	u32 i;

	for (i = 0; i < VGPU_NR_FORMATS; i++)
		if (vgpu_formats[i].format == format)
			return vgpu_formats[i].bytes;
	return 0;
}

static bool vgpu_scanout_fits(const struct vgpu_profile *profile,
			      const struct vgpu_scanout *scanout)
{
	/* Whole lines, because that is what a VMM maps. */
	u64 size = (u64)scanout->height * scanout->pitch;

	/* VMMs count its bytes in an int, and VFIO in a u32. */
	return size <= S32_MAX && size <= profile->fb_size &&
	       scanout->offset <= profile->fb_size - size;
}

/**
 * vgpu_scanout_valid() - whether a head can show a picture
 * @profile: of the type
 * @scanout: any values
 *
 * Return: false for one without a format, too
 */
bool vgpu_scanout_valid(const struct vgpu_profile *profile,
			const struct vgpu_scanout *scanout)
{
	u32 bytes = vgpu_format_bytes(scanout->format);

	if (!bytes || !scanout->width || scanout->width > profile->max_width ||
	    !scanout->height || scanout->height > profile->max_height)
		return false;
	/* QEMU hands the pitch to pixman, which counts it in words. */
	if (scanout->pitch % 4 || scanout->pitch < scanout->width * bytes)
		return false;
	return vgpu_scanout_fits(profile, scanout);
}

/**
 * vgpu_scanout_same_mode() - whether two pictures differ in nothing but where
 * they are
 * @a: one
 * @b: the other
 *
 * Return: true if so; false when @a has no format
 */
bool vgpu_scanout_same_mode(const struct vgpu_scanout *a,
			    const struct vgpu_scanout *b)
{
	return a->format && a->format == b->format && a->width == b->width &&
	       a->height == b->height && a->pitch == b->pitch;
}

/**
 * vgpu_head_show() - show a picture
 * @model: the model
 * @head: one that the type has
 * @want: valid, or without a format for nothing
 *
 * A flip waits for the next frame when there is a limit, and takes the place
 * of one that waits; everything else is done now.
 */
void vgpu_head_show(struct vgpu_model *model, u32 head,
		    const struct vgpu_scanout *want)
{
	struct vgpu_head *h = &model->heads[head];

	model->heads_changed = true;
	h->flip = false;
	memset(&h->next, 0, sizeof(h->next));
	if (vgpu_scanout_same_mode(&h->shown, want)) {
		if (h->shown.offset == want->offset)
			return;
		if (model->frl_hz) {
			h->next = *want;
			h->flip = true;
			return;
		}
		h->flips++;
	}
	h->shown = *want;
}

/**
 * vgpu_heads_reset() - all off, without cursors, nothing counted
 * @model: the model
 */
void vgpu_heads_reset(struct vgpu_model *model)
{
	memset(model->heads, 0, sizeof(model->heads));
}

/**
 * vgpu_heads_frame() - a frame ends on every head that shows something
 * @model: the model
 * @nr: how many have ended since the last call, at least 1; a host that is late
 *	misses events, but none is missing in the count
 */
void vgpu_heads_frame(struct vgpu_model *model, u32 nr)
{
	u32 i;

	for (i = 0; i < model->profile->num_heads; i++) {
		struct vgpu_head *h = &model->heads[i];

		if (!h->shown.format)
			continue;
		if (h->flip) {
			h->shown = h->next;
			h->flip = false;
			h->flips++;
			memset(&h->next, 0, sizeof(h->next));
		}
		h->vblanks += nr;
		vgpu_native_event(model, VGPU_IRQ_HEAD(i));
	}
}

/**
 * vgpu_heads_shown() - whether any head shows something
 * @model: the model
 *
 * Return: true if one does
 */
bool vgpu_heads_shown(const struct vgpu_model *model)
{
	u32 i;

	for (i = 0; i < model->profile->num_heads; i++)
		if (model->heads[i].shown.format)
			return true;
	return false;
}

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

static bool vgpu_cursor_valid(const struct vgpu_profile *profile,
			      const struct vgpu_scanout *image, u32 hot_x,
			      u32 hot_y)
{
	return image->format == DRM_FORMAT_ARGB8888 && image->width &&
	       image->height && image->width <= VGPU_CURSOR_MAX &&
	       image->height <= VGPU_CURSOR_MAX &&
	       image->pitch == image->width * 4 && hot_x < image->width &&
	       hot_y < image->height && !(image->offset % VGPU_HEAD_ALIGN) &&
	       vgpu_scanout_fits(profile, image);
}

static void vgpu_cursor_commit(struct vgpu_model *model, struct vgpu_head *h,
			       u32 show)
{
	u32 size = h->regs[VGPU_HEAD_CURSOR_SIZE / 4];
	u32 hot = h->regs[VGPU_HEAD_CURSOR_HOTSPOT / 4];
	struct vgpu_scanout image = { };

	h->refused = false;
	if (!show) {
		hot = 0;
	} else {
		image.format = DRM_FORMAT_ARGB8888;
		image.width = size & 0xffff;
		image.height = size >> 16;
		image.pitch = image.width * 4;
		image.offset = vgpu_head_reg64(h, VGPU_HEAD_CURSOR_OFFSET_LO);
		h->refused = show > 1 ||
			     !vgpu_cursor_valid(model->profile, &image,
						hot & 0xffff, hot >> 16);
		if (h->refused)
			return;
	}
	model->heads_changed = true;
	h->cursor.image = image;
	h->cursor.hot_x = hot & 0xffff;
	h->cursor.hot_y = hot >> 16;
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

static bool vgpu_scanout_none(const struct vgpu_scanout *s)
{
	return !s->format && !s->width && !s->height && !s->pitch && !s->offset;
}

/**
 * vgpu_head_valid() - whether a head can be in a state
 * @profile: of the type
 * @head: any values
 *
 * Return: true if a guest can bring a head to it
 */
bool vgpu_head_valid(const struct vgpu_profile *profile,
		     const struct vgpu_head *head)
{
	const struct vgpu_cursor *cursor = &head->cursor;
	u32 i;

	if (!vgpu_scanout_none(&head->shown) &&
	    !vgpu_scanout_valid(profile, &head->shown))
		return false;
	if (head->flip && !(vgpu_scanout_same_mode(&head->shown, &head->next) &&
			    vgpu_scanout_valid(profile, &head->next)))
		return false;
	if (!head->flip && !vgpu_scanout_none(&head->next))
		return false;
	if (vgpu_scanout_none(&cursor->image) ?
	    cursor->hot_x || cursor->hot_y :
	    !vgpu_cursor_valid(profile, &cursor->image, cursor->hot_x,
			       cursor->hot_y))
		return false;
	for (i = 0; i < VGPU_HEAD_SIZE / 4; i++)
		if (head->regs[i] & ~vgpu_head_kept(i * 4))
			return false;
	return true;
}
