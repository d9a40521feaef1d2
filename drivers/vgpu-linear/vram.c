// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM behind a BAR: linear, always there, and full of what was left in it.
 *
 * Nothing is cleared when it is discarded: a block that was given out is marked
 * stale, and cleared before its next use, or by a worker ahead of that.  So
 * making and resetting a vGPU takes the same time whatever its size, and what
 * it never touched is not cleared again.
 */
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "linear.h"

#define LINEAR_BLOCK_PAGES	(PGPU_BLOCK_SIZE >> PAGE_SHIFT)

static void linear_block_clear(struct linear_vram *vram, u64 block)
{
	mutex_lock(&vram->lock);
	if (test_bit(block, vram->stale)) {
		memset(vram->base + block * PGPU_BLOCK_SIZE, 0,
		       PGPU_BLOCK_SIZE);
		/* Zeroes first, for those who look at the bit alone. */
		smp_mb__before_atomic();
		clear_bit(block, vram->stale);
	}
	mutex_unlock(&vram->lock);
}

static void linear_vram_work(struct work_struct *work)
{
	struct linear_vram *vram = container_of(work, struct linear_vram, work);
	u64 block;

	for_each_set_bit(block, vram->stale, vram->nr_blocks) {
		linear_block_clear(vram, block);
		cond_resched();
	}
}

/**
 * linear_vram_init() - take the memory of a BAR
 * @vram: where to
 * @dev: the device, which frees what is not freed here
 * @start: its address on the bus as the CPU sees it
 * @size: in bytes, a multiple of PGPU_BLOCK_SIZE
 *
 * Return: 0 or -ENOMEM
 */
int linear_vram_init(struct linear_vram *vram, struct device *dev,
		     phys_addr_t start, u64 size)
{
	vram->nr_blocks = size / PGPU_BLOCK_SIZE;
	vram->pfn = PHYS_PFN(start);
	vram->stale = devm_bitmap_alloc(dev, vram->nr_blocks, GFP_KERNEL);
	vram->given = devm_bitmap_zalloc(dev, vram->nr_blocks, GFP_KERNEL);
	vram->used = devm_bitmap_zalloc(dev, vram->nr_blocks, GFP_KERNEL);
	vram->base = devm_memremap(dev, start, size, MEMREMAP_WC);
	if (!vram->stale || !vram->given || !vram->used || IS_ERR(vram->base))
		return -ENOMEM;
	bitmap_fill(vram->stale, vram->nr_blocks);
	mutex_init(&vram->lock);
	INIT_WORK(&vram->work, linear_vram_work);
	queue_work(system_unbound_wq, &vram->work);
	return 0;
}

void linear_vram_fini(struct linear_vram *vram)
{
	/*
	 * Whoever has the device next finds nothing of a guest in it, nor in the
	 * spare pages, which are cleared when they are taken.
	 */
	cancel_work_sync(&vram->work);
	bitmap_and(vram->stale, vram->stale, vram->used, vram->nr_blocks);
	bitmap_or(vram->stale, vram->stale, vram->given, vram->nr_blocks);
	linear_vram_work(&vram->work);
	mutex_destroy(&vram->lock);
}

/* See pgpu_ops.vram_map.  A stale block reads as zero already. */
int linear_vram_map(struct pgpu *pgpu, u64 page, u64 nr, enum pgpu_alloc alloc,
		    struct pgpu_run *run)
{
	struct linear_vram *vram = pgpu_priv(pgpu);
	u64 block = page / LINEAR_BLOCK_PAGES;
	bool stale = test_bit_acquire(block, vram->stale);

	if (stale && alloc) {
		linear_block_clear(vram, block);
		stale = false;
	}
	if (alloc && !test_bit(block, vram->given)) {
		set_bit(block, vram->used);
		set_bit(block, vram->given);
	}
	run->pfn = vram->pfn + page;
	run->vaddr = stale ? NULL : vram->base + (page << PAGE_SHIFT);
	run->nr = min_t(u64, nr, LINEAR_BLOCK_PAGES - page % LINEAR_BLOCK_PAGES);
	return 0;
}

/* Pages of a block of which others are in use. */
static void linear_pages_clear(struct linear_vram *vram, u64 page, u64 nr)
{
	/* What is stale reads as zero, and is cleared by who uses it. */
	if (test_bit_acquire(page / LINEAR_BLOCK_PAGES, vram->stale))
		return;
	memset(vram->base + (page << PAGE_SHIFT), 0, nr << PAGE_SHIFT);
	/* Write-combined: before anybody else looks. */
	wmb();
}

/* See pgpu_ops.vram_discard. */
void linear_vram_discard(struct pgpu *pgpu, u64 page, u64 nr)
{
	struct linear_vram *vram = pgpu_priv(pgpu);
	bool any = false;
	u64 block;

	if (nr < LINEAR_BLOCK_PAGES) {
		linear_pages_clear(vram, page, nr);
		return;
	}
	/* One by one, because others change bits beside these. */
	for (block = page / LINEAR_BLOCK_PAGES;
	     block < (page + nr) / LINEAR_BLOCK_PAGES; block++) {
		if (!test_and_clear_bit(block, vram->given))
			continue;
		set_bit(block, vram->stale);
		any = true;
	}
	if (any)
		queue_work(system_unbound_wq, &vram->work);
}
