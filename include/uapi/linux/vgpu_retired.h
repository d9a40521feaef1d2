/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The list of a GPU's retired pages, as sysfs shows it (ecc/retired_list of the
 * PCI device) and as a file keeps it over a reboot: a header, then entries in
 * ascending order of their pages.  Numbers are little-endian.
 *
 * The driver reads the file with the firmware loader when it binds the GPU:
 * vgpu/retired-pages-<PCI address>.bin.  A file has less than 2 GiB, because the
 * loader reads no more.
 */
#ifndef _UAPI_LINUX_VGPU_RETIRED_H
#define _UAPI_LINUX_VGPU_RETIRED_H

#include <linux/types.h>

#define VGPU_RETIRED_MAGIC	"VGPURETD"	/* 8 bytes, no NUL */
#define VGPU_RETIRED_VERSION	1
#define VGPU_RETIRED_IDENTITY	64

/**
 * struct vgpu_retired_header - what stands before the entries
 * @magic: VGPU_RETIRED_MAGIC
 * @version: VGPU_RETIRED_VERSION; another one is another format
 * @crc: CRC-32 (ISO-HDLC, zlib's crc32()) of header and entries, with 0 here
 * @header_size: bytes of this
 * @entry_size: bytes of an entry
 * @nr: entries, no more than @vram_size has pages
 * @reserved: 0
 * @vram_size: memory of the GPU in bytes, its reserve included
 * @sbe: single-bit errors ever
 * @dbe: double-bit errors ever
 * @identity: which GPU, text that ends in NUL and is padded with it
 */
struct vgpu_retired_header {
	__u8 magic[8];
	__le32 version;
	__le32 crc;
	__le32 header_size;
	__le32 entry_size;
	__le32 nr;
	__le32 reserved;
	__le64 vram_size;
	__le64 sbe;
	__le64 dbe;
	__u8 identity[VGPU_RETIRED_IDENTITY];
};

/* Why a page was retired. */
#define VGPU_RETIRED_SBE	1	/* a second single-bit error */
#define VGPU_RETIRED_DBE	2	/* a double-bit error */

/* How far it is. */
#define VGPU_RETIRED_PENDING	0	/* its vGPU still has it, until its reset */
#define VGPU_RETIRED_DONE	1

/**
 * struct vgpu_retired_entry - a retired page
 * @page: number of the page, in units of 4 KiB
 * @time: when, in seconds since 1970
 * @cause: VGPU_RETIRED_SBE or VGPU_RETIRED_DBE
 * @state: VGPU_RETIRED_PENDING or VGPU_RETIRED_DONE
 */
struct vgpu_retired_entry {
	__le64 page;
	__le64 time;
	__le32 cause;
	__le32 state;
};

#endif /* _UAPI_LINUX_VGPU_RETIRED_H */
