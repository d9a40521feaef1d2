// SPDX-License-Identifier: GPL-2.0
/* vgpu_params: every setting, and what is said of those that are wrong. */
#include "model/params.h"
#include "unit.h"

/* Keys, their values and what is in the struct for each. */
static const struct {
	const char *key;
	const char *values[2];	/* 0 and 1 */
	u32 initial;
} keys[] = {
	{ "frame_rate_limiter", { "0", "1" }, 1 },
	{ "disable_vnc", { "0", "1" }, 0 },
	{ "console", { "region", "dmabuf" }, 0 },
};

#define NR_KEYS		ARRAY_SIZE(keys)

static const struct vgpu_profile profile = {
	.fb_size = GIB, .num_heads = 4, .frl_hz = 60,
	.max_width = 4096, .max_height = 2160,
};

static const u32 *field(const struct vgpu_params *params, u32 key)
{
	switch (key) {
	case 0:
		return &params->frame_rate_limiter;
	case 1:
		return &params->disable_vnc;
	default:
		return &params->console;
	}
}

/*
 * Parse a text that ends where its memory does, without a null byte.  The
 * error is then about a copy; @at gets where in the text it is.
 */
static int parse(struct vgpu_params *params, const char *text, size_t len,
		 struct vgpu_params_remark *remark, size_t *at)
{
	struct unit_buf buf = unit_copy(text, len);
	int ret;

	ret = vgpu_params_parse(params, &profile, (char *)buf.data, len,
				remark);
	*at = remark->at - (char *)buf.data;
	free(buf.memory);
	return ret;
}

/* All keys have the values in the bits of @want. */
static void check_parses(struct __test_metadata *_metadata, const char *text,
			 size_t len, u32 want)
{
	struct vgpu_params params;
	struct vgpu_params_remark remark;
	size_t at;
	u32 i;

	memset(&params, 0xa5, sizeof(params));
	ASSERT_EQ(0, parse(&params, text, len, &remark, &at))
		TH_LOG("\"%s\": %s", text, remark.why);
	EXPECT_FALSE(remark.ignored);
	EXPECT_EQ(0, params.width);
	EXPECT_EQ(0, params.height);
	for (i = 0; i < NR_KEYS; i++)
		EXPECT_EQ(want >> i & 1, *field(&params, i))
			TH_LOG("\"%s\": %s", text, keys[i].key);
}

/* @bad, which is in @text, is what the error is about. */
static void check_error(struct __test_metadata *_metadata, const char *text,
			size_t len, size_t bad, size_t bad_len, const char *why)
{
	struct vgpu_params params, before;
	struct vgpu_params_remark remark;
	size_t at;

	memset(&params, 0xa5, sizeof(params));
	before = params;
	EXPECT_EQ(-EINVAL, parse(&params, text, len, &remark, &at))
		TH_LOG("\"%.60s\"", text);
	EXPECT_EQ(bad, at)
		TH_LOG("\"%.60s\"", text);
	EXPECT_EQ(bad_len, remark.len)
		TH_LOG("\"%.60s\"", text);
	EXPECT_STREQ(why, remark.why)
		TH_LOG("\"%.60s\"", text);
	EXPECT_FALSE(remark.ignored);
	EXPECT_EQ(0, memcmp(&before, &params, sizeof(params)));
}

static u32 initial(void)
{
	u32 i, bits = 0;

	for (i = 0; i < NR_KEYS; i++)
		bits |= keys[i].initial << i;
	return bits;
}

TEST(init)
{
	struct vgpu_params params;
	u32 i;

	memset(&params, 0xa5, sizeof(params));
	vgpu_params_init(&params);
	for (i = 0; i < NR_KEYS; i++)
		EXPECT_EQ(keys[i].initial, *field(&params, i));
	EXPECT_EQ(0, params.width);
	EXPECT_EQ(0, params.height);
	EXPECT_EQ(0, params.heads);
	/* The test knows of all of it. */
	EXPECT_EQ((NR_KEYS + 3) * sizeof(u32), sizeof(params));
}

/* One setting, with a comma before if it is not the first. */
static size_t put(char *text, bool comma, u32 key, u32 value)
{
	return sprintf(text, "%s%s=%s", comma ? "," : "", keys[key].key,
		       keys[key].values[value]);
}

