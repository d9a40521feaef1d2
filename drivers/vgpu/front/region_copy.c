// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes of VFIO regions through which one sees the framebuffer, straight
 * between that and the VMM's memory.
 */
#include <linux/uio.h>
#include <linux/vfio.h>

#include "device/vgpu.h"
#include "front/front.h"

/**
 * vgpu_region_copy() - copy between a region and user memory without a buffer
 * @vgpu: the vGPU
 * @index: region
 * @ubuf: user memory
 * @len: bytes
 * @pos: where in the region they begin; all are in it
 * @write: from user memory
 *
 * With page faults off, for the framebuffer's lock is held.
 *
 * Return: whether it was done; if not, some may have been copied, and it takes a
 * buffer to find out what there is to say
 */
bool vgpu_region_copy(struct vgpu *vgpu, u32 index, char __user *ubuf,
		      size_t len, u64 pos, bool write)
{
	struct vgpu_fb *fb = &vgpu->fb;
	const struct vgpu_fb_view *view = vgpu_region_view(vgpu, index);
	struct iov_iter iter;

	if (!view || (index == VFIO_PCI_BAR0_REGION_INDEX &&
		      !READ_ONCE(vgpu->bars_on)))
		return false;
	pos += READ_ONCE(view->first) << PAGE_SHIFT;
	/* What there is behind the end is not the same for all of them. */
	if (pos + len > fb->size)
		return false;
	iov_iter_ubuf(&iter, write ? ITER_SOURCE : ITER_DEST, ubuf, len);
	if (write)
		return vgpu_fb_write_iter(fb, pos, &iter, len) == len;
	return vgpu_fb_read_iter(fb, pos, &iter, len);
}
