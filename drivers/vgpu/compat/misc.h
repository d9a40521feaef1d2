/* SPDX-License-Identifier: GPL-2.0 */
/* How kernels differ in small things. */
#ifndef _VGPU_COMPAT_MISC_H
#define _VGPU_COMPAT_MISC_H

#include <linux/dma-buf.h>
#include <linux/eventfd.h>
#include <linux/hrtimer.h>

/* Lost its count in 6.8. */
static inline void vgpu_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef VGPU_HAVE_EVENTFD_SIGNAL_N
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

/* One call instead of two since 6.13. */
static inline void
vgpu_hrtimer_setup(struct hrtimer *timer,
		   enum hrtimer_restart (*function)(struct hrtimer *))
{
#ifdef VGPU_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
#endif
}

/* "invalidate mappings" was "move notify" until 7.1. */
static inline void vgpu_dma_buf_invalidate(struct dma_buf *dmabuf)
{
#ifdef VGPU_HAVE_DMA_BUF_INVALIDATE
	dma_buf_invalidate_mappings(dmabuf);
#else
	dma_buf_move_notify(dmabuf);
#endif
}

/* Constant since 6.16. */
#ifdef VGPU_HAVE_CONST_BIN_ATTR
#define VGPU_BIN_ATTR_CONST const
#else
#define VGPU_BIN_ATTR_CONST
#endif

#endif /* _VGPU_COMPAT_MISC_H */
