/* SPDX-License-Identifier: GPL-2.0 */
/* dma-bufs of a framebuffer. */
#ifndef _VGPU_DMABUF_H
#define _VGPU_DMABUF_H

#include <linux/types.h>

struct dma_buf;
struct vgpu_fb;

struct dma_buf *vgpu_dmabuf_export(struct vgpu_fb *fb, u64 offset, u64 size,
				   int mode);
void vgpu_dmabuf_end(struct vgpu_fb *fb);

#endif /* _VGPU_DMABUF_H */
