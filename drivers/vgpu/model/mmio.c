// SPDX-License-Identifier: GPL-2.0
/*
 * Register accesses that are not exactly one register.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/mmio.h"

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

/* Any access.  See vgpu_mmio_read() and vgpu_mmio_write(). */
void vgpu_mmio_read_any(struct vgpu_model *model, const struct vgpu_mmio_bar *bar,
			u32 offset, void *buf, u32 len)
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

void vgpu_mmio_write_any(struct vgpu_model *model,
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
