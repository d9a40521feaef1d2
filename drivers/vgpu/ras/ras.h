/* SPDX-License-Identifier: GPL-2.0 */
/* Errors of a pGPU's memory: counted, reported, and the list of retired pages. */
#ifndef _VGPU_RAS_H
#define _VGPU_RAS_H

#include <linux/types.h>
#include <linux/uuid.h>
#include <vgpu/pgpu.h>

struct mem_ctl_info;
struct seq_file;
struct vram;

/* How many of the last errors are kept. */
#define RAS_LAST_ERRORS	16

/**
 * struct ras_error - one of the last errors
 * @page: page of VRAM
 * @time: when
 * @dbe: a double-bit error
 * @uuid: of the vGPU that used the page, or "none"
 */
struct ras_error {
	u64 page;
	time64_t time;
	bool dbe;
	char uuid[UUID_STRING_LEN + 1];
};

/**
 * struct ras - errors of a pGPU's memory
 * @vram: the memory; all that follows is protected by vram.lock
 * @edac: its memory controller; NULL without
 * @live: errors can be reported
 * @enabled: in force
 * @pending: from the next reset on
 * @sbe: single-bit errors since the reset
 * @dbe: double-bit errors since then
 * @sbe_before: single-bit errors ever before
 * @dbe_before: double-bit errors ever before
 * @list: the list of them as somebody reads it now, or NULL
 * @list_size: bytes of it
 * @last: the last errors, of which number n is at n % RAS_LAST_ERRORS
 * @nr_errors: how many there have been since the pGPU was bound
 */
struct ras {
	struct vram *vram;
	struct mem_ctl_info *edac;
	bool live;
	bool enabled;
	bool pending;
	u64 sbe;
	u64 dbe;
	u64 sbe_before;
	u64 dbe_before;
	void *list;
	size_t list_size;
	struct ras_error last[RAS_LAST_ERRORS];
	u64 nr_errors;
};

/* ecc.c */
void ras_init(struct ras *ras, struct vram *vram);
void ras_fini(struct ras *ras);
void ras_set_live(struct ras *ras, bool live);
int ras_report(struct ras *ras, u64 page, enum pgpu_error error);
int ras_reset(struct ras *ras);
bool ras_enabled(struct ras *ras);
void ras_show(struct ras *ras, struct seq_file *m);
int ras_last(struct ras *ras, char *buf);

/* ecc_list.c */
int ras_load(struct ras *ras);
ssize_t ras_list(struct ras *ras, char *buf, loff_t offset, size_t count);

/* edac.c */
void ras_edac_add(struct ras *ras, const char *name);
void ras_edac_del(struct ras *ras);
void ras_edac_report(struct ras *ras, u64 page, bool dbe);

#endif /* _VGPU_RAS_H */
