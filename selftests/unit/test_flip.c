// SPDX-License-Identifier: GPL-2.0
/*
 * Flips, with a frame-rate limit and without one, through the native registers
 * and through the dispi registers; and which of the two has head 0.
 */
#include "unit.h"

#define RGB565		REF_FOURCC('R', 'G', '1', '6')
#define XRGB8888	REF_FOURCC('X', 'R', '2', '4')

#define NUM_HEADS	4

FIXTURE(flip)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
};

FIXTURE_VARIANT(flip)
{
	u32 frl_hz;
};

FIXTURE_VARIANT_ADD(flip, unlimited) { 0 };
FIXTURE_VARIANT_ADD(flip, limited) { 60 };

FIXTURE_SETUP(flip)
{
	self->profile.fb_size = 6 * GIB;
	self->profile.num_heads = NUM_HEADS;
	self->profile.frl_hz = variant->frl_hz;
	self->profile.max_width = 4096;
	self->profile.max_height = 2160;
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->profile);
}

FIXTURE_TEARDOWN(flip)
{
	EXPECT_EQ(NULL, ref_fault(&self->model))
		TH_LOG("%s", ref_fault(&self->model));
}

static struct vgpu_scanout picture(u64 offset)
{
	return (struct vgpu_scanout) { XRGB8888, 1024, 768, 4096, offset };
}

static void show(struct vgpu_model *model, u32 head, u64 offset)
{
	struct vgpu_scanout mode = picture(offset);

	unit_commit(model, head, REF_MODE, &mode);
}

static void flip(struct vgpu_model *model, u32 head, u64 offset)
{
	unit_head_out(model, head, REF_SET_OFFSET, offset);
	unit_head_out(model, head, REF_SET_OFFSET + 4, offset >> 32);
	unit_head_out(model, head, REF_COMMIT, REF_FLIP);
}

/* A head shows picture(@offset) after @flips; another may be @pending. */
static void check(struct __test_metadata *_metadata, struct vgpu_model *model,
		  u32 head, u64 offset, u32 flips, bool pending)
{
	struct vgpu_scanout want = picture(offset);
	const struct vgpu_scanout *s = &model->heads[head].shown;

	EXPECT_TRUE(unit_same_scanout(&want, s))
		TH_LOG("head %u: offset %#llx instead of %#llx", head,
		       s->offset, offset);
	EXPECT_EQ((u32)offset, unit_head_in(model, head, 0x10));
	EXPECT_EQ(offset >> 32, unit_head_in(model, head, 0x14));
	EXPECT_EQ(flips, unit_head_in(model, head, REF_FLIPS));
	EXPECT_EQ(REF_ON | (pending ? REF_PENDING : 0),
		  unit_head_in(model, head, REF_STATUS));
}

static void check_dark(struct __test_metadata *_metadata,
		       struct vgpu_model *model)
{
	u32 i;

	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, unit_head_in(model, 0, 4 * i));
	EXPECT_EQ(0, unit_head_in(model, 0, REF_STATUS));
}

TEST_F(flip, one)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;
	u32 head;

	for (head = 0; head < NUM_HEADS; head++) {
		EXPECT_EQ(variant->frl_hz,
			  unit_head_in(model, head, REF_FRAME_LIMIT));
		show(model, head, 0);
		check(_metadata, model, head, 0, 0, false);
		/* Both halves of the offset count. */
		flip(model, head, 5 * GIB + 4096);
		if (limited)
			check(_metadata, model, head, 0, 0, true);
		else
			check(_metadata, model, head, 5 * GIB + 4096, 1, false);
		vgpu_heads_frame(model, 1);
		check(_metadata, model, head, 5 * GIB + 4096, 1, false);
		vgpu_heads_frame(model, 1);
		check(_metadata, model, head, 5 * GIB + 4096, 1, false);
	}
}

/* With a limit, no more than one a frame: the last. */
TEST_F(flip, several)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;
	u32 i, frame;

	show(model, 1, 0);
	for (frame = 0; frame < 10; frame++) {
		for (i = 1; i <= 10; i++)
			flip(model, 1, (10 * frame + i) * 4096);
		vgpu_heads_frame(model, 1);
		check(_metadata, model, 1, 10 * (frame + 1) * 4096,
		      (frame + 1) * (limited ? 1 : 10), false);
	}
	EXPECT_EQ(10, unit_head_in(model, 1, REF_VBLANKS));

	model->heads[1].flips = ~0u;
	flip(model, 1, 0);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 1, 0, 0, false);
}

/* A commit of a mode that differs in nothing but the offset is limited, too. */
TEST_F(flip, as_mode)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;

	show(model, 2, 0);
	show(model, 2, 8192);
	check(_metadata, model, 2, limited ? 0 : 8192, !limited, limited);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 2, 8192, 1, false);
}

