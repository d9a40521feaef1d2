// SPDX-License-Identifier: GPL-2.0
/*
 * The EDID region: a VMM plugs a monitor of its own into head 0.
 *
 * As VFIO describes it (struct vfio_region_gfx_edid): take the link down, write
 * size and blob, take the link up.  The blob is checked when the link goes up,
 * and a bad one changes nothing.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <uapi/linux/vfio.h>

#include "compat/unaligned.h"
#include "model/event.h"
#include "model/model.h"

/* What a guest without a wish of its own gets; every type can show it. */
#define VGPU_PREFERRED_WIDTH	1280
#define VGPU_PREFERRED_HEIGHT	800

/**
 * vgpu_link_init() - plug in the monitor that a head has by default
 * @model: its profile is set
 * @width: what it prefers, as vgpu_edid_can_prefer() allows, in pixels; 0 for
 *	no wish
 * @height: the same in lines
 */
void vgpu_link_init(struct vgpu_model *model, u32 width, u32 height)
{
	const struct vgpu_profile *profile = model->profile;
	struct vgpu_link *link = &model->link;

	memset(link, 0, sizeof(*link));
	vgpu_edid_generate(model->default_edid,
			   min_t(u32, width ?: VGPU_PREFERRED_WIDTH,
				 profile->max_width),
			   min_t(u32, height ?: VGPU_PREFERRED_HEIGHT,
				 profile->max_height),
			   profile->max_width, profile->max_height);
	memcpy(link->blob, model->default_edid, VGPU_EDID_BLOCK);
	link->size = VGPU_EDID_BLOCK;
	link->up = true;
	memcpy(model->edid, link->blob, sizeof(model->edid));
}

static int vgpu_link_set_state(struct vgpu_model *model, u32 state)
{
	struct vgpu_link *link = &model->link;

	switch (state) {
	case VFIO_DEVICE_GFX_LINK_STATE_UP:
		if (!vgpu_edid_valid(link->blob, link->size))
			return -EINVAL;
		memset(model->edid, 0, sizeof(model->edid));
		memcpy(model->edid, link->blob, link->size);
		link->up = true;
		break;
	case VFIO_DEVICE_GFX_LINK_STATE_DOWN:
		memset(model->edid, 0, sizeof(model->edid));
		link->up = false;
		break;
	default:
		return -EINVAL;
	}
	vgpu_event_raise(model, VGPU_EVENT_MONITOR);
	return 0;
}

/**
 * vgpu_link_valid() - whether cable and monitor can be as they are
 * @model: the model
 *
 * Return: true for a link that is down and shows nothing, or one that is up and
 * shows an EDID
 */
bool vgpu_link_valid(const struct vgpu_model *model)
{
	const u8 *edid = model->edid;
	u32 size = 0, i;

	if (model->link.size > sizeof(model->link.blob))
		return false;
	if (model->link.up) {
		size = (1 + edid[VGPU_EDID_EXTENSIONS]) * VGPU_EDID_BLOCK;
		if (size > sizeof(model->edid) || !vgpu_edid_valid(edid, size))
			return false;
	}
	for (i = size; i < sizeof(model->edid); i++)
		if (edid[i])
			return false;
	return true;
}

/* Pixels or lines of a detailed timing: 8 bits, and 4 more beside those of its blanking. */
static u32 vgpu_edid_active(const u8 *timing, u32 low, u32 high)
{
	return timing[low] | (timing[high] & 0xf0) << 4;
}

/**
 * vgpu_monitor_plug() - plug in monitors
 * @model: the model; nothing changes with a personality that does not have this
 * @heads: into so many heads, at most as many as the type has; 0 for the default, one
 */
void vgpu_monitor_plug(struct vgpu_model *model, u32 heads)
{
	heads = heads ?: 1;
	if (!vgpu_personality(model->profile)->plugs || model->plugged == heads)
		return;
	model->plugged = heads;
	vgpu_event_raise(model, VGPU_EVENT_MONITOR);
}

