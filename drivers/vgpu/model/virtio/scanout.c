// SPDX-License-Identifier: GPL-2.0
/*
 * Scanouts and cursors of a virtio-gpu.
 *
 * A picture in the framebuffer is shown where it is.  A picture in guest memory (a blob)
 * is copied to the framebuffer, and only when somebody looks: so flips of a guest that
 * nobody watches cost nothing, and those of one that is watched cost as many copies as
 * the VMM asks for.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>
#include <uapi/linux/virtio_gpu.h>

#include "model/virtio/gpu.h"

/**
 * vgpu_virtio_format() - what a format of virtio-gpu is in DRM
 * @format: VIRTIO_GPU_FORMAT_*, of 32 bits a pixel; the names give the order of bytes,
 *	those of DRM that of bits.  What a head shows is opaque.
 *
 * Return: DRM fourcc, 0 for a format that there is not
 */
u32 vgpu_virtio_format(u32 format)
{
	switch (format) {
	case VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
	case VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM:
		return DRM_FORMAT_XRGB8888;
	case VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
	case VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM:
		return DRM_FORMAT_BGRX8888;
	case VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
	case VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM:
		return DRM_FORMAT_XBGR8888;
	case VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM:
	case VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
		return DRM_FORMAT_RGBX8888;
	default:
		return 0;
	}
}

static bool rect_inside(const struct vgpu_rect *rect, u32 width, u32 height)
{
	return rect->width && rect->height && rect->width <= width &&
	       rect->height <= height && rect->x <= width - rect->width &&
	       rect->y <= height - rect->height;
}

/* The smallest one that has both in it. */
static struct vgpu_rect rect_union(const struct vgpu_rect *a,
				   const struct vgpu_rect *b)
{
	struct vgpu_rect u;

	if (!a->width)
		return *b;
	u.x = min(a->x, b->x);
	u.y = min(a->y, b->y);
	u.width = max(a->x + a->width, b->x + b->width) - u.x;
	u.height = max(a->y + a->height, b->y + b->height) - u.y;
	return u;
}

/**
 * vgpu_gpu_scanout_off() - a head shows nothing
 * @gpu: the vGPU
 * @head: one that the type has
 */
void vgpu_gpu_scanout_off(struct vgpu_gpu *gpu, u32 head)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];

	if (!s->resource)
		return;
	s->resource = NULL;
	s->stale.width = 0;
	memset(&s->picture, 0, sizeof(s->picture));
	gpu->ops->show(gpu, head, &s->picture);
	if (!s->copy)
		return;
	vgpu_resource_unplace(gpu, s->copy);
	gpu->ops->free(gpu, s->copy);
	s->copy = NULL;
}

/**
 * vgpu_gpu_set_scanout() - a head shows a part of a resource in the framebuffer
 * @gpu: the vGPU
 * @head: one that the type has
 * @res: the resource, no blob
 * @rect: which part
 *
 * Return: VIRTIO_GPU_RESP_OK_NODATA; VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER for a part
 * that is not in the resource, or larger than the type allows
 */
u32 vgpu_gpu_set_scanout(struct vgpu_gpu *gpu, u32 head,
			 struct vgpu_resource *res,
			 const struct vgpu_rect *rect)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
	struct vgpu_scanout picture = {
		.format = res->format,
		.width = rect->width,
		.height = rect->height,
		.pitch = res->width * 4,
	};

	if (!rect_inside(rect, res->width, res->height))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	picture.offset = res->offset + (u64)rect->y * picture.pitch +
			 4 * rect->x;
	if (!vgpu_scanout_valid(gpu->profile, &picture))
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (s->copy)
		vgpu_gpu_scanout_off(gpu, head);
	s->resource = res;
	s->part = *rect;
	s->picture = picture;
	gpu->ops->show(gpu, head, &picture);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Framebuffer for a copy; what there is serves as long as it is large enough. */
static u32 scanout_copy(struct vgpu_gpu *gpu, struct vgpu_gpu_scanout *s,
			u64 size)
{
	struct vgpu_resource *copy;
	u32 ret;

	if (s->copy && s->copy->size >= size)
		return VIRTIO_GPU_RESP_OK_NODATA;
	copy = vgpu_gpu_alloc(gpu, sizeof(*copy));
	if (!copy)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	copy->size = size;
	if (s->copy)
		vgpu_resource_unplace(gpu, s->copy);
	ret = vgpu_resource_place(gpu, copy);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA) {
		gpu->ops->free(gpu, copy);
		copy = NULL;
	}
	gpu->ops->free(gpu, s->copy);
	s->copy = copy;
	return ret;
}

