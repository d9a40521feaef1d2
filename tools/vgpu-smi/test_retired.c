// SPDX-License-Identifier: GPL-2.0
/*
 * The parser for lists of retired pages: what it makes of a good one, and that
 * it refuses each that is not, and why.  Prints TAP.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retired.h"

#define NR		3
#define VRAM		(64ULL << 20)

struct image {
	struct vgpu_retired_header header;
	struct vgpu_retired_entry entries[NR];
};

static int tests, failures;

static void result(bool good, const char *name, const char *detail)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++tests, name);
	if (good)
		return;
	failures++;
	printf("# %s\n", detail);
}

static void seal(struct image *image, size_t len)
{
	image->header.crc = htole32(retired_crc(image, len));
}

static struct image good_image(void)
{
	struct image image = {
		.header = {
			.version = htole32(1),
			.header_size = htole32(120),
			.entry_size = htole32(24),
			.nr = htole32(NR),
			.vram_size = htole64(VRAM),
			.sbe = htole64(7),
			.dbe = htole64(1ULL << 63),
			.identity = "vgpu-soft/0",
		},
		.entries = {
			{ 0, htole64(5), htole32(1), htole32(1) },
			{ htole64(2), htole64(6), htole32(2), 0 },
			{ htole64(VRAM / 4096 - 1), htole64(RETIRED_TIME_MAX),
			  htole32(2), htole32(1) },
		},
	};

	memcpy(image.header.magic, "VGPURETD", 8);
	seal(&image, sizeof(image));
	return image;
}

/*
 * Parse a copy that ends where its memory does and begins at an odd address.
 * Returns NULL if it is good, else what was said about it.
 */
static const char *refused(const void *data, size_t len)
{
	static struct retired_error error;
	struct retired_list list;
	char *copy = malloc(len + 1);
	int ret;

	memcpy(copy + 1, data, len);
	memset(&list, 0xa5, sizeof(list));
	strcpy(error.why, "");
	ret = retired_parse(&list, copy + 1, len, &error);
	if (ret && (ret != -EINVAL || list.nr || list.pages || !*error.why))
		strcpy(error.why, "refused in the wrong way");
	retired_free(&list);
	free(copy);
	return ret ? error.why : NULL;
}

static void expect(const char *name, const void *data, size_t len,
		   const char *why)
{
	const char *said = refused(data, len);

	result(said && strstr(said, why), name, said ?: "not refused");
}

static void test_good(void)
{
	struct image image = good_image();
	struct retired_error error;
	struct retired_list list;
	int ret = retired_parse(&list, &image, sizeof(image), &error);

	result(!ret, "a good list", error.why);
	if (ret)
		return;
	result(list.nr == NR && list.vram_size == VRAM && list.sbe == 7 &&
	       list.dbe == 1ULL << 63 && !strcmp(list.identity, "vgpu-soft/0"),
	       "its header", "not what was written");
	result(list.pages[0].address == 0 && list.pages[0].time == 5 &&
	       list.pages[0].cause == VGPU_RETIRED_SBE &&
	       list.pages[0].state == VGPU_RETIRED_DONE &&
	       list.pages[1].address == 0x2000 &&
	       list.pages[1].cause == VGPU_RETIRED_DBE &&
	       list.pages[1].state == VGPU_RETIRED_PENDING &&
	       list.pages[2].address == VRAM - 4096 &&
	       list.pages[2].time == RETIRED_TIME_MAX,
	       "its entries", "not what was written");
	retired_free(&list);
	result(!list.nr && !list.pages, "retired_free() empties",
	       "not empty");
}

static void test_empty(void)
{
	struct image image = good_image();
	const char *said;

	image.header.nr = 0;
	seal(&image, sizeof(image.header));
	said = refused(&image, sizeof(image.header));
	result(!said, "a list without entries", said);
}

/* The checksum of the string with which every CRC-32 is compared. */
static void test_crc(void)
{
	struct image image;
	uint32_t crc;

	memset(&image, 0, sizeof(image));
	crc = retired_crc(&image, sizeof(image.header));
	memset(&image.header.crc, 0xff, sizeof(image.header.crc));
	result(crc == retired_crc(&image, sizeof(image.header)),
	       "the checksum leaves itself out", "it does not");
	/* crc32 of 120 zero bytes, as Python's zlib has it */
	result(crc == 0x395d7a27, "the checksum is CRC-32", "it is not");
}

static void test_lengths(void)
{
	struct image image = good_image();
	char longer[sizeof(image) + 1] = "";
	size_t len;

	for (len = 0; len < sizeof(image); len++) {
		const char *said = refused(&image, len);

		if (!said || !strstr(said, "truncated"))
			break;
	}
	result(len == sizeof(image), "each truncation", "one got through");
	memcpy(longer, &image, sizeof(image));
	expect("one byte more", longer, sizeof(longer), "too long");
}

static void test_flips(void)
{
	struct image image = good_image();
	size_t bit;

	for (bit = 0; bit < sizeof(image) * 8; bit++) {
		char *byte = (char *)&image + bit / 8;
		const char *said;

		*byte ^= 1 << bit % 8;
		said = refused(&image, sizeof(image));
		*byte ^= 1 << bit % 8;
		if (!said)
			break;
	}
	result(bit == sizeof(image) * 8, "each flipped bit", "one got through");
	bit = offsetof(struct image, entries[1].time);
	((char *)&image)[bit] ^= 1;
	expect("a flipped bit: said to be corrupt", &image, sizeof(image),
	       "corrupt");
}

