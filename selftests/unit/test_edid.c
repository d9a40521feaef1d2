// SPDX-License-Identifier: GPL-2.0
/*
 * The EDID that each type gets, taken apart by the rules of EDID 1.4.
 *
 * With EDID_DIR in the environment the blocks are written there, one file for
 * each that is different, to be looked at with edid-decode --check.
 */
#include "unit.h"

struct timing {
	u32 clock_khz;
	u32 width, hblank, hfront, hsync;
	u32 height, vblank, vfront, vsync;
	u32 width_mm, height_mm;
	u8 flags;
};

FIXTURE(edid)
{
	struct vgpu_type_desc desc;
	struct vgpu_model model;
	const u8 *edid;
	struct timing detailed[4];
	u32 nr_detailed;
	const u8 *ranges, *name;
};

FIXTURE_VARIANT(edid)
{
	const char *type;
	u32 large_width, large_height;	/* of the second detailed timing */
	u32 width, height;		/* of the first, 0 for the default */
};

/* One for every step in the limits of type.c; types_are_covered checks that. */
FIXTURE_VARIANT_ADD(edid, type_16q) { "16Q", 1920, 1200 };
FIXTURE_VARIANT_ADD(edid, type_128b) { "128B", 2560, 1600 };
FIXTURE_VARIANT_ADD(edid, type_256c) { "256C", 3840, 2160 };
FIXTURE_VARIANT_ADD(edid, type_1024q) { "1024Q", 3840, 2160 };
FIXTURE_VARIANT_ADD(edid, type_16v) { "16V" };
FIXTURE_VARIANT_ADD(edid, type_128v) { "128V" };

/* What an administrator may wish; the largest that there is needs no second one. */
FIXTURE_VARIANT_ADD(edid, smallest) { "16Q", 1920, 1200, 640, 480 };
FIXTURE_VARIANT_ADD(edid, wished) { "16Q", 1920, 1200, 1920, 1080 };
FIXTURE_VARIANT_ADD(edid, odd) { "256C", 3840, 2160, 1366, 767 };
FIXTURE_VARIANT_ADD(edid, upright) { "1024Q", 3840, 2160, 2160, 3840 };
FIXTURE_VARIANT_ADD(edid, flat) { "256C", 3840, 2160, 4095, 480 };
FIXTURE_VARIANT_ADD(edid, largest) { "256C", 0, 0, 3840, 2160 };

static struct timing decode_timing(const u8 *d)
{
	return (struct timing) {
		.clock_khz = (d[0] | d[1] << 8) * 10,
		.width = d[2] | (d[4] >> 4) << 8,
		.hblank = d[3] | (d[4] & 0xf) << 8,
		.height = d[5] | (d[7] >> 4) << 8,
		.vblank = d[6] | (d[7] & 0xf) << 8,
		.hfront = d[8] | (d[11] >> 6) << 8,
		.hsync = d[9] | (d[11] >> 4 & 3) << 8,
		.vfront = d[10] >> 4 | (d[11] >> 2 & 3) << 4,
		.vsync = (d[10] & 0xf) | (d[11] & 3) << 4,
		.width_mm = d[12] | (d[14] >> 4) << 8,
		.height_mm = d[13] | (d[14] & 0xf) << 8,
		.flags = d[17],
	};
}

static u32 htotal(const struct timing *t)
{
	return t->width + t->hblank;
}

static u32 vtotal(const struct timing *t)
{
	return t->height + t->vblank;
}

static double refresh(const struct timing *t)
{
	return t->clock_khz * 1000.0 / htotal(t) / vtotal(t);
}

FIXTURE_SETUP(edid)
{
	u32 i;

	ASSERT_EQ(1, vgpu_types_fill(&self->desc, 1, variant->type, TIB));
	memset(&self->model, 0xa5, sizeof(self->model));
	vgpu_model_init(&self->model, &self->desc.profile);
	if (variant->width)
		vgpu_link_init(&self->model, variant->width, variant->height);
	self->edid = self->model.edid;
	for (i = 54; i < 126; i += 18) {
		const u8 *d = self->edid + i;

		if (d[0] || d[1])
			self->detailed[self->nr_detailed++] = decode_timing(d);
		else if (d[3] == 0xfd)
			self->ranges = d;
		else if (d[3] == 0xfc)
			self->name = d;
	}
	ASSERT_LT(0, self->nr_detailed);
	ASSERT_NE(NULL, self->ranges);
	ASSERT_NE(NULL, self->name);
}

