/* SPDX-License-Identifier: GPL-2.0 */
/* A driver of a virtio-gpu: its rings, and the commands that it sends. */
#ifndef _UNIT_GPU_DRIVER_H
#define _UNIT_GPU_DRIVER_H

#include <uapi/linux/virtio_gpu.h>

#include "unit.h"
#include "gpu.h"

/* Where the driver has what; a buffer has a slot of each. */
#define RING		128
#define SLOTS		(RING / 4)
#define RINGS		(GPU_BASE + 0x00000)
#define REQUESTS	(GPU_BASE + 0x10000)
#define ANSWERS		(GPU_BASE + 0x20000)
#define ENTRIES		(GPU_BASE + 0x40000)
#define DATA		(GPU_BASE + 0x100000)
#define DATA_SIZE	0x100000

enum { CONTROL, CURSOR };

enum {
	OK = 0x1100, OK_INFO, OK_EDID = 0x1104, OK_UUID = 0x1105,
	UNSPEC = 0x1200, MEMORY, SCANOUT, RESOURCE, PARAMETER = 0x1205,
};

#define BGRX	VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM

FIXTURE(virtgpu)
{
	struct vgpu_profile profile;
	struct gpu_unit *u;
	u8 answer[2048];	/* behind a pointer, so that it is aligned */
	u16 avail[2], used[2];
	u32 slot[2];
	u32 in_len;		/* room for an answer */
	u32 flags;		/* of requests */
	u32 len;		/* of the answer */
	u32 id;			/* which buffer */
};

#define UNIT FIXTURE_DATA(virtgpu)

static inline u8 *at(UNIT *self, u64 iova)
{
	return self->u->memory + (iova - GPU_BASE);
}

static inline void start_ring(UNIT *self, u32 queue, u16 size)
{
	u64 base = RINGS + 0x8000 * queue;

	memset(at(self, base), 0, 0x8000);
	self->u->gpu.rings[queue] = (struct vgpu_ring){
		.desc = base,
		.avail = base + 0x2000,
		.used = base + 0x4000,
		.size = size,
		.indirect = true,
	};
	self->avail[queue] = 0;
	self->used[queue] = 0;
}

static inline void start(UNIT *self)
{
	self->u = gpu_unit_new(&self->profile);
	start_ring(self, CONTROL, RING);
	start_ring(self, CURSOR, RING);
	self->in_len = 2048;
}

FIXTURE_SETUP(virtgpu)
{
	u32 i;

	self->profile = (struct vgpu_profile){
		.fb_size = 16 * MIB,
		.num_heads = 2,
		.frl_hz = 60,
		.max_width = 640,
		.max_height = 480,
		.personality = VGPU_VIRTIO,
	};
	start(self);
	for (i = 0; i < DATA_SIZE; i++)
		at(self, DATA)[i] = i * 131 + (i >> 8) * 7 + (i >> 16) + 1;
}

/* However a test left it, nothing is left after a reset. */
FIXTURE_TEARDOWN(virtgpu)
{
	struct gpu_unit *u = self->u;
	u32 i;

	EXPECT_STREQ("", gpu_unit_fault(u) ?: "");
	vgpu_gpu_reset(&u->gpu);
	EXPECT_STREQ("", gpu_unit_fault(u) ?: "");
	EXPECT_EQ(0, u->live);
	EXPECT_EQ(0, u->gpu.nr_resources);
	EXPECT_EQ(0, u->gpu.nr_placed);
	EXPECT_EQ(0, u->gpu.nr_backing);
	EXPECT_EQ(0, u->gpu.nr_held);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, u->shown[i].format);
		EXPECT_EQ(0, u->cursor[i].image.format);
	}
	EXPECT_EQ(0, u->gpu.rings[0].size);
	gpu_unit_free(u);
}

static inline void desc(UNIT *self, u32 queue, u32 i, u64 iova, u32 len, u16 flags)
{
	u8 *p = at(self, self->u->gpu.rings[queue].desc + 16 * i);

	put_unaligned_le64(iova, p);
	put_unaligned_le32(len, p + 8);
	put_unaligned_le16(flags, p + 12);
	put_unaligned_le16(i + 1, p + 14);
}

/* Returns its number in the used ring. */
static inline u32 offer(UNIT *self, u32 queue, const void *req, u32 len, u32 entries)
{
	struct vgpu_ring *ring = &self->u->gpu.rings[queue];
	u32 slot = self->slot[queue]++ % (ring->size / 4), i = 4 * slot;
	u32 area = queue * 0x8000;
	u32 in = self->in_len;

	memcpy(at(self, REQUESTS + area + 0x400 * slot), req, len);
	desc(self, queue, i++, REQUESTS + area + 0x400 * slot, len,
	     entries || in ? 1 : 0);
	if (entries)
		desc(self, queue, i++, ENTRIES, entries, in ? 1 : 0);
	if (in)
		desc(self, queue, i, ANSWERS + 0x10000 * queue + 0x800 * slot, in, 2);
	put_unaligned_le16(4 * slot, at(self, ring->avail + 4 + 2 *
				       (self->avail[queue]++ % ring->size)));
	put_unaligned_le16(self->avail[queue], at(self, ring->avail + 2));
	return 4 * slot;
}

static inline bool take(UNIT *self, u32 queue)
{
	struct vgpu_ring *ring = &self->u->gpu.rings[queue];
	u8 *p = at(self, ring->used + 4 + 8 * (self->used[queue] % ring->size));

	if (get_unaligned_le16(at(self, ring->used + 2)) == self->used[queue])
		return false;
	self->used[queue]++;
	self->id = get_unaligned_le32(p);
	self->len = get_unaligned_le32(p + 4);
	memset(self->answer, 0, sizeof(self->answer));
	memcpy(self->answer, at(self, ANSWERS + 0x10000 * queue +
				0x800 * (self->id / 4)), self->len);
	return true;
}

