// SPDX-License-Identifier: GPL-2.0
/*
 * Heads: what each display output shows, and its cursor.
 *
 * A flip, which is a change of nothing but the offset, waits for the next frame;
 * that is what the frame-rate limit limits.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>

#include "model/event.h"
#include "model/model.h"
#include "model/personality.h"

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
	u32 bytes = vgpu_personality(profile)->format_bytes(scanout->format);

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

	model->changed |= VGPU_CHANGED_HEADS;
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
			model->changed |= VGPU_CHANGED_HEADS;
			memset(&h->next, 0, sizeof(h->next));
		}
		h->vblanks += nr;
		vgpu_event_raise(model, VGPU_EVENT_FRAME + i);
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

/**
 * vgpu_cursor_valid() - whether a head can show a cursor
 * @profile: of the type
 * @cursor: any values but for its position
 *
 * Return: true if it can
 */
bool vgpu_cursor_valid(const struct vgpu_profile *profile,
		       const struct vgpu_cursor *cursor)
{
	const struct vgpu_scanout *image = &cursor->image;

	return image->format == DRM_FORMAT_ARGB8888 && image->width &&
	       image->height && image->width <= VGPU_CURSOR_MAX &&
	       image->height <= VGPU_CURSOR_MAX &&
	       image->pitch == image->width * 4 && cursor->hot_x < image->width &&
	       cursor->hot_y < image->height && !(image->offset % VGPU_HEAD_ALIGN) &&
	       vgpu_scanout_fits(profile, image);
}

/**
 * vgpu_scanout_none() - whether it is no picture
 * @s: any values
 *
 * Return: true if all of it is zero
 */
bool vgpu_scanout_none(const struct vgpu_scanout *s)
{
	return !s->format && !s->width && !s->height && !s->pitch && !s->offset;
}

/**
 * vgpu_head_valid() - whether a head can be in a state
 * @profile: of the type
 * @head: any values
 *
 * Return: true if a guest can bring a head to it, apart from its registers
 */
bool vgpu_head_valid(const struct vgpu_profile *profile,
		     const struct vgpu_head *head)
{
	const struct vgpu_cursor *cursor = &head->cursor;

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
	    !vgpu_cursor_valid(profile, cursor))
		return false;
	return true;
}
