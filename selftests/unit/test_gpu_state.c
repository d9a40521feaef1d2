// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a virtio-gpu in a migration stream: what is saved is what is loaded, and
 * whatever a stream says, what is loaded is something that a guest can bring about.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "gpu.h"
#include "model/stream/stream.h"
#include "model/virtio/state.h"

#define STATE_MAX	(1 << 20)
#define PIECES		1000

struct side {
	struct vgpu_type_desc type;
	struct vgpu_identity identity;
	struct gpu_unit *u;
	struct vgpu_model model;
	struct vgpu_params params;
};

FIXTURE(state)
{
	struct side source;
	u8 *buf;
	size_t len;
};

static void side_init(struct side *side)
{
	memset(side, 0, sizeof(*side));
	vgpu_types_fill(&side->type, 1, "16V", 16 * MIB);
	/* Two heads, as no type of this size has. */
	side->type.profile.num_heads = 2;
	vgpu_identity_init(&side->identity, &side->type, true);
	side->u = gpu_unit_new(&side->type.profile);
	vgpu_model_init(&side->model, &side->type.profile);
	vgpu_params_init(&side->params);
}

static void side_fini(struct side *side)
{
	vgpu_gpu_reset(&side->u->gpu);
	gpu_unit_free(side->u);
}

static struct vgpu_resource *add(struct side *side, u32 id, u32 width, u32 height,
				 u32 pieces)
{
	struct vgpu_resource want = {
		.id = id,
		.format = width ? vgpu_virtio_format(VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM) : 0,
		.width = width,
		.height = height,
		.size = width ? 4ULL * width * height : 4ULL * 640 * 480,
		.blob = !width,
	};
	struct vgpu_gpu *gpu = &side->u->gpu;
	struct vgpu_resource *res;
	u32 i;

	if (vgpu_resource_create(gpu, &want, &res) != VIRTIO_GPU_RESP_OK_NODATA)
		abort();
	if (!pieces)
		return res;
	res->backing = gpu->ops->alloc(gpu, pieces * sizeof(*res->backing));
	for (i = 0; i < pieces; i++) {
		res->backing[i].iova = GPU_BASE + 8192ULL * i;
		res->backing[i].end = 4096ULL * (i + 1);
	}
	res->nr_backing = pieces;
	gpu->nr_backing += pieces;
	return res;
}

static void write32(struct side *side, u32 offset, u32 value, u32 len)
{
	vgpu_virtio_bar_write(&side->model, offset, &value, len);
}

/* A guest in the middle of its work. */
static void work(struct side *side)
{
	struct vgpu_rect all = { 0, 0, 640, 480 }, part = { 64, 32, 320, 200 };
	struct vgpu_gpu *gpu = &side->u->gpu;
	struct vgpu_resource *blob;

	vgpu_virtio_reset_done(&side->model, 0);
	write32(side, 0x14, 11, 1);		/* acknowledge, driver, features ok */
	write32(side, 0x8, 1, 4);
	write32(side, 0xc, 1, 4);		/* VERSION_1 */
	write32(side, 0x14, 11, 1);
	write32(side, 0x16, 0, 2);
	write32(side, 0x18, 64, 2);
	write32(side, 0x1a, 1, 2);
	write32(side, 0x20, 0x1000, 4);
	write32(side, 0x28, 0x2000, 4);
	write32(side, 0x30, 0x3000, 4);
	write32(side, 0x1c, 1, 2);
	write32(side, 0x14, 15, 1);
	vgpu_virtio_ring(&side->model, 0, &gpu->rings[0]);
	gpu->rings[0].avail_next = 70;
	gpu->rings[0].avail_seen = 70;
	gpu->rings[0].used_next = 69;
	gpu->rings[0].used_signalled = 68;
	vgpu_monitor_plug(&side->model, 2);

	add(side, 1, 640, 480, 3);
	add(side, 7, 64, 64, 0);
	blob = add(side, 5, 0, 0, PIECES);
	if (vgpu_gpu_set_scanout(gpu, 0, vgpu_resource_find(gpu, 1), &part) !=
	    VIRTIO_GPU_RESP_OK_NODATA ||
	    vgpu_gpu_set_blob(gpu, 1, blob, &all, vgpu_resource_find(gpu, 1)->format,
			      0, 640 * 4) != VIRTIO_GPU_RESP_OK_NODATA)
		abort();
	vgpu_gpu_update_cursor(gpu, 0, 7, -5, 9, 1, 2);
	vgpu_gpu_heads(gpu, &side->model);
}

static size_t save(struct side *side, u8 *buf)
{
	struct vgpu_resource_at at = { };
	size_t len, n;

	len = vgpu_stream_begin(&side->identity, buf);
	while ((n = vgpu_gpu_save_resource(&side->u->gpu, &at, buf + len)))
		len += n;
	return len + vgpu_state_save(&side->model, &side->params, &side->u->gpu,
				     buf + len);
}

static int fb_write(void *priv, u64 offset, const void *data, size_t len)
{
	return 0;
}

static int fb_zero(void *priv, u64 page, u64 nr)
{
	return 0;
}