FIXTURE_TEARDOWN(edid)
{
}

static void check_block(struct __test_metadata *_metadata, const u8 *edid)
{
	static const u8 header[] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	u32 i, sum = 0;

	ASSERT_EQ(0, memcmp(header, edid, sizeof(header)));
	for (i = 0; i < 128; i++)
		sum += edid[i];
	ASSERT_EQ(0, sum & 0xff);
	ASSERT_EQ(1, edid[18]);
	ASSERT_EQ(4, edid[19]);
	ASSERT_EQ(0, edid[126]);	/* extension blocks */
}

/* A timing that a monitor could take. */
static void check_timing(struct __test_metadata *_metadata,
			 const struct timing *t)
{
	ASSERT_LT(0, t->width);
	ASSERT_LT(0, t->height);
	ASSERT_LT(0, t->hfront);
	ASSERT_LT(0, t->hsync);
	ASSERT_LT(t->hfront + t->hsync, t->hblank);
	ASSERT_LT(0, t->vfront);
	ASSERT_LT(0, t->vsync);
	ASSERT_LT(t->vfront + t->vsync, t->vblank);
	/* Not interlaced, no stereo, digital separate sync, +h -v. */
	ASSERT_EQ(0x1a, t->flags);
}

TEST_F(edid, block)
{
	u32 i;

	check_block(_metadata, self->edid);
	for (i = 128; i < 0x400; i++)
		EXPECT_EQ(0, self->model.edid[i]);
	/* "VGP" */
	EXPECT_EQ('V', '@' + (self->edid[8] >> 2 & 0x1f));
	EXPECT_EQ('G', '@' + ((self->edid[8] & 3) << 3 | self->edid[9] >> 5));
	EXPECT_EQ('P', '@' + (self->edid[9] & 0x1f));
	EXPECT_EQ(0xff, self->edid[16]);
	EXPECT_LE(2024 - 1990, self->edid[17]);
	/* Digital; the first detailed timing is the native mode. */
	EXPECT_EQ(0x80, self->edid[20] & 0x80);
	EXPECT_EQ(0x02, self->edid[24] & 0x02);
}

/* bochs-drm reads bytes; another guest might copy words. */
TEST_F(edid, as_guests_read_it)
{
	u32 i, word;

	for (i = 0; i < 0x400; i++)
		ASSERT_EQ(self->edid[i], unit_in(&self->model, i, 1));
	for (i = 0; i < 0x400; i += 4) {
		word = unit_in(&self->model, i, 4);
		ASSERT_EQ(0, memcmp(self->edid + i, &word, 4));
	}
	EXPECT_EQ(0, self->model.bad_access);
}

TEST_F(edid, detailed_timings)
{
	const struct timing *t = self->detailed;
	u32 i;

	ASSERT_EQ(variant->large_width ? 2 : 1, self->nr_detailed);
	EXPECT_EQ(variant->width ?: 1280, t[0].width);
	EXPECT_EQ(variant->height ?: 800, t[0].height);
	EXPECT_EQ(variant->large_width, t[1].width);
	EXPECT_EQ(variant->large_height, t[1].height);
	/* All heads have the same monitor. */
	EXPECT_EQ(0, memcmp(self->edid, self->model.default_edid, 128));
	for (i = 0; i < self->nr_detailed; i++) {
		check_timing(_metadata, &t[i]);
		EXPECT_GE(self->desc.profile.max_width, t[i].width);
		EXPECT_GE(self->desc.profile.max_height, t[i].height);
		/* The step of the clock is coarse for a small one. */
		EXPECT_LT(59.4, refresh(&t[i]));
		EXPECT_GT(60.5, refresh(&t[i]));
	}
}

