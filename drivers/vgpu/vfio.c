// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO device operations of a vGPU: life cycle and ioctls.
 */
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "core.h"

static int vgpu_vfio_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct vgpu_type *type = mtype_to_type(mdev->type);
	int ret;

	vgpu->mdev = mdev;
	vgpu->type = type;
	mutex_init(&vgpu->lock);
	vgpu_model_init(&vgpu->model, &type->desc.profile);
	ret = vgpu_fb_init(&vgpu->fb, type->pgpu, type->desc.profile.fb_size);
	if (ret)
		return ret;
	vgpu->fb.mapping = vgpu_mmaps_init(&vgpu->mmaps, vdev);
	return 0;
}

static void vgpu_vfio_release(struct vfio_device *vdev)
{
	mutex_destroy(&vdev_to_vgpu(vdev)->lock);
	vgpu_vfio_released(vdev);
}

/* Power on or function-level reset: no mode, and a framebuffer of zeroes. */
static void vgpu_reset(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	vgpu_model_reset(&vgpu->model);
	vgpu_fb_set_console(&vgpu->fb, 0);
	vgpu_fb_clear(&vgpu->fb);
	mutex_unlock(&vgpu->lock);
}

static int vgpu_vfio_open(struct vfio_device *vdev)
{
	struct pgpu *pgpu = vdev_to_vgpu(vdev)->type->pgpu;

	/* The VFIO core holds this module; the backend's is for us to hold. */
	if (!try_module_get(pgpu->desc.owner))
		return -ENODEV;
	atomic_inc(&pgpu->open_count);
	return 0;
}

static void vgpu_vfio_close(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu->type->pgpu;

	/* The next VMM finds a vGPU as it was made, and no memory is kept. */
	vgpu_reset(vgpu);
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

/* No interrupts yet: every index exists and has none. */
static int vgpu_get_irq_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info = { };

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
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
		return vgpu_get_irq_info(uarg);
	case VFIO_DEVICE_SET_IRQS:
		return -EINVAL;
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
	VGPU_REGION_INFO_OP(vgpu_region_info)
	VGPU_IOMMUFD_OPS
};
