/* SPDX-License-Identifier: GPL-2.0 */
/* Get and put little-endian values at any address. */
#ifndef _VGPU_COMPAT_UNALIGNED_H
#define _VGPU_COMPAT_UNALIGNED_H

#ifdef VGPU_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif /* _VGPU_COMPAT_UNALIGNED_H */
