// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of single pages of VRAM: which are bad, and which replace them.
 *
 * A page that is bad is never given out again.  While somebody uses it, it is pending.
 *
 * Spare pages come out of pools: blocks that are given out in single pages.
 * The reserve is made of pools; when it is used up, a free block becomes one.
 * So does a free block with a bad page for which there is no spare one: its
 * other pages are as good as any.
 *
 * vram.remap says which page replaces which.  An entry of a framebuffer's
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
 * @home: what each page replaces, if vram.remap says so, too
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

/*
 * Whether a retired page is still in use, or has none to replace it.  A page without
 * error can be in use no more, too.
 */
static void vram_set_pending(struct vram *vram, u64 page, bool pending)
{
	struct vram_bad_page *bad = xa_load(&vram->bad, page);

	lockdep_assert_held(&vram->lock);
	if (WARN_ON_ONCE(pending && !bad) || !bad || bad->pending == pending)
		return;
	WRITE_ONCE(bad->pending, pending);
	vram->nr_pending += pending ? 1 : -1;
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

/* A block becomes a pool, of which no page is in use. */
static struct vram_pool *vram_pool_add(struct vram *vram, u64 block)
{
	struct vram_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	const struct pgpu_ops *ops = vram->ops;
	int ret = 0;

	if (!pool)
		return ERR_PTR(-ENOMEM);
	/* Its pages go to whoever needs one. */
	if (ops->vram_single)
		ret = ops->vram_single(vram->pgpu, block * PGPU_BLOCK_PAGES);
	if (!ret)
		ret = xa_err(xa_store(&vram->pool_of, block, pool, GFP_KERNEL));
	if (ret) {
		kfree(pool);
		return ERR_PTR(ret);
	}
	pool->block = block;
	list_add_tail(&pool->link, &vram->pools);
	return pool;
}

static void vram_pool_del(struct vram *vram, struct vram_pool *pool)
{
	list_del(&pool->link);
	xa_erase(&vram->pool_of, pool->block);
	kfree(pool);
}

/* Give a page of a pool back, which nobody can reach any more. */
static void vram_page_free(struct vram *vram, u64 page)
{
	struct vram_pool *pool = vram_pool_find(vram, page);

	/* A bad one is never given out again. */
	if (!pool || vram_page_is_bad(vram, page))
		return;
	__clear_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (vram_pool_is_reserve(vram, pool) ||
	    !bitmap_empty(pool->used, PGPU_BLOCK_PAGES))
		return;
	/* The next owner of the block finds zeroes. */
	vram_discard(vram, pool->block * PGPU_BLOCK_PAGES, PGPU_BLOCK_PAGES);
	vram_put_block(vram, pool->block);
	vram_pool_del(vram, pool);
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
			vram_page_free(vram, spare);
	}
}

/*
 * Make a free block a pool.  The reserve is at the head of the list, so that it is
 * used first.
 */
static struct vram_pool *vram_pool_create(struct vram *vram, u64 block)
{
	struct vram_pool *pool;

	lockdep_assert_held(&vram->lock);
	if (block >= vram_nr_blocks(vram) || !test_bit(block, vram->free))
		return ERR_PTR(-ENOSPC);
	pool = vram_pool_add(vram, block);
	if (IS_ERR(pool))
		return pool;
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
	u64 i;

	for (i = 0; i < nr; i++)
		if (IS_ERR(vram_pool_add(vram, first + i)))
			return -ENOMEM;
	return 0;
}

/**
 * vram_pages_fini() - forget all pools, what replaces what, and what is bad
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

/* A pool with a page to give, without a block becoming one; or NULL. */
static struct vram_pool *vram_pool_with_room(struct vram *vram)
{
	struct vram_pool *pool;

	list_for_each_entry(pool, &vram->pools, link)
		if (!bitmap_full(pool->used, PGPU_BLOCK_PAGES))
			return pool;
	return NULL;
}

