// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a virtio-gpu (virtio 1.2, section 5.7.6).
 *
 * Every command is answered, also those with errors, and with the fence that it asks
 * for: drivers wait for some answers without limit.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "compat/unaligned.h"
#include "model/virtio/gpu.h"

/* Any request; @hdr is at the beginning of each. */
union gpu_request {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_cmd_get_edid get_edid;
	struct virtio_gpu_resource_create_2d create_2d;
	struct virtio_gpu_resource_unref unref;
	struct virtio_gpu_set_scanout set_scanout;
	struct virtio_gpu_resource_flush flush;
	struct virtio_gpu_transfer_to_host_2d transfer;
	struct virtio_gpu_resource_attach_backing attach;
	struct virtio_gpu_resource_detach_backing detach;
	struct virtio_gpu_resource_assign_uuid assign_uuid;
	struct virtio_gpu_resource_create_blob create_blob;
	struct virtio_gpu_set_scanout_blob set_scanout_blob;
	struct virtio_gpu_resource_map_blob map_blob;
	struct virtio_gpu_update_cursor cursor;
};

static struct vgpu_rect gpu_rect(const struct virtio_gpu_rect *r)
{
	return (struct vgpu_rect){
		.x = le32_to_cpu(r->x),
		.y = le32_to_cpu(r->y),
		.width = le32_to_cpu(r->width),
		.height = le32_to_cpu(r->height),
	};
}

