/* SPDX-License-Identifier: GPL-2.0 */
/* What a VMM shows of a vGPU. */
#ifndef _VGPU_PLANE_H
#define _VGPU_PLANE_H

#include "model/display.h"

struct dma_buf;
struct vgpu;

/* Planes whose dma-bufs a VMM can ask for: flips between a few are usual. */
#define VGPU_MAX_PLANES		16

/**
 * struct vgpu_plane - a picture that has been given a dma-buf id
 * @scanout: the picture; no format in an entry that is not used
 * @dmabuf: shows it; a reference
 * @id: its id, never used again for another
 * @used: when it was asked for last, counted in questions
 */
struct vgpu_plane {
	struct vgpu_scanout scanout;
	struct dma_buf *dmabuf;
	u32 id;
	u64 used;
};

void vgpu_gfx_update(struct vgpu *vgpu);
void vgpu_gfx_forget(struct vgpu *vgpu);
int vgpu_gfx_query_plane(struct vgpu *vgpu, void __user *arg);
int vgpu_gfx_get_dmabuf(struct vgpu *vgpu, void __user *arg);

#endif /* _VGPU_PLANE_H */
