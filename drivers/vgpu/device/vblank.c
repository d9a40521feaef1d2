// SPDX-License-Identifier: GPL-2.0
/*
 * Vertical blanking: virtual heads show frames at the rate of their type.
 *
 * A timer keeps the rate, which does not drift, and deferred.c has the rest done.
 * It runs only while a head shows something; all heads of a vGPU blank together.
 */
#include <linux/hrtimer.h>

#include "compat/misc.h"
#include "device/vblank.h"
#include "device/vgpu.h"
#include "model/type.h"

/*
 * Without a limit flips are carried out at once, and vertical blanking, which
 * needs some rate, has one that no monitor exceeds by much.
 */
#define VGPU_VBLANK_MAX_HZ	240

static enum hrtimer_restart vgpu_vblank_timer(struct hrtimer *timer)
{
	struct vgpu *vgpu = container_of(timer, struct vgpu, vblank.timer);
	struct vgpu_vblank *vblank = &vgpu->vblank;

	atomic_add(hrtimer_forward_now(timer, vblank->period), &vblank->ended);
	vgpu_defer(vgpu);
	return HRTIMER_RESTART;
}

static void vgpu_vblank_count(struct vgpu_vblank *vblank, u32 nr)
{
	ktime_t now = ktime_get();
	s64 ns = ktime_to_ns(ktime_sub(now, vblank->since));

	vblank->frames += nr;
	if (ns < NSEC_PER_SEC)
		return;
	vblank->rate = DIV64_U64_ROUND_CLOSEST((u64)vblank->frames *
					       NSEC_PER_SEC, ns);
	vblank->frames = 0;
	vblank->since = now;
}

/**
 * vgpu_vblank_frames() - what there is to do for frames that have ended
 * @vgpu: vgpu.lock is held
 */
void vgpu_vblank_frames(struct vgpu *vgpu)
{
	u32 nr = atomic_xchg(&vgpu->vblank.ended, 0);

	lockdep_assert_held(&vgpu->lock);
	if (!vgpu->vblank.running || !nr)
		return;
	vgpu_vblank_count(&vgpu->vblank, nr);
	vgpu_heads_frame(vgpu->model, nr);
	vgpu_apply(vgpu);
}

void vgpu_vblank_init(struct vgpu *vgpu)
{
	vgpu_hrtimer_setup(&vgpu->vblank.timer, vgpu_vblank_timer);
}

/**
 * vgpu_vblank_limit() - the frame-rate limit in force
 * @vgpu: vgpu.lock is held
 *
 * Return: frames a second, 0 for no limit
 */
u32 vgpu_vblank_limit(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->lock);
	return vgpu->params.frame_rate_limiter ?
	       vgpu->type->profile.frl_hz : 0;
}

/**
 * vgpu_vblank_update() - start or stop after a change of the picture, or of
 * vgpu.stopped
 * @vgpu: vgpu.lock is held
 */
void vgpu_vblank_update(struct vgpu *vgpu)
{
	struct vgpu_vblank *vblank = &vgpu->vblank;
	bool run = !vgpu->stopped && vgpu_heads_shown(vgpu->model);

	lockdep_assert_held(&vgpu->lock);
	if (run == vblank->running)
		return;
	vblank->running = run;
	vblank->rate = 0;
	vblank->frames = 0;
	vblank->since = ktime_get();
	atomic_set(&vblank->ended, 0);
	vblank->period = NSEC_PER_SEC /
			 (vgpu->model->frl_hz ?: VGPU_VBLANK_MAX_HZ);
	if (run)
		hrtimer_start(&vblank->timer, vblank->period, HRTIMER_MODE_REL);
	else
		hrtimer_cancel(&vblank->timer);
}

/**
 * vgpu_vblank_rate() - frames in the last full second
 * @vgpu: the vGPU
 *
 * Return: 0 while it shows nothing, and in the first second
 */
u32 vgpu_vblank_rate(struct vgpu *vgpu)
{
	u32 rate;

	mutex_lock(&vgpu->lock);
	rate = vgpu->vblank.rate;
	mutex_unlock(&vgpu->lock);
	return rate;
}
