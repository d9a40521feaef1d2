// SPDX-License-Identifier: GPL-2.0
/* Heads in BAR4: mode setting, cursors, the EDID of each. */
#include "unit.h"

#define RGB565		REF_FOURCC('R', 'G', '1', '6')
#define XRGB8888	REF_FOURCC('X', 'R', '2', '4')
#define ARGB8888	REF_FOURCC('A', 'R', '2', '4')

#define FB_SIZE		(6 * GIB)
#define MAX_WIDTH	4096
#define MAX_HEIGHT	2160

FIXTURE(head)
{
	struct vgpu_profile profile;
	struct vgpu_model model;
	u32 heads;
};

/* With fewer heads than there can be, the rest is not there. */
FIXTURE_VARIANT(head)
{
	u32 num_heads;
};

FIXTURE_VARIANT_ADD(head, heads_1) { 1 };
FIXTURE_VARIANT_ADD(head, heads_2) { 2 };
FIXTURE_VARIANT_ADD(head, heads_4) { 4 };

FIXTURE_SETUP(head)
{
	self->heads = variant->num_heads;
	self->profile.fb_size = FB_SIZE;
	self->profile.num_heads = variant->num_heads;
	self->profile.max_width = MAX_WIDTH;
	self->profile.max_height = MAX_HEIGHT;
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->profile);
}

FIXTURE_TEARDOWN(head)
{
	EXPECT_EQ(NULL, ref_fault(&self->model))
		TH_LOG("%s", ref_fault(&self->model));
}

static const struct vgpu_scanout good = { XRGB8888, 640, 480, 4096, 8192 };

static bool is_kept(u32 reg)
{
	return (reg >= 0x40 && reg <= 0x54) || (reg >= 0x80 && reg <= 0x90);
}

/* Each register with each bit: it keeps all or none, and moves no other. */
TEST_F(head, registers)
{
	struct vgpu_model *model = &self->model;
	u32 head, reg, other, bit;

	for (head = 0; head < self->heads; head++) {
		for (reg = 0; reg < 0x100; reg += 4) {
			struct vgpu_model before = *model;
			u32 old = unit_head_in(model, head, reg);

			/* Writing those is for doing something. */
			if (reg == REF_COMMIT || reg == REF_CURSOR_COMMIT ||
			    reg == REF_EDID_INDEX)
				continue;
			for (bit = 0; bit < 32; bit++) {
				u32 value = ~old ^ 1U << bit;

				unit_head_out(model, head, reg, value);
				ASSERT_EQ(is_kept(reg) ? value : old,
					  unit_head_in(model, head, reg))
					TH_LOG("head %u, %#x", head, reg);
			}
			for (other = 0x100; other < 0x500; other += 4)
				ASSERT_EQ(unit_reg_in(&before, other),
					  other == 0x100 * head + 0x100 + reg ?
					  old : unit_reg_in(model, other))
					TH_LOG("head %u, %#x: %#x", head, reg,
					       other);
		}
		EXPECT_EQ(0, unit_head_in(model, head, REF_STATUS));
	}
	EXPECT_EQ(0, model->bad_access);
	/* Kept, but only until a reset. */
	vgpu_model_reset(model);
	for (reg = 0x100; reg < 0x500; reg += 4)
		if (reg % 0x100 < 0xc0)
			EXPECT_EQ(0, unit_reg_in(model, reg));
}

TEST_F(head, missing_heads)
{
	struct vgpu_model *model = &self->model;
	struct vgpu_model before = *model;
	u32 head, reg;

	for (head = self->heads; head < 4; head++) {
		unit_commit(model, head, REF_MODE, &good);
		for (reg = 0; reg < 0x100; reg += 4) {
			unit_head_out(model, head, reg, 1);
			EXPECT_EQ(0, unit_head_in(model, head, reg));
		}
		vgpu_heads_frame(model, 1);
	}
	EXPECT_EQ(0, memcmp(&before, model, sizeof(before)));
}

