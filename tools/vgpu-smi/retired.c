// SPDX-License-Identifier: GPL-2.0
/*
 * The list of retired pages, see linux/vgpu_retired.h.  It may come from a file
 * that anybody wrote, so nothing in it is used before it is checked.
 *
 * This calls nothing of the tool, so that tests and the fuzzer can have it
 * alone.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "retired.h"

#define HEADER_SIZE	sizeof(struct vgpu_retired_header)
#define ENTRY_SIZE	sizeof(struct vgpu_retired_entry)
#define CRC_OFFSET	offsetof(struct vgpu_retired_header, crc)

/* As much is read of what is no list, so that what it is can be said. */
#define RETIRED_JUNK	65536

_Static_assert(HEADER_SIZE == 120, "the header of the format has 120 bytes");
_Static_assert(ENTRY_SIZE == 24, "an entry of the format has 24 bytes");
_Static_assert(RETIRED_SIZE_MAX <= UINT32_MAX, "zlib counts in unsigned int");

__attribute__((format(printf, 2, 3)))
static int refuse(struct retired_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}

/**
 * retired_crc() - the checksum that a list must have
 * @data: header and entries; what is in the header's crc does not matter
 * @len: bytes of @data, from the size of a header to RETIRED_SIZE_MAX
 *
 * Return: the value for the header's crc, in the CPU's byte order
 */
uint32_t retired_crc(const void *data, size_t len)
{
	static const unsigned char zero[sizeof(uint32_t)];
	const size_t rest = CRC_OFFSET + sizeof(zero);
	const unsigned char *bytes = data;
	uLong crc;

	crc = crc32(0, bytes, CRC_OFFSET);
	crc = crc32(crc, zero, sizeof(zero));
	return crc32(crc, bytes + rest, len - rest);
}

/* What can be said before the checksum: is it of this format, and whole? */
static int check_format(const struct vgpu_retired_header *header, size_t len,
			struct retired_error *error)
{
	uint32_t version = le32toh(header->version);
	uint32_t header_size = le32toh(header->header_size);
	uint32_t entry_size = le32toh(header->entry_size);
	uint32_t nr = le32toh(header->nr);
	uint64_t pages = le64toh(header->vram_size) >> RETIRED_PAGE_SHIFT;
	size_t want;

	if (memcmp(header->magic, VGPU_RETIRED_MAGIC, sizeof(header->magic)))
		return refuse(error, "not a list of retired pages (bad magic)");
	if (version != VGPU_RETIRED_VERSION)
		return refuse(error, "version %" PRIu32 ", not %d", version,
			      VGPU_RETIRED_VERSION);
	if (header_size != HEADER_SIZE)
		return refuse(error, "header_size %" PRIu32 ", not %zu",
			      header_size, HEADER_SIZE);
	if (entry_size != ENTRY_SIZE)
		return refuse(error, "entry_size %" PRIu32 ", not %zu",
			      entry_size, ENTRY_SIZE);
	if (nr > pages)
		return refuse(error, "%" PRIu32 " entries, more than %" PRIu64
			      " pages of VRAM", nr, pages);
	want = HEADER_SIZE + (size_t)nr * ENTRY_SIZE;
	if (len != want)
		return refuse(error,
			      "%s: %zu bytes, but %" PRIu32 " entries make %zu",
			      len < want ? "truncated" : "too long", len, nr,
			      want);
	return 0;
}

static int check_identity(const __u8 *identity, struct retired_error *error)
{
	const __u8 *end = memchr(identity, 0, VGPU_RETIRED_IDENTITY);
	const __u8 *at;

	if (!end)
		return refuse(error, "identity does not end in NUL");
	for (at = end; at < identity + VGPU_RETIRED_IDENTITY; at++)
		if (*at)
			return refuse(error, "identity is not padded with NUL");
	return 0;
}

static int parse_entry(struct retired_page *page,
		       const struct vgpu_retired_entry *entry, size_t i,
		       uint64_t vram_size, struct retired_error *error)
{
	uint64_t number = le64toh(entry->page);

	/* Below that, the address in bytes cannot overflow either. */
	if (number >= vram_size >> RETIRED_PAGE_SHIFT)
		return refuse(error, "entry %zu: page %#" PRIx64
			      " is not in the VRAM", i, number);
	page->address = number << RETIRED_PAGE_SHIFT;
	page->time = le64toh(entry->time);
	page->cause = le32toh(entry->cause);
	page->state = le32toh(entry->state);

	if (page->time > RETIRED_TIME_MAX)
		return refuse(error, "entry %zu: time %" PRIu64
			      " is out of range", i, page->time);
	if (!retired_cause(page->cause))
		return refuse(error, "entry %zu: unknown cause %" PRIu32, i,
			      page->cause);
	if (!retired_state(page->state))
		return refuse(error, "entry %zu: unknown state %" PRIu32, i,
			      page->state);
	return 0;
}

