// SPDX-License-Identifier: GPL-2.0
/*
 * Framebuffer: the way from an offset that the guest uses to host memory.
 *
 * There is one walk, vgpu_fb_run().  Reads, writes, page faults, planes and
 * dma-bufs all go through it, and hold vgpu_fb.lock for reading while they use
 * what it answered.
 */
#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "core.h"

/**
 * vgpu_fb_init() - take VRAM for a framebuffer
 * @fb: zeroed
 * @pgpu: whose VRAM
 * @size: in bytes, a multiple of PGPU_BLOCK_SIZE
 *
 * Return: 0, -ENOSPC when the pGPU is full, or -ENOMEM
 */
int vgpu_fb_init(struct vgpu_fb *fb, struct pgpu *pgpu, u64 size)
{
	u64 nr_blocks = size / PGPU_BLOCK_SIZE;
	int ret;

	fb->table = kvcalloc(nr_blocks, sizeof(*fb->table), GFP_KERNEL_ACCOUNT);
	if (!fb->table)
		return -ENOMEM;
	fb->pgpu = pgpu;
	fb->size = size;
	fb->device_memory = pgpu->desc.device_memory;
	init_rwsem(&fb->lock);
	INIT_LIST_HEAD(&fb->dmabufs);
	ret = vram_alloc(pgpu, fb, nr_blocks);
	if (ret) {
		kvfree(fb->table);
		return ret;
	}
	dma_resv_init(&fb->resv);
	return 0;
}

/**
 * vgpu_fb_fini() - give the VRAM back
 * @fb: nobody has the vGPU open any more; dma-bufs may be left and have ended
 */
void vgpu_fb_fini(struct vgpu_fb *fb)
{
	u64 *table = fb->table;

	vgpu_fb_clear(fb);
	vram_free(fb->pgpu, fb);
	/* Who was told of an error in it may still come. */
	down_write(&fb->lock);
	fb->table = NULL;
	up_write(&fb->lock);
	kvfree(table);
}

/**
 * vgpu_fb_destroy() - the last step, when no dma-buf is left either
 * @fb: after vgpu_fb_fini()
 */
void vgpu_fb_destroy(struct vgpu_fb *fb)
{
	dma_resv_fini(&fb->resv);
}

/* The VRAM page of a framebuffer page that has not moved. */
static u64 vgpu_fb_home(const struct vgpu_fb *fb, u64 page)
{
	return fb->table[page / PGPU_BLOCK_PAGES] * PGPU_BLOCK_PAGES +
	       page % PGPU_BLOCK_PAGES;
}

/**
 * vgpu_fb_run() - find the host memory of a framebuffer page
 * @fb: vgpu_fb.lock is held
 * @page: page number in the framebuffer
 * @nr: pages wanted, at least 1
 * @alloc: see pgpu_ops.vram_map
 * @run: the answer, at most @nr pages
 *
 * Return: 0; -EINVAL beyond the framebuffer; -EIO when it was revoked; what
 * the backend returned
 */
int vgpu_fb_run(struct vgpu_fb *fb, u64 page, u64 nr, enum pgpu_alloc alloc,
		struct pgpu_run *run)
{
	struct pgpu *pgpu = fb->pgpu;
	unsigned long next;
	void *entry = NULL;
	u64 vram;

	lockdep_assert_held(&fb->lock);
	if (page >= fb->size >> PAGE_SHIFT)
		return -EINVAL;
	if (fb->revoked)
		return -EIO;
	vram = vgpu_fb_home(fb, page);
	nr = min(nr, PGPU_BLOCK_PAGES - page % PGPU_BLOCK_PAGES);
	/* A run ends before a page that another one stands in for; that is one. */
	next = vram;
	if (!xa_empty(&pgpu->remap))
		entry = xa_find(&pgpu->remap, &next, vram + nr - 1, XA_PRESENT);
	if (entry && next == vram) {
		vram = xa_to_value(entry);
		nr = 1;
		if (vram == VRAM_NO_PAGE)
			return -EIO;
	} else if (entry) {
		nr = next - vram;
	}
	return pgpu->desc.ops->vram_map(pgpu, vram, nr, alloc, run);
}

