// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a virtio-gpu: each at its edges, from a driver that keeps the rules and
 * from one that does not.
 */
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

static u8 *at(UNIT *self, u64 iova)
{
	return self->u->memory + (iova - GPU_BASE);
}

static void start_ring(UNIT *self, u32 queue, u16 size)
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

static void start(UNIT *self)
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

static void desc(UNIT *self, u32 queue, u32 i, u64 iova, u32 len, u16 flags)
{
	u8 *p = at(self, self->u->gpu.rings[queue].desc + 16 * i);

	put_unaligned_le64(iova, p);
	put_unaligned_le32(len, p + 8);
	put_unaligned_le16(flags, p + 12);
	put_unaligned_le16(i + 1, p + 14);
}

/* Returns its number in the used ring. */
static u32 offer(UNIT *self, u32 queue, const void *req, u32 len, u32 entries)
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

static bool take(UNIT *self, u32 queue)
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

static u32 answer(const UNIT *self)
{
	return get_unaligned_le32(self->answer);
}

/* Execute one command that is not held; what it answers. */
static u32 command(UNIT *self, u32 queue, const void *req, u32 len, u32 entries)
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

static u32 create(UNIT *self, u32 id, u32 format, u32 width, u32 height)
{
	struct virtio_gpu_resource_create_2d req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_CREATE_2D),
		.resource_id = id, .format = format,
		.width = width, .height = height,
	};

	return DO(CONTROL, req);
}

static u32 unref(UNIT *self, u32 id)
{
	struct virtio_gpu_resource_unref req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_UNREF), .resource_id = id,
	};

	return DO(CONTROL, req);
}

static void entry(UNIT *self, u32 i, u64 iova, u32 len)
{
	put_unaligned_le64(iova, at(self, ENTRIES + 16 * i));
	put_unaligned_le32(len, at(self, ENTRIES + 16 * i + 8));
	put_unaligned_le32(~0, at(self, ENTRIES + 16 * i + 12));
}

/* With @have entries in the chain. */
static u32 attach_of(UNIT *self, u32 id, u32 nr, u32 have)
{
	struct virtio_gpu_resource_attach_backing req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING),
		.resource_id = id, .nr_entries = nr,
	};

	return command(self, CONTROL, &req, sizeof(req), 16 * have);
}

static u32 attach(UNIT *self, u32 id, u32 nr)
{
	return attach_of(self, id, nr, nr);
}

static u32 attach_at(UNIT *self, u32 id, u64 iova, u32 len)
{
	entry(self, 0, iova, len);
	return attach(self, id, 1);
}

static u32 detach(UNIT *self, u32 id)
{
	struct virtio_gpu_resource_detach_backing req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING), .resource_id = id,
	};

	return DO(CONTROL, req);
}

#define RECT(...)	((struct virtio_gpu_rect){ __VA_ARGS__ })

static u32 transfer(UNIT *self, u32 id, struct virtio_gpu_rect r, u64 offset)
{
	struct virtio_gpu_transfer_to_host_2d req = {
		HDR(VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D),
		.r = r, .offset = offset, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static u32 set(UNIT *self, u32 head, u32 id, struct virtio_gpu_rect r)
{
	struct virtio_gpu_set_scanout req = {
		HDR(VIRTIO_GPU_CMD_SET_SCANOUT),
		.r = r, .scanout_id = head, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static u32 flush(UNIT *self, u32 id, struct virtio_gpu_rect r)
{
	struct virtio_gpu_resource_flush req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_FLUSH), .r = r, .resource_id = id,
	};

	return DO(CONTROL, req);
}

static u32 blob_of(UNIT *self, u32 id, u32 memory, u64 size, u32 nr, u32 have)
{
	struct virtio_gpu_resource_create_blob req = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB),
		.resource_id = id, .blob_mem = memory, .size = size,
		.nr_entries = nr,
	};

	return command(self, CONTROL, &req, sizeof(req), 16 * have);
}

static u32 blob(UNIT *self, u32 id, u64 size, u64 iova, u32 len)
{
	entry(self, 0, iova, len);
	return blob_of(self, id, VIRTIO_GPU_BLOB_MEM_GUEST, size, 1, 1);
}

static u32 set_blob(UNIT *self, u32 head, u32 id, struct virtio_gpu_rect r,
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

static u32 cursor(UNIT *self, u32 type, u32 head, u32 id, s32 x, s32 y, u32 hot_x,
		  u32 hot_y)
{
	struct virtio_gpu_update_cursor req = {
		HDR(type), .pos = { .scanout_id = head, .x = x, .y = y },
		.resource_id = id, .hot_x = hot_x, .hot_y = hot_y,
	};

	return DO(CURSOR, req);
}

#define UPDATE	VIRTIO_GPU_CMD_UPDATE_CURSOR
#define MOVE	VIRTIO_GPU_CMD_MOVE_CURSOR

static u64 offset_of(UNIT *self, u32 id)
{
	return vgpu_resource_find(&self->u->gpu, id)->offset;
}

TEST_F(virtgpu, ids)
{
	static const u32 ids[] = { 5, 1, ~0U, 3, 2, 0x80000000, 4 };
	u32 i;

	EXPECT_EQ(RESOURCE, create(self, 0, BGRX, 1, 1));
	EXPECT_EQ(RESOURCE, blob(self, 0, 4096, DATA, 4096));
	EXPECT_EQ(RESOURCE, unref(self, 0));
	EXPECT_EQ(0, self->u->gpu.nr_resources);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(RESOURCE, unref(self, ids[i]));
		EXPECT_EQ(OK, i % 2 ? create(self, ids[i], BGRX, 1, 1) :
				      blob(self, ids[i], 1, DATA, 1));
		EXPECT_EQ(RESOURCE, create(self, ids[i], BGRX, 2, 2));
		EXPECT_EQ(RESOURCE, blob(self, ids[i], 4096, DATA, 4096));
		EXPECT_EQ(i + 1, self->u->gpu.nr_resources);
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(OK, unref(self, ids[i]));
		EXPECT_EQ(RESOURCE, unref(self, ids[i]));
		EXPECT_EQ(OK, create(self, ids[i], BGRX, 3, 3));
		EXPECT_EQ(OK, unref(self, ids[i]));
	}
	EXPECT_EQ(2, self->u->live);
}

/* Of each command that has an id. */
TEST_F(virtgpu, unknown_ids)
{
	struct virtio_gpu_rect r = { 0, 0, 1, 1 };
	struct virtio_gpu_resource_map_blob map = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB), .resource_id = 7,
	};
	struct virtio_gpu_resource_assign_uuid uuid = {
		HDR(VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID), .resource_id = 7,
	};

	ASSERT_EQ(OK, create(self, 6, BGRX, 1, 1));
	ASSERT_EQ(OK, create(self, 8, BGRX, 1, 1));
	EXPECT_EQ(RESOURCE, attach_at(self, 7, DATA, 4));
	EXPECT_EQ(RESOURCE, detach(self, 7));
	EXPECT_EQ(RESOURCE, transfer(self, 7, r, 0));
	EXPECT_EQ(RESOURCE, set(self, 0, 7, r));
	EXPECT_EQ(RESOURCE, flush(self, 7, r));
	EXPECT_EQ(RESOURCE, set_blob(self, 0, 7, r, BGRX, 4, 0));
	EXPECT_EQ(RESOURCE, DO(CONTROL, map));
	map.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB;
	EXPECT_EQ(RESOURCE, DO(CONTROL, map));
	EXPECT_EQ(RESOURCE, DO(CONTROL, uuid));
	EXPECT_EQ(0, self->u->shows[0]);
	/* What is in guest memory is not mapped. */
	ASSERT_EQ(OK, blob(self, 7, 4096, DATA, 4096));
	EXPECT_EQ(PARAMETER, DO(CONTROL, map));
	map.hdr.type = VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB;
	EXPECT_EQ(PARAMETER, DO(CONTROL, map));
}