static u32 gpu_get_display_info(struct vgpu_gpu *gpu,
				const union gpu_request *req, u32 *len)
{
	struct virtio_gpu_resp_display_info *info = &gpu->answer.display_info;
	struct vgpu_monitor monitor;
	u32 head;

	/* All entries are there, however many heads the type has. */
	memset(info->pmodes, 0, sizeof(info->pmodes));
	for (head = 0; head < gpu->profile->num_heads; head++) {
		struct virtio_gpu_display_one *mode = &info->pmodes[head];

		gpu->ops->monitor(gpu, head, &monitor);
		mode->enabled = cpu_to_le32(monitor.connected);
		mode->r.width = cpu_to_le32(monitor.width);
		mode->r.height = cpu_to_le32(monitor.height);
	}
	*len = sizeof(*info);
	return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

static u32 gpu_get_edid(struct vgpu_gpu *gpu, const union gpu_request *req,
			u32 *len)
{
	struct virtio_gpu_resp_edid *edid = &gpu->answer.edid;
	u32 head = le32_to_cpu(req->get_edid.scanout);
	struct vgpu_monitor monitor;

	if (head >= gpu->profile->num_heads)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	gpu->ops->monitor(gpu, head, &monitor);
	memset(edid, 0, sizeof(*edid));
	edid->size = cpu_to_le32(monitor.edid_size);
	memcpy(edid->edid, monitor.edid, monitor.edid_size);
	*len = sizeof(*edid);
	return VIRTIO_GPU_RESP_OK_EDID;
}

static u32 gpu_create_2d(struct vgpu_gpu *gpu, const union gpu_request *req,
			 u32 *len)
{
	struct vgpu_resource want = {
		.id = le32_to_cpu(req->create_2d.resource_id),
		.format = vgpu_virtio_format(le32_to_cpu(req->create_2d.format)),
		.width = le32_to_cpu(req->create_2d.width),
		.height = le32_to_cpu(req->create_2d.height),
	};
	struct vgpu_resource *res;

	if (!want.format || !want.width || !want.height)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if (want.width > VGPU_MAX_SIDE || want.height > VGPU_MAX_SIDE)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	if ((u64)want.width * want.height > gpu->profile->fb_size / 4)
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	want.size = 4ULL * want.width * want.height;
	return vgpu_resource_create(gpu, &want, &res);
}

static u32 gpu_unref(struct vgpu_gpu *gpu, const union gpu_request *req,
		     u32 *len)
{
	struct vgpu_resource *res =
		vgpu_resource_find(gpu, le32_to_cpu(req->unref.resource_id));

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	vgpu_resource_destroy(gpu, res);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static u32 gpu_attach(struct vgpu_gpu *gpu, const union gpu_request *req,
		      u32 *len)
{
	struct vgpu_resource *res =
		vgpu_resource_find(gpu, le32_to_cpu(req->attach.resource_id));

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (res->backing)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	return vgpu_resource_attach(gpu, res, sizeof(req->attach),
				    le32_to_cpu(req->attach.nr_entries));
}

static u32 gpu_detach(struct vgpu_gpu *gpu, const union gpu_request *req,
		      u32 *len)
{
	struct vgpu_resource *res =
		vgpu_resource_find(gpu, le32_to_cpu(req->detach.resource_id));

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!res->backing)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	vgpu_resource_detach(gpu, res);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Content of a blob is in guest memory already. */
static u32 gpu_transfer(struct vgpu_gpu *gpu, const union gpu_request *req,
			u32 *len)
{
	struct vgpu_resource *res =
		vgpu_resource_find(gpu, le32_to_cpu(req->transfer.resource_id));
	struct vgpu_rect r = gpu_rect(&req->transfer.r);
	u64 from = le64_to_cpu(req->transfer.offset);
	struct vgpu_lines lines;
	u64 pitch, n;

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (res->blob)
		return VIRTIO_GPU_RESP_OK_NODATA;
	if (!res->backing)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (r.width > res->width || r.x > res->width - r.width ||
	    r.height > res->height || r.y > res->height - r.height)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	pitch = 4ULL * res->width;
	n = 4ULL * r.width;
	if (!n || !r.height)
		return VIRTIO_GPU_RESP_OK_NODATA;
	/* As in the resource, the lines are a pitch apart from @from on. */
	if (from > U64_MAX - pitch * r.height ||
	    from + pitch * (r.height - 1) + n >
	    res->backing[res->nr_backing - 1].end)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	lines = (struct vgpu_lines){
		.from = from,
		.from_pitch = pitch,
		.to = res->offset + r.y * pitch + 4ULL * r.x,
		.to_pitch = pitch,
		.len = n,
		.nr = r.height,
	};
	return vgpu_resource_upload(gpu, res, &lines) ?
	       VIRTIO_GPU_RESP_ERR_UNSPEC : VIRTIO_GPU_RESP_OK_NODATA;
}

/*
 * The resource that a head is to show.  VIRTIO_GPU_RESP_OK_NODATA without one means that
 * there is nothing left to do: a resource of 0 turns the head off.
 */
static u32 gpu_scanout_resource(struct vgpu_gpu *gpu, u32 head, u32 id,
				bool blob, struct vgpu_resource **res)
{
	*res = NULL;
	if (head >= gpu->profile->num_heads)
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	if (!id) {
		vgpu_gpu_scanout_off(gpu, head);
		return VIRTIO_GPU_RESP_OK_NODATA;
	}
	*res = vgpu_resource_find(gpu, id);
	if (!*res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	return (*res)->blob == blob ? VIRTIO_GPU_RESP_OK_NODATA :
				      VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

static u32 gpu_set_scanout(struct vgpu_gpu *gpu, const union gpu_request *req,
			   u32 *len)
{
	u32 head = le32_to_cpu(req->set_scanout.scanout_id);
	struct vgpu_rect rect = gpu_rect(&req->set_scanout.r);
	struct vgpu_resource *res;
	u32 ret;

	ret = gpu_scanout_resource(gpu, head,
				   le32_to_cpu(req->set_scanout.resource_id),
				   false, &res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA || !res)
		return ret;
	return vgpu_gpu_set_scanout(gpu, head, res, &rect);
}

static u32 gpu_set_scanout_blob(struct vgpu_gpu *gpu,
				const union gpu_request *req, u32 *len)
{
	const struct virtio_gpu_set_scanout_blob *set = &req->set_scanout_blob;
	u32 head = le32_to_cpu(set->scanout_id);
	struct vgpu_rect rect = gpu_rect(&set->r);
	struct vgpu_resource *res;
	u32 ret;

	ret = gpu_scanout_resource(gpu, head, le32_to_cpu(set->resource_id),
				   true, &res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA || !res)
		return ret;
	return vgpu_gpu_set_blob(gpu, head, res, &rect,
				 vgpu_virtio_format(le32_to_cpu(set->format)),
				 le32_to_cpu(set->offsets[0]),
				 le32_to_cpu(set->strides[0]));
}

static u32 gpu_flush(struct vgpu_gpu *gpu, const union gpu_request *req,
		     u32 *len)
{
	struct vgpu_resource *res =
		vgpu_resource_find(gpu, le32_to_cpu(req->flush.resource_id));
	struct vgpu_rect rect = gpu_rect(&req->flush.r);

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	gpu->hold = vgpu_gpu_flush(gpu, res, &rect) && gpu->limited;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/* Only memory of the guest: what the host has is for contexts. */
static u32 gpu_create_blob(struct vgpu_gpu *gpu, const union gpu_request *req,
			   u32 *len)
{
	const struct virtio_gpu_resource_create_blob *blob = &req->create_blob;
	struct vgpu_resource want = {
		.id = le32_to_cpu(blob->resource_id),
		.size = le64_to_cpu(blob->size),
		.blob = true,
	};
	struct vgpu_resource *res;
	u32 ret;

	if (le32_to_cpu(blob->blob_mem) != VIRTIO_GPU_BLOB_MEM_GUEST ||
	    !want.size)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	ret = vgpu_resource_create(gpu, &want, &res);
	if (ret != VIRTIO_GPU_RESP_OK_NODATA)
		return ret;
	ret = vgpu_resource_attach(gpu, res, sizeof(*blob),
				   le32_to_cpu(blob->nr_entries));
	if (ret != VIRTIO_GPU_RESP_OK_NODATA)
		vgpu_resource_destroy(gpu, res);
	return ret;
}

/* There is no memory of the host in a blob that could be mapped. */
static u32 gpu_map_blob(struct vgpu_gpu *gpu, const union gpu_request *req,
			u32 *len)
{
	u32 id = le32_to_cpu(req->map_blob.resource_id);

	return vgpu_resource_find(gpu, id) ?
	       VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER :
	       VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
}

static u32 gpu_assign_uuid(struct vgpu_gpu *gpu, const union gpu_request *req,
			   u32 *len)
{
	u32 id = le32_to_cpu(req->assign_uuid.resource_id);
	struct vgpu_resource *res = vgpu_resource_find(gpu, id);

	if (!res)
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	if (!res->has_uuid)
		gpu->ops->uuid(gpu, res->uuid);
	res->has_uuid = true;
	memcpy(gpu->answer.uuid.uuid, res->uuid, sizeof(res->uuid));
	*len = sizeof(gpu->answer.uuid);
	return VIRTIO_GPU_RESP_OK_RESOURCE_UUID;
}

static u32 gpu_no_capset(struct vgpu_gpu *gpu, const union gpu_request *req,
			 u32 *len)
{
	return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
}

/* Numbers beyond 32 bits are none that a head can have, whatever the guest meant. */
static u32 gpu_cursor(struct vgpu_gpu *gpu, const union gpu_request *req,
		      u32 *len)
{
	const struct virtio_gpu_update_cursor *cursor = &req->cursor;
	u32 head = le32_to_cpu(cursor->pos.scanout_id);
	s32 x = le32_to_cpu(cursor->pos.x), y = le32_to_cpu(cursor->pos.y);

	if (head >= gpu->profile->num_heads)
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	if (le32_to_cpu(cursor->hdr.type) == VIRTIO_GPU_CMD_MOVE_CURSOR)
		vgpu_gpu_move_cursor(gpu, head, x, y);
	else
		vgpu_gpu_update_cursor(gpu, head,
				       le32_to_cpu(cursor->resource_id), x, y,
				       le32_to_cpu(cursor->hot_x),
				       le32_to_cpu(cursor->hot_y));
	return VIRTIO_GPU_RESP_OK_NODATA;
}

/**
 * struct gpu_command - a command
 * @type: VIRTIO_GPU_CMD_*
 * @size: bytes of its request
 * @execute: the answer's type; the rest of an answer that has more than a header is in
 *	vgpu_gpu.answer, and its length in @len
 */
struct gpu_command {
	u32 type;
	u32 size;
	u32 (*execute)(struct vgpu_gpu *gpu, const union gpu_request *req,
		       u32 *len);
};

static const struct gpu_command gpu_control_commands[] = {
	{ VIRTIO_GPU_CMD_RESOURCE_FLUSH,
	  sizeof(struct virtio_gpu_resource_flush), gpu_flush },
	{ VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
	  sizeof(struct virtio_gpu_transfer_to_host_2d), gpu_transfer },
	{ VIRTIO_GPU_CMD_SET_SCANOUT_BLOB,
	  sizeof(struct virtio_gpu_set_scanout_blob), gpu_set_scanout_blob },
	{ VIRTIO_GPU_CMD_SET_SCANOUT,
	  sizeof(struct virtio_gpu_set_scanout), gpu_set_scanout },
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
	  sizeof(struct virtio_gpu_resource_create_blob), gpu_create_blob },
	{ VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
	  sizeof(struct virtio_gpu_resource_create_2d), gpu_create_2d },
	{ VIRTIO_GPU_CMD_RESOURCE_UNREF,
	  sizeof(struct virtio_gpu_resource_unref), gpu_unref },
	{ VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
	  sizeof(struct virtio_gpu_resource_attach_backing), gpu_attach },
	{ VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
	  sizeof(struct virtio_gpu_resource_detach_backing), gpu_detach },
	{ VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	  sizeof(struct virtio_gpu_ctrl_hdr), gpu_get_display_info },
	{ VIRTIO_GPU_CMD_GET_EDID,
	  sizeof(struct virtio_gpu_cmd_get_edid), gpu_get_edid },
	{ VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID,
	  sizeof(struct virtio_gpu_resource_assign_uuid), gpu_assign_uuid },
	{ VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB,
	  sizeof(struct virtio_gpu_resource_map_blob), gpu_map_blob },
	{ VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB,
	  sizeof(struct virtio_gpu_resource_unmap_blob), gpu_map_blob },
	{ VIRTIO_GPU_CMD_GET_CAPSET_INFO,
	  sizeof(struct virtio_gpu_get_capset_info), gpu_no_capset },
	{ VIRTIO_GPU_CMD_GET_CAPSET,
	  sizeof(struct virtio_gpu_get_capset), gpu_no_capset },
	{ }
};

static const struct gpu_command gpu_cursor_commands[] = {
	{ VIRTIO_GPU_CMD_MOVE_CURSOR,
	  sizeof(struct virtio_gpu_update_cursor), gpu_cursor },
	{ VIRTIO_GPU_CMD_UPDATE_CURSOR,
	  sizeof(struct virtio_gpu_update_cursor), gpu_cursor },
	{ }
};

static const struct gpu_command *const gpu_commands[VGPU_NR_QUEUES] = {
	[VGPU_QUEUE_CONTROL] = gpu_control_commands,
	[VGPU_QUEUE_CURSOR] = gpu_cursor_commands,
};

/* The answer's type; @len is that of the answer. */
static u32 gpu_execute(struct vgpu_gpu *gpu, u32 queue, union gpu_request *req,
		       u32 *len)
{
	const struct gpu_command *command;
	size_t have = min_t(u64, gpu->chain.out_len, sizeof(*req));
	u32 type;

	*len = sizeof(req->hdr);
	memset(req, 0, sizeof(*req));
	if (have < sizeof(req->hdr) ||
	    vgpu_chain_read(&gpu->chain, &gpu->host, 0, req, have)) {
		memset(req, 0, sizeof(*req));
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	type = le32_to_cpu(req->hdr.type);
	for (command = gpu_commands[queue]; command->type; command++)
		if (command->type == type)
			break;
	/* A double-bit error stops all that could spread its content. */
	if (!command->type || !gpu->runs)
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	if (have < command->size)
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	return command->execute(gpu, req, len);
}

/*
 * Execute the buffer in vgpu_gpu.chain, and write the answer to it.  Returns how many
 * bytes: drivers without interrupts of the cursor queue give no room for any.
 */
static u32 gpu_answer(struct vgpu_gpu *gpu, u32 queue, bool *fence)
{
	struct virtio_gpu_ctrl_hdr *hdr = &gpu->answer.hdr;
	union gpu_request req;
	u32 len, type, flags;

	gpu->hold = false;
	type = gpu_execute(gpu, queue, &req, &len);
	flags = le32_to_cpu(req.hdr.flags) &
		(VIRTIO_GPU_FLAG_FENCE | VIRTIO_GPU_FLAG_INFO_RING_IDX);
	*fence = flags & VIRTIO_GPU_FLAG_FENCE;
	memset(hdr, 0, sizeof(*hdr));
	hdr->type = cpu_to_le32(type);
	if (*fence) {
		hdr->flags = cpu_to_le32(flags);
		hdr->fence_id = req.hdr.fence_id;
		hdr->ctx_id = req.hdr.ctx_id;
		hdr->ring_idx = req.hdr.ring_idx;
	}
	len = min_t(u64, len, gpu->chain.in_len);
	/* For memory that is none there is no further answer. */
	if (vgpu_chain_write(&gpu->chain, &gpu->host, 0, hdr, len))
		return 0;
	return len;
}

/**
 * vgpu_gpu_run() - execute what is in a queue
 * @gpu: the vGPU
 * @queue: enum vgpu_virtio_queue_nr
 * @most: how many buffers
 *
 * A buffer that waits for the end of a frame, and fences behind it, are not given back
 * before vgpu_gpu_release(): fences of a queue are in order.
 *
 * Return: 1 when there may be more; 0 when the queue is empty; a negative errno when the
 * driver broke the rules, or the queue cannot be reached
 */
int vgpu_gpu_run(struct vgpu_gpu *gpu, u32 queue, u32 most)
{
	struct vgpu_ring *ring = &gpu->rings[queue];
	bool fence;
	int ret;
	u32 len;

	while (most--) {
		if (gpu->ops->gone(gpu))
			return 1;
		ret = vgpu_ring_pop(ring, &gpu->host, &gpu->chain);
		if (ret <= 0)
			return ret;
		len = gpu_answer(gpu, queue, &fence);
		if (gpu->hold || (fence && gpu->nr_held &&
				  queue == VGPU_QUEUE_CONTROL)) {
			/* More than there are descriptors. */
			if (gpu->nr_held == ring->size)
				return -EINVAL;
			gpu->held[gpu->nr_held].head = gpu->chain.head;
			gpu->held[gpu->nr_held++].len = len;
			continue;
		}
		ret = vgpu_ring_push(ring, &gpu->host, gpu->chain.head, len);
		if (ret)
			return ret;
	}
	return 1;
}

/**
 * vgpu_gpu_release() - a frame has ended: give back what waited for that
 * @gpu: the vGPU
 *
 * Return: 0, or a negative errno when the queue cannot be reached
 */
int vgpu_gpu_release(struct vgpu_gpu *gpu)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < gpu->nr_held && !ret; i++)
		ret = vgpu_ring_push(&gpu->rings[VGPU_QUEUE_CONTROL],
				     &gpu->host, gpu->held[i].head,
				     gpu->held[i].len);
	gpu->nr_held = 0;
	return ret;
}

/**
 * vgpu_gpu_reset() - forget all
 * @gpu: the vGPU: no resources, no buffers; heads show nothing
 */
void vgpu_gpu_reset(struct vgpu_gpu *gpu)
{
	u32 head;

	for (head = 0; head < gpu->profile->num_heads; head++) {
		vgpu_gpu_scanout_off(gpu, head);
		if (gpu->scanouts[head].cursor.image.format)
			vgpu_gpu_update_cursor(gpu, head, 0, 0, 0, 0, 0);
	}
	vgpu_resources_reset(gpu);
	memset(gpu->scanouts, 0, sizeof(gpu->scanouts));
	memset(gpu->rings, 0, sizeof(gpu->rings));
	gpu->nr_held = 0;
}
