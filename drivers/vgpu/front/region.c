// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO regions of a vGPU: one table, and the read and write operations that work
 * from it.
 *
 * Reads and writes go through a buffer in the kernel: what belongs to the
 * guest is copied with a lock held, user memory is touched without one.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device/plane.h"
#include "device/vgpu.h"
#include "front/front.h"
#include "model/bochs/bochs.h"
#include "model/pci_config.h"
#include "model/type.h"

#define VGPU_SIZE_OF_FB	U64_MAX

/* Largest piece of a read or write; long ones can be interrupted between. */
#define VGPU_RW_CHUNK	SZ_64K

/**
 * struct vgpu_region - what there is to know about a region
 * @size: in bytes, 0 in the holes of the table, VGPU_SIZE_OF_FB for a region
 *	through which one sees the framebuffer
 * @mappable: the framebuffer can be mapped through it
 * @type: VFIO_REGION_TYPE_* of a region that is not standard, else 0
 * @subtype: what it is among those of its type
 */
struct vgpu_region {
	u64 size;
	bool mappable;
	u32 type;
	u32 subtype;
};

static int bar0_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	if (READ_ONCE(vgpu->bars_on))
		return vgpu_fb_read(&vgpu->fb, pos, buf, len);
	memset(buf, 0xff, len);
	return 0;
}

static int bar0_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	return READ_ONCE(vgpu->bars_on) ?
	       vgpu_fb_write(&vgpu->fb, pos, buf, len) : 0;
}

static __always_inline int
bar2_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on)
		vgpu_bar2_read(vgpu->model, pos, buf, len);
	else
		memset(buf, 0xff, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static __always_inline int
bar2_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_bar2_write(vgpu->model, pos, buf, len);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

/*
 * The registers of BAR2 once more, for firmware that counts BAR0, which is of 64
 * bits, as one.  What the switches below leave, because another case in them costs
 * those that are there a comparison: an index without a region has no size, and
 * does not come that far.
 */
static noinline int bar3_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	return bar2_read(vgpu, pos, buf, len);
}

static noinline int bar3_write(struct vgpu *vgpu, u64 pos, const void *buf,
			       size_t len)
{
	return bar2_write(vgpu, pos, buf, len);
}

