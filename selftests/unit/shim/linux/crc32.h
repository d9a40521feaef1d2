/* SPDX-License-Identifier: GPL-2.0 */
/* zlib's inverts before and after, the kernel's does not. */
#ifndef _SHIM_LINUX_CRC32_H
#define _SHIM_LINUX_CRC32_H

#include <zlib.h>

#define crc32_le(crc, p, len) \
	((u32)~crc32(~(u32)(crc), (const void *)(p), (len)))

#endif
