// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping VFIO regions through which one sees the framebuffer.
 */
#include <linux/mm.h>
#include <linux/vfio.h>

#include "compat/mm.h"
#include "device/vgpu.h"
#include "front/front.h"
#include "memory/fault.h"

/**
 * vgpu_region_page() - the framebuffer page that a VMA offset names
 * @vgpu: vgpu_fb.lock is held, under which the windows do not move
 * @pgoff: region and page in it
 *
 * Behind the end of the framebuffer the windows go on with its beginning: a VMM
 * whose idea of the picture is not of now must not die of that, for the guest can
 * bring it about.
 *
 * Return: page number
 */
u64 vgpu_region_page(struct vgpu *vgpu, pgoff_t pgoff)
{
	u64 page = pgoff & (VGPU_OFFSET_MASK >> PAGE_SHIFT);

	lockdep_assert_held(&vgpu->fb.lock);
	switch (pgoff >> (VGPU_OFFSET_SHIFT - PAGE_SHIFT)) {
	case VGPU_REGION_CONSOLE:
		page += vgpu->views[VGPU_VIEW_CONSOLE].first;
		break;
	case VGPU_REGION_CURSOR:
		page += vgpu->views[VGPU_VIEW_CURSOR].first;
		break;
	}
	return page % vgpu_fb_pages(&vgpu->fb);
}

/* See vgpu_fb_locate_fn. */
static bool vgpu_region_locate(void *priv, pgoff_t pgoff, u64 *page)
{
	*page = vgpu_region_page(priv, pgoff);
	return true;
}

/*
 * Whether a fault counts as a write.  BAR0 is what a guest is given.  Where KVM
 * finds a read-only page there it carries out the guest's writes itself, which it
 * can for some instructions only, so there is none.
 */
static bool vgpu_region_writes(const struct vm_fault *vmf)
{
	u64 index = vmf->pgoff >> (VGPU_OFFSET_SHIFT - PAGE_SHIFT);

	return vmf->flags & FAULT_FLAG_WRITE ||
	       (index == VFIO_PCI_BAR0_REGION_INDEX &&
		vmf->vma->vm_flags & VM_WRITE);
}

static vm_fault_t vgpu_region_fault(struct vm_fault *vmf)
{
	struct vgpu *vgpu = vmf->vma->vm_private_data;

	return vgpu_fb_fault(&vgpu->fb, vmf, vgpu_region_locate,
			     vgpu_region_writes(vmf));
}

static vm_fault_t vgpu_region_mkwrite(struct vm_fault *vmf)
{
	struct vgpu *vgpu = vmf->vma->vm_private_data;

	return vgpu_fb_mkwrite(&vgpu->fb, vmf, vgpu_region_locate);
}

#ifdef VGPU_PMD_FAULTS
static vm_fault_t vgpu_region_huge_fault(struct vm_fault *vmf,
					 unsigned int order)
{
	struct vgpu *vgpu = vmf->vma->vm_private_data;

	return vgpu_fb_huge_fault(&vgpu->fb, vmf, order, vgpu_region_locate);
}
#endif

static const struct vm_operations_struct vgpu_region_vm_ops = {
	.fault = vgpu_region_fault,
	.pfn_mkwrite = vgpu_region_mkwrite,
#ifdef VGPU_PMD_FAULTS
	.huge_fault = vgpu_region_huge_fault,
#endif
};

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

	ret = vgpu_fb_mmap(&vgpu->fb, vma, &vgpu_region_vm_ops, vgpu);
	return ret ?: vgpu_mmaps_adopt(&vgpu->mmaps, vma);
}