TEST_F(virtgpu, formats)
{
	static const struct {
		u32 format, shown;
	} formats[] = {
		{ 1, REF_FOURCC('X', 'R', '2', '4') },		/* BGRA */
		{ 2, REF_FOURCC('X', 'R', '2', '4') },		/* BGRX */
		{ 3, REF_FOURCC('B', 'X', '2', '4') },		/* ARGB */
		{ 4, REF_FOURCC('B', 'X', '2', '4') },		/* XRGB */
		{ 67, REF_FOURCC('X', 'B', '2', '4') },		/* RGBA */
		{ 68, REF_FOURCC('R', 'X', '2', '4') },		/* XBGR */
		{ 121, REF_FOURCC('R', 'X', '2', '4') },	/* ABGR */
		{ 134, REF_FOURCC('X', 'B', '2', '4') },	/* RGBX */
	};
	struct virtio_gpu_rect r = { 0, 0, 16, 16 };
	u32 format, i = 0, id = 1;

	for (format = 0; format < 1024; format++, id += 2) {
		bool good = i < ARRAY_SIZE(formats) && format == formats[i].format;

		ASSERT_EQ(good ? OK : PARAMETER, create(self, id, format, 16, 16));
		ASSERT_EQ(OK, blob(self, id + 1, 4096, DATA, 4096));
		ASSERT_EQ(good ? OK : PARAMETER,
			  set_blob(self, 1, id + 1, r, format, 64, 0));
		if (good) {
			ASSERT_EQ(OK, set(self, 0, id, r));
			EXPECT_EQ(formats[i].shown, self->u->shown[0].format);
			EXPECT_EQ(formats[i].shown, self->u->shown[1].format);
			i++;
		}
		ASSERT_EQ(OK, unref(self, id + 1));
	}
	EXPECT_EQ(ARRAY_SIZE(formats), i);
	EXPECT_EQ(PARAMETER, create(self, 9999, ~0, 16, 16));
	EXPECT_EQ(PARAMETER, create(self, 9999, 0x80000002, 16, 16));
}

TEST_F(virtgpu, sizes)
{
	/* 16 MiB less 256 KiB, in pixels. */
	const u32 most = (16 * MIB - 256 * 1024) / 4;
	static const struct {
		u32 width, height, answer;
	} sizes[] = {
		{ 0, 1, PARAMETER }, { 1, 0, PARAMETER }, { 0, 0, PARAMETER },
		{ 0, ~0U, PARAMETER }, { ~0U, 0, PARAMETER },
		{ 1, 1, OK }, { 1, 4095, OK }, { 4095, 1, OK },
		{ ~0U, 1, PARAMETER }, { 1, ~0U, PARAMETER },
		{ ~0U, ~0U, PARAMETER }, { 0x80000000, 2, PARAMETER },
		{ 2, 0x80000000, PARAMETER }, { 0x10000, 0x10000, PARAMETER },
		{ 0x40000000, 4, PARAMETER }, { 0x40000001, 4, PARAMETER },
		{ 16385, 1, PARAMETER }, { 1, 16385, PARAMETER },
		{ 16384, 1, OK }, { 1, 16384, OK }, { 16384, 16384, MEMORY },
		{ 2048, 2048, MEMORY },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(sizes[i].answer, create(self, 1, BGRX, sizes[i].width,
						  sizes[i].height))
			TH_LOG("%u x %u", sizes[i].width, sizes[i].height);
		EXPECT_EQ(sizes[i].answer == OK ? OK : RESOURCE, unref(self, 1));
	}
	EXPECT_EQ(MEMORY, create(self, 1, BGRX, 1024, most / 1024 + 1));
	EXPECT_EQ(OK, create(self, 1, BGRX, 1024, most / 1024));
	EXPECT_EQ(MEMORY, create(self, 2, BGRX, 1, 1));
	/* Blobs are in guest memory. */
	EXPECT_EQ(OK, blob(self, 2, ~0ULL, DATA, 4096));
	EXPECT_EQ(OK, unref(self, 1));
	EXPECT_EQ(OK, create(self, 1, BGRX, 1, 1));
}

/* The first room that is large enough, in whole pages, with nothing left in it. */
TEST_F(virtgpu, placement)
{
	const u32 pages = (16 * MIB - 256 * 1024) / 4096;
	u32 i;

	for (i = 0; i < pages; i++) {
		ASSERT_EQ(OK, create(self, 1 + i, BGRX, 32, i % 2 ? 32 : 1));
		ASSERT_EQ(4096ULL * i, offset_of(self, 1 + i));
	}
	EXPECT_EQ(MEMORY, create(self, 9999, BGRX, 1, 1));
	memset(self->u->fb, 0xee, self->u->profile.fb_size);
	/* Every second is free, which is half of it, but not for two pages. */
	for (i = 0; i < pages; i += 2)
		ASSERT_EQ(OK, unref(self, 1 + i));
	EXPECT_EQ(MEMORY, create(self, 9999, BGRX, 1025, 1));
	EXPECT_EQ(OK, create(self, 9999, BGRX, 1024, 1));
	EXPECT_EQ(0, offset_of(self, 9999));
	for (i = 0; i < 4096; i++)
		ASSERT_EQ(0, self->u->fb[i]);
	EXPECT_EQ(0xee, self->u->fb[4096]);
	EXPECT_EQ(OK, unref(self, 2 + 200));
	EXPECT_EQ(OK, create(self, 10000, BGRX, 1025, 1));
	EXPECT_EQ(4096 * 200, offset_of(self, 10000));
	/* Three free pages at the end take three, and not four. */
	EXPECT_EQ(OK, unref(self, pages));
	EXPECT_EQ(OK, unref(self, pages - 2));
	EXPECT_EQ(MEMORY, create(self, 10001, BGRX, 1024, 5));
	EXPECT_EQ(OK, create(self, 10001, BGRX, 1024, 4));
	EXPECT_EQ(4096 * (pages - 4), offset_of(self, 10001));
}

TEST_F(virtgpu, most_resources)
{
	u32 i;

	for (i = 1; i <= 16384; i++) {
		offer(self, CONTROL, &(struct virtio_gpu_resource_create_blob){
			.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
			.resource_id = i * 7919, .size = 4096,
			.blob_mem = VIRTIO_GPU_BLOB_MEM_GUEST }, 56, 0);
		ASSERT_EQ(1, vgpu_gpu_run(&self->u->gpu, CONTROL, 1));
		ASSERT_TRUE(take(self, CONTROL));
		ASSERT_EQ(OK, answer(self));
	}
	EXPECT_EQ(MEMORY, blob(self, 1, 4096, DATA, 4096));
	EXPECT_EQ(MEMORY, create(self, 1, BGRX, 1, 1));
	/* A head has room for a copy all the same. */
	EXPECT_EQ(OK, set_blob(self, 0, 7919, RECT(0, 0, 32, 32), BGRX, 128, 0));
	EXPECT_EQ(OK, set_blob(self, 1, 7919, RECT(0, 0, 32, 32), BGRX, 128, 0));
	EXPECT_EQ(OK, unref(self, 2 * 7919));
	EXPECT_EQ(OK, create(self, 1, BGRX, 1, 1));
	EXPECT_EQ(MEMORY, create(self, 2, BGRX, 1, 1));
}

/* Copies of four heads besides as many resources as there is room for. */
TEST_F(virtgpu, copies_have_room)
{
	u32 i, head;

	self->u->profile.num_heads = 4;
	for (i = 1; i <= 32; i++)
		ASSERT_EQ(OK, i < 32 ? create(self, i, BGRX, 1, 1) :
				       blob(self, i, 65536, DATA, 65536));
	for (head = 0; head < 4; head++)
		ASSERT_EQ(OK, set_blob(self, head, 32, RECT(0, 0, 64, 64), BGRX,
				       256, 0));
	for (i = 33; i <= 64; i++)
		ASSERT_EQ(OK, create(self, i, BGRX, 1, 1));
	for (head = 0; head < 4; head++)
		ASSERT_EQ(OK, set_blob(self, head, 32, RECT(0, 0, 128, 128), BGRX,
				       512, 0));
	for (i = 65; i <= 200; i++)
		ASSERT_EQ(OK, create(self, i, BGRX, 1, 1));
}

/* Tables that have grown stay so. */
static u32 tables_apart(const struct gpu_unit *u)
{
	return u->live - 2 * !!u->gpu.room;
}

