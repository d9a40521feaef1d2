// SPDX-License-Identifier: GPL-2.0
/*
 * A vGPU: how it is made, opened, reset, stopped, loaded, revoked and closed.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "device/plane.h"
#include "device/vgpu.h"
#include "memory/dmabuf.h"
#include "memory/vram.h"
#include "model/pci_config.h"
#include "model/stream/identity.h"
#include "model/type.h"

/**
 * vgpu_init() - make a vGPU
 * @vgpu: zeroed, but for the VFIO core's part
 * @type: of this type
 * @vram: with a framebuffer in this memory
 *
 * Return: 0; -ENOSPC when there is no room for it; -ENOMEM
 */
int vgpu_init(struct vgpu *vgpu, const struct vgpu_type_desc *type,
	      struct vram *vram)
{
	vgpu->type = type;
	mutex_init(&vgpu->lock);
	mutex_init(&vgpu->irqs.set_lock);
	spin_lock_init(&vgpu->irqs.lock);
	mutex_init(&vgpu->ioeventfds.lock);
	INIT_LIST_HEAD(&vgpu->ioeventfds.list);
	vgpu_params_init(&vgpu->params);
	vgpu->next_params = vgpu->params;
	vgpu_vblank_init(vgpu);
	vgpu_deferred_init(vgpu);
	vgpu_dma_init(vgpu);
	vgpu_exec_init(vgpu);
	return vgpu_fb_init(&vgpu->fb, vram, type->profile.fb_size,
			    &vgpu->vdev.device);
}

/**
 * vgpu_fini() - opposite of vgpu_init()
 * @vgpu: nobody has a reference on it any more; its VRAM has been given back
 */
void vgpu_fini(struct vgpu *vgpu)
{
	vgpu_exec_fini(vgpu);
	vgpu_dma_fini(vgpu);
	vgpu_deferred_fini(vgpu);
	vgpu_fb_destroy(&vgpu->fb);
	mutex_destroy(&vgpu->ioeventfds.lock);
	mutex_destroy(&vgpu->irqs.set_lock);
	mutex_destroy(&vgpu->lock);
}

/**
 * vgpu_get() - hold on to a vGPU: it may be removed meanwhile, but not forgotten
 * @vgpu: the vGPU, which exists as long as the caller holds vram.lock
 *
 * Return: @vgpu with a reference; NULL when it is just being made, or going
 */
struct vgpu *vgpu_get(struct vgpu *vgpu)
{
	if (!kobject_get_unless_zero(&vgpu->vdev.device.kobj))
		return NULL;
	get_device(vgpu->vdev.dev);
	return vgpu;
}

/**
 * vgpu_put() - opposite of vgpu_get()
 * @vgpu: the vGPU
 */
void vgpu_put(struct vgpu *vgpu)
{
	struct device *dev = vgpu->vdev.dev;

	put_device(&vgpu->vdev.device);
	put_device(dev);
}

/*
 * With memory space off, or the device gone, a bus reads all ones and writes go
 * nowhere.
 */
static void vgpu_bars_update(struct vgpu *vgpu)
{
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	WRITE_ONCE(vgpu->bars_on,
		   !vgpu->revoked && vgpu_config_memory(vgpu->model));
}

/* See vgpu_apply(), which is for most cases where there is nothing to do. */
void vgpu_apply_changes(struct vgpu *vgpu)
{
	u32 changed = vgpu->model->changed;

	lockdep_assert_held(&vgpu->lock);
	vgpu->model->changed = 0;
	if (changed & VGPU_CHANGED_BARS)
		vgpu_bars_update(vgpu);
	if (changed & VGPU_CHANGED_HEADS) {
		vgpu_gfx_update(vgpu);
		vgpu_vblank_update(vgpu);
	}
	if (changed & VGPU_CHANGED_EVENTS)
		vgpu_irq_update(vgpu);
	if (changed & VGPU_CHANGED_WORK)
		vgpu_exec_work(vgpu);
}

/* A guest that sleeps through it finds again what it had, so that is @keep. */
static void vgpu_reset_locked(struct vgpu *vgpu, bool keep)
{
	struct vgpu_virtio was = vgpu->model->virtio;

	lockdep_assert_held(&vgpu->lock);
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	vgpu_model_reset(vgpu->model);
	if (keep)
		vgpu_virtio_keep(vgpu->model, &was);
	vgpu_apply(vgpu);
	vgpu_gfx_forget(vgpu);
	if (!keep)
		vgpu_fb_clear(&vgpu->fb);
}

/**
 * vgpu_reset() - power on or function-level reset
 * @vgpu: no mode afterwards, no interrupt, and a framebuffer of zeroes, unless the guest
 *	sleeps (model/virtio/sleep.c); for a VMM that is killed meanwhile only when the
 *	vGPU is closed
 *
 * Context: a VMM has it open
 */
void vgpu_reset(struct vgpu *vgpu)
{
	bool keep;

	if (vgpu_exec_begin_reset(vgpu))
		return;
	mutex_lock(&vgpu->lock);
	keep = vgpu_exec_sleeps(vgpu);
	vgpu_reset_locked(vgpu, keep);
	mutex_unlock(&vgpu->lock);
	vgpu_exec_end_reset(vgpu, keep);
}

/**
 * vgpu_set_stopped() - stop for a migration, or go on
 * @vgpu: a VMM has it open
 * @stopped: no frame ends and no interrupt is sent from now on, or what is due is
 *
 * Return: 0; -EINTR for a VMM that was killed meanwhile: then it goes on
 */