static inline u32 answer(const UNIT *self)
{
	return get_unaligned_le32(self->answer);
}

/* Execute one command that is not held; what it answers. */
static inline u32 command(UNIT *self, u32 queue, const void *req, u32 len, u32 entries)
{
	int ret;

	offer(self, queue, req, len, entries);
	ret = vgpu_gpu_run(&self->u->gpu, queue, 1);
	if (ret != 1 || !take(self, queue))
		return -1;
	/* It looks at all of them, which are sometimes many. */
	if (self->u->fault || (self->u->gpu.nr_resources < 256 &&
			       gpu_unit_fault(self->u))) {
		fprintf(stderr, "# %s\n", gpu_unit_fault(self->u));
		return -2;
	}
	return self->len >= 4 ? answer(self) : 0;
}

#define HDR(t)	.hdr = { .type = (t), .flags = self->flags, .fence_id = 0x1122334455667788, \
			 .ctx_id = 0x99aabbcc, .ring_idx = 5 }
#define DO(queue, req)	command(self, queue, &(req), sizeof(req), 0)

static inline u32 create(UNIT *self, u32 id, u32 format, u32 width, u32 height)
{
	struct virtio_gpu_resource_create_2d req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D),
		.resource_id = id, .format = format,
		.width = width, .height = height,
	};

	return DO(CONTROL, req);
}

static inline u32 unref(UNIT *self, u32 id)
{
	struct virtio_gpu_resource_unref req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_UNREF), .resource_id = id,
	};

	return DO(CONTROL, req);
}

static inline void entry(UNIT *self, u32 i, u64 iova, u32 len)
{
	put_unaligned_le64(iova, at(self, ENTRIES + 16 * i));
	put_unaligned_le32(len, at(self, ENTRIES + 16 * i + 8));
	put_unaligned_le32(~0, at(self, ENTRIES + 16 * i + 12));
}

/* With @have entries in the chain. */
static inline u32 attach_of(UNIT *self, u32 id, u32 nr, u32 have)
{
	struct virtio_gpu_resource_attach_backing req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING),
		.resource_id = id, .nr_entries = nr,
	};

	return command(self, CONTROL, &req, sizeof(req), 16 * have);
}

static inline u32 attach(UNIT *self, u32 id, u32 nr)
{
	return attach_of(self, id, nr, nr);
}

static inline u32 attach_at(UNIT *self, u32 id, u64 iova, u32 len)
{
	entry(self, 0, iova, len);
	return attach(self, id, 1);
}

static inline u32 detach(UNIT *self, u32 id)
{
	struct virtio_gpu_resource_detach_backing req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING), .resource_id = id,
	};

	return DO(CONTROL, req);
}

#define RECT(...)	((struct virtio_gpu_rect){ __VA_ARGS__ })

static inline u32 transfer(UNIT *self, u32 id, struct virtio_gpu_rect r, u64 offset)
{
	struct virtio_gpu_transfer_to_host_2d req = {
		HDR(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D),
		.r = r, .offset = offset, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static inline u32 set(UNIT *self, u32 head, u32 id, struct virtio_gpu_rect r)
{
	struct virtio_gpu_set_scanout req = {
		HDR(VIRTIO_GPU_CMD_SET_SCANOUT),
		.r = r, .scanout_id = head, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static inline u32 flush(UNIT *self, u32 id, struct virtio_gpu_rect r)
{
	struct virtio_gpu_resource_flush req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_FLUSH), .r = r, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static inline u32 blob_of(UNIT *self, u32 id, u32 memory, u64 size, u32 nr, u32 have)
{
	struct virtio_gpu_resource_create_blob req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB),
		.resource_id = id, .blob_mem = memory, .size = size,
		.nr_entries = nr,
	};

	return command(self, CONTROL, &req, sizeof(req), 16 * have);
}

static inline u32 blob(UNIT *self, u32 id, u64 size, u64 iova, u32 len)
{
	entry(self, 0, iova, len);
	return blob_of(self, id, VIRTIO_GPU_BLOB_MEM_GUEST, size, 1, 1);
}

static inline u32 set_blob(UNIT *self, u32 head, u32 id, struct virtio_gpu_rect r,
			   u32 format, u32 stride, u32 offset)
{
	struct virtio_gpu_set_scanout_blob req = {
		HDR(VIRTIO_GPU_CMD_SET_SCANOUT_BLOB),
		.r = r, .scanout_id = head, .resource_id = id,
		.width = r.width, .height = r.height, .format = format,
		.strides = { stride, 1, 2, 3 }, .offsets = { offset, 1, 2, 3 },
	};

	return DO(CONTROL, req);
}

static inline u32 cursor(UNIT *self, u32 type, u32 head, u32 id, s32 x, s32 y, u32 hot_x,
			 u32 hot_y)
{
	struct virtio_gpu_update_cursor req = {
		HDR(type), .pos = { .scanout_id = head, .x = x, .y = y },
		.resource_id = id, .hot_x = hot_x, .hot_y = hot_y,
	};

	return DO(CURSOR, req);
}

#define UPDATE	VIRTIO_GPU_CMD_UPDATE_CURSOR

static inline u64 offset_of(UNIT *self, u32 id)
{
	return vgpu_resource_find(&self->u->gpu, id)->offset;
}

static inline const struct vgpu_resource *resource(UNIT *self, u32 id)
{
	return vgpu_resource_find(&self->u->gpu, id);
}

#endif /* _UNIT_GPU_DRIVER_H */