/**
 * vgpu_fb_wait() - wait until the task's memory cgroup has room for a page
 *
 * This is where a VMM that is over its limit is made to wait, or dies of it.
 *
 * Context: process, none of the locks but mmap_lock
 *
 * Return: 0 or -ENOMEM
 */
int vgpu_fb_wait(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL_ACCOUNT);

	free_page(page);
	return page ? 0 : -ENOMEM;
}

/**
 * vgpu_fb_room() - what to do after vgpu_fb_run() has answered
 * @fb: vgpu_fb.lock is held for reading, and nothing else that others need; it is
 *	given up for a while when there was no room for a page
 * @ret: what it answered
 * @alloc: what it was asked; what to ask next
 *
 * Return: -EAGAIN when it is to be asked again; -ENOMEM; @ret
 */
int vgpu_fb_room(struct vgpu_fb *fb, int ret, enum pgpu_alloc *alloc)
{
	lockdep_assert_held_read(&fb->lock);
	if (ret != -EAGAIN) {
		*alloc = PGPU_ALLOC_TRY;
		return ret;
	}
	up_read(&fb->lock);
	ret = vgpu_fb_wait();
	down_read(&fb->lock);
	*alloc = PGPU_ALLOC_FORCE;
	return ret ?: -EAGAIN;
}

static void vgpu_fb_unmap(struct vgpu_fb *fb, u32 region, u64 page, u64 nr)
{
	/* Even private copies go, though nothing here makes any. */
	if (nr && fb->mapping)
		unmap_mapping_range(fb->mapping, VGPU_INDEX_TO_OFFSET(region) +
				    (page << PAGE_SHIFT), nr << PAGE_SHIFT, 1);
}

/**
 * vgpu_fb_zap() - take away the mappings of some pages
 * @fb: vgpu_fb.lock is held for writing, and vgpu_fb.resv
 * @page: the first
 * @nr: how many, whichever region they go through
 */
void vgpu_fb_zap(struct vgpu_fb *fb, u64 page, u64 nr)
{
	const struct {
		u32 region;
		u64 base;
	} views[] = {
		{ VFIO_PCI_BAR0_REGION_INDEX, 0 },
		{ VGPU_REGION_CONSOLE, fb->window[VGPU_WINDOW_CONSOLE] },
		{ VGPU_REGION_CURSOR, fb->window[VGPU_WINDOW_CURSOR] },
	};
	u64 first;
	u32 i;

	lockdep_assert_held_write(&fb->lock);
	for (i = 0; i < ARRAY_SIZE(views); i++) {
		/* What lies before it is at the end of the window. */
		first = clamp(views[i].base, page, page + nr);
		vgpu_fb_unmap(fb, views[i].region, page - views[i].base +
			      (fb->size >> PAGE_SHIFT), first - page);
		vgpu_fb_unmap(fb, views[i].region, first - views[i].base,
			      page + nr - first);
	}
	vgpu_dmabuf_zap(fb, page, nr);
}

/* Stop all importers and take all mappings away; with vgpu_fb.resv held. */
static void vgpu_fb_take_pages(struct vgpu_fb *fb, u64 page, u64 nr)
{
	vgpu_dmabuf_stop(fb, page, nr);
	down_write(&fb->lock);
	vgpu_fb_zap(fb, page, nr);
}

/*
 * Claim pages, so that they can move or go.  Ends with vgpu_fb_release_pages().
 */
static void vgpu_fb_claim_pages(struct vgpu_fb *fb, u64 page, u64 nr)
{
	dma_resv_lock(&fb->resv, NULL);
	vgpu_fb_take_pages(fb, page, nr);
}

