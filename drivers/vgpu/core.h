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
 *  5. vgpu_irqs.set_lock, vgpu_ioeventfds.lock, vgpu_migration.lock
 *  6. vgpu.lock
 *  7. vgpu_fb.resv, which importers of dma-bufs hold when they map them
 *  8. vgpu_fb.lock
 *  9. pgpu.lock, i_mmap_rwsem (mm core)
 * 10. what a backend locks in its operations
 * 11. vgpu_irqs.lock, vgpu_deferred.lock, spinlocks
 *
 * Of those from 5 on with one number none of ours is taken inside the other.  User
 * memory is touched with page faults off while one of 5 to 10 is held.
 */
#ifndef _VGPU_CORE_H
#define _VGPU_CORE_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/dma-resv.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/uuid.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
/* mdev.h uses VFIO_DEVICE_API_PCI_STRING's header without including it. */
#include <linux/mdev.h>
#include <vgpu/pgpu.h>

#include "compat/misc.h"
#include "compat/mm.h"
#include "compat/unaligned.h"
#include "compat/vfio.h"
#include "model/stream/identity.h"
#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"
#include "model/params.h"
#include "model/type.h"

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

/* How many of the last errors are kept. */
#define PGPU_LAST_ERRORS	16

/**
 * struct pgpu_ecc_error - one of the last errors
 * @page: page of VRAM
 * @time: when
 * @dbe: a double-bit error
 * @uuid: of the vGPU that used the page, or "none"
 */
struct pgpu_ecc_error {
	u64 page;
	time64_t time;
	bool dbe;
	char uuid[UUID_STRING_LEN + 1];
};

/**
 * struct pgpu_ecc - errors of a pGPU's memory; protected by pgpu.lock
 * @enabled: in force
 * @pending: from the next reset on
 * @sbe: single-bit errors since the reset
 * @dbe: double-bit errors since then
 * @sbe_before: single-bit errors ever before
 * @dbe_before: double-bit errors ever before
 * @pages: struct pgpu_bad_page of each page that had an error
 * @nr_retired: how many of these are retired, or to be
 * @nr_pending: how many of the latter are still in use
 * @list: the list of them as somebody reads it now, or NULL
 * @list_size: bytes of it
 * @last: the last errors, of which number n is at n % PGPU_LAST_ERRORS
 * @nr_errors: how many there have been since the pGPU was bound
 */
struct pgpu_ecc {
	bool enabled;
	bool pending;
	u64 sbe;
	u64 dbe;
	u64 sbe_before;
	u64 dbe_before;
	struct xarray pages;
	u32 nr_retired;
	u32 nr_pending;
	void *list;
	size_t list_size;
	struct pgpu_ecc_error last[PGPU_LAST_ERRORS];
	u64 nr_errors;
};

/**
 * struct pgpu - a physical GPU
 * @dev: its PCI device, parent of the mediated devices
 * @desc: what the backend told; the strings in it are only valid at probe
 * @backend: whose GPU it is
 * @link: in the list of all pGPUs
 * @parent: the mdev core's part
 * @types: type table
 * @mtypes: the same as the mdev core wants it
 * @nr_types: entries in both
 * @open_count: vGPUs that a VMM holds open
 * @debugfs: its directory
 * @edac: its memory controller; NULL without
 * @ecc: errors and retired pages
 * @lock: protects all of the following, @ecc, and changes of @remap
 * @live: errors can be reported
 * @free: a bit for each block of PGPU_BLOCK_SIZE, set while it is nobody's
 * @free_blocks: how many are
 * @owners: whose framebuffer each block is in, or NULL
 * @pools: blocks that are given out in single pages; list of struct vram_pool
 * @pool_of: the same by number of the block
 * @remap: number of the page that stands in for a page of VRAM; see pages.c
 */