/* Any choice of keys, in any order, each with any value. */
TEST(all_settings)
{
	char text[256];
	u32 i, order, named, values;

	for (order = 0; order < NR_KEYS * NR_KEYS * NR_KEYS; order++) {
		u32 o[] = { order % 3, order / 3 % 3, order / 9 };

		if (o[0] == o[1] || o[0] == o[2] || o[1] == o[2])
			continue;
		for (named = 1; named < 1 << NR_KEYS; named++) {
			for (values = 0; values < 1 << NR_KEYS; values++) {
				u32 want = (initial() & ~named) |
					   (values & named);
				size_t len = 0;

				for (i = 0; i < NR_KEYS; i++)
					if (named >> o[i] & 1)
						len += put(text + len, len,
							   o[i],
							   values >> o[i] & 1);
				check_parses(_metadata, text, len, want);
				strcpy(text + len, "\n");
				check_parses(_metadata, text, len + 1, want);
			}
		}
	}
}

/* One space, and no other kind of nothing. */
TEST(clear)
{
	check_parses(_metadata, " ", 1, initial());
	check_parses(_metadata, " \n", 2, initial());
	check_error(_metadata, "", 0, 0, 0, "unknown key");
	check_error(_metadata, "\n", 1, 0, 0, "unknown key");
	check_error(_metadata, "\n\n", 2, 0, 1, "unknown key");
	check_error(_metadata, "  ", 2, 0, 0, "unknown key");
	check_error(_metadata, "\t", 1, 0, 1, "unknown key");
	check_error(_metadata, " \n\n", 3, 1, 1, "unknown key");
	check_error(_metadata, " ,", 2, 0, 0, "unknown key");
	check_error(_metadata, ", ", 2, 0, 0, "unknown key");
}

/* What was set before is not kept. */
TEST(replaces)
{
	struct vgpu_params params;
	struct vgpu_params_remark remark;
	size_t at;

	ASSERT_EQ(0, parse(&params, "disable_vnc=1,console=dmabuf", 28, &remark,
			   &at));
	EXPECT_EQ(1, params.disable_vnc);
	ASSERT_EQ(0, parse(&params, "frame_rate_limiter=0", 20, &remark, &at));
	EXPECT_EQ(0, params.frame_rate_limiter);
	EXPECT_EQ(0, params.disable_vnc);
	EXPECT_EQ(0, params.console);
	ASSERT_EQ(0, parse(&params, " ", 1, &remark, &at));
	EXPECT_EQ(1, params.frame_rate_limiter);
}

/*
 * A bad setting alone, and before, between and behind good ones: the error is
 * about it, all of it and nothing else.
 */
