/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VGPU_LINEAR_H
#define _VGPU_LINEAR_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <vgpu/pgpu.h>

struct device;

/**
 * struct linear_vram - memory behind a BAR
 * @base: mapping of it
 * @pfn: first page frame
 * @nr_blocks: of PGPU_BLOCK_SIZE
 * @lock: held while a block is cleared
 * @stale: a bit for each block that must be cleared before it is used
 * @given: a bit for each block that has been given out since it was cleared
 * @used: a bit for each block that a guest may have had
 * @work: clears stale blocks ahead of time
 */
struct linear_vram {
	void *base;
	unsigned long pfn;
	u64 nr_blocks;
	struct mutex lock;
	unsigned long *stale;
	unsigned long *given;
	unsigned long *used;
	struct work_struct work;
};

int linear_vram_init(struct linear_vram *vram, struct device *dev,
		     phys_addr_t start, u64 size);
void linear_vram_fini(struct linear_vram *vram);
int linear_vram_map(struct pgpu *pgpu, u64 page, u64 nr, enum pgpu_alloc alloc,
		    struct pgpu_run *run);
void linear_vram_discard(struct pgpu *pgpu, u64 page, u64 nr);

#endif /* _VGPU_LINEAR_H */
