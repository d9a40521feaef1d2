// SPDX-License-Identifier: GPL-2.0
/*
 * The list of retired pages as a file.  See linux/vgpu_retired.h.
 */
#include <asm/byteorder.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "ras/retired.h"

/* As zlib has it, with the field of the checksum taken as zero. */
static u32 vgpu_retired_crc(const void *file, size_t len)
{
	const size_t at = offsetof(struct vgpu_retired_header, crc);
	static const u8 zero[4];
	u32 crc;

	crc = crc32_le(~0, file, at);
	crc = crc32_le(crc, zero, sizeof(zero));
	return ~crc32_le(crc, (const u8 *)file + at + sizeof(zero),
			 len - at - sizeof(zero));
}

/**
 * vgpu_retired_seal() - complete a list
 * @header: filled in but for what is the same in all; entries follow it
 * @nr: how many
 */
void vgpu_retired_seal(struct vgpu_retired_header *header, u32 nr)
{
	memcpy(header->magic, VGPU_RETIRED_MAGIC, sizeof(header->magic));
	header->version = cpu_to_le32(VGPU_RETIRED_VERSION);
	header->header_size = cpu_to_le32(sizeof(*header));
	header->entry_size = cpu_to_le32(sizeof(struct vgpu_retired_entry));
	header->nr = cpu_to_le32(nr);
	header->reserved = 0;
	header->crc = cpu_to_le32(vgpu_retired_crc(header,
						   vgpu_retired_size(nr)));
}

static const char *vgpu_retired_bad_header(const struct vgpu_retired_header *h,
					   size_t len)
{
	if (len < sizeof(*h))
		return "truncated";
	if (memcmp(h->magic, VGPU_RETIRED_MAGIC, sizeof(h->magic)))
		return "not a list of retired pages";
	if (le32_to_cpu(h->version) != VGPU_RETIRED_VERSION ||
	    le32_to_cpu(h->header_size) != sizeof(*h) ||
	    le32_to_cpu(h->entry_size) != sizeof(struct vgpu_retired_entry))
		return "of another version";
	if (len != vgpu_retired_size(le32_to_cpu(h->nr)))
		return "of the wrong length";
	if (le32_to_cpu(h->crc) != vgpu_retired_crc(h, len))
		return "corrupt";
	return NULL;
}

/**
 * vgpu_retired_check() - whether a file is a list of a GPU's retired pages
 * @file: the file
 * @len: bytes
 * @identity: of the GPU
 * @nr_pages: how many pages it has, spare ones included
 *
 * Return: NULL if it is, else what it is instead
 */
const char *vgpu_retired_check(const void *file, size_t len,
			       const char *identity, u64 nr_pages)
{
	const struct vgpu_retired_header *h = file;
	const struct vgpu_retired_entry *entries = file + sizeof(*h);
	const char *why = vgpu_retired_bad_header(h, len);
	u64 page, least = 0;
	u32 i, cause;

	if (why)
		return why;
	if (strncmp((const char *)h->identity, identity, sizeof(h->identity)) ||
	    le64_to_cpu(h->vram_size) != nr_pages << VGPU_RETIRED_PAGE_SHIFT)
		return "of another GPU";
	for (i = 0; i < le32_to_cpu(h->nr); i++) {
		page = le64_to_cpu(entries[i].page);
		cause = le32_to_cpu(entries[i].cause);
		if (page < least || page >= nr_pages ||
		    (cause != VGPU_RETIRED_SBE && cause != VGPU_RETIRED_DBE))
			return "not consistent";
		least = page + 1;
	}
	return NULL;
}
