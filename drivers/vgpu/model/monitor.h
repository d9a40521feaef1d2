/* SPDX-License-Identifier: GPL-2.0 */
/* The monitor on head 0, and EDIDs. */
#ifndef _VGPU_MONITOR_H
#define _VGPU_MONITOR_H

#include <linux/types.h>
#include <linux/vgpu.h>

struct vgpu_model;

#define VGPU_EDID_BLOCK		128
#define VGPU_EDID_TIMING	54	/* the first detailed timing */
#define VGPU_EDID_EXTENSIONS	126	/* how many blocks follow the first */

/**
 * struct vgpu_link - the cable of head 0, whose other end the VMM has
 * @up: a monitor is connected
 * @size: bytes of @blob that count
 * @blob: the EDID that the VMM is writing; it counts when the link goes up
 */
struct vgpu_link {
	bool up;
	u32 size;
	u8 blob[VGPU_BAR2_EDID_SIZE];
};

/**
 * struct vgpu_monitor - what is plugged into a head
 * @connected: a monitor is
 * @width: what the monitor prefers, in pixels
 * @height: in lines
 * @edid_size: bytes of @edid
 * @edid: the monitor's EDID
 */
struct vgpu_monitor {
	bool connected;
	u32 width;
	u32 height;
	u32 edid_size;
	u8 edid[VGPU_BAR2_EDID_SIZE];
};

bool vgpu_edid_can_prefer(u32 width, u32 height);
void vgpu_edid_generate(u8 edid[VGPU_EDID_BLOCK], u32 width, u32 height,
			u32 max_width, u32 max_height);

bool vgpu_edid_valid(const u8 *edid, u32 size);

void vgpu_link_init(struct vgpu_model *model, u32 width, u32 height);
void vgpu_link_read(const struct vgpu_model *model, u32 offset, void *buf,
		    u32 len);
void vgpu_monitor_plug(struct vgpu_model *model, u32 heads);
void vgpu_monitor_get(const struct vgpu_model *model, u32 head,
		      struct vgpu_monitor *monitor);
bool vgpu_link_valid(const struct vgpu_model *model);
int vgpu_link_write(struct vgpu_model *model, u32 offset, const void *buf,
		    u32 len);

#endif /* _VGPU_MONITOR_H */
