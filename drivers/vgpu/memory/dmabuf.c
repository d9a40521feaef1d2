// SPDX-License-Identifier: GPL-2.0
/*
 * dma-bufs of planes: a part of the framebuffer as a file that other drivers
 * and processes can map.
 *
 * A dma-buf may outlive everything.  While the VMM has the vGPU open it shows
 * the framebuffer as it is: pages that move are unmapped and looked up anew,
 * by a fault or, for a driver that imported it, after move_notify.  When the
 * VMM closes the vGPU its dma-bufs end: nothing can be mapped any more and
 * mappings are gone, so the next tenant's picture is not seen.  A driver that
 * cannot be notified keeps the pages that it has mapped, by a reference on each
 * of them, until it unmaps them; nobody else gets these pages before that.
 *
 * That memory is counted, and when it is as much as the framebuffer nothing more can
 * be mapped by such a driver.
 *
 * All dma-bufs of a vGPU share one reservation object, so that one lock stops
 * all importers while pages move.  Whoever has to wait for memory does so without it,
 * when he attaches.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat/misc.h"
#include "memory/dmabuf.h"
#include "memory/fault.h"
#include "memory/fb.h"

/**
 * struct vgpu_dmabuf - a dma-buf of a framebuffer
 * @view: what it shows; among those of its framebuffer until it has ended, when the VMM
 *	closes the vGPU.  A reference on the framebuffer's owner
 * @dmabuf: the dma-buf core's part
 * @inode: of its file, which may lose it before the dma-buf is released; a reference
 * @pins: importers that cannot be notified when pages move, and mappings in the
 *	kernel; counted before they look up any page
 * @vmap_pages: held while it is mapped in the kernel
 * @vmap_generation: vgpu_fb.generation that they are of
 */
struct vgpu_dmabuf {
	struct vgpu_fb_view view;
	struct dma_buf *dmabuf;
	struct inode *inode;
	atomic_t pins;
	struct page **vmap_pages;
	u64 vmap_generation;
};

/**
 * struct vgpu_dmabuf_table - a mapping of an importer
 * @sgt: the dma-buf core's part
 * @generation: vgpu_fb.generation that its pages are of
 */
struct vgpu_dmabuf_table {
	struct sg_table sgt;
	u64 generation;
};

static void vgpu_dmabuf_put_pages(struct page **pages, u64 nr)
{
	while (nr--)
		put_page(pages[nr]);
	kvfree(pages);
}

/* Pages of a dma-buf are held no more. */
static void vgpu_dmabuf_unhold(struct vgpu_dmabuf *buf, u64 generation)
{
	struct vgpu_fb *fb = buf->view.fb;

	down_read(&fb->lock);
	atomic64_sub(buf->view.nr, generation == fb->generation ? &fb->held :
							     &fb->orphans);
	up_read(&fb->lock);
}

/* The run of memory that comes after the first pages of a dma-buf. */
static int vgpu_dmabuf_run(struct vgpu_dmabuf *buf, u64 done,
			   enum pgpu_alloc alloc, struct pgpu_run *run)
{
	const struct vgpu_fb_view *view = &buf->view;

	return view->ended ? -ENODEV :
	       vgpu_fb_run(view->fb, view->first + done, view->nr - done, alloc,
			   run);
}

/*
 * Memory comes now, in pieces: it is charged to the task, which waits here if it has
 * too much, and not when it maps with the reservation object locked.
 */
static int vgpu_dmabuf_attach(struct dma_buf *dmabuf,
			      struct dma_buf_attachment *attach)
{
	struct vgpu_dmabuf *buf = dmabuf->priv;
	struct vgpu_fb *fb = buf->view.fb;
	enum pgpu_alloc alloc = PGPU_ALLOC_TRY;
	struct pgpu_run run;
	u64 done = 0;
	int ret;

	while (done < buf->view.nr) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = vgpu_fb_wait();
		if (ret)
			return ret;
		down_read(&fb->lock);
		do {
			ret = vgpu_dmabuf_run(buf, done, alloc, &run);
			ret = vgpu_fb_room(fb, ret, &alloc);
		} while (ret == -EAGAIN);
		up_read(&fb->lock);
		if (ret)
			return ret;
		done += run.nr;
		cond_resched();
	}
	return 0;
}

/*
 * References on all pages, as an array, which counts as held from now on.  What the
 * reservation object is locked for is not charged, because that could sleep.
 */