/* Each allocation fails once; nothing is different then but what is not there. */
TEST_F(virtgpu, out_of_memory)
{
	struct gpu_unit *u = self->u;
	u32 step, nth, was, live;

	for (step = 0; step < 6; step++) {
		for (nth = 1; ; nth++) {
			u32 ret = 0;

			was = u->gpu.nr_resources;
			live = tables_apart(u);
			u->fail = u->allocs + nth;
			switch (step) {
			case 0:
				ret = create(self, 1, BGRX, 64, 64);
				break;
			case 1:
				ret = attach_at(self, 1, DATA, 65536);
				break;
			case 2:
				ret = blob(self, 2, 65536, DATA, 65536);
				break;
			case 3:
				ret = set_blob(self, 0, 2, RECT(0, 0, 64, 64), BGRX,
					       256, 0);
				break;
			case 4:
				ret = create(self, 100 + was, BGRX, 1, 1);
				if (ret == OK && u->allocs < u->fail)
					ret = 0;
				break;
			case 5:
				ret = set_blob(self, 0, 2, RECT(0, 0, 128, 128), BGRX,
					       512, 0);
				break;
			}
			if (step == 4 && !ret) {
				/* Until the tables have to grow. */
				nth--;
				ASSERT_GT(100, u->gpu.nr_resources);
				if (u->gpu.nr_resources == 80)
					break;
				continue;
			}
			if (ret == OK)
				break;
			ASSERT_EQ(MEMORY, ret);
			ASSERT_EQ(was, u->gpu.nr_resources);
			ASSERT_GE(live, tables_apart(u));
		}
		if (step != 4)
			EXPECT_LT(1, nth)
				TH_LOG("step %u", step);
	}
	u->fail = 0;
	/* The framebuffer can fail, too. */
	u->fb_broken = true;
	EXPECT_EQ(MEMORY, create(self, 50, BGRX, 64, 64));
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 64, 64), 0));
	u->fb_broken = false;
	EXPECT_EQ(OK, create(self, 50, BGRX, 64, 64));
}

static const struct vgpu_resource *resource(UNIT *self, u32 id)
{
	return vgpu_resource_find(&self->u->gpu, id);
}

TEST_F(virtgpu, attach)
{
	const struct vgpu_resource *res;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	res = resource(self, 1);
	EXPECT_EQ(UNSPEC, detach(self, 1));
	/* Nothing is as if it had not been attached. */
	EXPECT_EQ(OK, attach(self, 1, 0));
	EXPECT_EQ(UNSPEC, detach(self, 1));
	entry(self, 0, DATA, 0);
	entry(self, 1, DATA + 9, 0);
	EXPECT_EQ(OK, attach(self, 1, 2));
	EXPECT_EQ(NULL, res->backing);
	/* Adjacent ones are one, whatever they begin with; those of nothing are none. */
	entry(self, 0, DATA + 100, 0);
	entry(self, 1, DATA, 100);
	entry(self, 2, DATA + 7, 0);
	entry(self, 3, DATA + 100, 1);
	entry(self, 4, DATA + 101, 99);
	entry(self, 5, DATA + 300, 50);
	entry(self, 6, DATA + 350, 50);
	entry(self, 7, DATA + 399, 1);
	entry(self, 8, DATA + 400, 2);
	entry(self, 9, DATA + 401, 3);
	EXPECT_EQ(OK, attach(self, 1, 10));
	ASSERT_EQ(4, res->nr_backing);
	EXPECT_EQ(4, self->u->gpu.nr_backing);
	EXPECT_EQ(DATA, res->backing[0].iova);
	EXPECT_EQ(200, res->backing[0].end);
	EXPECT_EQ(DATA + 300, res->backing[1].iova);
	EXPECT_EQ(300, res->backing[1].end);
	EXPECT_EQ(DATA + 399, res->backing[2].iova);
	EXPECT_EQ(303, res->backing[2].end);
	EXPECT_EQ(DATA + 401, res->backing[3].iova);
	EXPECT_EQ(306, res->backing[3].end);
	/* Not twice. */
	EXPECT_EQ(UNSPEC, attach(self, 1, 1));
	EXPECT_EQ(4, res->nr_backing);
	EXPECT_EQ(OK, detach(self, 1));
	EXPECT_EQ(0, self->u->gpu.nr_backing);
	EXPECT_EQ(UNSPEC, detach(self, 1));
	/* More than 4 GiB of it. */
	entry(self, 0, DATA, ~0);
	entry(self, 1, DATA, ~0);
	entry(self, 2, DATA + 0xffffffff, ~0);
	EXPECT_EQ(OK, attach(self, 1, 3));
	ASSERT_EQ(2, res->nr_backing);
	EXPECT_EQ(0x2fffffffdULL, res->backing[1].end);
}

/* The last page that there is and the first are no neighbours. */
TEST_F(virtgpu, attach_wrap)
{
	const struct vgpu_resource *res;

	memset(self->u->memory + GPU_SIZE, 1, 4096);
	memset(self->u->memory + GPU_SIZE + 4096, 2, 4096);
	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 32));
	res = resource(self, 1);
	entry(self, 0, GPU_LAST, 4096);
	entry(self, 1, 0, 4096);
	ASSERT_EQ(OK, attach(self, 1, 2));
	EXPECT_EQ(2, res->nr_backing);
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 64, 32), 0));
	EXPECT_EQ(2, self->u->fb[4095]);
	EXPECT_EQ(1, self->u->fb[4096]);
	EXPECT_EQ(OK, detach(self, 1));
	/* One that goes on behind the end does not begin anew. */
	entry(self, 0, GPU_LAST, 8192);
	ASSERT_EQ(OK, attach(self, 1, 1));
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 64, 32), 0));
}

TEST_F(virtgpu, attach_limits)
{
	u32 i;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	for (i = 0; i < 16385; i++)
		entry(self, i, DATA + 2 * i, 1);
	EXPECT_EQ(PARAMETER, attach(self, 1, 16385));
	EXPECT_EQ(PARAMETER, attach_of(self, 1, ~0, 16384));
	EXPECT_EQ(PARAMETER, attach_of(self, 1, 0x10000000, 16384));
	EXPECT_EQ(PARAMETER, attach_of(self, 1, 16384, 16383));
	EXPECT_EQ(PARAMETER, attach_of(self, 1, 1, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 2, 1, 4096, 1, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 2, 1, 4096, 16385, 16385));
	EXPECT_EQ(RESOURCE, unref(self, 2));
	EXPECT_EQ(0, self->u->gpu.nr_backing);
	EXPECT_EQ(OK, attach(self, 1, 16384));
	EXPECT_EQ(16384, resource(self, 1)->nr_backing);
	EXPECT_EQ(16384, resource(self, 1)->backing[16383].end);
	/* More in the chain than the command says. */
	EXPECT_EQ(OK, blob_of(self, 2, 1, 4096, 1, 16384));
	EXPECT_EQ(1, resource(self, 2)->nr_backing);
	/* Entries that cannot be read: at once, and behind what can. */
	EXPECT_EQ(OK, detach(self, 1));
	self->u->gone[(ENTRIES - GPU_BASE) / 4096 + 40] = true;
	EXPECT_EQ(UNSPEC, attach(self, 1, 16384));
	EXPECT_EQ(UNSPEC, blob_of(self, 3, 1, 4096, 16384, 16384));
	EXPECT_EQ(1, self->u->gpu.nr_backing);
	EXPECT_EQ(NULL, resource(self, 3));
	EXPECT_EQ(NULL, resource(self, 1)->backing);
}

/* Of all resources together. */
TEST_F(virtgpu, most_backing)
{
	u32 i;

	for (i = 0; i < 16384; i++)
		entry(self, i, DATA + 2 * i, 1);
	for (i = 1; i <= 64; i++)
		ASSERT_EQ(OK, blob_of(self, i, 1, 4096, 16384, 16384));
	EXPECT_EQ(1 << 20, self->u->gpu.nr_backing);
	EXPECT_EQ(MEMORY, blob(self, 65, 4096, DATA, 1));
	EXPECT_EQ(NULL, resource(self, 65));
	EXPECT_EQ(OK, create(self, 65, BGRX, 1, 1));
	EXPECT_EQ(MEMORY, attach_at(self, 65, DATA, 4));
	EXPECT_EQ(OK, attach(self, 65, 0));
	EXPECT_EQ(OK, detach(self, 1));
	EXPECT_EQ(OK, attach_at(self, 65, DATA, 4));
}

/* Whether the framebuffer has what the guest's memory has, and nothing else. */
static bool same_picture(UNIT *self, u32 id, struct virtio_gpu_rect r, u64 from,
			 u8 elsewhere)
{
	const struct vgpu_resource *res = resource(self, id);
	u32 x, y, b;

	for (y = 0; y < res->height; y++)
		for (x = 0; x < res->width; x++)
			for (b = 0; b < 4; b++) {
				bool in = x >= r.x && x - r.x < r.width &&
					y >= r.y && y - r.y < r.height;
				u8 want = !in ? elsewhere :
					at(self, DATA)[from + 4 * (x - r.x) + b +
						       4 * res->width * (y - r.y)];

				if (self->u->fb[res->offset + b +
						4 * (y * res->width + x)] != want)
					return false;
			}
	return true;
}

static void wipe(UNIT *self, u8 with)
{
	memset(self->u->fb, with, self->u->profile.fb_size);
	self->u->written = 0;
}

