// SPDX-License-Identifier: GPL-2.0
/*
 * Spare pages, and the pages of VRAM that they stand in for.
 *
 * Spare pages come out of pools: blocks that are given out in single pages.
 * The reserve is made of pools; when it is used up, a free block becomes one.
 * So does a free block with a bad page for which there is no spare one: its
 * other pages are as good as any.
 *
 * pgpu.remap says which page stands in for which.  An entry of a framebuffer's
 * page changes with pgpu.lock and vgpu_fb.lock of that framebuffer held, the latter
 * for writing, so who holds it for reading can look entries up without the former.
 *
 * There can be a million bad pages, so nothing that is done for each of them looks
 * at all pools or all of remap.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "core.h"

/**
 * struct vram_pool - a block that is given out in single pages
 * @link: in pgpu.pools
 * @block: its number
 * @used: pages that are in use, or bad
 * @home: what each page stands in for, if pgpu.remap says so, too
 */
struct vram_pool {
	struct list_head link;
	u64 block;
	DECLARE_BITMAP(used, PGPU_BLOCK_PAGES);
	u64 home[PGPU_BLOCK_PAGES];
};

static bool vram_pool_is_reserve(const struct pgpu *pgpu,
				 const struct vram_pool *pool)
{
	return pool->block >= pgpu_nr_blocks(pgpu);
}

static struct vram_pool *vram_pool_find(struct pgpu *pgpu, u64 page)
{
	lockdep_assert_held(&pgpu->lock);
	return xa_load(&pgpu->pool_of, page / PGPU_BLOCK_PAGES);
}

/* A pool of the block that it has; where it comes in the list is up to the caller. */
static int vram_pool_add(struct pgpu *pgpu, struct vram_pool *pool, u64 block)
{
	const struct pgpu_ops *ops = pgpu->desc.ops;
	int ret = 0;

	/* Its pages go to whoever needs one. */
	if (ops->vram_single)
		ret = ops->vram_single(pgpu, block * PGPU_BLOCK_PAGES);
	if (!ret)
		ret = xa_err(xa_store(&pgpu->pool_of, block, pool, GFP_KERNEL));
	if (ret)
		return ret;
	pool->block = block;
	list_add_tail(&pool->link, &pgpu->pools);
	return 0;
}

static void vram_pool_del(struct pgpu *pgpu, struct vram_pool *pool)
{
	list_del(&pool->link);
	xa_erase(&pgpu->pool_of, pool->block);
	kfree(pool);
}

/* The next owner of the block finds zeroes. */
static void vram_pool_destroy(struct pgpu *pgpu, struct vram_pool *pool)
{
	lockdep_assert_held(&pgpu->lock);
	pgpu->desc.ops->vram_discard(pgpu, pool->block * PGPU_BLOCK_PAGES,
				     PGPU_BLOCK_PAGES);
	__set_bit(pool->block, pgpu->free);
	pgpu->free_blocks++;
	vram_pool_del(pgpu, pool);
}

static void vram_page_free_locked(struct pgpu *pgpu, u64 page)
{
	struct vram_pool *pool = vram_pool_find(pgpu, page);

	lockdep_assert_held(&pgpu->lock);
	/* A bad one is never given out again. */
	if (!pool || pgpu_ecc_is_bad(pgpu, page))
		return;
	__clear_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (!vram_pool_is_reserve(pgpu, pool) &&
	    bitmap_empty(pool->used, PGPU_BLOCK_PAGES))
		vram_pool_destroy(pgpu, pool);
}

/* Bad pages of a new pool are not given out, and need no spare ones. */
static void vram_pool_skip_bad(struct pgpu *pgpu, struct vram_pool *pool)
{
	u64 first = pool->block * PGPU_BLOCK_PAGES, spare;
	u64 page;

	lockdep_assert_held(&pgpu->lock);
	for (page = first; page < first + PGPU_BLOCK_PAGES; page++) {
		page = pgpu_ecc_next_bad(pgpu, page,
					 first + PGPU_BLOCK_PAGES - 1);
		if (page == VRAM_NO_PAGE)
			return;
		__set_bit(page - first, pool->used);
		spare = vram_resolve(pgpu, page);
		xa_erase(&pgpu->remap, page);
		if (spare != page && spare != VRAM_NO_PAGE)
			vram_page_free_locked(pgpu, spare);
	}
}

/*
 * Make a free block a pool.  The reserve is at the head of the list, so that it is
 * used first.
 */
static struct vram_pool *vram_pool_create(struct pgpu *pgpu, u64 block)
{
	struct vram_pool *pool;
	int ret;

