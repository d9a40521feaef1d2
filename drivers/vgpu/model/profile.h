/* SPDX-License-Identifier: GPL-2.0 */
/* What a type promises, as far as the guest can see. */
#ifndef _VGPU_PROFILE_H
#define _VGPU_PROFILE_H

#include <linux/types.h>

/* Limits that hold for every type. */
#define VGPU_MAX_HEADS		4
#define VGPU_FB_MIN		(16ULL << 20)
#define VGPU_FB_MAX		(1ULL << 40)

/* Kinds of device that a vGPU can be to its guest; see model/personality.h. */
enum vgpu_personality_nr {
	VGPU_BOCHS,		/* bochs-display, with registers of our own */
	VGPU_VIRTIO,		/* virtio-gpu, for which guests have a driver */
	VGPU_NR_PERSONALITIES
};

/**
 * struct vgpu_profile - the properties of a type that the guest can see
 * @fb_size: framebuffer in bytes, a multiple of 2 MiB
 * @num_heads: display outputs, 1 to VGPU_MAX_HEADS
 * @frl_hz: frame-rate limit in frames a second, 0 for none
 * @max_width: largest width of a head in pixels
 * @max_height: largest height of a head in lines
 * @personality: enum vgpu_personality_nr
 */
struct vgpu_profile {
	u64 fb_size;
	u32 num_heads;
	u32 frl_hz;
	u32 max_width;
	u32 max_height;
	u32 personality;
};

#endif /* _VGPU_PROFILE_H */
