// SPDX-License-Identifier: GPL-2.0
/*
 * VRAM manager: which blocks of a pGPU's memory belong to which vGPU.
 *
 * Built on drm_mm with best fit.  A framebuffer is one extent while a hole is
 * large enough; otherwise it is put together from several, so fragmentation
 * never refuses a vGPU for which there is memory, and what is free is all
 * that available_instances needs to know.  The cost of a framebuffer in pieces
 * is one entry in the list for each; mappings are cut at blocks anyway.
 */
#include <linux/slab.h>

#include "core.h"

/**
 * struct vram_extent - blocks that lie side by side
 * @node: in pgpu.vram, in blocks
 * @link: in vgpu_fb.extents
 */
struct vram_extent {
	struct drm_mm_node node;
	struct list_head link;
};

/**
 * vram_init() - all is free
 * @pgpu: its description says how much there is
 *
 * Return: 0 or -ENOMEM
 */
int vram_init(struct pgpu *pgpu)
{
	u64 nr_blocks = pgpu->desc.vram_size / PGPU_BLOCK_SIZE;

	INIT_LIST_HEAD(&pgpu->pools);
	xa_init(&pgpu->pool_of);
	xa_init(&pgpu->remap);
	drm_mm_init(&pgpu->vram, 0, nr_blocks);
	pgpu->free_blocks = nr_blocks;
	pgpu->owners = kvcalloc(nr_blocks, sizeof(*pgpu->owners), GFP_KERNEL);
	if (!pgpu->owners)
		return -ENOMEM;
	return vram_spare_init(pgpu);
}

/**
 * vram_fini() - opposite of vram_init(), also when that failed or was not called
 * @pgpu: without vGPUs
 */
void vram_fini(struct pgpu *pgpu)
{
	if (!drm_mm_initialized(&pgpu->vram))
		return;
	vram_spare_fini(pgpu);
	drm_mm_takedown(&pgpu->vram);
	kvfree(pgpu->owners);
}

static void vram_free_locked(struct pgpu *pgpu, struct list_head *extents)
{
	struct vram_extent *extent, *next;

	lockdep_assert_held(&pgpu->lock);
	list_for_each_entry_safe(extent, next, extents, link) {
		memset(pgpu->owners + extent->node.start, 0,
		       extent->node.size * sizeof(*pgpu->owners));
		pgpu->free_blocks += extent->node.size;
		drm_mm_remove_node(&extent->node);
		list_del(&extent->link);
		kfree(extent);
	}
}

/**
 * vram_alloc() - take blocks
 * @pgpu: where from
 * @fb: for this framebuffer: its @extents, empty again on error, and @table
 * @nr_blocks: how many
 *
 * Return: 0, -ENOSPC or -ENOMEM
 */
int vram_alloc(struct pgpu *pgpu, struct vgpu_fb *fb, u64 nr_blocks)
{
	u64 *table = fb->table;
	u64 left = nr_blocks, want = nr_blocks;
	struct vram_extent *extent;
	u64 i;
	int ret;

	mutex_lock(&pgpu->lock);
	ret = -ENOSPC;
	if (nr_blocks > pgpu->free_blocks)
		goto err_free;

	while (left) {
		ret = -ENOMEM;
		extent = kzalloc(sizeof(*extent), GFP_KERNEL);
		if (!extent)
			goto err_free;
		/*
		 * Half the size after each refusal.  That ends with single
		 * blocks, of which there are enough.
		 */
		do {
			want = min(want, left);
			ret = drm_mm_insert_node_generic(&pgpu->vram,
							 &extent->node, want,
							 0, 0, DRM_MM_INSERT_BEST);
		} while (ret == -ENOSPC && want > 1 &&
			 (want = DIV_ROUND_UP(want, 2)));
		if (ret) {
			kfree(extent);
			goto err_free;
		}
		list_add_tail(&extent->link, &fb->extents);
		pgpu->free_blocks -= extent->node.size;
		for (i = 0; i < extent->node.size; i++) {
			*table++ = extent->node.start + i;
			pgpu->owners[extent->node.start + i] = fb;
		}
		left -= extent->node.size;
	}
	mutex_unlock(&pgpu->lock);
	return 0;

err_free:
	vram_free_locked(pgpu, &fb->extents);
	mutex_unlock(&pgpu->lock);
	return ret;
}

/**
 * vram_free() - give blocks back
 * @pgpu: where to
 * @fb: as vram_alloc() left it; the content has been discarded
 */
void vram_free(struct pgpu *pgpu, struct vgpu_fb *fb)
{
	mutex_lock(&pgpu->lock);
	vram_free_locked(pgpu, &fb->extents);
	/* Bad pages that found no spare one while they were in use. */
	pgpu_ecc_retire_freed(pgpu);
	mutex_unlock(&pgpu->lock);
}

/**
 * vram_free_blocks() - how many blocks are free now
 * @pgpu: of this pGPU
 *
 * Return: the number
 */
u64 vram_free_blocks(struct pgpu *pgpu)
{
	u64 nr;

	mutex_lock(&pgpu->lock);
	nr = pgpu->free_blocks;
	mutex_unlock(&pgpu->lock);
	return nr;
}
