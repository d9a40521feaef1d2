// SPDX-License-Identifier: GPL-2.0
/*
 * The type table: generated ones in full, and lists with every way to get them
 * wrong.
 */
#include "unit.h"

FIXTURE(types)
{
	struct vgpu_type_desc descs[VGPU_MAX_TYPES];
};

FIXTURE_SETUP(types)
{
	memset(self->descs, 0xa5, sizeof(self->descs));
}

FIXTURE_TEARDOWN(types)
{
}

/* On a copy without room behind it, so that reading on is noticed. */
static int parse(FIXTURE_DATA(types) *self, u32 max, const char *list,
		 u64 vram_size)
{
	char *copy = strdup(list);
	int ret;

	if (!copy)
		abort();
	ret = vgpu_types_fill(self->descs, max, copy, vram_size);
	free(copy);
	return ret;
}

/* Each head has room for this many pictures of its largest mode. */
static u64 ref_pictures(char series)
{
	return series == 'V' ? 4 : 1;
}

/* Of the framebuffer, in KiB, what is not for them. */
static u64 ref_reserved(char series)
{
	return series == 'V' ? 256 : 0;
}

static char ref_series(const struct vgpu_type_desc *desc)
{
	return desc->id[strlen(desc->id) - 1];
}

/*
 * Of a virtio-gpu: the largest of these modes that fits, in the largest power of two that
 * is in the framebuffer.  For the last one the table is more careful than it has to be.
 */
static void ref_virtio_limits(u64 mib, u32 heads, u32 *width, u32 *height)
{
	static const u32 modes[][2] = {
		{ 1280, 800 }, { 1920, 1080 }, { 2560, 1600 }, { 4096, 2160 },
	};
	u64 kib, need;
	u32 i;

	while (mib & (mib - 1))
		mib &= mib - 1;
	kib = mib * 1024;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		need = ref_pictures('V') * heads * modes[i][0] * modes[i][1] / 256;
		if (need > kib - ref_reserved('V'))
			break;
		*width = modes[i][0];
		*height = modes[i][1];
	}
	if (mib >= 4096) {
		*width = 7680;
		*height = 4320;
	}
}

/* What a framebuffer of @mib has room for, after the documented table. */
static void ref_limits(u64 mib, u32 *heads, u32 *width, u32 *height)
{
	*heads = mib >= 64 ? 4 : mib >= 32 ? 2 : 1;
	*width = mib >= 1024 ? 7680 : mib >= 256 ? 4096 : mib >= 128 ? 2560 :
		 1920;
	*height = mib >= 1024 ? 4320 : mib >= 256 ? 2160 : mib >= 128 ? 1600 :
		  1200;
}

static void check_desc(struct __test_metadata *_metadata,
		       const struct vgpu_type_desc *desc, const char *id,
		       u64 vram_size)
{
	u32 heads, width, height;
	char *series;
	u64 mib;

	mib = strtoull(id, &series, 10);
	ref_limits(mib, &heads, &width, &height);
	if (*series == 'C')
		heads = 1;
	if (*series == 'V')
		ref_virtio_limits(mib, heads, &width, &height);
	EXPECT_STREQ(id, desc->id);
	EXPECT_EQ(mib * MIB, desc->profile.fb_size);
	EXPECT_EQ(heads, desc->profile.num_heads);
	EXPECT_EQ(*series == 'B' ? 45 : 60, desc->profile.frl_hz);
	EXPECT_EQ(width, desc->profile.max_width);
	EXPECT_EQ(height, desc->profile.max_height);
	EXPECT_EQ(vram_size / (mib * MIB), desc->max_instance);
}

/* What must hold for every type, whatever the table says. */
static void check_sane(struct __test_metadata *_metadata,
		       const struct vgpu_type_desc *desc, u64 vram_size)
{
	const struct vgpu_profile *p = &desc->profile;
	u64 picture = (u64)p->max_width * p->max_height * 4;
	char series = ref_series(desc);

	EXPECT_LE(16 * MIB, p->fb_size);
	EXPECT_GE(TIB, p->fb_size);
	EXPECT_GE(vram_size, p->fb_size);
	EXPECT_EQ(0, p->fb_size % (2 * MIB));
	EXPECT_LE(1, p->num_heads);
	EXPECT_GE(4, p->num_heads);
	/* All heads at their largest, at the same time. */
	EXPECT_LE(ref_pictures(series) * picture * p->num_heads +
		  ref_reserved(series) * 1024, p->fb_size);
	EXPECT_EQ(series == 'V' ? VGPU_VIRTIO : VGPU_BOCHS, p->personality);
	EXPECT_LE(1, desc->max_instance);
	EXPECT_LE(desc->max_instance * p->fb_size, vram_size);
	EXPECT_GT((desc->max_instance + 1ULL) * p->fb_size, vram_size);
	EXPECT_NE(NULL, memchr(desc->id, 0, sizeof(desc->id)));
}

