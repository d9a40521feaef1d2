/* SPDX-License-Identifier: GPL-2.0 */
/* Display outputs: what each shows, and when that changes. */
#ifndef _VGPU_DISPLAY_H
#define _VGPU_DISPLAY_H

#include <linux/types.h>
#include <linux/vgpu.h>

struct vgpu_model;
struct vgpu_profile;

/**
 * struct vgpu_scanout - the picture that a head shows
 * @format: DRM fourcc, 0 when the head shows nothing
 * @width: in pixels
 * @height: in lines
 * @pitch: bytes from one line to the next
 * @offset: of the first byte, in the framebuffer
 */
struct vgpu_scanout {
	u32 format;
	u32 width;
	u32 height;
	u32 pitch;
	u64 offset;
};

/**
 * struct vgpu_cursor - the cursor of a head
 * @image: the picture of it; a format of 0 when it is hidden
 * @x: its left edge on the head, may be negative
 * @y: its upper edge
 * @hot_x: the pixel that points, in the image
 * @hot_y: its line
 */
struct vgpu_cursor {
	struct vgpu_scanout image;
	s16 x, y;
	u16 hot_x, hot_y;
};

/**
 * struct vgpu_head - a display output
 * @shown: what it shows
 * @next: what it shows from the next frame on while @flip is set, else zero
 * @flip: a flip waits
 * @refused: the last commit named something that cannot be shown
 * @cursor: on top of @shown
 * @vblanks: vertical blanking intervals
 * @flips: flips that were carried out
 * @regs: registers that the guest writes, by offset / 4
 */
struct vgpu_head {
	struct vgpu_scanout shown;
	struct vgpu_scanout next;
	bool flip;
	bool refused;
	struct vgpu_cursor cursor;
	u32 vblanks;
	u32 flips;
	u32 regs[VGPU_HEAD_SIZE / 4];
};

bool vgpu_scanout_valid(const struct vgpu_profile *profile,
			const struct vgpu_scanout *scanout);
bool vgpu_scanout_none(const struct vgpu_scanout *s);
bool vgpu_scanout_same_mode(const struct vgpu_scanout *a,
			    const struct vgpu_scanout *b);
void vgpu_head_show(struct vgpu_model *model, u32 head,
		    const struct vgpu_scanout *want);
void vgpu_heads_reset(struct vgpu_model *model);
void vgpu_heads_frame(struct vgpu_model *model, u32 nr);
bool vgpu_heads_shown(const struct vgpu_model *model);
bool vgpu_cursor_valid(const struct vgpu_profile *profile,
		       const struct vgpu_cursor *cursor);
bool vgpu_head_valid(const struct vgpu_profile *profile,
		     const struct vgpu_head *head);

#endif /* _VGPU_DISPLAY_H */