struct pgpu {
	struct device *dev;
	struct pgpu_desc desc;
	struct pgpu_backend *backend;
	struct list_head link;
	struct mdev_parent parent;
	struct vgpu_type *types;
	struct mdev_type **mtypes;
	u32 nr_types;
	atomic_t open_count;
	struct dentry *debugfs;
	struct mem_ctl_info *edac;
	struct pgpu_ecc ecc;

	struct mutex lock;
	bool live;
	unsigned long *free;
	u64 free_blocks;
	struct vgpu_fb **owners;
	struct list_head pools;
	struct xarray pool_of;
	struct xarray remap;
};

/* Without those of the reserve, which come after them. */
static inline u64 pgpu_nr_blocks(const struct pgpu *pgpu)
{
	return pgpu->desc.vram_size / PGPU_BLOCK_SIZE;
}

/* Of all its memory, with that of the reserve. */
static inline u64 pgpu_nr_pages(const struct pgpu *pgpu)
{
	return (pgpu->desc.vram_size + pgpu->desc.spare_size) >> PAGE_SHIFT;
}

/* Nothing stands in for a page that must not be used. */
#define VRAM_NO_PAGE	((u64)LONG_MAX)

/* Regions that show the part of the framebuffer where a picture is. */
enum vgpu_fb_window {
	VGPU_WINDOW_CONSOLE,
	VGPU_WINDOW_CURSOR,
	VGPU_NR_WINDOWS
};

/**
 * struct vgpu_fb - framebuffer of a vGPU: VRAM that is contiguous to the guest
 * @pgpu: whose VRAM
 * @size: in bytes
 * @device_memory: as in struct pgpu_desc; here because dma-bufs outlive @pgpu
 * @resv: reservation object of all its dma-bufs, held while pages are discarded
 *	or moved; protects @dmabufs
 * @dmabufs: list of struct vgpu_dmabuf
 * @lock: held for reading while pages of the framebuffer are in use, for
 *	writing while they are discarded or @window changes; protects @window
 *	and @revoked
 * @table: VRAM block number of each block of the framebuffer; NULL when they
 *	have been given back
 * @window: page of the framebuffer with which each window begins
 * @revoked: see vgpu_fb_revoke()
 * @generation: how often its whole content was discarded; changes with @lock held
 *	for writing
 * @held: pages of this generation that importers of dma-bufs hold which cannot be
 *	told to let go, each page as often as it is held
 * @orphans: the same of former generations; it has other memory now
 * @dirty: a bit for each VGPU_DIRTY_PAGES that were written, see dirty.c; NULL
 *	while nobody wants to know.  Changes with @lock held for writing and
 *	vgpu_migration.lock.
 * @mapping: where the mappings of BAR0 and the console are found
 */
struct vgpu_fb {
	struct pgpu *pgpu;
	u64 size;
	bool device_memory;
	struct dma_resv resv;
	struct list_head dmabufs;
	struct rw_semaphore lock;
	u64 *table;
	u64 window[VGPU_NR_WINDOWS];
	bool revoked;
	u64 generation;
	atomic64_t held;
	atomic64_t orphans;
	unsigned long *dirty;
	struct address_space *mapping;
};

/* What is noticed of writes: which 64 KiB they were to. */
#define VGPU_DIRTY_PAGES	(SZ_64K / PAGE_SIZE)

/* How many of these are taken at once. */
#define VGPU_DIRTY_GROUP	32

/**
 * struct vgpu_irqs - where the VMM wants to hear of interrupts
 * @set_lock: serialises VFIO_DEVICE_SET_IRQS, protects @unmask and @mask
 * @lock: protects all but these; eventfds are signalled with it held
 * @msix: an eventfd for each vector, or NULL
 * @intx: for INTx
 * @err: for errors of the device; none is sent yet
 * @req: for the request to let the device go
 * @pending: events of the device model that interrupt; this and the following two
 *	are as of the last vgpu_irq_update()
 * @msix_on: MSI-X messages may be sent
 * @intx_on: INTx may be raised
 * @sent: events whose MSI-X has been sent and that the guest has not cleared
 * @intx_masked: INTx was sent, or masked by the VMM
 * @unmask: eventfd with which the VMM unmasks INTx
 * @mask: eventfd with which it masks INTx
 */