/* EDID 1.4, 3.10: the detailed timings come before all other descriptors. */
TEST_F(edid, descriptor_order)
{
	bool other = false;
	u32 i;

	for (i = 54; i < 126; i += 18) {
		const u8 *d = self->edid + i;

		if (d[0] || d[1]) {
			EXPECT_FALSE(other)
				TH_LOG("descriptor %u", (i - 54) / 18 + 1);
			continue;
		}
		other = true;
		EXPECT_EQ(0, d[2]);
		EXPECT_TRUE(d[3] == 0x10 || d[3] >= 0xf7)
			TH_LOG("descriptor %u", (i - 54) / 18 + 1);
		EXPECT_EQ(0, d[4]);
	}
}

TEST_F(edid, name)
{
	static const u8 text[] = "vgpu\n        ";

	EXPECT_EQ(0, memcmp(text, self->name + 5, 13));
}

/* What is drawn on a screen cannot be larger than the screen. */
TEST_F(edid, image_size)
{
	const struct timing *t = self->detailed;
	int width_mm = self->edid[21] * 10, height_mm = self->edid[22] * 10;
	u32 i;

	EXPECT_LT(0, width_mm);
	EXPECT_LT(0, height_mm);
	for (i = 0; i < self->nr_detailed; i++) {
		/* Zero is for "unknown"; the block itself counts in cm. */
		if (!t[i].width_mm && !t[i].height_mm)
			continue;
		EXPECT_GT(10, abs((int)t[i].width_mm - width_mm))
			TH_LOG("timing %u: %u mm", i + 1, t[i].width_mm);
		EXPECT_GT(10, abs((int)t[i].height_mm - height_mm))
			TH_LOG("timing %u: %u mm", i + 1, t[i].height_mm);
	}
}

/* VESA DMT 1.13: what the two bytes of a standard timing at 60 Hz stand for. */
static const struct dmt {
	u32 width, height, clock_khz, hfreq_hz;
} dmts[] = {
	{ 1920, 1080, 148500, 67500 }, { 1280, 720, 74250, 45000 },
	{ 1280, 1024, 108000, 63981 }, { 1680, 1050, 146250, 65290 },
	{ 1440, 900, 106500, 55935 }, { 1600, 900, 108000, 60000 },
	{ 1600, 1200, 162000, 75000 }, { 1920, 1200, 193250, 74556 },
};

/* Find standard timing number @i; NULL for an unused one. */
static const struct dmt *standard_timing(struct __test_metadata *_metadata,
					 const u8 *edid, u32 i)
{
	static const u32 ratios[][2] = {
		{ 16, 10 }, { 4, 3 }, { 5, 4 }, { 16, 9 }
	};
	const u8 *d = edid + 38 + 2 * i;
	u32 width = (d[0] + 31) * 8;
	const u32 *ratio = ratios[d[1] >> 6];
	u32 height = width * ratio[1] / ratio[0];

	if (d[0] == 1 && d[1] == 1)
		return NULL;
	EXPECT_EQ(0, d[1] & 0x3f);	/* 60 Hz */
	for (i = 0; i < ARRAY_SIZE(dmts); i++)
		if (dmts[i].width == width && dmts[i].height == height)
			return &dmts[i];
	EXPECT_TRUE(false)
		TH_LOG("%ux%u is not in DMT", width, height);
	return NULL;
}

TEST_F(edid, standard_timings)
{
	const u8 *edid = self->edid;
	u32 i, j, n = 0;

	for (i = 0; i < 8; i++) {
		const struct dmt *dmt = standard_timing(_metadata, edid, i);

		if (!dmt)
			continue;
		EXPECT_EQ(i, n++)
			TH_LOG("a gap before timing %u", i);
		EXPECT_GE(self->desc.profile.max_width, dmt->width);
		EXPECT_GE(self->desc.profile.max_height, dmt->height);
		for (j = 0; j < i; j++)
			EXPECT_NE(dmt, standard_timing(_metadata, edid, j));
	}
	/* Every type can show all of them, but small ones of a virtio-gpu. */
	EXPECT_EQ(self->desc.profile.max_height >= 1200 ? 8 :
		  self->desc.profile.max_width >= 1920 ? 6 : 1, n);
	/* 640x480, 800x600, 1024x768 at 60 Hz, nothing else. */
	EXPECT_EQ(0x21, edid[35]);
	EXPECT_EQ(0x08, edid[36]);
	EXPECT_EQ(0x00, edid[37]);
}

