// SPDX-License-Identifier: GPL-2.0
/*
 * Framebuffer: the way from an offset that the guest uses to host memory.
 *
 * There is one walk, vgpu_fb_run().  Reads, writes, page faults and the
 * console all go through it, and hold vgpu_fb.lock for reading while they use
 * what it answered.
 */
#include <linux/mm.h>
#include <linux/slab.h>

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
	init_rwsem(&fb->lock);
	INIT_LIST_HEAD(&fb->extents);
	ret = vram_alloc(pgpu, nr_blocks, &fb->extents, fb->table);
	if (ret)
		kvfree(fb->table);
	return ret;
}

/**
 * vgpu_fb_fini() - give the VRAM back
 * @fb: nobody uses it any more and nothing of it is mapped
 */
void vgpu_fb_fini(struct vgpu_fb *fb)
{
	vgpu_fb_clear(fb);
	vram_free(fb->pgpu, &fb->extents);
	kvfree(fb->table);
}

/**
 * vgpu_fb_run() - find the host memory of a framebuffer page
 * @fb: its lock is held
 * @page: page number in the framebuffer
 * @nr: pages wanted, at least 1
 * @alloc: see pgpu_ops.vram_map
 * @run: the answer, at most @nr pages
 *
 * Return: 0; -EINVAL beyond the framebuffer; -EIO when it was revoked; what
 * the backend returned
 */
int vgpu_fb_run(struct vgpu_fb *fb, u64 page, u64 nr, bool alloc,
		struct pgpu_run *run)
{
	u64 in_block = page % PGPU_BLOCK_PAGES;
	u64 block = page / PGPU_BLOCK_PAGES;

	lockdep_assert_held(&fb->lock);
	if (page >= fb->size >> PAGE_SHIFT)
		return -EINVAL;
	if (fb->revoked)
		return -EIO;
	return fb->pgpu->desc.ops->vram_map(fb->pgpu,
					    fb->table[block] * PGPU_BLOCK_PAGES + in_block,
					    min(nr, PGPU_BLOCK_PAGES - in_block),
					    alloc, run);
}

/**
 * vgpu_fb_read() - copy out of the framebuffer
 * @fb: the framebuffer
 * @offset: first byte
 * @buf: where to
 * @len: bytes; what lies beyond the framebuffer reads as zero
 *
 * Return: 0 or what the backend returned
 */
int vgpu_fb_read(struct vgpu_fb *fb, u64 offset, void *buf, size_t len)
{
	struct pgpu_run run;
	size_t in_page, n;
	int ret = 0;

	down_read(&fb->lock);
	for (; len && offset < fb->size; offset += n, buf += n, len -= n) {
		in_page = offset_in_page(offset);
		ret = vgpu_fb_run(fb, offset >> PAGE_SHIFT,
				  PFN_UP(in_page + len), false, &run);
		if (ret)
			break;
		n = min_t(u64, len, (run.nr << PAGE_SHIFT) - in_page);
		if (run.vaddr)
			memcpy(buf, run.vaddr + in_page, n);
		else
			memset(buf, 0, n);
	}
	up_read(&fb->lock);
	memset(buf, 0, len);
	return ret;
}

/**
 * vgpu_fb_write() - copy into the framebuffer
 * @fb: the framebuffer
 * @offset: first byte
 * @buf: where from
 * @len: bytes; what lies beyond the framebuffer is ignored
 *
 * Return: 0 or what the backend returned
 */
int vgpu_fb_write(struct vgpu_fb *fb, u64 offset, const void *buf, size_t len)
{
	struct pgpu_run run;
	size_t in_page, n;
	int ret = 0;

	down_read(&fb->lock);
	for (; len && offset < fb->size; offset += n, buf += n, len -= n) {
		in_page = offset_in_page(offset);
		ret = vgpu_fb_run(fb, offset >> PAGE_SHIFT,
				  PFN_UP(in_page + len), true, &run);
		if (ret)
			break;
		n = min_t(u64, len, (run.nr << PAGE_SHIFT) - in_page);
		memcpy(run.vaddr + in_page, buf, n);
	}
	up_read(&fb->lock);
	return ret;
}

static void vgpu_fb_clear_locked(struct vgpu_fb *fb)
{
	u64 block;

	lockdep_assert_held_write(&fb->lock);
	/* Even private copies go, though nothing here makes any. */
	if (fb->mapping)
		unmap_mapping_range(fb->mapping, 0, 0, 1);
	for (block = 0; block < fb->size / PGPU_BLOCK_SIZE; block++)
		fb->pgpu->desc.ops->vram_discard(fb->pgpu,
						 fb->table[block] * PGPU_BLOCK_PAGES,
						 PGPU_BLOCK_PAGES);
}

/**
 * vgpu_fb_clear() - make the whole framebuffer read as zero
 * @fb: the framebuffer; mappings stay and fault anew
 */
void vgpu_fb_clear(struct vgpu_fb *fb)
{
	down_write(&fb->lock);
	vgpu_fb_clear_locked(fb);
	up_write(&fb->lock);
}

/**
 * vgpu_fb_revoke() - take the framebuffer away, or give it back
 * @fb: the framebuffer; zeroes when it comes back
 * @revoked: while true, faults in its mappings end in SIGBUS
 */
void vgpu_fb_revoke(struct vgpu_fb *fb, bool revoked)
{
	down_write(&fb->lock);
	fb->revoked = revoked;
	vgpu_fb_clear_locked(fb);
	up_write(&fb->lock);
}

/**
 * vgpu_fb_set_console() - move the console region
 * @fb: the framebuffer
 * @offset: first byte of the picture; the region begins with its page
 *
 * The caller serialises calls, with vgpu.lock.
 */
void vgpu_fb_set_console(struct vgpu_fb *fb, u64 offset)
{
	u64 base = offset >> PAGE_SHIFT;

	if (fb->console_base == base)
		return;
	down_write(&fb->lock);
	fb->console_base = base;
	if (fb->mapping)
		unmap_mapping_range(fb->mapping,
				    VGPU_INDEX_TO_OFFSET(VGPU_REGION_CONSOLE),
				    fb->size, 1);
	up_write(&fb->lock);
}