static void vgpu_fb_release_pages(struct vgpu_fb *fb)
{
	up_write(&fb->lock);
	dma_resv_unlock(&fb->resv);
}

/*
 * The same for one page that is to keep its content elsewhere; -EBUSY, and nobody
 * is told of it in vain, when it has to stay.
 */
static int vgpu_fb_claim_page(struct vgpu_fb *fb, u64 page)
{
	dma_resv_lock(&fb->resv, NULL);
	if (vgpu_dmabuf_is_pinned(fb, page)) {
		dma_resv_unlock(&fb->resv);
		return -EBUSY;
	}
	vgpu_fb_take_pages(fb, page, 1);
	/* Some come without the resv. */
	if (vgpu_dmabuf_is_pinned(fb, page)) {
		vgpu_fb_release_pages(fb);
		return -EBUSY;
	}
	return 0;
}

/* Copy a VRAM page that nobody can reach to another one. */
static int vgpu_fb_copy_page(struct vgpu_fb *fb, u64 from, u64 to)
{
	const struct pgpu_ops *ops = fb->pgpu->desc.ops;
	struct pgpu_run source, target;
	int ret;

	ret = ops->vram_map(fb->pgpu, from, 1, PGPU_ALLOC_NONE, &source);
	if (!ret)
		ret = ops->vram_map(fb->pgpu, to, 1, PGPU_ALLOC_FORCE, &target);
	if (ret)
		return ret;
	if (source.vaddr)
		ret = vgpu_fb_copy(fb, target.vaddr, source.vaddr, PAGE_SIZE);
	else
		memset(target.vaddr, 0, PAGE_SIZE);
	/* Write-combined: before anybody else looks. */
	wmb();
	return ret;
}

/*
 * Have a spare page stand in for a page of the framebuffer, with its content or
 * with zeroes.
 */
static int vgpu_fb_replace(struct vgpu_fb *fb, u64 home, bool keep)
{
	struct pgpu *pgpu = fb->pgpu;
	u64 from = vram_resolve(pgpu, home), to;
	int ret;

	lockdep_assert_held_write(&fb->lock);
	ret = xa_reserve(&pgpu->remap, home, GFP_KERNEL);
	if (ret)
		return ret;
	/* One that goes bad meanwhile is never given out again. */
	do {
		ret = vram_page_alloc(pgpu, &to);
		if (ret || !keep)
			continue;
		ret = vgpu_fb_copy_page(fb, from, to);
		if (ret)
			vram_page_free(pgpu, to);
	} while (!ret && !vram_remap(pgpu, home, to));
	if (ret)
		vram_unreserve(pgpu, home);
	return ret;
}

/* A page that is bad, or was, gets a good one that is zero, or none. */
static void vgpu_fb_discard_page(struct vgpu_fb *fb, u64 home)
{
	struct pgpu *pgpu = fb->pgpu;
	u64 now = vram_resolve(pgpu, home);

	if (now != VRAM_NO_PAGE && !pgpu_ecc_is_bad(pgpu, now)) {
		pgpu->desc.ops->vram_discard(pgpu, now, 1);
	} else if (vgpu_fb_replace(fb, home, false)) {
		dev_err_ratelimited(pgpu->dev, "VGPU-ECC-NO-SPARE: address %#llx has no spare page\n",
				    home << PAGE_SHIFT);
		vram_remap(pgpu, home, VRAM_NO_PAGE);
	}
}

static void vgpu_fb_discard_block(struct vgpu_fb *fb, u64 first)
{
	struct pgpu *pgpu = fb->pgpu;
	u64 last = first + PGPU_BLOCK_PAGES - 1, bad;
	unsigned long home;
	void *entry;

	pgpu->desc.ops->vram_discard(pgpu, first, PGPU_BLOCK_PAGES);
	if (!xa_empty(&pgpu->remap))
		/* Unless its own page is bad, it has only moved. */
		xa_for_each_range(&pgpu->remap, home, entry, first, last)
			vram_remap(pgpu, home, home);
	for (bad = first; bad <= last; bad++) {
		bad = pgpu_ecc_next_bad(pgpu, bad, last);
		if (bad == VRAM_NO_PAGE)
			break;
		vgpu_fb_discard_page(fb, bad);
	}
}