/* Every format on every head, read back where the guest looks for it. */
TEST_F(head, mode)
{
	static const struct vgpu_scanout modes[] = {
		{ REF_FOURCC('X', 'R', '1', '5'), 640, 480, 1280, 0 },
		{ RGB565, 1280, 800, 2560, 4096 },
		{ REF_FOURCC('R', 'G', '2', '4'), 800, 600, 2400, GIB },
		{ XRGB8888, 1920, 1080, 8192, 5 * GIB + 12288 },
	};
	struct vgpu_model *model = &self->model;
	u32 head, i, j;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		for (head = 0; head < self->heads; head++) {
			/* All different, so that mixed-up heads show. */
			const struct vgpu_scanout *s =
				&modes[(i + head) % ARRAY_SIZE(modes)];

			unit_commit(model, head, REF_MODE, s);
			EXPECT_EQ(0, unit_head_in(model, head, REF_COMMIT));
		}
		for (head = 0; head < self->heads; head++) {
			const struct vgpu_scanout *s =
				&modes[(i + head) % ARRAY_SIZE(modes)];
			const u32 want[] = { s->width, s->height, s->pitch,
					     s->format, s->offset,
					     s->offset >> 32, 0, 0, REF_ON };

			for (j = 0; j < ARRAY_SIZE(want); j++)
				EXPECT_EQ(want[j],
					  unit_head_in(model, head, 4 * j))
					TH_LOG("head %u, %#x", head, 4 * j);
		}
		EXPECT_EQ(NULL, ref_fault(model));
	}
	for (head = 0; head < self->heads; head++) {
		unit_head_out(model, head, REF_COMMIT, REF_OFF);
		for (j = 0; j < 9; j++)
			EXPECT_EQ(0, unit_head_in(model, head, 4 * j));
		/* Its registers are still there. */
		unit_head_out(model, head, REF_COMMIT, REF_MODE);
		EXPECT_EQ(REF_ON, unit_head_in(model, head, REF_STATUS));
	}
	vgpu_model_reset(model);
	EXPECT_FALSE(vgpu_heads_shown(model));
}

/* Nothing happens before the commit, whatever is in the registers. */
TEST_F(head, no_half_modes)
{
	struct vgpu_model *model = &self->model;
	u32 reg;

	unit_commit(model, 0, REF_MODE, &good);
	for (reg = REF_SET; reg < REF_COMMIT; reg += 4) {
		unit_head_out(model, 0, reg, ~0u);
		EXPECT_TRUE(unit_same_scanout(&good, &model->heads[0].shown));
		EXPECT_FALSE(model->heads[0].flip);
	}
}

/* Commit on every head; what is refused changes that one bit and no more. */
static void check_commit(struct __test_metadata *_metadata,
			 FIXTURE_DATA(head) *self,
			 const struct vgpu_scanout *s, bool ok)
{
	struct vgpu_model *model = &self->model;
	struct vgpu_model want;
	u32 head;

	for (head = 0; head < self->heads; head++) {
		struct vgpu_head *h = &model->heads[head];

		unit_commit(model, head, REF_MODE, &good);
		ASSERT_EQ(REF_ON, unit_head_in(model, head, REF_STATUS));
		want = *model;
		unit_commit(model, head, REF_MODE, s);
		memcpy(want.heads[head].regs, h->regs, sizeof(h->regs));
		want.heads[head].refused = !ok;
		if (ok)
			want.heads[head].shown = *s;
		EXPECT_EQ(ok ? REF_ON : REF_ON | REF_REFUSED,
			  unit_head_in(model, head, REF_STATUS));
		EXPECT_EQ(0, memcmp(&want, model, sizeof(want)))
			TH_LOG("%ux%u, pitch %#x, format %#x, offset %#llx",
			       s->width, s->height, s->pitch, s->format,
			       s->offset);
	}
}