static struct page **vgpu_dmabuf_get_pages(struct vgpu_dmabuf *buf,
					   u64 *generation)
{
	struct vgpu_fb *fb = buf->view.fb;
	struct page **pages;
	struct pgpu_run run;
	u64 done = 0, i;
	int ret = 0;

	if (atomic64_read(&fb->orphans) >= vgpu_fb_pages(fb))
		return ERR_PTR(-EBUSY);
	/* The mm core warns of what is too large for it, which a VMM can ask for. */
	pages = kvmalloc_array(buf->view.nr, sizeof(*pages),
			       GFP_KERNEL | __GFP_NOWARN);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	down_read(&fb->lock);
	while (done < buf->view.nr) {
		ret = vgpu_dmabuf_run(buf, done, PGPU_ALLOC_FORCE, &run);
		if (ret)
			break;
		for (i = 0; i < run.nr; i++) {
			pages[done] = pfn_to_page(run.pfn + i);
			get_page(pages[done++]);
		}
	}
	if (!ret) {
		*generation = fb->generation;
		atomic64_add(buf->view.nr, &fb->held);
	}
	up_read(&fb->lock);
	if (ret) {
		vgpu_dmabuf_put_pages(pages, done);
		return ERR_PTR(ret);
	}
	return pages;
}

/* An entry for each piece of system memory that is in one place. */
static int vgpu_dmabuf_map_pages(struct vgpu_dmabuf *buf, struct device *dev,
				 struct vgpu_dmabuf_table *table,
				 enum dma_data_direction direction)
{
	struct sg_table *sgt = &table->sgt;
	struct page **pages;
	int ret;

	dma_resv_assert_held(&buf->view.fb->resv);
	pages = vgpu_dmabuf_get_pages(buf, &table->generation);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	ret = sg_alloc_table_from_pages_segment(sgt, pages, buf->view.nr, 0,
						buf->view.nr << PAGE_SHIFT,
						dma_get_max_seg_size(dev),
						GFP_KERNEL);
	if (ret)
		goto err_put;
	ret = dma_map_sgtable(dev, sgt, direction, 0);
	if (ret)
		goto err_free_table;
	kvfree(pages);
	return 0;

err_free_table:
	sg_free_table(sgt);
err_put:
	vgpu_dmabuf_put_pages(pages, buf->view.nr);
	vgpu_dmabuf_unhold(buf, table->generation);
	return ret;
}

static void vgpu_dmabuf_unmap_pages(struct device *dev, struct sg_table *sgt,
				    enum dma_data_direction direction)
{
	struct sg_page_iter iter;

	dma_unmap_sgtable(dev, sgt, direction, 0);
	for_each_sgtable_page(sgt, &iter, 0)
		put_page(sg_page_iter_page(&iter));
	sg_free_table(sgt);
}

static void vgpu_dmabuf_unmap_device(struct device *dev, struct sg_table *sgt,
				     enum dma_data_direction direction)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		if (sg_dma_len(sg))
			dma_unmap_resource(dev, sg_dma_address(sg),
					   sg_dma_len(sg), direction, 0);
	sg_free_table(sgt);
}

/* A table with an entry for each run; where pages have moved there are more. */
static int vgpu_dmabuf_alloc_runs(struct vgpu_dmabuf *buf, struct sg_table *sgt)
{
	struct pgpu_run run;
	unsigned int nr = 0;
	u64 done;
	int ret;

	for (done = 0; done < buf->view.nr; done += run.nr, nr++) {
		ret = vgpu_dmabuf_run(buf, done, PGPU_ALLOC_FORCE, &run);
		if (ret)
			return ret;
	}
	return sg_alloc_table(sgt, nr, GFP_KERNEL);
}

/* An entry for each piece of a device's memory.  They have no pages. */
static int vgpu_dmabuf_map_device(struct vgpu_dmabuf *buf, struct device *dev,
				  struct sg_table *sgt,
				  enum dma_data_direction direction)
{
	struct vgpu_fb *fb = buf->view.fb;
	struct scatterlist *sg;
	struct pgpu_run run;
	u64 done = 0;
	int ret;

	dma_resv_assert_held(&fb->resv);
	down_read(&fb->lock);
	ret = vgpu_dmabuf_alloc_runs(buf, sgt);
	if (ret) {
		up_read(&fb->lock);
		return ret;
	}
	for (sg = sgt->sgl; done < buf->view.nr; sg = sg_next(sg), done += run.nr) {
		dma_addr_t address;

		ret = vgpu_dmabuf_run(buf, done, PGPU_ALLOC_FORCE, &run);
		if (ret)
			break;
		address = dma_map_resource(dev, PFN_PHYS(run.pfn),
					   run.nr << PAGE_SHIFT, direction, 0);
		ret = dma_mapping_error(dev, address);
		if (ret)
			break;
		sg_set_page(sg, NULL, run.nr << PAGE_SHIFT, 0);
		sg_dma_address(sg) = address;
		sg_dma_len(sg) = run.nr << PAGE_SHIFT;
	}
	up_read(&fb->lock);
	if (ret)
		vgpu_dmabuf_unmap_device(dev, sgt, direction);
	return ret;
}

