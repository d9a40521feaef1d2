/* SPDX-License-Identifier: GPL-2.0 */
/* What waits for the lock of a vGPU. */
#ifndef _VGPU_DEFERRED_H
#define _VGPU_DEFERRED_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct vgpu;

/**
 * struct vgpu_deferred - what waits for vgpu.lock to be free; see deferred.c
 * @work: does it
 * @lock: a spinlock, protects the rest
 * @sbe: single-bit errors that have not been passed to the device model
 * @dbe: double-bit errors
 * @page: of the framebuffer, where the last of the latter was
 */
struct vgpu_deferred {
	struct delayed_work work;
	spinlock_t lock;
	u32 sbe;
	u32 dbe;
	u64 page;
};

void vgpu_deferred_init(struct vgpu *vgpu);
void vgpu_deferred_fini(struct vgpu *vgpu);
void vgpu_defer(struct vgpu *vgpu);
void vgpu_deferred_run(struct vgpu *vgpu);
void vgpu_ecc_event(struct vgpu *vgpu, bool dbe, u64 page);

#endif /* _VGPU_DEFERRED_H */
