// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM of a software GPU: system memory that exists from first use on.
 *
 * A block of 2 MiB is contiguous where the kernel has that, so that it can be
 * mapped with one entry; else its pages come one by one when they are touched.
 * The blocks in use say which they are; all pages are in memory.c.
 *
 * The pages of a contiguous block are split, so that each has its own reference
 * count: KVM and others look at single pages.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/wait_bit.h>

#include "soft.h"

#define SOFT_BLOCK_ORDER	(ilog2(PGPU_BLOCK_SIZE) - PAGE_SHIFT)
#define SOFT_BLOCK_PAGES	(1UL << SOFT_BLOCK_ORDER)

/*
 * A block that is not contiguous, or not known to be so yet; one that is has a
 * pointer to its first page.
 */
#define SOFT_SINGLE_PAGES	xa_mk_value(0)
#define SOFT_BEING_MADE		xa_mk_value(1)

/* If the memory cgroup has room. */
#define SOFT_GFP_TRY	(GFP_NOWAIT | __GFP_NOWARN)

static void soft_pages_free(struct page *first, u32 from)
{
	for (; from < SOFT_BLOCK_PAGES; from++)
		__free_page(first + from);
}

/* Put the pages of a block into memory; false if any was left over, and freed. */
static bool soft_block_add(struct soft_vram *vram, u64 block, struct page *first)
{
	u32 added = 0;

	while (added < SOFT_BLOCK_PAGES &&
	       !soft_memory_add(vram, block * SOFT_BLOCK_PAGES + added,
				first + added, SOFT_GFP_TRY))
		added++;
	soft_pages_free(first, added);
	return added == SOFT_BLOCK_PAGES;
}

/*
 * The entry of a block that had none: give it memory in one piece if there is.
 *
 * Nobody waits for that but who wants the same block.
 */
static void *soft_block_create(struct soft_vram *vram, u64 block)
{
	void *entry, *made = SOFT_SINGLE_PAGES;
	struct page *first;

	/* First the entry, so that none of its pages is forgotten. */
	entry = xa_cmpxchg(&vram->blocks, block, NULL, SOFT_BEING_MADE,
			   GFP_KERNEL);
	if (entry)
		return xa_is_err(entry) ? NULL : entry;
	first = alloc_pages_node(vram->node, GFP_KERNEL | __GFP_ZERO |
				 __GFP_NORETRY | __GFP_NOWARN,
				 SOFT_BLOCK_ORDER);
	if (first) {
		split_page(first, SOFT_BLOCK_ORDER);
		if (soft_block_add(vram, block, first))
			made = first;
	}
	/* It has been split if the memory of a page has failed already. */
	entry = xa_cmpxchg(&vram->blocks, block, SOFT_BEING_MADE, made,
			   GFP_NOWAIT);
	/* The entry before the look for who waits. */
	smp_mb();
	wake_up_var(&vram->blocks);
	return entry == SOFT_BEING_MADE ? made : entry;
}

/* The entry of a block that has memory, or will have when it is needed. */
static void *soft_block_get(struct soft_vram *vram, u64 block)
{
	void *entry = xa_load(&vram->blocks, block);

	if (!entry)
		entry = soft_block_create(vram, block);
	/* Single pages that others put in would be in the way of one piece. */
	if (entry == SOFT_BEING_MADE)
		wait_var_event(&vram->blocks,
			       (entry = xa_load(&vram->blocks, block)) !=
			       SOFT_BEING_MADE);
	return entry;
}

/* Also if the memory cgroup has no room, and without looking for any. */
static int soft_memory_force(struct soft_vram *vram, u64 index,
			     struct page *page)
{
	unsigned int flags = memalloc_noreclaim_save();
	int ret = soft_memory_add(vram, index, page, GFP_KERNEL);

	memalloc_noreclaim_restore(flags);
	return ret;
}

/* A page; NULL when there is none and need not be, or an error pointer. */
static struct page *soft_page_get(struct soft_vram *vram, u64 index,
				  enum pgpu_alloc alloc)
{
	bool force = alloc == PGPU_ALLOC_FORCE;
	struct page *page;
	int ret;