static __always_inline int
bar4_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_ioeventfd_gather(&vgpu->ioeventfds, vgpu->model);
		vgpu_bar4_read(vgpu->model, pos, buf, len);
	} else {
		memset(buf, 0xff, len);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int bar4_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_bar4_write(vgpu->model, pos, buf, len);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int config_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked)
		memset(buf, 0xff, len);
	else
		vgpu_config_read(vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int config_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	bool reset;

	mutex_lock(&vgpu->lock);
	reset = !vgpu->revoked &&
		vgpu_config_write(vgpu->model, pos, buf, len);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	if (reset)
		vgpu_reset(vgpu);
	return 0;
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

static int window_read(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
		       void *buf, size_t len)
{
	size_t n;
	u64 offset = window_offset(vgpu, view, pos, len, &n);
	int ret = vgpu_fb_read(&vgpu->fb, offset, buf, n);

	return ret ?: vgpu_fb_read(&vgpu->fb, 0, buf + n, len - n);
}

static int window_write(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
			const void *buf, size_t len)
{
	size_t n;
	u64 offset = window_offset(vgpu, view, pos, len, &n);
	int ret = vgpu_fb_write(&vgpu->fb, offset, buf, n);

	return ret ?: vgpu_fb_write(&vgpu->fb, 0, buf + n, len - n);
}

static int edid_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	vgpu_link_read(vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int edid_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	int ret;

	mutex_lock(&vgpu->lock);
	ret = vgpu_link_write(vgpu->model, pos, buf, len);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	return ret;
}

static const struct vgpu_region vgpu_regions[VGPU_NUM_REGIONS] = {
	[VFIO_PCI_BAR0_REGION_INDEX] = {
		.size = VGPU_SIZE_OF_FB,
		.mappable = true,
	},
	[VFIO_PCI_BAR2_REGION_INDEX] = {
		.size = VGPU_BAR2_SIZE,
	},
	[VFIO_PCI_BAR3_REGION_INDEX] = {
		.size = VGPU_BAR2_SIZE,
	},
	[VFIO_PCI_BAR4_REGION_INDEX] = {
		.size = VGPU_BAR4_SIZE,
	},
	[VFIO_PCI_CONFIG_REGION_INDEX] = {
		.size = VGPU_CONFIG_SIZE,
	},
	[VGPU_REGION_CONSOLE] = {
		.size = VGPU_SIZE_OF_FB,
		.mappable = true,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | VGPU_PCI_VENDOR,
		.subtype = VGPU_REGION_SUBTYPE_CONSOLE,
	},
	[VGPU_REGION_EDID] = {
		.size = VGPU_REGION_EDID_SIZE,
		.type = VFIO_REGION_TYPE_GFX,
		.subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
	},
	[VGPU_REGION_CURSOR] = {
		.size = VGPU_SIZE_OF_FB,
		.mappable = true,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | VGPU_PCI_VENDOR,
		.subtype = VGPU_REGION_SUBTYPE_CURSOR,
	},
};

/*
 * Copy @len bytes from @pos, which lie in the region, to @buf.  A switch and
 * not pointers in the table, because register accesses are what a guest waits
 * for, and indirect calls cost where processors are not trusted with them.
 */
static __always_inline int vgpu_region_read_at(struct vgpu *vgpu, u32 index,
					       u64 pos, void *buf, size_t len)
{
	switch (index) {
	case VFIO_PCI_BAR2_REGION_INDEX:
		return bar2_read(vgpu, pos, buf, len);
	case VFIO_PCI_BAR4_REGION_INDEX:
		return bar4_read(vgpu, pos, buf, len);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return config_read(vgpu, pos, buf, len);
	case VFIO_PCI_BAR0_REGION_INDEX:
		return bar0_read(vgpu, pos, buf, len);
	case VGPU_REGION_EDID:
		return edid_read(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return window_read(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return window_read(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return bar3_read(vgpu, pos, buf, len);
	}
}

/* The same the other way round. */
static __always_inline int vgpu_region_write_at(struct vgpu *vgpu, u32 index,
						u64 pos, const void *buf,
						size_t len)
{
	switch (index) {
	case VFIO_PCI_BAR2_REGION_INDEX:
		return bar2_write(vgpu, pos, buf, len);
	case VFIO_PCI_BAR4_REGION_INDEX:
		return bar4_write(vgpu, pos, buf, len);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return config_write(vgpu, pos, buf, len);
	case VFIO_PCI_BAR0_REGION_INDEX:
		return bar0_write(vgpu, pos, buf, len);
	case VGPU_REGION_EDID:
		return edid_write(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return window_write(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return window_write(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return bar3_write(vgpu, pos, buf, len);
	}
}

/* The region with an index from user space, or NULL beyond all. */
static const struct vgpu_region *vgpu_region_get(u64 index)
{
	if (index >= VGPU_NUM_REGIONS)
		return NULL;
	return &vgpu_regions[array_index_nospec(index, VGPU_NUM_REGIONS)];
}

/**
 * vgpu_region_mappable() - whether the framebuffer is seen in a region
 * @index: from user space, which may map it then
 *
 * Return: true if it is
 */
bool vgpu_region_mappable(u64 index)
{
	const struct vgpu_region *region = vgpu_region_get(index);

	return region && region->mappable;
}

static u64 vgpu_region_size(const struct vgpu *vgpu,
			    const struct vgpu_region *region)
{
	if (region->size != VGPU_SIZE_OF_FB)
		return region->size;
	/* A BAR is a power of two. */
	if (region == &vgpu_regions[VFIO_PCI_BAR0_REGION_INDEX])
		return vgpu_bar0_size(&vgpu->type->profile);
	return vgpu->fb.size;
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

	region = vgpu_region_get(info->index);
	if (!region)
		return -EINVAL;
	info->offset = VGPU_INDEX_TO_OFFSET(info->index);
	info->flags = 0;
	info->size = vgpu_region_size(vgpu, region);
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
 * One register, as nearly all accesses of a VMM are and what a guest waits for:
 * get_user() and put_user() of a known size are faster than a copy.
 */
static __always_inline ssize_t
vgpu_region_rw_word(struct vgpu *vgpu, u32 index, char __user *ubuf, size_t len,
		    u64 pos, bool write)
{
	union {
		u8 b;
		u16 w;
		u32 l;
		u64 q;
	} word = { };
	int ret;

	if (!write) {
		ret = vgpu_region_read_at(vgpu, index, pos, &word, len);
		if (ret)
			return ret;
	}
	switch (len) {
	case 1:
		ret = write ? get_user(word.b, (u8 __user *)ubuf) :
			      put_user(word.b, (u8 __user *)ubuf);
		break;
	case 2:
		ret = write ? get_user(word.w, (u16 __user *)ubuf) :
			      put_user(word.w, (u16 __user *)ubuf);
		break;
	case 4:
		ret = write ? get_user(word.l, (u32 __user *)ubuf) :
			      put_user(word.l, (u32 __user *)ubuf);
		break;
	case 8:
		ret = write ? get_user(word.q, (u64 __user *)ubuf) :
			      put_user(word.q, (u64 __user *)ubuf);
		break;
	default:
		if (write)
			ret = copy_from_user(&word, ubuf, len) ? -EFAULT : 0;
		else
			ret = copy_to_user(ubuf, &word, len) ? -EFAULT : 0;
	}
	if (!ret && write)
		ret = vgpu_region_write_at(vgpu, index, pos, &word, len);
	return ret ?: len;
}

static noinline ssize_t vgpu_region_rw_long(struct vgpu *vgpu, u32 index,
					    char __user *ubuf, size_t count,
					    u64 pos, bool write)
{
	size_t chunk = min_t(size_t, count, VGPU_RW_CHUNK), done = 0;
	int ret = 0;
	void *buf;

	if (!count)
		return 0;
	buf = kvmalloc(chunk, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	while (done < count) {
		size_t len = min(chunk, count - done);

		if (write) {
			ret = -EFAULT;
			if (copy_from_user(buf, ubuf + done, len))
				break;
			ret = vgpu_region_write_at(vgpu, index, pos + done, buf,
						   len);
			if (ret)
				break;
		} else {
			ret = vgpu_region_read_at(vgpu, index, pos + done, buf,
						  len);
			if (ret)
				break;
			ret = -EFAULT;
			if (copy_to_user(ubuf + done, buf, len))
				break;
		}
		ret = 0;
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

static __always_inline ssize_t vgpu_region_rw(struct vgpu *vgpu,
					      char __user *ubuf, size_t count,
					      loff_t *ppos, bool write)
{
	u64 index = (u64)*ppos >> VGPU_OFFSET_SHIFT;
	u64 pos = *ppos & VGPU_OFFSET_MASK;
	const struct vgpu_region *region;
	ssize_t done;
	u64 size;

	region = vgpu_region_get(index);
	if (!region)
		return -EINVAL;
	size = vgpu_region_size(vgpu, region);
	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (count && count <= sizeof(u64))
		done = vgpu_region_rw_word(vgpu, index, ubuf, count, pos,
					   write);
	else
		done = vgpu_region_rw_long(vgpu, index, ubuf, count, pos,
					   write);
	if (done > 0)
		*ppos += done;
	return done;
}

/**
 * vgpu_region_read() - read(2) and pread(2)
 * @vdev: the vGPU
 * @buf: where to
 * @count: bytes; cut at the end of the region
 * @ppos: region index and offset
 *
 * Return: bytes read; -EINVAL beyond a region, -EFAULT, -ENOMEM
 */
ssize_t vgpu_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), buf, count, ppos, false);
}

/**
 * vgpu_region_write() - write(2) and pwrite(2)
 * @vdev: the vGPU
 * @buf: where from
 * @count: bytes; cut at the end of the region
 * @ppos: region index and offset
 *
 * Return: bytes written; -EINVAL beyond a region, -EFAULT, -ENOMEM
 */
ssize_t vgpu_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), (char __user *)buf, count,
			      ppos, true);
}
