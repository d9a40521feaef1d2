/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device for what executes commands of a virtio-gpu: guest memory with holes, a
 * framebuffer, and heads that note what they are told.  Whatever is out of bounds is kept
 * as a fault.
 */
#ifndef _UNIT_GPU_H
#define _UNIT_GPU_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compat/unaligned.h"
#include "model/virtio/gpu.h"

/* Guest memory: the most of it is here, and two pages are at both ends of what there is. */
#define GPU_BASE	0x7fff00000000ULL
#define GPU_PAGES	512
#define GPU_SIZE	(GPU_PAGES * 4096)
#define GPU_LAST	0xfffffffffffff000ULL

/* The end of the framebuffer where no resource is, and what is first in it. */
#define GPU_RESERVED	(256 << 10)
#define GPU_CURSOR	(64 * 64 * 4)

struct gpu_unit {
	struct vgpu_gpu gpu;	/* first */
	struct vgpu_profile profile;
	u8 memory[GPU_SIZE + 2 * 4096];
	bool gone[GPU_PAGES + 2];	/* pages that cannot be reached */
	u8 *fb;
	const char *fault;

	u32 live;		/* allocations */
	u32 allocs;		/* calls */
	u32 fail;		/* the call that fails, counted from 1 */
	bool fb_broken;
	u32 uuids;
	u32 reads;		/* of guest memory */
	u64 written;		/* bytes of the framebuffer */
	u64 zeroed;

	struct vgpu_scanout shown[VGPU_MAX_HEADS];
	struct vgpu_cursor cursor[VGPU_MAX_HEADS];
	u32 shows[VGPU_MAX_HEADS];
	u32 cursors[VGPU_MAX_HEADS];
	u32 flips[VGPU_MAX_HEADS];
	struct vgpu_monitor monitor[VGPU_MAX_HEADS];
};

static inline void gpu_fault(struct gpu_unit *u, const char *what)
{
	if (!u->fault)
		u->fault = what;
}

/* Where a byte of guest memory is, and how many follow it; NULL for none. */
static inline u8 *gpu_memory(struct gpu_unit *u, u64 iova, u64 *left)
{
	u64 at;

	if (iova < 4096)
		at = GPU_SIZE + iova;
	else if (iova >= GPU_LAST)
		at = GPU_SIZE + 4096 + (iova - GPU_LAST);
	else
		at = iova - GPU_BASE;
	if (at >= sizeof(u->memory) || u->gone[at / 4096] ||
	    (at >= GPU_SIZE && iova >= GPU_BASE && iova < GPU_LAST))
		return NULL;
	*left = 4096 - at % 4096;
	return u->memory + at;
}

static inline int gpu_access(struct vgpu_host *host, u64 iova, void *buf,
			     size_t len, bool write)
{
	struct gpu_unit *u = (struct gpu_unit *)host;
	u64 left = 0;

	if (!len)
		gpu_fault(u, "an access of no bytes");
	if (iova + len - 1 < iova)
		return -EINVAL;
	for (; len; iova += left, buf += left, len -= left) {
		u8 *p = gpu_memory(u, iova, &left);

		if (!p)
			return -EFAULT;
		if (left > len)
			left = len;
		if (write)
			memcpy(p, buf, left);
		else
			memcpy(buf, p, left);
	}
	return 0;
}

static inline int gpu_read(struct vgpu_host *host, u64 iova, void *buf, size_t len)
{
	((struct gpu_unit *)host)->reads++;
	return gpu_access(host, iova, buf, len, false);
}

static inline int gpu_write(struct vgpu_host *host, u64 iova, const void *buf,
			    size_t len)
{
	return gpu_access(host, iova, (void *)buf, len, true);
}

static inline void *gpu_alloc(struct vgpu_gpu *gpu, size_t size)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;
	void *memory;

	if (!size)
		gpu_fault(u, "an allocation of nothing");
	if (++u->allocs == u->fail)
		return NULL;
	memory = calloc(1, size);
	if (!memory)
		abort();
	u->live++;
	return memory;
}

static inline void gpu_free(struct vgpu_gpu *gpu, void *memory)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	if (!memory)
		return;
	if (!u->live--)
		gpu_fault(u, "freed twice");
	free(memory);
}

static inline void gpu_uuid(struct vgpu_gpu *gpu, u8 *uuid)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	memset(uuid, ++u->uuids, 16);
}