TEST_F(virtgpu, transfer)
{
	const u32 size = 100 * 60 * 4;
	static const struct {
		struct virtio_gpu_rect r;
		u64 offset;
		u32 answer;
	} bad[] = {
		{ { 0, 0, 101, 1 }, 0, PARAMETER }, { { 1, 0, 100, 1 }, 0, PARAMETER },
		{ { 0, 0, 1, 61 }, 0, PARAMETER }, { { 0, 60, 1, 1 }, 0, PARAMETER },
		{ { 100, 0, 1, 1 }, 0, PARAMETER }, { { ~0U, 0, 2, 1 }, 0, PARAMETER },
		{ { 1, 0, ~0U, 1 }, 0, PARAMETER }, { { 0, 1, 1, ~0U }, 0, PARAMETER },
		{ { 0, ~0U, 1, 2 }, 0, PARAMETER },
		{ { 0, 0, 0x40000001, 1 }, 0, PARAMETER },
		/* From behind the memory that there is. */
		{ { 0, 0, 100, 60 }, 1, PARAMETER }, { { 0, 0, 100, 60 }, 4, PARAMETER },
		{ { 0, 0, 1, 1 }, 100 * 60 * 4 - 3, PARAMETER },
		{ { 0, 0, 1, 1 }, 100 * 60 * 4, PARAMETER },
		{ { 0, 0, 1, 1 }, ~0ULL, PARAMETER }, { { 0, 0, 1, 1 }, ~3ULL, PARAMETER },
		{ { 0, 0, 1, 2 }, ~0ULL - 399, PARAMETER },
		{ { 0, 0, 100, 60 }, 0 - 100 * 60 * 4ULL, PARAMETER },
		{ { 0, 0, 1, 2 }, 0 - 400ULL, PARAMETER },
		/* Nothing of a picture is copied from anywhere. */
		{ { 0, 0, 0, 60 }, 0, OK }, { { 0, 0, 100, 0 }, ~0ULL, OK },
		{ { 100, 60, 0, 0 }, ~0ULL, OK }, { { 101, 0, 0, 0 }, 0, PARAMETER },
	};
	u32 i;

	ASSERT_EQ(OK, create(self, 2, BGRX, 1, 1));
	ASSERT_EQ(OK, create(self, 1, BGRX, 100, 60));
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 1, 1), 0));
	/* In pieces that fit no line. */
	for (i = 0; i < 24; i++)
		entry(self, i, DATA + 1000 * i, 1000);
	entry(self, 11, DATA + 11000, 500);
	for (i = 23; i > 11; i--)
		entry(self, i + 1, DATA + 1000 * i, 1000);
	entry(self, 12, DATA + 11500, 500);
	ASSERT_EQ(OK, attach(self, 1, 25));
	ASSERT_EQ(1, resource(self, 1)->nr_backing);
	EXPECT_EQ(size, resource(self, 1)->backing[0].end);

	wipe(self, 0xee);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(bad[i].answer, transfer(self, 1, bad[i].r, bad[i].offset))
			TH_LOG("number %u", i);
		EXPECT_EQ(0, self->u->written);
	}
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 100, 60), 0));
	EXPECT_TRUE(same_picture(self, 1, RECT(0, 0, 100, 60), 0, 0));
	EXPECT_EQ(size, self->u->written);
	wipe(self, 0xee);
	/* As Linux has it, with the offset of the first pixel. */
	EXPECT_EQ(OK, transfer(self, 1, RECT(10, 20, 30, 5), 400 * 20 + 40));
	EXPECT_TRUE(same_picture(self, 1, RECT(10, 20, 30, 5), 400 * 20 + 40, 0xee));
	EXPECT_EQ(30 * 5 * 4, self->u->written);
	/* And from anywhere else. */
	wipe(self, 0xee);
	EXPECT_EQ(OK, transfer(self, 1, RECT(99, 59, 1, 1), 3));
	EXPECT_TRUE(same_picture(self, 1, RECT(99, 59, 1, 1), 3, 0xee));
	wipe(self, 0xee);
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 58, 100, 2), size - 800));
	EXPECT_TRUE(same_picture(self, 1, RECT(0, 58, 100, 2), size - 800, 0xee));
	wipe(self, 0xee);
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 1, 1), size - 4));
	EXPECT_TRUE(same_picture(self, 1, RECT(0, 0, 1, 1), size - 4, 0xee));
}

TEST_F(virtgpu, transfer_pieces)
{
	u32 i;

	/* Larger than what is copied at once, in pieces that are not adjacent. */
	ASSERT_EQ(OK, create(self, 1, BGRX, 256, 200));
	for (i = 0; i < 200; i++)
		entry(self, i, DATA + 1024 * (i ^ 1), 1024);
	ASSERT_EQ(OK, attach(self, 1, 200));
	ASSERT_EQ(200, resource(self, 1)->nr_backing);
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 256, 200), 0));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, memcmp(self->u->fb + 1024 * i,
				    at(self, DATA + 1024 * (i ^ 1)), 1024));
	/* Across the pieces' ends. */
	wipe(self, 0);
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 1, 256, 2), 1000));
	for (i = 1024; i < 3 * 1024; i++) {
		u32 from = i - 24;

		ASSERT_EQ(at(self, DATA)[from ^ 1024], self->u->fb[i]);
	}
	/* Guest memory that is not there. */
	self->u->gone[(DATA - GPU_BASE) / 4096 + 10] = true;
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 256, 200), 0));
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 256, 40), 0));
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 256, 41), 0));
	EXPECT_EQ(UNSPEC, transfer(self, 1, RECT(0, 0, 2, 41), 0));
}

TEST_F(virtgpu, transfer_blob)
{
	ASSERT_EQ(OK, blob(self, 1, 4096, DATA, 4096));
	EXPECT_EQ(OK, transfer(self, 1, RECT(0, 0, 1, 1), 0));
	EXPECT_EQ(OK, transfer(self, 1, RECT(~0U, ~0U, ~0U, ~0U), ~0ULL));
	EXPECT_EQ(0, self->u->written);
}

TEST_F(virtgpu, set_scanout)
{
	struct gpu_unit *u = self->u;
	u64 offset;

	ASSERT_EQ(OK, create(self, 1, BGRX, 1, 1));
	ASSERT_EQ(OK, create(self, 2, BGRX, 1280, 480));
	offset = offset_of(self, 2);
	EXPECT_EQ(4096, offset);
	/* Two heads side by side. */
	EXPECT_EQ(OK, set(self, 0, 2, RECT(0, 0, 640, 480)));
	EXPECT_EQ(OK, set(self, 1, 2, RECT(640, 0, 640, 480)));
	EXPECT_EQ(offset, u->shown[0].offset);
	EXPECT_EQ(offset + 2560, u->shown[1].offset);
	EXPECT_EQ(5120, u->shown[1].pitch);
	EXPECT_EQ(640, u->shown[1].width);
	EXPECT_EQ(480, u->shown[1].height);
	EXPECT_EQ(OK, set(self, 1, 2, RECT(3, 5, 7, 11)));
	EXPECT_EQ(offset + 5 * 5120 + 12, u->shown[1].offset);
	EXPECT_EQ(3, u->shows[0] + u->shows[1]);
	/* What cannot be shown changes nothing. */
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 641, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 640, 481)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(641, 0, 640, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 1, 640, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 0, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 640, 0)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(~0U, 0, 2, 2)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, ~0U, 2, 2)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(1, 1, ~0U, ~0U)));
	EXPECT_EQ(SCANOUT, set(self, 2, 2, RECT(0, 0, 640, 480)));
	EXPECT_EQ(SCANOUT, set(self, ~0, 0, RECT(0, 0, 640, 480)));
	EXPECT_EQ(3, u->shows[0] + u->shows[1]);
	/* Off, and off once more. */
	EXPECT_EQ(OK, set(self, 0, 0, RECT(~0U, 1, 2, 3)));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(2, u->shows[0]);
	EXPECT_EQ(OK, set(self, 0, 0, RECT(0, 0, 0, 0)));
	EXPECT_EQ(2, u->shows[0]);
	EXPECT_TRUE(vgpu_gpu_shows(&u->gpu));
	/* What is shown goes. */
	EXPECT_EQ(OK, unref(self, 1));
	EXPECT_NE(0, u->shown[1].format);
	EXPECT_EQ(OK, unref(self, 2));
	EXPECT_EQ(0, u->shown[1].format);
	EXPECT_FALSE(vgpu_gpu_shows(&u->gpu));
	/* A blob is not for this, and this is none for the other. */
	ASSERT_EQ(OK, blob(self, 3, 4096, DATA, 4096));
	ASSERT_EQ(OK, create(self, 4, BGRX, 32, 32));
	EXPECT_EQ(PARAMETER, set(self, 0, 3, RECT(0, 0, 1, 1)));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 4, RECT(0, 0, 1, 1), BGRX, 4, 0));
}