static const struct vgpu_stream_fb fb = { fb_write, fb_zero };

/* Load it in another one; 0, with *target for side_fini(), or what is wrong. */
static int load(struct side *target, const u8 *buf, size_t len)
{
	struct vgpu_stream *stream = malloc(sizeof(*stream));
	u32 head;
	int ret;

	side_init(target);
	vgpu_stream_init(stream, &target->type.profile, &target->identity, &fb,
			 NULL, &target->u->gpu);
	vgpu_stream_feed(stream, buf, len);
	ret = vgpu_stream_finish(stream);
	if (!ret) {
		target->model = stream->model;
		vgpu_gpu_heads(&target->u->gpu, &target->model);
	}
	for (head = 0; head < 2; head++) {
		target->u->shown[head] = target->u->gpu.scanouts[head].picture;
		target->u->cursor[head] = target->u->gpu.scanouts[head].cursor;
	}
	free(stream);
	return ret;
}

FIXTURE_SETUP(state)
{
	side_init(&self->source);
	work(&self->source);
	self->buf = calloc(2, STATE_MAX);
	self->len = save(&self->source, self->buf);
	ASSERT_GT(STATE_MAX, self->len);
}

FIXTURE_TEARDOWN(state)
{
	free(self->buf);
	side_fini(&self->source);
}

TEST_F(state, round_trip)
{
	u8 *again = self->buf + STATE_MAX;
	struct vgpu_resource *res;
	struct side target;

	ASSERT_EQ(0, load(&target, self->buf, self->len));
	EXPECT_EQ(NULL, gpu_unit_fault(target.u));
	ASSERT_EQ(self->len, save(&target, again));
	EXPECT_EQ(0, memcmp(self->buf, again, self->len));
	res = vgpu_resource_find(&target.u->gpu, 5);
	ASSERT_NE(NULL, res);
	EXPECT_EQ(PIECES, res->nr_backing);
	EXPECT_EQ(GPU_BASE + 8192ULL * (PIECES - 1), res->backing[PIECES - 1].iova);
	EXPECT_EQ(70, target.u->gpu.rings[0].avail_next);
	EXPECT_EQ(64, target.u->gpu.rings[0].size);
	EXPECT_EQ(0, target.u->gpu.rings[1].size);
	EXPECT_EQ(320, target.model.heads[0].shown.width);
	EXPECT_EQ(640, target.model.heads[1].shown.width);
	EXPECT_EQ(-5, target.model.heads[0].cursor.x);
	/* The copy is made anew, so that no page of it need be right. */
	EXPECT_EQ(640, target.u->gpu.scanouts[1].stale.width);
	side_fini(&target);
}

TEST_F(state, truncated)
{
	struct side target;
	size_t len;

	for (len = 0; len < self->len; len += 1 + len / 64) {
		EXPECT_NE(0, load(&target, self->buf, len));
		side_fini(&target);
	}
}

/* Many bits of the small records, and some of the pieces of memory. */
TEST_F_TIMEOUT(state, flipped, 300)
{
	u8 *again = self->buf + STATE_MAX;
	u32 taken = 0, refused = 0;
	struct side target;
	size_t i, len;
	const char *fault;
	int ret;

	for (i = 0; i < self->len * 8; i += i / 8 > 1000 &&
	     i / 8 < self->len - 4000 ? 1021 : 13) {
		self->buf[i / 8] ^= 1 << i % 8;
		ret = load(&target, self->buf, self->len);
		/* What was refused is thrown away as it is. */
		fault = ret ? target.u->fault : gpu_unit_fault(target.u);
		ASSERT_EQ(NULL, fault) TH_LOG("bit %zu: %s", i, fault);
		if (ret) {
			refused++;
		} else {
			/* And what was loaded can be saved and loaded again. */
			taken++;
			len = save(&target, again);
			side_fini(&target);
			ASSERT_EQ(0, load(&target, again, len))
				TH_LOG("bit %zu", i);
		}
		side_fini(&target);
		self->buf[i / 8] ^= 1 << i % 8;
	}
	TH_LOG("%u of the flips were taken, %u refused", taken, refused);
	EXPECT_LT(0, taken);
	EXPECT_LT(0, refused);
}

/* Without memory for it nothing is loaded, and nothing is left. */
TEST_F(state, no_memory)
{
	struct side target;

	side_init(&target);
	EXPECT_NE(NULL, vgpu_resource_load(&target.u->gpu,
					   &(struct vgpu_resource){
						.id = 1, .blob = true, .size = 4096,
						.nr_backing = 1 }));
	EXPECT_EQ(NULL, vgpu_resource_load(&target.u->gpu,
					   &(struct vgpu_resource){
						.id = 2, .blob = true, .size = 4096,
						.nr_backing = VGPU_MAX_ENTRIES + 1 }));
	EXPECT_EQ(NULL, vgpu_resource_load(&target.u->gpu,
					   &(struct vgpu_resource){
						.id = 1, .blob = true, .size = 4096 }));
	side_fini(&target);
}

TEST_HARNESS_MAIN