struct vgpu_irqs {
	struct mutex set_lock;
	spinlock_t lock;
	struct eventfd_ctx *msix[VGPU_NR_IRQS];
	struct eventfd_ctx *intx;
	struct eventfd_ctx *err;
	struct eventfd_ctx *req;
	u32 pending;
	bool msix_on;
	bool intx_on;
	u32 sent;
	bool intx_masked;
	struct virqfd *unmask;
	struct virqfd *mask;
};

/**
 * struct vgpu_ioeventfds - doorbells that are eventfds
 * @lock: protects @list and @nr
 * @list: of struct vgpu_ioeventfd
 * @nr: how many
 * @rung: how often they rang, and the model has not been told
 */
struct vgpu_ioeventfds {
	struct mutex lock;
	struct list_head list;
	u32 nr;
	atomic_t rung;
};

/**
 * struct vgpu_vblank - the frames of the heads
 * @timer: one shot a frame
 * @ended: frames that have ended and that nothing has been done for
 * @running: a head shows something; this and the following are protected by
 *	vgpu.lock
 * @period: of a frame
 * @since: when the running second began
 * @frames: in it so far
 * @rate: of the last full second
 */
struct vgpu_vblank {
	struct hrtimer timer;
	atomic_t ended;
	bool running;
	ktime_t period;
	ktime_t since;
	u32 frames;
	u32 rate;
};

/**
 * struct vgpu_deferred - what waits for vgpu.lock to be free; see deferred.c
 * @work: does it
 * @lock: a spinlock, protects the rest
 * @sbe: single-bit errors that the device model does not know of
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

/**
 * struct vgpu_migration - where in a migration a vGPU is
 * @lock: protects all of this, and the files of a migration
 * @state: VFIO_DEVICE_STATE_*
 * @file: what is read or written in @state, with a reference; or NULL
 * @logging: the VMM wants to know which memory of the guest was written; none is
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
 * struct vgpu_errors - errors of a vGPU's memory, whether or not a guest is told
 * @sbe: single-bit errors since it began to resume
 * @dbe: double-bit errors since then
 */
struct vgpu_errors {
	u32 sbe;
	u32 dbe;
};

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

/**
 * struct vgpu - a mediated device
 * @vdev: VFIO's part
 * @mdev: the mdev core's part
 * @type: its type
 * @fb: its memory
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
 * @migration: where it is in one
 * @errors: of its memory, for a migration
 * @stopped: for a migration: no frame ends and no interrupt is sent; changes with
 *	@lock held
 * @bars_on: BARs answer; changes with @lock held
 * @doorbells_on: doorbells are heard; changes with @lock held
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
	struct vgpu_model *model;
	struct vgpu_params params;
	struct vgpu_params next_params;
	struct vgpu_plane *planes;
	u64 plane_clock;
	struct vgpu_irqs irqs;
	struct vgpu_ioeventfds ioeventfds;
	struct vgpu_vblank vblank;
	struct vgpu_deferred deferred;
	struct vgpu_migration migration;
	struct vgpu_errors errors;
	bool stopped;
	bool bars_on;
	bool doorbells_on;
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

/* pgpu/pci.c */
int vgpu_pci_init(void);
void vgpu_pci_exit(void);

/* pgpu/pgpu.c */
struct pgpu *pgpu_alloc(struct device *dev, struct pgpu_backend *backend);
void pgpu_free(struct pgpu *pgpu);
int pgpu_register(struct pgpu *pgpu, const struct pgpu_desc *desc);
void pgpu_unregister(struct pgpu *pgpu);

/* memory/vram.c */
int vram_init(struct pgpu *pgpu);
void vram_fini(struct pgpu *pgpu);
int vram_alloc(struct pgpu *pgpu, struct vgpu_fb *fb, u64 nr_blocks);
void vram_free(struct pgpu *pgpu, struct vgpu_fb *fb);
u64 vram_free_blocks(struct pgpu *pgpu);
u64 vram_find_hole(struct pgpu *pgpu, u64 nr_blocks);

