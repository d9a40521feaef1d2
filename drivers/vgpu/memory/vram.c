// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM manager: which blocks of a pGPU's memory belong to which vGPU.
 *
 * A framebuffer gets blocks that lie side by side from the smallest hole that is
 * large enough (best fit), and if there is none, those that are free; so
 * fragmentation never refuses a vGPU for which there is memory, and what is free is
 * all that available_instances needs to know.  Mappings are cut at blocks anyway.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "core.h"

/**
 * vram_init() - all is free
 * @pgpu: its description says how much there is
 *
 * Return: 0 or -ENOMEM
 */
int vram_init(struct pgpu *pgpu)
{
	u64 nr_blocks = pgpu_nr_blocks(pgpu);

	INIT_LIST_HEAD(&pgpu->pools);
	xa_init(&pgpu->pool_of);
	xa_init(&pgpu->remap);
	pgpu->free = kvcalloc(BITS_TO_LONGS(nr_blocks), sizeof(*pgpu->free),
			      GFP_KERNEL);
	pgpu->owners = kvcalloc(nr_blocks, sizeof(*pgpu->owners), GFP_KERNEL);
	if (!pgpu->free || !pgpu->owners)
		return -ENOMEM;
	bitmap_set(pgpu->free, 0, nr_blocks);
	pgpu->free_blocks = nr_blocks;
	return vram_spare_init(pgpu);
}

/**
 * vram_fini() - opposite of vram_init(), also when that failed or was not called
 * @pgpu: without vGPUs
 */
void vram_fini(struct pgpu *pgpu)
{
	if (!pgpu->desc.ops)
		return;
	vram_spare_fini(pgpu);
	kvfree(pgpu->owners);
	kvfree(pgpu->free);
}

/**
 * vram_find_hole() - find free blocks that lie side by side
 * @pgpu: pgpu.lock is held
 * @nr_blocks: how many
 *
 * Return: the first of them, in the smallest hole with room for them; what is no
 * block when there is no such hole
 */
u64 vram_find_hole(struct pgpu *pgpu, u64 nr_blocks)
{
	u64 nr = pgpu_nr_blocks(pgpu), hole = nr, size = U64_MAX;
	unsigned long first, end;

	lockdep_assert_held(&pgpu->lock);
	for_each_set_bitrange(first, end, pgpu->free, nr) {
		if (end - first < nr_blocks || end - first >= size)
			continue;
		hole = first;
		size = end - first;
		if (size == nr_blocks)
			break;
	}
	return hole;
}

/**
 * vram_alloc() - take blocks
 * @pgpu: where from
 * @fb: for this framebuffer: its @table
 * @nr_blocks: how many
 *
 * Return: 0 or -ENOSPC
 */
int vram_alloc(struct pgpu *pgpu, struct vgpu_fb *fb, u64 nr_blocks)
{
	u64 nr = pgpu_nr_blocks(pgpu), *table = fb->table, block, end;

	mutex_lock(&pgpu->lock);
	if (nr_blocks > pgpu->free_blocks) {
		mutex_unlock(&pgpu->lock);
		return -ENOSPC;
	}
	pgpu->free_blocks -= nr_blocks;
	block = vram_find_hole(pgpu, nr_blocks);
	if (block == nr)
		block = 0;
	while (nr_blocks) {
		block = find_next_bit(pgpu->free, nr, block);
		end = find_next_zero_bit(pgpu->free, min(nr, block + nr_blocks),
					 block);
		bitmap_clear(pgpu->free, block, end - block);
		nr_blocks -= end - block;
		for (; block < end; block++) {
			pgpu->owners[block] = fb;
			*table++ = block;
		}
	}
	mutex_unlock(&pgpu->lock);
	return 0;
}

/**
 * vram_free() - give blocks back
 * @pgpu: where to
 * @fb: as vram_alloc() left it; the content has been discarded
 */
void vram_free(struct pgpu *pgpu, struct vgpu_fb *fb)
{
	u64 nr_blocks = fb->size / PGPU_BLOCK_SIZE, i;

	mutex_lock(&pgpu->lock);
	for (i = 0; i < nr_blocks; i++) {
		pgpu->owners[fb->table[i]] = NULL;
		__set_bit(fb->table[i], pgpu->free);
	}
	pgpu->free_blocks += nr_blocks;
	/* Bad pages that found no spare one while they were in use. */
	pgpu_ecc_retire_freed(pgpu);
	mutex_unlock(&pgpu->lock);
}

/**
 * vram_free_blocks() - how many blocks are free now
 * @pgpu: of this pGPU
 *
 * Return: the number
 */
u64 vram_free_blocks(struct pgpu *pgpu)
{
	u64 nr;

	mutex_lock(&pgpu->lock);
	nr = pgpu->free_blocks;
	mutex_unlock(&pgpu->lock);
	return nr;
}
