/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VGPU_SMI_RETIRED_H
#define VGPU_SMI_RETIRED_H

#include <stddef.h>
#include <stdint.h>

#include <linux/vgpu_retired.h>

/* No file of a list is longer, in bytes: the kernel reads no more. */
#define RETIRED_SIZE_MAX	0x7fffffffU

#define RETIRED_PAGE_SHIFT	12

/* The last second that ISO 8601 writes with four digits for the year. */
#define RETIRED_TIME_MAX	253402300799ULL

/**
 * struct retired_page - a retired page, checked and in the CPU's byte order
 * @address: of its first byte in VRAM
 * @time: when it was retired, in seconds since 1970; RETIRED_TIME_MAX at most
 * @cause: VGPU_RETIRED_SBE or VGPU_RETIRED_DBE
 * @state: VGPU_RETIRED_PENDING or VGPU_RETIRED_DONE
 */
struct retired_page {
	uint64_t address;
	uint64_t time;
	uint32_t cause;
	uint32_t state;
};

/**
 * struct retired_list - a list of retired pages that has been checked
 * @identity: which GPU; ends in NUL, but may be any bytes before that
 * @vram_size: of the GPU, in bytes
 * @sbe: single-bit errors ever
 * @dbe: double-bit errors ever
 * @nr: number of @pages
 * @pages: by ascending address; NULL if there are none
 */
struct retired_list {
	char identity[VGPU_RETIRED_IDENTITY];
	uint64_t vram_size;
	uint64_t sbe;
	uint64_t dbe;
	size_t nr;
	struct retired_page *pages;
};

/**
 * struct retired_error - why a list was refused
 * @why: a reason for people, without a newline
 */
struct retired_error {
	char why[128];
};

size_t retired_size(const void *start, size_t len);
int retired_parse(struct retired_list *list, const void *data, size_t len,
		  struct retired_error *error);
void retired_free(struct retired_list *list);
uint32_t retired_crc(const void *data, size_t len);
const char *retired_cause(uint32_t cause);
const char *retired_state(uint32_t state);

#endif /* VGPU_SMI_RETIRED_H */
