/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vGPU.
 *
 * Lock order, outermost first:
 *
 *  1. pci_rescan_remove_lock, then the device lock of the pGPU (both PCI core)
 *  2. vgpu_backends_lock
 *  3. mdev core's parent semaphore, VFIO core's locks of a device
 *  4. vgpu_migration.lock
 *  5. vgpu_exec.lock
 *  6. VFIO core's list of devices in dma_unmap, vgpu_dma.pin_lock, VFIO core's locks of the
 *     guest's memory, mmap_lock of the VMM
 *  7. vgpu_irqs.set_lock, vgpu_ioeventfds.lock
 *  8. vgpu.lock
 *  9. vgpu_fb.resv, which importers of dma-bufs hold when they map them
 * 10. vgpu_fb.lock
 * 11. vram.lock, i_mmap_rwsem (mm core)
 * 12. what a backend locks in its operations
 * 13. vgpu_irqs.lock, vgpu_deferred.lock, vgpu_dma.lock, spinlocks
 *
 * Our locks that share a number, from 7 on, are never nested.  User memory is touched
 * with page faults off while one of 4 or of 7 to 12 is held.  With vgpu_exec.lock held
 * the guest's memory is waited for, so nothing but the vGPU's own VMM waits for that.
 */
#ifndef _VGPU_DEVICE_H
#define _VGPU_DEVICE_H

#include <linux/mutex.h>
#include <linux/vfio.h>

#include "compat/mmaps.h"
#include "device/deferred.h"
#include "device/dma.h"
#include "device/doorbell.h"
#include "device/exec.h"
#include "device/irq.h"
#include "device/vblank.h"
#include "memory/fb.h"
#include "model/model.h"
#include "model/params.h"

struct vgpu_identity;
struct vgpu_plane;
struct vgpu_type_desc;

/* A VFIO file offset is the region index and an offset in the region. */
#define VGPU_OFFSET_SHIFT	40
#define VGPU_OFFSET_MASK	((1ULL << VGPU_OFFSET_SHIFT) - 1)
#define VGPU_INDEX_TO_OFFSET(i)	((u64)(i) << VGPU_OFFSET_SHIFT)

/* Regions through which one sees the framebuffer, or the part with a picture. */
enum vgpu_view {
	VGPU_VIEW_BAR0,
	VGPU_VIEW_CONSOLE,
	VGPU_VIEW_CURSOR,
	VGPU_NR_VIEWS
};

/**
 * struct vgpu_migration - where in a migration a vGPU is
 * @lock: protects all of this, and the files of a migration
 * @state: VFIO_DEVICE_STATE_*
 * @file: what is read or written in @state, with a reference; or NULL
 * @logging: the VMM has writes to the guest's memory logged; see dma.c
 * @told: the log has said why a stream of this VMM was refused
 */
struct vgpu_migration {
	struct mutex lock;
	u32 state;
	struct file *file;
	bool logging;
	bool told;
};

/**
 * struct vgpu_errors - errors of a vGPU's memory, whether or not a guest is notified
 * @sbe: single-bit errors since it began to resume
 * @dbe: double-bit errors since then
 */
struct vgpu_errors {
	u32 sbe;
	u32 dbe;
};

/**
 * struct vgpu - a vGPU
 * @vdev: VFIO's part
 * @type: its type
 * @fb: its memory
 * @views: regions through which one sees it, by enum vgpu_view
 * @lock: protects @model, @params, @next_params, @planes, @errors, @revoked and
 *	parts of @vblank
 * @model: what the guest sees; exists while a VMM has the vGPU open
 * @params: settings in force, of the VMM that has it open or had it last
 * @next_params: settings for the next one
 * @planes: pictures with a dma-buf id, VGPU_MAX_PLANES; exists while a VMM has
 *	the vGPU open
 * @plane_clock: counts questions for one
 * @irqs: interrupts
 * @ioeventfds: doorbells
 * @vblank: frames
 * @deferred: what waits for @lock
 * @dma: memory of the guest
 * @exec: what executes commands of the guest
 * @migration: where it is in one
 * @errors: of its memory, for a migration
 * @stopped: for a migration: no frame ends and no interrupt is sent; changes with
 *	@lock held
 * @bars_on: BARs answer; changes with @lock held
 * @revoked: taken away from a VMM that did not let go
 * @open: a VMM has it open
 * @mmaps: keeps track of mappings where VFIO does not
 */
struct vgpu {
	struct vfio_device vdev;
	const struct vgpu_type_desc *type;
	struct vgpu_fb fb;
	struct vgpu_fb_view views[VGPU_NR_VIEWS];
	struct mutex lock;
	struct vgpu_model *model;
	struct vgpu_params params;
	struct vgpu_params next_params;
	struct vgpu_plane *planes;
	u64 plane_clock;
	struct vgpu_irqs irqs;
	struct vgpu_ioeventfds ioeventfds;
	struct vgpu_vblank vblank;
	struct vgpu_deferred deferred;
	struct vgpu_dma dma;
	struct vgpu_exec exec;
	struct vgpu_migration migration;
	struct vgpu_errors errors;
	bool stopped;
	bool bars_on;
	bool revoked;
	bool open;
	struct vgpu_mmaps mmaps;
};

static inline struct vgpu *vdev_to_vgpu(struct vfio_device *vdev)
{
	return container_of(vdev, struct vgpu, vdev);
}

int vgpu_init(struct vgpu *vgpu, const struct vgpu_type_desc *type,
	      struct vram *vram);
void vgpu_fini(struct vgpu *vgpu);
struct vgpu *vgpu_get(struct vgpu *vgpu);
void vgpu_put(struct vgpu *vgpu);
int vgpu_open(struct vgpu *vgpu, bool ecc);
void vgpu_close(struct vgpu *vgpu);
void vgpu_apply_changes(struct vgpu *vgpu);
void vgpu_reset(struct vgpu *vgpu);
int vgpu_set_stopped(struct vgpu *vgpu, bool stopped);
void vgpu_load(struct vgpu *vgpu, struct vgpu_model *model,
	       const struct vgpu_params *params);
void vgpu_revoke(struct vgpu *vgpu);
void vgpu_identity_get(struct vgpu *vgpu, bool ecc,
		       struct vgpu_identity *identity);

/**
 * vgpu_apply() - act on what has changed in the device model
 * @vgpu: vgpu.lock is held
 */
static inline void vgpu_apply(struct vgpu *vgpu)
{
	if (vgpu->model->changed)
		vgpu_apply_changes(vgpu);
}

#endif /* _VGPU_DEVICE_H */
