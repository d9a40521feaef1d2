/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VFIO regions of a vGPU: what all personalities have in common.
 *
 * A personality has a table of its regions, and one function each for reading and
 * writing.  These are arguments of inline functions here, so that each personality
 * gets read and write operations with direct calls: a register access is what a guest
 * waits for, and indirect calls cost where processors are not trusted with them.
 */
#ifndef _VGPU_REGION_H
#define _VGPU_REGION_H

#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device/vgpu.h"
#include "front/front.h"
#include "model/pci_config.h"

#define VGPU_SIZE_OF_FB	U64_MAX

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

/* Entries of the table that all have. */
#define VGPU_COMMON_REGIONS \
	[VFIO_PCI_CONFIG_REGION_INDEX] = { \
		.size = VGPU_CONFIG_SIZE, \
	}, \
	[VGPU_REGION_CONSOLE] = { \
		.size = VGPU_SIZE_OF_FB, \
		.mappable = true, \
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | VGPU_PCI_VENDOR, \
		.subtype = VGPU_REGION_SUBTYPE_CONSOLE, \
	}, \
	[VGPU_REGION_EDID] = { \
		.size = VGPU_REGION_EDID_SIZE, \
		.type = VFIO_REGION_TYPE_GFX, \
		.subtype = VFIO_REGION_SUBTYPE_GFX_EDID, \
	}, \
	[VGPU_REGION_CURSOR] = { \
		.size = VGPU_SIZE_OF_FB, \
		.mappable = true, \
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | VGPU_PCI_VENDOR, \
		.subtype = VGPU_REGION_SUBTYPE_CURSOR, \
	},

/* Copy @len bytes from or to @pos, which lie in the region. */
typedef int vgpu_region_read_fn(struct vgpu *vgpu, u32 index, u64 pos, void *buf,
				size_t len);
typedef int vgpu_region_write_fn(struct vgpu *vgpu, u32 index, u64 pos,
				 const void *buf, size_t len);

/* bochs.c */
extern const struct vgpu_region vgpu_bochs_regions[VGPU_NUM_REGIONS];
extern const struct vfio_device_ops vgpu_bochs_vfio_ops;

/* virtio.c */
extern const struct vgpu_region vgpu_virtio_regions[VGPU_NUM_REGIONS];
extern const struct vfio_device_ops vgpu_virtio_vfio_ops;

/* region.c */
int vgpu_window_read(struct vgpu *vgpu, enum vgpu_view view, u64 pos, void *buf,
		     size_t len);
int vgpu_window_write(struct vgpu *vgpu, enum vgpu_view view, u64 pos,
		      const void *buf, size_t len);
int vgpu_edid_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len);
int vgpu_edid_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len);
ssize_t vgpu_region_rw_long(struct vgpu *vgpu, u32 index, char __user *ubuf,
			    size_t count, u64 pos, vgpu_region_read_fn *read,
			    vgpu_region_write_fn *write);

static inline int
vgpu_config_region_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked)
		memset(buf, 0xff, len);
	else
		vgpu_config_read(vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static inline int
vgpu_config_region_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
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

/* In bytes.  A BAR is a power of two. */
static inline u64 vgpu_region_size(const struct vgpu *vgpu,
				   const struct vgpu_region *region, u64 index)
{
	if (region->size != VGPU_SIZE_OF_FB)
		return region->size;
	return index == VFIO_PCI_BAR0_REGION_INDEX ?
	       roundup_pow_of_two(vgpu->fb.size) : vgpu->fb.size;
}

/*
 * One register, as nearly all accesses of a VMM are and what a guest waits for:
 * get_user() and put_user() of a known size are faster than a copy.  One of @read and
 * @write is NULL.
 */
static __always_inline ssize_t
vgpu_region_rw_word(struct vgpu *vgpu, u32 index, char __user *ubuf, size_t len,
		    u64 pos, vgpu_region_read_fn *read,
		    vgpu_region_write_fn *write)
{
	union {
		u8 b;
		u16 w;
		u32 l;
		u64 q;
	} word = { };
	int ret;

	if (!write) {
		ret = read(vgpu, index, pos, &word, len);
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
		ret = write(vgpu, index, pos, &word, len);
	return ret ?: len;
}

/**
 * vgpu_region_rw() - read(2), pread(2), write(2) and pwrite(2)
 * @vgpu: the vGPU
 * @regions: the personality's table
 * @ubuf: where to or from
 * @count: bytes; cut at the end of the region
 * @ppos: region index and offset
 * @read: the personality's operation, or NULL to write
 * @write: the same, or NULL to read
 *
 * Return: bytes; -EINVAL beyond a region, -EFAULT, -ENOMEM
 */
static __always_inline ssize_t
vgpu_region_rw(struct vgpu *vgpu, const struct vgpu_region *regions,
	       char __user *ubuf, size_t count, loff_t *ppos,
	       vgpu_region_read_fn *read, vgpu_region_write_fn *write)
{
	u64 index = (u64)*ppos >> VGPU_OFFSET_SHIFT;
	u64 pos = *ppos & VGPU_OFFSET_MASK;
	const struct vgpu_region *region;
	ssize_t done;
	u64 size;

	/* Not with NULL for an answer, which would be compared with once more. */
	if (index >= VGPU_NUM_REGIONS)
		return -EINVAL;
	region = &regions[array_index_nospec(index, VGPU_NUM_REGIONS)];
	size = vgpu_region_size(vgpu, region, index);
	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (count && count <= sizeof(u64))
		done = vgpu_region_rw_word(vgpu, index, ubuf, count, pos,
					   read, write);
	else
		done = vgpu_region_rw_long(vgpu, index, ubuf, count, pos,
					   read, write);
	if (done > 0)
		*ppos += done;
	return done;
}

#endif /* _VGPU_REGION_H */