static int parse_entries(struct retired_list *list, const unsigned char *data,
			 struct retired_error *error)
{
	size_t i;
	int ret;

	for (i = 0; i < list->nr; i++) {
		struct vgpu_retired_entry entry;

		memcpy(&entry, data + i * ENTRY_SIZE, ENTRY_SIZE);
		ret = parse_entry(&list->pages[i], &entry, i, list->vram_size,
				  error);
		if (ret)
			return ret;
		if (i && list->pages[i].address <= list->pages[i - 1].address)
			return refuse(error,
				      "entry %zu: pages are not ascending", i);
	}
	return 0;
}

/**
 * retired_size() - how long a list is, by its beginning
 * @start: that
 * @len: bytes of @start, perhaps fewer than a header has
 *
 * Return: bytes, RETIRED_SIZE_MAX at most; a little more than a header where it is
 * no list, or not known yet
 */
size_t retired_size(const void *start, size_t len)
{
	struct vgpu_retired_header header;
	struct retired_error error;
	size_t size;

	if (len < HEADER_SIZE)
		return RETIRED_JUNK;
	memcpy(&header, start, HEADER_SIZE);
	/* What it says of the length is what is asked for. */
	size = HEADER_SIZE + (size_t)le32toh(header.nr) * ENTRY_SIZE;
	if (check_format(&header, size, &error))
		return RETIRED_JUNK;
	return size < RETIRED_SIZE_MAX ? size : RETIRED_SIZE_MAX;
}

/**
 * retired_parse() - check a list and take it apart
 * @list: what it says; for retired_free().  Empty on error.
 * @data: header and entries, at any alignment
 * @len: bytes of @data
 * @error: what is wrong, on error
 *
 * Return: 0, -EINVAL for a list that is refused, -ENOMEM
 */
int retired_parse(struct retired_list *list, const void *data, size_t len,
		  struct retired_error *error)
{
	struct vgpu_retired_header header;
	int ret;

	memset(list, 0, sizeof(*list));
	if (len < HEADER_SIZE)
		return refuse(error, "truncated: %zu bytes, a header has %zu",
			      len, HEADER_SIZE);
	memcpy(&header, data, HEADER_SIZE);
	ret = check_format(&header, len, error);
	if (ret)
		return ret;
	if (le32toh(header.crc) != retired_crc(data, len))
		return refuse(error, "corrupt: checksum %08" PRIx32
			      ", not %08" PRIx32, le32toh(header.crc),
			      retired_crc(data, len));
	if (header.reserved)
		return refuse(error, "reserved field is not 0");
	ret = check_identity(header.identity, error);
	if (ret)
		return ret;

	memcpy(list->identity, header.identity, sizeof(list->identity));
	list->vram_size = le64toh(header.vram_size);
	list->sbe = le64toh(header.sbe);
	list->dbe = le64toh(header.dbe);
	list->nr = le32toh(header.nr);
	if (!list->nr)
		return 0;
	/* calloc() checks the product. */
	list->pages = calloc(list->nr, sizeof(*list->pages));
	if (!list->pages) {
		list->nr = 0;
		refuse(error, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	ret = parse_entries(list, (const unsigned char *)data + HEADER_SIZE,
			    error);
	if (ret)
		retired_free(list);
	return ret;
}

/**
 * retired_free() - opposite of retired_parse()
 * @list: is empty then; an empty one may be given
 */
void retired_free(struct retired_list *list)
{
	free(list->pages);
	memset(list, 0, sizeof(*list));
}

/**
 * retired_cause() - name of a cause
 * @cause: any number
 *
 * Return: text, NULL for what is none
 */
const char *retired_cause(uint32_t cause)
{
	switch (cause) {
	case VGPU_RETIRED_SBE:
		return "single-bit";
	case VGPU_RETIRED_DBE:
		return "double-bit";
	default:
		return NULL;
	}
}

/**
 * retired_state() - name of a state
 * @state: any number
 *
 * Return: text, NULL for what is none
 */
const char *retired_state(uint32_t state)
{
	switch (state) {
	case VGPU_RETIRED_PENDING:
		return "pending";
	case VGPU_RETIRED_DONE:
		return "retired";
	default:
		return NULL;
	}
}