static struct sg_table *vgpu_dmabuf_map(struct dma_buf_attachment *attach,
					enum dma_data_direction direction)
{
	struct vgpu_dmabuf *buf = attach->dmabuf->priv;
	struct vgpu_dmabuf_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	if (!buf->view.fb->device_memory)
		ret = vgpu_dmabuf_map_pages(buf, attach->dev, table, direction);
	else if (attach->peer2peer)
		ret = vgpu_dmabuf_map_device(buf, attach->dev, &table->sgt,
					     direction);
	else
		ret = -EOPNOTSUPP;
	if (ret) {
		kfree(table);
		return ERR_PTR(ret);
	}
	return &table->sgt;
}

/* An importer that may have written lets go of its mapping. */
static void vgpu_dmabuf_written(struct vgpu_dmabuf *buf)
{
	struct vgpu_fb *fb = buf->view.fb;

	down_read(&fb->lock);
	if (!buf->view.ended)
		vgpu_fb_mark(fb, buf->view.first, buf->view.nr);
	up_read(&fb->lock);
}

static void vgpu_dmabuf_unmap(struct dma_buf_attachment *attach,
			      struct sg_table *sgt,
			      enum dma_data_direction direction)
{
	struct vgpu_dmabuf_table *table = container_of(sgt, typeof(*table),
						       sgt);
	struct vgpu_dmabuf *buf = attach->dmabuf->priv;

	if (buf->view.fb->device_memory) {
		vgpu_dmabuf_unmap_device(attach->dev, sgt, direction);
	} else {
		vgpu_dmabuf_unmap_pages(attach->dev, sgt, direction);
		vgpu_dmabuf_unhold(buf, table->generation);
	}
	if (direction != DMA_TO_DEVICE)
		vgpu_dmabuf_written(buf);
	kfree(table);
}

/*
 * System memory that is mapped holds its pages; there is nothing to do to keep
 * them.  A device's memory would be another tenant's soon.
 */
static int vgpu_dmabuf_pin(struct dma_buf_attachment *attach)
{
	struct vgpu_dmabuf *buf = attach->dmabuf->priv;

	if (buf->view.fb->device_memory)
		return -EOPNOTSUPP;
	atomic_inc(&buf->pins);
	return 0;
}

static void vgpu_dmabuf_unpin(struct dma_buf_attachment *attach)
{
	struct vgpu_dmabuf *buf = attach->dmabuf->priv;

	atomic_dec(&buf->pins);
}

static int vgpu_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct vgpu_dmabuf *buf = dmabuf->priv;
	struct page **pages;
	void *vaddr;
	int ret;

	atomic_inc(&buf->pins);
	pages = vgpu_dmabuf_get_pages(buf, &buf->vmap_generation);
	if (IS_ERR(pages)) {
		ret = PTR_ERR(pages);
		goto err_unpin;
	}
	vaddr = vmap(pages, buf->view.nr, VM_MAP, PAGE_KERNEL);
	if (!vaddr) {
		ret = -ENOMEM;
		goto err_put;
	}
	buf->vmap_pages = pages;
	iosys_map_set_vaddr(map, vaddr);
	return 0;

err_put:
	vgpu_dmabuf_put_pages(pages, buf->view.nr);
	vgpu_dmabuf_unhold(buf, buf->vmap_generation);
err_unpin:
	atomic_dec(&buf->pins);
	return ret;
}

static void vgpu_dmabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct vgpu_dmabuf *buf = dmabuf->priv;

	vunmap(map->vaddr);
	vgpu_dmabuf_written(buf);
	vgpu_dmabuf_put_pages(buf->vmap_pages, buf->view.nr);
	vgpu_dmabuf_unhold(buf, buf->vmap_generation);
	buf->vmap_pages = NULL;
	atomic_dec(&buf->pins);
}

/* The dma-buf core has checked that the VMA lies in the buffer. */
static int vgpu_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct vgpu_dmabuf *buf = dmabuf->priv;

	return vgpu_fb_mmap(&buf->view, vma);
}

static void vgpu_dmabuf_release(struct dma_buf *dmabuf)
{
	struct vgpu_dmabuf *buf = dmabuf->priv;
	struct device *owner = buf->view.fb->owner;

	vgpu_fb_view_del(&buf->view);
	iput(buf->inode);
	kfree(buf);
	put_device(owner);
}

