/* SPDX-License-Identifier: GPL-2.0 */
/* Framebuffer of a vGPU: VRAM that is contiguous to the guest. */
#ifndef _VGPU_FB_H
#define _VGPU_FB_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <vgpu/pgpu.h>

struct address_space;
struct device;
struct iov_iter;
struct vgpu_fb;
struct vram;

/**
 * struct vgpu_fb_view - a place where a framebuffer can be mapped
 * @fb: the framebuffer
 * @link: in vgpu_fb.views; protected by vgpu_fb.resv
 * @mapping: where its mappings are found
 * @at: where in @mapping it begins, in bytes
 * @first: page of the framebuffer with which it begins; changes with vgpu_fb.lock
 *	held for writing
 * @nr: pages; as many as the framebuffer has in a view that goes on with its
 *	beginning behind its end
 * @ended: nothing is shown there any more; changes with vgpu_fb.resv held, and
 *	vgpu_fb.lock for writing
 * @is_guest: a guest is given what is mapped there; see fault.c
 * @ops: what else there is to do; NULL if there is nothing
 */
struct vgpu_fb_view {
	struct vgpu_fb *fb;
	struct list_head link;
	struct address_space *mapping;
	loff_t at;
	u64 first;
	u64 nr;
	bool ended;
	bool is_guest;
	const struct vgpu_fb_view_ops *ops;
};

/**
 * struct vgpu_fb_view_ops - views that others than VMAs use, too
 * @stop: have them let go of pages that are about to move or go; vgpu_fb.resv is held
 * @is_pinned: whether somebody holds its pages who cannot be notified
 * @written: whether somebody may be writing to it unseen
 */
struct vgpu_fb_view_ops {
	void (*stop)(struct vgpu_fb_view *view);
	bool (*is_pinned)(struct vgpu_fb_view *view);
	bool (*written)(struct vgpu_fb_view *view);
};

/**
 * struct vgpu_fb - framebuffer of a vGPU
 * @vram: where it is
 * @size: in bytes
 * @device_memory: as in struct pgpu_desc; here because dma-bufs outlive @vram
 * @owner: a reference on it keeps this structure
 * @resv: reservation object of all its dma-bufs, held while pages are discarded
 *	or moved; protects @views
 * @views: list of struct vgpu_fb_view
 * @lock: held for reading while pages of the framebuffer are in use, for
 *	writing while they are discarded or a view moves; protects @revoked
 * @table: VRAM block number of each block of the framebuffer; NULL when they
 *	have been given back
 * @revoked: see vgpu_fb_revoke()
 * @generation: how often its whole content was discarded; changes with @lock held
 *	for writing
 * @held: pages of this generation that importers of dma-bufs hold which cannot be
 *	notified, each page as often as it is held
 * @orphans: the same of former generations; it has other memory now
 * @dirty: a bit for each VGPU_DIRTY_PAGES that were written, see dirty.c; NULL
 *	while nobody wants to know.  Changes with @lock held for writing and
 *	vgpu_migration.lock.
 */
struct vgpu_fb {
	struct vram *vram;
	u64 size;
	bool device_memory;
	struct device *owner;
	struct dma_resv resv;
	struct list_head views;
	struct rw_semaphore lock;
	u64 *table;
	bool revoked;
	u64 generation;
	atomic64_t held;
	atomic64_t orphans;
	unsigned long *dirty;
};

/* What is tracked of writes: which 64 KiB they were to. */
#define VGPU_DIRTY_PAGES	(SZ_64K / PAGE_SIZE)

/* How many of these are taken at once. */
#define VGPU_DIRTY_GROUP	32

static inline u64 vgpu_fb_pages(const struct vgpu_fb *fb)
{
	return fb->size >> PAGE_SHIFT;
}

/* fb.c */
int vgpu_fb_init(struct vgpu_fb *fb, struct vram *vram, u64 size,
		 struct device *owner);
void vgpu_fb_fini(struct vgpu_fb *fb);
void vgpu_fb_destroy(struct vgpu_fb *fb);
int vgpu_fb_run(struct vgpu_fb *fb, u64 page, u64 nr, enum pgpu_alloc alloc,
		struct pgpu_run *run);
int vgpu_fb_wait(void);
int vgpu_fb_room(struct vgpu_fb *fb, int ret, enum pgpu_alloc *alloc);
void vgpu_fb_clear(struct vgpu_fb *fb);
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked);
int vgpu_fb_move_page(struct vgpu_fb *fb, u64 page);
int vgpu_fb_page_error(struct vgpu_fb *fb, u64 home, bool gone, u64 replace,
		       u64 *page);
int vgpu_fb_vram_page(struct vgpu_fb *fb, u64 page, u64 *vram);

/* fb_io.c */
int vgpu_fb_copy(const struct vgpu_fb *fb, void *to, const void *from,
		 size_t len);
bool vgpu_fb_copy_iter(const void *from, size_t len, struct iov_iter *to);
int vgpu_fb_read(struct vgpu_fb *fb, u64 offset, void *buf, size_t len);
bool vgpu_fb_read_iter(struct vgpu_fb *fb, u64 offset, struct iov_iter *to,
		       size_t len);
int vgpu_fb_write_lines(struct vgpu_fb *fb, u64 offset, u64 pitch,
			const void *buf, size_t len, u32 nr);
int vgpu_fb_write(struct vgpu_fb *fb, u64 offset, const void *buf, size_t len);
ssize_t vgpu_fb_write_iter(struct vgpu_fb *fb, u64 offset,
			   struct iov_iter *from, size_t len);
int vgpu_fb_zero(struct vgpu_fb *fb, u64 page, u64 nr);

/* view.c */
void vgpu_fb_view_add(struct vgpu_fb_view *view);
void vgpu_fb_view_del(struct vgpu_fb_view *view);
void vgpu_fb_view_move(struct vgpu_fb_view *view, u64 offset);
u64 vgpu_fb_view_page(const struct vgpu_fb_view *view, u64 page);
void vgpu_fb_zap(struct vgpu_fb *fb, u64 page, u64 nr);
int vgpu_fb_claim(struct vgpu_fb *fb, u64 page, u64 nr, bool keep);
void vgpu_fb_release(struct vgpu_fb *fb);
void vgpu_fb_mark_importers(struct vgpu_fb *fb);

/* dirty.c */
void vgpu_fb_mark_dirty(struct vgpu_fb *fb, u64 page, u64 nr);
u64 vgpu_fb_used(struct vgpu_fb *fb);
int vgpu_fb_track(struct vgpu_fb *fb);
void vgpu_fb_untrack(struct vgpu_fb *fb);
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
 * vgpu_fb_is_clean() - whether a write to a page would have to be tracked
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

/**
 * vgpu_fb_view_init() - vgpu_fb_view_add() while a vGPU is being made
 * @view: the place, in a framebuffer that nobody else can use yet; nothing is mapped
 *	there yet
 *
 * There are several views, and a lock for each is a good part of what the driver
 * itself does to make a vGPU.
 */
static inline void vgpu_fb_view_init(struct vgpu_fb_view *view)
{
	list_add(&view->link, &view->fb->views);
}

#endif /* _VGPU_FB_H */
