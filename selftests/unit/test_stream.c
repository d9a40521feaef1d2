// SPDX-License-Identifier: GPL-2.0
/* Migration streams: what was saved is loaded, and nothing else is. */
#include <errno.h>

#include "model/stream/stream.h"
#include "unit.h"

/* Twice the framebuffer's first pages, and what has happened to it. */
#define FB_SEEN		(64 * 4096)

struct target {
	struct vgpu_type_desc type;
	struct vgpu_identity identity;
	struct vgpu_stream stream;
	u8 fb[FB_SEEN];
	u64 zeroed;
};

static int fb_write(void *priv, u64 offset, const void *data, size_t len)
{
	struct target *t = priv;

	if (offset >= t->type.profile.fb_size ||
	    len > t->type.profile.fb_size - offset)
		abort();
	if (offset < FB_SEEN)
		memcpy(t->fb + offset, data,
		       len < FB_SEEN - offset ? len : FB_SEEN - offset);
	return 0;
}

static int fb_zero(void *priv, u64 page, u64 nr)
{
	struct target *t = priv;
	u64 pages = t->type.profile.fb_size / 4096;

	if (page >= pages || nr > pages - page)
		abort();
	for (; nr && page < FB_SEEN / 4096; page++, nr--)
		memset(t->fb + page * 4096, 0, 4096);
	t->zeroed += nr;
	return 0;
}

static const struct vgpu_stream_fb fb = { fb_write, fb_zero };

static void begin(struct target *t, const char *id)
{
	memset(t, 0, sizeof(*t));
	if (vgpu_types_fill(&t->type, 1, id, 4 * GIB) != 1)
		abort();
	vgpu_identity_init(&t->identity, &t->type, true);
	vgpu_stream_init(&t->stream, &t->type.profile, &t->identity, &fb, t, NULL);
}

/* A write as migration/resume.c takes it: pages go by themselves. */
static int feed_direct(struct target *t, const u8 *data, size_t len)
{
	u64 offset, n;
	int ret = 0;

	for (; len && !ret; data += n, len -= n) {
		n = vgpu_stream_pages(&t->stream, &offset);
		if (n) {
			n = n < len ? n : len;
			ret = vgpu_stream_passed(&t->stream,
						 fb_write(t, offset, data, n) ?:
						 (s64)n);
			continue;
		}
		n = vgpu_stream_wants(&t->stream);
		if (!n || n > VGPU_STREAM_PAYLOAD)
			abort();
		n = n < len ? n : len;
		ret = vgpu_stream_feed(&t->stream, data, n);
	}
	return ret;
}

/* The same test both ways. */
static bool direct;

static int feed(struct target *t, const u8 *data, size_t len)
{
	struct unit_buf buf = unit_copy(data, len);
	int ret;

	ret = direct ? feed_direct(t, buf.data, len) :
		       vgpu_stream_feed(&t->stream, buf.data, len);
	free(buf.memory);
	return ret;
}

/* In pieces of @step bytes, each in memory of its own. */
static int load(struct target *t, const u8 *data, size_t len, size_t step)
{
	int ret = 0;

	while (len && !ret) {
		size_t n = step < len ? step : len;

		ret = feed(t, data, n);
		data += n;
		len -= n;
	}
	return vgpu_stream_finish(&t->stream);
}

/* A device in which everything is different from power-on. */
static void use(struct vgpu_model *model, u64 seed)
{
	struct vgpu_scanout s = {
		.format = 0x34325258, .width = 800, .height = 600,
		.pitch = 3200, .offset = 0x10000,
	};
	u8 command[2] = { 6, 0 };
	u32 i;

	vgpu_config_write(model, 4, command, 2);
	unit_commit(model, 0, 1, &s);
	s.offset += 0x300000;
	unit_commit(model, 0, 2, &s);
	unit_head_out(model, 0, 0x80, 64 | 64 << 16);
	unit_head_out(model, 0, 0x84, 0x4000);
	unit_head_out(model, 0, 0x8c, 3 | 4 << 16);
	unit_head_out(model, 0, 0x94, 1);
	unit_head_out(model, 0, 0x90, 0xfff0 | 0x20 << 16);
	unit_head_out(model, 0, 0xc4, 0x7f);
	unit_mode(model, 640, 480, 16, 640, 0, 0);
	for (i = 0; i < 200; i++)
		unit_reg_out(model, 0x2000 + 4 * (unit_random(&seed) % 24),
			     unit_random(&seed));
	for (i = 0; i < 2000; i++)
		unit_reg_out(model, 4 * (unit_random(&seed) % 0x140),
			     unit_random(&seed) >> unit_random(&seed) % 32);
	vgpu_model_ecc(model, true, 77);
	vgpu_model_ecc(model, false, 78);
	vgpu_heads_frame(model, 3);
}

