/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a virtio-gpu as records of a migration stream. */
#ifndef _VGPU_VIRTIO_STATE_H
#define _VGPU_VIRTIO_STATE_H

#include <linux/types.h>

struct state_pack;
struct vgpu_gpu;
struct vgpu_model;

/* Room for a record of a resource. */
#define VGPU_RESOURCE_RECORD	4096

/**
 * struct vgpu_resource_at - how far resources have been saved
 * @resource: the next, as an index; of the copies of blobs none is saved
 * @backing: of its pieces of guest memory, the next
 */
struct vgpu_resource_at {
	u32 resource;
	u32 backing;
};

void vgpu_virtio_pack(struct state_pack *pack, struct vgpu_model *model,
		      struct vgpu_gpu *gpu);
void vgpu_gpu_pack_scanout(struct state_pack *pack, struct vgpu_gpu *gpu,
			   u32 head);
void vgpu_gpu_pack_resource(struct state_pack *pack, struct vgpu_gpu *gpu,
			    struct vgpu_resource_at *at);
size_t vgpu_gpu_save_resource(struct vgpu_gpu *gpu, struct vgpu_resource_at *at,
			      void *buf);
void vgpu_gpu_heads(const struct vgpu_gpu *gpu, struct vgpu_model *model);
bool vgpu_gpu_loaded(const struct vgpu_gpu *gpu);

#endif /* _VGPU_VIRTIO_STATE_H */
