/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's own structures: pGPU, VRAM, framebuffer, vGPU.
 *
 * Lock order, outermost first:
 *
 *  1. pci_rescan_remove_lock, then the device lock of the pGPU (both PCI core)
 *  2. vgpu_backends_lock
 *  3. mdev core's parent semaphore, VFIO core's locks
 *  4. mmap_lock of the VMM
 *  5. vgpu_irqs.set_lock
 *  6. vgpu.lock
 *  7. vgpu_fb.lock
 *  8. pgpu.lock, i_mmap_rwsem (mm core); neither is taken inside the other
 *
 * User memory is never touched with one of 5 to 8 held.
 */
#ifndef _VGPU_CORE_H
#define _VGPU_CORE_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
/* mdev.h uses VFIO_DEVICE_API_PCI_STRING's header without including it. */
#include <linux/mdev.h>
#include <drm/drm_mm.h>
#include <vgpu/pgpu.h>

#include "compat.h"
#include "model.h"
#include "type.h"

/* A VFIO file offset is the region index and an offset in the region. */
#define VGPU_OFFSET_SHIFT	40
#define VGPU_OFFSET_MASK	((1ULL << VGPU_OFFSET_SHIFT) - 1)
#define VGPU_INDEX_TO_OFFSET(i)	((u64)(i) << VGPU_OFFSET_SHIFT)

#define PGPU_BLOCK_PAGES	(PGPU_BLOCK_SIZE / PAGE_SIZE)

/**
 * struct vgpu_type - a type as the mdev core knows it
 * @mtype: what the mdev core adds
 * @pgpu: whose type
 * @desc: what it stands for
 * @name: <model>-<id>
 */
struct vgpu_type {
	struct mdev_type mtype;
	struct pgpu *pgpu;
	struct vgpu_type_desc desc;
	char name[VGPU_TYPE_NAME_LEN];
};

/**
 * struct pgpu - a physical GPU
 * @dev: its PCI device, parent of the mediated devices
 * @desc: what the backend told; the strings in it are only valid at probe
 * @backend: whose GPU it is
 * @parent: the mdev core's part
 * @types: type table
 * @mtypes: the same as the mdev core wants it
 * @nr_types: entries in both
 * @open_count: vGPUs that a VMM holds open
 * @lock: protects @vram and @free_blocks
 * @vram: which blocks of PGPU_BLOCK_SIZE belong to a vGPU
 * @free_blocks: how many do not
 */
struct pgpu {
	struct device *dev;
	struct pgpu_desc desc;
	struct pgpu_backend *backend;
	struct mdev_parent parent;
	struct vgpu_type *types;
	struct mdev_type **mtypes;
	u32 nr_types;
	atomic_t open_count;

	struct mutex lock;
	struct drm_mm vram;
	u64 free_blocks;
};

/**
 * struct vgpu_fb - framebuffer of a vGPU: VRAM that is contiguous to the guest
 * @pgpu: whose VRAM
 * @size: in bytes
 * @extents: list of struct vram_extent
 * @lock: held for reading while pages of the framebuffer are in use, for
 *	writing while they are discarded or @console_base changes; protects
 *	@console_base and @revoked
 * @table: VRAM block number of each block of the framebuffer
 * @console_base: page of the framebuffer with which the console region begins
 * @revoked: see vgpu_fb_revoke()
 * @mapping: where the mappings of BAR0 and the console are found
 */
struct vgpu_fb {
	struct pgpu *pgpu;
	u64 size;
	struct list_head extents;
	struct rw_semaphore lock;
	u64 *table;
	u64 console_base;
	bool revoked;
	struct address_space *mapping;
};

/**
 * struct vgpu_irqs - where the VMM wants to hear of interrupts
 * @set_lock: serialises VFIO_DEVICE_SET_IRQS, protects @unmask and @mask
 * @msix: an eventfd for each vector, or NULL; these and the following are
 *	protected by vgpu.lock
 * @intx: for INTx
 * @err: for errors of the device; none is sent yet
 * @req: for the request to let the device go
 * @sent: events whose MSI-X has been sent and that the guest has not cleared
 * @intx_masked: INTx was sent, or masked by the VMM
 * @unmask: eventfd with which the VMM unmasks INTx
 * @mask: eventfd with which it masks INTx
 */