int vgpu_set_stopped(struct vgpu *vgpu, bool stopped)
{
	int ret;

	mutex_lock(&vgpu->lock);
	vgpu->stopped = stopped;
	vgpu->model->changed |= VGPU_CHANGED_HEADS | VGPU_CHANGED_EVENTS |
				VGPU_CHANGED_WORK;
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	ret = stopped ? vgpu_exec_stop(vgpu) : 0;
	if (ret)
		vgpu_set_stopped(vgpu, false);
	return ret;
}

/**
 * vgpu_load() - become another vGPU
 * @vgpu: stopped, and of the same type
 * @model: what the guest sees of that one; changed to what it sees of this one
 * @params: its settings
 *
 * A VMM has the stream in its hands, and can have written it itself, so nothing
 * comes from it that is not the guest's or the VMM's to choose.  Settings are those
 * of the administrator of this vGPU, or stricter.
 */
void vgpu_load(struct vgpu *vgpu, struct vgpu_model *model,
	       const struct vgpu_params *params)
{
	struct vgpu_model *own = vgpu->model;
	u32 era;

	lockdep_assert_held(&vgpu->lock);
	vgpu->params.frame_rate_limiter |= params->frame_rate_limiter;
	vgpu->params.disable_vnc |= params->disable_vnc;
	model->frl_hz = vgpu_vblank_limit(vgpu);
	model->bad_access = own->bad_access;
	model->ecc.on = own->ecc.on;
	/* Errors of this one's memory since it has what was loaded. */
	if (!model->ecc.opt_out)
		model->ecc.sbe += vgpu->errors.sbe;
	memcpy(model->default_edid, own->default_edid,
	       sizeof(model->default_edid));
	era = own->virtio.era;
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	*own = *model;
	own->virtio.era = era + 1;
	/* What it was notified of on the way. */
	own->virtio.work = VGPU_WORK_ALL;
	own->virtio.asleep = !vgpu_config_d0(own);
	own->changed = VGPU_CHANGED_ALL;
	/* An interrupt that was sent on the way is sent again, and none is lost. */
	vgpu_irq_resend(vgpu);
	vgpu_apply(vgpu);
	vgpu_gfx_forget(vgpu);
}

/**
 * vgpu_revoke() - take the vGPU away from a VMM that did not let go of it
 * @vgpu: the vGPU
 *
 * Mappings end in SIGBUS, accesses answer all ones, interrupts and frames stop.  The
 * device itself goes when the VMM closes it, which may happen right now.
 */
void vgpu_revoke(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->model) {
		vgpu_reset_locked(vgpu, false);
		vgpu->revoked = true;
		vgpu->model->changed |= VGPU_CHANGED_BARS;
		vgpu_apply(vgpu);
		vgpu_fb_revoke(&vgpu->fb, true);
	}
	mutex_unlock(&vgpu->lock);
}

/**
 * vgpu_open() - a VMM opens the vGPU
 * @vgpu: nobody has it open
 * @ecc: whether errors of its memory are detected, for as long as it is open
 *
 * Return: 0 or a negative errno
 */
int vgpu_open(struct vgpu *vgpu, bool ecc)
{
	struct vgpu_plane *planes;
	struct vgpu_model *model;
	int ret;

	model = kvmalloc(sizeof(*model), GFP_KERNEL_ACCOUNT);
	planes = kcalloc(VGPU_MAX_PLANES, sizeof(*planes), GFP_KERNEL_ACCOUNT);
	if (!model || !planes) {
		kvfree(model);
		kfree(planes);
		return -ENOMEM;
	}
	vgpu_model_init(model, &vgpu->type->profile);
	model->ecc.on = ecc;
	mutex_lock(&vgpu->lock);
	/* Errors of before are not this guest's. */
	vgpu_deferred_run(vgpu);
	vgpu->model = model;
	vgpu->planes = planes;
	vgpu->params = vgpu->next_params;
	model->frl_hz = vgpu_vblank_limit(vgpu);
	if (vgpu->params.width)
		vgpu_link_init(model, vgpu->params.width, vgpu->params.height);
	vgpu_monitor_plug(model, vgpu->params.heads);
	/* Of errors while nobody had it open; it is all zeroes anyway. */
	if (vram_has_pending(vgpu->fb.vram))
		vgpu_fb_clear(&vgpu->fb);
	mutex_unlock(&vgpu->lock);
	ret = vgpu_exec_open(vgpu);
	if (ret)
		vgpu_close(vgpu);
	return ret;
}

/**
 * vgpu_close() - opposite of vgpu_open()
 * @vgpu: the next VMM finds it as it was made, and no memory is kept
 */
void vgpu_close(struct vgpu *vgpu)
{
	vgpu_exec_close(vgpu);
	vgpu_ioeventfd_release(vgpu);
	vgpu_irq_release(vgpu);
	vgpu_dmabuf_end(&vgpu->fb);
	vgpu_reset(vgpu);
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked)
		vgpu_fb_revoke(&vgpu->fb, false);
	vgpu->revoked = false;
	vgpu->bars_on = false;
	kvfree(vgpu->model);
	vgpu->model = NULL;
	kfree(vgpu->planes);
	vgpu->planes = NULL;
	mutex_unlock(&vgpu->lock);
}

/**
 * vgpu_identity_get() - what has to fit for another vGPU to become this one
 * @vgpu: the vGPU
 * @ecc: whether errors of its memory would be detected if it were opened now
 * @identity: where to
 */
void vgpu_identity_get(struct vgpu *vgpu, bool ecc,
		       struct vgpu_identity *identity)
{
	/* For as long as it is open, what it found when it was opened holds. */
	mutex_lock(&vgpu->lock);
	if (vgpu->model)
		ecc = vgpu->model->ecc.on;
	mutex_unlock(&vgpu->lock);
	vgpu_identity_init(identity, vgpu->type, ecc);
}