#define STREAM_MAX (VGPU_STREAM_STATE * 3)

static const struct vgpu_params params = { .disable_vnc = 1 };

/* A whole stream with two pages of the framebuffer and one that is zero. */
static size_t save(struct target *t, struct vgpu_model *model, u8 *buf)
{
	size_t len = vgpu_stream_begin(&t->identity, buf);
	u32 i;

	len += vgpu_record_put(buf + len, VGPU_TAG_FB_PAGES, 8 + 2 * 4096);
	memset(buf + len, 0, 8);
	buf[len] = 1;
	len += 8;
	for (i = 0; i < 2 * 4096; i++)
		buf[len++] = i * 7;
	len += vgpu_record_put(buf + len, VGPU_TAG_FB_ZERO, 16);
	memset(buf + len, 0, 16);
	buf[len] = 2;
	buf[len + 8] = 1;
	len += 16;
	return len + vgpu_state_save(model, &params, NULL, buf + len);
}

static bool same_model(const struct vgpu_model *a, const struct vgpu_model *b)
{
	u32 i;

	if (memcmp(a->config, b->config, sizeof(a->config)) ||
	    memcmp(a->edid, b->edid, sizeof(a->edid)) ||
	    a->link.up != b->link.up || a->link.size != b->link.size ||
	    memcmp(a->link.blob, b->link.blob, sizeof(a->link.blob)) ||
	    memcmp(a->dispi, b->dispi, sizeof(a->dispi)) ||
	    a->att_data != b->att_data || a->blanked != b->blanked ||
	    a->dispi_on != b->dispi_on || a->doorbells != b->doorbells ||
	    a->irq_status != b->irq_status || a->irq_enable != b->irq_enable ||
	    memcmp(a->msix, b->msix, sizeof(a->msix)) ||
	    a->ecc.opt_out != b->ecc.opt_out || a->ecc.error != b->ecc.error ||
	    a->ecc.sbe != b->ecc.sbe || a->ecc.dbe != b->ecc.dbe ||
	    a->ecc.page != b->ecc.page)
		return false;
	for (i = 0; i < VGPU_MAX_HEADS; i++) {
		const struct vgpu_head *x = &a->heads[i], *y = &b->heads[i];

		if (!unit_same_scanout(&x->shown, &y->shown) ||
		    !unit_same_scanout(&x->next, &y->next) ||
		    x->flip != y->flip || x->refused != y->refused ||
		    !unit_same_scanout(&x->cursor.image, &y->cursor.image) ||
		    x->cursor.x != y->cursor.x || x->cursor.y != y->cursor.y ||
		    x->cursor.hot_x != y->cursor.hot_x ||
		    x->cursor.hot_y != y->cursor.hot_y ||
		    x->vblanks != y->vblanks || x->flips != y->flips ||
		    memcmp(x->regs, y->regs, sizeof(x->regs)))
			return false;
	}
	return true;
}

FIXTURE(stream)
{
	struct target *t;
	struct vgpu_model model;
	u8 *buf;
	size_t len;
};

FIXTURE_VARIANT(stream)
{
	bool direct;
};

FIXTURE_VARIANT_ADD(stream, fed)
{
	.direct = false,
};

FIXTURE_VARIANT_ADD(stream, direct)
{
	.direct = true,
};

