/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a vGPU looks like from the outside: PCI identity, BAR layout, VFIO
 * regions.  Shared by the driver, guest drivers and the tests; described for
 * readers in Documentation/register-map.md.
 */
#ifndef _UAPI_LINUX_VGPU_H
#define _UAPI_LINUX_VGPU_H

#include <linux/types.h>

/*
 * PCI identity.  1234:1111 is QEMU's standard VGA / bochs-display, which the
 * bochs-drm driver of every distribution binds by vendor and device alone.
 * The subsystem id distinguishes a vGPU from those.
 */
#define VGPU_PCI_VENDOR			0x1234
#define VGPU_PCI_DEVICE			0x1111
#define VGPU_PCI_SUBSYSTEM_VENDOR	0x1234
#define VGPU_PCI_SUBSYSTEM		0x7647	/* "vG" */
#define VGPU_PCI_CLASS			0x038000 /* display controller, other */
/* bochs-drm looks for the registers at BAR2 + 0x600 from revision 2 on. */
#define VGPU_PCI_REVISION		0x02

/* The software GPU itself, a parent of vGPUs. */
#define VGPU_SOFT_PCI_DEVICE		0x7647

/*
 * BAR2: register page in the layout of QEMU's standard VGA (docs/specs).  BAR3 is
 * the same page: edk2 counts a BAR of 64 bits once, so that its driver for
 * 1234:1111 looks for BAR2 there.
 */
#define VGPU_BAR2_SIZE			0x1000
#define VGPU_BAR2_EDID			0x000	/* 8 bit, EDID of head 0 */
#define VGPU_BAR2_EDID_SIZE		0x400
#define VGPU_BAR2_VGA			0x400	/* 8 bit, ports 0x3c0..0x3df */
#define VGPU_BAR2_VGA_SIZE		0x20
#define VGPU_BAR2_DISPI			0x500	/* 16 bit, VGPU_DISPI_* */
#define VGPU_BAR2_DISPI_SIZE		0x16
#define VGPU_BAR2_EXT			0x600	/* 32 bit, VGPU_EXT_* */
#define VGPU_BAR2_EXT_SIZE		0x08

/* Offsets in BAR2 of the VGA ports that do something. */
#define VGPU_VGA_ATT			0x400	/* port 0x3c0, attribute */
#define VGPU_VGA_STATUS1		0x41a	/* port 0x3da, input status 1 */
#define VGPU_VGA_ATT_ENABLE		0x20	/* PAS: display the picture */

/* Bochs dispi registers, by index; register i is at BAR2 + 0x500 + 2 * i. */
#define VGPU_DISPI_ID			0x0
#define VGPU_DISPI_XRES			0x1
#define VGPU_DISPI_YRES			0x2
#define VGPU_DISPI_BPP			0x3
#define VGPU_DISPI_ENABLE		0x4
#define VGPU_DISPI_BANK			0x5
#define VGPU_DISPI_VIRT_WIDTH		0x6
#define VGPU_DISPI_VIRT_HEIGHT		0x7
#define VGPU_DISPI_X_OFFSET		0x8
#define VGPU_DISPI_Y_OFFSET		0x9
#define VGPU_DISPI_VIDEO_MEMORY_64K	0xa
#define VGPU_DISPI_NR			0xb

/* VGPU_DISPI_ID: versions 0xb0c0 to 0xb0c5 exist, this is the last. */
#define VGPU_DISPI_ID_VALUE		0xb0c5

/* VGPU_DISPI_ENABLE bits. */
#define VGPU_DISPI_ENABLED		0x01	/* show the mode in the registers */
#define VGPU_DISPI_GETCAPS		0x02	/* XRES, YRES, BPP read their maxima */
#define VGPU_DISPI_8BIT_DAC		0x20	/* kept, without effect */
#define VGPU_DISPI_LFB			0x40	/* kept, the FB is always linear */
#define VGPU_DISPI_NOCLEARMEM		0x80	/* kept, nothing is ever cleared */

/* Extended registers. */
#define VGPU_EXT_SIZE			0x600	/* size of this block, 8 */
#define VGPU_EXT_ENDIAN			0x604	/* byte order of the picture */
#define VGPU_EXT_ENDIAN_LITTLE		0x1e1e1e1e
#define VGPU_EXT_ENDIAN_BIG		0xbebebebe

/*
 * BAR4: what is native to a vGPU.  Registers are 32 bits wide.  The doorbell,
 * the MSI-X table and its pending bits each have a page of their own, so that
 * a VMM can treat each in its own way.
 */
#define VGPU_BAR4_SIZE			0x4000
#define VGPU_BAR4_DOORBELL		0x1000
#define VGPU_BAR4_MSIX_TABLE		0x2000
#define VGPU_BAR4_MSIX_PBA		0x3000

