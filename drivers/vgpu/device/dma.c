// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory.
 *
 * Most of it is copied by the VFIO core, which finds it in the VMM's memory at each
 * access.  Windows of it are pinned: an index of a ring has to be read and written as a
 * whole, and rings are used with every command.  The IOMMU's owner may take memory away
 * at any time (dma_unmap); then it is unpinned before that returns, and accesses go to
 * the VFIO core again, which says that there is none.  VFIO counts on that: with pages
 * that stay pinned, type1 gives up with a BUG after asking a few times.  So whoever pins
 * or unpins does it under a lock that dma_unmap waits for.
 */
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vfio.h>

#include "device/dma.h"
#include "device/vgpu.h"

void vgpu_dma_init(struct vgpu *vgpu)
{
	mutex_init(&vgpu->dma.pin_lock);
	spin_lock_init(&vgpu->dma.lock);
	xa_init(&vgpu->dma.written);
}

/* Pages have been written; after that, so that a report in between does not lose them. */
static void dma_mark(struct vgpu_dma *dma, u64 iova, size_t len)
{
	u64 page;

	if (!READ_ONCE(dma->logging))
		return;
	for (page = iova >> PAGE_SHIFT; page <= (iova + len - 1) >> PAGE_SHIFT;
	     page++)
		if (xa_err(xa_store(&dma->written, page, xa_mk_value(1),
				    GFP_KERNEL_ACCOUNT)))
			WRITE_ONCE(dma->forgot, true);
}

void vgpu_dma_fini(struct vgpu *vgpu)
{
	mutex_destroy(&vgpu->dma.pin_lock);
}

/* The window with all of a range in it, which may be accessed so, or NULL. */
static struct vgpu_dma_window *dma_window(struct vgpu_dma *dma, u64 iova,
					  size_t len, bool write)
{
	u32 i;

	lockdep_assert_held(&dma->lock);
	for (i = 0; i < VGPU_DMA_WINDOWS; i++) {
		struct vgpu_dma_window *window = &dma->windows[i];
		u64 size = (u64)window->nr << PAGE_SHIFT;
		u64 at = iova - window->iova;

		if (iova >= window->iova && at < size && len <= size - at &&
		    (window->write || !write))
			return window;
	}
	return NULL;
}

/* An index of a ring is one load or store; the guest may be at it just now. */
static void dma_copy(void *at, void *buf, size_t len, bool write)
{
	if (len == 2 && IS_ALIGNED((unsigned long)at, 2)) {
		u16 index;

		if (write) {
			memcpy(&index, buf, 2);
			WRITE_ONCE(*(u16 *)at, index);
		} else {
			index = READ_ONCE(*(u16 *)at);
			memcpy(buf, &index, 2);
		}
	} else if (write) {
		memcpy(at, buf, len);
	} else {
		memcpy(buf, at, len);
	}
}

static bool dma_rw_window(struct vgpu_dma *dma, u64 iova, void *buf, size_t len,
			  bool write)
{
	const struct vgpu_dma_window *window;
	size_t n;

	spin_lock(&dma->lock);
	window = dma_window(dma, iova, len, write);
	for (; window && len; iova += n, buf += n, len -= n) {
		u64 at = iova - window->iova;
		void *page = kmap_local_page(window->pages[at >> PAGE_SHIFT]);

		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(at));
		dma_copy(page + offset_in_page(at), buf, n, write);
		kunmap_local(page);
	}
	spin_unlock(&dma->lock);
	return window;
}

/**
 * vgpu_dma_read() - read guest memory
 * @vgpu: a VMM has it open
 * @iova: first byte
 * @buf: where to
 * @len: bytes
 *
 * Context: the VMM's memory is in use (kthread_use_mm()); may sleep as long as that
 * takes, with none but vgpu_exec.lock held
 *
 * Return: 0 or a negative errno
 */
int vgpu_dma_read(struct vgpu *vgpu, u64 iova, void *buf, size_t len)
{
	if (dma_rw_window(&vgpu->dma, iova, buf, len, false))
		return 0;
	return vfio_dma_rw(&vgpu->vdev, iova, buf, len, false);
}

/**
 * vgpu_dma_write() - write guest memory
 * @vgpu: a VMM has it open
 * @iova: first byte
 * @buf: where from
 * @len: bytes
 *
 * Context: as vgpu_dma_read()
 *
 * Return: 0 or a negative errno
 */
int vgpu_dma_write(struct vgpu *vgpu, u64 iova, const void *buf, size_t len)
{
	int ret;

	if (dma_rw_window(&vgpu->dma, iova, (void *)buf, len, true))
		return 0;
	ret = vfio_dma_rw(&vgpu->vdev, iova, (void *)buf, len, true);
	/* With an error, too, a part may have been written. */
	dma_mark(&vgpu->dma, iova, len);
	return ret;
}

static void dma_put(struct vgpu *vgpu, const struct vgpu_dma_window *window)
{
	if (!window->nr)
		return;
	vfio_unpin_pages(&vgpu->vdev, window->iova, window->nr);
	if (window->write)
		dma_mark(&vgpu->dma, window->iova,
			 (size_t)window->nr << PAGE_SHIFT);
}

