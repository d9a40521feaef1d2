// SPDX-License-Identifier: GPL-2.0
/*
 * Which parts of a framebuffer were written: what a migration has to send again.
 *
 * While somebody wants to know, mappings are read-only until they are written
 * to, but for those of BAR0, which count as written when they are made.  A chunk
 * that was asked for is unmapped, so the next write to it faults and is tracked.
 * How large a chunk is was measured: Documentation/migration.md.
 *
 * Bits are set with vgpu_fb.lock held for reading and cleared with it held for
 * writing; so is the mapping made through which the write then comes.  When the
 * vGPU has stopped, what is written is lost with the source, and they are cleared
 * without.
 */
#include <linux/bitmap.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "memory/fb.h"

static u64 dirty_nr_chunks(const struct vgpu_fb *fb)
{
	return vgpu_fb_pages(fb) / VGPU_DIRTY_PAGES;
}

/* vgpu_fb_mark() of a framebuffer that is tracked. */
void vgpu_fb_mark_dirty(struct vgpu_fb *fb, u64 page, u64 nr)
{
	u64 chunk;

	for (chunk = page / VGPU_DIRTY_PAGES;
	     chunk <= (page + nr - 1) / VGPU_DIRTY_PAGES; chunk++)
		set_bit(chunk, fb->dirty);
}

/* Go over all that has memory: count its pages, and mark them. */
static u64 dirty_walk(struct vgpu_fb *fb, bool mark)
{
	u64 pages = vgpu_fb_pages(fb), page, used = 0;
	struct pgpu_run run;

	for (page = 0; page < pages; page += run.nr) {
		if (vgpu_fb_run(fb, page, pages - page, PGPU_ALLOC_NONE,
				&run)) {
			/* What cannot be read has no content. */
			run.nr = 1;
		} else if (run.vaddr) {
			used += run.nr;
			if (mark)
				vgpu_fb_mark(fb, page, run.nr);
		}
		cond_resched();
	}
	return used;
}

/**
 * vgpu_fb_used() - how much of a framebuffer has memory
 * @fb: the framebuffer
 *
 * Return: bytes
 */
u64 vgpu_fb_used(struct vgpu_fb *fb)
{
	u64 used;

	down_read(&fb->lock);
	used = dirty_walk(fb, false);
	up_read(&fb->lock);
	return used << PAGE_SHIFT;
}

/**
 * vgpu_fb_track() - begin to track writes
 * @fb: nobody does so already; whatever has memory counts as written
 *
 * Return: 0 or -ENOMEM
 */
int vgpu_fb_track(struct vgpu_fb *fb)
{
	unsigned long *dirty;

	dirty = kvcalloc(BITS_TO_LONGS(dirty_nr_chunks(fb)), sizeof(*dirty),
			 GFP_KERNEL_ACCOUNT);
	if (!dirty)
		return -ENOMEM;
	dma_resv_lock(&fb->resv, NULL);
	down_write(&fb->lock);
	fb->dirty = dirty;
	dirty_walk(fb, true);
	vgpu_fb_zap(fb, 0, vgpu_fb_pages(fb));
	vgpu_fb_release(fb);
	return 0;
}

/**
 * vgpu_fb_untrack() - opposite of vgpu_fb_track(), also without it
 * @fb: the framebuffer; what is still mapped read-only faults once more
 */
void vgpu_fb_untrack(struct vgpu_fb *fb)
{
	unsigned long *dirty = fb->dirty;

	if (!dirty)
		return;
	down_write(&fb->lock);
	fb->dirty = NULL;
	up_write(&fb->lock);
	kvfree(dirty);
}

/* Chunks of a group that were written; they no longer count as such. */
static u32 dirty_take(struct vgpu_fb *fb, u64 first)
{
	u64 nr = min_t(u64, dirty_nr_chunks(fb) - first, VGPU_DIRTY_GROUP), i;
	u32 taken = 0;

	BUILD_BUG_ON(BITS_PER_TYPE(taken) < VGPU_DIRTY_GROUP);
	for (i = 0; i < nr; i++)
		if (test_and_clear_bit(first + i, fb->dirty))
			taken |= 1U << i;
	return taken;
}

/**
 * vgpu_fb_claim_dirty() - take the next chunks that were written
 * @fb: it is tracked, and the caller sees to it that it stays so
 * @group: group of VGPU_DIRTY_GROUP chunks to look behind; where the chunks are
 * @last: nobody writes any more who counts, so mappings may stay as they are
 *
 * Writes to them count anew from here on; what was written before can be read.
 * All others come before the same group again, however often it is written.
 *
 * Return: a bit for each chunk of the group, 0 when there are none at all
 */
u32 vgpu_fb_claim_dirty(struct vgpu_fb *fb, u64 *group, bool last)
{
	u64 nr = dirty_nr_chunks(fb), first, chunk;
	u64 next = min((*group + 1) * VGPU_DIRTY_GROUP, nr);
	u32 claimed;

	chunk = find_next_bit(fb->dirty, nr, next);
	if (chunk >= nr) {
		nr = next;
		chunk = find_first_bit(fb->dirty, nr);
	}
	if (chunk >= nr)
		return 0;
	*group = chunk / VGPU_DIRTY_GROUP;
	first = *group * VGPU_DIRTY_GROUP;
	if (last)
		return dirty_take(fb, first);
	dma_resv_lock(&fb->resv, NULL);
	down_write(&fb->lock);
	claimed = dirty_take(fb, first);
	if (claimed)
		vgpu_fb_zap(fb, (first + __ffs(claimed)) * VGPU_DIRTY_PAGES,
			    (__fls(claimed) - __ffs(claimed) + 1) *
			    VGPU_DIRTY_PAGES);
	vgpu_fb_release(fb);
	return claimed;
}

/**
 * vgpu_fb_dirty_chunks() - how much was written
 * @fb: it is tracked, and the caller sees to it that it stays so
 *
 * Return: number of chunks
 */
u64 vgpu_fb_dirty_chunks(const struct vgpu_fb *fb)
{
	return bitmap_weight(fb->dirty, dirty_nr_chunks(fb));
}
