// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a virtio-gpu as records of a migration stream.
 *
 * What has been loaded goes through the functions that the guest's commands use, or the
 * checks of these, so that it is nothing that a guest cannot bring about.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>

#include "model/event.h"
#include "model/stream/pack.h"
#include "model/stream/stream.h"
#include "model/virtio/gpu.h"
#include "model/virtio/state.h"

/* Pieces of guest memory in one record, behind what else is in it. */
#define STATE_PIECES	240

static void pack_queue(struct state_pack *pack, struct vgpu_model *model,
		       struct vgpu_gpu *gpu, u32 nr)
{
	struct vgpu_virtio_queue *queue = &model->virtio.queues[nr];
	struct vgpu_ring *ring = &gpu->rings[nr];
	bool active = ring->size;

	pack_u16(pack, &queue->size);
	pack_u16(pack, &queue->vector);
	pack_bool(pack, &queue->enabled);
	pack_bool(pack, &queue->resetting);
	pack_u64(pack, &queue->desc);
	pack_u64(pack, &queue->avail);
	pack_u64(pack, &queue->used);
	pack_bool(pack, &active);
	if (pack->load && active && !pack->bad)
		vgpu_virtio_ring(model, nr, ring);
	pack_u16(pack, &ring->avail_next);
	pack_u16(pack, &ring->used_next);
	pack_u16(pack, &ring->used_signalled);
	ring->avail_seen = ring->avail_next;
	if (active && !queue->enabled)
		pack->bad = true;
}

/**
 * vgpu_virtio_pack() - registers and queues
 * @pack: the record
 * @model: the model
 * @gpu: what executes its commands
 */
void vgpu_virtio_pack(struct state_pack *pack, struct vgpu_model *model,
		      struct vgpu_gpu *gpu)
{
	struct vgpu_virtio *v = &model->virtio;
	u32 i;

	pack_u32(pack, &v->device_select);
	pack_u32(pack, &v->driver_select);
	pack_u64(pack, &v->features);
	pack_u8(pack, &v->status);
	pack_bool(pack, &v->resetting);
	pack_u8(pack, &v->generation);
	pack_u8(pack, &v->isr);
	pack_u16(pack, &v->config_vector);
	pack_u16(pack, &v->queue_select);
	pack_u32(pack, &v->events);
	pack_u32(pack, &model->plugged);
	pack_u32(pack, &model->irq_status);
	for (i = 0; i < VGPU_VIRTIO_VECTORS * 4; i++)
		pack_u32(pack, &model->msix[i]);
	for (i = 0; i < VGPU_NR_QUEUES; i++)
		pack_queue(pack, model, gpu, i);
	if (pack->load && !(vgpu_virtio_valid(model) && vgpu_event_valid(model)))
		pack->bad = true;
}

static void pack_rect(struct state_pack *pack, struct vgpu_rect *rect)
{
	pack_u32(pack, &rect->x);
	pack_u32(pack, &rect->y);
	pack_u32(pack, &rect->width);
	pack_u32(pack, &rect->height);
}

static void pack_cursor(struct state_pack *pack, struct vgpu_cursor *cursor)
{
	u16 x = cursor->x, y = cursor->y;

	pack_scanout(pack, &cursor->image);
	pack_u16(pack, &x);
	pack_u16(pack, &y);
	pack_u16(pack, &cursor->hot_x);
	pack_u16(pack, &cursor->hot_y);
	cursor->x = (s16)x;
	cursor->y = (s16)y;
}

/* Whether a cursor is one that the commands of a guest can have made. */
static bool cursor_valid(const struct vgpu_gpu *gpu, u32 head, u32 slot,
			 const struct vgpu_cursor *cursor)
{
	if (slot >= VGPU_CURSOR_SLOTS)
		return false;
	if (!cursor->image.format)
		return vgpu_scanout_none(&cursor->image) && !cursor->hot_x &&
		       !cursor->hot_y;
	return cursor->image.offset == vgpu_gpu_cursor_offset(gpu, head, slot) &&
	       cursor->image.width == VGPU_VIRTIO_CURSOR &&
	       cursor->image.height == VGPU_VIRTIO_CURSOR &&
	       vgpu_cursor_valid(gpu->profile, cursor);
}

/* What a head shows, from a record; false for what a guest cannot bring about. */
static bool scanout_load(struct vgpu_gpu *gpu, u32 head, u32 id, u32 format,
			 const struct vgpu_rect *part, u64 offset, u32 stride)
{
	struct vgpu_resource *res = vgpu_resource_find(gpu, id);
	u32 ret;

	if (!id)
		return !gpu->scanouts[head].copy;
	if (!res)
		return false;
	if (res->blob)
		ret = vgpu_gpu_set_blob(gpu, head, res, part, format, offset,
					stride);
	else
		ret = vgpu_gpu_set_scanout(gpu, head, res, part);
	return ret == VIRTIO_GPU_RESP_OK_NODATA;
}

/**
 * vgpu_gpu_pack_scanout() - what a head shows
 * @pack: the record
 * @gpu: what executes commands; its resources are there
 * @head: one that the type has
 */
