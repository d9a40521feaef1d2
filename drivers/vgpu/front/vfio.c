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

#include "compat/vfio.h"
#include "device/plane.h"
#include "device/vgpu.h"
#include "front/front.h"
#include "front/region.h"
#include "migration/migration.h"

/* How often the VFIO core asks for a device that is being removed. */
#define VGPU_REQUEST_PERIOD_S	10

static unsigned int revoke_seconds = 60;
module_param(revoke_seconds, uint, 0644);
MODULE_PARM_DESC(revoke_seconds, "Time that a VMM has to let go of a vGPU that is being removed (default 60)");

static void vgpu_vfio_add_view(struct vgpu *vgpu, enum vgpu_view nr, u32 region,
			       struct address_space *mapping)
{
	struct vgpu_fb_view *view = &vgpu->views[nr];

	view->fb = &vgpu->fb;
	view->mapping = mapping;
	view->at = VGPU_INDEX_TO_OFFSET(region);
	view->nr = vgpu_fb_pages(&vgpu->fb);
	view->is_guest = nr == VGPU_VIEW_BAR0;
	vgpu_fb_view_init(view);
}

int vgpu_vfio_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct vgpu_type *type = mdev_to_type(to_mdev_device(vdev->dev));
	struct address_space *mapping;
	int ret;

	/*
	 * A set of its own, as the VFIO core would make one, but with a small number and
	 * not an address for an id: nearly each address takes more nodes of the xarray
	 * in which the core looks for it.  The core ends it, also after an error.
	 */
	ret = vfio_assign_device_set(vdev, (void *)(vdev->index + 1UL));
	if (ret)
		return ret;
	ret = vgpu_init(vgpu, type->desc, &type->pgpu->vram);
	if (ret)
		return ret;
	mapping = vgpu_mmaps_init(&vgpu->mmaps, vdev);
	vgpu_vfio_add_view(vgpu, VGPU_VIEW_BAR0, VFIO_PCI_BAR0_REGION_INDEX,
			   mapping);
	vgpu_vfio_add_view(vgpu, VGPU_VIEW_CONSOLE, VGPU_REGION_CONSOLE,
			   mapping);
	vgpu_vfio_add_view(vgpu, VGPU_VIEW_CURSOR, VGPU_REGION_CURSOR, mapping);
	vgpu_migration_init(vgpu);
	return 0;
}

void vgpu_vfio_release(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);

	vgpu_migration_fini(vgpu);
	vgpu_fini(vgpu);
	vgpu_vfio_released(vdev);
}

/*
 * The VFIO core wants the device back, now and every ten seconds until it has
 * it.  QEMU answers by unplugging it from the guest.
 */
void vgpu_vfio_request(struct vfio_device *vdev, unsigned int count)
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

int vgpu_vfio_open(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu_to_pgpu(vgpu);
	int ret;

	/* The VFIO core holds this module; the backend's is for us to hold. */
	if (!try_module_get(pgpu->desc.owner))
		return -ENODEV;
	/* In this order: no reset of the pGPU changes the mode from here on. */
	atomic_inc(&pgpu->vram.open_count);
	ret = vgpu_open(vgpu, ras_enabled(&pgpu->ras));
	if (ret) {
		atomic_dec(&pgpu->vram.open_count);
		module_put(pgpu->desc.owner);
		return ret;
	}
	vgpu_set_open(vgpu, true);
	return 0;
}

void vgpu_vfio_close(struct vfio_device *vdev)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct pgpu *pgpu = vgpu_to_pgpu(vgpu);

	vgpu_migration_close(vgpu);
	vgpu_close(vgpu);
	vgpu_set_open(vgpu, false);
	atomic_dec(&pgpu->vram.open_count);
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

long vgpu_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
		     unsigned long arg)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vgpu_get_info(uarg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return vgpu_region_info_ioctl(vdev, uarg, vgpu_region_info);
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

/* By vgpu_profile.personality. */
static const struct vfio_device_ops *const vgpu_vfio_personalities[] = {
	[VGPU_BOCHS] = &vgpu_bochs_vfio_ops,
	[VGPU_VIRTIO] = &vgpu_virtio_vfio_ops,
};

/**
 * vgpu_vfio_ops() - the VFIO device operations of a vGPU
 * @type: its type
 *
 * Return: those of its personality
 */
const struct vfio_device_ops *vgpu_vfio_ops(const struct vgpu_type_desc *type)
{
	return vgpu_vfio_personalities[type->profile.personality];
}