	page = soft_memory_find(vram, index);
	if (page || !alloc)
		return page;
	page = alloc_pages_node(vram->node, GFP_KERNEL | __GFP_ZERO, 0);
	if (!page)
		return ERR_PTR(-ENOMEM);
	ret = force ? soft_memory_force(vram, index, page) :
		      soft_memory_add(vram, index, page, SOFT_GFP_TRY);
	if (!ret)
		return page;
	__free_page(page);
	if (ret == -EEXIST)
		page = soft_memory_find(vram, index);
	else
		page = ERR_PTR(force ? -ENOMEM : -EAGAIN);
	return page ?: ERR_PTR(-ENOMEM);
}

/* See pgpu_ops.vram_map. */
int soft_vram_map(struct pgpu *pgpu, u64 page, u64 nr, enum pgpu_alloc alloc,
		  struct pgpu_run *run)
{
	struct soft_gpu *gpu = pgpu_priv(pgpu);
	u64 block = page / SOFT_BLOCK_PAGES;
	u32 index = page % SOFT_BLOCK_PAGES;
	struct page *first = NULL;
	void *entry;

	entry = alloc ? soft_block_get(&gpu->vram, block) :
			xa_load(&gpu->vram.blocks, block);
	run->nr = min_t(u64, nr, SOFT_BLOCK_PAGES - index);
	if (xa_is_value(entry)) {
		first = soft_page_get(&gpu->vram, page, alloc);
		run->nr = 1;
		if (IS_ERR(first))
			return PTR_ERR(first);
	} else if (entry) {
		first = (struct page *)entry + index;
	} else if (alloc) {
		return -ENOMEM;
	}
	run->pfn = first ? page_to_pfn(first) : 0;
	run->vaddr = first ? page_address(first) : NULL;
	return 0;
}

/**
 * soft_vram_split() - look for the pages of a block one by one from now on
 * @vram: the memory
 * @page: a page of the block; it is about to get other memory
 */
void soft_vram_split(struct soft_vram *vram, u64 page)
{
	u64 block = page / SOFT_BLOCK_PAGES;

	/* One that is just being made is not in one piece any more, either. */
	xa_lock(&vram->blocks);
	if (xa_load(&vram->blocks, block))
		__xa_store(&vram->blocks, block, SOFT_SINGLE_PAGES, GFP_NOWAIT);
	xa_unlock(&vram->blocks);
}

/* See pgpu_ops.vram_single. */
int soft_vram_single(struct pgpu *pgpu, u64 page)
{
	struct soft_gpu *gpu = pgpu_priv(pgpu);

	return xa_err(xa_store(&gpu->vram.blocks, page / SOFT_BLOCK_PAGES,
			       SOFT_SINGLE_PAGES, GFP_KERNEL));
}

/*
 * See pgpu_ops.vram_discard.  Memory goes back to the kernel, and zeroed
 * memory comes when it is needed again.
 */
void soft_vram_discard(struct pgpu *pgpu, u64 page, u64 nr)
{
	struct soft_gpu *gpu = pgpu_priv(pgpu);
	u64 block;

	if (nr < SOFT_BLOCK_PAGES) {
		soft_vram_split(&gpu->vram, page);
		soft_memory_drop(&gpu->vram, page, nr);
		return;
	}
	for (block = page / SOFT_BLOCK_PAGES;
	     block < (page + nr) / SOFT_BLOCK_PAGES; block++)
		if (xa_erase(&gpu->vram.blocks, block))
			soft_memory_drop(&gpu->vram, block * SOFT_BLOCK_PAGES,
					 SOFT_BLOCK_PAGES);
}

/**
 * soft_vram_init() - make the memory of a software GPU, none of which is there
 * @vram: zeroed
 * @node: NUMA node to take it from
 *
 * Return: 0 or -ENOMEM
 */
int soft_vram_init(struct soft_vram *vram, int node)
{
	int ret;

	ret = soft_memory_init(vram);
	if (ret)
		return ret;
	xa_init(&vram->blocks);
	vram->node = node;
	return 0;
}

void soft_vram_fini(struct soft_vram *vram)
{
	soft_memory_fini(vram);
	xa_destroy(&vram->blocks);
}