/* A list in which only @statement is wrong, and the checksum is right. */
#define BAD(name, statement, why) do {					\
	struct image image = good_image();				\
									\
	statement;							\
	seal(&image, sizeof(image));					\
	expect(name, &image, sizeof(image), why);			\
} while (0)

static void test_fields(void)
{
	BAD("magic", image.header.magic[7] = 'X', "magic");
	BAD("version 0", image.header.version = 0, "version 0");
	BAD("version 2", image.header.version = htole32(2), "version 2");
	BAD("header_size", image.header.header_size = htole32(128),
	    "header_size 128");
	BAD("header_size 0", image.header.header_size = 0, "header_size 0");
	BAD("entry_size", image.header.entry_size = htole32(32),
	    "entry_size 32");
	BAD("entry_size 0", image.header.entry_size = 0, "entry_size 0");
	BAD("fewer entries", image.header.nr = htole32(NR - 1), "too long");
	BAD("more entries", image.header.nr = htole32(NR + 1), "truncated");
	BAD("the most entries", image.header.nr = htole32(VRAM / 4096),
	    "truncated");
	BAD("too many entries", image.header.nr = htole32(VRAM / 4096 + 1),
	    "more than");
	BAD("entries that overflow 32 bits",
	    image.header.nr = htole32(0x0aaaaaab), "more than");
	BAD("2^32 - 1 entries", image.header.nr = htole32(UINT32_MAX),
	    "more than");
	BAD("reserved", image.header.reserved = htole32(1), "reserved");
	BAD("identity without NUL", memset(image.header.identity, 'x',
					   sizeof(image.header.identity)),
	    "identity does not end");
	BAD("identity with something behind NUL",
	    image.header.identity[63] = 'x', "identity is not padded");
	BAD("no VRAM", image.header.vram_size = 0, "more than 0 pages");
	BAD("page behind the VRAM",
	    image.entries[2].page = htole64(VRAM / 4096), "not in the VRAM");
	BAD("page that overflows 64 bits",
	    image.entries[2].page = htole64(1ULL << 52 | 3), "not in the VRAM");
	BAD("same page twice", image.entries[1].page = 0, "ascending");
	BAD("descending pages", image.entries[0].page = htole64(3),
	    "entry 1: pages are not ascending");
	BAD("time", image.entries[1].time = htole64(RETIRED_TIME_MAX + 1),
	    "time");
	BAD("largest time", image.entries[1].time = htole64(UINT64_MAX),
	    "time");
	BAD("cause 0", image.entries[0].cause = 0, "cause 0");
	BAD("cause 3", image.entries[0].cause = htole32(3), "cause 3");
	BAD("state 2", image.entries[2].state = htole32(2), "state 2");
}

/* A GPU all of whose pages are bad, and one page fewer. */
static void test_longest(void)
{
	const size_t nr = (1 << 20) + 1;
	const size_t size = sizeof(struct vgpu_retired_header) +
			    nr * sizeof(struct vgpu_retired_entry);
	struct vgpu_retired_entry *entries;
	struct image *image;
	const char *said;
	size_t i;

	image = calloc(1, size);
	entries = (void *)((char *)image + sizeof(image->header));
	image->header = good_image().header;
	image->header.nr = htole32(nr);
	image->header.vram_size = htole64(nr * 4096ULL);
	for (i = 0; i < nr; i++) {
		entries[i].page = htole64(i);
		entries[i].cause = htole32(VGPU_RETIRED_DBE);
	}
	seal(image, size);
	said = refused(image, size);
	result(!said, "a list of all pages of a GPU", said);
	result(retired_size(image, sizeof(image->header)) == size,
	       "its size is in its header", "it is not");
	image->header.vram_size = htole64((nr - 1) * 4096ULL);
	seal(image, size);
	expect("a list of more pages than a GPU has", image, size, "more than");
	free(image);
}

/* As much as is to be read is known from the beginning, whatever that is. */
static void test_size(void)
{
	struct image image = good_image();
	const size_t junk = retired_size("", 0);

	result(junk > sizeof(image.header) && junk < 1 << 20,
	       "a size that is not known yet", "too small or large");
	result(retired_size(&image, sizeof(image.header) - 1) == junk,
	       "part of a header", "another size");
	result(retired_size(&image, sizeof(image.header)) == sizeof(image),
	       "a header", "another size");
	image.header.vram_size = htole64(UINT64_MAX);
	image.header.nr = htole32(UINT32_MAX);
	result(retired_size(&image, sizeof(image)) == RETIRED_SIZE_MAX,
	       "more than a file has", "another size");
	image.header.magic[0] ^= 1;
	result(retired_size(&image, sizeof(image)) == junk, "no list",
	       "another size");
}

int main(void)
{
	printf("TAP version 13\n");
	test_good();
	test_empty();
	test_crc();
	test_lengths();
	test_flips();
	test_fields();
	test_longest();
	test_size();
	printf("1..%d\n", tests);
	return !!failures;
}