static void vgpu_dmabuf_stop(struct vgpu_fb_view *view)
{
	struct vgpu_dmabuf *buf = container_of(view, struct vgpu_dmabuf, view);

	vgpu_dma_buf_invalidate(buf->dmabuf);
}

static bool vgpu_dmabuf_is_pinned(struct vgpu_fb_view *view)
{
	struct vgpu_dmabuf *buf = container_of(view, struct vgpu_dmabuf, view);

	return atomic_read(&buf->pins);
}

static bool vgpu_dmabuf_is_written(struct vgpu_fb_view *view)
{
	struct vgpu_dmabuf *buf = container_of(view, struct vgpu_dmabuf, view);

	return !list_empty(&buf->dmabuf->attachments) || buf->vmap_pages;
}

static const struct vgpu_fb_view_ops vgpu_dmabuf_view_ops = {
	.stop = vgpu_dmabuf_stop,
	.is_pinned = vgpu_dmabuf_is_pinned,
	.written = vgpu_dmabuf_is_written,
};

/* The dma-buf core warns of a vmap that fails, so a device's memory has none. */
static const struct dma_buf_ops vgpu_dmabuf_device_ops = {
	.pin = vgpu_dmabuf_pin,
	.unpin = vgpu_dmabuf_unpin,
	.map_dma_buf = vgpu_dmabuf_map,
	.unmap_dma_buf = vgpu_dmabuf_unmap,
	.mmap = vgpu_dmabuf_mmap,
	.release = vgpu_dmabuf_release,
};

static const struct dma_buf_ops vgpu_dmabuf_ops = {
	.attach = vgpu_dmabuf_attach,
	.pin = vgpu_dmabuf_pin,
	.unpin = vgpu_dmabuf_unpin,
	.map_dma_buf = vgpu_dmabuf_map,
	.unmap_dma_buf = vgpu_dmabuf_unmap,
	.vmap = vgpu_dmabuf_vmap,
	.vunmap = vgpu_dmabuf_vunmap,
	.mmap = vgpu_dmabuf_mmap,
	.release = vgpu_dmabuf_release,
};

/**
 * vgpu_dmabuf_export() - make a dma-buf of a part of the framebuffer
 * @fb: of a vGPU that a VMM has open
 * @offset: first byte; the dma-buf begins with its page
 * @size: bytes; with @offset in the framebuffer
 * @mode: how its file is opened: O_RDONLY, O_WRONLY or O_RDWR
 *
 * Return: the dma-buf or an error pointer: -ENOMEM, -ENFILE
 */
struct dma_buf *vgpu_dmabuf_export(struct vgpu_fb *fb, u64 offset, u64 size,
				   int mode)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct vgpu_dmabuf *buf;
	struct dma_buf *dmabuf;

	/* Not charged, as the larger part of it, the dma-buf core's, is not. */
	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->view.fb = fb;
	buf->view.ops = &vgpu_dmabuf_view_ops;
	buf->view.first = offset >> PAGE_SHIFT;
	buf->view.nr = PFN_UP(offset + size) - buf->view.first;

	info.ops = fb->device_memory ? &vgpu_dmabuf_device_ops :
				       &vgpu_dmabuf_ops;
	info.size = buf->view.nr << PAGE_SHIFT;
	info.flags = mode;
	info.resv = &fb->resv;
	info.priv = buf;
	/* The release operation needs all of this from here on. */
	get_device(fb->owner);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		put_device(fb->owner);
		kfree(buf);
		return dmabuf;
	}
	buf->dmabuf = dmabuf;
	buf->inode = file_inode(dmabuf->file);
	ihold(buf->inode);
	buf->view.mapping = buf->inode->i_mapping;
	vgpu_fb_view_add(&buf->view);
	return dmabuf;
}

/**
 * vgpu_dmabuf_end() - nothing can be seen through the dma-bufs any more
 * @fb: the VMM that got them has closed the vGPU
 *
 * They may be kept, in any number, and are nothing to whoever opens it next.
 */
void vgpu_dmabuf_end(struct vgpu_fb *fb)
{
	struct vgpu_fb_view *view, *next;

	vgpu_fb_claim(fb, 0, vgpu_fb_pages(fb), false);
	list_for_each_entry_safe(view, next, &fb->views, link) {
		if (view->ops != &vgpu_dmabuf_view_ops)
			continue;
		view->ended = true;
		list_del_init(&view->link);
	}
	vgpu_fb_release(fb);
}

/* MODULE_IMPORT_NS() wants a word on some kernels and a string on others. */
MODULE_INFO(import_ns, "DMA_BUF");
