/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VGPU_RETIRED_H
#define _VGPU_RETIRED_H

#include <linux/types.h>
#include <linux/vgpu_retired.h>

/* Pages of a list are of 4 KiB, as the kernel's are where this driver runs. */
#define VGPU_RETIRED_PAGE_SHIFT	12

/*
 * The largest file: the kernel's firmware loader reads no more, nor has the kernel a
 * larger buffer.  That is 341 GiB of bad memory.
 */
#define VGPU_RETIRED_FILE	0x7fffffff

/* Bytes of a list. */
static inline size_t vgpu_retired_size(u32 nr)
{
	return sizeof(struct vgpu_retired_header) +
	       (size_t)nr * sizeof(struct vgpu_retired_entry);
}

void vgpu_retired_seal(struct vgpu_retired_header *header, u32 nr);
const char *vgpu_retired_check(const void *file, size_t len,
			       const char *identity, u64 nr_pages);

#endif /* _VGPU_RETIRED_H */