/*
 * A VMM maps whole lines, so those of a part end behind the resource; the end of the
 * framebuffer is kept free for that.
 */
TEST_F(virtgpu, part_at_the_end)
{
	struct gpu_unit *u = self->u;
	const u32 size = 16 * MIB - 256 * 1024;

	ASSERT_EQ(OK, create(self, 1, BGRX, 4032, 1024));
	ASSERT_EQ(size, resource(self, 1)->size);
	EXPECT_EQ(OK, set(self, 0, 1, RECT(4032 - 640, 1024 - 480, 640, 480)));
	EXPECT_EQ(size - (479 * 4032 + 640) * 4, u->shown[0].offset);
	EXPECT_EQ(OK, unref(self, 1));
	/* The longest line there can be is shorter than that. */
	ASSERT_EQ(OK, create(self, 1, BGRX, 16384, size / 65536));
	EXPECT_EQ(OK, set(self, 0, 1, RECT(16384 - 640, size / 65536 - 1, 640,
					   1)));
}

TEST_F(virtgpu, set_blob)
{
	struct gpu_unit *u = self->u;
	static const struct {
		struct virtio_gpu_rect r;
		u32 stride, offset, answer;
	} sets[] = {
		/* Of 64 x 32 pixels in 8192 bytes. */
		{ { 0, 0, 64, 32 }, 256, 0, OK },
		{ { 0, 0, 64, 32 }, 256, 1, PARAMETER },
		{ { 0, 0, 64, 33 }, 256, 0, PARAMETER },
		{ { 0, 1, 64, 32 }, 256, 0, PARAMETER },
		{ { 0, 1, 64, 31 }, 256, 0, OK },
		{ { 0, 0, 64, 31 }, 256, 256, OK },
		{ { 0, 0, 64, 31 }, 256, 257, PARAMETER },
		{ { 0, 0, 64, 32 }, 255, 0, PARAMETER },
		{ { 0, 0, 64, 32 }, 0, 0, PARAMETER },
		{ { 0, 0, 64, 32 }, 257, 0, PARAMETER },
		{ { 0, 0, 64, 31 }, 257, 0, OK },
		{ { 63, 31, 1, 1 }, 256, 0, OK },
		{ { 64, 31, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, 0, 1, 1 }, 4, 8188, OK },
		{ { 0, 0, 1, 1 }, ~0U, 8188, OK },
		{ { 0, 0, 1, 1 }, 4, 8189, PARAMETER },
		{ { 0, 0, 1, 1 }, 4, ~0U, PARAMETER },
		{ { 0, 0, 1, 2 }, ~0U, 0, PARAMETER },
		{ { 0, 0, 0, 32 }, 256, 0, PARAMETER },
		{ { 0, 0, 64, 0 }, 256, 0, PARAMETER },
		{ { ~0U, 0, 1, 1 }, 256, 0, PARAMETER },
		{ { ~1U, 0, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~0U, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~1U, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~1U, 1, 1 }, ~0U, 0, PARAMETER },
		{ { 0, 0, ~0U, 1 }, ~0U, 0, PARAMETER },
		{ { 0, 0, 641, 1 }, 8192, 0, PARAMETER },
		{ { 0, 0, 1, 481 }, 4, 0, PARAMETER },
		{ { 0, 0, 640, 3 }, 2560, 0, OK },
		{ { 0, 0, 1, 480 }, 4, 0, OK },
	};
	u32 i, shows = 0;

	EXPECT_EQ(PARAMETER, blob_of(self, 1, 0, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 2, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 3, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 1, 0, 0, 0));
	ASSERT_EQ(OK, blob(self, 1, 8192, DATA, 8192));
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		EXPECT_EQ(sets[i].answer, set_blob(self, 0, 1, sets[i].r, BGRX,
						   sets[i].stride, sets[i].offset))
			TH_LOG("number %u", i);
		shows += sets[i].answer == OK;
		EXPECT_EQ(shows, u->shows[0]);
	}
	EXPECT_EQ(SCANOUT, set_blob(self, 2, 1, RECT(0, 0, 64, 32), BGRX, 256, 0));
	EXPECT_EQ(OK, set_blob(self, 0, 0, RECT(~0U, 0, 1, 1), 999, 0, 0));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(0, u->gpu.nr_placed);
	EXPECT_EQ(0, u->flips[0]);
}

/* A picture's end is beyond 64 bits, of a blob that says it is as large as can be. */
TEST_F(virtgpu, set_blob_wraps)
{
	ASSERT_EQ(OK, blob(self, 1, ~0ULL, DATA, 8192));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(~64U, ~64U, 64, 64), BGRX, ~0,
				      0));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(0xfffffffe, 0xfffffffe, 1, 1),
				      BGRX, ~0, ~0));
	/* Pixels are on their line. */
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(1, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(0, self->u->shows[0]);
	/* Up to there all is good, but for memory, of which there is less. */
	EXPECT_EQ(OK, set_blob(self, 0, 1, RECT(0, ~64U, 64, 64), BGRX, ~0, ~0));
	vgpu_gpu_refresh(&self->u->gpu, 0);
	EXPECT_EQ(0, self->u->written);
}

/* Whether the copy that a head shows is what the blob has. */
static bool fresh(UNIT *self, u32 head, u64 from, u32 stride,
		  struct virtio_gpu_rect r)
{
	const struct vgpu_scanout *s = &self->u->shown[head];
	u32 y;

	for (y = r.y; y < r.y + r.height; y++)
		if (memcmp(self->u->fb + s->offset + y * s->pitch + 4 * r.x,
			   at(self, DATA) + from + (u64)y * stride + 4 * r.x,
			   4 * r.width))
			return false;
	return true;
}

TEST_F(virtgpu, refresh)
{
	struct gpu_unit *u = self->u;
	const u64 from = 64 + 10 * 512 + 4 * 20;	/* of what is shown */
	u32 x;

	ASSERT_EQ(OK, blob(self, 1, DATA_SIZE, DATA, DATA_SIZE));
	ASSERT_EQ(OK, set_blob(self, 1, 1, RECT(20, 10, 100, 50), BGRX, 512, 64));
	EXPECT_EQ(400, u->shown[1].pitch);
	EXPECT_EQ(0, u->written);
	/* Nobody has looked yet; then all of it is copied, once. */
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(0, 0, 100, 50)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	/* A part, in pixels of the blob, and where two of them are. */
	memset(at(self, DATA), 0x77, DATA_SIZE);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 20, 5, 4)));
	EXPECT_EQ(0, u->written);
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(5 * 4 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(10, 10, 5, 4)));
	for (x = 0; x < 100; x++)
		EXPECT_EQ(x >= 10 && x < 15,
			  fresh(self, 1, from, 512, RECT(x, 12, 1, 1)));
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 20, 5, 4)));
	EXPECT_EQ(OK, flush(self, 1, RECT(33, 22, 10, 10)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(13 * 12 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(10, 10, 13, 12)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(9, 10, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(23, 10, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(10, 9, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(10, 22, 1, 1)));
	/* What is not shown is not copied. */
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 20, 100)));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 1000, 10)));
	EXPECT_EQ(OK, flush(self, 1, RECT(120, 0, 1000, 1000)));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 60, ~0U, ~0U)));
	EXPECT_EQ(OK, flush(self, 1, RECT(~0U, ~0U, ~0U, ~0U)));
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 30, 0, 1)));
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 30, 1, 0)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(0, u->written);
	/* Of what is only partly, that part. */
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 21, 11)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(4, u->written);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(119, 59, ~0U, ~0U)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(4, u->written);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, ~0U, ~0U)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(0, 0, 100, 50)));
}

