/* SPDX-License-Identifier: GPL-2.0 */
/* VRAM of a pGPU: blocks, pages, and what became of bad ones. */
#ifndef _VGPU_VRAM_H
#define _VGPU_VRAM_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <vgpu/pgpu.h>

struct device;
struct vgpu_fb;

#define PGPU_BLOCK_PAGES	(PGPU_BLOCK_SIZE / PAGE_SIZE)

/* Nothing replaces a page that must not be used. */
#define VRAM_NO_PAGE	((u64)LONG_MAX)

/**
 * struct vram - memory of a pGPU
 * @pgpu: for the operations
 * @ops: of the backend; @pgpu and this are NULL before vram_fill()
 * @dev: whose memory it is, for what is logged
 * @size: in bytes, without the reserve
 * @spare_size: bytes of the reserve, which comes after it
 * @device_memory: as in struct pgpu_desc
 * @open_count: vGPUs in it that a VMM holds open
 * @lock: protects the following, and changes of @remap; and struct ras
 * @free: a bit for each block of PGPU_BLOCK_SIZE, set while it is nobody's
 * @free_blocks: how many are
 * @lowest: no block before this one is free
 * @owners: whose framebuffer each block is in, or NULL
 * @pools: blocks that are given out in single pages; list of struct vram_pool
 * @pool_of: the same by number of the block
 * @remap: number of the page that replaces a page; see pages.c
 * @bad: struct vram_bad_page of each page that had an error
 * @nr_retired: how many of these are retired, or to be
 * @nr_pending: how many of the latter are still in use
 */
struct vram {
	struct pgpu *pgpu;
	const struct pgpu_ops *ops;
	struct device *dev;
	u64 size;
	u64 spare_size;
	bool device_memory;
	atomic_t open_count;

	struct mutex lock;
	unsigned long *free;
	u64 free_blocks;
	u64 lowest;
	struct vgpu_fb **owners;
	struct list_head pools;
	struct xarray pool_of;
	struct xarray remap;
	struct xarray bad;
	u32 nr_retired;
	u32 nr_pending;
};

/**
 * struct vram_bad_page - a page that had an error; there can be a million
 * @sbe: single-bit errors
 * @cause: VGPU_RETIRED_*, 0 while it is not retired
 * @pending: to be retired, and in use
 * @told: errors for which there was a uevent with @told_state; bits of pgpu_error
 * @told_state: first letter of what it said of the page
 * @told_at: when the last was, in jiffies
 * @time: when it was, or is to be, retired
 */
struct vram_bad_page {
	u32 sbe;
	u32 cause;
	bool pending;
	u8 told;
	char told_state;
	u32 told_at;
	time64_t time;
};

/* Without those of the reserve, which come after them. */
static inline u64 vram_nr_blocks(const struct vram *vram)
{
	return vram->size / PGPU_BLOCK_SIZE;
}

/* Of all the memory, with that of the reserve. */
static inline u64 vram_nr_pages(const struct vram *vram)
{
	return (vram->size + vram->spare_size) >> PAGE_SHIFT;
}

/* See struct pgpu_ops. */
static inline int vram_map(const struct vram *vram, u64 page, u64 nr,
			   enum pgpu_alloc alloc, struct pgpu_run *run)
{
	return vram->ops->vram_map(vram->pgpu, page, nr, alloc, run);
}

static inline void vram_discard(const struct vram *vram, u64 page, u64 nr)
{
	vram->ops->vram_discard(vram->pgpu, page, nr);
}

/* vram.c */
void vram_init(struct vram *vram, struct device *dev);
void vram_fini(struct vram *vram);
int vram_fill(struct vram *vram, struct pgpu *pgpu,
	      const struct pgpu_desc *desc);
int vram_alloc(struct vram *vram, struct vgpu_fb *fb, u64 nr_blocks);
void vram_free(struct vram *vram, struct vgpu_fb *fb);
u64 vram_free_blocks(struct vram *vram);
u64 vram_find_hole(struct vram *vram, u64 nr_blocks);
void vram_put_block(struct vram *vram, u64 block);

/* pages.c */
int vram_reserve_init(struct vram *vram);
void vram_pages_fini(struct vram *vram);
u64 vram_resolve(struct vram *vram, u64 home);
bool vram_remap(struct vram *vram, u64 home, u64 to);
int vram_replace(struct vram *vram, struct vgpu_fb *fb, u64 home, bool keep);
u64 vram_spare_pages(struct vram *vram, u64 *free);
struct vgpu_fb *vram_user(struct vram *vram, u64 page, u64 *home);
struct vram_bad_page *vram_page(struct vram *vram, u64 page);
int vram_retire(struct vram *vram, u64 page, u32 cause, time64_t time);
void vram_retire_freed(struct vram *vram);
bool vram_page_is_bad(struct vram *vram, u64 page);
bool vram_has_pending(struct vram *vram);
u64 vram_next_bad(struct vram *vram, u64 first, u64 last);

#endif /* _VGPU_VRAM_H */