/* Take a page of a pool with room, as a spare one for another; it reads as zero. */
static u64 vram_page_take(struct vram *vram, struct vram_pool *pool)
{
	unsigned long bit = find_first_zero_bit(pool->used, PGPU_BLOCK_PAGES);
	u64 page = pool->block * PGPU_BLOCK_PAGES + bit;

	lockdep_assert_held(&vram->lock);
	__set_bit(bit, pool->used);
	/* Who had it before may still hold the memory that it had. */
	vram_discard(vram, page, 1);
	return page;
}

/* The same; a block becomes a pool when those that are have no page. */
static int vram_page_alloc(struct vram *vram, u64 *page)
{
	struct vram_pool *pool;

	mutex_lock(&vram->lock);
	pool = vram_pool_with_room(vram) ?:
	       vram_pool_create(vram, vram_find_hole(vram, 1));
	if (!IS_ERR(pool))
		*page = vram_page_take(vram, pool);
	mutex_unlock(&vram->lock);
	return PTR_ERR_OR_ZERO(pool);
}

/**
 * vram_resolve() - the page that replaces another
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
static void vram_set_spare(struct vram *vram, u64 home, u64 to)
{
	struct vram_pool *pool = vram_pool_find(vram, to);

	if (pool)
		pool->home[to % PGPU_BLOCK_PAGES] = home;
	xa_store(&vram->remap, home, xa_mk_value(to), GFP_NOWAIT);
}

/**
 * vram_remap() - have another page replace one
 * @vram: the VRAM
 * @home: the page; xa_reserve() has made room where @to is not @home
 * @to: what replaces it from now on; @home for nothing, or VRAM_NO_PAGE, with which
 *	@home is pending
 *
 * The page that replaced it before is given back, and is pending no more.  The caller
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
		vram_set_spare(vram, home, to);
	vram_set_pending(vram, from == VRAM_NO_PAGE ? home : from, false);
	if (from != home && from != VRAM_NO_PAGE)
		vram_page_free(vram, from);
	if (to == VRAM_NO_PAGE)
		vram_set_pending(vram, home, true);
out_unlock:
	mutex_unlock(&vram->lock);
	return good;
}

/* Copy a page that nobody can reach to another one. */
static int vram_copy_page(struct vram *vram, struct vgpu_fb *fb, u64 from,
			  u64 to)
{
	struct pgpu_run source, target;
	int ret;

	ret = vram_map(vram, from, 1, PGPU_ALLOC_NONE, &source);
	if (!ret)
		ret = vram_map(vram, to, 1, PGPU_ALLOC_FORCE, &target);
	if (ret)
		return ret;
	if (source.vaddr)
		ret = vgpu_fb_copy(fb, target.vaddr, source.vaddr, PAGE_SIZE);
	else
		memset(target.vaddr, 0, PAGE_SIZE);
	/* Write-combined: before anybody else looks. */
	wmb();
	return ret;
}

/**
 * vram_replace() - have another page replace what is behind a page of a framebuffer
 * @vram: the VRAM
 * @fb: the framebuffer, with vgpu_fb.lock held for writing and no page mapped there
 * @home: the page; its own page again if nothing is wrong with that and it has a spare
 *	one, else a spare page
 * @keep: with the content; else it reads as zero
 *
 * Return: 0; -EIO when the content cannot be read; -ENOSPC; -ENOMEM
 */
int vram_replace(struct vram *vram, struct vgpu_fb *fb, u64 home, bool keep)
{
	u64 from = vram_resolve(vram, home), to = VRAM_NO_PAGE;
	int ret;

	lockdep_assert_held_write(&fb->lock);
	if (keep && from == VRAM_NO_PAGE)
		return -EIO;
	ret = xa_reserve(&vram->remap, home, GFP_KERNEL);
	if (ret)
		return ret;
	/* One that goes bad meanwhile is never given out again. */
	do {
		if (keep && from != home && !vram_page_is_bad(vram, home))
			to = home;
		else
			ret = vram_page_alloc(vram, &to);
		if (!ret && keep)
			ret = vram_copy_page(vram, fb, from, to);
	} while (!ret && !vram_remap(vram, home, to));
	if (!ret)
		return 0;
	mutex_lock(&vram->lock);
	vram_page_free(vram, to);
	/* A bad one keeps the room that it has. */
	if (!vram_page_is_bad(vram, home))
		xa_release(&vram->remap, home);
	mutex_unlock(&vram->lock);
	return ret;
}