/* A guest may drop what the ranges leave out. */
TEST_F(edid, range_limits)
{
	const u8 *d = self->ranges;
	u32 i, clock = d[9] * 10000, hmin = d[7] * 1000, hmax = d[8] * 1000;

	EXPECT_EQ(0, d[4]);	/* no offsets */
	EXPECT_GE(60, d[5]);
	EXPECT_LE(61, d[6]);
	EXPECT_EQ(1, d[10]);	/* limits only, and the padding for it */
	EXPECT_EQ(0, memcmp(d + 11, "\n      ", 7));
	for (i = 0; i < self->nr_detailed; i++) {
		const struct timing *t = &self->detailed[i];
		u32 hfreq = t->clock_khz * 1000ULL / htotal(t);

		EXPECT_LE(t->clock_khz, clock);
		EXPECT_LE(hmin, hfreq);
		EXPECT_LE(hfreq, hmax);
	}
	for (i = 0; i < 8; i++) {
		const struct dmt *dmt = standard_timing(_metadata, self->edid,
							i);

		if (!dmt)
			continue;
		EXPECT_LE(dmt->clock_khz, clock)
			TH_LOG("%ux%u", dmt->width, dmt->height);
		EXPECT_LE(hmin, dmt->hfreq_hz);
		EXPECT_LE(dmt->hfreq_hz, hmax);
	}
}

TEST_F(edid, file)
{
	const char *dir = getenv("EDID_DIR");
	char path[4096];
	FILE *file;

	if (!dir || !*dir)
		SKIP(return, "EDID_DIR is not set");
	snprintf(path, sizeof(path), "%s/%ux%u-%ux%u.bin", dir,
		 self->desc.profile.max_width, self->desc.profile.max_height,
		 self->detailed[0].width, self->detailed[0].height);
	file = fopen(path, "w");
	ASSERT_NE(NULL, file)
		TH_LOG("%s: %s", path, strerror(errno));
	EXPECT_EQ(1, fwrite(self->edid, 128, 1, file));
	EXPECT_EQ(0, fclose(file));
}

/* No type that type.c makes has limits that the variants above do not have. */
TEST(types_are_covered)
{
	static const char * const ids[] = {
		"16Q", "128B", "256C", "1024Q", "16V", "128V",
	};
	struct vgpu_type_desc want[ARRAY_SIZE(ids)];
	struct vgpu_type_desc descs[VGPU_MAX_TYPES];
	u64 vram_size;
	int i, j, nr;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		ASSERT_EQ(1, vgpu_types_fill(&want[i], 1, ids[i], TIB));
	for (vram_size = 16 * MIB; vram_size <= TIB;
	     vram_size += vram_size < 4 * GIB ? 2 * MIB : 4 * GIB) {
		nr = vgpu_types_fill(descs, VGPU_MAX_TYPES, NULL, vram_size);
		ASSERT_LT(0, nr);
		for (i = 0; i < nr; i++) {
			const struct vgpu_profile *p = &descs[i].profile;

			for (j = 0; j < ARRAY_SIZE(ids); j++)
				if (p->max_width == want[j].profile.max_width &&
				    p->max_height == want[j].profile.max_height)
					break;
			ASSERT_NE(ARRAY_SIZE(ids), j)
				TH_LOG("%s", descs[i].id);
		}
	}
}

