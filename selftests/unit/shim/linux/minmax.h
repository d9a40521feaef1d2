/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's also reject mixed types; its own build sees to that. */
#ifndef _SHIM_LINUX_MINMAX_H
#define _SHIM_LINUX_MINMAX_H

#define min(x, y) ({			\
	__auto_type __x = (x);		\
	__auto_type __y = (y);		\
	__x < __y ? __x : __y; })

#define max(x, y) ({			\
	__auto_type __x = (x);		\
	__auto_type __y = (y);		\
	__x > __y ? __x : __y; })

#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))

#endif
