/* SPDX-License-Identifier: GPL-2.0 */
/* vGPU types: what a pGPU offers. */
#ifndef _VGPU_TYPE_H
#define _VGPU_TYPE_H

#include "model/profile.h"

#define VGPU_TYPE_ID_LEN	16
#define VGPU_TYPE_NAME_LEN	48

/* Enough for four series of every power of two from 16 MiB to 1 TiB. */
#define VGPU_MAX_TYPES		80

/**
 * struct vgpu_type_desc - a type, without what the mdev core adds to it
 * @id: framebuffer in MiB and series letter ("256Q").  A management tool
 *	takes it for the identity of a type, so it depends on nothing else: the
 *	same id means the same vGPU on every pGPU and after every load.
 * @profile: what the guest sees
 * @max_instance: how many fit on an empty pGPU
 */
struct vgpu_type_desc {
	char id[VGPU_TYPE_ID_LEN];
	struct vgpu_profile profile;
	u32 max_instance;
};

int vgpu_types_fill(struct vgpu_type_desc *types, u32 max, const char *list,
		    u64 vram_size);

#endif /* _VGPU_TYPE_H */