/* Lines without a gap are copied as one; the rest of the framebuffer is not touched. */
TEST_F(virtgpu, refresh_whole)
{
	struct gpu_unit *u = self->u;

	ASSERT_EQ(OK, create(self, 9, BGRX, 1, 1));
	ASSERT_EQ(OK, blob(self, 1, DATA_SIZE, DATA, DATA_SIZE));
	ASSERT_EQ(OK, set_blob(self, 0, 1, RECT(0, 0, 100, 50), BGRX, 400, 12));
	ASSERT_EQ(OK, create(self, 10, BGRX, 1, 1));
	memset(u->fb, 0xee, u->profile.fb_size);
	u->reads = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(1, u->reads);
	EXPECT_EQ(20000, u->written);
	EXPECT_TRUE(fresh(self, 0, 12, 400, RECT(0, 0, 100, 50)));
	EXPECT_EQ(0xee, u->fb[4095]);
	EXPECT_EQ(0xee, u->fb[u->shown[0].offset + 20000]);
	/* Lines from the middle, which are whole. */
	u->written = 0;
	memset(at(self, DATA), 0x55, DATA_SIZE);
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 10, 100, 3)));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(1200, u->written);
	EXPECT_TRUE(fresh(self, 0, 12, 400, RECT(0, 10, 100, 3)));
	EXPECT_FALSE(fresh(self, 0, 12, 400, RECT(0, 9, 1, 1)));
	EXPECT_FALSE(fresh(self, 0, 12, 400, RECT(0, 13, 1, 1)));
	/* Guest memory that is gone leaves the picture, and is not tried again. */
	u->gone[(DATA - GPU_BASE) / 4096] = true;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 50)));
	vgpu_gpu_refresh(&u->gpu, 0);
	u->gone[(DATA - GPU_BASE) / 4096] = false;
	u->reads = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->reads);
	/* Less memory than it says, which was detached. */
	EXPECT_EQ(OK, detach(self, 1));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 50)));
	u->written = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	EXPECT_EQ(OK, attach_at(self, 1, DATA, 4096));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 2)));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(800, u->written);
}

TEST_F(virtgpu, blob_flips)
{
	struct gpu_unit *u = self->u;
	struct virtio_gpu_rect r = { 0, 0, 64, 64 };
	u64 offset;

	ASSERT_EQ(OK, blob(self, 1, 16384, DATA, 16384));
	ASSERT_EQ(OK, blob(self, 2, 16384, DATA + 16384, 16384));
	ASSERT_EQ(OK, set_blob(self, 0, 1, r, BGRX, 256, 0));
	offset = u->shown[0].offset;
	EXPECT_EQ(0, u->flips[0]);
	ASSERT_EQ(OK, set_blob(self, 0, 2, r, BGRX, 256, 0));
	EXPECT_EQ(1, u->flips[0]);
	EXPECT_EQ(offset, u->shown[0].offset);
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_TRUE(fresh(self, 0, 16384, 256, r));
	/* Of the one that is not shown any more nothing is to be seen. */
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, r));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	ASSERT_EQ(OK, set_blob(self, 0, 1, RECT(0, 0, 32, 64), BGRX, 256, 0));
	EXPECT_EQ(1, u->flips[0]);
	EXPECT_EQ(offset, u->shown[0].offset);
	/* A larger one needs another place; what was there is free again. */
	EXPECT_EQ(OK, blob(self, 3, DATA_SIZE, DATA, DATA_SIZE));
	EXPECT_EQ(OK, set_blob(self, 0, 3, RECT(0, 0, 128, 128), BGRX, 512, 0));
	EXPECT_EQ(1, u->gpu.nr_placed);
	/* Between blobs and pictures in the framebuffer. */
	ASSERT_EQ(OK, create(self, 4, BGRX, 128, 128));
	EXPECT_EQ(2, u->gpu.nr_placed);
	EXPECT_EQ(OK, set(self, 0, 4, RECT(0, 0, 128, 128)));
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(OK, set_blob(self, 0, 3, RECT(0, 0, 128, 128), BGRX, 512, 0));
	EXPECT_EQ(2, u->gpu.nr_placed);
	EXPECT_EQ(OK, unref(self, 3));
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(OK, flush(self, 4, r));
}

/* No room for a copy: the head is off, and all else is as it was. */
TEST_F(virtgpu, no_room_for_copy)
{
	struct gpu_unit *u = self->u;

	ASSERT_EQ(OK, create(self, 1, BGRX, 1024, 4032 - 4));
	ASSERT_EQ(OK, blob(self, 2, DATA_SIZE, DATA, DATA_SIZE));
	EXPECT_EQ(OK, set_blob(self, 0, 2, RECT(0, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(MEMORY, set_blob(self, 1, 2, RECT(0, 0, 1, 1), BGRX, 256, 0));
	EXPECT_NE(0, u->shown[0].format);
	EXPECT_EQ(MEMORY, set_blob(self, 0, 2, RECT(0, 0, 64, 65), BGRX, 256, 0));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(OK, set_blob(self, 1, 2, RECT(0, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(OK, flush(self, 2, RECT(0, 0, 64, 64)));
}

TEST_F(virtgpu, cursor)
{
	struct gpu_unit *u = self->u;
	const u64 area = u->profile.fb_size - GPU_RESERVED;
	const struct vgpu_cursor *c = &u->cursor[1];
	u64 first;

	ASSERT_EQ(OK, create(self, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64));
	ASSERT_EQ(OK, attach_at(self, 1, DATA, 16384));
	ASSERT_EQ(OK, transfer(self, 1, RECT(0, 0, 64, 64), 0));
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 100, 200, 3, 63));
	EXPECT_EQ(REF_FOURCC('A', 'R', '2', '4'), c->image.format);
	EXPECT_EQ(100, c->x);
	EXPECT_EQ(200, c->y);
	EXPECT_EQ(3, c->hot_x);
	EXPECT_EQ(63, c->hot_y);
	EXPECT_LE(area + 2 * GPU_CURSOR, c->image.offset);
	EXPECT_GT(area + 4 * GPU_CURSOR, c->image.offset);
	EXPECT_EQ(0, memcmp(u->fb + c->image.offset, at(self, DATA), 16384));
	EXPECT_EQ(0, u->cursors[0]);
	/* Places alternate, so that a VMM sees that there is a new one. */
	first = c->image.offset;
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 0, 0, 0, 0));
	EXPECT_TRUE(c->image.offset != first);
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 0, 0, 0, 0));
	EXPECT_EQ(first, c->image.offset);
	/* It is a copy: the resource can go, and moving is not a new one. */
	EXPECT_EQ(OK, unref(self, 1));
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 77, -5, -32768, 9, 9));
	EXPECT_EQ(first, c->image.offset);
	EXPECT_EQ(0, c->hot_x);
	EXPECT_EQ(-5, c->x);
	EXPECT_EQ(-32768, c->y);
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 0, 0x7fffffff, 0x80000000, 0, 0));
	EXPECT_EQ(32767, c->x);
	EXPECT_EQ(-32768, c->y);
	EXPECT_NE(0, c->image.format);
	/* None hides it. */
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 0, 9, 8, 99, 99));
	EXPECT_EQ(0, c->image.format);
	EXPECT_EQ(0, c->hot_x);
	EXPECT_EQ(9, c->x);
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 0, 1, 2, 0, 0));
	EXPECT_EQ(0, c->image.format);
	/* No such head. */
	EXPECT_EQ(SCANOUT, cursor(self, UPDATE, 2, 0, 0, 0, 0, 0));
	EXPECT_EQ(SCANOUT, cursor(self, MOVE, ~0, 0, 0, 0, 0, 0));
}

TEST_F(virtgpu, cursor_ignored)
{
	struct gpu_unit *u = self->u;
	u32 shown, i;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	ASSERT_EQ(OK, create(self, 2, BGRX, 64, 63));
	ASSERT_EQ(OK, create(self, 3, BGRX, 32, 128));
	ASSERT_EQ(OK, blob(self, 4, 16383, DATA, 16384));
	ASSERT_EQ(OK, blob(self, 5, 16384, DATA, 16383));
	ASSERT_EQ(OK, blob(self, 6, 16384, DATA, 16384));
	ASSERT_EQ(OK, cursor(self, UPDATE, 0, 1, 1, 1, 1, 1));
	shown = u->cursors[0];
	for (i = 2; i < 6; i++)
		EXPECT_EQ(OK, cursor(self, UPDATE, 0, i, 2, 2, 2, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 99, 2, 2, 2, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, 64, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, 2, 64));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, ~0, ~0));
	EXPECT_EQ(shown, u->cursors[0]);
	EXPECT_EQ(1, u->cursor[0].x);
	/* A blob is read where it is. */
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 6, 3, 3, 3, 3));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	EXPECT_EQ(0, memcmp(u->fb + u->cursor[0].image.offset, at(self, DATA),
			    16384));
	/* Or cannot be, and then the one that is shown stays as it is. */
	memset(at(self, DATA), 0x33, 4096);
	u->gone[(DATA - GPU_BASE) / 4096 + 3] = true;
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 6, 4, 4, 4, 4));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	EXPECT_NE(0x33, u->fb[u->cursor[0].image.offset]);
	u->fb_broken = true;
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 4, 4, 4, 4));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	u->fb_broken = false;
}

