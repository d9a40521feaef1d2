// SPDX-License-Identifier: GPL-2.0
/*
 * What all commands of a virtio-gpu have in common: how they arrive and are answered, in
 * which order, and what waits; from a driver that keeps the rules and from one that does
 * not.
 */
#include "gpu_driver.h"

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