/* Identification, read-only. */
#define VGPU_REG_MAGIC			0x000
#define VGPU_MAGIC			0x55504756	/* "VGPU" */
#define VGPU_REG_VERSION		0x004	/* major << 16 | minor */
#define VGPU_VERSION			0x00010001
#define VGPU_REG_FEATURES		0x008	/* VGPU_FEATURE_* */
#define VGPU_FEATURE_VBLANK		0x00000001
#define VGPU_FEATURE_MODESET		0x00000002 /* heads can be set here */
#define VGPU_FEATURE_CURSOR		0x00000004
#define VGPU_FEATURE_ECC		0x00000008
#define VGPU_REG_NUM_HEADS		0x00c
#define VGPU_REG_FB_SIZE_LO		0x010	/* framebuffer in bytes */
#define VGPU_REG_FB_SIZE_HI		0x014
#define VGPU_REG_MAX_WIDTH		0x018	/* pixels */
#define VGPU_REG_MAX_HEIGHT		0x01c	/* lines */
#define VGPU_REG_NUM_VECTORS		0x020	/* MSI-X vectors */
#define VGPU_REG_DOORBELLS		0x024	/* rung so far, wraps around */

/* Errors of the framebuffer's memory, since power-on or reset. */
#define VGPU_REG_ECC_CONTROL		0x028
#define VGPU_ECC_OPT_OUT		0x1	/* notify this vGPU of none */
#define VGPU_REG_ECC_STATUS		0x02c	/* read-only, as all below */
#define VGPU_ECC_ON			0x1	/* errors are detected, and notified */
#define VGPU_ECC_ERROR			0x2	/* stopped until reset */
#define VGPU_REG_ECC_SBE		0x030	/* single-bit, corrected */
#define VGPU_REG_ECC_DBE		0x034	/* double-bit, content lost */
#define VGPU_REG_ECC_PAGE		0x038	/* 4 KiB page of the last DBE */

/*
 * Interrupts.  An event sets its bit in STATUS; writing ones clears them.
 * Bits that are set in both STATUS and ENABLE raise the interrupt: with MSI-X
 * the vector of the bit's number, otherwise INTx, for as long as there are any.
 */
#define VGPU_REG_IRQ_STATUS		0x040
#define VGPU_REG_IRQ_ENABLE		0x044
#define VGPU_IRQ_CONFIG			0	/* configuration, ECC */
#define VGPU_IRQ_ENGINE			1
#define VGPU_IRQ_HEAD(h)		(2 + (h))	/* vblank */
#define VGPU_NR_IRQS			6

/*
 * Doorbells: 32-bit registers on a page of their own, which a VMM can make
 * eventfds of (VFIO_DEVICE_IOEVENTFD).  They read as zero.
 */
#define VGPU_DOORBELL(n)		(VGPU_BAR4_DOORBELL + 4 * (n))
#define VGPU_NR_DOORBELLS		1024

/* Heads: head h has its block at 0x100 + 0x100 * h. */
#define VGPU_REG_HEAD(h)		(0x100 + 0x100 * (h))
#define VGPU_HEAD_SIZE			0x100
#define VGPU_HEAD_ALIGN			4096	/* of offsets that are set here */
/* What the head shows, read-only. */
#define VGPU_HEAD_WIDTH			0x00	/* 0 while nothing is shown */
#define VGPU_HEAD_HEIGHT		0x04
#define VGPU_HEAD_PITCH			0x08	/* bytes */
#define VGPU_HEAD_FORMAT		0x0c	/* DRM fourcc */
#define VGPU_HEAD_OFFSET_LO		0x10	/* in the framebuffer */
#define VGPU_HEAD_OFFSET_HI		0x14
#define VGPU_HEAD_VBLANKS		0x18	/* counts on, wraps around */
#define VGPU_HEAD_FLIPS			0x1c	/* counts on, wraps around */
#define VGPU_HEAD_STATUS		0x20	/* VGPU_HEAD_* bits */
#define VGPU_HEAD_ON			0x1
#define VGPU_HEAD_FLIP_PENDING		0x2	/* shown from the next frame on */
#define VGPU_HEAD_REFUSED		0x4	/* the last commit, of any kind */
#define VGPU_HEAD_CURSOR_ON		0x8
#define VGPU_HEAD_FRAME_LIMIT		0x24	/* flips a second, 0 for no limit */
/* What it is to show; in force with VGPU_HEAD_COMMIT. */
#define VGPU_HEAD_SET_WIDTH		0x40
#define VGPU_HEAD_SET_HEIGHT		0x44
#define VGPU_HEAD_SET_PITCH		0x48
#define VGPU_HEAD_SET_FORMAT		0x4c
#define VGPU_HEAD_SET_OFFSET_LO		0x50
#define VGPU_HEAD_SET_OFFSET_HI		0x54
#define VGPU_HEAD_COMMIT		0x58	/* VGPU_COMMIT_*, reads as zero */
#define VGPU_COMMIT_OFF			0
#define VGPU_COMMIT_MODE		1	/* everything; now, if not a flip */
#define VGPU_COMMIT_FLIP		2	/* the offset, with the next frame */
/* Cursor: ARGB8888, pitch of 4 * width. */
#define VGPU_HEAD_CURSOR_SIZE		0x80	/* width | height << 16, to 256 */
#define VGPU_HEAD_CURSOR_OFFSET_LO	0x84
#define VGPU_HEAD_CURSOR_OFFSET_HI	0x88
#define VGPU_HEAD_CURSOR_HOTSPOT	0x8c	/* x | y << 16 */
#define VGPU_HEAD_CURSOR_POSITION	0x90	/* s16 x | s16 y << 16, at once */
#define VGPU_HEAD_CURSOR_COMMIT		0x94	/* 1 shows it, 0 hides it */
#define VGPU_CURSOR_MAX			256
/* EDID of the monitor at this head. */
#define VGPU_HEAD_EDID_SIZE		0xc0	/* bytes, 0 without a monitor */
#define VGPU_HEAD_EDID_INDEX		0xc4	/* to 0x3fc, a multiple of 4 */
#define VGPU_HEAD_EDID_DATA		0xc8	/* 4 bytes from there */