/* A flip to what is shown is none, and takes the place of one that waits. */
TEST_F(flip, back)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;

	show(model, 0, 4096);
	flip(model, 0, 4096);
	show(model, 0, 4096);
	check(_metadata, model, 0, 4096, 0, false);
	flip(model, 0, 8192);
	flip(model, 0, 4096);
	check(_metadata, model, 0, 4096, limited ? 0 : 2, false);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 4096, limited ? 0 : 2, false);
}

TEST_F(flip, refused)
{
	static const u64 bad[] = { 4097, 4095, 4092,
				   6 * GIB - 768 * 4096 + 4096, 6 * GIB,
				   1ULL << 63, -4096ULL, -1ULL };
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;
	u32 i;

	/* With nothing on there is nothing to flip. */
	flip(model, 0, 0);
	EXPECT_EQ(REF_REFUSED, unit_head_in(model, 0, REF_STATUS));
	show(model, 0, 0);
	check(_metadata, model, 0, 0, 0, false);
	flip(model, 0, 4096);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vgpu_head before = model->heads[0];

		flip(model, 0, bad[i]);
		EXPECT_TRUE(unit_head_in(model, 0, REF_STATUS) & REF_REFUSED)
			TH_LOG("offset %#llx", bad[i]);
		/* What waits still does. */
		EXPECT_EQ(before.flip, model->heads[0].flip);
		EXPECT_EQ(before.flips, model->heads[0].flips);
		EXPECT_TRUE(unit_same_scanout(&before.shown,
					      &model->heads[0].shown));
		EXPECT_TRUE(unit_same_scanout(&before.next,
					      &model->heads[0].next));
	}
	/* The last offset that there is room for. */
	flip(model, 0, 6 * GIB - 768 * 4096);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 6 * GIB - 768 * 4096, limited ? 1 : 2,
	      false);
}

/* More than a flip is done now, and what waited never comes. */
TEST_F(flip, mode_change_overtakes)
{
	struct vgpu_scanout modes[] = {
		{ XRGB8888, 1024, 767, 4096, 0 },
		{ XRGB8888, 1023, 768, 4096, 0 },
		{ XRGB8888, 1024, 768, 8192, 0 },
		{ RGB565, 1024, 768, 4096, 0 },
	};
	struct vgpu_model *model = &self->model;
	struct vgpu_head *h = &model->heads[3];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		show(model, 3, 0);
		flip(model, 3, 4096);
		unit_commit(model, 3, REF_MODE, &modes[i]);
		EXPECT_FALSE(h->flip);
		EXPECT_TRUE(unit_same_scanout(&modes[i], &h->shown))
			TH_LOG("mode %u", i);
		vgpu_heads_frame(model, 1);
		EXPECT_TRUE(unit_same_scanout(&modes[i], &h->shown))
			TH_LOG("mode %u", i);
	}
	show(model, 3, 0);
	flip(model, 3, 4096);
	unit_head_out(model, 3, REF_COMMIT, REF_OFF);
	EXPECT_EQ(0, unit_head_in(model, 3, REF_STATUS));
	vgpu_heads_frame(model, 1);
	EXPECT_EQ(0, unit_head_in(model, 3, REF_STATUS));
	EXPECT_EQ(0, h->shown.offset);
	/* Turning it on is no flip, wherever it was before. */
	show(model, 3, 8192);
	EXPECT_EQ(8192, h->shown.offset);
}

/* A frame ends on all heads that are on, each for itself. */
TEST_F(flip, frames)
{
	struct vgpu_model *model = &self->model;
	u32 on, head;

	EXPECT_FALSE(vgpu_heads_shown(model));
	vgpu_heads_frame(model, 1);
	for (on = 0; on < 1 << NUM_HEADS; on++) {
		vgpu_model_reset(model);
		for (head = 0; head < NUM_HEADS; head++) {
			if (!(on >> head & 1))
				continue;
			show(model, head, 0);
			flip(model, head, 4096 * (head + 1));
		}
		EXPECT_EQ(on != 0, vgpu_heads_shown(model));
		EXPECT_EQ(0, unit_reg_in(model, 0x40));
		vgpu_heads_frame(model, 1);
		EXPECT_EQ(on << 2, unit_reg_in(model, 0x40));
		for (head = 0; head < NUM_HEADS; head++) {
			if (on >> head & 1)
				check(_metadata, model, head, 4096 * (head + 1),
				      1, false);
			else
				EXPECT_EQ(0, unit_head_in(model, head,
							  REF_STATUS));
			EXPECT_EQ(on >> head & 1,
				  unit_head_in(model, head, REF_VBLANKS));
		}
	}
	model->heads[0].vblanks = ~0u;
	vgpu_heads_frame(model, 1);
	EXPECT_EQ(0, unit_head_in(model, 0, REF_VBLANKS));
}

