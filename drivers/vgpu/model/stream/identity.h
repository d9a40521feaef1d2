/* SPDX-License-Identifier: GPL-2.0 */
/* Which vGPUs can take each other's state: migration_version. */
#ifndef _VGPU_IDENTITY_H
#define _VGPU_IDENTITY_H

#include "model/type.h"

/* Of the records of a migration stream, see stream.h. */
#define VGPU_IDENTITY_FORMAT	1

/* Longest text that is looked at; those that are printed take less than half. */
#define VGPU_IDENTITY_MAX	512

enum vgpu_identity_key {
	VGPU_IDENTITY_FB,
	VGPU_IDENTITY_HEADS,
	VGPU_IDENTITY_WIDTH,
	VGPU_IDENTITY_HEIGHT,
	VGPU_IDENTITY_RATE,
	VGPU_IDENTITY_DEVICE,
	VGPU_IDENTITY_FEATURES,
	VGPU_IDENTITY_ECC,
	VGPU_IDENTITY_ENGINE,
	VGPU_IDENTITY_NR
};

/**
 * struct vgpu_identity - what has to fit for a vGPU to become another
 * @type: id of its type: framebuffer and series
 * @value: the rest of it, by enum vgpu_identity_key
 */
struct vgpu_identity {
	char type[VGPU_TYPE_ID_LEN];
	u64 value[VGPU_IDENTITY_NR];
};

void vgpu_identity_init(struct vgpu_identity *identity,
			const struct vgpu_type_desc *type, bool ecc);
size_t vgpu_identity_print(const struct vgpu_identity *identity, char *buf,
			   size_t size);
int vgpu_identity_check(const struct vgpu_identity *target, const char *text,
			size_t len, const char **part);

#endif /* _VGPU_IDENTITY_H */
