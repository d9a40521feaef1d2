/* SPDX-License-Identifier: GPL-2.0 */
/* VFIO migration of a vGPU. */
#ifndef _VGPU_MIGRATION_H
#define _VGPU_MIGRATION_H

struct vgpu;

void vgpu_migration_init(struct vgpu *vgpu);
void vgpu_migration_fini(struct vgpu *vgpu);
void vgpu_migration_reset(struct vgpu *vgpu);
void vgpu_migration_close(struct vgpu *vgpu);

#endif /* _VGPU_MIGRATION_H */
