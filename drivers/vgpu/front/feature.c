// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO_DEVICE_FEATURE, as far as the VFIO core does not answer it: a dma-buf of a
 * part of a region, through which a VMM has other devices reach the framebuffer.
 */
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device/vgpu.h"
#include "front/front.h"
#include "memory/dmabuf.h"

/* What a range of a mappable region is in the framebuffer now. */
static int feature_find(struct vgpu *vgpu, u64 index,
			const struct vfio_region_dma_range *range, u64 *offset)
{
	struct vgpu_fb *fb = &vgpu->fb;

	if (!range->length || !PAGE_ALIGNED(range->offset | range->length) ||
	    range->offset >= fb->size)
		return -EINVAL;
	down_read(&fb->lock);
	*offset = vgpu_fb_view_page(vgpu_region_view(vgpu, index),
				    range->offset >> PAGE_SHIFT);
	up_read(&fb->lock);
	*offset <<= PAGE_SHIFT;
	return range->length > fb->size - *offset ? -EINVAL : 0;
}

/*
 * The VFIO core has copied flags and argsz, which counts what is at @arg alone.
 * Where there is no memory the answers are those of vfio-pci.
 */
static int feature_dma_buf(struct vgpu *vgpu, u32 flags,
			   struct vfio_device_feature_dma_buf __user *arg,
			   size_t argsz)
{
	struct vfio_device_feature_dma_buf ask;
	struct vfio_region_dma_range range;
	struct dma_buf *dmabuf;
	u64 offset;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(ask));
	if (ret != 1)
		return ret;
	if (copy_from_user(&ask, arg, sizeof(ask)))
		return -EFAULT;
	if (ask.flags || !ask.nr_ranges ||
	    ask.open_flags & ~(O_ACCMODE | O_CLOEXEC) ||
	    (ask.open_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (!vgpu_region_mappable(vgpu, ask.region_index))
		return ask.region_index < VFIO_PCI_ROM_REGION_INDEX ? -EINVAL :
								      -ENODEV;
	/* A dma-buf of ours is in one piece, and so is what a region can show. */
	if (ask.nr_ranges > 1)
		return -EOPNOTSUPP;
	if (argsz < sizeof(ask) + sizeof(range))
		return -EINVAL;
	if (copy_from_user(&range, arg->dma_ranges, sizeof(range)))
		return -EFAULT;
	ret = feature_find(vgpu, ask.region_index, &range, &offset);
	if (ret)
		return ret;
	dmabuf = vgpu_dmabuf_export(&vgpu->fb, offset, range.length,
				    ask.open_flags & O_ACCMODE);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_buf_fd(dmabuf, ask.open_flags & O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);
	return ret;
}

/**
 * vgpu_feature() - VFIO_DEVICE_FEATURE
 * @vdev: the vGPU, which a VMM has open
 * @flags: the feature and what to do with it
 * @arg: its data in user space
 * @argsz: bytes at @arg
 *
 * Return: 0 or what the feature answers; -ENOTTY for one that there is not
 */
int vgpu_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		 size_t argsz)
{
	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		return feature_dma_buf(vdev_to_vgpu(vdev), flags, arg, argsz);
	default:
		return -ENOTTY;
	}
}
