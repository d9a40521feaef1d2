/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LOG2_H
#define _SHIM_LINUX_LOG2_H

/* As in the kernel, undefined for 0 and above the highest power of two. */
static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n == 1 ? 1 : 1UL << (8 * sizeof(n) - __builtin_clzl(n - 1));
}

static inline _Bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

#endif
