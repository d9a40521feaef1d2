// SPDX-License-Identifier: GPL-2.0
/*
 * Vertical blanking: a virtual head shows frames at the rate of its type.
 *
 * A timer keeps the rate, which does not drift, and work that may sleep does
 * the rest.  It runs only while head 0 shows something.
 */
#include <linux/hrtimer.h>
#include <linux/workqueue.h>

#include "core.h"

static enum hrtimer_restart vgpu_vblank_timer(struct hrtimer *timer)
{
	struct vgpu_vblank *vblank = container_of(timer, struct vgpu_vblank,
						  timer);

	queue_work(system_highpri_wq, &vblank->work);
	hrtimer_forward_now(timer, vblank->period);
	return HRTIMER_RESTART;
}

static void vgpu_vblank_work(struct work_struct *work)
{
	struct vgpu *vgpu = container_of(work, struct vgpu, vblank.work);

	mutex_lock(&vgpu->lock);
	if (vgpu->vblank.running) {
		vgpu_native_vblank(&vgpu->model, 0);
		vgpu_irq_update(vgpu);
	}
	mutex_unlock(&vgpu->lock);
}

void vgpu_vblank_init(struct vgpu *vgpu)
{
	u32 hz = vgpu->type->desc.profile.frl_hz;

	vgpu->vblank.period = NSEC_PER_SEC / hz;
	vgpu_hrtimer_setup(&vgpu->vblank.timer, vgpu_vblank_timer);
	INIT_WORK(&vgpu->vblank.work, vgpu_vblank_work);
}

/**
 * vgpu_vblank_update() - start or stop after a change of the picture
 * @vgpu: its lock is held
 */
void vgpu_vblank_update(struct vgpu *vgpu)
{
	struct vgpu_vblank *vblank = &vgpu->vblank;
	bool run = vgpu->model.scanout.format;

	lockdep_assert_held(&vgpu->lock);
	if (run == vblank->running)
		return;
	vblank->running = run;
	if (run)
		hrtimer_start(&vblank->timer, vblank->period, HRTIMER_MODE_REL);
	else
		hrtimer_cancel(&vblank->timer);
}

/**
 * vgpu_vblank_stop() - nothing runs any more afterwards
 * @vgpu: shows nothing
 */
void vgpu_vblank_stop(struct vgpu *vgpu)
{
	hrtimer_cancel(&vgpu->vblank.timer);
	cancel_work_sync(&vgpu->vblank.work);
}
