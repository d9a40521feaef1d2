// SPDX-License-Identifier: GPL-2.0
/*
 * Register access: one table of blocks of equal-width registers, one walk.
 *
 * An access may be of any length and alignment.  It is cut into whole
 * registers; bytes that hit no register, or only a part of one, read as zero
 * and ignore writes, and are counted.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "compat/compat.h"
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

static u32 vgpu_edid_read(struct vgpu_model *model, u32 reg)
{
	return model->edid[reg];
}

static u32 vgpu_ext_read(struct vgpu_model *model, u32 reg)
{
	return reg ? VGPU_EXT_ENDIAN_LITTLE : VGPU_BAR2_EXT_SIZE;
}

/*
 * The byte order register takes writes and stays little-endian: no guest on
 * the architectures this runs on needs the other one, and reading it back
 * tells the guest so.
 */
static const struct vgpu_mmio_block vgpu_bar2_blocks[] = {
	{ VGPU_BAR2_EDID, VGPU_BAR2_EDID_SIZE, 1, vgpu_edid_read, NULL },
	{ VGPU_BAR2_VGA, VGPU_BAR2_VGA_SIZE, 1, vgpu_vga_read, vgpu_vga_write },
	{ VGPU_BAR2_DISPI, VGPU_BAR2_DISPI_SIZE, 2, vgpu_dispi_read,
	  vgpu_dispi_write },
	{ VGPU_BAR2_EXT, VGPU_BAR2_EXT_SIZE, 4, vgpu_ext_read, NULL },
};

static const struct vgpu_mmio_bar vgpu_bar2 = {
	vgpu_bar2_blocks, ARRAY_SIZE(vgpu_bar2_blocks), VGPU_BAR2_SIZE,
};

/* Doorbells are written only. */
static u32 vgpu_zero_read(struct vgpu_model *model, u32 reg)
{
	return 0;
}

static const struct vgpu_mmio_block vgpu_bar4_blocks[] = {
	{ 0x000, VGPU_REG_HEAD(0), 4, vgpu_native_read, vgpu_native_write },
	{ VGPU_REG_HEAD(0), VGPU_MAX_HEADS * VGPU_HEAD_SIZE, 4, vgpu_head_read,
	  vgpu_head_write },
	{ VGPU_BAR4_DOORBELL, VGPU_NR_DOORBELLS * 4, 4, vgpu_zero_read,
	  vgpu_doorbell_write },
	{ VGPU_BAR4_MSIX_TABLE, VGPU_NR_IRQS * 16, 4, vgpu_msix_read,
	  vgpu_msix_write },
	{ VGPU_BAR4_MSIX_PBA, 0x1000, 4, vgpu_pba_read, NULL },
};

static const struct vgpu_mmio_bar vgpu_bar4 = {
	vgpu_bar4_blocks, ARRAY_SIZE(vgpu_bar4_blocks), VGPU_BAR4_SIZE,
};

/*
 * Find the register that begins at @offset and fits in @len bytes, or NULL and
 * how many bytes to pass over: to the next register or block.
 */
static const struct vgpu_mmio_block *
vgpu_mmio_find(const struct vgpu_mmio_bar *bar, u32 offset, u32 len, u32 *step)
{
	u32 next = bar->size;
	u32 i;

	for (i = 0; i < bar->nr; i++) {
		const struct vgpu_mmio_block *block = &bar->blocks[i];

		if (offset < block->start) {
			next = block->start;
			break;
		}
		if (offset - block->start >= block->size)
			continue;
		next = round_down(offset, block->width) + block->width;
		if (IS_ALIGNED(offset, block->width) && len >= block->width) {
			*step = block->width;
			return block;
		}
		break;
	}
	*step = min(len, next - offset);
	return NULL;
}

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

static void vgpu_mmio_read(struct vgpu_model *model,
			   const struct vgpu_mmio_bar *bar, u32 offset,
			   void *buf, u32 len)
{
	const struct vgpu_mmio_block *block;
	u32 step;

	for (; len; offset += step, buf += step, len -= step) {
		block = vgpu_mmio_find(bar, offset, len, &step);
		if (block) {
			u32 reg = (offset - block->start) / block->width;

			vgpu_mmio_put(block->read(model, reg), buf, step);
		} else {
			memset(buf, 0, step);
			model->bad_access++;
		}
	}
}

static void vgpu_mmio_write(struct vgpu_model *model,
			    const struct vgpu_mmio_bar *bar, u32 offset,
			    const void *buf, u32 len)
{
	const struct vgpu_mmio_block *block;
	u32 step;

	for (; len; offset += step, buf += step, len -= step) {
		block = vgpu_mmio_find(bar, offset, len, &step);
		if (block && block->write) {
			u32 reg = (offset - block->start) / block->width;

			block->write(model, reg, vgpu_mmio_get(buf, step));
		} else if (!block) {
			model->bad_access++;
		}
	}
}

/*
 * The same for an access that is exactly one register, as nearly all are; false
 * for another.  With a constant @bar the compiler makes a few comparisons of
 * the loop and direct calls of the operations.
 */
static __always_inline bool
vgpu_mmio_read_one(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
		   u32 offset, void *buf, u32 len)
{
	u32 i;

#pragma GCC unroll 8
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

#pragma GCC unroll 8
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
 * vgpu_bar2_read() - read registers of BAR2
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_BAR2_SIZE
 */
void vgpu_bar2_read(struct vgpu_model *model, u32 offset, void *buf, u32 len)
{
	if (!vgpu_mmio_read_one(model, &vgpu_bar2, offset, buf, len))
		vgpu_mmio_read(model, &vgpu_bar2, offset, buf, len);
}

/**
 * vgpu_bar2_write() - write registers of BAR2
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_BAR2_SIZE
 */
void vgpu_bar2_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len)
{
	if (!vgpu_mmio_write_one(model, &vgpu_bar2, offset, buf, len))
		vgpu_mmio_write(model, &vgpu_bar2, offset, buf, len);
}

/**
 * vgpu_bar4_read() - read registers of BAR4
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_BAR4_SIZE
 */
void vgpu_bar4_read(struct vgpu_model *model, u32 offset, void *buf, u32 len)
{
	if (!vgpu_mmio_read_one(model, &vgpu_bar4, offset, buf, len))
		vgpu_mmio_read(model, &vgpu_bar4, offset, buf, len);
}

/**
 * vgpu_bar4_write() - write registers of BAR4
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_BAR4_SIZE
 */
void vgpu_bar4_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len)
{
	if (!vgpu_mmio_write_one(model, &vgpu_bar4, offset, buf, len))
		vgpu_mmio_write(model, &vgpu_bar4, offset, buf, len);
}
