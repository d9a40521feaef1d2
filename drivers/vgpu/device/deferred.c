// SPDX-License-Identifier: GPL-2.0
/*
 * What is done with vgpu.lock held for those who must not wait for it: timers, and
 * whoever reports errors in memory for the whole host.
 *
 * A reset holds the lock as long as fences of importers, or the memory of a large
 * framebuffer, take.  Work on a queue that other devices share does not wait for
 * that, either: it comes again.
 */
#include <linux/workqueue.h>

#include "device/deferred.h"
#include "device/vgpu.h"

/* Before it looks for the lock again, in jiffies. */
#define VGPU_DEFERRED_AGAIN	1

static void vgpu_deferred_queue(struct vgpu *vgpu, unsigned long delay)
{
	queue_delayed_work(system_highpri_wq, &vgpu->deferred.work, delay);
}

/* Pass errors on to the device model, if a VMM has it open; else they are dropped. */
static void vgpu_deferred_ecc(struct vgpu *vgpu)
{
	struct vgpu_deferred *deferred = &vgpu->deferred;
	u32 sbe, dbe;
	u64 page;

	lockdep_assert_held(&vgpu->lock);
	spin_lock(&deferred->lock);
	sbe = deferred->sbe;
	dbe = deferred->dbe;
	page = deferred->page;
	deferred->sbe = 0;
	deferred->dbe = 0;
	spin_unlock(&deferred->lock);
	vgpu->errors.sbe += sbe;
	vgpu->errors.dbe += dbe;
	if (!vgpu->model || !(sbe + dbe))
		return;
	/* Doorbells that rang before the error count. */
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	while (sbe--)
		vgpu_model_ecc(vgpu->model, false, 0);
	while (dbe--)
		vgpu_model_ecc(vgpu->model, true, page);
	vgpu_apply(vgpu);
}

/**
 * vgpu_deferred_run() - do it now
 * @vgpu: vgpu.lock is held
 */
void vgpu_deferred_run(struct vgpu *vgpu)
{
	vgpu_deferred_ecc(vgpu);
	vgpu_vblank_frames(vgpu);
}

static void vgpu_deferred_work(struct work_struct *work)
{
	struct vgpu *vgpu = container_of(to_delayed_work(work), struct vgpu,
					 deferred.work);

	if (!mutex_trylock(&vgpu->lock)) {
		vgpu_deferred_queue(vgpu, VGPU_DEFERRED_AGAIN);
		return;
	}
	vgpu_deferred_run(vgpu);
	mutex_unlock(&vgpu->lock);
}

/**
 * vgpu_defer() - have it done as soon as vgpu.lock is free
 * @vgpu: the vGPU
 *
 * Context: any
 */
void vgpu_defer(struct vgpu *vgpu)
{
	vgpu_deferred_queue(vgpu, 0);
}

/**
 * vgpu_ecc_event() - an error in the memory of a vGPU
 * @vgpu: the vGPU, referenced; if a VMM has it open, the guest is notified, at once
 *	where nobody holds vgpu.lock
 * @dbe: whether its content is lost
 * @page: page number in the framebuffer
 *
 * Context: process, none of the locks; waits for none that a VMM can hold
 */
void vgpu_ecc_event(struct vgpu *vgpu, bool dbe, u64 page)
{
	struct vgpu_deferred *deferred = &vgpu->deferred;

	spin_lock(&deferred->lock);
	if (dbe) {
		deferred->dbe++;
		deferred->page = page;
	} else {
		deferred->sbe++;
	}
	spin_unlock(&deferred->lock);
	if (!mutex_trylock(&vgpu->lock)) {
		vgpu_defer(vgpu);
		return;
	}
	vgpu_deferred_ecc(vgpu);
	mutex_unlock(&vgpu->lock);
}

void vgpu_deferred_init(struct vgpu *vgpu)
{
	spin_lock_init(&vgpu->deferred.lock);
	INIT_DELAYED_WORK(&vgpu->deferred.work, vgpu_deferred_work);
}

/**
 * vgpu_deferred_fini() - opposite of vgpu_deferred_init()
 * @vgpu: nobody has a reference on it any more
 */
void vgpu_deferred_fini(struct vgpu *vgpu)
{
	cancel_delayed_work_sync(&vgpu->deferred.work);
}