/* memory/pages.c */
int vram_spare_init(struct pgpu *pgpu);
void vram_spare_fini(struct pgpu *pgpu);
int vram_page_alloc(struct pgpu *pgpu, u64 *page);
void vram_page_free(struct pgpu *pgpu, u64 page);
u64 vram_resolve(struct pgpu *pgpu, u64 home);
bool vram_remap(struct pgpu *pgpu, u64 home, u64 to);
void vram_unreserve(struct pgpu *pgpu, u64 home);
bool vram_find_user(struct pgpu *pgpu, u64 page, u64 *home);
int vram_retire_free(struct pgpu *pgpu, u64 page, u64 home);
u64 vram_spare_pages(struct pgpu *pgpu, u64 *free);

/* ras/ecc.c */
void pgpu_ecc_init(struct pgpu *pgpu);
void pgpu_ecc_fini(struct pgpu *pgpu);
void pgpu_ecc_show(struct pgpu *pgpu, struct seq_file *m);
int pgpu_ecc_last(struct pgpu *pgpu, char *buf);
int pgpu_ecc_reset(struct pgpu *pgpu);
bool pgpu_ecc_enabled(struct pgpu *pgpu);
bool pgpu_ecc_has_pending(struct pgpu *pgpu);
bool pgpu_ecc_is_bad(struct pgpu *pgpu, u64 page);
bool pgpu_ecc_is_pending(struct pgpu *pgpu, u64 page);
u64 pgpu_ecc_next_bad(struct pgpu *pgpu, u64 first, u64 last);
void pgpu_ecc_again(struct pgpu *pgpu, u64 page);
void pgpu_ecc_done(struct pgpu *pgpu, u64 page);
void pgpu_ecc_retire_freed(struct pgpu *pgpu);

/* ras/ecc_list.c */
int pgpu_ecc_load(struct pgpu *pgpu);
ssize_t pgpu_ecc_list(struct pgpu *pgpu, char *buf, loff_t offset,
		      size_t count);

/* ras/edac.c */
void pgpu_edac_add(struct pgpu *pgpu);
void pgpu_edac_del(struct pgpu *pgpu);
void pgpu_edac_report(struct pgpu *pgpu, u64 page, bool dbe);

/* pgpu/ecc_attrs.c */
extern const struct attribute_group *vgpu_pci_groups[];

/* memory/fb.c */
int vgpu_fb_init(struct vgpu_fb *fb, struct pgpu *pgpu, u64 size);
void vgpu_fb_fini(struct vgpu_fb *fb);
void vgpu_fb_destroy(struct vgpu_fb *fb);
int vgpu_fb_run(struct vgpu_fb *fb, u64 page, u64 nr, enum pgpu_alloc alloc,
		struct pgpu_run *run);
int vgpu_fb_wait(void);
int vgpu_fb_room(struct vgpu_fb *fb, int ret, enum pgpu_alloc *alloc);
int vgpu_fb_copy(const struct vgpu_fb *fb, void *to, const void *from,
		 size_t len);
int vgpu_fb_read(struct vgpu_fb *fb, u64 offset, void *buf, size_t len);
int vgpu_fb_write(struct vgpu_fb *fb, u64 offset, const void *buf, size_t len);
ssize_t vgpu_fb_write_iter(struct vgpu_fb *fb, u64 offset,
			   struct iov_iter *from, size_t len);