/**
 * vgpu_monitor_get() - what is plugged into a head
 * @model: the model
 * @head: one that the type has
 * @monitor: where to
 */
void vgpu_monitor_get(const struct vgpu_model *model, u32 head,
		      struct vgpu_monitor *monitor)
{
	const u8 *edid = head ? model->default_edid : model->edid;
	const u8 *timing = edid + VGPU_EDID_TIMING;

	memset(monitor, 0, sizeof(*monitor));
	monitor->connected = head ? head < model->plugged : model->link.up;
	if (!monitor->connected)
		return;
	/* The first detailed timing is what a monitor prefers (E-EDID, 3.10.2). */
	monitor->width = vgpu_edid_active(timing, 2, 4);
	monitor->height = vgpu_edid_active(timing, 5, 7);
	monitor->edid_size = (1 + edid[VGPU_EDID_EXTENSIONS]) * VGPU_EDID_BLOCK;
	memcpy(monitor->edid, edid, monitor->edid_size);
}

/**
 * vgpu_link_read() - read the EDID region
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_REGION_EDID_SIZE
 */
void vgpu_link_read(const struct vgpu_model *model, u32 offset, void *buf,
		    u32 len)
{
	const struct vgpu_link *link = &model->link;
	u8 regs[sizeof(struct vfio_region_gfx_edid)];
	u32 i;

	put_unaligned_le32(VGPU_REGION_EDID_BLOB,
			   regs + offsetof(struct vfio_region_gfx_edid,
					   edid_offset));
	put_unaligned_le32(sizeof(link->blob),
			   regs + offsetof(struct vfio_region_gfx_edid,
					   edid_max_size));
	put_unaligned_le32(link->size,
			   regs + offsetof(struct vfio_region_gfx_edid,
					   edid_size));
	put_unaligned_le32(model->profile->max_width,
			   regs + offsetof(struct vfio_region_gfx_edid,
					   max_xres));
	put_unaligned_le32(model->profile->max_height,
			   regs + offsetof(struct vfio_region_gfx_edid,
					   max_yres));
	put_unaligned_le32(link->up ? VFIO_DEVICE_GFX_LINK_STATE_UP :
				      VFIO_DEVICE_GFX_LINK_STATE_DOWN,
			   regs + offsetof(struct vfio_region_gfx_edid,
					   link_state));
	for (i = 0; i < len; i++) {
		u32 pos = offset + i;
		u8 value = 0;

		if (pos < sizeof(regs))
			value = regs[pos];
		else if (pos >= VGPU_REGION_EDID_BLOB)
			value = link->blob[pos - VGPU_REGION_EDID_BLOB];
		((u8 *)buf)[i] = value;
	}
}

/**
 * vgpu_link_write() - write the EDID region
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_REGION_EDID_SIZE
 *
 * Return: 0; -EINVAL for a size that is too large, a link state that there is
 * not, a link that cannot go up because the blob is no EDID, and anything but
 * the blob or one of these two as a whole
 */
int vgpu_link_write(struct vgpu_model *model, u32 offset, const void *buf,
		    u32 len)
{
	struct vgpu_link *link = &model->link;
	u32 value;

	if (offset >= VGPU_REGION_EDID_BLOB) {
		memcpy(link->blob + (offset - VGPU_REGION_EDID_BLOB), buf,
		       len);
		return 0;
	}
	if (len != sizeof(value))
		return -EINVAL;
	value = get_unaligned_le32(buf);
	switch (offset) {
	case offsetof(struct vfio_region_gfx_edid, edid_size):
		if (value > sizeof(link->blob))
			return -EINVAL;
		link->size = value;
		return 0;
	case offsetof(struct vfio_region_gfx_edid, link_state):
		return vgpu_link_set_state(model, value);
	default:
		return -EINVAL;
	}
}
