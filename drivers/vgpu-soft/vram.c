// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM of a software GPU: system memory that exists from first use on.
 *
 * A block of 2 MiB is one chunk.  It is 2 MiB of contiguous memory where the
 * kernel has that, so that the block can be mapped with one entry; else a
 * table of single pages that come when they are touched.  The two are told
 * apart by a tag in the pointer.
 *
 * The pages of a contiguous chunk are split, so that each has its own
 * reference count: KVM and others look at single pages.
 */
#include <linux/gfp.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "soft.h"

#define SOFT_CHUNK_ORDER	(ilog2(PGPU_BLOCK_SIZE) - PAGE_SHIFT)
#define SOFT_CHUNK_PAGES	(1UL << SOFT_CHUNK_ORDER)

enum soft_chunk_tag {
	SOFT_CHUNK_CONTIGUOUS = 0,	/* struct page *, the first of all */
	SOFT_CHUNK_TABLE = 1,		/* struct soft_table * */
};

struct soft_table {
	struct page *pages[SOFT_CHUNK_PAGES];
};

static void soft_table_free(struct soft_table *table)
{
	u32 i;

	for (i = 0; i < SOFT_CHUNK_PAGES; i++)
		if (table->pages[i])
			__free_page(table->pages[i]);
	kfree(table);
}

static void soft_chunk_free(void *entry)
{
	struct page *page;
	u32 i;

	if (xa_pointer_tag(entry) == SOFT_CHUNK_TABLE) {
		soft_table_free(xa_untag_pointer(entry));
		return;
	}
	page = xa_untag_pointer(entry);
	for (i = 0; i < SOFT_CHUNK_PAGES; i++)
		__free_page(page + i);
}

static void *soft_chunk_alloc(struct soft_vram *vram)
{
	struct soft_table *table;
	struct page *page;

	page = alloc_pages_node(vram->node,
				GFP_KERNEL_ACCOUNT | __GFP_ZERO |
				__GFP_NORETRY | __GFP_NOWARN, SOFT_CHUNK_ORDER);
	if (page) {
		split_page(page, SOFT_CHUNK_ORDER);
		return xa_tag_pointer(page, SOFT_CHUNK_CONTIGUOUS);
	}
	table = kzalloc_node(sizeof(*table), GFP_KERNEL_ACCOUNT, vram->node);
	return table ? xa_tag_pointer(table, SOFT_CHUNK_TABLE) : NULL;
}

/* The chunk of a block, made when it is missing and @alloc says so. */
static void *soft_chunk_get(struct soft_vram *vram, u64 block, bool alloc)
{
	void *entry = xa_load(&vram->chunks, block);
	void *other;

	if (entry || !alloc)
		return entry;
	entry = soft_chunk_alloc(vram);
	if (!entry)
		return NULL;
	other = xa_cmpxchg(&vram->chunks, block, NULL, entry,
			   GFP_KERNEL_ACCOUNT);
	if (!other)
		return entry;
	soft_chunk_free(entry);
	return xa_is_err(other) ? NULL : other;
}

static struct page *soft_table_get(struct soft_vram *vram,
				   struct soft_table *table, u32 index,
				   bool alloc)
{
	struct page *page = READ_ONCE(table->pages[index]);
	struct page *other;

	if (page || !alloc)
		return page;
	page = alloc_pages_node(vram->node, GFP_KERNEL_ACCOUNT | __GFP_ZERO, 0);
	if (!page)
		return NULL;
	other = cmpxchg(&table->pages[index], NULL, page);
	if (!other)
		return page;
	__free_page(page);
	return other;
}

/* See pgpu_ops.vram_map. */
int soft_vram_map(struct pgpu *pgpu, u64 page, u64 nr, bool alloc,
		  struct pgpu_run *run)
{
	struct soft_gpu *gpu = pgpu_priv(pgpu);
	u32 index = page % SOFT_CHUNK_PAGES;
	struct page *first = NULL;
	void *entry;

	entry = soft_chunk_get(&gpu->vram, page / SOFT_CHUNK_PAGES, alloc);
	run->nr = min_t(u64, nr, SOFT_CHUNK_PAGES - index);
	if (entry && xa_pointer_tag(entry) == SOFT_CHUNK_CONTIGUOUS) {
		first = (struct page *)xa_untag_pointer(entry) + index;
	} else if (entry) {
		first = soft_table_get(&gpu->vram, xa_untag_pointer(entry),
				       index, alloc);
		run->nr = 1;
	}
	if (!first && alloc)
		return -ENOMEM;
	run->pfn = first ? page_to_pfn(first) : 0;
	run->vaddr = first ? page_address(first) : NULL;
	return 0;
}

/*
 * See pgpu_ops.vram_discard.  Memory goes back to the kernel, and zeroed
 * memory comes when it is needed again.
 */
void soft_vram_discard(struct pgpu *pgpu, u64 page, u64 nr)
{
	struct soft_gpu *gpu = pgpu_priv(pgpu);
	u64 block;
	void *entry;

	for (block = page / SOFT_CHUNK_PAGES;
	     block < (page + nr) / SOFT_CHUNK_PAGES; block++) {
		entry = xa_erase(&gpu->vram.chunks, block);
		if (entry)
			soft_chunk_free(entry);
	}
}

void soft_vram_init(struct soft_vram *vram, int node)
{
	xa_init(&vram->chunks);
	vram->node = node;
}

void soft_vram_fini(struct soft_vram *vram)
{
	unsigned long block;
	void *entry;

	xa_for_each(&vram->chunks, block, entry)
		soft_chunk_free(entry);
	xa_destroy(&vram->chunks);
}
