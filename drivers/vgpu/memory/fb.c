// SPDX-License-Identifier: GPL-2.0
/*
 * Framebuffer: the way from an offset that the guest uses to host memory.
 *
 * There is one walk, vgpu_fb_run().  Reads, writes, page faults, planes and
 * dma-bufs all go through it, and hold vgpu_fb.lock for reading while they use
 * what it answered.
 */
#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "memory/fb.h"
#include "memory/vram.h"

/**
 * vgpu_fb_init() - take VRAM for a framebuffer
 * @fb: zeroed
 * @vram: where from
 * @size: in bytes, a multiple of PGPU_BLOCK_SIZE
 * @owner: of which a reference keeps @fb
 *
 * Return: 0, -ENOSPC when the pGPU is full, or -ENOMEM
 */
int vgpu_fb_init(struct vgpu_fb *fb, struct vram *vram, u64 size,
		 struct device *owner)
{
	u64 nr_blocks = size / PGPU_BLOCK_SIZE;
	int ret;

	fb->table = kvcalloc(nr_blocks, sizeof(*fb->table), GFP_KERNEL_ACCOUNT);
	if (!fb->table)
		return -ENOMEM;
	fb->vram = vram;
	fb->owner = owner;
	fb->size = size;
	fb->device_memory = vram->device_memory;
	init_rwsem(&fb->lock);
	INIT_LIST_HEAD(&fb->views);
	ret = vram_alloc(vram, fb, nr_blocks);
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
	vram_free(fb->vram, fb);
	/* Who handles an error in it may still come. */
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
	struct vram *vram = fb->vram;
	unsigned long next;
	void *entry = NULL;
	u64 at;

	lockdep_assert_held(&fb->lock);
	if (page >= vgpu_fb_pages(fb))
		return -EINVAL;
	if (fb->revoked)
		return -EIO;
	at = vgpu_fb_home(fb, page);
	nr = min(nr, PGPU_BLOCK_PAGES - page % PGPU_BLOCK_PAGES);
	/* A run ends before a page that another one replaces; that is one. */
	next = at;
	if (!xa_empty(&vram->remap))
		entry = xa_find(&vram->remap, &next, at + nr - 1, XA_PRESENT);
	if (entry && next == at) {
		at = xa_to_value(entry);
		nr = 1;
		if (at == VRAM_NO_PAGE)
			return -EIO;
	} else if (entry) {
		nr = next - at;
	}
	return vram_map(vram, at, nr, alloc, run);
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

/* A page that is bad, or was, gets a good one that is zero, or none. */
static void vgpu_fb_discard_page(struct vgpu_fb *fb, u64 home)
{
	struct vram *vram = fb->vram;
	u64 now = vram_resolve(vram, home);

	if (now != VRAM_NO_PAGE && !vram_page_is_bad(vram, now)) {
		vram_discard(vram, now, 1);
	} else if (vram_replace(vram, fb, home, false)) {
		dev_err_ratelimited(vram->dev, "VGPU-ECC-NO-SPARE: address %#llx has no spare page\n",
				    home << PAGE_SHIFT);
		vram_remap(vram, home, VRAM_NO_PAGE);
	}
}

static void vgpu_fb_discard_block(struct vgpu_fb *fb, u64 first)
{
	struct vram *vram = fb->vram;
	u64 last = first + PGPU_BLOCK_PAGES - 1, bad;
	unsigned long home;
	void *entry;

	vram_discard(vram, first, PGPU_BLOCK_PAGES);
	if (!xa_empty(&vram->remap))
		/* Unless its own page is bad, it has only moved. */
		xa_for_each_range(&vram->remap, home, entry, first, last)
			vram_remap(vram, home, home);
	for (bad = first; bad <= last; bad++) {
		bad = vram_next_bad(vram, bad, last);
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
	vgpu_fb_mark(fb, 0, vgpu_fb_pages(fb));
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
	vgpu_fb_claim(fb, 0, vgpu_fb_pages(fb), false);
	vgpu_fb_discard(fb);
	vgpu_fb_release(fb);
}

/**
 * vgpu_fb_revoke() - take the framebuffer away, or give it back
 * @fb: the framebuffer; zeroes when it comes back
 * @revoked: while true, faults in its mappings end in SIGBUS
 */
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked)
{
	vgpu_fb_claim(fb, 0, vgpu_fb_pages(fb), false);
	fb->revoked = revoked;
	vgpu_fb_discard(fb);
	vgpu_fb_release(fb);
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
 * has failed; -EBUSY while somebody holds the page who cannot be notified;
 * -ENOSPC without a spare page; -ENOMEM
 */
int vgpu_fb_move_page(struct vgpu_fb *fb, u64 page)
{
	int ret;

	if (page >= vgpu_fb_pages(fb))
		return -EINVAL;
	ret = vgpu_fb_claim(fb, page, 1, true);
	if (ret)
		return ret;
	ret = fb->revoked ? -EIO : vram_replace(fb->vram, fb,
						vgpu_fb_home(fb, page), true);
	vgpu_fb_release(fb);
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
	if (page >= vgpu_fb_pages(fb))
		return -ERANGE;
	down_read(&fb->lock);
	*vram = vram_resolve(fb->vram, vgpu_fb_home(fb, page));
	up_read(&fb->lock);
	return *vram == VRAM_NO_PAGE ? -EIO : 0;
}

/* Where a page of VRAM is in the framebuffer; -ENOENT when it is not. */
static int vgpu_fb_find_page(struct vgpu_fb *fb, u64 home, u64 *page)
{
	int ret = -ENOENT;
	u64 block;

	down_read(&fb->lock);
	for (block = 0; fb->table && block < fb->size / PGPU_BLOCK_SIZE;
	     block++) {
		if (fb->table[block] != home / PGPU_BLOCK_PAGES)
			continue;
		*page = block * PGPU_BLOCK_PAGES + home % PGPU_BLOCK_PAGES;
		ret = 0;
		break;
	}
	up_read(&fb->lock);
	return ret;
}

/**
 * vgpu_fb_page_error() - the memory of a page has had an error
 * @fb: the framebuffer, perhaps in use, perhaps with its VRAM given back
 * @home: page of VRAM, in a block of the framebuffer
 * @gone: there is other memory, which is zero, behind the page already: nobody uses
 *	the old one afterwards, but for importers that hold it
 * @replace: page of VRAM with good content, which a spare page replaces if it is behind
 *	@home, unless there is none or somebody holds it who cannot be notified; or
 *	VRAM_NO_PAGE
 * @page: page number in the framebuffer
 *
 * Context: process, none of the locks
 *
 * Return: 0, or -ENOENT when it is not in the framebuffer any more
 */
int vgpu_fb_page_error(struct vgpu_fb *fb, u64 home, bool gone, u64 replace,
		       u64 *page)
{
	const bool keep = replace != VRAM_NO_PAGE;
	int ret;

	ret = vgpu_fb_find_page(fb, home, page);
	if (ret || !(gone || keep) || vgpu_fb_claim(fb, *page, 1, keep))
		return ret;
	if (gone)
		vgpu_fb_mark(fb, *page, 1);
	/* A reset may have replaced it meanwhile. */
	if (keep && fb->table && !fb->revoked &&
	    vram_resolve(fb->vram, home) == replace)
		vram_replace(fb->vram, fb, home, true);
	vgpu_fb_release(fb);
	return ret;
}