TEST_F(virtgpu, display_info)
{
	struct virtio_gpu_ctrl_hdr req = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	struct virtio_gpu_resp_display_info *info = (void *)self->answer;
	u32 i;

	self->u->monitor[1] = (struct vgpu_monitor){ true, 1234, 567, 0, { } };
	EXPECT_EQ(OK_INFO, DO(CONTROL, req));
	EXPECT_EQ(24 + 16 * 24, self->len);
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(i == 1, info->pmodes[i].enabled);
		EXPECT_EQ(i == 1 ? 1234 : 0, info->pmodes[i].r.width);
		EXPECT_EQ(i == 1 ? 567 : 0, info->pmodes[i].r.height);
		EXPECT_EQ(0, info->pmodes[i].r.x | info->pmodes[i].r.y |
			     info->pmodes[i].flags);
	}
}

TEST_F(virtgpu, edid)
{
	struct virtio_gpu_cmd_get_edid req = {
		.hdr.type = VIRTIO_GPU_CMD_GET_EDID, .scanout = 1,
	};
	struct virtio_gpu_resp_edid *edid = (void *)self->answer;

	self->u->monitor[1].edid_size = 256;
	memset(self->u->monitor[1].edid, 0x5c, 256);
	EXPECT_EQ(OK_EDID, DO(CONTROL, req));
	EXPECT_EQ(24 + 8 + 1024, self->len);
	EXPECT_EQ(256, edid->size);
	EXPECT_EQ(0x5c, edid->edid[0]);
	EXPECT_EQ(0x5c, edid->edid[255]);
	EXPECT_EQ(0, edid->edid[256]);
	/* Nothing of the one before is in the next. */
	req.scanout = 0;
	EXPECT_EQ(OK_EDID, DO(CONTROL, req));
	EXPECT_EQ(0, edid->size);
	EXPECT_EQ(0, edid->edid[0]);
	req.scanout = 2;
	EXPECT_EQ(PARAMETER, DO(CONTROL, req));
	EXPECT_EQ(24, self->len);
	req.scanout = ~0;
	EXPECT_EQ(PARAMETER, DO(CONTROL, req));
}

TEST_F(virtgpu, uuid)
{
	struct virtio_gpu_resource_assign_uuid req = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, .resource_id = 1,
	};
	u8 first[16];

	ASSERT_EQ(OK, create(self, 1, BGRX, 1, 1));
	ASSERT_EQ(OK, blob(self, 2, 4096, DATA, 4096));
	EXPECT_EQ(OK_UUID, DO(CONTROL, req));
	EXPECT_EQ(40, self->len);
	memcpy(first, self->answer + 24, 16);
	EXPECT_EQ(1, first[15]);
	req.resource_id = 2;
	EXPECT_EQ(OK_UUID, DO(CONTROL, req));
	EXPECT_NE(0, memcmp(first, self->answer + 24, 16));
	req.resource_id = 1;
	EXPECT_EQ(OK_UUID, DO(CONTROL, req));
	EXPECT_EQ(0, memcmp(first, self->answer + 24, 16));
	EXPECT_EQ(2, self->u->uuids);
	/* Another resource with the same number is another. */
	ASSERT_EQ(OK, unref(self, 1));
	ASSERT_EQ(OK, create(self, 1, BGRX, 1, 1));
	EXPECT_EQ(OK_UUID, DO(CONTROL, req));
	EXPECT_NE(0, memcmp(first, self->answer + 24, 16));
}

/* Each command, with the size of its request. */
static const struct {
	u32 queue, type, size;
} commands[] = {
	{ CONTROL, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 24 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 40 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_UNREF, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_SET_SCANOUT, 48 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_FLUSH, 48 },
	{ CONTROL, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 56 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_GET_CAPSET_INFO, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_GET_CAPSET, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_GET_EDID, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, 32 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, 56 },
	{ CONTROL, VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, 96 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB, 40 },
	{ CONTROL, VIRTIO_GPU_CMD_RESOURCE_UNMAP_BLOB, 32 },
	{ CURSOR, VIRTIO_GPU_CMD_UPDATE_CURSOR, 56 },
	{ CURSOR, VIRTIO_GPU_CMD_MOVE_CURSOR, 56 },
};

/* Requests of every length: too short is an error, and more than there is, is not read. */
TEST_F(virtgpu, short_requests)
{
	u8 req[128];
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		for (len = 1; len <= commands[i].size; len++) {
			u32 ret;

			memset(req, 0, sizeof(req));
			put_unaligned_le32(commands[i].type, req);
			put_unaligned_le32(1, req + 4);
			put_unaligned_le64(0xabcdef, req + 8);
			ret = command(self, commands[i].queue, req, len, 0);
			ASSERT_LE(24, self->len);
			if (len < 24) {
				ASSERT_EQ(UNSPEC, ret);
			} else if (len < commands[i].size) {
				ASSERT_EQ(PARAMETER, ret)
					TH_LOG("command %#x", commands[i].type);
			} else {
				/* All zero: of most of them that is an error. */
				ASSERT_LE(OK, ret);
			}
			if (len >= 24)
				ASSERT_EQ(0xabcdef,
					  get_unaligned_le64(self->answer + 8));
		}
	EXPECT_EQ(0, self->u->gpu.nr_resources);
	/* And of nothing at all. */
	self->u->reads = 0;
	EXPECT_EQ(UNSPEC, command(self, CONTROL, req, 0, 0));
}

TEST_F(virtgpu, unknown_commands)
{
	struct virtio_gpu_update_cursor req = { };
	u32 type, i, queue;

	for (queue = 0; queue < 2; queue++)
		for (type = 0; type < 0x1300; type++) {
			bool known = false;

			for (i = 0; i < ARRAY_SIZE(commands); i++)
				known |= commands[i].type == type &&
					 commands[i].queue == queue;
			if (known)
				continue;
			req.hdr.type = type;
			ASSERT_EQ(UNSPEC, DO(queue, req));
			ASSERT_EQ(24, self->len);
		}
	req.hdr.type = 0x80000100;
	EXPECT_EQ(UNSPEC, DO(CONTROL, req));
	/* There are no capability sets. */
	req.hdr.type = VIRTIO_GPU_CMD_GET_CAPSET_INFO;
	EXPECT_EQ(PARAMETER, DO(CONTROL, req));
	req.hdr.type = VIRTIO_GPU_CMD_GET_CAPSET;
	EXPECT_EQ(PARAMETER, DO(CONTROL, req));
}

/* After a double-bit error. */
TEST_F(virtgpu, runs_not)
{
	struct vgpu_gpu *gpu = &self->u->gpu;
	u8 req[128] = { };
	u32 i;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	gpu->runs = false;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		put_unaligned_le32(commands[i].type, req);
		put_unaligned_le32(1, req + 4);
		put_unaligned_le64(i, req + 8);
		EXPECT_EQ(UNSPEC, command(self, commands[i].queue, req,
					  commands[i].size, 0));
		EXPECT_EQ(1, get_unaligned_le32(self->answer + 4));
		EXPECT_EQ(i, get_unaligned_le64(self->answer + 8));
	}
	EXPECT_EQ(1, gpu->nr_resources);
	gpu->runs = true;
	EXPECT_EQ(OK, unref(self, 1));
}

TEST_F(virtgpu, fences)
{
	const struct virtio_gpu_ctrl_hdr *hdr = (void *)self->answer;
	u32 flags;

	for (flags = 0; flags < 8; flags++) {
		u32 i;

		self->flags = flags | 0xff000000;
		/* The same in an answer and in an error. */
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(i ? RESOURCE : OK, create(self, 1, BGRX, 1, 1));
			ASSERT_EQ(24, self->len);
			EXPECT_EQ(flags & 1 ? flags & 3 : 0, hdr->flags);
			EXPECT_EQ(flags & 1 ? 0x1122334455667788 : 0, hdr->fence_id);
			EXPECT_EQ(flags & 1 ? 0x99aabbcc : 0, hdr->ctx_id);
			EXPECT_EQ(flags & 1 ? 5 : 0, hdr->ring_idx);
			EXPECT_EQ(0, hdr->padding[0] | hdr->padding[1] |
				     hdr->padding[2]);
		}
		ASSERT_EQ(OK, unref(self, 1));
	}
}

