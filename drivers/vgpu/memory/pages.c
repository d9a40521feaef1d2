// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of single pages of VRAM: which are bad, and which stand in for them.
 *
 * A page that is bad is never given out again.  While somebody uses it, it is pending.
 *
 * Spare pages come out of pools: blocks that are given out in single pages.
 * The reserve is made of pools; when it is used up, a free block becomes one.
 * So does a free block with a bad page for which there is no spare one: its
 * other pages are as good as any.
 *
 * vram.remap says which page stands in for which.  An entry of a framebuffer's
 * page changes with vram.lock and vgpu_fb.lock of that framebuffer held, the latter
 * for writing, so who holds it for reading can look entries up without the former.
 *
 * There can be a million bad pages, so nothing that is done for each of them looks
 * at all pools or all of remap.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "memory/fb.h"
#include "memory/vram.h"

/**
 * struct vram_pool - a block that is given out in single pages
 * @link: in vram.pools
 * @block: its number
 * @used: pages that are in use, or bad
 * @home: what each page stands in for, if vram.remap says so, too
 */
struct vram_pool {
	struct list_head link;
	u64 block;
	DECLARE_BITMAP(used, PGPU_BLOCK_PAGES);
	u64 home[PGPU_BLOCK_PAGES];
};

/**
 * vram_page() - what is known of a page
 * @vram: vram.lock is held
 * @page: page of VRAM, which may have had no error yet
 *
 * Return: that, or an error pointer: -ENOMEM
 */
struct vram_bad_page *vram_page(struct vram *vram, u64 page)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	lockdep_assert_held(&vram->lock);
	if (bad)
		return bad;
	bad = kzalloc(sizeof(*bad), GFP_KERNEL);
	if (!bad)
		return ERR_PTR(-ENOMEM);
	if (xa_err(xa_store(&vram->bad, page, bad, GFP_KERNEL))) {
		kfree(bad);
		return ERR_PTR(-ENOMEM);
	}
	return bad;
}

/**
 * vram_mark_bad() - a page must not be given out again
 * @vram: vram.lock is held
 * @page: page of VRAM; pending until nobody uses it
 * @cause: VGPU_RETIRED_*
 * @time: when, in seconds since 1970
 *
 * There is room then for whatever comes to stand in for it, so that nothing that
 * follows can fail for want of that.
 *
 * Return: 0 or -ENOMEM
 */
int vram_mark_bad(struct vram *vram, u64 page, u32 cause, time64_t time)
{
	struct vram_bad_page *bad = vram_page(vram, page);

	if (IS_ERR(bad) || xa_reserve(&vram->remap, page, GFP_KERNEL))
		return -ENOMEM;
	WRITE_ONCE(bad->cause, cause);
	bad->time = time;
	vram->nr_retired++;
	WRITE_ONCE(bad->pending, true);
	vram->nr_pending++;
	return 0;
}

/**
 * vram_page_is_bad() - whether a page must not be given out again
 * @vram: the VRAM; what is known of a page is kept as long as it
 * @page: page of VRAM
 *
 * Return: true if it is retired, or is to be
 */
bool vram_page_is_bad(struct vram *vram, u64 page)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	return bad && READ_ONCE(bad->cause);
}

/**
 * vram_page_is_pending() - whether a page is bad and still in use
 * @vram: the VRAM
 * @page: page of VRAM
 *
 * Return: true if it is
 */
bool vram_page_is_pending(struct vram *vram, u64 page)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	return bad && READ_ONCE(bad->pending);
}

/**
 * vram_next_bad() - find a page that must not be given out again
 * @vram: the VRAM
 * @first: page of VRAM to begin with
 * @last: where to end
 *
 * Return: the page, or VRAM_NO_PAGE
 */
u64 vram_next_bad(struct vram *vram, u64 first, u64 last)
{
	struct vram_bad_page *bad;
	unsigned long page;

	xa_for_each_range(&vram->bad, page, bad, first, last)
		if (READ_ONCE(bad->cause))
			return page;
	return VRAM_NO_PAGE;
}

/* A page is in use no more. */
static void vram_page_done(struct vram *vram, u64 page)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	lockdep_assert_held(&vram->lock);
	if (!bad || !bad->pending)
		return;
	WRITE_ONCE(bad->pending, false);
	vram->nr_pending--;
}

/* A page that is retired has none to stand in for it, and is pending until it has. */
static void vram_page_unreplaced(struct vram *vram, u64 page)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	lockdep_assert_held(&vram->lock);
	if (WARN_ON_ONCE(!bad) || bad->pending)
		return;
	WRITE_ONCE(bad->pending, true);
	vram->nr_pending++;
}