/* The limit is the host's: a reset leaves it, a change is in force at once. */
TEST_F(flip, limit)
{
	struct vgpu_model *model = &self->model;

	vgpu_model_reset(model);
	EXPECT_EQ(variant->frl_hz, unit_head_in(model, 0, REF_FRAME_LIMIT));
	model->frl_hz = 30;
	EXPECT_EQ(30, unit_head_in(model, 0, REF_FRAME_LIMIT));
	show(model, 0, 0);
	flip(model, 0, 4096);
	check(_metadata, model, 0, 0, 0, true);
	/* What waits already waits for the end of the frame. */
	model->frl_hz = 0;
	check(_metadata, model, 0, 0, 0, true);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 4096, 1, false);
	model->frl_hz = 30;
	flip(model, 0, 8192);
	model->frl_hz = 0;
	flip(model, 0, 12288);
	check(_metadata, model, 0, 12288, 2, false);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 12288, 2, false);
}

TEST_F(flip, reset)
{
	struct vgpu_model *model = &self->model;
	u32 head;

	for (head = 0; head < NUM_HEADS; head++) {
		show(model, head, 0);
		flip(model, head, 4096);
		vgpu_heads_frame(model, 1);
		flip(model, head, 8192);
	}
	vgpu_model_reset(model);
	vgpu_heads_frame(model, 1);
	for (head = 0; head < NUM_HEADS; head++) {
		EXPECT_EQ(0, unit_head_in(model, head, REF_STATUS));
		EXPECT_EQ(0, unit_head_in(model, head, REF_FLIPS));
		EXPECT_EQ(0, unit_head_in(model, head, REF_VBLANKS));
	}
	EXPECT_FALSE(vgpu_heads_shown(model));
}

/* The same through the dispi registers, which flip in two writes. */
TEST_F(flip, dispi)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;

	unit_mode(model, 1024, 768, 32, 1024, 0, 0);
	check(_metadata, model, 0, 0, 0, false);
	unit_dispi_out(model, REF_Y_OFFSET, 768);
	check(_metadata, model, 0, limited ? 0 : 768 * 4096, !limited, limited);
	unit_dispi_out(model, REF_X_OFFSET, 16);
	check(_metadata, model, 0, limited ? 0 : 768 * 4096 + 64,
	      limited ? 0 : 2, limited);
	/* What changes nothing is no flip, and ends none. */
	unit_dispi_out(model, REF_X_OFFSET, 16);
	unit_dispi_out(model, 5, 1);			/* bank */
	unit_dispi_out(model, REF_ENABLE, 0x41);
	unit_out(model, 0x400, 1, 0x20);		/* not blank */
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 768 * 4096 + 64, limited ? 1 : 2, false);

	/* Back before the frame: as if nothing had been. */
	unit_dispi_out(model, REF_Y_OFFSET, 0);
	unit_dispi_out(model, REF_Y_OFFSET, 768);
	check(_metadata, model, 0, 768 * 4096 + 64, limited ? 1 : 4, false);
}

TEST_F(flip, dispi_mode_change_overtakes)
{
	static const struct {
		u16 reg, value;
		struct vgpu_scanout want;
	} writes[] = {
		{ REF_XRES, 600, { XRGB8888, 600, 768, 4096, 5 * 4096 } },
		{ REF_YRES, 400, { XRGB8888, 1024, 400, 4096, 5 * 4096 } },
		{ REF_BPP, 16, { RGB565, 1024, 768, 2048, 5 * 2048 } },
		{ REF_VIRT_WIDTH, 2048, { XRGB8888, 1024, 768, 8192,
					  5 * 8192 } },
	};
	struct vgpu_model *model = &self->model;
	struct vgpu_head *h = &model->heads[0];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		unit_mode(model, 1024, 768, 32, 1024, 0, 0);
		unit_dispi_out(model, REF_Y_OFFSET, 5);
		unit_dispi_out(model, writes[i].reg, writes[i].value);
		EXPECT_FALSE(h->flip);
		EXPECT_TRUE(unit_same_scanout(&writes[i].want, &h->shown))
			TH_LOG("write %u", i);
	}

	unit_mode(model, 1024, 768, 32, 1024, 0, 0);
	unit_dispi_out(model, REF_Y_OFFSET, 5);
	unit_out(model, 0x400, 1, 0x00);		/* blank */
	check_dark(_metadata, model);
	vgpu_heads_frame(model, 1);
	check_dark(_metadata, model);
	unit_in(model, 0x41a, 1);
	unit_out(model, 0x400, 1, 0x20);
	EXPECT_EQ(5 * 4096, h->shown.offset);
	unit_dispi_out(model, REF_Y_OFFSET, 6);
	unit_dispi_out(model, REF_ENABLE, 0);
	check_dark(_metadata, model);
	vgpu_heads_frame(model, 1);
	check_dark(_metadata, model);
	unit_dispi_out(model, REF_ENABLE, 1);
	EXPECT_EQ(6 * 4096, h->shown.offset);
	/* Beyond the end there is nothing to wait for. */
	unit_dispi_out(model, REF_VIRT_WIDTH, 65535);
	unit_dispi_out(model, REF_Y_OFFSET, 65535);
	check_dark(_metadata, model);
}

