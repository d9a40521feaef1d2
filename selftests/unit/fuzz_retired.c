// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the list of retired pages.  The input is the file; it is
 * looked at as it is, and once more with what is the same in all files put
 * right, so that the rest is reached.
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ras/retired.h"

#define PAGES 4096

static void look(const void *file, size_t len)
{
	const struct vgpu_retired_header *h = file;
	const struct vgpu_retired_entry *e = (const void *)(h + 1);
	uint64_t last = 0;
	uint32_t i;

	if (vgpu_retired_check(file, len, "gpu", PAGES))
		return;
	/* What has been let through is what the driver takes it for. */
	for (i = 0; i < le32toh(h->nr); i++) {
		if (le64toh(e[i].page) >= PAGES ||
		    (i && le64toh(e[i].page) <= last) ||
		    (le32toh(e[i].cause) != VGPU_RETIRED_SBE &&
		     le32toh(e[i].cause) != VGPU_RETIRED_DBE)) {
			fprintf(stderr, "entry %u is bad\n", i);
			abort();
		}
		last = le64toh(e[i].page);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgpu_retired_header *h;
	uint8_t *copy;

	look(data, size);
	if (size < sizeof(*h))
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	h = (void *)copy;
	memset(h->identity, 0, sizeof(h->identity));
	strcpy((char *)h->identity, "gpu");
	h->vram_size = htole64(PAGES * 4096ULL);
	vgpu_retired_seal(h, (size - sizeof(*h)) /
			     sizeof(struct vgpu_retired_entry));
	look(copy, size);
	look(copy, vgpu_retired_size(le32toh(h->nr)));
	free(copy);
	return 0;
}