FIXTURE(generated)
{
	struct vgpu_type_desc descs[VGPU_MAX_TYPES];
};

FIXTURE_VARIANT(generated)
{
	u64 vram_size;
	const char *mib;	/* the framebuffers of each series */
};

FIXTURE_VARIANT_ADD(generated, vram_16m) { 16 * MIB, "16" };
FIXTURE_VARIANT_ADD(generated, vram_31m) { 31 * MIB, "30" };
FIXTURE_VARIANT_ADD(generated, vram_64m) { 64 * MIB, "64 32 16" };
/* Halves are rounded down to 2 MiB. */
FIXTURE_VARIANT_ADD(generated, vram_70m) { 70 * MIB, "70 34 16" };

FIXTURE_VARIANT_ADD(generated, vram_1g) {
	GIB, "1024 512 256 128 64 32 16"
};

FIXTURE_VARIANT_ADD(generated, vram_3g) {
	3 * GIB, "3072 1536 768 384 192 96 48 24"
};

FIXTURE_VARIANT_ADD(generated, vram_4g) {
	4 * GIB, "4096 2048 1024 512 256 128 64 32 16"
};

FIXTURE_VARIANT_ADD(generated, vram_48g) {
	48 * GIB,
	"49152 24576 12288 6144 3072 1536 768 384 192 96 48 24"
};

FIXTURE_VARIANT_ADD(generated, vram_1t) {
	TIB,
	"1048576 524288 262144 131072 65536 32768 16384 8192 4096 2048 1024 512 256 128 64 32 16"
};

/* More VRAM than one vGPU may have. */
FIXTURE_VARIANT_ADD(generated, vram_3t) {
	3 * TIB,
	"1048576 524288 262144 131072 65536 32768 16384 8192 4096 2048 1024 512 256 128 64 32 16"
};

FIXTURE_SETUP(generated)
{
	memset(self->descs, 0xa5, sizeof(self->descs));
}

FIXTURE_TEARDOWN(generated)
{
}

TEST_F(generated, table)
{
	const char *series = "QBCV", *lists[] = { NULL, "" };
	u32 i, j, nr = 0, list;
	char id[32];
	u64 mib;

	for (list = 0; list < ARRAY_SIZE(lists); list++) {
		int ret = vgpu_types_fill(self->descs, VGPU_MAX_TYPES,
					  lists[list], variant->vram_size);

		nr = 0;
		for (i = 0; i < 4; i++) {
			const char *at = variant->mib;
			char *end;

			for (; *at; at = end + (*end == ' ')) {
				mib = strtoull(at, &end, 10);
				ASSERT_GT(ret, nr);
				snprintf(id, sizeof(id), "%llu%c", mib,
					 series[i]);
				check_desc(_metadata, &self->descs[nr++], id,
					   variant->vram_size);
			}
		}
		ASSERT_EQ(nr, ret);
	}
	for (i = 0; i < nr; i++) {
		check_sane(_metadata, &self->descs[i], variant->vram_size);
		for (j = 0; j < i; j++)
			EXPECT_STRNE(self->descs[i].id, self->descs[j].id);
	}
}

/* A table one too short is refused; nothing is written behind it. */
TEST_F(generated, room)
{
	struct vgpu_type_desc *descs;
	u32 max, nr;
	int ret;

	ret = vgpu_types_fill(self->descs, VGPU_MAX_TYPES, NULL,
			      variant->vram_size);
	ASSERT_LT(0, ret);
	nr = ret;
	for (max = 0; max <= nr; max++) {
		descs = malloc(max * sizeof(*descs) ?: 1);
		ASSERT_NE(NULL, descs);
		EXPECT_EQ(max < nr ? -E2BIG : nr,
			  vgpu_types_fill(descs, max, NULL,
					  variant->vram_size));
		free(descs);
	}
}

