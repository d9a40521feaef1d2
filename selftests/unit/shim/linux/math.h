/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MATH_H
#define _SHIM_LINUX_MATH_H

/* For powers of two; the mask is as wide as the result, as in the kernel. */
#define __round_mask(x, y)	((__typeof__(x))((y) - 1))
#define round_up(x, y)		((((x) - 1) | __round_mask(x, y)) + 1)
#define round_down(x, y)	((x) & ~__round_mask(x, y))

#define rounddown(x, y) ({		\
	__auto_type __x = (x);		\
	__x - (__x % (y)); })

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

#endif
