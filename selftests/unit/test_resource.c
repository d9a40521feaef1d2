// SPDX-License-Identifier: GPL-2.0
/*
 * Resources of a virtio-gpu: each command for them at its edges, from a driver that keeps
 * the rules and from one that does not.
 */
#include "gpu_driver.h"

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

/* Of resources that come and go, each is where a search from the start would put it. */
TEST_F(virtgpu, first_fit)
{
	enum { PAGES = (16 * MIB - 256 * 1024) / 4096, IDS = 1500 };
	static uint16_t owner[PAGES], size[IDS + 1];
	u32 seed = 1, round, at, run, id;

	for (round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		id = 1 + (seed >> 16) % IDS;
		if (size[id]) {
			ASSERT_EQ(OK, unref(self, id));
			for (at = 0; at < PAGES; at++)
				if (owner[at] == id)
					owner[at] = 0;
			size[id] = 0;
			continue;
		}
		size[id] = 1 + (seed >> 8) % 8;
		for (at = run = 0; at < PAGES && run < size[id]; at++)
			run = owner[at] ? 0 : run + 1;
		if (run < size[id]) {
			ASSERT_EQ(MEMORY, create(self, id, BGRX, 1024, size[id]));
			size[id] = 0;
			continue;
		}
		at -= run;
		ASSERT_EQ(OK, create(self, id, BGRX, 1024, size[id]));
		ASSERT_EQ(4096ULL * at, offset_of(self, id));
		while (run)
			owner[at + --run] = id;
	}
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

TEST_HARNESS_MAIN