/**
 * vgpu_dma_pin() - have a window to guest memory
 * @vgpu: a VMM has it open
 * @nr: which window, below VGPU_DMA_WINDOWS; there is none
 * @iova: first byte
 * @len: bytes, at most 16 KiB
 * @write: it is written
 *
 * Without memory that can be pinned there is no window, and accesses say what is wrong.
 *
 * Context: as vgpu_dma_read(); the caller serialises calls for a window
 */
void vgpu_dma_pin(struct vgpu *vgpu, u32 nr, u64 iova, u64 len, bool write)
{
	int prot = write ? IOMMU_READ | IOMMU_WRITE : IOMMU_READ;
	struct vgpu_dma_window window = {
		.iova = round_down(iova, PAGE_SIZE),
		.write = write,
	};
	struct vgpu_dma *dma = &vgpu->dma;
	u64 pages = PAGE_ALIGN(offset_in_page(iova) + len) >> PAGE_SHIFT;
	int ret;

	if (WARN_ON_ONCE(pages > VGPU_DMA_PAGES))
		return;
	mutex_lock(&dma->pin_lock);
	ret = vfio_pin_pages(&vgpu->vdev, window.iova, pages, prot,
			     window.pages);
	if (ret > 0) {
		window.nr = ret;
		spin_lock(&dma->lock);
		dma->windows[nr] = window;
		spin_unlock(&dma->lock);
	}
	mutex_unlock(&dma->pin_lock);
}

/**
 * vgpu_dma_unpin() - opposite of vgpu_dma_pin()
 * @vgpu: a VMM has it open
 * @nr: which window; there may be none
 *
 * Context: process
 */
void vgpu_dma_unpin(struct vgpu *vgpu, u32 nr)
{
	struct vgpu_dma *dma = &vgpu->dma;
	struct vgpu_dma_window window;

	mutex_lock(&dma->pin_lock);
	spin_lock(&dma->lock);
	window = dma->windows[nr];
	dma->windows[nr].nr = 0;
	spin_unlock(&dma->lock);
	dma_put(vgpu, &window);
	mutex_unlock(&dma->pin_lock);
}

/**
 * vgpu_dma_lost() - whether a window is gone because the VMM has unmapped memory
 * @vgpu: a VMM has it open
 * @nr: which window
 *
 * Return: true once for each time
 */
bool vgpu_dma_lost(struct vgpu *vgpu, u32 nr)
{
	return test_and_clear_bit(nr, &vgpu->dma.lost);
}

/**
 * vgpu_dma_log() - begin or end to log what is written
 * @vgpu: the vGPU
 * @on: begin, with an empty log
 */
void vgpu_dma_log(struct vgpu *vgpu, bool on)
{
	struct vgpu_dma *dma = &vgpu->dma;

	WRITE_ONCE(dma->logging, on);
	if (!on) {
		xa_destroy(&dma->written);
		dma->forgot = false;
	}
}

/**
 * vgpu_dma_log_report() - what has been written since the last report
 * @vgpu: its writes are logged
 * @iova: first byte that is asked for
 * @length: bytes, whole pages
 * @dirty: where to
 */
void vgpu_dma_log_report(struct vgpu *vgpu, u64 iova, u64 length,
			 struct iova_bitmap *dirty)
{
	struct vgpu_dma *dma = &vgpu->dma;
	u64 end = iova + length - 1, at;
	unsigned long page;
	void *entry;
	u32 i, n;

	if (READ_ONCE(dma->forgot))
		iova_bitmap_set(dirty, iova, length);
	xa_for_each_range(&dma->written, page, entry, iova >> PAGE_SHIFT,
			  end >> PAGE_SHIFT) {
		xa_erase(&dma->written, page);
		iova_bitmap_set(dirty, (u64)page << PAGE_SHIFT, PAGE_SIZE);
	}
	/* Rings are written at any time, without a word. */
	for (i = 0; i < VGPU_DMA_WINDOWS; i++) {
		struct vgpu_dma_window window;

		spin_lock(&dma->lock);
		window = dma->windows[i];
		spin_unlock(&dma->lock);
		for (n = 0; n < window.nr && window.write; n++) {
			at = window.iova + ((u64)n << PAGE_SHIFT);
			if (at >= iova && at <= end)
				iova_bitmap_set(dirty, at, PAGE_SIZE);
		}
	}
}

/**
 * vgpu_dma_unmap() - guest memory goes
 * @vdev: the vGPU
 * @iova: first byte
 * @length: bytes; nothing of them is pinned afterwards
 *
 * Context: VFIO's list of devices is locked
 */
void vgpu_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct vgpu_dma *dma = &vgpu->dma;
	u32 i;

	mutex_lock(&dma->pin_lock);
	for (i = 0; i < VGPU_DMA_WINDOWS; i++) {
		struct vgpu_dma_window window = { };

		spin_lock(&dma->lock);
		if (dma->windows[i].nr &&
		    dma->windows[i].iova <= iova + length - 1 &&
		    iova <= dma->windows[i].iova +
			    ((u64)dma->windows[i].nr << PAGE_SHIFT) - 1) {
			window = dma->windows[i];
			dma->windows[i].nr = 0;
			set_bit(i, &dma->lost);
		}
		spin_unlock(&dma->lock);
		dma_put(vgpu, &window);
	}
	mutex_unlock(&dma->pin_lock);
}

/* iova_bitmap_set(); as in dmabuf.c, a word on some kernels and a string on others. */
MODULE_INFO(import_ns, "IOMMUFD");