/**
 * vgpu_gpu_load_copy() - framebuffer for the copy of a blob, where it was
 * @gpu: the vGPU
 * @head: one that the type has, which shows nothing
 * @size: bytes, not 0
 * @offset: where in the framebuffer
 *
 * Return: false if it cannot have been there
 */
bool vgpu_gpu_load_copy(struct vgpu_gpu *gpu, u32 head, u64 size, u64 offset)
{
	struct vgpu_resource *copy = vgpu_gpu_alloc(gpu, sizeof(*copy));

	if (!copy)
		return false;
	copy->size = size;
	if (!vgpu_resource_place_at(gpu, copy, offset)) {
		gpu->ops->free(gpu, copy);
		return false;
	}
	gpu->scanouts[head].copy = copy;
	return true;
}

/**
 * vgpu_gpu_set_blob() - a head shows a part of a blob
 * @gpu: the vGPU
 * @head: one that the type has
 * @res: the blob
 * @rect: which part, in pixels
 * @format: DRM fourcc
 * @offset: of the first pixel of the picture in the blob
 * @stride: bytes from one line to the next
 *
 * Return: VIRTIO_GPU_RESP_OK_NODATA; VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER for a format
 * that there is not, a part that is not in the blob, or larger than the type allows;
 * VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY when the framebuffer is full
 */
u32 vgpu_gpu_set_blob(struct vgpu_gpu *gpu, u32 head,
		      struct vgpu_resource *res, const struct vgpu_rect *rect,
		      u32 format, u64 offset, u32 stride)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
	struct vgpu_scanout picture = {
		.format = format,
		.width = rect->width,
		.height = rect->height,
		.pitch = rect->width * 4,
	};
	u64 end;
	u32 ret;

	if (!vgpu_scanout_valid(gpu->profile, &picture) ||
	    rect->x > U32_MAX - rect->width || rect->y > U32_MAX - rect->height)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	/* All pixels of a line are on it, so that what follows cannot wrap. */
	if (4ULL * (rect->x + rect->width) > stride)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	end = (u64)(rect->y + rect->height - 1) * stride +
	      4ULL * (rect->x + rect->width);
	if (end > res->size || offset > res->size - end)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (s->resource && !s->resource->blob)
		vgpu_gpu_scanout_off(gpu, head);
	ret = scanout_copy(gpu, s, (u64)picture.pitch * picture.height);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA) {
		vgpu_gpu_scanout_off(gpu, head);
		return ret;
	}
	picture.offset = s->copy->offset;
	if (s->resource && s->resource != res &&
	    vgpu_scanout_same_mode(&s->picture, &picture))
		gpu->ops->flipped(gpu, head);
	s->resource = res;
	s->part = *rect;
	s->blob_offset = offset;
	s->blob_stride = stride;
	s->stale = *rect;
	s->picture = picture;
	gpu->ops->show(gpu, head, &picture);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Copy what is stale.  Guest memory that is gone leaves the picture as it was. */
static void scanout_refresh(struct vgpu_gpu *gpu, struct vgpu_gpu_scanout *s)
{
	const struct vgpu_rect *r = &s->stale;
	const struct vgpu_lines lines = {
		.from = s->blob_offset + (u64)r->y * s->blob_stride + 4ULL * r->x,
		.from_pitch = s->blob_stride,
		.to = s->picture.offset +
		      (u64)(r->y - s->part.y) * s->picture.pitch +
		      4ULL * (r->x - s->part.x),
		.to_pitch = s->picture.pitch,
		.len = 4ULL * r->width,
		.nr = r->height,
	};

	vgpu_resource_upload(gpu, s->resource, &lines);
	s->stale.width = 0;
}

/**
 * vgpu_gpu_refresh() - somebody looks at a head: bring a copy of a blob up to date
 * @gpu: the vGPU
 * @head: one that the type has
 */
void vgpu_gpu_refresh(struct vgpu_gpu *gpu, u32 head)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];

	if (s->resource && s->stale.width)
		scanout_refresh(gpu, s);
}

/* What two of them have in common; no width for nothing. */
static struct vgpu_rect rect_common(const struct vgpu_rect *a,
				    const struct vgpu_rect *b)
{
	u64 right = min((u64)a->x + a->width, (u64)b->x + b->width);
	u64 bottom = min((u64)a->y + a->height, (u64)b->y + b->height);
	struct vgpu_rect c = { max(a->x, b->x), max(a->y, b->y), 0, 0 };

	if (right > c.x && bottom > c.y) {
		c.width = right - c.x;
		c.height = bottom - c.y;
	}
	return c;
}