/* CVT 1.2 reduced blanking, from VESA's tables and its spreadsheet. */
TEST(cvt_reduced_blanking)
{
	static const struct {
		u32 width, height, clock_khz, vtotal, vsync;
	} modes[] = {
		{ 640, 480, 23500, 494, 4 }, { 800, 600, 35500, 618, 4 },
		{ 1024, 768, 56000, 790, 4 }, { 1280, 768, 68250, 790, 7 },
		{ 1280, 800, 71000, 823, 6 }, { 1400, 1050, 101000, 1080, 4 },
		{ 1440, 900, 88750, 926, 6 }, { 1680, 1050, 119000, 1080, 6 },
		{ 1920, 1080, 138500, 1111, 5 },
		{ 1920, 1200, 154000, 1235, 6 },
		{ 2560, 1440, 241500, 1481, 5 },
		{ 2560, 1600, 268500, 1646, 6 },
		{ 3840, 2160, 533250, 2222, 5 },
	};
	u8 edid[128];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct timing t;

		vgpu_edid_generate(edid, modes[i].width, modes[i].height,
				   modes[i].width, modes[i].height);
		check_block(_metadata, edid);
		t = decode_timing(edid + 54);
		check_timing(_metadata, &t);
		EXPECT_EQ(modes[i].width, t.width);
		EXPECT_EQ(modes[i].height, t.height);
		EXPECT_EQ(modes[i].clock_khz, t.clock_khz)
			TH_LOG("%ux%u", t.width, t.height);
		EXPECT_EQ(modes[i].width + 160, htotal(&t));
		EXPECT_EQ(modes[i].vtotal, vtotal(&t));
		EXPECT_EQ(48, t.hfront);
		EXPECT_EQ(32, t.hsync);
		EXPECT_EQ(3, t.vfront);
		EXPECT_EQ(modes[i].vsync, t.vsync);
	}
}

/* Sizes smaller than any type's: nothing larger than them is offered. */
TEST(offers_what_fits)
{
	static const u32 sizes[][2] = {
		{ 640, 480 }, { 800, 600 }, { 800, 599 }, { 799, 600 },
		{ 1024, 768 }, { 1024, 767 }, { 1023, 768 }, { 1279, 720 },
		{ 1280, 720 }, { 1280, 800 }, { 1280, 1024 }, { 1440, 900 },
		{ 1600, 900 }, { 1600, 1200 }, { 1920, 1079 }, { 1920, 1080 },
		{ 1919, 1200 }, { 1920, 1200 }, { 3839, 2160 },
	};
	u8 edid[128];
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 width = sizes[i][0], height = sizes[i][1];
		u32 offered = 0, fitting = 0, established = 0x20;

		vgpu_edid_generate(edid, 640, 480, width, height);
		check_block(_metadata, edid);
		for (j = 0; j < ARRAY_SIZE(dmts); j++) {
			const struct dmt *dmt = standard_timing(_metadata,
								edid, j);

			fitting += dmts[j].width <= width &&
				   dmts[j].height <= height;
			if (!dmt)
				continue;
			offered++;
			EXPECT_LE(dmt->width, width);
			EXPECT_LE(dmt->height, height);
		}
		EXPECT_EQ(fitting, offered)
			TH_LOG("%ux%u", width, height);
		if (width >= 800 && height >= 600)
			established |= 0x01;
		if (width >= 1024 && height >= 768)
			established |= 0x0800;
		EXPECT_EQ(established, edid[35] | edid[36] << 8)
			TH_LOG("%ux%u", width, height);
		for (j = 54; j < 126; j += 18) {
			struct timing t = decode_timing(edid + j);

			if (!t.clock_khz)
				continue;
			EXPECT_LE(t.width, width);
			EXPECT_LE(t.height, height);
		}
	}
}

/* Any preferred size whose clock a detailed timing can hold. */
TEST(every_size)
{
	u8 edid[128];
	u32 width, height;

	for (width = 1; width <= 4095; width += width < 16 ? 1 : 17) {
		for (height = 1; height <= 4095;
		     height += height < 16 ? 1 : 29) {
			struct timing t;

			if (!vgpu_edid_can_prefer(width, height)) {
				ASSERT_LT(655350000, (width + 160) *
					  (height + 120) * 60ULL)
					TH_LOG("%ux%u", width, height);
				break;
			}
			memset(edid, 0xa5, sizeof(edid));
			vgpu_edid_generate(edid, width, height, width, height);
			check_block(_metadata, edid);
			t = decode_timing(edid + 54);
			check_timing(_metadata, &t);
			ASSERT_EQ(width, t.width);
			ASSERT_EQ(height, t.height);
			ASSERT_GE(60.01, refresh(&t));
		}
	}
	EXPECT_FALSE(vgpu_edid_can_prefer(4096, 480));
	EXPECT_FALSE(vgpu_edid_can_prefer(640, 4096));
	EXPECT_FALSE(vgpu_edid_can_prefer(4095, 4095));
	EXPECT_FALSE(vgpu_edid_can_prefer(99999, 99999));
}

TEST_HARNESS_MAIN
