// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO device operations of a vGPU: life cycle and ioctls.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "core.h"

/* How often the VFIO core asks for a device that is being removed. */
#define VGPU_REQUEST_PERIOD_S	10

static unsigned int revoke_seconds = 60;
module_param(revoke_seconds, uint, 0644);
MODULE_PARM_DESC(revoke_seconds, "Time that a VMM has to let go of a vGPU that is being removed (default 60)");

static int vgpu_vfio_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct vgpu_type *type = mtype_to_type(mdev->type);
	int ret;

	vgpu->mdev = mdev;
	vgpu->type = type;
	mutex_init(&vgpu->lock);
	mutex_init(&vgpu->irqs.set_lock);
	spin_lock_init(&vgpu->irqs.lock);
	mutex_init(&vgpu->ioeventfds.lock);
	INIT_LIST_HEAD(&vgpu->ioeventfds.list);
	vgpu_params_init(&vgpu->params);
	vgpu_params_init(&vgpu->next_params);
	vgpu_vblank_init(vgpu);
	vgpu_deferred_init(vgpu);
	ret = vgpu_fb_init(&vgpu->fb, type->pgpu, type->desc.profile.fb_size);
	if (ret)
		return ret;
	vgpu->fb.mapping = vgpu_mmaps_init(&vgpu->mmaps, vdev);
	vgpu_migration_init(vgpu);
	return 0;
}

static void vgpu_vfio_release(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);

	vgpu_deferred_fini(vgpu);
	vgpu_fb_destroy(&vgpu->fb);
	mutex_destroy(&vgpu->migration.lock);
	mutex_destroy(&vgpu->ioeventfds.lock);
	mutex_destroy(&vgpu->irqs.set_lock);
	mutex_destroy(&vgpu->lock);
	vgpu_vfio_released(vdev);
}

static void vgpu_reset_locked(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->lock);
	vgpu_model_reset(vgpu->model);
	atomic_set(&vgpu->ioeventfds.rung, 0);
	vgpu_bars_update(vgpu);
	vgpu_vblank_update(vgpu);
	vgpu_irq_update(vgpu);
	vgpu_gfx_update(vgpu);
	vgpu_gfx_forget(vgpu);
	vgpu_fb_clear(&vgpu->fb);
}

/**
 * vgpu_reset() - power on or function-level reset
 * @vgpu: no mode afterwards, no interrupt, and a framebuffer of zeroes
 *
 * Context: a VMM has it open
 */
void vgpu_reset(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	vgpu_reset_locked(vgpu);
	mutex_unlock(&vgpu->lock);
}

/**
 * vgpu_set_stopped() - stop for a migration, or go on
 * @vgpu: a VMM has it open
 * @stopped: no frame ends and no interrupt is sent from now on, or what is due is
 */
void vgpu_set_stopped(struct vgpu *vgpu, bool stopped)
{
	mutex_lock(&vgpu->lock);
	vgpu->stopped = stopped;
	vgpu_vblank_update(vgpu);
	vgpu_irq_update(vgpu);
	mutex_unlock(&vgpu->lock);
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
	*own = *model;
	atomic_set(&vgpu->ioeventfds.rung, 0);
	/* An interrupt that was sent on the way is sent again, and none is lost. */
	vgpu_irq_resend(vgpu);
	vgpu_bars_update(vgpu);
	vgpu_gfx_update(vgpu);
	vgpu_gfx_forget(vgpu);
}

/*
 * Take the vGPU away from a VMM that did not let go of it: mappings end in
 * SIGBUS, accesses answer all ones, interrupts and frames stop.  The device
 * itself goes when the VMM closes it, which may happen right now.
 */
static void vgpu_revoke(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->model) {
		vgpu_reset_locked(vgpu);
		vgpu->revoked = true;
		vgpu_bars_update(vgpu);
		vgpu_fb_revoke(&vgpu->fb, true);
	}
	mutex_unlock(&vgpu->lock);
}

/*
 * The VFIO core wants the device back, now and every ten seconds until it has
 * it.  QEMU answers by unplugging it from the guest.
 */
static void vgpu_vfio_request(struct vfio_device *vdev, unsigned int count)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);

	if (!vgpu_irq_request(vgpu) && !count)
		dev_info(vdev->dev, "in use by a program that cannot be asked to let go\n");
	if (count * VGPU_REQUEST_PERIOD_S < READ_ONCE(revoke_seconds) ||
	    READ_ONCE(vgpu->revoked))
		return;
	dev_warn(vdev->dev, "not released within %u seconds: revoked\n",
		 count * VGPU_REQUEST_PERIOD_S);
	vgpu_revoke(vgpu);
}

