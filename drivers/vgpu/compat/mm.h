/* SPDX-License-Identifier: GPL-2.0 */
/* How kernels differ in memory management. */
#ifndef _VGPU_COMPAT_MM_H
#define _VGPU_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/pagemap.h>
#ifdef VGPU_HAVE_PFN_T
#include <linux/pfn_t.h>
#endif

/* Until 6.8 the address space operation took a page. */
#ifdef VGPU_HAVE_ERROR_REMOVE_FOLIO
#define vgpu_generic_error_remove_folio	generic_error_remove_folio
#define VGPU_ERROR_REMOVE_FOLIO(fn)
#define VGPU_ERROR_REMOVE_FOLIO_OP(fn)	.error_remove_folio = fn,
#else
static inline int vgpu_generic_error_remove_folio(struct address_space *mapping,
						  struct folio *folio)
{
	return generic_error_remove_page(mapping, &folio->page);
}

#define VGPU_ERROR_REMOVE_FOLIO(fn)				\
static int fn##_page(struct address_space *mapping, struct page *page) \
{								\
	return fn(mapping, page_folio(page));			\
}

#define VGPU_ERROR_REMOVE_FOLIO_OP(fn)	.error_remove_page = fn##_page,
#endif

#ifndef VGPU_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* Since 6.4 a fault may come with a VMA's lock held and not its mm's. */
static inline bool vgpu_vma_locked(const struct vm_fault *vmf)
{
#ifdef VGPU_HAVE_VMA_LOCK
	return vmf->flags & FAULT_FLAG_VMA_LOCK;
#else
	return false;
#endif
}

/*
 * Mapping 2 MiB at a time is safe where the page tables can mark such an entry
 * as special.  Before, get_user_pages_fast() took references on what it found
 * there; such kernels get 512 entries of 4 KiB in one fault instead.
 */
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
#define VGPU_PMD_FAULTS
static inline vm_fault_t vgpu_insert_pfn_pmd(struct vm_fault *vmf,
					     unsigned long pfn, bool write)
{
#ifdef VGPU_HAVE_PFN_T
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}
#endif

#endif /* _VGPU_COMPAT_MM_H */
