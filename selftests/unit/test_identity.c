// SPDX-License-Identifier: GPL-2.0
/* migration_version: who can become whom, and what is said otherwise. */
#include "model/stream/identity.h"
#include "unit.h"

static void make(struct vgpu_identity *identity, const char *id, bool ecc)
{
	struct vgpu_type_desc type;

	if (vgpu_types_fill(&type, 1, id, 4 * GIB) != 1)
		abort();
	vgpu_identity_init(identity, &type, ecc);
}

/* In memory that ends where the text does. */
static int check(const struct vgpu_identity *target, const char *text,
		 size_t len, const char **part)
{
	struct unit_buf buf = unit_copy(text, len);
	int ret;

	ret = vgpu_identity_check(target, (char *)buf.data, len, part);
	free(buf.memory);
	return ret;
}

static void differs(struct __test_metadata *_metadata,
		    const struct vgpu_identity *target, const char *text,
		    int ret, const char *want)
{
	const char *part;

	EXPECT_EQ(ret, check(target, text, strlen(text), &part))
		TH_LOG("\"%s\"", text);
	EXPECT_STREQ(want, part ?: "")
		TH_LOG("\"%s\"", text);
}

/* The form is kept by streams that have been recorded. */
TEST(text)
{
	struct vgpu_identity identity;
	char text[VGPU_IDENTITY_MAX];
	size_t len;

	make(&identity, "64Q", true);
	len = vgpu_identity_print(&identity, text, sizeof(text));
	EXPECT_EQ(strlen(text), len);
	EXPECT_STREQ("vgpu format=1 type=64Q fb=67108864 heads=4 width=1920 height=1200 rate=60 device=65537 features=15 ecc=1 engine=0",
		     text);
}

/* Each type takes itself, with or without a newline, and no other. */
TEST(types)
{
	static const char * const ids[] = { "16Q", "16B", "16C", "32Q", "64Q",
					    "64B", "1024C" };
	struct vgpu_identity a, b;
	char text[VGPU_IDENTITY_MAX + 1];
	const char *part;
	size_t len;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		make(&a, ids[i], true);
		len = vgpu_identity_print(&a, text, VGPU_IDENTITY_MAX);
		text[len] = '\n';
		for (j = 0; j < ARRAY_SIZE(ids); j++) {
			make(&b, ids[j], true);
			EXPECT_EQ(i == j ? 0 : -ENODEV,
				  check(&b, text, len, &part));
			EXPECT_EQ(i == j ? 0 : -ENODEV,
				  check(&b, text, len + 1, &part));
			if (i != j)
				EXPECT_STREQ("type", part);
		}
	}
}

/* Every prefix is refused, and never read beyond. */
TEST(truncated)
{
	struct vgpu_identity identity;
	char text[VGPU_IDENTITY_MAX];
	const char *part;
	size_t len, n;

	make(&identity, "64Q", false);
	len = vgpu_identity_print(&identity, text, sizeof(text));
	for (n = 0; n < len; n++) {
		EXPECT_EQ(n < 4 ? -ENODEV : -EINVAL,
			  check(&identity, text, n, &part))
			TH_LOG("%zu bytes", n);
		EXPECT_NE(NULL, part);
	}
}

/* A bit that is flipped anywhere is another vGPU, or none. */
TEST(flipped)
{
	struct vgpu_identity identity;
	char text[VGPU_IDENTITY_MAX];
	const char *part;
	size_t len, i;
	u32 bit;

	make(&identity, "64Q", false);
	len = vgpu_identity_print(&identity, text, sizeof(text));
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			text[i] ^= 1 << bit;
			/* Fewer features, or an earlier device, are fine. */
			if (check(&identity, text, len, &part) == 0)
				EXPECT_TRUE(strstr(text, " features=15 ") == NULL ||
					    strstr(text, " device=65537 ") == NULL)
					TH_LOG("\"%.*s\"", (int)len, text);
			text[i] ^= 1 << bit;
		}
	}
}

#define HEAD	"vgpu format=1 type=64Q fb=67108864 heads=4 width=1920 height=1200 rate=60"

