/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_KERNEL_H
#define _SHIM_LINUX_KERNEL_H

#include <stdarg.h>
#include <stdio.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* kselftest.h has it, too. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr)		(sizeof(arr) / sizeof((arr)[0]))
#endif

#define U16_MAX			((u16)~0U)
#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#define S16_MIN			((s16)(-S16_MAX - 1))
#define S16_MAX			((s16)(U16_MAX >> 1))
#define BIT_ULL(nr)		(1ULL << (nr))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define lower_32_bits(n)	((u32)((n) & 0xffffffff))
#define upper_32_bits(n)	((u32)(((n) >> 16) >> 16))

#define S32_MAX			((s32)(~0U >> 1))

/* Returns what was written, not what would have been. */
static inline __attribute__((format(printf, 3, 4)))
int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n < size ? n : size ? size - 1 : 0;
}

#define fallthrough		__attribute__((__fallthrough__))

#endif