TEST(errors)
{
	static const struct {
		const char *text;
		size_t len;	/* where there is a null byte in it */
		const char *why;
	} bad[] = {
		{ "console", 0, "no value" },
		{ "disable_vnc", 0, "no value" },
		{ "console=", 0, "bad value" },
		{ "console==", 0, "bad value" },
		{ "console=region=", 0, "bad value" },
		{ "console=Region", 0, "bad value" },
		{ "console=regio", 0, "bad value" },
		{ "console=regions", 0, "bad value" },
		{ "console=reg ion", 0, "bad value" },
		{ "console=\tregion", 0, "bad value" },
		{ "console= =region", 0, "bad value" },
		{ "console=0", 0, "bad value" },
		{ "disable_vnc=2", 0, "bad value" },
		{ "disable_vnc=-1", 0, "bad value" },
		{ "disable_vnc=01", 0, "bad value" },
		{ "disable_vnc=true", 0, "bad value" },
		{ "disable_vnc=1\n", 14, "bad value" },
		{ "disable_vnc=1\0", 14, "bad value" },
		{ "disable_vnc=\0001", 14, "bad value" },
		{ "console=region\0x", 16, "bad value" },
		{ "disable_vnc\0=1", 14, "unknown key" },
		{ "disable_vnc\0", 12, "unknown key" },
		{ "\0", 1, "unknown key" },
		{ "\0console=region", 15, "unknown key" },
		{ "=", 0, "unknown key" },
		{ "=1", 0, "unknown key" },
		{ "x", 0, "unknown key" },
		{ "disable_vn=1", 0, "unknown key" },
		{ "disable_vncs=1", 0, "unknown key" },
		{ "Disable_vnc=1", 0, "unknown key" },
		{ "disable vnc=1", 0, "unknown key" },
		{ "\tdisable_vnc=1", 0, "unknown key" },
		{ "enable_uvm", 0, "no value" },
		{ "enable_uvm=2", 0, "bad value" },
		{ "enable_uvm=", 0, "bad value" },
		{ "enable_ecc=1", 0, "unknown key" },
		{ "resolution", 0, "no value" },
		{ "resolution=", 0, "bad value" },
		{ "resolution=x", 0, "bad value" },
		{ "resolution=1920", 0, "bad value" },
		{ "resolution=1920x", 0, "bad value" },
		{ "resolution=x1080", 0, "bad value" },
		{ "resolution=1920X1080", 0, "bad value" },
		{ "resolution=1920 x1080", 0, "bad value" },
		{ "resolution=1920x 1080", 0, "bad value" },
		{ "resolution=1920x1080x60", 0, "bad value" },
		{ "resolution=1920x1080@60", 0, "bad value" },
		{ "resolution=01920x1080", 0, "bad value" },
		{ "resolution=+1920x1080", 0, "bad value" },
		{ "resolution=1920x-1080", 0, "bad value" },
		{ "resolution=0x780x1080", 0, "bad value" },
		{ "resolution=4294969216x1080", 0, "bad value" },
		{ "resolution=0x0", 0, "bad value" },
		{ "resolution=639x480", 0, "smaller than 640x480" },
		{ "resolution=640x479", 0, "smaller than 640x480" },
		{ "resolution=4097x480", 0, "larger than the type allows" },
		{ "resolution=640x2161", 0, "larger than the type allows" },
		{ "resolution=99999x99999", 0, "larger than the type allows" },
		{ "resolution=4096x2160", 0, "larger than an EDID can say" },
		{ "\xff\xfe=1", 0, "unknown key" },
		{ "%s%n=1", 0, "unknown key" },
	};
	static const char * const before[] = { "", "frame_rate_limiter=0,",
					       "frame_rate_limiter=1," };
	static const char * const after[] = { "", "\n", ",", ",\n",
					      ",frame_rate_limiter=0", ",x=y",
					      ",console,console=dmabuf\n" };
	char text[256];
	u32 i, j, k;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t len = bad[i].len ?: strlen(bad[i].text);

		for (j = 0; j < ARRAY_SIZE(before); j++) {
			for (k = 0; k < ARRAY_SIZE(after); k++) {
				size_t at = strlen(before[j]);

				/* That newline would be the one to ignore. */
				if (!*after[k] && bad[i].text[len - 1] == '\n')
					continue;
				strcpy(text, before[j]);
				memcpy(text + at, bad[i].text, len);
				strcpy(text + at + len, after[k]);
				check_error(_metadata, text,
					    at + len + strlen(after[k]), at,
					    len, bad[i].why);
			}
		}
	}
}

/* Around commas, equals signs and all of it; the error is about what is between. */
TEST(spaces)
{
	static const char * const gaps[] = { "", " ", "   " };
	char text[256];
	u32 i, j, k, l;
	size_t at;

	for (i = 0; i < ARRAY_SIZE(gaps); i++)
		for (j = 0; j < ARRAY_SIZE(gaps); j++)
			for (k = 0; k < ARRAY_SIZE(gaps); k++)
				for (l = 0; l < 2; l++) {
					sprintf(text, "%sdisable_vnc%s=%s1%s,%sconsole%s=%sdmabuf%s%s",
						gaps[i], gaps[j], gaps[k],
						gaps[i], gaps[j], gaps[k],
						gaps[i], gaps[j], l ? "\n" : "");
					check_parses(_metadata, text,
						     strlen(text),
						     initial() | 6);
					at = sprintf(text, "disable_vnc=1%s,%s",
						     gaps[i], gaps[j]);
					strcpy(text + at, "console = vnc");
					strcat(text, gaps[k]);
					check_error(_metadata, text,
						    strlen(text), at, 13,
						    "bad value");
				}
	check_error(_metadata, "disable_vnc=1 , ,console=dmabuf", 31, 15, 0,
		    "unknown key");
	check_error(_metadata, "disable_vnc=1,disable_vnc =0", 28, 14, 14,
		    "key given twice");
}