/* Head 0 is whose write came last. */
TEST_F(flip, native_takes_over)
{
	struct vgpu_model *model = &self->model;
	u16 enable;

	unit_mode(model, 640, 480, 16, 640, 0, 7);
	show(model, 0, 8192);
	check(_metadata, model, 0, 8192, 0, false);
	/* Registers of a mode that is off take nothing away. */
	unit_dispi_out(model, REF_ENABLE, 0);
	unit_dispi_out(model, REF_XRES, 800);
	unit_out(model, 0x400, 1, 0x00);
	check(_metadata, model, 0, 8192, 0, false);
	unit_in(model, 0x41a, 1);
	unit_out(model, 0x400, 1, 0x20);
	unit_dispi_out(model, REF_ENABLE, 0);
	check(_metadata, model, 0, 8192, 0, false);

	/* Registers of one that is on do. */
	unit_dispi_out(model, REF_ENABLE, 1);
	EXPECT_EQ(800, unit_head_in(model, 0, 0x00));
	show(model, 0, 8192);
	unit_dispi_out(model, REF_YRES, 600);
	EXPECT_EQ(800, unit_head_in(model, 0, 0x00));
	EXPECT_EQ(600, unit_head_in(model, 0, 0x04));

	/* Off is a commit, too. */
	unit_head_out(model, 0, REF_COMMIT, REF_OFF);
	check_dark(_metadata, model);
	enable = unit_dispi_in(model, REF_ENABLE);
	unit_dispi_out(model, REF_ENABLE, enable);
	EXPECT_EQ(800, unit_head_in(model, 0, 0x00));
	/* And dispi's off ends what dispi shows. */
	unit_dispi_out(model, REF_ENABLE, 0);
	check_dark(_metadata, model);

	/* Another head is none of its business. */
	unit_dispi_out(model, REF_ENABLE, 1);
	show(model, 1, 0);
	unit_dispi_out(model, REF_XRES, 640);
	EXPECT_EQ(640, unit_head_in(model, 0, 0x00));
	show(model, 1, 4096);
	unit_dispi_out(model, REF_ENABLE, 0);
	check_dark(_metadata, model);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 1, 4096, 1, false);
}

/* What is refused takes nothing over; neither does what the cursor does. */
TEST_F(flip, refused_takes_nothing_over)
{
	struct vgpu_model *model = &self->model;
	struct vgpu_scanout bad = picture(1);

	unit_mode(model, 1024, 768, 32, 1024, 0, 0);
	unit_commit(model, 0, REF_MODE, &bad);
	flip(model, 0, 1);
	unit_head_out(model, 0, REF_COMMIT, 3);
	unit_head_out(model, 0, REF_CURSOR_COMMIT, 0);
	unit_dispi_out(model, REF_ENABLE, 0);
	check_dark(_metadata, model);
}

/* A native flip of what dispi shows, and the other way round. */
TEST_F(flip, of_the_other)
{
	struct vgpu_model *model = &self->model;
	bool limited = variant->frl_hz;

	unit_mode(model, 1024, 768, 32, 1024, 0, 0);
	flip(model, 0, 8192);
	check(_metadata, model, 0, limited ? 0 : 8192, !limited, limited);
	/* It is native's from the commit on, not from the frame. */
	unit_dispi_out(model, REF_ENABLE, 0);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 8192, 1, false);

	unit_mode(model, 1024, 768, 32, 1024, 0, 5);
	check(_metadata, model, 0, limited ? 8192 : 5 * 4096,
	      limited ? 1 : 2, limited);
	/* The last of two that differ is what waits. */
	flip(model, 0, 12288);
	vgpu_heads_frame(model, 1);
	check(_metadata, model, 0, 12288, limited ? 2 : 3, false);
	unit_dispi_out(model, REF_ENABLE, 0);
	check(_metadata, model, 0, 12288, limited ? 2 : 3, false);
}

TEST_HARNESS_MAIN
