/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Register access: one table of blocks of equal-width registers, one walk.
 *
 * An access may be of any length and alignment.  It is cut into whole
 * registers; bytes that hit no register, or only a part of one, read as zero
 * and ignore writes, and are counted.
 */
#ifndef _VGPU_MMIO_H
#define _VGPU_MMIO_H

#include <linux/kernel.h>
#include <linux/string.h>

#include "compat/unaligned.h"
#include "model/model.h"

/**
 * struct vgpu_mmio_block - registers of one width that lie side by side
 * @start: offset of the first in the BAR
 * @size: bytes
 * @width: of a register, in bytes: 1, 2 or 4
 * @read: register number @reg counts in registers from @start
 * @write: NULL for a block that cannot be written, which is not an error
 */
struct vgpu_mmio_block {
	u32 start;
	u32 size;
	u32 width;
	u32 (*read)(struct vgpu_model *model, u32 reg);
	void (*write)(struct vgpu_model *model, u32 reg, u32 value);
};

/**
 * struct vgpu_mmio_bar - the blocks of a BAR
 * @blocks: by rising offset
 * @nr: how many
 * @size: of the BAR
 */
struct vgpu_mmio_bar {
	const struct vgpu_mmio_block *blocks;
	u32 nr;
	u32 size;
};

/* Values travel in little-endian order.  @width is 1, 2 or 4. */
static __always_inline u32 vgpu_mmio_get(const void *buf, u32 width)
{
	switch (width) {
	case 1:
		return *(const u8 *)buf;
	case 2:
		return get_unaligned_le16(buf);
	default:
		return get_unaligned_le32(buf);
	}
}

static __always_inline void vgpu_mmio_put(u32 value, void *buf, u32 width)
{
	switch (width) {
	case 1:
		*(u8 *)buf = value;
		break;
	case 2:
		put_unaligned_le16(value, buf);
		break;
	default:
		put_unaligned_le32(value, buf);
	}
}

void vgpu_mmio_read_any(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
			u32 offset, void *buf, u32 len);
void vgpu_mmio_write_any(struct vgpu_model *model,
			 const struct vgpu_mmio_bar *bar, u32 offset,
			 const void *buf, u32 len);

/*
 * An access that is exactly one register, as nearly all are; false for another.
 * With a constant @bar the compiler makes a few comparisons of the loop and direct
 * calls of the operations.
 */
static __always_inline bool
vgpu_mmio_read_one(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
		   u32 offset, void *buf, u32 len)
{
	u32 i;

#pragma GCC unroll 16
	for (i = 0; i < bar->nr; i++) {
		const struct vgpu_mmio_block *block = &bar->blocks[i];
		u32 pos = offset - block->start;

		if (pos >= block->size)
			continue;
		if (len != block->width || !IS_ALIGNED(pos, block->width))
			return false;
		vgpu_mmio_put(block->read(model, pos / block->width), buf,
			      block->width);
		return true;
	}
	return false;
}

static __always_inline bool
vgpu_mmio_write_one(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
		    u32 offset, const void *buf, u32 len)
{
	u32 i;

#pragma GCC unroll 16
	for (i = 0; i < bar->nr; i++) {
		const struct vgpu_mmio_block *block = &bar->blocks[i];
		u32 pos = offset - block->start;

		if (pos >= block->size)
			continue;
		if (len != block->width || !IS_ALIGNED(pos, block->width))
			return false;
		if (block->write)
			block->write(model, pos / block->width,
				     vgpu_mmio_get(buf, block->width));
		return true;
	}
	return false;
}

/**
 * vgpu_mmio_read() - read registers of a BAR
 * @model: the model
 * @bar: its table, a constant
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most the size of the BAR
 */
static __always_inline void
vgpu_mmio_read(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
	       u32 offset, void *buf, u32 len)
{
	if (!vgpu_mmio_read_one(model, bar, offset, buf, len))
		vgpu_mmio_read_any(model, bar, offset, buf, len);
}

/**
 * vgpu_mmio_write() - write registers of a BAR
 * @model: the model
 * @bar: its table, a constant
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most the size of the BAR
 */
static __always_inline void
vgpu_mmio_write(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
		u32 offset, const void *buf, u32 len)
{
	if (!vgpu_mmio_write_one(model, bar, offset, buf, len))
		vgpu_mmio_write_any(model, bar, offset, buf, len);
}

#endif /* _VGPU_MMIO_H */
