/* SPDX-License-Identifier: GPL-2.0 */
/* Frames of a vGPU. */
#ifndef _VGPU_VBLANK_H
#define _VGPU_VBLANK_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>

struct vgpu;

/**
 * struct vgpu_vblank - the frames of the heads
 * @timer: one shot a frame
 * @ended: frames that have ended and that nothing has been done for
 * @running: a head shows something; this and the following are protected by
 *	vgpu.lock
 * @period: of a frame
 * @since: when the running second began
 * @frames: in it so far
 * @rate: of the last full second
 */
struct vgpu_vblank {
	struct hrtimer timer;
	atomic_t ended;
	bool running;
	ktime_t period;
	ktime_t since;
	u32 frames;
	u32 rate;
};

void vgpu_vblank_init(struct vgpu *vgpu);
u32 vgpu_vblank_limit(struct vgpu *vgpu);
void vgpu_vblank_update(struct vgpu *vgpu);
void vgpu_vblank_frames(struct vgpu *vgpu);
u32 vgpu_vblank_rate(struct vgpu *vgpu);

#endif /* _VGPU_VBLANK_H */
