/* SPDX-License-Identifier: GPL-2.0 */
/* Page faults in mappings of a framebuffer. */
#ifndef _VGPU_FAULT_H
#define _VGPU_FAULT_H

#include <linux/mm_types.h>

struct vgpu_fb;

/**
 * typedef vgpu_fb_locate_fn - which page of the framebuffer a VMA shows at a file offset
 * @priv: as vgpu_fb_mmap() got it
 * @pgoff: the offset in pages
 * @page: the answer
 *
 * Called with vgpu_fb.lock held.
 *
 * Return: false when it does not show one any more
 */
typedef bool (*vgpu_fb_locate_fn)(void *priv, pgoff_t pgoff, u64 *page);

vm_fault_t vgpu_fb_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			 vgpu_fb_locate_fn locate, bool write);
vm_fault_t vgpu_fb_mkwrite(struct vgpu_fb *fb, struct vm_fault *vmf,
			   vgpu_fb_locate_fn locate);
vm_fault_t vgpu_fb_huge_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			      unsigned int order, vgpu_fb_locate_fn locate);
int vgpu_fb_mmap(struct vgpu_fb *fb, struct vm_area_struct *vma,
		 const struct vm_operations_struct *ops, void *priv);

#endif /* _VGPU_FAULT_H */
