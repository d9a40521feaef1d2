/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load on a framebuffer that notices every lost update: workers go over its
 * pages in one of the ways that a guest and a VMM have.  Each has a word of its
 * own in every page, which must hold what the worker put there last: how often
 * it was there.
 */
#ifndef VGPU_LOAD_H
#define VGPU_LOAD_H

#include <pthread.h>

#include "lib/vgpu_guest.h"
#include "lib/vgpu_test.h"

enum vt_via { VT_VIA_BAR0, VT_VIA_CONSOLE, VT_VIA_CURSOR, VT_VIA_DMABUF,
	      VT_VIA_PREAD, VT_VIA_GUEST, VT_NR_VIAS };

/* Each way's map of the framebuffer, from its beginning, and how many pages. */
struct vt_views {
	volatile uint32_t *map[VT_NR_VIAS];
	unsigned long nr[VT_NR_VIAS];
};

/* Of a picture of 1024x768, and of the largest cursor. */
#define VT_PICTURE_PAGES	768
#define VT_CURSOR_PAGES		64

struct vt_worker {
	enum vt_via via;
	struct vt_dev *dev;
	volatile uint32_t *map;
	unsigned long nr;
	pthread_t thread;
	struct vt_guest guest;
	volatile bool running;
	volatile bool stop;
	volatile uint32_t rounds;
	const char *volatile wrong;
};

/*
 * Show a picture and a cursor at the beginning of the framebuffer, of which the
 * first @nr pages are mapped at @fb, and map these.  The vGPU was asked for
 * dma-bufs.  False when one cannot be had, and then none stays.
 */
bool vt_views_open(struct vt_views *v, struct vt_dev *dev, uint32_t *fb,
		   unsigned long nr);
void vt_views_close(struct vt_views *v);

/*
 * Begin to go over the first @nr pages, a multiple of 16, through @map, which
 * shows them.  Words must be zero.  Returns 0 or a negative errno; -ENOENT or
 * -ENODEV when a guest is asked for and there is no KVM.
 */
int vt_worker_start(struct vt_worker *w, struct vt_dev *dev, enum vt_via via,
		    volatile uint32_t *map, unsigned long nr);
/* It has been over all pages that often, or has ended. */
bool vt_worker_was(const struct vt_worker *w, uint32_t rounds);
/* End it and look at every page once more; NULL, or what is wrong. */
const char *vt_worker_end(struct vt_worker *w);

#endif /* VGPU_LOAD_H */