/**
 * vram_has_pending() - whether bad pages are still in use
 * @vram: the pGPU's
 *
 * Return: true if any is
 */
bool vram_has_pending(struct vram *vram)
{
	bool has;

	mutex_lock(&vram->lock);
	has = vram->nr_pending;
	mutex_unlock(&vram->lock);
	return has;
}

static bool vram_pool_is_reserve(const struct vram *vram,
				 const struct vram_pool *pool)
{
	return pool->block >= vram_nr_blocks(vram);
}

static struct vram_pool *vram_pool_find(struct vram *vram, u64 page)
{
	lockdep_assert_held(&vram->lock);
	return xa_load(&vram->pool_of, page / PGPU_BLOCK_PAGES);
}

/* A pool of the block that it has; where it comes in the list is up to the caller. */
static int vram_pool_add(struct vram *vram, struct vram_pool *pool, u64 block)
{
	const struct pgpu_ops *ops = vram->ops;
	int ret = 0;

	/* Its pages go to whoever needs one. */
	if (ops->vram_single)
		ret = ops->vram_single(vram->pgpu, block * PGPU_BLOCK_PAGES);
	if (!ret)
		ret = xa_err(xa_store(&vram->pool_of, block, pool, GFP_KERNEL));
	if (ret)
		return ret;
	pool->block = block;
	list_add_tail(&pool->link, &vram->pools);
	return 0;
}

static void vram_pool_del(struct vram *vram, struct vram_pool *pool)
{
	list_del(&pool->link);
	xa_erase(&vram->pool_of, pool->block);
	kfree(pool);
}

/* The next owner of the block finds zeroes. */
static void vram_pool_destroy(struct vram *vram, struct vram_pool *pool)
{
	lockdep_assert_held(&vram->lock);
	vram_discard(vram, pool->block * PGPU_BLOCK_PAGES, PGPU_BLOCK_PAGES);
	vram_put_block(vram, pool->block);
	vram_pool_del(vram, pool);
}

static void vram_page_free_locked(struct vram *vram, u64 page)
{
	struct vram_pool *pool = vram_pool_find(vram, page);

	lockdep_assert_held(&vram->lock);
	/* A bad one is never given out again. */
	if (!pool || vram_page_is_bad(vram, page))
		return;
	__clear_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (!vram_pool_is_reserve(vram, pool) &&
	    bitmap_empty(pool->used, PGPU_BLOCK_PAGES))
		vram_pool_destroy(vram, pool);
}

/* Bad pages of a new pool are not given out, and need no spare ones. */
static void vram_pool_skip_bad(struct vram *vram, struct vram_pool *pool)
{
	u64 first = pool->block * PGPU_BLOCK_PAGES, spare;
	u64 page;

	lockdep_assert_held(&vram->lock);
	for (page = first; page < first + PGPU_BLOCK_PAGES; page++) {
		page = vram_next_bad(vram, page, first + PGPU_BLOCK_PAGES - 1);
		if (page == VRAM_NO_PAGE)
			return;
		__set_bit(page - first, pool->used);
		spare = vram_resolve(vram, page);
		xa_erase(&vram->remap, page);
		if (spare != page && spare != VRAM_NO_PAGE)
			vram_page_free_locked(vram, spare);
	}
}

/*
 * Make a free block a pool.  The reserve is at the head of the list, so that it is
 * used first.
 */
static struct vram_pool *vram_pool_create(struct vram *vram, u64 block)
{
	struct vram_pool *pool;
	int ret;

	lockdep_assert_held(&vram->lock);
	if (block >= vram_nr_blocks(vram) || !test_bit(block, vram->free))
		return ERR_PTR(-ENOSPC);
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	ret = vram_pool_add(vram, pool, block);
	if (ret) {
		kfree(pool);
		return ERR_PTR(ret);
	}
	__clear_bit(block, vram->free);
	vram->free_blocks--;
	vram_pool_skip_bad(vram, pool);
	return pool;
}

/**
 * vram_reserve_init() - make the reserve
 * @vram: with its VRAM
 *
 * Return: 0 or -ENOMEM
 */
