/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that had errors: what ecc.c and ecc_list.c share.  Whoever calls these
 * holds pgpu.lock.
 */
#ifndef _VGPU_ECC_H
#define _VGPU_ECC_H

#include "core.h"
#include "ras/retired.h"

/**
 * struct pgpu_bad_page - a page that had an error; there can be a million
 * @sbe: single-bit errors
 * @cause: VGPU_RETIRED_*, 0 while it is not retired
 * @pending: to be retired, and in use
 * @told: errors for which there was a uevent with @told_state; bits of pgpu_error
 * @told_state: first letter of what it said of the page
 * @told_at: when the last was, in jiffies
 * @time: when it was, or is to be, retired
 */
struct pgpu_bad_page {
	u32 sbe;
	u32 cause;
	bool pending;
	u8 told;
	char told_state;
	u32 told_at;
	time64_t time;
};

struct pgpu_bad_page *pgpu_ecc_page(struct pgpu *pgpu, u64 page);
void pgpu_ecc_retire_unused(struct pgpu *pgpu, u64 page);

#endif /* _VGPU_ECC_H */