FIXTURE_SETUP(stream)
{
	direct = variant->direct;
	self->t = malloc(sizeof(*self->t));
	self->buf = malloc(STREAM_MAX);
	begin(self->t, "64Q");
	vgpu_model_init(&self->model, &self->t->type.profile);
	self->model.ecc.on = true;
	use(&self->model, 1);
	self->len = save(self->t, &self->model, self->buf);
	ASSERT_GT(STREAM_MAX, self->len);
}

FIXTURE_TEARDOWN(stream)
{
	free(self->buf);
	free(self->t);
}

TEST_F(stream, round_trip)
{
	static const size_t steps[] = { 1, 2, 7, 16, 4096, STREAM_MAX };
	u64 seed;
	u32 i;

	for (seed = 1; seed < 200; seed++) {
		vgpu_model_init(&self->model, &self->t->type.profile);
		self->model.ecc.on = true;
		use(&self->model, seed);
		self->len = save(self->t, &self->model, self->buf);
		for (i = 0; i < ARRAY_SIZE(steps); i++) {
			begin(self->t, "64Q");
			ASSERT_EQ(0, load(self->t, self->buf, self->len,
					  steps[i]))
				TH_LOG("seed %u: %s", (u32)seed,
				       self->t->stream.why);
			ASSERT_TRUE(same_model(&self->model,
					       &self->t->stream.model))
				TH_LOG("seed %u", (u32)seed);
			ASSERT_EQ(1, self->t->stream.params.disable_vnc);
			ASSERT_EQ(0, self->t->stream.params.frame_rate_limiter);
			ASSERT_EQ(7, self->t->fb[4097]);
			ASSERT_EQ(0, self->t->fb[2 * 4096 + 1]);
			if (seed > 3)
				break;
		}
	}
}

/* The guest of a saved device cannot tell it from one that was loaded. */
TEST_F(stream, registers)
{
	u32 reg;

	begin(self->t, "64Q");
	ASSERT_EQ(0, load(self->t, self->buf, self->len, 100));
	self->t->stream.model.ecc.on = true;
	for (reg = 0; reg < 0x500; reg += 4)
		EXPECT_EQ(unit_reg_in(&self->model, reg),
			  unit_reg_in(&self->t->stream.model, reg))
			TH_LOG("register %#x", reg);
	for (reg = 0; reg < 0x1000; reg++)
		EXPECT_EQ(unit_in(&self->model, reg, 1),
			  unit_in(&self->t->stream.model, reg, 1))
			TH_LOG("BAR2 %#x", reg);
}

TEST_F(stream, truncated)
{
	size_t n;

	for (n = 0; n < self->len; n++) {
		begin(self->t, "64Q");
		ASSERT_EQ(-EINVAL, load(self->t, self->buf, n, 4096))
			TH_LOG("%zu of %zu bytes", n, self->len);
		ASSERT_NE(NULL, self->t->stream.why);
	}
	begin(self->t, "64Q");
	self->buf[self->len] = 0;
	EXPECT_EQ(-EINVAL, load(self->t, self->buf, self->len + 1, 4096));
}

/* Whatever is taken is a state that can be saved and loaded again. */
TEST_F_TIMEOUT(stream, flipped, 300)
{
	u8 *again = malloc(STREAM_MAX);
	u32 taken = 0, refused = 0;
	size_t i, len;
	u32 bit;

	for (i = 0; i < self->len; i++) {
		for (bit = 0; bit < 8; bit++) {
			self->buf[i] ^= 1 << bit;
			begin(self->t, "64Q");
			if (load(self->t, self->buf, self->len, 4096)) {
				refused++;
			} else {
				taken++;
				len = save(self->t, &self->t->stream.model,
					   again);
				begin(self->t, "64Q");
				ASSERT_EQ(0, load(self->t, again, len, 4096))
					TH_LOG("byte %zu bit %u", i, bit);
			}
			self->buf[i] ^= 1 << bit;
		}
	}
	TH_LOG("%u of the flips were taken, %u refused", taken, refused);
	EXPECT_LT(0, taken);
	EXPECT_LT(3000, refused);
	free(again);
}