/* What was generated can be given as a list, and means the same. */
TEST_F(generated, as_list)
{
	struct vgpu_type_desc again[VGPU_MAX_TYPES];
	char list[1024] = "";
	int i, nr;

	nr = vgpu_types_fill(self->descs, VGPU_MAX_TYPES, NULL,
			     variant->vram_size);
	for (i = 0; i < nr; i++) {
		strcat(list, i ? "," : "");
		strcat(list, self->descs[i].id);
	}
	memset(again, 0x5a, sizeof(again));
	ASSERT_EQ(nr, vgpu_types_fill(again, VGPU_MAX_TYPES, list,
				      variant->vram_size));
	for (i = 0; i < nr; i++)
		check_desc(_metadata, &again[i], self->descs[i].id,
			   variant->vram_size);
}

TEST_F(types, too_little_vram)
{
	static const u64 sizes[] = { 0, 1, 2 * MIB, 14 * MIB, 16 * MIB - 1 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-ERANGE, vgpu_types_fill(self->descs, VGPU_MAX_TYPES,
						   NULL, sizes[i]));
}

/* Every VRAM size up to 2 GiB that a pGPU can have. */
TEST_F(types, every_vram_size)
{
	u64 vram_size;
	int i, j, nr;

	for (vram_size = 16 * MIB; vram_size <= 2 * GIB;
	     vram_size += 2 * MIB) {
		nr = vgpu_types_fill(self->descs, VGPU_MAX_TYPES, NULL,
				     vram_size);
		ASSERT_LT(0, nr);
		EXPECT_EQ(vram_size, self->descs[0].profile.fb_size);
		for (i = 0; i < nr; i++) {
			check_sane(_metadata, &self->descs[i], vram_size);
			for (j = 0; j < i; j++)
				ASSERT_STRNE(self->descs[i].id,
					     self->descs[j].id);
		}
	}
}

/* Both sides of every step in the table of limits. */
TEST_F(types, limits)
{
	static const u32 steps[] = { 16, 32, 64, 128, 256, 1024, 2048, 4096 };
	char id[32];
	u32 i, s;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		for (s = 0; s < 4; s++) {
			snprintf(id, sizeof(id), "%u%c", steps[i], "QBCV"[s]);
			ASSERT_EQ(1, parse(self, 1, id, TIB));
			check_desc(_metadata, &self->descs[0], id, TIB);
			check_sane(_metadata, &self->descs[0], TIB);
			if (!i)
				continue;
			snprintf(id, sizeof(id), "%u%c", steps[i] - 2,
				 "QBCV"[s]);
			ASSERT_EQ(1, parse(self, 1, id, TIB));
			check_desc(_metadata, &self->descs[0], id, TIB);
			check_sane(_metadata, &self->descs[0], TIB);
		}
	}
}

TEST_F(types, list)
{
	u64 vram_size = 4 * GIB;

	/* In the order of the list. */
	ASSERT_EQ(5, parse(self, VGPU_MAX_TYPES, "16C,4096Q,16Q,18B,1024V",
			   vram_size));
	check_desc(_metadata, &self->descs[0], "16C", vram_size);
	check_desc(_metadata, &self->descs[1], "4096Q", vram_size);
	check_desc(_metadata, &self->descs[2], "16Q", vram_size);
	check_desc(_metadata, &self->descs[3], "18B", vram_size);
	check_desc(_metadata, &self->descs[4], "1024V", vram_size);
	/* Nothing of what was there before is left. */
	EXPECT_EQ(0, self->descs[0].id[sizeof(self->descs[0].id) - 1]);

	ASSERT_EQ(1, parse(self, 1, "1048576C", TIB));
	check_desc(_metadata, &self->descs[0], "1048576C", TIB);
}