struct vgpu_irqs {
	struct mutex set_lock;
	struct eventfd_ctx *msix[VGPU_NR_IRQS];
	struct eventfd_ctx *intx;
	struct eventfd_ctx *err;
	struct eventfd_ctx *req;
	u32 sent;
	bool intx_masked;
	struct virqfd *unmask;
	struct virqfd *mask;
};

/**
 * struct vgpu_vblank - the frames of head 0
 * @timer: one shot a frame
 * @work: what there is to do then
 * @period: of a frame
 * @running: the head shows something; protected by vgpu.lock
 */
struct vgpu_vblank {
	struct hrtimer timer;
	struct work_struct work;
	ktime_t period;
	bool running;
};

/**
 * struct vgpu - a mediated device
 * @vdev: VFIO's part
 * @mdev: the mdev core's part
 * @type: its type
 * @fb: its memory
 * @lock: protects @model, @revoked and parts of @irqs and @vblank
 * @model: what the guest sees
 * @irqs: interrupts
 * @vblank: frames
 * @revoked: taken away from a VMM that did not let go
 * @open: a VMM has it open
 * @mmaps: keeps track of mappings where VFIO does not
 */
struct vgpu {
	struct vfio_device vdev;
	struct mdev_device *mdev;
	struct vgpu_type *type;
	struct vgpu_fb fb;
	struct mutex lock;
	struct vgpu_model model;
	struct vgpu_irqs irqs;
	struct vgpu_vblank vblank;
	bool revoked;
	bool open;
	struct vgpu_mmaps mmaps;
};

static inline struct vgpu *vdev_to_vgpu(struct vfio_device *vdev)
{
	return container_of(vdev, struct vgpu, vdev);
}

static inline struct vgpu_type *mtype_to_type(struct mdev_type *mtype)
{
	return container_of(mtype, struct vgpu_type, mtype);
}

/* pci.c */
int vgpu_pci_init(void);
void vgpu_pci_exit(void);

/* pgpu.c */
struct pgpu *pgpu_register(struct device *dev, struct pgpu_backend *backend,
			   const struct pgpu_desc *desc);
void pgpu_unregister(struct pgpu *pgpu);

/* vram.c */
void vram_init(struct pgpu *pgpu);
void vram_fini(struct pgpu *pgpu);
int vram_alloc(struct pgpu *pgpu, u64 nr_blocks, struct list_head *extents,
	       u64 *table);
void vram_free(struct pgpu *pgpu, struct list_head *extents);
u64 vram_free_blocks(struct pgpu *pgpu);

/* fb.c */
int vgpu_fb_init(struct vgpu_fb *fb, struct pgpu *pgpu, u64 size);
void vgpu_fb_fini(struct vgpu_fb *fb);
int vgpu_fb_run(struct vgpu_fb *fb, u64 page, u64 nr, bool alloc,
		struct pgpu_run *run);
int vgpu_fb_read(struct vgpu_fb *fb, u64 offset, void *buf, size_t len);
int vgpu_fb_write(struct vgpu_fb *fb, u64 offset, const void *buf, size_t len);
void vgpu_fb_clear(struct vgpu_fb *fb);
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked);
void vgpu_fb_set_console(struct vgpu_fb *fb, u64 offset);

/* mdev.c */
extern struct mdev_driver vgpu_mdev_driver;

/* vfio.c */
extern const struct vfio_device_ops vgpu_vfio_ops;
void vgpu_reset(struct vgpu *vgpu);
extern const struct attribute_group *vgpu_dev_groups[];

/* region.c */
int vgpu_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		     struct vfio_info_cap *caps);
ssize_t vgpu_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos);
ssize_t vgpu_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos);
int vgpu_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);

/* irq.c */
int vgpu_irq_info(struct vgpu *vgpu, void __user *arg);
int vgpu_irq_set(struct vgpu *vgpu, void __user *arg);
void vgpu_irq_update(struct vgpu *vgpu);
bool vgpu_irq_request(struct vgpu *vgpu);
void vgpu_irq_release(struct vgpu *vgpu);

/* vblank.c */
void vgpu_vblank_init(struct vgpu *vgpu);
void vgpu_vblank_update(struct vgpu *vgpu);
void vgpu_vblank_stop(struct vgpu *vgpu);

/* gfx.c */
int vgpu_gfx_query_plane(struct vgpu *vgpu, void __user *arg);

#endif /* _VGPU_CORE_H */