static void check_mode(struct __test_metadata *_metadata,
		       FIXTURE_DATA(head) *self, u32 format, u32 width,
		       u32 height, u32 pitch, u64 offset, bool ok)
{
	struct vgpu_scanout s = { format, width, height, pitch, offset };

	check_commit(_metadata, self, &s, ok);
}

TEST_F(head, sizes)
{
	static const struct {
		u32 width, height;
		bool ok;
	} sizes[] = {
		{ 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1, true },
		{ MAX_WIDTH, MAX_HEIGHT, true }, { MAX_WIDTH, 1, true },
		{ 1, MAX_HEIGHT, true }, { MAX_WIDTH + 1, MAX_HEIGHT },
		{ MAX_WIDTH, MAX_HEIGHT + 1 }, { 0x10001, 1 }, { 1, 0x10001 },
		{ 0x40000001, 1 }, { 0x80000001, 1 }, { ~0u, 1 }, { 1, ~0u },
		{ ~0u, ~0u }, { 0x80000000, 0x80000000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		check_mode(_metadata, self, XRGB8888, sizes[i].width,
			   sizes[i].height, 32768, 0, sizes[i].ok);
}

TEST_F(head, formats)
{
	static const u32 bad[] = { 0, 1, 4, 15, 32, ARGB8888, XRGB8888 + 1,
				   REF_FOURCC('X', 'B', '2', '4'),
				   REF_FOURCC('N', 'V', '1', '2'),
				   XRGB8888 | 1U << 31, ~0u };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check_mode(_metadata, self, bad[i], 64, 64, 4096, 0, false);
}

/* As many bytes as the line has, in words, and one word less. */
TEST_F(head, pitches)
{
	static const u16 bpps[] = { 15, 16, 24, 32 };
	u32 i, width, extra;

	for (i = 0; i < ARRAY_SIZE(bpps); i++) {
		u32 format = ref_format(bpps[i]);

		for (width = 61; width <= 64; width++) {
			u32 bytes = width * ref_bytes(format);

			for (extra = 0; extra <= 8; extra++)
				check_mode(_metadata, self, format, width, 2,
					   bytes + extra, 0,
					   (bytes + extra) % 4 == 0);
			for (extra = 1; extra <= 8; extra++)
				check_mode(_metadata, self, format, width, 2,
					   bytes - extra, 0, false);
		}
		check_mode(_metadata, self, format, 64, 2, 0, 0, false);
	}
}

TEST_F(head, offsets)
{
	const u64 size = 768 * 4096;
	const u64 bad[] = { FB_SIZE - size + 4096, FB_SIZE - 4096,
				   FB_SIZE, FB_SIZE + 4096, 1ULL << 63,
				   0ULL - 4096, 0ULL - size, 0ULL - size - 4096,
				   1ULL << 33 };
	const u64 fine[] = { 0, 4096, 1ULL << 31, 1ULL << 32,
				    FB_SIZE - size - 4096, FB_SIZE - size };
	u32 i, bit;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check_mode(_metadata, self, XRGB8888, 1024, 768, 4096, bad[i],
			   false);
	for (i = 0; i < ARRAY_SIZE(fine); i++) {
		check_mode(_metadata, self, XRGB8888, 1024, 768, 4096, fine[i],
			   true);
		for (bit = 0; bit < 12; bit++)
			check_mode(_metadata, self, XRGB8888, 1024, 768, 4096,
				   fine[i] | 1U << bit, false);
	}
	/* Whole lines count, also what lies behind their visible part. */
	check_mode(_metadata, self, XRGB8888, 1, 768, 8192, FB_SIZE - 2 * size,
		   true);
	check_mode(_metadata, self, XRGB8888, 1, 768, 8192,
		   FB_SIZE - 2 * size + 4096, false);
}

/* A picture that its VMM's int cannot hold, or that wraps at 32 bits. */
TEST_F(head, large_pictures)
{
	static const struct {
		u32 height, pitch;
		bool ok;
	} modes[] = {
		{ 1, 0x7ffffffc, true }, { 2, 0x3ffffffc, true },
		{ 2048, 0x000ffffc, true }, { 1, 0x80000000 },
		{ 2, 0x40000000 }, { 2048, 0x00100000 }, { 1, 0xfffffffc },
		{ 2, 0x80000000 }, { 2, 0x80001000 }, { 2048, 0x00200000 },
		{ 2048, 0x00201000 }, { MAX_HEIGHT, 0xfffffffc },
		{ MAX_HEIGHT, 0x80000000 }, { 1024, 0x40000000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		check_mode(_metadata, self, XRGB8888, 64, modes[i].height,
			   modes[i].pitch, 0, modes[i].ok);
}

TEST_F(head, unknown_commits)
{
	static const u32 bad[] = { 3, 4, 5, 0x101, 0x10001, 0x80000000, ~0u };
	struct vgpu_model *model = &self->model;
	u32 i, head;

	for (head = 0; head < self->heads; head++) {
		unit_commit(model, head, REF_MODE, &good);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			struct vgpu_model want = *model;

			unit_head_out(model, head, REF_COMMIT, bad[i]);
			EXPECT_EQ(REF_ON | REF_REFUSED,
				  unit_head_in(model, head, REF_STATUS));
			model->heads[head].refused = false;
			EXPECT_EQ(0, memcmp(&want, model, sizeof(want)));
		}
		unit_head_out(model, head, REF_COMMIT, bad[0]);
		unit_head_out(model, head, REF_COMMIT, REF_OFF);
		EXPECT_EQ(0, unit_head_in(model, head, REF_STATUS));
	}
}

/* Anything near the limits, against rules that were written a second time. */
TEST_F(head, random_commits)
{
	static const u32 formats[] = { XRGB8888, RGB565, ARGB8888,
				       REF_FOURCC('R', 'G', '2', '4') };
	struct vgpu_model *model = &self->model;
	u32 round, taken = 0;
	u64 state = 1;

	for (round = 0; round < 100000; round++) {
		u32 head = unit_random(&state) % self->heads;
		struct vgpu_head *h = &model->heads[head];
		struct vgpu_scanout s, was = h->shown;
		bool ok;

		s.format = formats[unit_random(&state) % ARRAY_SIZE(formats)];
		s.width = unit_random(&state) % (MAX_WIDTH + 64);
		s.height = unit_random(&state) % (MAX_HEIGHT + 64);
		s.pitch = s.width * 4 + unit_random(&state) % 16 * 4 - 4;
		s.offset = FB_SIZE - (u64)s.pitch * s.height;
		s.offset = s.offset / 4096 * 4096 -
			   unit_random(&state) % 64 * 4096 + 4 * 4096;
		ok = s.format != ARGB8888 &&
		     !ref_scanout_fault(&self->profile, &s);
		unit_commit(model, head, REF_MODE, &s);
		ASSERT_EQ(!ok, h->refused)
			TH_LOG("round %u", round);
		ASSERT_TRUE(unit_same_scanout(ok ? &s : &was, &h->shown))
			TH_LOG("round %u", round);
		taken += ok;
	}
	EXPECT_LT(10000, taken);
	EXPECT_GT(90000, taken);
}

static void set_cursor(struct vgpu_model *model, u32 head, u32 width,
		       u32 height, u32 hot_x, u32 hot_y, u64 offset)
{
	unit_head_out(model, head, REF_CURSOR_SIZE, width | height << 16);
	unit_head_out(model, head, REF_CURSOR_OFFSET, offset);
	unit_head_out(model, head, REF_CURSOR_OFFSET + 4, offset >> 32);
	unit_head_out(model, head, REF_CURSOR_HOTSPOT, hot_x | hot_y << 16);
}

/* On every head: taken, or refused with that one bit and no more. */
static void check_cursor(struct __test_metadata *_metadata,
			 FIXTURE_DATA(head) *self, u32 width, u32 height,
			 u32 hot_x, u32 hot_y, u64 offset, bool ok)
{
	struct vgpu_model *model = &self->model;
	u32 head;

	for (head = 0; head < self->heads; head++) {
		struct vgpu_cursor want = {
			.image = { ARGB8888, width, height, 4 * width, offset },
			.hot_x = hot_x, .hot_y = hot_y,
		};
		struct vgpu_cursor *cursor = &model->heads[head].cursor;
		struct vgpu_model before;

		set_cursor(model, head, 16, 16, 1, 2, 0);
		unit_head_out(model, head, REF_CURSOR_COMMIT, 1);
		ASSERT_EQ(REF_CURSOR_ON, unit_head_in(model, head, REF_STATUS));
		set_cursor(model, head, width, height, hot_x, hot_y, offset);
		before = *model;
		unit_head_out(model, head, REF_CURSOR_COMMIT, 1);
		EXPECT_EQ(ok ? REF_CURSOR_ON : REF_CURSOR_ON | REF_REFUSED,
			  unit_head_in(model, head, REF_STATUS))
			TH_LOG("%ux%u, hotspot %u, %u, offset %#llx", width,
			       height, hot_x, hot_y, offset);
		if (ok)
			EXPECT_EQ(0, memcmp(&want, cursor, sizeof(want)));
		before.heads[head].cursor = *cursor;
		if (!ok)
			model->heads[head].refused = false;
		EXPECT_EQ(0, memcmp(&before, model, sizeof(before)));
		EXPECT_EQ(0, unit_head_in(model, head, REF_CURSOR_COMMIT));
	}
	EXPECT_EQ(NULL, ref_fault(model))
		TH_LOG("%s", ref_fault(model));
}

TEST_F(head, cursor_sizes)
{
	static const u32 sizes[] = { 0, 1, 2, 63, 64, 255, 256, 257, 512, 1024,
				     32768, 65535 };
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			check_cursor(_metadata, self, sizes[i], sizes[j], 0, 0,
				     4096, sizes[i] && sizes[i] <= 256 &&
				     sizes[j] && sizes[j] <= 256);
}

TEST_F(head, cursor_hotspot)
{
	static const u32 spots[] = { 0, 1, 30, 31, 32, 33, 63, 64, 32768,
				     65535 };
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(spots); i++)
		for (j = 0; j < ARRAY_SIZE(spots); j++)
			check_cursor(_metadata, self, 32, 64, spots[i],
				     spots[j], 0,
				     spots[i] < 32 && spots[j] < 64);
	check_cursor(_metadata, self, 256, 256, 255, 255, 0, true);
	check_cursor(_metadata, self, 256, 256, 256, 255, 0, false);
	check_cursor(_metadata, self, 1, 1, 0, 1, 0, false);
}

TEST_F(head, cursor_offset)
{
	u32 bit;

	for (bit = 0; bit < 64; bit++)
		check_cursor(_metadata, self, 64, 64, 0, 0, 1ULL << bit,
			     bit >= 12 && bit <= 32);
	/* 16 KiB from the end, and a page and a line too close to it. */
	check_cursor(_metadata, self, 64, 64, 0, 0, FB_SIZE - 16384, true);
	check_cursor(_metadata, self, 64, 64, 0, 0, FB_SIZE - 12288, false);
	check_cursor(_metadata, self, 64, 65, 0, 0, FB_SIZE - 16384, false);
	check_cursor(_metadata, self, 1, 1, 0, 0, FB_SIZE - 4096, true);
	check_cursor(_metadata, self, 1, 1, 0, 0, FB_SIZE, false);
	check_cursor(_metadata, self, 64, 64, 0, 0, 0ULL - 4096, false);
	check_cursor(_metadata, self, 64, 64, 0, 0, 0ULL - 16384, false);
}

/* Position is in force at once, all else with the commit. */
TEST_F(head, cursor_position)
{
	static const s16 values[] = { 0, 1, -1, 639, -255, 32767, -32768 };
	struct vgpu_model *model = &self->model;
	u32 i, j, head;

	for (head = 0; head < self->heads; head++) {
		struct vgpu_cursor *cursor = &model->heads[head].cursor;

		for (i = 0; i < ARRAY_SIZE(values); i++) {
			for (j = 0; j < ARRAY_SIZE(values); j++) {
				u32 word = (u16)values[i] |
					   (u32)(u16)values[j] << 16;

				unit_head_out(model, head, REF_CURSOR_POSITION,
					      word);
				EXPECT_EQ(values[i], cursor->x);
				EXPECT_EQ(values[j], cursor->y);
				EXPECT_EQ(word,
					  unit_head_in(model, head,
						       REF_CURSOR_POSITION));
				/* It shows nothing, and hides nothing. */
				EXPECT_EQ(0, cursor->image.format);
			}
		}
		set_cursor(model, head, 64, 64, 5, 6, 4096);
		EXPECT_EQ(0, cursor->image.format);
		EXPECT_EQ(0, cursor->hot_x);
		EXPECT_EQ(0, cursor->hot_y);
		unit_head_out(model, head, REF_CURSOR_COMMIT, 1);
		EXPECT_EQ(-32768, cursor->x);
		EXPECT_EQ(64, cursor->image.width);
		set_cursor(model, head, 32, 32, 7, 8, 8192);
		EXPECT_EQ(64, cursor->image.width);
		EXPECT_EQ(4096, cursor->image.offset);
		EXPECT_EQ(5, cursor->hot_x);
		unit_head_out(model, head, REF_CURSOR_POSITION, 0);
		EXPECT_EQ(0, cursor->x);
		EXPECT_EQ(64, cursor->image.width);
	}
}

TEST_F(head, cursor_commits)
{
	static const u32 bad[] = { 2, 3, 0x100, 0x80000001, ~0u };
	struct vgpu_model *model = &self->model;
	u32 i, head = self->heads - 1;
	struct vgpu_cursor *cursor = &model->heads[head].cursor;

	set_cursor(model, head, 64, 64, 0, 0, 4096);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		unit_head_out(model, head, REF_CURSOR_COMMIT, bad[i]);
		EXPECT_EQ(REF_REFUSED, unit_head_in(model, head, REF_STATUS));
	}
	unit_head_out(model, head, REF_CURSOR_COMMIT, 1);
	EXPECT_EQ(REF_CURSOR_ON, unit_head_in(model, head, REF_STATUS));
	unit_head_out(model, head, REF_CURSOR_COMMIT, 2);
	EXPECT_EQ(REF_CURSOR_ON | REF_REFUSED,
		  unit_head_in(model, head, REF_STATUS));
	/* Modes and cursors come and go without each other. */
	unit_commit(model, head, REF_MODE, &good);
	EXPECT_EQ(REF_ON | REF_CURSOR_ON,
		  unit_head_in(model, head, REF_STATUS));
	/* Hiding it needs no valid registers. */
	set_cursor(model, head, 0, 0, 9, 9, 1);
	unit_head_out(model, head, REF_CURSOR_COMMIT, 0);
	EXPECT_EQ(REF_ON, unit_head_in(model, head, REF_STATUS));
	EXPECT_EQ(0, cursor->image.width);
	EXPECT_EQ(0, cursor->image.offset);
	set_cursor(model, head, 64, 64, 0, 0, 4096);
	unit_head_out(model, head, REF_CURSOR_COMMIT, 1);
	unit_head_out(model, head, REF_COMMIT, REF_OFF);
	EXPECT_EQ(REF_CURSOR_ON, unit_head_in(model, head, REF_STATUS));
	unit_head_out(model, head, REF_CURSOR_POSITION, ~0u);
	vgpu_model_reset(model);
	EXPECT_EQ(0, unit_head_in(model, head, REF_STATUS));
	EXPECT_EQ(0, cursor->x);
}

/* A VMM's write to the EDID region. */
static void link_out(struct __test_metadata *_metadata,
		     struct vgpu_model *model, u32 offset, u32 value)
{
	const u8 bytes[] = { value, value >> 8, value >> 16, value >> 24 };

	ASSERT_EQ(0, vgpu_link_write(model, offset, bytes, 4));
}

/* What a guest reads there is @edid, and zeroes behind it. */
static void check_edid(struct __test_metadata *_metadata,
		       struct vgpu_model *model, u32 head, const u8 *edid,
		       u32 size)
{
	u32 index;

	EXPECT_EQ(size, unit_head_in(model, head, REF_EDID_SIZE));
	for (index = 0; index < 0x400; index += 4) {
		u32 word, want = 0;

		if (index < size)
			memcpy(&want, edid + index, 4);
		unit_head_out(model, head, REF_EDID_INDEX, index);
		EXPECT_EQ(index, unit_head_in(model, head, REF_EDID_INDEX));
		word = unit_head_in(model, head, REF_EDID_DATA);
		EXPECT_EQ(want, word)
			TH_LOG("head %u, byte %#x", head, index);
		unit_head_out(model, head, REF_EDID_DATA, ~want);
		EXPECT_EQ(want, unit_head_in(model, head, REF_EDID_DATA));
	}
}

TEST_F(head, edid)
{
	struct vgpu_model *model = &self->model;
	u8 edid[1024] = { }, plain[128];
	u32 head, i;

	/* It lies behind the EDID, where nobody must get to. */
	model->frl_hz = ~0U;
	memcpy(plain, model->edid, sizeof(plain));
	for (head = 0; head < self->heads; head++)
		check_edid(_metadata, model, head, plain, 128);

	/* The VMM unplugs head 0, and plugs in another monitor there. */
	link_out(_metadata, model, 20, 2);
	check_edid(_metadata, model, 0, NULL, 0);
	memcpy(edid, plain, sizeof(plain));
	for (i = 128; i < 1024; i++)
		edid[i] = i % 128 == 127 ? 0 : i * 7 + (i >> 7);
	for (i = 128; i < 1024; i++)
		if (i % 128 != 127)
			edid[i | 127] -= edid[i];
	for (i = 128; i <= 1024; i += 128) {
		/* The number of extensions, and with it the checksum. */
		edid[127] += edid[126] - (i / 128 - 1);
		edid[126] = i / 128 - 1;
		ASSERT_EQ(0, vgpu_link_write(model, 0x400, edid, 1024));
		link_out(_metadata, model, 8, i);
		link_out(_metadata, model, 20, 1);
		check_edid(_metadata, model, 0, edid, i);
		for (head = 1; head < self->heads; head++)
			check_edid(_metadata, model, head, plain, 128);
	}
	/* A reset unplugs nothing. */
	vgpu_model_reset(model);
	check_edid(_metadata, model, 0, edid, 1024);
}

/* Each head has an index of its own; what is no index comes to one. */
TEST_F(head, edid_index)
{
	struct vgpu_model *model = &self->model;
	u32 head, bit, index, word;

	for (head = 0; head < self->heads; head++)
		unit_head_out(model, head, REF_EDID_INDEX, 8 * head);
	for (head = 0; head < self->heads; head++) {
		memcpy(&word, model->edid + 8 * head, 4);
		EXPECT_EQ(8 * head, unit_head_in(model, head, REF_EDID_INDEX));
		EXPECT_EQ(word, unit_head_in(model, head, REF_EDID_DATA));
	}
	for (bit = 0; bit < 32; bit++) {
		for (head = 0; head < self->heads; head++) {
			unit_head_out(model, head, REF_EDID_INDEX, 1U << bit);
			index = unit_head_in(model, head, REF_EDID_INDEX);
			EXPECT_EQ(0, index & ~0x3fcU);
			word = 0;
			if (index < 128)
				memcpy(&word, model->edid + index, 4);
			EXPECT_EQ(word, unit_head_in(model, head,
						     REF_EDID_DATA));
		}
	}
}

TEST_HARNESS_MAIN
