// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM manager: which blocks of a pGPU's memory belong to which vGPU.
 *
 * A framebuffer gets blocks that lie side by side from the first hole that is large
 * enough (first fit), and if there is none, those that are free; so fragmentation
 * never refuses a vGPU for which there is memory, and what is free is all that
 * available_instances needs to know.  Mappings are cut at blocks anyway.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "memory/fb.h"
#include "memory/vram.h"

/**
 * vram_init() - no memory yet
 * @vram: zeroed
 * @dev: whose memory it is, for what is logged
 */
void vram_init(struct vram *vram, struct device *dev)
{
	vram->dev = dev;
	mutex_init(&vram->lock);
	INIT_LIST_HEAD(&vram->pools);
	xa_init(&vram->pool_of);
	xa_init(&vram->remap);
	xa_init(&vram->bad);
}

/**
 * vram_fini() - opposite of vram_init(), and of vram_fill() even if that failed
 * @vram: without vGPUs
 */
void vram_fini(struct vram *vram)
{
	vram_pages_fini(vram);
	kvfree(vram->owners);
	kvfree(vram->free);
	mutex_destroy(&vram->lock);
}

/**
 * vram_fill() - all memory of a pGPU is there, and free
 * @vram: after vram_init()
 * @pgpu: for the operations
 * @desc: what the backend said of it
 *
 * Return: 0 or -ENOMEM
 */
int vram_fill(struct vram *vram, struct pgpu *pgpu,
	      const struct pgpu_desc *desc)
{
	u64 nr_blocks = desc->vram_size / PGPU_BLOCK_SIZE;

	vram->pgpu = pgpu;
	vram->ops = desc->ops;
	vram->size = desc->vram_size;
	vram->spare_size = desc->spare_size;
	vram->device_memory = desc->device_memory;
	vram->free = kvcalloc(BITS_TO_LONGS(nr_blocks), sizeof(*vram->free),
			      GFP_KERNEL);
	vram->owners = kvcalloc(nr_blocks, sizeof(*vram->owners), GFP_KERNEL);
	if (!vram->free || !vram->owners)
		return -ENOMEM;
	bitmap_set(vram->free, 0, nr_blocks);
	vram->free_blocks = nr_blocks;
	return vram_reserve_init(vram);
}

/**
 * vram_find_hole() - find free blocks that lie side by side
 * @vram: vram.lock is held
 * @nr_blocks: how many
 *
 * What is in use comes first in most cases, and is not looked at again and again.
 *
 * Return: the first of them, in the first hole with room for them; what is no
 * block when there is no such hole
 */
u64 vram_find_hole(struct vram *vram, u64 nr_blocks)
{
	u64 nr = vram_nr_blocks(vram), first, end;

	lockdep_assert_held(&vram->lock);
	vram->lowest = find_next_bit(vram->free, nr, vram->lowest);
	for (first = vram->lowest; first + nr_blocks <= nr;
	     first = find_next_bit(vram->free, nr, end)) {
		end = find_next_zero_bit(vram->free, first + nr_blocks, first);
		if (end == first + nr_blocks)
			return first;
	}
	return nr;
}

/**
 * vram_put_block() - a block is free again
 * @vram: vram.lock is held
 * @block: the block
 */
void vram_put_block(struct vram *vram, u64 block)
{
	lockdep_assert_held(&vram->lock);
	__set_bit(block, vram->free);
	vram->free_blocks++;
	vram->lowest = min(vram->lowest, block);
}

/**
 * vram_alloc() - take blocks
 * @vram: where from
 * @fb: for this framebuffer: its @table
 * @nr_blocks: how many
 *
 * Return: 0 or -ENOSPC
 */
int vram_alloc(struct vram *vram, struct vgpu_fb *fb, u64 nr_blocks)
{
	u64 nr = vram_nr_blocks(vram), *table = fb->table, block, end;

	mutex_lock(&vram->lock);
	if (nr_blocks > vram->free_blocks) {
		mutex_unlock(&vram->lock);
		return -ENOSPC;
	}
	vram->free_blocks -= nr_blocks;
	block = vram_find_hole(vram, nr_blocks);
	if (block == nr)
		block = vram->lowest;
	while (nr_blocks) {
		block = find_next_bit(vram->free, nr, block);
		end = find_next_zero_bit(vram->free, min(nr, block + nr_blocks),
					 block);
		bitmap_clear(vram->free, block, end - block);
		nr_blocks -= end - block;
		for (; block < end; block++) {
			vram->owners[block] = fb;
			*table++ = block;
		}
	}
	mutex_unlock(&vram->lock);
	return 0;
}

/**
 * vram_free() - give blocks back
 * @vram: where to
 * @fb: as vram_alloc() left it; the content has been discarded
 */
void vram_free(struct vram *vram, struct vgpu_fb *fb)
{
	u64 nr_blocks = fb->size / PGPU_BLOCK_SIZE, i;

	mutex_lock(&vram->lock);
	for (i = 0; i < nr_blocks; i++) {
		vram->owners[fb->table[i]] = NULL;
		vram_put_block(vram, fb->table[i]);
	}
	/* Bad pages that found no spare one while they were in use. */
	vram_retire_freed(vram);
	mutex_unlock(&vram->lock);
}

/**
 * vram_free_blocks() - how many blocks are free now
 * @vram: of this one
 *
 * Return: the number
 */
u64 vram_free_blocks(struct vram *vram)
{
	u64 nr;

	mutex_lock(&vram->lock);
	nr = vram->free_blocks;
	mutex_unlock(&vram->lock);
	return nr;
}
