// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults in mappings of the framebuffer, whether through a region or
 * through a dma-buf.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "compat/mm.h"
#include "memory/fault.h"
#include "memory/fb.h"

/*
 * What these flags of a VMA allow.  Where the host's memory is encrypted a page is,
 * too, unless its entry says otherwise; what is behind a BAR is not, and there the
 * bit that means so would be part of the address.
 */
static pgprot_t vgpu_fb_prot(const struct vgpu_fb *fb, vm_flags_t flags)
{
	pgprot_t prot = vm_get_page_prot(flags);

	return fb->device_memory ?
	       pgprot_decrypted(pgprot_writecombine(prot)) : prot;
}

/* Pages from @page on of which writes are tracked together. */
static u64 vgpu_fb_chunk_rest(u64 page)
{
	return VGPU_DIRTY_PAGES - page % VGPU_DIRTY_PAGES;
}

/*
 * Answer a fault with a page of the framebuffer; vgpu_fb.lock is held for reading.
 *
 * Fills in the rest of the run of host memory that it hit, as far as the VMA
 * goes: one fault for up to 2 MiB even where the alignment or the kernel rules
 * out a larger entry.  While writes are tracked, a write makes no more than its
 * chunk writable.
 *
 * Returns what vgpu_fb_run() does, with the answer in @fault when it is 0.
 */
static int vgpu_fb_insert(struct vgpu_fb *fb, struct vm_fault *vmf, u64 page,
			  bool write, enum pgpu_alloc alloc, vm_fault_t *fault)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PAGE_MASK;
	u64 room = (vma->vm_end - address) >> PAGE_SHIFT;
	/*
	 * By whether a write has to be tracked.  What may only be written would
	 * be for nobody without that, and the fault come again without end.
	 */
	pgprot_t prot[2] = {
		vgpu_fb_prot(fb, vma->vm_flags),
		vgpu_fb_prot(fb, (vma->vm_flags & ~VM_WRITE) | VM_READ),
	};
	struct pgpu_run run;
	unsigned int flags;
	int ret;
	u64 i;

	lockdep_assert_held_read(&fb->lock);
	if (write && fb->dirty)
		room = min(room, vgpu_fb_chunk_rest(page));
	ret = vgpu_fb_run(fb, page, room, alloc, &run);
	if (ret)
		return ret;
	if (write)
		vgpu_fb_mark(fb, page, run.nr);
	/* The page table has been waited for, as far as that was needed. */
	flags = memalloc_noreclaim_save();
	*fault = vmf_insert_pfn_prot(vma, address, run.pfn,
				     prot[vgpu_fb_is_clean(fb, page)]);
	for (i = 1; i < run.nr && *fault == VM_FAULT_NOPAGE; i++)
		if (vmf_insert_pfn_prot(vma, address + i * PAGE_SIZE,
					run.pfn + i,
					prot[vgpu_fb_is_clean(fb, page + i)]) !=
		    VM_FAULT_NOPAGE)
			break;
	memalloc_noreclaim_restore(flags);
	return 0;
}

/*
 * KVM, and VFIO for DMA, have a page mapped and then look where it is, and take it
 * for an error if it has been unmapped in between, unless they have let go of
 * mmap_lock: then they begin anew.  So they do.
 */
static vm_fault_t vgpu_fault_end(const struct vm_fault *vmf, vm_fault_t fault)
{
	if (fault != VM_FAULT_NOPAGE || vmf->flags & FAULT_FLAG_USER ||
	    vmf->flags & FAULT_FLAG_RETRY_NOWAIT ||
	    !fault_flag_allow_retry_first(vmf->flags) || vgpu_vma_locked(vmf))
		return fault;
	mmap_read_unlock(vmf->vma->vm_mm);
	return fault | VM_FAULT_COMPLETED;
}

/* The page that a view shows at an offset of its file. */
static u64 vgpu_fault_page(const struct vgpu_fb_view *view, pgoff_t pgoff)
{
	return vgpu_fb_view_page(view, pgoff - (view->at >> PAGE_SHIFT));
}

/*
 * Whoever is over the limit of a memory cgroup waits without vgpu_fb.lock: for a page of
 * the framebuffer when there is no room for it, and before it for a page table.
 */