int vgpu_fb_zero(struct vgpu_fb *fb, u64 page, u64 nr);
void vgpu_fb_zap(struct vgpu_fb *fb, u64 page, u64 nr);
void vgpu_fb_clear(struct vgpu_fb *fb);
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked);
int vgpu_fb_move_page(struct vgpu_fb *fb, u64 page);
int vgpu_fb_retire_page(struct vgpu_fb *fb, u64 home);
void vgpu_fb_zap_page(struct vgpu_fb *fb, u64 home);
int vgpu_fb_find_page(struct vgpu_fb *fb, u64 home, u64 *page);
int vgpu_fb_vram_page(struct vgpu_fb *fb, u64 page, u64 *vram);
void vgpu_fb_set_window(struct vgpu_fb *fb, enum vgpu_fb_window window,
			u64 offset);

/* memory/dirty.c */
void vgpu_fb_mark_dirty(struct vgpu_fb *fb, u64 page, u64 nr);
u64 vgpu_fb_used(struct vgpu_fb *fb);
int vgpu_fb_track(struct vgpu_fb *fb);
void vgpu_fb_untrack(struct vgpu_fb *fb);
void vgpu_fb_mark_importers(struct vgpu_fb *fb);
u32 vgpu_fb_claim_dirty(struct vgpu_fb *fb, u64 *group, bool last);
u64 vgpu_fb_dirty_chunks(const struct vgpu_fb *fb);

/**
 * vgpu_fb_mark() - pages are about to be written
 * @fb: vgpu_fb.lock is held
 * @page: the first
 * @nr: how many, at least one; all in the framebuffer
 */
static inline void vgpu_fb_mark(struct vgpu_fb *fb, u64 page, u64 nr)
{
	lockdep_assert_held(&fb->lock);
	if (fb->dirty)
		vgpu_fb_mark_dirty(fb, page, nr);
}

/**
 * vgpu_fb_is_clean() - whether a write to a page would have to be noticed
 * @fb: vgpu_fb.lock is held
 * @page: page number
 *
 * Return: false while nobody wants to know, too
 */
static inline bool vgpu_fb_is_clean(const struct vgpu_fb *fb, u64 page)
{
	lockdep_assert_held(&fb->lock);
	return fb->dirty && !test_bit(page / VGPU_DIRTY_PAGES, fb->dirty);
}

/* migration/migrate.c */
void vgpu_migration_init(struct vgpu *vgpu);
void vgpu_migration_reset(struct vgpu *vgpu);
void vgpu_migration_close(struct vgpu *vgpu);

/* migration/file.c */
struct file *vgpu_migration_save(struct vgpu *vgpu);
struct file *vgpu_migration_resume(struct vgpu *vgpu);
void vgpu_migration_final(struct file *file);
int vgpu_migration_load(struct file *file);
u64 vgpu_migration_left(struct file *file);
void vgpu_migration_end(struct file *file);

/* memory/fault.c */
/**
 * typedef vgpu_fb_locate_fn - which page of the framebuffer a VMA shows at a file offset
 * @priv: as vgpu_fb_mmap() got it
 * @pgoff: the offset in pages
 * @page: the answer
 *
 * Called with vgpu_fb.lock held.
 *
 * Return: false when it does not show one any more
 */
typedef bool (*vgpu_fb_locate_fn)(void *priv, pgoff_t pgoff, u64 *page);

vm_fault_t vgpu_fb_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			 vgpu_fb_locate_fn locate, bool write);
vm_fault_t vgpu_fb_mkwrite(struct vgpu_fb *fb, struct vm_fault *vmf,
			   vgpu_fb_locate_fn locate);
vm_fault_t vgpu_fb_huge_fault(struct vgpu_fb *fb, struct vm_fault *vmf,
			      unsigned int order, vgpu_fb_locate_fn locate);
int vgpu_fb_mmap(struct vgpu_fb *fb, struct vm_area_struct *vma,
		 const struct vm_operations_struct *ops, void *priv);

/* front/mdev.c */
extern struct mdev_driver vgpu_mdev_driver;

/* front/attrs.c */
int vgpu_attrs_add(struct vgpu *vgpu);
void vgpu_attrs_del(struct vgpu *vgpu);
void vgpu_attrs_busy(struct vgpu *vgpu);