int vram_reserve_init(struct vram *vram)
{
	u64 first = vram_nr_blocks(vram);
	u64 nr = vram->spare_size / PGPU_BLOCK_SIZE;
	struct vram_pool *pool;
	u64 i;

	for (i = 0; i < nr; i++) {
		pool = kzalloc(sizeof(*pool), GFP_KERNEL);
		if (!pool)
			return -ENOMEM;
		if (vram_pool_add(vram, pool, first + i)) {
			kfree(pool);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * vram_pages_fini() - forget all pools, who stands in for whom, and what is bad
 * @vram: without vGPUs
 */
void vram_pages_fini(struct vram *vram)
{
	struct vram_pool *pool, *next;
	struct vram_bad_page *bad;
	unsigned long page;

	list_for_each_entry_safe(pool, next, &vram->pools, link)
		vram_pool_del(vram, pool);
	xa_destroy(&vram->pool_of);
	xa_destroy(&vram->remap);
	xa_for_each(&vram->bad, page, bad)
		kfree(bad);
	xa_destroy(&vram->bad);
}

static int vram_page_alloc_locked(struct vram *vram, u64 *page)
{
	struct vram_pool *pool;
	unsigned long bit;

	lockdep_assert_held(&vram->lock);
	list_for_each_entry(pool, &vram->pools, link)
		if (!bitmap_full(pool->used, PGPU_BLOCK_PAGES))
			goto found;
	pool = vram_pool_create(vram, vram_find_hole(vram, 1));
	if (IS_ERR(pool))
		return PTR_ERR(pool);
found:
	bit = find_first_zero_bit(pool->used, PGPU_BLOCK_PAGES);
	__set_bit(bit, pool->used);
	*page = pool->block * PGPU_BLOCK_PAGES + bit;
	/* Who had it before may still hold the memory that it had. */
	vram_discard(vram, *page, 1);
	return 0;
}

/**
 * vram_page_alloc() - take a single page, as a spare one for another
 * @vram: where from; a block becomes a pool when those that are have no page
 * @page: the page number, in VRAM; it reads as zero
 *
 * Return: 0, -ENOSPC or -ENOMEM
 */
int vram_page_alloc(struct vram *vram, u64 *page)
{
	int ret;

	mutex_lock(&vram->lock);
	ret = vram_page_alloc_locked(vram, page);
	mutex_unlock(&vram->lock);
	return ret;
}

/**
 * vram_page_free() - give a single page back
 * @vram: where to
 * @page: as vram_page_alloc() answered it; nobody can reach it any more
 */
void vram_page_free(struct vram *vram, u64 page)
{
	mutex_lock(&vram->lock);
	vram_page_free_locked(vram, page);
	mutex_unlock(&vram->lock);
}

/**
 * vram_resolve() - the page that stands in for another
 * @vram: the VRAM
 * @home: a page; vram.lock is held, or vgpu_fb.lock of the framebuffer that it is in
 *
 * Return: @home itself when there is none; VRAM_NO_PAGE when there should be
 */
u64 vram_resolve(struct vram *vram, u64 home)
{
	void *entry = xa_load(&vram->remap, home);

	return entry ? xa_to_value(entry) : home;
}

/* vram.remap has room for it. */
static void vram_stand_in(struct vram *vram, u64 home, u64 to)
{
	struct vram_pool *pool = vram_pool_find(vram, to);

	if (pool)
		pool->home[to % PGPU_BLOCK_PAGES] = home;
	xa_store(&vram->remap, home, xa_mk_value(to), GFP_NOWAIT);
}

/**
 * vram_remap() - have another page stand in for one
 * @vram: the VRAM
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
bool vram_remap(struct vram *vram, u64 home, u64 to)
{
	bool good;
	u64 from;

	mutex_lock(&vram->lock);
	good = to == VRAM_NO_PAGE || !vram_page_is_bad(vram, to);
	if (!good)
		goto out_unlock;
	from = vram_resolve(vram, home);
	if (to == home)
		xa_erase(&vram->remap, home);
	else
		vram_stand_in(vram, home, to);
	vram_page_done(vram, from == VRAM_NO_PAGE ? home : from);
	if (from != home && from != VRAM_NO_PAGE)
		vram_page_free_locked(vram, from);
	if (to == VRAM_NO_PAGE)
		vram_page_unreplaced(vram, home);
out_unlock:
	mutex_unlock(&vram->lock);
	return good;
}

/**
 * vram_unreserve() - nothing comes to stand in for a page
 * @vram: the VRAM
 * @home: the page, for which xa_reserve() has made room in vram.remap; a bad one
 *	keeps it
 */
void vram_unreserve(struct vram *vram, u64 home)
{
	mutex_lock(&vram->lock);
	if (!vram_page_is_bad(vram, home))
		xa_release(&vram->remap, home);
	mutex_unlock(&vram->lock);
}

/*
 * Which page a page of a pool stands in for, or false for none; @page itself for one
 * that is of no pool.
 */
static bool vram_find_user(struct vram *vram, u64 page, u64 *home)
{
	struct vram_pool *pool = vram_pool_find(vram, page);
	void *entry;
	u64 there;

	*home = page;
	if (!pool)
		return true;
	/* It may have stood in for that once. */
	there = pool->home[page % PGPU_BLOCK_PAGES];
	entry = xa_load(&vram->remap, there);
	if (!entry || xa_to_value(entry) != page)
		return false;
	*home = there;
	return true;
}

/* Whether a spare page is there without taking a block for it. */
static bool vram_has_spare(struct vram *vram)
{
	struct vram_pool *pool;

	list_for_each_entry(pool, &vram->pools, link)
		if (!bitmap_full(pool->used, PGPU_BLOCK_PAGES))
			return true;
	return false;
}

/*
 * Put a bad page out of use that nobody uses.  @home is, in a free block, the page that
 * @page stands in for, or @page itself; and so for one of a pool that stands in for
 * none.
 */
static int vram_retire_free(struct vram *vram, u64 page, u64 home)
{
	struct vram_pool *pool = vram_pool_find(vram, page);
	u64 block = home / PGPU_BLOCK_PAGES, spare;

	lockdep_assert_held(&vram->lock);
	if (pool)
		__set_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (pool && home == page)
		return 0;
	/* Not a page of another free block: this one is as good a pool. */
	if (vram_has_spare(vram) && !vram_page_alloc_locked(vram, &spare)) {
		vram_stand_in(vram, home, spare);
		return 0;
	}
	pool = vram_pool_create(vram, block);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	xa_erase(&vram->remap, home);
	__set_bit(home % PGPU_BLOCK_PAGES, pool->used);
	return 0;
}

/**
 * vram_spare_pages() - how many single pages stand in for others, or are bad
 * @vram: of this pGPU
 * @free: how many of the reserve are left; may be NULL
 *
 * Return: the number
 */
u64 vram_spare_pages(struct vram *vram, u64 *free)
{
	struct vram_pool *pool;
	u64 used, nr = 0, left = 0;

	mutex_lock(&vram->lock);
	list_for_each_entry(pool, &vram->pools, link) {
		used = bitmap_weight(pool->used, PGPU_BLOCK_PAGES);
		nr += used;
		if (vram_pool_is_reserve(vram, pool))
			left += PGPU_BLOCK_PAGES - used;
	}
	mutex_unlock(&vram->lock);
	if (free)
		*free = left;
	return nr;
}

/**
 * vram_user() - who uses a page
 * @vram: vram.lock is held
 * @page: page of VRAM
 * @home: as which page of its blocks
 *
 * Return: the framebuffer; NULL for nobody, also for a page that another one stands
 * in for
 */
struct vgpu_fb *vram_user(struct vram *vram, u64 page, u64 *home)
{
	lockdep_assert_held(&vram->lock);
	if (!vram_find_user(vram, page, home) ||
	    vram_resolve(vram, *home) != page)
		return NULL;
	return vram->owners[*home / PGPU_BLOCK_PAGES];
}

/**
 * vram_retire_unused() - retire a page that nobody uses
 * @vram: vram.lock is held
 * @page: page of VRAM; it stays pending if there is no spare page for it
 */
void vram_retire_unused(struct vram *vram, u64 page)
{
	u64 home;

	lockdep_assert_held(&vram->lock);
	/* It stands in for none, or another one stands in for it: done. */
	if (!vram_find_user(vram, page, &home))
		home = page;
	else if (home == page && vram_resolve(vram, home) != page &&
		 vram_resolve(vram, home) != VRAM_NO_PAGE)
		goto done;
	if (vram_retire_free(vram, page, home))
		return;
done:
	vram_page_done(vram, page);
}

/**
 * vram_retire_freed() - retire pages that were pending and are free now
 * @vram: vram.lock is held; blocks have been given back
 */
void vram_retire_freed(struct vram *vram)
{
	struct vram_bad_page *bad;
	unsigned long page;
	u64 home;

	lockdep_assert_held(&vram->lock);
	if (!vram->nr_pending)
		return;
	xa_for_each(&vram->bad, page, bad) {
		if (!bad->pending)
			continue;
		if (!vram_find_user(vram, page, &home))
			home = page;
		if (home / PGPU_BLOCK_PAGES >= vram_nr_blocks(vram) ||
		    !vram->owners[home / PGPU_BLOCK_PAGES])
			vram_retire_unused(vram, page);
	}
}
