// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults in mappings of the framebuffer, whether through a region or
 * through a dma-buf.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "core.h"

/* What these flags of a VMA allow. */
static pgprot_t vgpu_fb_prot(const struct vgpu_fb *fb, vm_flags_t flags)
{
	pgprot_t prot = vm_get_page_prot(flags);

	return fb->device_memory ? pgprot_writecombine(prot) : prot;
}

/* Pages from @page on that are noticed together when they are written. */
static u64 vgpu_fb_chunk_rest(u64 page)
{
	return VGPU_DIRTY_PAGES - page % VGPU_DIRTY_PAGES;
}

/**
 * vgpu_fb_fault() - answer a fault with a page of the framebuffer
 * @fb: its lock is held for reading
 * @vmf: the fault, in a VM_PFNMAP mapping
 * @page: page of the framebuffer at the faulting address
 * @write: it counts as a write; the VMA is writable then
 *
 * Fills in the rest of the run of host memory that it hit, as far as the VMA
 * goes: one fault for up to 2 MiB even where the alignment or the kernel rules
 * out a larger entry.  While writes are noticed, a write makes no more than its
 * chunk writable.
 *
 * Return: VM_FAULT_NOPAGE; VM_FAULT_OOM; VM_FAULT_SIGBUS beyond the framebuffer,
 * or when it was revoked
 */
vm_fault_t vgpu_fb_fault(struct vgpu_fb *fb, struct vm_fault *vmf, u64 page,
			 bool write)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	u64 room = (vma->vm_end - address) >> PAGE_SHIFT;
	/*
	 * By whether a write has to be noticed.  What may only be written would
	 * be for nobody without that, and the fault come again without end.
	 */
	pgprot_t prot[2] = {
		vgpu_fb_prot(fb, vma->vm_flags),
		vgpu_fb_prot(fb, (vma->vm_flags & ~VM_WRITE) | VM_READ),
	};
	struct pgpu_run run;
	vm_fault_t fault;
	int ret;
	u64 i;

	if (write && fb->dirty)
		room = min(room, vgpu_fb_chunk_rest(page));
	ret = vgpu_fb_run(fb, page, room, true, &run);
	if (ret)
		return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	if (write)
		vgpu_fb_mark(fb, page, run.nr);
	fault = vmf_insert_pfn_prot(vma, address, run.pfn,
				    prot[vgpu_fb_is_clean(fb, page)]);
	for (i = 1; i < run.nr && fault == VM_FAULT_NOPAGE; i++)
		if (vmf_insert_pfn_prot(vma, address + i * PAGE_SIZE,
					run.pfn + i,
					prot[vgpu_fb_is_clean(fb, page + i)]) !=
		    VM_FAULT_NOPAGE)
			break;
	return fault;
}

/**
 * vgpu_fb_mkwrite() - a page that is mapped read-only is written
 * @fb: its lock is held for reading
 * @vmf: the fault, in a writable mapping
 * @page: page of the framebuffer at the faulting address
 *
 * To leave it to the mm core to make the entry writable would be too late: it
 * looks whether the entry has changed, but not whether it has been taken away
 * and come back after the write was noticed, and then counted as sent.
 *
 * Return: as vgpu_fb_fault()
 */
vm_fault_t vgpu_fb_mkwrite(struct vgpu_fb *fb, struct vm_fault *vmf, u64 page)
{
	unmap_mapping_range(vmf->vma->vm_file->f_mapping,
			    (loff_t)vmf->pgoff << PAGE_SHIFT,
			    vgpu_fb_chunk_rest(page) << PAGE_SHIFT, 1);
	return vgpu_fb_fault(fb, vmf, page, true);
}

/**
 * vgpu_fault_end() - the last step of a fault operation
 * @vmf: the fault; of the locks that were taken for it none is held
 * @fault: what became of it
 *
 * KVM, and VFIO for DMA, have a page mapped and then look where it is, and take it
 * for an error if it has been taken away in between, unless they have let go of
 * mmap_lock: then they begin anew.  So they do.
 *
 * Return: @fault, with VM_FAULT_COMPLETED if mmap_lock is not held any more
 */
vm_fault_t vgpu_fault_end(const struct vm_fault *vmf, vm_fault_t fault)
{
	if (fault != VM_FAULT_NOPAGE || vmf->flags & FAULT_FLAG_USER ||
	    vmf->flags & FAULT_FLAG_RETRY_NOWAIT ||
	    !fault_flag_allow_retry_first(vmf->flags) || vgpu_vma_locked(vmf))
		return fault;
	mmap_read_unlock(vmf->vma->vm_mm);
	return fault | VM_FAULT_COMPLETED;
}

#ifdef VGPU_PMD_FAULTS
/**
 * vgpu_fb_huge_fault() - the same with one entry of 2 MiB
 * @fb: its lock is held for reading
 * @vmf: the fault; the 2 MiB around its address are in the VMA
 * @page: page of the framebuffer where they begin
 *
 * Return: VM_FAULT_FALLBACK where 4 KiB have to do, also because the VMA is
 * shifted against the blocks of the framebuffer, or writes are noticed
 */
vm_fault_t vgpu_fb_huge_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			      u64 page)
{
	struct pgpu_run run;

	if (fb->dirty || !IS_ALIGNED(page, PTRS_PER_PMD) ||
	    vgpu_fb_run(fb, page, PTRS_PER_PMD, true, &run) ||
	    run.nr != PTRS_PER_PMD || !IS_ALIGNED(run.pfn, PTRS_PER_PMD))
		return VM_FAULT_FALLBACK;
	return vgpu_insert_pfn_pmd(vmf, run.pfn,
				   vmf->vma->vm_flags & VM_WRITE);
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
 * @ops: with a fault operation that calls vgpu_fb_fault(), and one for what is
 *	mapped read-only that calls vgpu_fb_mkwrite()
 * @priv: for them
 *
 * Return: 0; -EINVAL for a private mapping, which would make copies
 */
int vgpu_fb_mmap(struct vgpu_fb *fb, struct vm_area_struct *vma,
		 const struct vm_operations_struct *ops, void *priv)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* The mm core asks for it where it makes entries by itself. */
	vma->vm_page_prot = vgpu_fb_prot(fb, vma->vm_flags);
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = priv;
	vma->vm_ops = ops;
	return 0;
}