static vm_fault_t vgpu_fb_answer(struct vm_fault *vmf, bool write, bool zap)
{
	const struct vgpu_fb_view *view = vmf->vma->vm_private_data;
	struct vgpu_fb *fb = view->fb;
	enum pgpu_alloc alloc = PGPU_ALLOC_TRY;
	vm_fault_t fault = VM_FAULT_SIGBUS;
	int ret = -EIO;
	u64 page;

	if (pmd_none(READ_ONCE(*vmf->pmd)) && vgpu_fb_wait())
		return VM_FAULT_OOM;
	down_read(&fb->lock);
	while (!view->ended) {
		page = vgpu_fault_page(view, vmf->pgoff);
		if (zap)
			unmap_mapping_range(vmf->vma->vm_file->f_mapping,
					    (loff_t)vmf->pgoff << PAGE_SHIFT,
					    vgpu_fb_chunk_rest(page) <<
					    PAGE_SHIFT, 1);
		ret = vgpu_fb_insert(fb, vmf, page, write, alloc, &fault);
		ret = vgpu_fb_room(fb, ret, &alloc);
		if (ret != -EAGAIN)
			break;
	}
	up_read(&fb->lock);
	if (ret == -ENOMEM)
		fault = VM_FAULT_OOM;
	return vgpu_fault_end(vmf, fault);
}

/*
 * A fault that finds no entry.  Where KVM finds a read-only page in what a guest is given
 * it carries out the guest's writes itself, which it can for some instructions only, so
 * there is none.
 */
static vm_fault_t vgpu_fb_fault(struct vm_fault *vmf)
{
	const struct vgpu_fb_view *view = vmf->vma->vm_private_data;

	return vgpu_fb_answer(vmf, vmf->flags & FAULT_FLAG_WRITE ||
			      (view->is_guest &&
			       vmf->vma->vm_flags & VM_WRITE), false);
}

/*
 * A page that is mapped read-only is written.  To leave it to the mm core to make the
 * entry writable would be too late: it looks whether the entry has changed, but not
 * whether it has been unmapped and come back after the write was tracked, and then
 * counted as sent.
 */
static vm_fault_t vgpu_fb_mkwrite(struct vm_fault *vmf)
{
	return vgpu_fb_answer(vmf, true, true);
}

#ifdef VGPU_PMD_FAULTS
/*
 * One entry of 2 MiB.  4 KiB have to do also where the VMA is shifted against the blocks
 * of the framebuffer, or writes are tracked.
 */
static vm_fault_t vgpu_fb_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	const struct vgpu_fb_view *view = vma->vm_private_data;
	unsigned long address = vmf->address & PMD_MASK;
	vm_fault_t fault = VM_FAULT_FALLBACK;
	struct vgpu_fb *fb = view->fb;
	struct pgpu_run run;
	u64 page;

	if (order != PMD_ORDER || address < vma->vm_start ||
	    address + PMD_SIZE > vma->vm_end)
		return VM_FAULT_FALLBACK;
	down_read(&fb->lock);
	page = vgpu_fault_page(view, linear_page_index(vma, address));
	if (!fb->dirty && !view->ended && IS_ALIGNED(page, PTRS_PER_PMD) &&
	    !vgpu_fb_run(fb, page, PTRS_PER_PMD, PGPU_ALLOC_TRY, &run) &&
	    run.nr == PTRS_PER_PMD && IS_ALIGNED(run.pfn, PTRS_PER_PMD))
		fault = vgpu_insert_pfn_pmd(vmf, run.pfn,
					    vma->vm_flags & VM_WRITE);
	up_read(&fb->lock);
	return vgpu_fault_end(vmf, fault);
}
#endif

static const struct vm_operations_struct vgpu_fb_vm_ops = {
	.fault = vgpu_fb_fault,
	.pfn_mkwrite = vgpu_fb_mkwrite,
#ifdef VGPU_PMD_FAULTS
	.huge_fault = vgpu_fb_huge_fault,
#endif
};

/**
 * vgpu_fb_mmap() - make a VMA one that shows a part of a framebuffer
 * @view: through which it is seen; stays as long as the file of @vma
 * @vma: the VMA
 *
 * Return: 0; -EINVAL for a private mapping, which would make copies
 */
int vgpu_fb_mmap(struct vgpu_fb_view *view, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* The mm core asks for it where it makes entries by itself. */
	vma->vm_page_prot = vgpu_fb_prot(view->fb, vma->vm_flags);
	/*
	 * Who has to let go of the vGPU is who opened it: a program that a VMM
	 * starts does not get the framebuffer with a fork.  VM_IO keeps
	 * madvise(MADV_DOFORK) from taking that back.
	 */
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
		     VM_DONTCOPY);
	vma->vm_private_data = view;
	vma->vm_ops = &vgpu_fb_vm_ops;
	return 0;
}