/* The records of a stream: where each begins. */
static u32 records(const u8 *buf, size_t len, size_t *at)
{
	size_t pos = 0;
	u32 nr = 0;

	while (pos < len) {
		at[nr++] = pos;
		pos += 16 + (buf[pos + 8] | buf[pos + 9] << 8 |
			     buf[pos + 10] << 16);
	}
	at[nr] = pos;
	return nr;
}

/* Any two records change places, one is missing, or one is there twice. */
TEST_F(stream, order)
{
	u8 *other = malloc(2 * STREAM_MAX);
	size_t at[32], n;
	u32 nr, i, j, k;

	nr = records(self->buf, self->len, at);
	ASSERT_EQ(at[nr], self->len);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++) {
			n = 0;
			for (k = 0; k < nr; k++) {
				u32 r = k == i ? j : k == j ? i : k;

				memcpy(other + n, self->buf + at[r],
				       at[r + 1] - at[r]);
				n += at[r + 1] - at[r];
			}
			begin(self->t, "64Q");
			/* Identity is first and the end last; else any order. */
			EXPECT_EQ(i == j || (i && j && i < nr - 1 && j < nr - 1) ?
					  0 : -EINVAL,
				  load(self->t, other, n, 4096))
				TH_LOG("%u and %u", i, j);
		}
		memcpy(other, self->buf, at[i]);
		memcpy(other + at[i], self->buf + at[i + 1],
		       self->len - at[i + 1]);
		begin(self->t, "64Q");
		/* Without some pages it is still a vGPU. */
		EXPECT_EQ(i == 1 || i == 2 ? 0 : -EINVAL,
			  load(self->t, other,
			       self->len - (at[i + 1] - at[i]), 4096))
			TH_LOG("without %u", i);
		memcpy(other, self->buf, at[i + 1]);
		memcpy(other + at[i + 1], self->buf + at[i], self->len - at[i]);
		begin(self->t, "64Q");
		EXPECT_EQ(i == 1 || i == 2 ? 0 : -EINVAL,
			  load(self->t, other,
			       self->len + at[i + 1] - at[i], 4096))
			TH_LOG("%u twice", i);
	}
	free(other);
}

/* Every record with sizes that it cannot have. */
TEST_F(stream, sizes)
{
	static const u64 sizes[] = { 0, 1, 7, 8, 9, 4095, 4097, 65536, 1 << 20,
				     1ULL << 32, 1ULL << 63, ~0ULL - 15, ~0ULL };
	size_t at[32];
	u8 old[8];
	u32 nr, i, j, k;

	nr = records(self->buf, self->len, at);
	for (i = 0; i < nr; i++) {
		memcpy(old, self->buf + at[i] + 8, 8);
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			/* Its own. */
			if (at[i + 1] - at[i] - 16 == sizes[j])
				continue;
			for (k = 0; k < 8; k++)
				self->buf[at[i] + 8 + k] = sizes[j] >> 8 * k;
			begin(self->t, "64Q");
			EXPECT_NE(0, load(self->t, self->buf, self->len, 4096))
				TH_LOG("record %u of %llu bytes", i, sizes[j]);
		}
		memcpy(self->buf + at[i] + 8, old, 8);
	}
}

/* What a later version adds. */
TEST_F(stream, unknown)
{
	static const struct {
		u32 flags;
		u64 size;
		int ret;
	} cases[] = {
		{ 0, 0, 0 }, { 0, 100, 0 }, { 0, 5000, 0 }, { 0, 1 << 20, 0 },
		{ 0, (1 << 20) + 1, -EINVAL }, { 0, ~0ULL, -EINVAL },
		{ 1, 0, -EOPNOTSUPP }, { 1, 100, -EOPNOTSUPP },
		{ 2, 0, -EINVAL }, { ~0U, 0, -EINVAL },
	};
	u8 *other = calloc(1, STREAM_MAX + (1 << 20) + 64);
	size_t at[32], n;
	u32 i, tag;

	records(self->buf, self->len, at);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (tag = 0; tag < 3; tag++) {
			n = at[1];
			memcpy(other, self->buf, n);
			n += vgpu_record_put(other + n, tag == 0 ? 9 :
					     tag == 1 ? 33 : ~0U,
					     cases[i].size);
			memcpy(other + n - 12, &cases[i].flags, 4);
			if (cases[i].size <= 1 << 20)
				n += cases[i].size;
			memcpy(other + n, self->buf + at[1], self->len - at[1]);
			n += self->len - at[1];
			begin(self->t, "64Q");
			EXPECT_EQ(cases[i].ret, load(self->t, other, n, 1000))
				TH_LOG("case %u, tag %u", i, tag);
			memset(other, 0, n);
		}
	}
	free(other);
}