/* Drop the content of all pages. */
static void vgpu_fb_discard(struct vgpu_fb *fb)
{
	u64 block;

	lockdep_assert_held_write(&fb->lock);
	vgpu_fb_mark(fb, 0, fb->size >> PAGE_SHIFT);
	fb->generation++;
	atomic64_add(atomic64_xchg(&fb->held, 0), &fb->orphans);
	for (block = 0; block < fb->size / PGPU_BLOCK_SIZE; block++)
		vgpu_fb_discard_block(fb, fb->table[block] * PGPU_BLOCK_PAGES);
}

/**
 * vgpu_fb_clear() - make the whole framebuffer read as zero
 * @fb: the framebuffer; mappings stay and fault anew
 */
void vgpu_fb_clear(struct vgpu_fb *fb)
{
	vgpu_fb_claim_pages(fb, 0, fb->size >> PAGE_SHIFT);
	vgpu_fb_discard(fb);
	vgpu_fb_release_pages(fb);
}

/**
 * vgpu_fb_revoke() - take the framebuffer away, or give it back
 * @fb: the framebuffer; zeroes when it comes back
 * @revoked: while true, faults in its mappings end in SIGBUS
 */
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked)
{
	vgpu_fb_claim_pages(fb, 0, fb->size >> PAGE_SHIFT);
	fb->revoked = revoked;
	vgpu_fb_discard(fb);
	vgpu_fb_release_pages(fb);
}

/**
 * vgpu_fb_move_page() - put other VRAM behind a page of the framebuffer
 * @fb: the framebuffer, perhaps in use
 * @page: page number in it; a spare page takes its place, or its own page again
 *	when it has a spare one and nothing is wrong with its own
 *
 * The content stays.  Mappings fault anew, importers of dma-bufs map anew;
 * whoever comes in between waits.
 *
 * Context: process, none of the locks
 *
 * Return: 0; -EINVAL beyond the framebuffer; -EIO when it was revoked, or its memory
 * has failed; -EBUSY while somebody holds the page who cannot be told; -ENOSPC
 * without a spare page; -ENOMEM
 */
int vgpu_fb_move_page(struct vgpu_fb *fb, u64 page)
{
	struct pgpu *pgpu = fb->pgpu;
	u64 home, from;
	bool away;
	int ret;

	if (page >= fb->size >> PAGE_SHIFT)
		return -EINVAL;
	ret = vgpu_fb_claim_page(fb, page);
	if (ret)
		return ret;
	home = vgpu_fb_home(fb, page);
	from = vram_resolve(pgpu, home);
	if (fb->revoked || from == VRAM_NO_PAGE) {
		ret = -EIO;
		goto out_release;
	}
	away = from != home && !pgpu_ecc_is_bad(pgpu, home);
	if (away)
		ret = vgpu_fb_copy_page(fb, from, home);
	/* Its own page may have gone bad meanwhile. */
	if (!ret && (!away || !vram_remap(pgpu, home, home)))
		ret = vgpu_fb_replace(fb, home, true);
out_release:
	vgpu_fb_release_pages(fb);
	return ret;
}

/* Where a page of VRAM is in the framebuffer; -ENOENT when it is not. */
static int vgpu_fb_find_locked(struct vgpu_fb *fb, u64 home, u64 *page)
{
	u64 block;

	lockdep_assert_held(&fb->lock);
	for (block = 0; fb->table && block < fb->size / PGPU_BLOCK_SIZE;
	     block++) {
		if (fb->table[block] != home / PGPU_BLOCK_PAGES)
			continue;
		*page = block * PGPU_BLOCK_PAGES + home % PGPU_BLOCK_PAGES;
		return 0;
	}
	return -ENOENT;
}

