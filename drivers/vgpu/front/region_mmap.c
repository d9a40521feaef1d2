// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping VFIO regions through which one sees the framebuffer.
 */
#include <linux/mm.h>
#include <linux/vfio.h>

#include "device/vgpu.h"
#include "front/front.h"
#include "memory/fault.h"

/**
 * vgpu_region_view() - the framebuffer as it is seen in a region
 * @vgpu: the vGPU
 * @index: region
 *
 * Return: the view; NULL for a region with something else
 */
struct vgpu_fb_view *vgpu_region_view(struct vgpu *vgpu, u64 index)
{
	switch (index) {
	case VFIO_PCI_BAR0_REGION_INDEX:
		return &vgpu->views[VGPU_VIEW_BAR0];
	case VGPU_REGION_CONSOLE:
		return &vgpu->views[VGPU_VIEW_CONSOLE];
	case VGPU_REGION_CURSOR:
		return &vgpu->views[VGPU_VIEW_CURSOR];
	default:
		return NULL;
	}
}

/**
 * vgpu_region_mmap() - mmap(2)
 * @vdev: the vGPU
 * @vma: offset and length name a part of the framebuffer in a region
 *
 * Return: 0; -EINVAL for a region that cannot be mapped, a part that is not in
 * the framebuffer, or a private mapping
 */
int vgpu_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	u64 index = vma->vm_pgoff >> (VGPU_OFFSET_SHIFT - PAGE_SHIFT);
	u64 page = vma->vm_pgoff & (VGPU_OFFSET_MASK >> PAGE_SHIFT);
	u64 fb_pages = vgpu_fb_pages(&vgpu->fb);
	int ret;

	if (!vgpu_region_mappable(vgpu, index))
		return -EINVAL;
	if (page >= fb_pages || vma_pages(vma) > fb_pages - page)
		return -EINVAL;

	ret = vgpu_fb_mmap(vgpu_region_view(vgpu, index), vma);
	return ret ?: vgpu_mmaps_adopt(&vgpu->mmaps, vma);
}