/* Pages that are not in the framebuffer. */
TEST_F(stream, pages)
{
	static const u64 pages[] = { 16383, 16384, 16385, 1ULL << 40,
				     1ULL << 52, ~0ULL };
	size_t at[32];
	u32 i, k;

	records(self->buf, self->len, at);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		for (k = 0; k < 8; k++)
			self->buf[at[1] + 16 + k] = pages[i] >> 8 * k;
		begin(self->t, "64Q");
		EXPECT_EQ(-EINVAL, load(self->t, self->buf, self->len, 4096));
	}
	memset(self->buf + at[1] + 16, 0, 8);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		for (k = 0; k < 8; k++)
			self->buf[at[2] + 24 + k] = pages[i] >> 8 * k;
		begin(self->t, "64Q");
		EXPECT_EQ(-EINVAL, load(self->t, self->buf, self->len, 4096));
	}
}

/* Whoever goes on after the middle of pages was the end is told what is wrong. */
TEST_F(stream, after_pages)
{
	struct vgpu_stream *stream = &self->t->stream;
	size_t at[32];
	u64 offset;

	records(self->buf, self->len, at);
	EXPECT_EQ(-EINVAL, load(self->t, self->buf, at[1] + 16 + 8 + 4096,
				4096));
	EXPECT_EQ(0, vgpu_stream_pages(stream, &offset));
	EXPECT_LT(0, vgpu_stream_wants(stream));
	EXPECT_EQ(-EINVAL, vgpu_stream_feed(stream, self->buf, 1));
}

/* What version 1 has recorded is taken by every later one. */
TEST_F(stream, recorded)
{
	FILE *file = fopen(STREAMS "/1-64Q", "r");
	size_t len;

	ASSERT_NE(NULL, file);
	len = fread(self->buf, 1, STREAM_MAX, file);
	fclose(file);
	begin(self->t, "64Q");
	ASSERT_EQ(0, load(self->t, self->buf, len, 4096));
	EXPECT_TRUE(same_model(&self->model, &self->t->stream.model));
	EXPECT_EQ(1, self->t->stream.params.disable_vnc);
	EXPECT_EQ(7, self->t->fb[4097]);
	/* It had no BAR3 yet: the guest has put none anywhere. */
	EXPECT_EQ(0, memcmp(self->t->stream.model.config + 0x1c, "\0\0\0", 4));
}

/* Who tries again is told the same, wherever in a record it was refused. */
TEST_F(stream, again)
{
	size_t at[32];
	u8 old[8];
	u32 nr, i, k;
	int ret;

	nr = records(self->buf, self->len, at);
	for (i = 0; i < nr; i++) {
		/* At its size, flags, and what begins it. */
		for (k = 4; k <= 16; k += 4) {
			if (at[i] + k + 8 > self->len)
				continue;
			memcpy(old, self->buf + at[i] + k, 8);
			memset(self->buf + at[i] + k, k == 8 ? 0 : 0xff, 8);
			begin(self->t, "64Q");
			ret = feed(self->t, self->buf, self->len);
			if (ret)
				EXPECT_EQ(ret, feed(self->t, self->buf, 1))
					TH_LOG("record %u, byte %u", i, k);
			memcpy(self->buf + at[i] + k, old, 8);
		}
	}
}

/* A stream of another type is refused before anything of it counts. */
TEST_F(stream, other_type)
{
	begin(self->t, "64B");
	EXPECT_EQ(-ENODEV, load(self->t, self->buf, self->len, 4096));
	EXPECT_STREQ("type", self->t->stream.why);
	EXPECT_TRUE(!self->t->fb[4097]);
}

TEST_HARNESS_MAIN