/* As much of an answer as there is room for. */
TEST_F(virtgpu, room_for_answers)
{
	struct virtio_gpu_ctrl_hdr req = { .type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO };
	u32 len, slot;

	for (len = 0; len <= 500; len++) {
		slot = self->slot[CONTROL] % SLOTS;
		memset(at(self, ANSWERS + 0x800 * slot), 0xcc, 0x800);
		self->in_len = len;
		EXPECT_EQ(len < 4 ? 0 : OK_INFO, DO(CONTROL, req));
		EXPECT_EQ(len < 408 ? len : 408, self->len);
		EXPECT_EQ(0xcc, *at(self, ANSWERS + 0x800 * slot + self->len));
	}
	/* Nowhere, which is not the device's concern. */
	self->u->gone[(ANSWERS - GPU_BASE) / 4096] = true;
	for (len = 0; len < 4; len++) {
		self->slot[CONTROL] = 0;
		self->in_len = 408;
		offer(self, CONTROL, &req, sizeof(req), 0);
		ASSERT_EQ(1, vgpu_gpu_run(&self->u->gpu, CONTROL, 1));
		ASSERT_TRUE(take(self, CONTROL));
		EXPECT_EQ(0, self->len);
	}
	/* A request that cannot be read is answered. */
	self->u->gone[(ANSWERS - GPU_BASE) / 4096] = false;
	self->u->gone[(REQUESTS - GPU_BASE) / 4096] = true;
	self->slot[CONTROL] = 0;
	offer(self, CONTROL, "", 0, 0);
	desc(self, CONTROL, 0, REQUESTS, 24, 1);
	ASSERT_EQ(1, vgpu_gpu_run(&self->u->gpu, CONTROL, 1));
	ASSERT_TRUE(take(self, CONTROL));
	EXPECT_EQ(UNSPEC, answer(self));
}

static u32 offer_flush(UNIT *self, u32 id, u32 flags)
{
	struct virtio_gpu_resource_flush req = {
		.hdr = { .type = VIRTIO_GPU_CMD_RESOURCE_FLUSH, .flags = flags },
		.r = { 0, 0, 64, 64 }, .resource_id = id,
	};

	return offer(self, CONTROL, &req, sizeof(req), 0);
}

static u32 offer_info(UNIT *self, u32 queue, u32 flags)
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = queue ? 0 : VIRTIO_GPU_CMD_GET_DISPLAY_INFO, .flags = flags,
	};

	return offer(self, queue, &req, sizeof(req), 0);
}

TEST_F(virtgpu, held)
{
	struct vgpu_gpu *gpu = &self->u->gpu;
	u32 ids[4], other;

	gpu->limited = true;
	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	ASSERT_EQ(OK, create(self, 2, BGRX, 64, 64));
	/* Not shown is not held. */
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 64, 64)));
	ASSERT_EQ(OK, set(self, 1, 1, RECT(0, 0, 64, 64)));
	EXPECT_EQ(OK, flush(self, 2, RECT(0, 0, 64, 64)));
	gpu->limited = false;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 64, 64)));
	gpu->limited = true;
	ids[0] = offer_flush(self, 1, 1);
	ids[1] = offer_info(self, CONTROL, 1);
	other = offer_info(self, CONTROL, 0);
	ids[2] = offer_flush(self, 1, 0);
	ids[3] = offer_flush(self, 2, 1);
	EXPECT_EQ(0, vgpu_gpu_run(gpu, CONTROL, 100));
	EXPECT_EQ(4, gpu->nr_held);
	/* What has no fence does not wait, nor does the other queue. */
	ASSERT_TRUE(take(self, CONTROL));
	EXPECT_EQ(other, self->id);
	EXPECT_FALSE(take(self, CONTROL));
	other = offer_info(self, CURSOR, 1);
	EXPECT_EQ(0, vgpu_gpu_run(gpu, CURSOR, 100));
	ASSERT_TRUE(take(self, CURSOR));
	EXPECT_EQ(other, self->id);
	/* A frame has ended. */
	EXPECT_EQ(0, vgpu_gpu_release(gpu));
	EXPECT_EQ(0, gpu->nr_held);
	for (other = 0; other < 4; other++) {
		ASSERT_TRUE(take(self, CONTROL));
		EXPECT_EQ(ids[other], self->id);
		EXPECT_EQ(other == 1 ? 408 : 24, self->len);
		EXPECT_EQ(other == 1 ? OK_INFO : OK, answer(self));
	}
	EXPECT_EQ(0, vgpu_gpu_release(gpu));
	EXPECT_FALSE(take(self, CONTROL));
	/* One that fails is not held. */
	EXPECT_EQ(RESOURCE, flush(self, 9, RECT(0, 0, 64, 64)));
	gpu->runs = false;
	EXPECT_EQ(UNSPEC, flush(self, 1, RECT(0, 0, 64, 64)));
	gpu->runs = true;
	/* The ring cannot be reached when they are given back. */
	offer_flush(self, 1, 1);
	EXPECT_EQ(0, vgpu_gpu_run(gpu, CONTROL, 100));
	self->u->gone[(gpu->rings[0].used - GPU_BASE) / 4096] = true;
	EXPECT_GT(0, vgpu_gpu_release(gpu));
	EXPECT_EQ(0, gpu->nr_held);
}

/* As many as there are descriptors, and not one more. */
TEST_F(virtgpu, held_too_many)
{
	struct vgpu_gpu *gpu = &self->u->gpu;
	u32 i;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	ASSERT_EQ(OK, set(self, 0, 1, RECT(0, 0, 64, 64)));
	gpu->limited = true;
	start_ring(self, CONTROL, 4);
	for (i = 0; i < 4; i++) {
		offer_flush(self, 1, 1);
		EXPECT_EQ(0, vgpu_gpu_run(gpu, CONTROL, 100));
		EXPECT_EQ(i + 1, gpu->nr_held);
	}
	offer_flush(self, 1, 1);
	EXPECT_EQ(-EINVAL, vgpu_gpu_run(gpu, CONTROL, 100));
	EXPECT_EQ(4, gpu->nr_held);
}

TEST_F(virtgpu, batches)
{
	struct vgpu_gpu *gpu = &self->u->gpu;
	u32 i;

	for (i = 0; i < 20; i++)
		offer_info(self, CONTROL, 0);
	EXPECT_EQ(1, vgpu_gpu_run(gpu, CONTROL, 0));
	EXPECT_FALSE(take(self, CONTROL));
	EXPECT_EQ(1, vgpu_gpu_run(gpu, CONTROL, 16));
	for (i = 0; i < 16; i++)
		EXPECT_TRUE(take(self, CONTROL));
	EXPECT_FALSE(take(self, CONTROL));
	EXPECT_EQ(0, vgpu_gpu_run(gpu, CONTROL, 16));
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(take(self, CONTROL));
	/* A queue that is broken. */
	put_unaligned_le16(self->avail[0] + 1000, at(self, gpu->rings[0].avail + 2));
	EXPECT_EQ(-EINVAL, vgpu_gpu_run(gpu, CONTROL, 16));
	self->u->gone[2] = true;
	EXPECT_EQ(-EFAULT, vgpu_gpu_run(gpu, CONTROL, 16));
}

/* All at once; and again, as a guest that has been reset does. */
TEST_F(virtgpu, reset)
{
	struct gpu_unit *u = self->u;
	u32 round;

	for (round = 0; round < 3; round++) {
		start_ring(self, CONTROL, RING);
		start_ring(self, CURSOR, RING);
		ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
		ASSERT_EQ(OK, attach_at(self, 1, DATA, 16384));
		ASSERT_EQ(OK, blob(self, 2, 16384, DATA, 16384));
		ASSERT_EQ(OK, set(self, 0, 1, RECT(0, 0, 64, 64)));
		ASSERT_EQ(OK, set_blob(self, 1, 2, RECT(0, 0, 64, 64), BGRX, 256, 0));
		ASSERT_EQ(OK, cursor(self, UPDATE, 0, 1, 1, 1, 1, 1));
		ASSERT_EQ(OK, cursor(self, UPDATE, 1, 2, 1, 1, 1, 1));
		u->gpu.limited = true;
		offer_flush(self, 1, 1);
		ASSERT_EQ(0, vgpu_gpu_run(&u->gpu, CONTROL, 100));
		ASSERT_EQ(1, u->gpu.nr_held);
		u->gpu.limited = false;
		vgpu_gpu_reset(&u->gpu);
		EXPECT_STREQ("", gpu_unit_fault(u) ?: "");
		EXPECT_EQ(0, u->live);
		EXPECT_EQ(0, u->gpu.nr_held);
		EXPECT_EQ(0, u->shown[0].format | u->shown[1].format |
			     u->cursor[0].image.format | u->cursor[1].image.format);
		EXPECT_FALSE(vgpu_gpu_shows(&u->gpu));
		EXPECT_EQ(0, vgpu_gpu_release(&u->gpu));
		vgpu_gpu_refresh(&u->gpu, 0);
		vgpu_gpu_refresh(&u->gpu, 1);
	}
}

TEST_HARNESS_MAIN