static inline bool gpu_in_fb(struct gpu_unit *u, u64 offset, u64 len)
{
	bool in = len <= u->profile.fb_size && offset <= u->profile.fb_size - len;

	if (!in)
		gpu_fault(u, "beyond the framebuffer");
	return in && !u->fb_broken;
}

static inline int gpu_fb_read(struct vgpu_gpu *gpu, u64 offset, void *buf,
			      size_t len)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	if (!gpu_in_fb(u, offset, len))
		return -EIO;
	memcpy(buf, u->fb + offset, len);
	return 0;
}

static inline int gpu_fb_write(struct vgpu_gpu *gpu, u64 offset, u64 pitch,
			       const void *buf, size_t len, u32 nr)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	for (; nr; nr--, offset += pitch, buf += len) {
		if (!gpu_in_fb(u, offset, len))
			return -EIO;
		memcpy(u->fb + offset, buf, len);
		u->written += len;
	}
	return 0;
}

static inline int gpu_fb_zero(struct vgpu_gpu *gpu, u64 offset, u64 len)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	if (offset % 4096 || len % 4096 || !len)
		gpu_fault(u, "not whole pages");
	if (!gpu_in_fb(u, offset, len))
		return -EIO;
	memset(u->fb + offset, 0, len);
	u->zeroed += len;
	return 0;
}

static inline void gpu_monitor(struct vgpu_gpu *gpu, u32 head,
			       struct vgpu_monitor *monitor)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	if (head >= u->profile.num_heads)
		gpu_fault(u, "monitor of no head");
	*monitor = u->monitor[head];
}

/* What is wrong with a picture, worked out without the driver; NULL for nothing. */
static inline const char *gpu_picture_fault(const struct vgpu_profile *profile,
					    const struct vgpu_scanout *s)
{
	u64 size = (u64)s->pitch * s->height;

	if (!s->format)
		return s->width || s->height || s->pitch || s->offset ?
			"off, but not all zero" : NULL;
	if (s->format != REF_FOURCC('X', 'R', '2', '4') &&
	    s->format != REF_FOURCC('B', 'X', '2', '4') &&
	    s->format != REF_FOURCC('X', 'B', '2', '4') &&
	    s->format != REF_FOURCC('R', 'X', '2', '4'))
		return "unknown format";
	if (!s->width || s->width > profile->max_width || !s->height ||
	    s->height > profile->max_height)
		return "size of a picture";
	if (s->pitch < 4ULL * s->width || s->pitch % 4)
		return "pitch of a picture";
	if (size > 0x7fffffff || size > profile->fb_size ||
	    s->offset > profile->fb_size - size)
		return "picture ends beyond the framebuffer";
	return NULL;
}

static inline void gpu_show(struct vgpu_gpu *gpu, u32 head,
			    const struct vgpu_scanout *picture)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;
	const char *fault = gpu_picture_fault(&u->profile, picture);

	if (head >= u->profile.num_heads)
		gpu_fault(u, "shown on no head");
	if (fault)
		gpu_fault(u, fault);
	u->shown[head] = *picture;
	u->shows[head]++;
}

static inline void gpu_show_cursor(struct vgpu_gpu *gpu, u32 head,
				   const struct vgpu_cursor *cursor)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;
	const char *fault = ref_cursor_fault(&u->profile, cursor);

	if (head >= u->profile.num_heads)
		gpu_fault(u, "cursor on no head");
	if (fault)
		gpu_fault(u, fault);
	if (cursor->image.format &&
	    cursor->image.offset < u->profile.fb_size - GPU_RESERVED)
		gpu_fault(u, "cursor where resources are");
	u->cursor[head] = *cursor;
	u->cursors[head]++;
}

static inline void gpu_flipped(struct vgpu_gpu *gpu, u32 head)
{
	struct gpu_unit *u = (struct gpu_unit *)gpu;

	if (head >= u->profile.num_heads || !u->shown[head].format)
		gpu_fault(u, "flip of nothing");
	u->flips[head]++;
}

static inline bool gpu_gone(struct vgpu_gpu *gpu)
{
	return false;
}

static const struct vgpu_gpu_ops gpu_unit_ops = {
	.alloc = gpu_alloc,
	.free = gpu_free,
	.uuid = gpu_uuid,
	.fb_read = gpu_fb_read,
	.fb_write = gpu_fb_write,
	.fb_zero = gpu_fb_zero,
	.monitor = gpu_monitor,
	.show = gpu_show,
	.cursor = gpu_show_cursor,
	.flipped = gpu_flipped,
	.gone = gpu_gone,
};