TEST(rules)
{
	struct vgpu_identity on, off;

	make(&on, "64Q", true);
	make(&off, "64Q", false);
	differs(_metadata, &on, HEAD " device=65536 features=15 ecc=0 engine=0",
		0, "");
	differs(_metadata, &off, HEAD " device=65536 features=15 ecc=0 engine=0",
		0, "");
	differs(_metadata, &on, HEAD " device=65536 features=15 ecc=1 engine=0",
		0, "");
	differs(_metadata, &off, HEAD " device=65536 features=15 ecc=1 engine=0",
		-ENODEV, "ECC");
	differs(_metadata, &on, HEAD " device=65536 features=7 ecc=1 engine=0",
		0, "");
	differs(_metadata, &on, HEAD " device=65536 features=31 ecc=1 engine=0",
		-ENODEV, "features");
	differs(_metadata, &on, HEAD " device=65537 features=15 ecc=1 engine=0",
		0, "");
	differs(_metadata, &on, HEAD " device=65538 features=15 ecc=1 engine=0",
		-ENODEV, "device version");
	differs(_metadata, &on, HEAD " device=0 features=15 ecc=1 engine=0",
		-ENODEV, "device version");
	differs(_metadata, &on, HEAD " device=65536 features=15 ecc=1 engine=1",
		-ENODEV, "engine version");
	differs(_metadata, &on,
		"vgpu format=1 type=64Q fb=67108865 heads=4 width=1920 height=1200 rate=60 device=65536 features=15 ecc=1 engine=0",
		-ENODEV, "framebuffer size");
	differs(_metadata, &on, "vgpu format=2 and who knows what", -ENODEV,
		"format version");
}

TEST(malformed)
{
	static const struct {
		const char *text;
		int ret;
		const char *part;
	} bad[] = {
		{ "", -ENODEV, "driver" },
		{ "\n", -ENODEV, "driver" },
		{ "i915-GVTg_V5_4", -ENODEV, "driver" },
		{ "vgpu", -EINVAL, "format version" },
		{ "vgpux format=1", -ENODEV, "driver" },
		{ "vgpu  format=1", -EINVAL, "format version" },
		{ "vgpu format=", -EINVAL, "format version" },
		{ "vgpu format=01", -EINVAL, "format version" },
		{ "vgpu format=-1", -EINVAL, "format version" },
		{ "vgpu format=1x", -EINVAL, "format version" },
		{ "vgpu format=18446744073709551617", -EINVAL,
		  "format version" },
		{ "vgpu format=1", -EINVAL, "type" },
		{ "vgpu format=1 type=", -EINVAL, "type" },
		{ "vgpu format=1 type= fb=1", -EINVAL, "type" },
		{ HEAD, -EINVAL, "device version" },
		{ HEAD " device=65536 features=15 ecc=1 engine=0 ", -EINVAL,
		  "end" },
		{ HEAD " device=65536 features=15 ecc=1 engine=0\n\n", -EINVAL,
		  "engine version" },
		{ HEAD " device=65536 features=15 ecc=1 engine=0 more=1",
		  -EINVAL, "end" },
		{ HEAD " features=15 device=65536 ecc=1 engine=0", -EINVAL,
		  "device version" },
		{ HEAD " device=65536 features=0x0f ecc=1 engine=0", -EINVAL,
		  "features" },
	};
	struct vgpu_identity identity;
	char *text = malloc(8192);
	const char *part;
	u32 i;

	make(&identity, "64Q", true);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		differs(_metadata, &identity, bad[i].text, bad[i].ret,
			bad[i].part);
	memset(text, '1', 8192);
	memcpy(text, "vgpu format=", 12);
	EXPECT_EQ(-EINVAL, check(&identity, text, 513, &part));
	EXPECT_EQ(-EINVAL, check(&identity, text, 4096, &part));
	EXPECT_EQ(-EINVAL, check(&identity, text, 8192, &part));
	EXPECT_STREQ("length", part);
	free(text);
}

TEST_HARNESS_MAIN
