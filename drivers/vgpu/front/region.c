// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO regions of a vGPU: what all personalities have in common, as far as no register
 * access comes here.
 *
 * Reads and writes go through a buffer in the kernel, unless region_copy.c can do
 * without: what belongs to the guest is copied with a lock held, user memory is
 * touched without one.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device/vgpu.h"
#include "front/region.h"

/* Largest piece of a read or write; long ones can be interrupted between. */
#define VGPU_RW_CHUNK	SZ_64K

/* By vgpu_profile.personality. */
static const struct vgpu_region *const vgpu_region_tables[] = {
	[VGPU_BOCHS] = vgpu_bochs_regions,
	[VGPU_VIRTIO] = vgpu_virtio_regions,
};

/* The region with an index from user space, or NULL beyond all. */
static const struct vgpu_region *vgpu_region_find(const struct vgpu *vgpu,
						  u64 index)
{
	if (index >= VGPU_NUM_REGIONS)
		return NULL;
	return &vgpu_region_tables[vgpu->type->profile.personality]
				  [array_index_nospec(index, VGPU_NUM_REGIONS)];
}

/**
 * vgpu_region_mappable() - whether the framebuffer is seen in a region
 * @vgpu: the vGPU
 * @index: from user space, which may map it then
 *
 * Return: true if it is
 */
bool vgpu_region_mappable(const struct vgpu *vgpu, u64 index)
{
	const struct vgpu_region *region = vgpu_region_find(vgpu, index);

	return region && region->mappable;
}

/*
 * A region that can be mapped only in part must say so: the BAR is a power of
 * two, the framebuffer need not be.
 */
static int vgpu_region_add_sparse(struct vfio_info_cap *caps, u64 size)
{
	struct {
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area;
	} sparse = {
		.cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.cap.header.version = 1,
		.cap.nr_areas = 1,
		.area.size = size,
	};

	return vfio_info_add_capability(caps, &sparse.cap.header,
					sizeof(sparse));
}

static int vgpu_region_add_type(struct vfio_info_cap *caps,
				const struct vgpu_region *region)
{
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = region->type,
		.subtype = region->subtype,
	};

	return vfio_info_add_capability(caps, &type.header, sizeof(type));
}

/**
 * vgpu_region_info() - VFIO_DEVICE_GET_REGION_INFO
 * @vdev: the vGPU
 * @info: index in, the rest out
 * @caps: capabilities out
 *
 * Return: 0, -EINVAL for an index that does not exist, -ENOMEM
 */
int vgpu_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		     struct vfio_info_cap *caps)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	const struct vgpu_region *region;
	int ret = 0;

	region = vgpu_region_find(vgpu, info->index);
	if (!region)
		return -EINVAL;
	info->offset = VGPU_INDEX_TO_OFFSET(info->index);
	info->flags = 0;
	info->size = vgpu_region_size(vgpu, region, info->index);
	if (!info->size)
		return 0;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (region->mappable) {
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		if (info->size != vgpu->fb.size)
			ret = vgpu_region_add_sparse(caps, vgpu->fb.size);
	}
	if (!ret && region->type)
		ret = vgpu_region_add_type(caps, region);
	return ret;
}

/*
 * Where a position in a window is in the framebuffer, behind whose end follows its
 * beginning, and how many of @len bytes come before that.
 *
 * The base may move between looking at it and the copy; then the caller gets
 * the picture before the move, as it would have with a faster read.
 */
static u64 window_offset(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
			 size_t len, size_t *n)
{
	u64 base = READ_ONCE(vgpu->views[view].first) << PAGE_SHIFT;
	u64 offset = (base + pos) % vgpu->fb.size;

	*n = min_t(u64, len, vgpu->fb.size - offset);
	return offset;
}

int vgpu_window_read(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
		     void *buf, size_t len)
{
	size_t n;
	u64 offset = window_offset(vgpu, view, pos, len, &n);
	int ret = vgpu_fb_read(&vgpu->fb, offset, buf, n);

	return ret ?: vgpu_fb_read(&vgpu->fb, 0, buf + n, len - n);
}

int vgpu_window_write(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
		      const void *buf, size_t len)
{
	size_t n;
	u64 offset = window_offset(vgpu, view, pos, len, &n);
	int ret = vgpu_fb_write(&vgpu->fb, offset, buf, n);

	return ret ?: vgpu_fb_write(&vgpu->fb, 0, buf + n, len - n);
}

int vgpu_edid_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	vgpu_link_read(vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

int vgpu_edid_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	int ret;

	mutex_lock(&vgpu->lock);
	ret = vgpu_link_write(vgpu->model, pos, buf, len);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	return ret;
}

/*
 * A piece of a long access, by way of a buffer if it has to be.  That is made when it
 * is first needed, for pieces do not become longer.
 */
static int vgpu_region_rw_piece(struct vgpu *vgpu, u32 index, char __user *ubuf,
				size_t len, u64 pos, vgpu_region_read_fn *read,
				vgpu_region_write_fn *write, void **buf)
{
	int ret;

	if (vgpu_region_copy(vgpu, index, ubuf, len, pos, write))
		return 0;
	if (!*buf)
		*buf = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!*buf)
		return -ENOMEM;
	if (write) {
		if (copy_from_user(*buf, ubuf, len))
			return -EFAULT;
		return write(vgpu, index, pos, *buf, len);
	}
	ret = read(vgpu, index, pos, *buf, len);
	if (ret)
		return ret;
	return copy_to_user(ubuf, *buf, len) ? -EFAULT : 0;
}

/* See vgpu_region_rw(); for any length. */
ssize_t vgpu_region_rw_long(struct vgpu *vgpu, u32 index, char __user *ubuf,
			    size_t count, u64 pos, vgpu_region_read_fn *read,
			    vgpu_region_write_fn *write)
{
	size_t done = 0, len;
	void *buf = NULL;
	int ret = 0;

	while (done < count) {
		len = min_t(size_t, count - done, VGPU_RW_CHUNK);
		ret = vgpu_region_rw_piece(vgpu, index, ubuf + done, len,
					   pos + done, read, write, &buf);
		if (ret)
			break;
		done += len;
		if (done < count) {
			if (fatal_signal_pending(current)) {
				ret = -EINTR;
				break;
			}
			cond_resched();
		}
	}
	kvfree(buf);
	return done ?: ret;
}