/* Keys of another driver are taken, and that they do nothing is told. */
TEST(ignored)
{
	static const char * const others[] = { "enable_uvm", "enable_debugging",
					       "enable_profiling" };
	struct vgpu_params params, plain;
	struct vgpu_params_remark remark;
	char text[256];
	size_t at, len;
	u32 i, value;

	ASSERT_EQ(0, parse(&plain, "disable_vnc=1", 13, &remark, &at));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		for (value = 0; value < 2; value++) {
			len = sprintf(text, "%s=%u,disable_vnc=1", others[i],
				      value);
			memset(&params, 0xa5, sizeof(params));
			ASSERT_EQ(0, parse(&params, text, len, &remark, &at));
			EXPECT_TRUE(remark.ignored);
			EXPECT_EQ(0, memcmp(&plain, &params, sizeof(params)));
			at = len + 1;
			len += sprintf(text + len, ",%s=0", others[i]);
			check_error(_metadata, text, len, at, len - at,
				    "key given twice");
		}
}

TEST(resolution)
{
	static const u32 good[][2] = {
		{ 640, 480 }, { 1280, 800 }, { 1366, 768 }, { 1920, 1080 },
		{ 3840, 2160 }, { 4095, 480 }, { 4095, 2160 },
	};
	struct vgpu_profile small = profile;
	struct vgpu_params params, again;
	struct vgpu_params_remark remark;
	char text[128], want[128];
	size_t at, len;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		len = sprintf(text, "resolution = %ux%u,console=dmabuf",
			      good[i][0], good[i][1]);
		ASSERT_EQ(0, parse(&params, text, len, &remark, &at))
			TH_LOG("%s: %s", text, remark.why);
		EXPECT_EQ(good[i][0], params.width);
		EXPECT_EQ(good[i][1], params.height);
		EXPECT_EQ(1, params.console);
		/* It is printed when it is set. */
		len = sprintf(want, "frame_rate_limiter=1,disable_vnc=0,console=dmabuf,resolution=%ux%u",
			      good[i][0], good[i][1]);
		EXPECT_EQ(len, vgpu_params_print(&params, text, sizeof(text)));
		EXPECT_STREQ(want, text);
		ASSERT_EQ(0, parse(&again, text, len, &remark, &at));
		EXPECT_EQ(0, memcmp(&params, &again, sizeof(params)));
	}
	/* Each type has its own limit. */
	small.max_width = 1920;
	small.max_height = 1200;
	EXPECT_EQ(0, vgpu_params_parse(&params, &small, "resolution=1920x1200",
				       20, &remark));
	EXPECT_EQ(-EINVAL, vgpu_params_parse(&params, &small,
					     "resolution=1921x1200", 20,
					     &remark));
	EXPECT_EQ(-EINVAL, vgpu_params_parse(&params, &small,
					     "resolution=1920x1201", 20,
					     &remark));
}

/* Nothing between two commas, or at either end, is a setting without a key. */
TEST(empty_settings)
{
	check_error(_metadata, ",", 1, 0, 0, "unknown key");
	check_error(_metadata, ",disable_vnc=1", 14, 0, 0, "unknown key");
	check_error(_metadata, "disable_vnc=1,", 14, 14, 0, "unknown key");
	check_error(_metadata, "disable_vnc=1,\n", 15, 14, 0, "unknown key");
	check_error(_metadata, "disable_vnc=1,,console=region", 29, 14, 0,
		    "unknown key");
}

/* Whether with the same value or another, and wherever the first one is. */
TEST(twice)
{
	static const char * const first[] = { "console=region",
					      "console=dmabuf" };
	static const char * const between[] = { ",", ",disable_vnc=1," };
	static const char * const second[] = { "console=region",
					       "console=dmabuf", "console=x",
					       "console=" };
	char text[256];
	u32 i, j, k;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		for (j = 0; j < ARRAY_SIZE(between); j++)
			for (k = 0; k < ARRAY_SIZE(second); k++) {
				size_t at = sprintf(text, "%s%s", first[i],
						    between[j]);

				strcpy(text + at, second[k]);
				check_error(_metadata, text, strlen(text), at,
					    strlen(second[k]),
					    "key given twice");
			}
	for (i = 0; i < NR_KEYS; i++) {
		size_t at = put(text, false, i, 0) + 1;
		size_t len = put(text + at - 1, true, i, 1) - 1;

		check_error(_metadata, text, at + len, at, len,
			    "key given twice");
	}
}

