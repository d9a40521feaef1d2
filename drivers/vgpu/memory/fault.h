/* SPDX-License-Identifier: GPL-2.0 */
/* Page faults in mappings of a framebuffer. */
#ifndef _VGPU_FAULT_H
#define _VGPU_FAULT_H

#include <linux/mm_types.h>

struct vgpu_fb_view;

int vgpu_fb_mmap(struct vgpu_fb_view *view, struct vm_area_struct *vma);

#endif /* _VGPU_FAULT_H */
