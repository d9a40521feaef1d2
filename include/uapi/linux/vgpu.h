/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a vGPU looks like from the outside: PCI identity, BAR layout, VFIO
 * regions.  Shared by the driver, guest drivers and the tests; described for
 * readers in Documentation/register-map.md.
 */
#ifndef _UAPI_LINUX_VGPU_H
#define _UAPI_LINUX_VGPU_H

/*
 * PCI identity.  1234:1111 is QEMU's standard VGA / bochs-display, which the
 * bochs-drm driver of every distribution binds by vendor and device alone.
 * The subsystem id tells a vGPU from those.
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

/* BAR2: register page in the layout of QEMU's standard VGA (docs/specs). */
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
#define VGPU_DISPI_NOCLEARMEM		0x80	/* do not clear the picture */

/* Extended registers. */
#define VGPU_EXT_SIZE			0x600	/* size of this block, 8 */
#define VGPU_EXT_ENDIAN			0x604	/* byte order of the picture */
#define VGPU_EXT_ENDIAN_LITTLE		0x1e1e1e1e
#define VGPU_EXT_ENDIAN_BIG		0xbebebebe

/*
 * VFIO regions behind the standard PCI ones.
 *
 * The console region is a window onto the framebuffer that always begins at
 * the first page of the picture which head 0 shows.  VFIO's plane information
 * names a region but no offset in it, so a moving picture needs a region that
 * moves along.  Mappings of it follow the picture by themselves.
 */
#define VGPU_REGION_CONSOLE		9	/* VFIO_PCI_NUM_REGIONS */
#define VGPU_NUM_REGIONS		10
#define VGPU_REGION_SUBTYPE_CONSOLE	1	/* with vendor type 0x1234 */

#endif /* _UAPI_LINUX_VGPU_H */