/* front/version_attrs.c */
int vgpu_type_attrs_add(struct pgpu *pgpu);
void vgpu_type_attrs_del(struct pgpu *pgpu);
void vgpu_identity_get(struct vgpu *vgpu, struct vgpu_identity *identity);
extern const struct device_attribute vgpu_migration_version_attr;

/* pgpu/debugfs.c */
void vgpu_debugfs_init(void);
void vgpu_debugfs_exit(void);
void vgpu_debugfs_add(struct pgpu *pgpu);
void vgpu_debugfs_del(struct pgpu *pgpu);

/* front/vfio.c */
extern const struct vfio_device_ops vgpu_vfio_ops;
void vgpu_load(struct vgpu *vgpu, struct vgpu_model *model,
	       const struct vgpu_params *params);
void vgpu_set_stopped(struct vgpu *vgpu, bool stopped);
void vgpu_reset(struct vgpu *vgpu);

/* front/region.c */
int vgpu_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		     struct vfio_info_cap *caps);
ssize_t vgpu_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos);
ssize_t vgpu_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos);
bool vgpu_region_mappable(u64 index);
void vgpu_bars_update(struct vgpu *vgpu);

/* front/region_mmap.c */
u64 vgpu_region_page(struct vgpu *vgpu, pgoff_t pgoff);
int vgpu_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);

/* device/doorbell.c */
int vgpu_ioeventfd_set(struct vgpu *vgpu, void __user *arg);
void vgpu_ioeventfd_release(struct vgpu *vgpu);

/* Have the model know how often they rang; vgpu.lock is held. */
static inline void vgpu_ioeventfd_gather(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->lock);
	if (atomic_read(&vgpu->ioeventfds.rung))
		vgpu->model->doorbells +=
			atomic_xchg(&vgpu->ioeventfds.rung, 0);
}

/* device/irq.c */
int vgpu_irq_info(struct vgpu *vgpu, void __user *arg);
int vgpu_irq_set(struct vgpu *vgpu, void __user *arg);
void vgpu_irq_update(struct vgpu *vgpu);
void vgpu_irq_resend(struct vgpu *vgpu);
bool vgpu_irq_request(struct vgpu *vgpu);
void vgpu_irq_release(struct vgpu *vgpu);

/* front/feature.c */
int vgpu_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		 size_t argsz);

/* device/vblank.c */
void vgpu_vblank_init(struct vgpu *vgpu);
u32 vgpu_vblank_limit(struct vgpu *vgpu);
void vgpu_vblank_update(struct vgpu *vgpu);
void vgpu_vblank_frames(struct vgpu *vgpu);
u32 vgpu_vblank_rate(struct vgpu *vgpu);

/* device/deferred.c */
void vgpu_deferred_init(struct vgpu *vgpu);
void vgpu_deferred_fini(struct vgpu *vgpu);
void vgpu_defer(struct vgpu *vgpu);
void vgpu_deferred_run(struct vgpu *vgpu);
void vgpu_ecc_event(struct vgpu *vgpu, bool dbe, u64 page);

/* device/plane.c */
void vgpu_gfx_update(struct vgpu *vgpu);
void vgpu_gfx_forget(struct vgpu *vgpu);
int vgpu_gfx_query_plane(struct vgpu *vgpu, void __user *arg);
int vgpu_gfx_get_dmabuf(struct vgpu *vgpu, void __user *arg);

/* memory/dmabuf.c */
struct dma_buf *vgpu_dmabuf_export(struct vgpu *vgpu, u64 offset, u64 size,
				   int mode);
void vgpu_dmabuf_stop(struct vgpu_fb *fb, u64 page, u64 nr);
void vgpu_dmabuf_zap(struct vgpu_fb *fb, u64 page, u64 nr);
void vgpu_dmabuf_mark(struct vgpu_fb *fb);
bool vgpu_dmabuf_is_pinned(struct vgpu_fb *fb, u64 page);
void vgpu_dmabuf_end(struct vgpu_fb *fb);

#endif /* _VGPU_CORE_H */
