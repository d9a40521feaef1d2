// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the parser for lists of retired pages.  The input is a
 * list; and once more with a header that gets it past the checksum, which no
 * fuzzer would find.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retired.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_list(const struct retired_list *list, size_t size)
{
	size_t i;

	check(size == sizeof(struct vgpu_retired_header) +
	      list->nr * sizeof(struct vgpu_retired_entry), "length");
	check(list->nr <= list->vram_size >> RETIRED_PAGE_SHIFT, "too many");
	check(memchr(list->identity, 0, sizeof(list->identity)), "identity");
	for (i = 0; i < list->nr; i++) {
		const struct retired_page *page = &list->pages[i];

		check(page->address < list->vram_size, "not in the VRAM");
		check(!(page->address % 4096), "no page");
		check(!i || page->address > page[-1].address, "not ascending");
		check(page->time <= RETIRED_TIME_MAX, "time");
		check(page->cause == 1 || page->cause == 2, "cause");
		check(page->state <= 1, "state");
	}
}

static void parse(const uint8_t *data, size_t size)
{
	struct retired_error error = { "" };
	struct retired_list list;
	int ret;

	memset(&list, 0xa5, sizeof(list));
	check(retired_size(data, size) <= RETIRED_SIZE_MAX, "size");
	ret = retired_parse(&list, data, size, &error);
	if (!ret) {
		check(retired_size(data, size) == size, "another size");
		check_list(&list, size);
	} else {
		check(ret == -EINVAL || ret == -ENOMEM, "errno");
		check(*error.why, "no reason");
		check(!list.nr && !list.pages, "not empty after an error");
	}
	retired_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t entry_size = sizeof(struct vgpu_retired_entry);
	struct vgpu_retired_header header;
	uint8_t *copy;

	parse(data, size);
	if (size < sizeof(header))
		return 0;

	size -= (size - sizeof(header)) % entry_size;
	copy = malloc(size);
	check(copy, "malloc");
	memcpy(copy, data, size);
	memcpy(&header, copy, sizeof(header));
	memcpy(header.magic, VGPU_RETIRED_MAGIC, sizeof(header.magic));
	header.version = htole32(VGPU_RETIRED_VERSION);
	header.header_size = htole32(sizeof(header));
	header.entry_size = htole32(entry_size);
	header.nr = htole32((size - sizeof(header)) / entry_size);
	memcpy(copy, &header, sizeof(header));
	header.crc = htole32(retired_crc(copy, size));
	memcpy(copy, &header, sizeof(header));
	parse(copy, size);
	free(copy);
	return 0;
}