/**
 * vgpu_fb_find_page() - where a page of VRAM is in a framebuffer
 * @fb: the framebuffer, perhaps with its VRAM given back
 * @home: page of VRAM
 * @page: page number in the framebuffer
 *
 * Return: 0, or -ENOENT
 */
int vgpu_fb_find_page(struct vgpu_fb *fb, u64 home, u64 *page)
{
	int ret;

	down_read(&fb->lock);
	ret = vgpu_fb_find_locked(fb, home, page);
	up_read(&fb->lock);
	return ret;
}

/**
 * vgpu_fb_vram_page() - which page of VRAM is behind one of the framebuffer
 * @fb: the framebuffer
 * @page: page number in it
 * @vram: page of VRAM
 *
 * Return: 0; -ERANGE beyond the framebuffer; -EIO without one
 */
int vgpu_fb_vram_page(struct vgpu_fb *fb, u64 page, u64 *vram)
{
	if (page >= fb->size >> PAGE_SHIFT)
		return -ERANGE;
	down_read(&fb->lock);
	*vram = vram_resolve(fb->pgpu, vgpu_fb_home(fb, page));
	up_read(&fb->lock);
	return *vram == VRAM_NO_PAGE ? -EIO : 0;
}

/**
 * vgpu_fb_retire_page() - have a spare page stand in for one whose content is good
 * @fb: the framebuffer, perhaps in use, perhaps with its VRAM given back
 * @home: page of VRAM; it, or what stands in for it, is pending
 *
 * Context: process, none of the locks
 *
 * Return: 0, also when it was done already; what vgpu_fb_move_page() returns
 */
int vgpu_fb_retire_page(struct vgpu_fb *fb, u64 home)
{
	struct pgpu *pgpu = fb->pgpu;
	u64 page;
	int ret;

	ret = vgpu_fb_find_page(fb, home, &page);
	if (ret)
		return 0;
	ret = vgpu_fb_claim_page(fb, page);
	if (ret)
		return ret;
	if (fb->table && !fb->revoked &&
	    pgpu_ecc_is_pending(pgpu, vram_resolve(pgpu, home)))
		ret = vgpu_fb_replace(fb, home, true);
	vgpu_fb_release_pages(fb);
	return ret;
}

/**
 * vgpu_fb_zap_page() - take away the mappings of a page whose memory has changed
 * @fb: the framebuffer, perhaps in use, perhaps with its VRAM given back
 * @home: page of VRAM; it has other memory already
 *
 * Nobody uses the old memory afterwards, but for importers that hold it.
 *
 * Context: process, none of the locks
 */
void vgpu_fb_zap_page(struct vgpu_fb *fb, u64 home)
{
	u64 page;

	if (vgpu_fb_find_page(fb, home, &page))
		return;
	vgpu_fb_claim_pages(fb, page, 1);
	vgpu_fb_mark(fb, page, 1);
	vgpu_fb_release_pages(fb);
}

/**
 * vgpu_fb_set_window() - move the console or the cursor region
 * @fb: the framebuffer
 * @window: which
 * @offset: first byte of the picture; the region begins with its page
 *
 * The caller serialises calls, with vgpu.lock.
 */
void vgpu_fb_set_window(struct vgpu_fb *fb, enum vgpu_fb_window window,
			u64 offset)
{
	u64 base = offset >> PAGE_SHIFT;
	u32 region = window == VGPU_WINDOW_CONSOLE ? VGPU_REGION_CONSOLE :
						     VGPU_REGION_CURSOR;

	if (fb->window[window] == base)
		return;
	down_write(&fb->lock);
	fb->window[window] = base;
	vgpu_fb_unmap(fb, region, 0, fb->size >> PAGE_SHIFT);
	up_write(&fb->lock);
}
