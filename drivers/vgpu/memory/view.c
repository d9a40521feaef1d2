// SPDX-License-Identifier: GPL-2.0
/*
 * Where a framebuffer is seen: regions of a vGPU, and dma-bufs.
 */
#include <linux/dma-resv.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "memory/fb.h"

/**
 * vgpu_fb_view_add() - a framebuffer can be mapped at another place
 * @view: the place; nothing is mapped there yet
 */
void vgpu_fb_view_add(struct vgpu_fb_view *view)
{
	dma_resv_lock(&view->fb->resv, NULL);
	list_add(&view->link, &view->fb->views);
	dma_resv_unlock(&view->fb->resv);
}

/**
 * vgpu_fb_view_del() - opposite of vgpu_fb_view_add()
 * @view: the place; nothing is mapped there any more
 */
void vgpu_fb_view_del(struct vgpu_fb_view *view)
{
	dma_resv_lock(&view->fb->resv, NULL);
	list_del(&view->link);
	dma_resv_unlock(&view->fb->resv);
}

/**
 * vgpu_fb_view_page() - which page of the framebuffer is seen
 * @view: the place, which does not move: vgpu_fb.lock is held
 * @page: page in it
 *
 * Behind the end of the framebuffer a view goes on with its beginning: a VMM whose idea
 * of the picture is not of now must not die of that, for the guest can bring it about.
 *
 * Return: page number
 */
u64 vgpu_fb_view_page(const struct vgpu_fb_view *view, u64 page)
{
	lockdep_assert_held(&view->fb->lock);
	return (view->first + page) % vgpu_fb_pages(view->fb);
}

/* Whether any of some pages is seen there. */
static bool view_shows(const struct vgpu_fb_view *view, u64 page, u64 nr)
{
	return view->first < page + nr && page < view->first + view->nr;
}

static void view_unmap(const struct vgpu_fb_view *view, u64 page, u64 nr)
{
	/* Even private copies go, though nothing here makes any. */
	if (nr)
		unmap_mapping_range(view->mapping,
				    view->at + (page << PAGE_SHIFT),
				    nr << PAGE_SHIFT, 1);
}

/* Unmap some pages, counted in the framebuffer. */
static void view_zap(const struct vgpu_fb *fb, const struct vgpu_fb_view *view,
		     u64 page, u64 nr)
{
	u64 pages = vgpu_fb_pages(fb), first = max(page, view->first);

	if (view_shows(view, page, nr))
		view_unmap(view, first - view->first,
			   min(page + nr, view->first + view->nr) - first);
	/* What lies before it is at its end, if it is as large. */
	if (view->nr == pages && page < view->first)
		view_unmap(view, page + pages - view->first,
			   min(page + nr, view->first) - page);
}

/**
 * vgpu_fb_view_move() - a view shows another part of the framebuffer
 * @view: one that is as large as that
 * @offset: first byte; the view begins with its page
 *
 * The caller serialises calls for a view.
 */
void vgpu_fb_view_move(struct vgpu_fb_view *view, u64 offset)
{
	struct vgpu_fb *fb = view->fb;
	u64 first = offset >> PAGE_SHIFT;

	if (view->first == first)
		return;
	down_write(&fb->lock);
	view->first = first;
	view_unmap(view, 0, view->nr);
	up_write(&fb->lock);
}

/*
 * Keep importers off pages.  Waits for what importers are doing; only those with a
 * reference on the pages go on using them.
 */
static void view_stop(struct vgpu_fb *fb, u64 page, u64 nr)
{
	struct vgpu_fb_view *view;
	bool stopped = false;

	list_for_each_entry(view, &fb->views, link) {
		if (!view->ops)
			continue;
		stopped = true;
		if (view_shows(view, page, nr))
			view->ops->stop(view);
	}
	if (stopped)
		dma_resv_wait_timeout(&fb->resv, DMA_RESV_USAGE_BOOKKEEP, false,
				      MAX_SCHEDULE_TIMEOUT);
}

/* Whether somebody holds pages who cannot be notified. */
static bool view_pinned(struct vgpu_fb *fb, u64 page, u64 nr)
{
	struct vgpu_fb_view *view;

	list_for_each_entry(view, &fb->views, link)
		if (view->ops && view_shows(view, page, nr) &&
		    view->ops->is_pinned(view))
			return true;
	return false;
}

/**
 * vgpu_fb_zap() - unmap some pages
 * @fb: vgpu_fb.resv is held, and vgpu_fb.lock for writing
 * @page: the first
 * @nr: how many, wherever they are seen
 */
void vgpu_fb_zap(struct vgpu_fb *fb, u64 page, u64 nr)
{
	struct vgpu_fb_view *view;

	dma_resv_assert_held(&fb->resv);
	lockdep_assert_held_write(&fb->lock);
	list_for_each_entry(view, &fb->views, link)
		view_zap(fb, view, page, nr);
}

/**
 * vgpu_fb_claim() - stop importers and unmap, so that pages can move or go
 * @fb: the framebuffer
 * @page: the first of them
 * @nr: how many
 * @keep: not while somebody holds one of them who cannot be notified
 *
 * Ends with vgpu_fb_release(); vgpu_fb.resv is held until then, and vgpu_fb.lock for
 * writing.
 *
 * Return: 0; -EBUSY, and nothing is held, when they have to stay
 */
int vgpu_fb_claim(struct vgpu_fb *fb, u64 page, u64 nr, bool keep)
{
	dma_resv_lock(&fb->resv, NULL);
	/* Nobody is notified in vain. */
	if (keep && view_pinned(fb, page, nr)) {
		dma_resv_unlock(&fb->resv);
		return -EBUSY;
	}
	view_stop(fb, page, nr);
	down_write(&fb->lock);
	vgpu_fb_zap(fb, page, nr);
	/* Some come without the resv. */
	if (keep && view_pinned(fb, page, nr)) {
		vgpu_fb_release(fb);
		return -EBUSY;
	}
	return 0;
}

/**
 * vgpu_fb_release() - opposite of vgpu_fb_claim()
 * @fb: the framebuffer; mappings fault anew, importers map anew
 */
void vgpu_fb_release(struct vgpu_fb *fb)
{
	up_write(&fb->lock);
	dma_resv_unlock(&fb->resv);
}

/**
 * vgpu_fb_mark_importers() - who writes by DMA is not seen
 * @fb: whatever importers of dma-bufs may have written counts as written
 */
void vgpu_fb_mark_importers(struct vgpu_fb *fb)
{
	struct vgpu_fb_view *view;

	dma_resv_lock(&fb->resv, NULL);
	down_read(&fb->lock);
	list_for_each_entry(view, &fb->views, link)
		if (view->ops && view->ops->written(view))
			vgpu_fb_mark(fb, view->first, view->nr);
	up_read(&fb->lock);
	dma_resv_unlock(&fb->resv);
}