TEST_F(types, bad_lists)
{
	static const struct {
		const char *list;
		int error;
	} lists[] = {
		/* Not a number of MiB and a series letter. */
		{ "Q", -EINVAL }, { "16", -EINVAL }, { "16q", -EINVAL },
		{ "16A", -EINVAL }, { "16QQ", -EINVAL }, { "Q16", -EINVAL },
		{ "16M", -EINVAL }, { "16v", -EINVAL }, { "0x10Q", -EINVAL }, { "1e2Q", -EINVAL },
		{ "016Q", -EINVAL }, { "0Q", -EINVAL }, { "-16Q", -EINVAL },
		{ "+16Q", -EINVAL }, { "16.0Q", -EINVAL }, { "16-Q", -EINVAL },
		{ " 16Q", -EINVAL }, { "16Q ", -EINVAL }, { "16 Q", -EINVAL },
		{ "16Q\n", -EINVAL }, { "\n", -EINVAL }, { "16\tQ", -EINVAL },
		{ "16Q;32Q", -EINVAL }, { "16Q 32Q", -EINVAL },
		{ "\xff\xfeQ", -EINVAL }, { "\xb2Q", -EINVAL },
		{ "16/Q", -EINVAL }, { "16:Q", -EINVAL }, { "%nQ", -EINVAL },
		/* Numbers that would wrap come back as nothing useful. */
		{ "10000000Q", -EINVAL }, { "18446744073709551632Q", -EINVAL },
		{ "4294967312Q", -EINVAL }, { "17592186044432Q", -EINVAL },
		/* Empty elements. */
		{ ",", -EINVAL }, { "16Q,", -EINVAL }, { ",16Q", -EINVAL },
		{ "16Q,,32Q", -EINVAL }, { "16Q, 32Q", -EINVAL },
		/* Size. */
		{ "1Q", -ERANGE }, { "2Q", -ERANGE }, { "14Q", -ERANGE },
		{ "15Q", -ERANGE }, { "17Q", -ERANGE }, { "1023B", -ERANGE },
		{ "4098Q", -ERANGE }, { "4097C", -ERANGE },
		{ "1048576Q", -ERANGE }, { "1048578Q", -ERANGE },
		{ "9999998Q", -ERANGE }, { "9999999Q", -ERANGE },
		{ "16Q,4098Q", -ERANGE },
		/* Twice. */
		{ "16Q,16Q", -EEXIST }, { "16Q,32Q,16Q", -EEXIST },
		{ "16Q,16B,16C,32Q,16B", -EEXIST }, { "16V,16Q,16V", -EEXIST },
		/* The first error counts. */
		{ "16Q,16Q,x", -EEXIST }, { "x,16Q,16Q", -EINVAL },
		{ "8Q,x", -ERANGE },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *list = lists[i].list;

		EXPECT_EQ(lists[i].error,
			  parse(self, VGPU_MAX_TYPES, list, 4 * GIB))
			TH_LOG("list \"%s\"", list);
	}
}

/* The largest framebuffer counts even with more VRAM. */
TEST_F(types, beyond_the_largest)
{
	EXPECT_EQ(1, parse(self, 1, "1048576Q", 4 * TIB));
	EXPECT_EQ(4, self->descs[0].max_instance);
	EXPECT_EQ(-ERANGE, parse(self, 1, "1048578Q", 4 * TIB));
	EXPECT_EQ(-ERANGE, parse(self, 1, "9999998Q", 64 * TIB));
}

/* VRAM that is not a multiple of 2 MiB only ever counts in whole vGPUs. */
TEST_F(types, odd_vram)
{
	EXPECT_EQ(1, parse(self, 1, "16Q", 48 * MIB - 1));
	EXPECT_EQ(2, self->descs[0].max_instance);
	EXPECT_EQ(-ERANGE, parse(self, 1, "48Q", 48 * MIB - 1));
}

TEST_F(types, list_room)
{
	struct vgpu_type_desc *descs;
	char list[1024] = "";
	u32 i, max;

	for (i = 0; i < 20; i++)
		sprintf(list + strlen(list), "%s%uQ", i ? "," : "", 16 + 2 * i);
	for (max = 0; max <= 20; max++) {
		descs = malloc(max * sizeof(*descs) ?: 1);
		ASSERT_NE(NULL, descs);
		EXPECT_EQ(max < 20 ? -E2BIG : 20,
			  vgpu_types_fill(descs, max, list, GIB));
		free(descs);
	}
	/* Room for 64 is room for 64. */
	list[0] = 0;
	for (i = 0; i < VGPU_MAX_TYPES; i++)
		sprintf(list + strlen(list), "%s%uB", i ? "," : "", 16 + 2 * i);
	EXPECT_EQ(VGPU_MAX_TYPES, parse(self, VGPU_MAX_TYPES, list, GIB));
	strcat(list, ",16Q");
	EXPECT_EQ(-E2BIG, parse(self, VGPU_MAX_TYPES, list, GIB));
}

/* Any two characters in front of a letter that is right. */
TEST_F(types, junk)
{
	char list[4] = "??Q";
	u32 a, b;

	for (a = 1; a < 256; a++) {
		for (b = 1; b < 256; b++) {
			int want = -EINVAL;

			list[0] = a;
			list[1] = b;
			if (a >= '1' && a <= '9' && b >= '0' && b <= '9') {
				want = (a - '0') * 10 + b - '0';
				want = want < 16 || want % 2 ? -ERANGE : 1;
			}
			ASSERT_EQ(want, parse(self, 1, list, GIB))
				TH_LOG("list %#x %#x Q", a, b);
		}
	}
}

TEST_HARNESS_MAIN