static void vgpu_set_open(struct vgpu *vgpu, bool open)
{
	WRITE_ONCE(vgpu->open, open);
	vgpu_attrs_busy(vgpu);
}

static int vgpu_vfio_open(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu->type->pgpu;
	struct vgpu_model *model;
	struct vgpu_plane *planes;

	/* The VFIO core holds this module; the backend's is for us to hold. */
	if (!try_module_get(pgpu->desc.owner))
		return -ENODEV;
	model = kvmalloc(sizeof(*model), GFP_KERNEL_ACCOUNT);
	planes = kcalloc(VGPU_MAX_PLANES, sizeof(*planes), GFP_KERNEL_ACCOUNT);
	if (!model || !planes) {
		kvfree(model);
		kfree(planes);
		module_put(pgpu->desc.owner);
		return -ENOMEM;
	}
	vgpu_model_init(model, &vgpu->type->desc.profile);
	mutex_lock(&vgpu->lock);
	/* Errors of before are not this guest's. */
	vgpu_deferred_run(vgpu);
	vgpu->model = model;
	vgpu->planes = planes;
	vgpu->params = vgpu->next_params;
	model->frl_hz = vgpu_vblank_limit(vgpu);
	if (vgpu->params.width)
		vgpu_link_init(model, vgpu->params.width, vgpu->params.height);
	/* In this order: no reset of the pGPU changes it from here on. */
	atomic_inc(&pgpu->open_count);
	model->ecc.on = pgpu_ecc_enabled(pgpu);
	/* Of errors while nobody had it open; it is all zeroes anyway. */
	if (pgpu_ecc_has_pending(pgpu))
		vgpu_fb_clear(&vgpu->fb);
	mutex_unlock(&vgpu->lock);
	vgpu_set_open(vgpu, true);
	return 0;
}

static void vgpu_vfio_close(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu->type->pgpu;

	vgpu_migration_close(vgpu);
	/* The next VMM finds a vGPU as it was made, and no memory is kept. */
	vgpu_ioeventfd_release(vgpu);
	vgpu_irq_release(vgpu);
	vgpu_dmabuf_end(&vgpu->fb);
	vgpu_reset(vgpu);
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked)
		vgpu_fb_revoke(&vgpu->fb, false);
	vgpu->revoked = false;
	vgpu->bars_on = false;
	vgpu->doorbells_on = false;
	kvfree(vgpu->model);
	vgpu->model = NULL;
	kfree(vgpu->planes);
	vgpu->planes = NULL;
	mutex_unlock(&vgpu->lock);
	vgpu_set_open(vgpu, false);
	atomic_dec(&pgpu->open_count);
	module_put(pgpu->desc.owner);
}

static int vgpu_get_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = { };

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VGPU_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long vgpu_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
			    unsigned long arg)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vgpu_get_info(uarg);
#ifndef VGPU_HAVE_REGION_INFO_CAPS
	case VFIO_DEVICE_GET_REGION_INFO:
		return vgpu_region_info_ioctl(vdev, uarg, vgpu_region_info);
#endif
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vgpu_irq_info(vgpu, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return vgpu_irq_set(vgpu, uarg);
	case VFIO_DEVICE_RESET:
		vgpu_migration_reset(vgpu);
		return 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return vgpu_gfx_query_plane(vgpu, uarg);
	case VFIO_DEVICE_GET_GFX_DMABUF:
		return vgpu_gfx_get_dmabuf(vgpu, uarg);
	case VFIO_DEVICE_IOEVENTFD:
		return vgpu_ioeventfd_set(vgpu, uarg);
	default:
		return -ENOTTY;
	}
}

const struct vfio_device_ops vgpu_vfio_ops = {
	.name = "vgpu",
	.init = vgpu_vfio_init,
	.release = vgpu_vfio_release,
	.open_device = vgpu_vfio_open,
	.close_device = vgpu_vfio_close,
	.read = vgpu_region_read,
	.write = vgpu_region_write,
	.mmap = vgpu_region_mmap,
	.ioctl = vgpu_vfio_ioctl,
	.request = vgpu_vfio_request,
	VGPU_REGION_INFO_OP(vgpu_region_info)
	VGPU_FEATURE_OP(vgpu_feature)
	VGPU_IOMMUFD_OPS
};