/**
 * vgpu_gpu_flush() - the guest has finished a part of a picture
 * @gpu: the vGPU
 * @res: of this resource
 * @rect: which part, any values
 *
 * Return: whether a head shows the resource
 */
bool vgpu_gpu_flush(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
		    const struct vgpu_rect *rect)
{
	bool shown = false;
	u32 head;

	for (head = 0; head < gpu->profile->num_heads; head++) {
		struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
		struct vgpu_rect part;

		if (s->resource != res)
			continue;
		shown = true;
		part = rect_common(rect, &s->part);
		if (res->blob && part.width)
			s->stale = rect_union(&s->stale, &part);
	}
	return shown;
}

/**
 * vgpu_gpu_shows() - whether any head shows something
 * @gpu: the vGPU
 *
 * Return: true if one does
 */
bool vgpu_gpu_shows(const struct vgpu_gpu *gpu)
{
	u32 head;

	for (head = 0; head < gpu->profile->num_heads; head++)
		if (gpu->scanouts[head].resource)
			return true;
	return false;
}

/* Where in the framebuffer the picture of a head's cursor is. */
u64 vgpu_gpu_cursor_offset(const struct vgpu_gpu *gpu, u32 head, u32 slot)
{
	return gpu->profile->fb_size - VGPU_GPU_RESERVED +
	       (u64)(head * VGPU_CURSOR_SLOTS + slot) * VGPU_CURSOR_BYTES;
}

static bool cursor_copy(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
			u64 to)
{
	const struct vgpu_lines all = {
		.to = to, .len = VGPU_CURSOR_BYTES, .nr = 1,
	};

	if (res->blob)
		return !vgpu_resource_upload(gpu, res, &all);
	return !gpu->ops->fb_read(gpu, res->offset, gpu->bounce,
				  VGPU_CURSOR_BYTES) &&
	       !gpu->ops->fb_write(gpu, to, 0, gpu->bounce,
				   VGPU_CURSOR_BYTES, 1);
}

static s16 cursor_position(s32 at)
{
	return clamp(at, S16_MIN, S16_MAX);
}

/**
 * vgpu_gpu_update_cursor() - another cursor
 * @gpu: the vGPU
 * @head: one that the type has
 * @id: resource with the picture, 64 x 64 pixels; 0 for none.  Another, or one that there
 *	is not, changes nothing, as with QEMU's.
 * @x: left edge on the head
 * @y: upper edge
 * @hot_x: the pixel that points
 * @hot_y: its line
 */
void vgpu_gpu_update_cursor(struct vgpu_gpu *gpu, u32 head, u32 id, s32 x,
			    s32 y, u32 hot_x, u32 hot_y)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
	struct vgpu_cursor cursor = { };
	struct vgpu_resource *res;
	u32 slot = (s->slot + 1) % VGPU_CURSOR_SLOTS;

	cursor.x = cursor_position(x);
	cursor.y = cursor_position(y);
	if (id) {
		res = vgpu_resource_find(gpu, id);
		if (!res || hot_x >= VGPU_VIRTIO_CURSOR ||
		    hot_y >= VGPU_VIRTIO_CURSOR)
			return;
		if (res->blob ? res->size < VGPU_CURSOR_BYTES :
				res->width != VGPU_VIRTIO_CURSOR ||
				res->height != VGPU_VIRTIO_CURSOR)
			return;
		cursor.image = (struct vgpu_scanout){
			.format = DRM_FORMAT_ARGB8888,
			.width = VGPU_VIRTIO_CURSOR,
			.height = VGPU_VIRTIO_CURSOR,
			.pitch = VGPU_VIRTIO_CURSOR * 4,
			.offset = vgpu_gpu_cursor_offset(gpu, head, slot),
		};
		cursor.hot_x = hot_x;
		cursor.hot_y = hot_y;
		if (!cursor_copy(gpu, res, cursor.image.offset))
			return;
		s->slot = slot;
	}
	s->cursor = cursor;
	gpu->ops->cursor(gpu, head, &s->cursor);
}

/**
 * vgpu_gpu_move_cursor() - move a cursor
 * @gpu: the vGPU
 * @head: one that the type has
 * @x: left edge on the head
 * @y: upper edge
 */
void vgpu_gpu_move_cursor(struct vgpu_gpu *gpu, u32 head, s32 x, s32 y)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];

	s->cursor.x = cursor_position(x);
	s->cursor.y = cursor_position(y);
	gpu->ops->cursor(gpu, head, &s->cursor);
}
