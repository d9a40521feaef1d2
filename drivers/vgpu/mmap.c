// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults in mappings of the framebuffer, whether through a region or
 * through a dma-buf.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "core.h"

/**
 * vgpu_fb_fault() - answer a fault with a page of the framebuffer
 * @fb: its lock is held for reading
 * @vmf: the fault, in a VM_PFNMAP mapping
 * @page: page of the framebuffer at the faulting address
 *
 * Fills in the rest of the run of host memory that it hit, as far as the VMA
 * goes: one fault for up to 2 MiB even where the alignment or the kernel rules
 * out a larger entry.
 *
 * Return: VM_FAULT_NOPAGE; VM_FAULT_OOM; VM_FAULT_SIGBUS beyond the framebuffer,
 * or when it was revoked
 */
vm_fault_t vgpu_fb_fault(struct vgpu_fb *fb, struct vm_fault *vmf, u64 page)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	u64 room = (vma->vm_end - address) >> PAGE_SHIFT;
	struct pgpu_run run;
	vm_fault_t fault;
	int ret;
	u64 i;

	ret = vgpu_fb_run(fb, page, room, true, &run);
	if (ret)
		return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	fault = vmf_insert_pfn(vma, address, run.pfn);
	for (i = 1; i < run.nr && fault == VM_FAULT_NOPAGE; i++)
		if (vmf_insert_pfn(vma, address + i * PAGE_SIZE, run.pfn + i) !=
		    VM_FAULT_NOPAGE)
			break;
	return fault;
}

#ifdef VGPU_PMD_FAULTS
/**
 * vgpu_fb_huge_fault() - the same with one entry of 2 MiB
 * @fb: its lock is held for reading
 * @vmf: the fault; the 2 MiB around its address are in the VMA
 * @page: page of the framebuffer where they begin
 *
 * Return: VM_FAULT_FALLBACK where 4 KiB have to do, also because the VMA is
 * shifted against the blocks of the framebuffer
 */
vm_fault_t vgpu_fb_huge_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			      u64 page)
{
	struct pgpu_run run;

	if (!IS_ALIGNED(page, PTRS_PER_PMD) ||
	    vgpu_fb_run(fb, page, PTRS_PER_PMD, true, &run) ||
	    run.nr != PTRS_PER_PMD || !IS_ALIGNED(run.pfn, PTRS_PER_PMD))
		return VM_FAULT_FALLBACK;
	return vgpu_insert_pfn_pmd(vmf, run.pfn, vmf->flags & FAULT_FLAG_WRITE);
}

/**
 * vgpu_huge_fault_fits() - whether the 2 MiB around a fault are in its VMA
 * @vmf: the fault
 * @order: what the mm core asks for
 * @pgoff: file offset, in pages, where they begin
 *
 * Return: true if they are, and that is what is asked for
 */
bool vgpu_huge_fault_fits(struct vm_fault *vmf, unsigned int order,
			  pgoff_t *pgoff)
{
	unsigned long address = vmf->address & PMD_MASK;

	if (order != PMD_ORDER || address < vmf->vma->vm_start ||
	    address + PMD_SIZE > vmf->vma->vm_end)
		return false;
	*pgoff = linear_page_index(vmf->vma, address);
	return true;
}
#endif

/**
 * vgpu_fb_mmap() - make a VMA one that shows a part of a framebuffer
 * @fb: the framebuffer
 * @vma: the VMA
 * @ops: with a fault operation that calls vgpu_fb_fault()
 * @priv: for them
 *
 * Return: 0; -EINVAL for a private mapping, which would make copies
 */
int vgpu_fb_mmap(struct vgpu_fb *fb, struct vm_area_struct *vma,
		 const struct vm_operations_struct *ops, void *priv)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (fb->device_memory)
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = priv;
	vma->vm_ops = ops;
	return 0;
}