static inline struct gpu_unit *gpu_unit_new(const struct vgpu_profile *profile)
{
	struct gpu_unit *u = calloc(1, sizeof(*u));

	if (!u)
		abort();
	u->profile = *profile;
	u->fb = calloc(1, profile->fb_size);
	if (!u->fb)
		abort();
	u->gpu.host.read = gpu_read;
	u->gpu.host.write = gpu_write;
	u->gpu.ops = &gpu_unit_ops;
	u->gpu.profile = &u->profile;
	u->gpu.runs = true;
	return u;
}

static inline void gpu_unit_free(struct gpu_unit *u)
{
	free(u->fb);
	free(u);
}

/* What must hold between any two commands. */
static inline const char *gpu_unit_fault(struct gpu_unit *u)
{
	struct vgpu_gpu *gpu = &u->gpu;
	u64 end = u->profile.fb_size - GPU_RESERVED, at = 0;
	u32 i, head, pieces = 0, in_fb = 0, copies = 0, backed = 0;

	if (u->fault)
		return u->fault;
	if (gpu->nr_resources > gpu->room || gpu->nr_placed > gpu->room + 4)
		return "more than there is room for";
	for (i = 0; i < gpu->nr_resources; i++) {
		const struct vgpu_resource *res = gpu->resources[i];
		u32 j;
		u64 was = 0;

		if (!res->id || (i && gpu->resources[i - 1]->id >= res->id))
			return "resources out of order";
		if (!res->size || (!res->blob && res->size != 4ULL * res->width *
							      res->height))
			return "size of a resource";
		in_fb += !res->blob;
		pieces += res->nr_backing;
		backed += !!res->backing;
		if (!res->nr_backing != !res->backing)
			return "backing of nothing";
		for (j = 0; j < res->nr_backing; was = res->backing[j++].end)
			if (res->backing[j].end <= was)
				return "backing out of order";
	}
	if (pieces != gpu->nr_backing)
		return "pieces of backing are not counted";
	for (i = 0; i < gpu->nr_placed; i++) {
		const struct vgpu_resource *res = gpu->placed[i];

		if (res->offset % 4096 || res->offset < at || res->size > end ||
		    res->offset > end - res->size)
			return "resources overlap, or are not where they may be";
		at = res->offset + res->size;
	}
	for (head = 0; head < 4; head++) {
		const struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
		const struct vgpu_resource *in = s->copy ?: s->resource;
		const char *fault = gpu_picture_fault(&u->profile, &s->picture);

		if (head >= u->profile.num_heads && (s->resource || s->copy))
			return "a head that the type lacks";
		if (fault)
			return fault;
		if (!s->resource != !s->picture.format)
			return "a picture of no resource";
		if (s->picture.format &&
		    !vgpu_scanout_valid(&u->profile, &s->picture))
			return "not a picture to show";
		if (memcmp(&s->picture, &u->shown[head], sizeof(s->picture)))
			return "something else is shown";
		/* Where a cursor is that is hidden does not count. */
		if ((s->cursor.image.format || u->cursor[head].image.format) &&
		    memcmp(&s->cursor, &u->cursor[head], sizeof(s->cursor)))
			return "another cursor is shown";
		if (!s->copy != !(s->resource && s->resource->blob))
			return "a copy of no blob";
		copies += !!s->copy;
		if (!s->resource)
			continue;
		for (i = 0; gpu->resources[i] != s->resource; i++)
			if (i + 1 == gpu->nr_resources)
				return "shows what there is not any more";
		/* Its first pixel; where its last is depends on the last line. */
		if (s->picture.offset < in->offset ||
		    s->picture.offset + 4ULL * s->picture.width +
		    (u64)s->picture.pitch * (s->picture.height - 1) >
		    in->offset + in->size)
			return "shows what is in no resource";
		if (s->copy && s->stale.width &&
		    (s->stale.x < s->part.x || s->stale.y < s->part.y ||
		     s->stale.x - s->part.x > s->part.width - s->stale.width ||
		     s->stale.y - s->part.y > s->part.height - s->stale.height ||
		     s->part.width != s->picture.width ||
		     s->part.height != s->picture.height))
			return "stale is what is not shown";
	}
	if (in_fb + copies != gpu->nr_placed)
		return "placed are not resources and copies";
	if (u->live != gpu->nr_resources + copies + backed + 2 * !!gpu->room)
		return "allocations";
	if (gpu->nr_held > VGPU_RING_MAX)
		return "held too many";
	return NULL;
}

#endif /* _UNIT_GPU_H */
