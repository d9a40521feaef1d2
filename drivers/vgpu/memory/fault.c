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

/*
 * Whoever is over the limit of a memory cgroup waits without vgpu_fb.lock: for a page of
 * the framebuffer when there is no room for it, and before it for a page table.
 */
static vm_fault_t vgpu_fb_answer(struct vgpu_fb *fb, struct vm_fault *vmf,
				 vgpu_fb_locate_fn locate, bool write,
				 bool zap)
{
	enum pgpu_alloc alloc = PGPU_ALLOC_TRY;
	vm_fault_t fault = VM_FAULT_SIGBUS;
	int ret = -EIO;
	u64 page;

	if (pmd_none(READ_ONCE(*vmf->pmd)) && vgpu_fb_wait())
		return VM_FAULT_OOM;
	down_read(&fb->lock);
	while (locate(vmf->vma->vm_private_data, vmf->pgoff, &page)) {
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

/**
 * vgpu_fb_fault() - answer a fault with a page of the framebuffer
 * @fb: the framebuffer
 * @vmf: the fault, in a VMA of vgpu_fb_mmap()
 * @locate: which page it is
 * @write: it counts as a write; the VMA is writable then
 *
 * Return: VM_FAULT_NOPAGE, with VM_FAULT_COMPLETED if mmap_lock is not held any
 * more; VM_FAULT_OOM; VM_FAULT_SIGBUS when no page is shown there, or the
 * framebuffer was revoked
 */
vm_fault_t vgpu_fb_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			 vgpu_fb_locate_fn locate, bool write)
{
	return vgpu_fb_answer(fb, vmf, locate, write, false);
}

/**
 * vgpu_fb_mkwrite() - a page that is mapped read-only is written
 * @fb: the framebuffer
 * @vmf: the fault, in a writable VMA
 * @locate: which page it is
 *
 * To leave it to the mm core to make the entry writable would be too late: it
 * looks whether the entry has changed, but not whether it has been unmapped
 * and come back after the write was tracked, and then counted as sent.
 *
 * Return: as vgpu_fb_fault()
 */
vm_fault_t vgpu_fb_mkwrite(struct vgpu_fb *fb, struct vm_fault *vmf,
			   vgpu_fb_locate_fn locate)
{
	return vgpu_fb_answer(fb, vmf, locate, true, true);
}

#ifdef VGPU_PMD_FAULTS
/**
 * vgpu_fb_huge_fault() - the same with one entry of 2 MiB
 * @fb: the framebuffer
 * @vmf: the fault
 * @order: what the mm core asks for
 * @locate: which page it is
 *
 * Return: VM_FAULT_FALLBACK where 4 KiB have to do, also because the VMA is
 * shifted against the blocks of the framebuffer, or writes are tracked
 */
vm_fault_t vgpu_fb_huge_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			      unsigned int order, vgpu_fb_locate_fn locate)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long address = vmf->address & PMD_MASK;
	vm_fault_t fault = VM_FAULT_FALLBACK;
	struct pgpu_run run;
	u64 page;

	if (order != PMD_ORDER || address < vma->vm_start ||
	    address + PMD_SIZE > vma->vm_end)
		return VM_FAULT_FALLBACK;
	down_read(&fb->lock);
	if (!fb->dirty &&
	    locate(vma->vm_private_data, linear_page_index(vma, address),
		   &page) &&
	    IS_ALIGNED(page, PTRS_PER_PMD) &&
	    !vgpu_fb_run(fb, page, PTRS_PER_PMD, PGPU_ALLOC_TRY, &run) &&
	    run.nr == PTRS_PER_PMD && IS_ALIGNED(run.pfn, PTRS_PER_PMD))
		fault = vgpu_insert_pfn_pmd(vmf, run.pfn,
					    vma->vm_flags & VM_WRITE);
	up_read(&fb->lock);
	return vgpu_fault_end(vmf, fault);
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
	/*
	 * Who has to let go of the vGPU is who opened it: a program that a VMM
	 * starts does not get the framebuffer with a fork.  VM_IO keeps
	 * madvise(MADV_DOFORK) from taking that back.
	 */
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
		     VM_DONTCOPY);
	vma->vm_private_data = priv;
	vma->vm_ops = ops;
	return 0;
}