void vgpu_gpu_pack_scanout(struct state_pack *pack, struct vgpu_gpu *gpu,
			   u32 head)
{
	struct vgpu_gpu_scanout *s = &gpu->scanouts[head];
	u64 copy_size = s->copy ? s->copy->size : 0;
	u64 copy_offset = s->copy ? s->copy->offset : 0;
	u32 id = s->resource ? s->resource->id : 0;
	u32 format = s->picture.format, stride = s->blob_stride;
	u64 offset = s->blob_offset;
	struct vgpu_rect part = s->part;

	pack_u32(pack, &id);
	pack_u32(pack, &format);
	pack_rect(pack, &part);
	pack_u64(pack, &offset);
	pack_u32(pack, &stride);
	pack_u64(pack, &copy_size);
	pack_u64(pack, &copy_offset);
	pack_u32(pack, &s->slot);
	pack_cursor(pack, &s->cursor);
	if (!pack->load || pack->bad)
		return;
	if (!cursor_valid(gpu, head, s->slot, &s->cursor) ||
	    (copy_size && !vgpu_gpu_load_copy(gpu, head, copy_size, copy_offset)) ||
	    !scanout_load(gpu, head, id, format, &part, offset, stride))
		pack->bad = true;
	pack->no_memory = gpu->no_memory;
}

static void pack_piece(struct state_pack *pack, struct vgpu_resource *res, u32 i)
{
	u64 before = i ? res->backing[i - 1].end : 0;

	pack_u64(pack, &res->backing[i].iova);
	pack_u64(pack, &res->backing[i].end);
	if (res->backing[i].end <= before)
		pack->bad = true;
}

/* The resource that a record begins, or goes on with; NULL for one that cannot be. */
static struct vgpu_resource *resource_load(struct vgpu_gpu *gpu,
					   const struct vgpu_resource *want,
					   u32 first, u32 nr)
{
	struct vgpu_resource *res;

	if (!gpu->loading)
		return first ? NULL : vgpu_resource_load(gpu, want);
	res = vgpu_resource_find(gpu, want->id);
	return res && first == res->nr_backing - gpu->loading && nr &&
	       nr <= gpu->loading ? res : NULL;
}

/**
 * vgpu_gpu_pack_resource() - a resource, or more of its guest memory
 * @pack: the record
 * @gpu: what executes commands
 * @at: which one, when saving
 */
void vgpu_gpu_pack_resource(struct state_pack *pack, struct vgpu_gpu *gpu,
			    struct vgpu_resource_at *at)
{
	struct vgpu_resource value = { }, *res = NULL;
	u32 first = 0, nr = 0, i;

	if (at) {
		res = gpu->resources[at->resource];
		value = *res;
		first = at->backing;
		nr = min_t(u32, value.nr_backing - first, STATE_PIECES);
	}
	pack_u32(pack, &value.id);
	pack_u32(pack, &value.format);
	pack_u32(pack, &value.width);
	pack_u32(pack, &value.height);
	pack_u64(pack, &value.size);
	pack_u64(pack, &value.offset);
	pack_bool(pack, &value.blob);
	pack_bool(pack, &value.has_uuid);
	pack_bytes(pack, value.uuid, sizeof(value.uuid));
	pack_u32(pack, &value.nr_backing);
	pack_u32(pack, &first);
	pack_u32(pack, &nr);
	if (pack->load && !pack->bad) {
		res = resource_load(gpu, &value, first, nr);
		if (!res || nr > res->nr_backing - first ||
		    (nr < res->nr_backing && !nr))
			pack->bad = true;
		else if (!first)
			gpu->loading = res->nr_backing;
		pack->no_memory = gpu->no_memory;
	}
	for (i = first; i < first + nr && !pack->bad; i++)
		pack_piece(pack, res, i);
	if (pack->load && !pack->bad)
		gpu->loading -= nr;
}

/**
 * vgpu_gpu_save_resource() - write the next record of a resource
 * @gpu: what executes commands
 * @at: how far it has come; zeroed at first
 * @buf: where to, VGPU_RESOURCE_RECORD bytes
 *
 * Return: bytes, 0 when there is no more
 */
size_t vgpu_gpu_save_resource(struct vgpu_gpu *gpu, struct vgpu_resource_at *at,
			      void *buf)
{
	struct state_pack pack = {
		.at = (u8 *)buf + sizeof(struct vgpu_record),
		.left = VGPU_RESOURCE_RECORD - sizeof(struct vgpu_record),
	};
	const struct vgpu_resource *res;
	size_t len;

	if (at->resource == gpu->nr_resources)
		return 0;
	res = gpu->resources[at->resource];
	vgpu_gpu_pack_resource(&pack, gpu, at);
	at->backing += min_t(u32, res->nr_backing - at->backing, STATE_PIECES);
	if (at->backing == res->nr_backing) {
		at->backing = 0;
		at->resource++;
	}
	len = pack.at - (u8 *)buf;
	vgpu_record_put(buf, VGPU_TAG_RESOURCE, len - sizeof(struct vgpu_record));
	return len;
}

/**
 * vgpu_gpu_loaded() - whether no resource lacks a part of its guest memory
 * @gpu: what is to execute commands
 *
 * Return: true if so
 */
bool vgpu_gpu_loaded(const struct vgpu_gpu *gpu)
{
	return !gpu->loading;
}

/**
 * vgpu_gpu_heads() - what heads show, after a load
 * @gpu: what executes commands
 * @model: the heads' model
 */
void vgpu_gpu_heads(const struct vgpu_gpu *gpu, struct vgpu_model *model)
{
	u32 head;

	for (head = 0; head < gpu->profile->num_heads; head++) {
		struct vgpu_head *h = &model->heads[head];

		h->shown = gpu->scanouts[head].picture;
		memset(&h->next, 0, sizeof(h->next));
		h->flip = false;
		h->cursor = gpu->scanouts[head].cursor;
	}
}