	lockdep_assert_held(&pgpu->lock);
	if (block >= pgpu_nr_blocks(pgpu) || !test_bit(block, pgpu->free))
		return ERR_PTR(-ENOSPC);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	ret = vram_pool_add(pgpu, pool, block);
	if (ret) {
		kfree(pool);
		return ERR_PTR(ret);
	}
	__clear_bit(block, pgpu->free);
	pgpu->free_blocks--;
	vram_pool_skip_bad(pgpu, pool);
	return pool;
}

/**
 * vram_spare_init() - make the reserve
 * @pgpu: with its VRAM
 *
 * Return: 0 or -ENOMEM, after which vram_spare_fini() is needed too
 */
int vram_spare_init(struct pgpu *pgpu)
{
	u64 first = pgpu_nr_blocks(pgpu);
	u64 nr = pgpu->desc.spare_size / PGPU_BLOCK_SIZE;
	struct vram_pool *pool;
	u64 i;

	for (i = 0; i < nr; i++) {
		pool = kzalloc(sizeof(*pool), GFP_KERNEL);
		if (!pool)
			return -ENOMEM;
		if (vram_pool_add(pgpu, pool, first + i)) {
			kfree(pool);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * vram_spare_fini() - forget all pools and who stands in for whom
 * @pgpu: without vGPUs
 */
void vram_spare_fini(struct pgpu *pgpu)
{
	struct vram_pool *pool, *next;

	list_for_each_entry_safe(pool, next, &pgpu->pools, link)
		vram_pool_del(pgpu, pool);
	xa_destroy(&pgpu->pool_of);
	xa_destroy(&pgpu->remap);
}

static int vram_page_alloc_locked(struct pgpu *pgpu, u64 *page)
{
	struct vram_pool *pool;
	unsigned long bit;

	lockdep_assert_held(&pgpu->lock);
	list_for_each_entry(pool, &pgpu->pools, link)
		if (!bitmap_full(pool->used, PGPU_BLOCK_PAGES))
			goto found;
	pool = vram_pool_create(pgpu, vram_find_hole(pgpu, 1));
	if (IS_ERR(pool))
		return PTR_ERR(pool);
found:
	bit = find_first_zero_bit(pool->used, PGPU_BLOCK_PAGES);
	__set_bit(bit, pool->used);
	*page = pool->block * PGPU_BLOCK_PAGES + bit;
	/* Who had it before may still hold the memory that it had. */
	pgpu->desc.ops->vram_discard(pgpu, *page, 1);
	return 0;
}

/**
 * vram_page_alloc() - take a single page, as a spare one for another
 * @pgpu: where from; a block becomes a pool when those that are have no page
 * @page: the page number, in VRAM; it reads as zero
 *
 * Return: 0, -ENOSPC or -ENOMEM
 */
int vram_page_alloc(struct pgpu *pgpu, u64 *page)
{
	int ret;

	mutex_lock(&pgpu->lock);
	ret = vram_page_alloc_locked(pgpu, page);
	mutex_unlock(&pgpu->lock);
	return ret;
}

/**
 * vram_page_free() - give a single page back
 * @pgpu: where to
 * @page: as vram_page_alloc() answered it; nobody can reach it any more
 */
void vram_page_free(struct pgpu *pgpu, u64 page)
{
	mutex_lock(&pgpu->lock);
	vram_page_free_locked(pgpu, page);
	mutex_unlock(&pgpu->lock);
}

/**
 * vram_resolve() - the page that stands in for another
 * @pgpu: the pGPU
 * @home: a page; pgpu.lock is held, or vgpu_fb.lock of the framebuffer that it is in
 *
 * Return: @home itself when there is none; VRAM_NO_PAGE when there should be
 */
u64 vram_resolve(struct pgpu *pgpu, u64 home)
{
	void *entry = xa_load(&pgpu->remap, home);

	return entry ? xa_to_value(entry) : home;
}

/* pgpu.remap has room for it. */
static void vram_stand_in(struct pgpu *pgpu, u64 home, u64 to)
{
	struct vram_pool *pool = vram_pool_find(pgpu, to);

	if (pool)
		pool->home[to % PGPU_BLOCK_PAGES] = home;
	xa_store(&pgpu->remap, home, xa_mk_value(to), GFP_NOWAIT);
}

/**
 * vram_remap() - have another page stand in for one
 * @pgpu: the pGPU
 * @home: the page; xa_reserve() has made room where @to is not @home
 * @to: what stands in for it from now on, @home for itself, or VRAM_NO_PAGE,
 *	with which @home is pending
 *
 * The page that did so before is given back, and is pending no more.  The caller
 * holds vgpu_fb.lock for writing, and has copied what is to be kept.
 *
 * Return: false, and nothing has changed, when @to has gone bad since the caller
 * took it
 */
bool vram_remap(struct pgpu *pgpu, u64 home, u64 to)
{
	bool good;
	u64 from;

	mutex_lock(&pgpu->lock);
	good = to == VRAM_NO_PAGE || !pgpu_ecc_is_bad(pgpu, to);
	if (!good)
		goto out_unlock;
	from = vram_resolve(pgpu, home);
	if (to == home)
		xa_erase(&pgpu->remap, home);
	else
		vram_stand_in(pgpu, home, to);
	pgpu_ecc_done(pgpu, from == VRAM_NO_PAGE ? home : from);
	if (from != home && from != VRAM_NO_PAGE)
		vram_page_free_locked(pgpu, from);
	if (to == VRAM_NO_PAGE)
		pgpu_ecc_again(pgpu, home);
out_unlock:
	mutex_unlock(&pgpu->lock);
	return good;
}

/**
 * vram_unreserve() - nothing comes to stand in for a page
 * @pgpu: the pGPU
 * @home: the page, for which xa_reserve() has made room in pgpu.remap; a bad one
 *	keeps it
 */
void vram_unreserve(struct pgpu *pgpu, u64 home)
{
	mutex_lock(&pgpu->lock);
	if (!pgpu_ecc_is_bad(pgpu, home))
		xa_release(&pgpu->remap, home);
	mutex_unlock(&pgpu->lock);
}

/**
 * vram_find_user() - which page a spare page stands in for
 * @pgpu: pgpu.lock is held
 * @page: any page
 * @home: the answer; @page itself when it is none of a pool
 *
 * Return: false for a page of a pool that stands in for none
 */
bool vram_find_user(struct pgpu *pgpu, u64 page, u64 *home)
{
	struct vram_pool *pool = vram_pool_find(pgpu, page);
	void *entry;
	u64 there;

	*home = page;
	if (!pool)
		return true;
	/* It may have stood in for that once. */
	there = pool->home[page % PGPU_BLOCK_PAGES];
	entry = xa_load(&pgpu->remap, there);
	if (!entry || xa_to_value(entry) != page)
		return false;
	*home = there;
	return true;
}

/* Whether a spare page is there without taking a block for it. */
static bool vram_has_spare(struct pgpu *pgpu)
{
	struct vram_pool *pool;

	list_for_each_entry(pool, &pgpu->pools, link)
		if (!bitmap_full(pool->used, PGPU_BLOCK_PAGES))
			return true;
	return false;
}

/**
 * vram_retire_free() - put a bad page that nobody uses out of use
 * @pgpu: pgpu.lock is held
 * @page: the page, known as bad; pgpu.remap has room for it
 * @home: in a free block, the page that @page stands in for, or @page itself;
 *	@page itself, too, for one of a pool that stands in for none
 *
 * Return: 0 or -ENOMEM
 */
int vram_retire_free(struct pgpu *pgpu, u64 page, u64 home)
{
	struct vram_pool *pool = vram_pool_find(pgpu, page);
	u64 block = home / PGPU_BLOCK_PAGES, spare;

	lockdep_assert_held(&pgpu->lock);
	if (pool)
		__set_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (pool && home == page)
		return 0;
	/* Not a page of another free block: this one is as good a pool. */
	if (vram_has_spare(pgpu) && !vram_page_alloc_locked(pgpu, &spare)) {
		vram_stand_in(pgpu, home, spare);
		return 0;
	}
	pool = vram_pool_create(pgpu, block);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	xa_erase(&pgpu->remap, home);
	__set_bit(home % PGPU_BLOCK_PAGES, pool->used);
	return 0;
}

/**
 * vram_spare_pages() - how many single pages stand in for others, or are bad
 * @pgpu: of this pGPU
 * @free: how many of the reserve are left; may be NULL
 *
 * Return: the number
 */
u64 vram_spare_pages(struct pgpu *pgpu, u64 *free)
{
	struct vram_pool *pool;
	u64 used, nr = 0, left = 0;

	mutex_lock(&pgpu->lock);
	list_for_each_entry(pool, &pgpu->pools, link) {
		used = bitmap_weight(pool->used, PGPU_BLOCK_PAGES);
		nr += used;
		if (vram_pool_is_reserve(pgpu, pool))
			left += PGPU_BLOCK_PAGES - used;
	}
	mutex_unlock(&pgpu->lock);
	if (free)
		*free = left;
	return nr;
}