/* 1024 bytes are read, and then a newline. */
TEST(length)
{
	char text[2048];

	memset(text, 'x', sizeof(text));
	check_error(_metadata, text, 1023, 0, 1023, "unknown key");
	check_error(_metadata, text, 1024, 0, 1024, "unknown key");
	check_error(_metadata, text, 1025, 0, 0, "too long");
	check_error(_metadata, text, 2048, 0, 0, "too long");
	text[1024] = '\n';
	check_error(_metadata, text, 1025, 0, 1024, "unknown key");
	text[1023] = '\n';
	text[1024] = 'x';
	check_error(_metadata, text, 1024, 0, 1023, "unknown key");
	text[1024] = '\n';
	check_error(_metadata, text, 1025, 0, 1024, "unknown key");
	text[1025] = '\n';
	check_error(_metadata, text, 1026, 0, 0, "too long");

	/* The last byte that is read counts. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "disable_vnc=1,console=region,", 29);
	check_error(_metadata, text, 1024, 29, 1024 - 29, "unknown key");
	memset(text, ' ', sizeof(text));
	check_error(_metadata, text, 1024, 0, 0, "unknown key");
	check_error(_metadata, text, 1025, 0, 0, "too long");
}

/* Every prefix of a good text is good or is refused, and never read beyond. */
TEST(prefixes)
{
	static const char text[] =
		"frame_rate_limiter=0,disable_vnc=1,console=dmabuf\n";
	size_t len;

	for (len = 0; len < sizeof(text); len++) {
		struct vgpu_params params;
		struct vgpu_params_remark remark;
		size_t at;
		int ret = parse(&params, text, len, &remark, &at);

		EXPECT_EQ(len == 20 || len == 34 || len >= 49 ? 0 : -EINVAL,
			  ret)
			TH_LOG("%zu bytes", len);
		if (ret) {
			EXPECT_LE(at + remark.len, len);
			EXPECT_NE(NULL, remark.why);
		}
	}
}

/* What is printed says the same, in 128 bytes. */
TEST(print)
{
	u32 values, i;

	for (values = 0; values < 1 << NR_KEYS; values++) {
		struct vgpu_params params = {
			.frame_rate_limiter = values & 1,
			.disable_vnc = values >> 1 & 1,
			.console = values >> 2,
		};
		struct unit_buf buf = unit_buf(128, 0xa5);
		const char *text = (const char *)buf.data;
		char want[256];
		size_t len = 0;

		for (i = 0; i < NR_KEYS; i++)
			len += put(want + len, i, i, values >> i & 1);
		EXPECT_EQ(len, vgpu_params_print(&params, (char *)buf.data,
						 128));
		EXPECT_STREQ(want, text);
		check_parses(_metadata, text, strlen(text), values);
		free(buf.memory);
	}
}

/* Monitors, where the type knows of them. */
TEST(heads)
{
	struct vgpu_profile profile = {
		.fb_size = 64 * MIB, .num_heads = 3, .max_width = 1280,
		.max_height = 800, .personality = VGPU_VIRTIO,
	};
	static const char *const bad[] = {
		"heads", "heads=", "heads=0", "heads=4", "heads=-1", "heads=10",
		"heads=2x", "heads=1,heads=1",
	};
	struct vgpu_params_remark remark;
	struct vgpu_params params;
	char text[256];
	u32 i;

	for (i = 1; i <= 3; i++) {
		sprintf(text, "heads = %u,disable_vnc=1", i);
		ASSERT_EQ(0, vgpu_params_parse(&params, &profile, text,
					       strlen(text), &remark));
		EXPECT_EQ(i, params.heads);
		vgpu_params_print(&params, text, sizeof(text));
		EXPECT_NE(NULL, strstr(text, ",heads="));
		ASSERT_EQ(0, vgpu_params_parse(&params, &profile, text,
					       strlen(text), &remark));
		EXPECT_EQ(i, params.heads);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, vgpu_params_parse(&params, &profile, bad[i],
						     strlen(bad[i]), &remark))
			TH_LOG("%s", bad[i]);
	profile.personality = VGPU_BOCHS;
	EXPECT_EQ(-EINVAL, vgpu_params_parse(&params, &profile, "heads=1", 7,
					     &remark));
	EXPECT_STREQ("not with this type", remark.why);
}

TEST_HARNESS_MAIN
