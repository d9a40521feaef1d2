/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory, as a vGPU reaches it. */
#ifndef _VGPU_DMA_H
#define _VGPU_DMA_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct iova_bitmap;
struct page;
struct vfio_device;
struct vgpu;

/* The areas of two virtqueues, of which the largest has 16 KiB. */
#define VGPU_DMA_WINDOWS	6
#define VGPU_DMA_PAGES		5

/**
 * struct vgpu_dma_window - guest memory that stays mapped, because it is used all the time
 * @iova: of its first page
 * @nr: how many pages, 0 for none
 * @write: pinned for writing; otherwise the VMM may let the device only read them
 * @pages: pinned
 */
struct vgpu_dma_window {
	u64 iova;
	u32 nr;
	bool write;
	struct page *pages[VGPU_DMA_PAGES];
};

/**
 * struct vgpu_dma - the guest's memory
 * @pin_lock: held while pages are pinned or unpinned, so that what is pinned is in
 *	@windows for who unmaps it
 * @lock: held while pages of a window are used, which never sleeps; protects @windows
 * @windows: pinned memory
 * @lost: windows, by bit, that were unmapped since vgpu_dma_lost() said so last
 * @logging: what is written is logged
 * @forgot: there was no memory for that: any page may have been written
 * @written: pages outside windows that were, by page number
 */
struct vgpu_dma {
	struct mutex pin_lock;
	spinlock_t lock;
	struct vgpu_dma_window windows[VGPU_DMA_WINDOWS];
	unsigned long lost;
	bool logging;
	bool forgot;
	struct xarray written;
};

void vgpu_dma_init(struct vgpu *vgpu);
void vgpu_dma_fini(struct vgpu *vgpu);
int vgpu_dma_read(struct vgpu *vgpu, u64 iova, void *buf, size_t len);
int vgpu_dma_write(struct vgpu *vgpu, u64 iova, const void *buf, size_t len);
void vgpu_dma_pin(struct vgpu *vgpu, u32 nr, u64 iova, u64 len, bool write);
void vgpu_dma_unpin(struct vgpu *vgpu, u32 nr);
bool vgpu_dma_lost(struct vgpu *vgpu, u32 nr);
void vgpu_dma_log(struct vgpu *vgpu, bool on);
void vgpu_dma_log_report(struct vgpu *vgpu, u64 iova, u64 length,
			 struct iova_bitmap *dirty);
void vgpu_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length);

#endif /* _VGPU_DMA_H */
