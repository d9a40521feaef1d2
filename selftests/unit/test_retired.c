// SPDX-License-Identifier: GPL-2.0
/* The list of retired pages: what is made is taken, everything else refused. */
#include <endian.h>

#include "unit.h"
#include "ras/retired.h"

#define IDENTITY "1234:7647:1234:7647 f000:00:00.0"
#define PAGES 4096
#define NR 3

FIXTURE(retired)
{
	struct {
		struct vgpu_retired_header header;
		struct vgpu_retired_entry entries[NR];
	} file;
};

static const char *check(const void *file, size_t len)
{
	return vgpu_retired_check(file, len, IDENTITY, PAGES);
}

FIXTURE_SETUP(retired)
{
	static const u64 pages[NR] = { 0, 700, PAGES - 1 };
	u32 i;

	memset(&self->file, 0, sizeof(self->file));
	self->file.header.vram_size = htole64(PAGES * 4096ULL);
	strcpy((char *)self->file.header.identity, IDENTITY);
	for (i = 0; i < NR; i++) {
		self->file.entries[i].page = htole64(pages[i]);
		self->file.entries[i].cause = htole32(VGPU_RETIRED_DBE);
	}
	vgpu_retired_seal(&self->file.header, NR);
}

FIXTURE_TEARDOWN(retired)
{
}

TEST_F(retired, form)
{
	/* The ABI: a file of one version is read by the next. */
	EXPECT_EQ(120, sizeof(struct vgpu_retired_header));
	EXPECT_EQ(24, sizeof(struct vgpu_retired_entry));
	EXPECT_EQ(sizeof(self->file), vgpu_retired_size(NR));
	EXPECT_EQ(0, memcmp(&self->file, "VGPURETD\1\0\0", 12));
	EXPECT_EQ(NULL, check(&self->file, sizeof(self->file)));
	vgpu_retired_seal(&self->file.header, 0);
	EXPECT_EQ(NULL, check(&self->file, sizeof(self->file.header)));
}

TEST_F(retired, damaged)
{
	u8 *bytes = (u8 *)&self->file, *copy;
	size_t len;
	u32 bit;

	for (bit = 0; bit < 8 * sizeof(self->file); bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		EXPECT_NE(NULL, check(bytes, sizeof(self->file)));
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	/* Nothing behind the end is looked at. */
	for (len = 0; len < sizeof(self->file); len++) {
		copy = malloc(len ?: 1);
		memcpy(copy, bytes, len);
		EXPECT_NE(NULL, check(copy, len));
		free(copy);
	}
}

/* Sealed, and still not this GPU's. */
TEST_F(retired, foreign)
{
	struct vgpu_retired_header *h = &self->file.header;
	struct vgpu_retired_entry *e = self->file.entries;

	h->identity[3] ^= 1;
	vgpu_retired_seal(h, NR);
	EXPECT_STREQ("of another GPU", check(h, sizeof(self->file)));
	h->identity[3] ^= 1;
	h->vram_size = htole64((PAGES - 1) * 4096ULL);
	vgpu_retired_seal(h, NR);
	EXPECT_STREQ("of another GPU", check(h, sizeof(self->file)));
	h->vram_size = htole64(PAGES * 4096ULL);

	e[2].page = htole64(PAGES);
	vgpu_retired_seal(h, NR);
	EXPECT_STREQ("not consistent", check(h, sizeof(self->file)));
	e[2].page = e[1].page;
	vgpu_retired_seal(h, NR);
	EXPECT_STREQ("not consistent", check(h, sizeof(self->file)));
	e[2].page = htole64(701);
	e[2].cause = htole32(3);
	vgpu_retired_seal(h, NR);
	EXPECT_STREQ("not consistent", check(h, sizeof(self->file)));
	e[2].cause = htole32(VGPU_RETIRED_SBE);
	vgpu_retired_seal(h, NR);
	EXPECT_EQ(NULL, check(h, sizeof(self->file)));
}

/* As many entries as the GPU has pages, and none more. */
TEST_F(retired, longest)
{
	const u32 nr = (1 << 20) + 1;
	size_t size = vgpu_retired_size(nr);
	struct vgpu_retired_header *h = calloc(1, size);
	struct vgpu_retired_entry *e = (void *)(h + 1);
	u32 i;

	ASSERT_NE(NULL, h);
	h->vram_size = htole64(nr * 4096ULL);
	strcpy((char *)h->identity, IDENTITY);
	for (i = 0; i < nr; i++) {
		e[i].page = htole64(i);
		e[i].cause = htole32(VGPU_RETIRED_SBE);
	}
	vgpu_retired_seal(h, nr);
	EXPECT_EQ(NULL, vgpu_retired_check(h, size, IDENTITY, nr));
	h->vram_size = htole64((nr - 1) * 4096ULL);
	vgpu_retired_seal(h, nr);
	EXPECT_STREQ("not consistent",
		     vgpu_retired_check(h, size, IDENTITY, nr - 1));
	/* A length that overflows 32 bits is none of a short file. */
	h->nr = htole32(0x0aaaaaab);
	EXPECT_STREQ("of the wrong length",
		     vgpu_retired_check(h, size, IDENTITY, nr));
	free(h);
}

TEST_HARNESS_MAIN