/*
 * Which page a page of a pool replaces; @page itself, and false, for none.  @page
 * itself, too, for one that is of no pool.
 */
static bool vram_find_user(struct vram *vram, u64 page, u64 *home)
{
	struct vram_pool *pool = vram_pool_find(vram, page);
	void *entry;
	u64 there;

	*home = page;
	if (!pool)
		return true;
	/* It may have replaced that once. */
	there = pool->home[page % PGPU_BLOCK_PAGES];
	entry = xa_load(&vram->remap, there);
	if (!entry || xa_to_value(entry) != page)
		return false;
	*home = there;
	return true;
}

/*
 * Put a bad page out of use that nobody uses.  @home is, in a free block, the page that
 * @page replaces, or @page itself; and so for one of a pool that replaces none.  Returns
 * false without a spare page.
 */
static bool vram_retire_free(struct vram *vram, u64 page, u64 home)
{
	struct vram_pool *pool = vram_pool_find(vram, page);

	lockdep_assert_held(&vram->lock);
	if (pool)
		__set_bit(page % PGPU_BLOCK_PAGES, pool->used);
	if (pool && home == page)
		return true;
	/* Not a page of another free block: this one is as good a pool. */
	pool = vram_pool_with_room(vram);
	if (pool) {
		vram_set_spare(vram, home, vram_page_take(vram, pool));
		return true;
	}
	pool = vram_pool_create(vram, home / PGPU_BLOCK_PAGES);
	if (IS_ERR(pool))
		return false;
	xa_erase(&vram->remap, home);
	__set_bit(home % PGPU_BLOCK_PAGES, pool->used);
	return true;
}

/**
 * vram_spare_pages() - how many single pages replace others, or are bad
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
 * Return: the framebuffer; NULL for nobody, also for a page that another one replaces
 */
struct vgpu_fb *vram_user(struct vram *vram, u64 page, u64 *home)
{
	lockdep_assert_held(&vram->lock);
	if (!vram_find_user(vram, page, home) ||
	    vram_resolve(vram, *home) != page)
		return NULL;
	return vram->owners[*home / PGPU_BLOCK_PAGES];
}

/* Retire a page that nobody uses; it stays pending if there is no spare page for it. */
static void vram_retire_unused(struct vram *vram, u64 page)
{
	u64 home, now;

	lockdep_assert_held(&vram->lock);
	vram_find_user(vram, page, &home);
	now = vram_resolve(vram, home);
	/* Unless another page replaces it already. */
	if ((now == page || now == VRAM_NO_PAGE) &&
	    !vram_retire_free(vram, page, home))
		return;
	vram_set_pending(vram, page, false);
}

/**
 * vram_retire() - a page is bad, and never given out again
 * @vram: vram.lock is held
 * @page: page of VRAM; pending while somebody uses it
 * @cause: VGPU_RETIRED_*
 * @time: when, in seconds since 1970
 *
 * There is room then for whatever comes to replace it, so that nothing that
 * follows can fail for want of that.
 *
 * Return: 0 or -ENOMEM
 */
int vram_retire(struct vram *vram, u64 page, u32 cause, time64_t time)
{
	struct vram_bad_page *bad = vram_page(vram, page);
	u64 home;

	if (IS_ERR(bad) || xa_reserve(&vram->remap, page, GFP_KERNEL))
		return -ENOMEM;
	WRITE_ONCE(bad->cause, cause);
	bad->time = time;
	vram->nr_retired++;
	vram_set_pending(vram, page, true);
	if (!vram_user(vram, page, &home))
		vram_retire_unused(vram, page);
	return 0;
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
		vram_find_user(vram, page, &home);
		if (home / PGPU_BLOCK_PAGES >= vram_nr_blocks(vram) ||
		    !vram->owners[home / PGPU_BLOCK_PAGES])
			vram_retire_unused(vram, page);
	}
}