/*
 * The vendor-specific capability in config space: its length byte is followed
 * by VGPU_CAP_VERSION (16 bits, major << 8 of VGPU_VERSION: config space travels
 * with a guest, so a minor version does not change it) and the number of the
 * native registers' BAR (8 bits).
 */
#define VGPU_CAP_VERSION		0x04
#define VGPU_CAP_BAR			0x06
#define VGPU_CAP_LEN			0x08

/*
 * VFIO regions behind the standard PCI ones.
 *
 * The console region is a window onto the framebuffer that always begins at
 * the first page of the picture which head 0 shows.  VFIO's plane information
 * names a region but no offset in it, so a moving picture needs a region that
 * moves along.  Mappings of it follow the picture by themselves.  Behind the end
 * of the framebuffer its beginning follows.  The cursor region does the same for
 * the cursor image.
 */
#define VGPU_REGION_CONSOLE		9	/* VFIO_PCI_NUM_REGIONS */
/* VFIO_REGION_TYPE_GFX, VFIO_REGION_SUBTYPE_GFX_EDID: see linux/vfio.h */
#define VGPU_REGION_EDID		10
#define VGPU_REGION_EDID_BLOB		0x400	/* where the EDID is in it */
#define VGPU_REGION_EDID_SIZE		0x800
#define VGPU_REGION_CURSOR		11
#define VGPU_NUM_REGIONS		12
#define VGPU_REGION_SUBTYPE_CONSOLE	1	/* with vendor type 0x1234 */
#define VGPU_REGION_SUBTYPE_CURSOR	2

/*
 * The file "screen" of a vGPU in sysfs: what its heads show, for the host's
 * administrator.  Head h begins at VGPU_SCREEN_HEAD(h), with a struct vgpu_screen.
 */
#define VGPU_SCREEN_SHIFT		36
#define VGPU_SCREEN_HEAD(h)		((__u64)(h) << VGPU_SCREEN_SHIFT)
#define VGPU_SCREEN_HEADER		4096	/* bytes, zeroes after the struct */
#define VGPU_SCREEN_MAGIC		0x53504756	/* "VGPS" */
#define VGPU_SCREEN_VERSION		1

/**
 * struct vgpu_screen - what a head shows
 * @magic: VGPU_SCREEN_MAGIC
 * @version: VGPU_SCREEN_VERSION; the meaning of what there is does not change with it
 * @head: number of the head
 * @num_heads: how many the vGPU has
 * @format: DRM fourcc of the picture; 0 when the head shows nothing, as while no VMM
 *	has the vGPU open, and then all that follows is zero
 * @width: of the picture, in pixels
 * @height: in lines
 * @pitch: bytes from one line to the next
 * @start: where the first line is, from the beginning of this header on; there are
 *	@height times @pitch bytes
 * @flips: flips that were carried out, wraps around; while this and the mode stay the
 *	same, the picture is at the same place
 * @cursor_format: DRM fourcc of the cursor's picture, 0 when there is no cursor, and then
 *	all that follows is zero
 * @cursor_width: in pixels
 * @cursor_height: in lines
 * @cursor_pitch: bytes from one line to the next
 * @cursor_start: as @start; a multiple of 4096
 * @cursor_x: left edge of the cursor on the picture, a signed number
 * @cursor_y: upper edge, a signed number
 * @cursor_hot_x: the pixel that points, in the cursor's picture
 * @cursor_hot_y: its line
 *
 * The file ends after the last line of the cursor, or without a cursor after that of the
 * picture, or with this header.  A read that begins with the first byte of the header
 * brings the picture up to date, for which it waits a second at most.
 */
struct vgpu_screen {
	__le32 magic;
	__le32 version;
	__le32 head;
	__le32 num_heads;
	__le32 format;
	__le32 width;
	__le32 height;
	__le32 pitch;
	__le32 start;
	__le32 flips;
	__le32 cursor_format;
	__le32 cursor_width;
	__le32 cursor_height;
	__le32 cursor_pitch;
	__le32 cursor_start;
	__le32 cursor_x;
	__le32 cursor_y;
	__le32 cursor_hot_x;
	__le32 cursor_hot_y;
};

#endif /* _UAPI_LINUX_VGPU_H */
