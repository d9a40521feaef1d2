// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO device operations of a vGPU: life cycle and ioctls.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/sysfs.h>
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
	vgpu_vblank_init(vgpu);
	vgpu_model_init(&vgpu->model, &type->desc.profile);
	ret = vgpu_fb_init(&vgpu->fb, type->pgpu, type->desc.profile.fb_size);
	if (ret)
		return ret;
	vgpu->fb.mapping = vgpu_mmaps_init(&vgpu->mmaps, vdev);
	return 0;
}

static void vgpu_vfio_release(struct vfio_device *vdev)
{
	mutex_destroy(&vdev_to_vgpu(vdev)->irqs.set_lock);
	mutex_destroy(&vdev_to_vgpu(vdev)->lock);
	vgpu_vfio_released(vdev);
}

/**
 * vgpu_reset() - power on or function-level reset
 * @vgpu: no mode afterwards, no interrupt, and a framebuffer of zeroes
 */
void vgpu_reset(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	vgpu_model_reset(&vgpu->model);
	vgpu_vblank_update(vgpu);
	vgpu_irq_update(vgpu);
	vgpu_fb_set_console(&vgpu->fb, 0);
	vgpu_fb_clear(&vgpu->fb);
	mutex_unlock(&vgpu->lock);
}

/*
 * Take the vGPU away from a VMM that did not let go of it: mappings end in
 * SIGBUS, accesses answer all ones, interrupts and frames stop.  The device
 * itself goes when the VMM closes it.
 */
static void vgpu_revoke(struct vgpu *vgpu)
{
	vgpu_reset(vgpu);
	mutex_lock(&vgpu->lock);
	vgpu->revoked = true;
	vgpu_fb_revoke(&vgpu->fb, true);
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

static ssize_t busy_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", READ_ONCE(vgpu->open));
}
static DEVICE_ATTR_RO(busy);

static ssize_t request_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	bool ask;
	int ret;

	ret = kstrtobool(buf, &ask);
	if (ret)
		return ret;
	if (ask && READ_ONCE(vgpu->open) && !vgpu_irq_request(vgpu))
		return -EOPNOTSUPP;
	return count;
}
static DEVICE_ATTR_WO(request);

static struct attribute *vgpu_dev_attrs[] = {
	&dev_attr_busy.attr,
	&dev_attr_request.attr,
	NULL
};

static const struct attribute_group vgpu_dev_group = {
	.name = "vgpu",
	.attrs = vgpu_dev_attrs,
};

const struct attribute_group *vgpu_dev_groups[] = { &vgpu_dev_group, NULL };

static void vgpu_set_open(struct vgpu *vgpu, bool open)
{
	WRITE_ONCE(vgpu->open, open);
	sysfs_notify(&vgpu->mdev->dev.kobj, "vgpu", "busy");
}

static int vgpu_vfio_open(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu->type->pgpu;

	/* The VFIO core holds this module; the backend's is for us to hold. */
	if (!try_module_get(pgpu->desc.owner))
		return -ENODEV;
	atomic_inc(&pgpu->open_count);
	vgpu_set_open(vgpu, true);
	return 0;
}

static void vgpu_vfio_close(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu->type->pgpu;

	/* The next VMM finds a vGPU as it was made, and no memory is kept. */
	vgpu_irq_release(vgpu);
	vgpu_reset(vgpu);
	vgpu_vblank_stop(vgpu);
	mutex_lock(&vgpu->lock);
	vgpu_link_init(&vgpu->model);
	mutex_unlock(&vgpu->lock);
	if (vgpu->revoked) {
		vgpu_fb_revoke(&vgpu->fb, false);
		vgpu->revoked = false;
	}
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
		vgpu_reset(vgpu);
		return 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return vgpu_gfx_query_plane(vgpu, uarg);
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
	VGPU_IOMMUFD_OPS
};
