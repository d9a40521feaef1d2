/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The measures of bench.  Each takes its own name and the sysfs directory of a
 * type, and returns a figure; it ends the program where there is none.
 */
#ifndef VGPU_MEASURES_H
#define VGPU_MEASURES_H

#include "lib/vgpu_test.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define BAR4	VFIO_PCI_BAR4_REGION_INDEX

#define PAGE	4096ULL
#define BLOCK	(2 * VT_MIB)
/* As much framebuffer as every device that is compared has. */
#define SIZE	(64 * VT_MIB)

#define ROUNDS		63
#define BATCH		256	/* calls in a round, where calls are short */
#define FEW_ROUNDS	5	/* where a round takes milliseconds */

/* For what went wrong, and for what the device or the kernel does not have. */
void fail(const char *what, int error) __attribute__((noreturn));
void missing(const char *what) __attribute__((noreturn));
/* For calls that return a negative errno. */
void must(int ret, const char *what);

uint64_t now(void);
/* Sorts the values. */
double median(uint64_t *values, unsigned int nr);

/* Make a device of a type, and open it. */
void create(const char *type, char uuid[VT_UUID]);
void start(struct vt_dev *dev, const char *type);

/* BAR0 of a device that is mapped, or memory of the program or a file instead. */
struct memory {
	struct vt_dev dev;
	bool anonymous;
	bool file;
	uint8_t *map;
	size_t len;
};

/* Map at a multiple of BLOCK, as VMMs do so that large pages are possible. */
uint8_t *map_aligned(int fd, int flags, uint64_t offset, size_t len);
void memory_put(struct memory *memory);
/* Write to every page. */
void touch(uint8_t *map, size_t len);

double measure_access(const char *name, const char *type);
double measure_doorbell_ioeventfd(const char *name, const char *type);
double measure_doorbell_mmio(const char *name, const char *type);
double measure_first_touch(const char *name, const char *type);
double measure_page_faults(const char *name, const char *type);
double measure_bandwidth(const char *name, const char *type);
double measure_copy(const char *name, const char *type);
double measure_plane_query(const char *name, const char *type);
double measure_dmabuf_get(const char *name, const char *type);
double measure_dmabuf_new(const char *name, const char *type);
double measure_dmabuf_map(const char *name, const char *type);
double measure_picture_map(const char *name, const char *type);
double measure_create_beside(const char *name, const char *type);
double measure_create_1000(const char *name, const char *type);
double measure_idle_bytes(const char *name, const char *type);
double measure_memcpy(const char *name, const char *type);
double measure_save_rate(const char *name, const char *type);
double measure_load_rate(const char *name, const char *type);
double measure_stop(const char *name, const char *type);
double measure_redraw(const char *name, const char *type);

#endif /* VGPU_MEASURES_H */
