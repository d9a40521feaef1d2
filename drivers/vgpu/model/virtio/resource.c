// SPDX-License-Identifier: GPL-2.0
/*
 * Resources of a virtio-gpu: the table, their place in the framebuffer, and guest
 * memory behind them.
 *
 * The type's framebuffer is the quota.  A resource takes adjacent pages, the first that
 * are free, because a VMM maps a picture as a whole.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <uapi/linux/virtio_gpu.h>

#include "compat/unaligned.h"
#include "model/personality.h"
#include "model/virtio/gpu.h"

#define RESOURCE_PAGE	4096

/* The first resource with at least this id, as an index. */
static u32 resource_index(const struct vgpu_gpu *gpu, u32 id)
{
	u32 low = 0, high = gpu->nr_resources;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (gpu->resources[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * vgpu_resource_find() - look a resource up
 * @gpu: the vGPU
 * @id: from the guest
 *
 * Return: the resource, or NULL
 */
struct vgpu_resource *vgpu_resource_find(struct vgpu_gpu *gpu, u32 id)
{
	u32 i = resource_index(gpu, id);

	return i < gpu->nr_resources && gpu->resources[i]->id == id ?
	       gpu->resources[i] : NULL;
}

/* Room in both tables for one more of each; copies of blobs have theirs at the end. */
static bool resource_room(struct vgpu_gpu *gpu)
{
	struct vgpu_resource **resources, **placed;
	u32 room = max(2 * gpu->room, 32U);

	if (gpu->nr_resources < gpu->room)
		return true;
	resources = vgpu_gpu_alloc(gpu, room * sizeof(*resources));
	placed = vgpu_gpu_alloc(gpu, (room + VGPU_MAX_HEADS) * sizeof(*placed));
	if (!resources || !placed) {
		gpu->ops->free(gpu, resources);
		gpu->ops->free(gpu, placed);
		return false;
	}
	if (gpu->room) {
		memcpy(resources, gpu->resources,
		       gpu->nr_resources * sizeof(*resources));
		memcpy(placed, gpu->placed, gpu->nr_placed * sizeof(*placed));
	}
	gpu->ops->free(gpu, gpu->resources);
	gpu->ops->free(gpu, gpu->placed);
	gpu->resources = resources;
	gpu->placed = placed;
	gpu->room = room;
	return true;
}

static u64 resource_pages(const struct vgpu_resource *res)
{
	return round_up(res->size, (u64)RESOURCE_PAGE);
}

static u64 resource_end(const struct vgpu_resource *res)
{
	return res->offset + resource_pages(res);
}

/* The first that is placed at an offset or behind it, as an index. */
static u32 placed_index(const struct vgpu_gpu *gpu, u64 offset)
{
	u32 low = 0, high = gpu->nr_placed;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (gpu->placed[mid]->offset < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Into the table at an index, for which there is room. */
static void resource_put(struct vgpu_gpu *gpu, u32 i, struct vgpu_resource *res,
			 u64 at)
{
	memmove(gpu->placed + i + 1, gpu->placed + i,
		(gpu->nr_placed - i) * sizeof(*gpu->placed));
	gpu->placed[i] = res;
	gpu->nr_placed++;
	res->offset = at;
}

/**
 * vgpu_resource_place() - find framebuffer for a resource, and clear it
 * @gpu: the vGPU
 * @res: with its size, at most that of the framebuffer; its offset is set
 *
 * Return: VIRTIO_GPU_RESP_OK_NODATA or VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
 */
u32 vgpu_resource_place(struct vgpu_gpu *gpu, struct vgpu_resource *res)
{
	u64 end = gpu->profile->fb_size - VGPU_GPU_RESERVED;
	u64 size = resource_pages(res);
	u32 i = gpu->nr_packed;
	u64 at = i ? resource_end(gpu->placed[i - 1]) : 0;

	for (; i < gpu->nr_placed && gpu->placed[i]->offset - at < size; i++) {
		if (i == gpu->nr_packed && gpu->placed[i]->offset == at)
			gpu->nr_packed++;
		at = resource_end(gpu->placed[i]);
	}
	/* What somebody else had there is nobody's business. */
	if (size > end || at > end - size || !resource_room(gpu) ||
	    gpu->ops->fb_zero(gpu, at, size))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	resource_put(gpu, i, res, at);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/**
 * vgpu_resource_place_at() - put a resource where it was
 * @gpu: the vGPU
 * @res: with its size; its offset is set
 * @offset: where in the framebuffer, any value
 *
 * Return: false where there cannot be one of that size
 */
bool vgpu_resource_place_at(struct vgpu_gpu *gpu, struct vgpu_resource *res,
			    u64 offset)
{
	u64 end = gpu->profile->fb_size - VGPU_GPU_RESERVED;
	u64 size;
	u32 i;

	if (!res->size || res->size > end || offset % RESOURCE_PAGE)
		return false;
	size = resource_pages(res);
	i = placed_index(gpu, offset);
	if (i < gpu->nr_placed)
		end = gpu->placed[i]->offset;
	if ((i && offset < resource_end(gpu->placed[i - 1])) || size > end ||
	    offset > end - size || !resource_room(gpu))
		return false;
	resource_put(gpu, i, res, offset);
	return true;
}

/**
 * vgpu_resource_unplace() - opposite of vgpu_resource_place()
 * @gpu: the vGPU
 * @res: the resource
 */
void vgpu_resource_unplace(struct vgpu_gpu *gpu, struct vgpu_resource *res)
{
	u32 i = placed_index(gpu, res->offset);

	gpu->nr_packed = min(gpu->nr_packed, i);
	gpu->nr_placed--;
	memmove(gpu->placed + i, gpu->placed + i + 1,
		(gpu->nr_placed - i) * sizeof(*gpu->placed));
}

/* Into the table, in which there is room. */
static void resource_add(struct vgpu_gpu *gpu, struct vgpu_resource *res)
{
	u32 i = resource_index(gpu, res->id);

	memmove(gpu->resources + i + 1, gpu->resources + i,
		(gpu->nr_resources - i) * sizeof(*gpu->resources));
	gpu->resources[i] = res;
	gpu->nr_resources++;
}

/**
 * vgpu_resource_create() - create a resource
 * @gpu: the vGPU
 * @want: with id, size and what it is; copied
 * @made: where to, when the answer is VIRTIO_GPU_RESP_OK_NODATA
 *
 * Return: VIRTIO_GPU_RESP_OK_NODATA; VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID for an id
 * of 0, or one that there is; VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY when the framebuffer is
 * full, or there are VGPU_MAX_RESOURCES
 */
u32 vgpu_resource_create(struct vgpu_gpu *gpu, const struct vgpu_resource *want,
			 struct vgpu_resource **made)
{
	struct vgpu_resource *res;
	u32 ret;

	if (!want->id || vgpu_resource_find(gpu, want->id))
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (gpu->nr_resources == VGPU_MAX_RESOURCES || !resource_room(gpu))
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	res = vgpu_gpu_alloc(gpu, sizeof(*res));
	if (!res)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	*res = *want;
	ret = res->blob ? VIRTIO_GPU_RESP_OK_NODATA :
			  vgpu_resource_place(gpu, res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA) {
		gpu->ops->free(gpu, res);
		return ret;
	}
	resource_add(gpu, res);
	*made = res;
	return ret;
}

/* Whether values of a record are those of a resource that a guest can have created. */
static bool resource_valid(const struct vgpu_gpu *gpu,
			   const struct vgpu_resource *want)
{
	if (want->nr_backing > VGPU_MAX_ENTRIES ||
	    want->nr_backing > VGPU_MAX_BACKING - gpu->nr_backing || !want->size)
		return false;
	if (want->blob)
		return !want->format && !want->width && !want->height &&
		       !want->offset;
	return vgpu_personality(gpu->profile)->format_bytes(want->format) &&
	       want->width <= VGPU_MAX_SIDE && want->height <= VGPU_MAX_SIDE &&
	       want->size == 4ULL * want->width * want->height;
}

/**
 * vgpu_resource_load() - create a resource as it was
 * @gpu: the vGPU
 * @want: any values; with how many pieces of guest memory, which are loaded next
 *
 * Return: the resource; NULL for one that there cannot be, or without memory for it
 */
struct vgpu_resource *vgpu_resource_load(struct vgpu_gpu *gpu,
					 const struct vgpu_resource *want)
{
	struct vgpu_resource *res;

	if (!want->id || vgpu_resource_find(gpu, want->id) ||
	    !resource_valid(gpu, want) ||
	    gpu->nr_resources == VGPU_MAX_RESOURCES || !resource_room(gpu))
		return NULL;
	res = vgpu_gpu_alloc(gpu, sizeof(*res));
	if (!res)
		return NULL;
	*res = *want;
	res->backing = NULL;
	if (res->nr_backing)
		res->backing = vgpu_gpu_alloc(gpu, res->nr_backing *
					      sizeof(*res->backing));
	if ((res->nr_backing && !res->backing) ||
	    (!res->blob && !vgpu_resource_place_at(gpu, res, want->offset))) {
		gpu->ops->free(gpu, res->backing);
		gpu->ops->free(gpu, res);
		return NULL;
	}
	gpu->nr_backing += res->nr_backing;
	resource_add(gpu, res);
	return res;
}

/**
 * vgpu_resource_destroy() - opposite of vgpu_resource_create()
 * @gpu: the vGPU
 * @res: the resource; heads that show it show nothing
 */
void vgpu_resource_destroy(struct vgpu_gpu *gpu, struct vgpu_resource *res)
{
	u32 i = resource_index(gpu, res->id), head;

	for (head = 0; head < gpu->profile->num_heads; head++)
		if (gpu->scanouts[head].resource == res)
			vgpu_gpu_scanout_off(gpu, head);
	vgpu_resource_detach(gpu, res);
	if (!res->blob)
		vgpu_resource_unplace(gpu, res);
	gpu->nr_resources--;
	memmove(gpu->resources + i, gpu->resources + i + 1,
		(gpu->nr_resources - i) * sizeof(*gpu->resources));
	gpu->ops->free(gpu, res);
}

/*
 * Entries of the guest, with pieces that continue each other as one.  What ends with the
 * last address does not go on with the first.
 */
static u32 resource_merge(struct vgpu_backing *backing, u32 nr,
			  const struct virtio_gpu_mem_entry *entries, u32 n,
			  u64 *end)
{
	u32 i;

	for (i = 0; i < n; i++) {
		u64 iova = get_unaligned_le64(&entries[i].addr);
		u32 len = get_unaligned_le32(&entries[i].length);
		u64 begin = nr > 1 ? backing[nr - 2].end : 0;

		if (!len)
			continue;
		if (nr && iova && backing[nr - 1].iova + (*end - begin) == iova)
			nr--;
		else
			backing[nr].iova = iova;
		*end += len;
		backing[nr++].end = *end;
	}
	return nr;
}

/**
 * vgpu_resource_attach() - put guest memory behind a resource
 * @gpu: the vGPU; its chain has the entries
 * @res: the resource, without any
 * @at: where in the chain the entries begin
 * @nr: how many
 *
 * Return: VIRTIO_GPU_RESP_OK_NODATA; VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY beyond
 * VGPU_MAX_BACKING; VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER for more than
 * VGPU_MAX_ENTRIES, or more than the chain has; VIRTIO_GPU_RESP_ERR_UNSPEC when the
 * chain cannot be read
 */
u32 vgpu_resource_attach(struct vgpu_gpu *gpu, struct vgpu_resource *res,
			 u64 at, u32 nr)
{
	struct virtio_gpu_mem_entry *entries = (void *)gpu->bounce;
	const u32 chunk = sizeof(gpu->bounce) / sizeof(*entries);
	struct vgpu_backing *backing, *fit;
	u32 done, n, used = 0;
	u64 end = 0;

	if (nr > VGPU_MAX_ENTRIES ||
	    gpu->chain.out_len - at < nr * sizeof(*entries))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	backing = vgpu_gpu_alloc(gpu, max(nr, 1U) * sizeof(*backing));
	if (!backing)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	for (done = 0; done < nr; done += n) {
		n = min(nr - done, chunk);
		if (vgpu_chain_read(&gpu->chain, &gpu->host,
				    at + (u64)done * sizeof(*entries), entries,
				    n * sizeof(*entries))) {
			gpu->ops->free(gpu, backing);
			return VIRTIO_GPU_RESP_ERR_UNSPEC;
		}
		used = resource_merge(backing, used, entries, n, &end);
	}
	fit = used && used <= VGPU_MAX_BACKING - gpu->nr_backing ?
	      vgpu_gpu_alloc(gpu, used * sizeof(*fit)) : NULL;
	if (fit)
		memcpy(fit, backing, used * sizeof(*fit));
	gpu->ops->free(gpu, backing);
	if (used && !fit)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	res->backing = fit;
	res->nr_backing = used;
	gpu->nr_backing += used;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/**
 * vgpu_resource_detach() - opposite of vgpu_resource_attach()
 * @gpu: the vGPU
 * @res: the resource
 */
void vgpu_resource_detach(struct vgpu_gpu *gpu, struct vgpu_resource *res)
{
	gpu->ops->free(gpu, res->backing);
	gpu->nr_backing -= res->nr_backing;
	res->backing = NULL;
	res->nr_backing = 0;
}

/**
 * vgpu_resource_read() - copy from the guest memory behind a resource
 * @gpu: the vGPU
 * @res: the resource
 * @offset: of the first byte in the resource
 * @buf: where to
 * @len: bytes
 *
 * Return: 0; -EINVAL beyond the memory that is there; what the host says of memory that
 * cannot be read
 */
int vgpu_resource_read(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
		       u64 offset, void *buf, size_t len)
{
	u32 low = 0, high = res->nr_backing;
	int ret = 0;

	/* The first piece that ends behind @offset. */
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (res->backing[mid].end <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	for (; len && !ret; low++) {
		const struct vgpu_backing *piece;
		u64 begin;
		size_t n;

		if (low == res->nr_backing)
			return -EINVAL;
		piece = &res->backing[low];
		begin = low ? piece[-1].end : 0;
		n = min_t(u64, len, piece->end - offset);
		ret = gpu->host.read(&gpu->host, piece->iova + (offset - begin),
				     buf, n);
		offset += n;
		buf += n;
		len -= n;
	}
	return ret;
}

static int resource_upload_bytes(struct vgpu_gpu *gpu,
				 const struct vgpu_resource *res, u64 from,
				 u64 to, u64 len)
{
	int ret = 0;
	size_t n;

	for (; len && !ret; from += n, to += n, len -= n) {
		if (gpu->ops->gone(gpu))
			return -EINTR;
		n = min_t(u64, len, sizeof(gpu->bounce));
		ret = vgpu_resource_read(gpu, res, from, gpu->bounce, n);
		if (!ret)
			ret = gpu->ops->fb_write(gpu, to, 0, gpu->bounce, n, 1);
	}
	return ret;
}

/* As many lines as the bounce buffer has room for; @n becomes how many were copied. */
static int resource_upload_some(struct vgpu_gpu *gpu,
				const struct vgpu_resource *res,
				const struct vgpu_lines *lines, u32 *n)
{
	u32 most = min_t(u64, lines->nr, sizeof(gpu->bounce) / lines->len);
	int ret = 0, err;

	for (*n = 0; *n < most; (*n)++) {
		ret = gpu->ops->gone(gpu) ? -EINTR :
		      vgpu_resource_read(gpu, res,
					 lines->from + *n * lines->from_pitch,
					 gpu->bounce + *n * lines->len,
					 lines->len);
		if (ret)
			break;
	}
	err = *n ? gpu->ops->fb_write(gpu, lines->to, lines->to_pitch,
				      gpu->bounce, lines->len, *n) : 0;
	return ret ?: err;
}

/**
 * vgpu_resource_upload() - copy from the guest memory behind a resource to the
 * framebuffer
 * @gpu: the vGPU; its bounce buffer is used
 * @res: the resource
 * @lines: what; if there are several, none is longer than VGPU_GPU_BOUNCE, or than a
 *	pitch
 *
 * With an error, what could be read before is copied.
 *
 * Return: as vgpu_resource_read(); -EINTR when a reset waits; what the framebuffer says
 */
int vgpu_resource_upload(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
			 const struct vgpu_lines *lines)
{
	struct vgpu_lines l = *lines;
	int ret = 0;
	u32 n;

	if (l.nr == 1 || (l.len == l.from_pitch && l.len == l.to_pitch))
		return resource_upload_bytes(gpu, res, l.from, l.to,
					     l.len * l.nr);
	if (l.len > sizeof(gpu->bounce))
		return -EINVAL;
	for (; l.nr && !ret; l.nr -= n) {
		ret = resource_upload_some(gpu, res, &l, &n);
		l.from += n * l.from_pitch;
		l.to += n * l.to_pitch;
	}
	return ret;
}

/**
 * vgpu_resources_reset() - all resources go
 * @gpu: the vGPU; no head shows any
 */
void vgpu_resources_reset(struct vgpu_gpu *gpu)
{
	u32 i;

	for (i = 0; i < gpu->nr_resources; i++) {
		vgpu_resource_detach(gpu, gpu->resources[i]);
		gpu->ops->free(gpu, gpu->resources[i]);
	}
	gpu->ops->free(gpu, gpu->resources);
	gpu->ops->free(gpu, gpu->placed);
	gpu->resources = NULL;
	gpu->placed = NULL;
	gpu->nr_resources = 0;
	gpu->nr_placed = 0;
	gpu->nr_packed = 0;
	gpu->room = 0;
}
