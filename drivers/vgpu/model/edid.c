// SPDX-License-Identifier: GPL-2.0
/*
 * EDID of a head: one block of EDID 1.4 (VESA E-EDID Standard, Release A2).
 *
 * Timings are computed with CVT reduced blanking v1 (VESA CVT 1.2) at 60 Hz.
 * A virtual head has no real timing; what matters to guests is that the block
 * is valid and that the resolutions are offered.
 */
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/string.h>

#include "compat/unaligned.h"
#include "model/model.h"

#define EDID_REFRESH_HZ		60
#define EDID_DPI		96

/* CVT reduced blanking v1: fixed parts of the blanking interval. */
#define CVT_RB_HBLANK		160
#define CVT_RB_HFRONT		48
#define CVT_RB_HSYNC		32
#define CVT_RB_VFRONT		3
#define CVT_RB_VBACK_MIN	6
#define CVT_RB_VBLANK_US	460
#define CVT_CLOCK_STEP_KHZ	250

/* Offsets in the block. */
#define EDID_STANDARD_TIMINGS	38
#define EDID_DESCRIPTORS	54
#define EDID_DESCRIPTOR_SIZE	18
#define EDID_DESCRIPTORS_END	126

/* What a detailed timing has room for. */
#define EDID_PIXELS_MAX		0xfff
#define EDID_CLOCK_MAX_KHZ	655350

static const u8 edid_magic[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };

struct edid_timing {
	u32 width, height;
	u32 vsync, vblank;
	u32 clock_khz;
	u32 hfreq_khz;
};

/* The resolutions offered by standard timings, by falling use. */
static const struct {
	u16 width, height;
} edid_standard[] = {
	{ 1920, 1080 }, { 1280, 720 }, { 1280, 1024 }, { 1680, 1050 },
	{ 1440, 900 }, { 1600, 900 }, { 1600, 1200 }, { 1920, 1200 },
};

/* Candidates for the largest mode that a detailed timing can express. */
static const struct {
	u16 width, height;
} edid_large[] = {
	{ 3840, 2160 }, { 2560, 1600 }, { 1920, 1200 }, { 1280, 800 },
};

static u32 edid_vsync(u32 width, u32 height)
{
	if (width * 3 == height * 4)
		return 4;
	if (width * 9 == height * 16)
		return 5;
	if (width * 10 == height * 16)
		return 6;
	if (width * 4 == height * 5 || width * 9 == height * 15)
		return 7;
	return 10;
}

static struct edid_timing edid_timing(u32 width, u32 height)
{
	struct edid_timing t = {
		.width = width,
		.height = height,
		.vsync = edid_vsync(width, height),
	};
	u32 active_us = 1000000 / EDID_REFRESH_HZ - CVT_RB_VBLANK_US;
	u32 htotal = width + CVT_RB_HBLANK;

	/* Lines that fit in the minimum blanking time, and one more. */
	t.vblank = CVT_RB_VBLANK_US * height / active_us + 1;
	t.vblank = max_t(u32, t.vblank,
			 CVT_RB_VFRONT + t.vsync + CVT_RB_VBACK_MIN);
	t.clock_khz = EDID_REFRESH_HZ * (height + t.vblank) * htotal / 1000;
	t.clock_khz = rounddown(t.clock_khz, CVT_CLOCK_STEP_KHZ);
	t.hfreq_khz = DIV_ROUND_UP(t.clock_khz, htotal);
	return t;
}

static u32 edid_mm(u32 pixels)
{
	return pixels * 254 / EDID_DPI / 10;
}

/* All timings are of one screen, so its size is not that of the timing. */
static void edid_detailed(u8 *d, const struct edid_timing *t, u32 width_mm,
			  u32 height_mm)
{
	put_unaligned_le16(t->clock_khz / 10, d);
	d[2] = t->width;
	d[3] = CVT_RB_HBLANK;
	d[4] = (t->width >> 8) << 4 | CVT_RB_HBLANK >> 8;
	d[5] = t->height;
	d[6] = t->vblank;
	d[7] = (t->height >> 8) << 4 | t->vblank >> 8;
	d[8] = CVT_RB_HFRONT;
	d[9] = CVT_RB_HSYNC;
	d[10] = CVT_RB_VFRONT << 4 | t->vsync;
	d[11] = 0;
	d[12] = width_mm;
	d[13] = height_mm;
	d[14] = (width_mm >> 8) << 4 | height_mm >> 8;
	/* Digital separate sync, horizontal positive, vertical negative. */
	d[17] = 0x1a;
}

static void edid_range_limits(u8 *d, const struct edid_timing *a,
			      const struct edid_timing *b)
{
	u32 hfreq_khz = max(a->hfreq_khz, b->hfreq_khz);
	u32 clock_khz = max(a->clock_khz, b->clock_khz);

	d[3] = 0xfd;
	d[5] = 50;			/* vertical, Hz */
	d[6] = 75;
	d[7] = min_t(u32, min(a->hfreq_khz, b->hfreq_khz) - 1, 30);
	d[8] = max_t(u32, hfreq_khz + 1, 81);	/* horizontal, kHz */
	/* Standard timings have a clock of their own, at most 193.25 MHz. */
	d[9] = max_t(u32, DIV_ROUND_UP(clock_khz, 10000), 20);
	d[10] = 0x01;			/* limits only, no secondary formula */
	d[11] = 0x0a;
	memset(d + 12, ' ', 6);
}

static void edid_name(u8 *d, const char *name)
{
	size_t len = strlen(name);

	d[3] = 0xfc;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, name, len);
	d[5 + len] = 0x0a;
}

static void edid_standard_timings(u8 *d, u32 max_width, u32 max_height)
{
	u32 i, n = 0;

	memset(d, 0x01, 16);
	for (i = 0; i < ARRAY_SIZE(edid_standard); i++) {
		u32 w = edid_standard[i].width, h = edid_standard[i].height;
		u8 aspect;

		if (w > max_width || h > max_height)
			continue;
		if (w * 10 == h * 16)
			aspect = 0;
		else if (w * 3 == h * 4)
			aspect = 1;
		else if (w * 4 == h * 5)
			aspect = 2;
		else
			aspect = 3;
		d[n++] = w / 8 - 31;
		d[n++] = aspect << 6 | (EDID_REFRESH_HZ - 60);
	}
}

/**
 * vgpu_edid_can_prefer() - whether a monitor can say that it prefers a mode
 * @width: in pixels, at least 640
 * @height: in lines, at least 480
 *
 * Return: false where a detailed timing has no room for it
 */
bool vgpu_edid_can_prefer(u32 width, u32 height)
{
	return width <= EDID_PIXELS_MAX && height <= EDID_PIXELS_MAX &&
	       edid_timing(width, height).clock_khz <= EDID_CLOCK_MAX_KHZ;
}

/**
 * vgpu_edid_generate() - make the EDID of a head
 * @edid: where to
 * @width: preferred width in pixels
 * @height: preferred height in lines; with @width as vgpu_edid_can_prefer() allows
 * @max_width: largest width to offer
 * @max_height: largest height to offer
 */
void vgpu_edid_generate(u8 edid[VGPU_EDID_BLOCK], u32 width, u32 height,
			u32 max_width, u32 max_height)
{
	static const u8 srgb[10] = { 0xee, 0x91, 0xa3, 0x54, 0x4c,
				     0x99, 0x26, 0x0f, 0x50, 0x54 };
	struct edid_timing preferred = edid_timing(width, height);
	struct edid_timing large = preferred;
	u8 *d = edid + EDID_DESCRIPTORS;
	u8 sum = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(edid_large); i++) {
		if (edid_large[i].width <= max_width &&
		    edid_large[i].height <= max_height) {
			large = edid_timing(edid_large[i].width,
					    edid_large[i].height);
			break;
		}
	}

	memset(edid, 0, VGPU_EDID_BLOCK);
	memcpy(edid, edid_magic, sizeof(edid_magic));
	/* Three letters of five bits, "VGP", big-endian. */
	put_unaligned_be16(('V' - '@') << 10 | ('G' - '@') << 5 | ('P' - '@'),
			   edid + 8);
	put_unaligned_le16(1, edid + 10);
	edid[16] = 0xff;		/* the next byte is the model year */
	edid[17] = 2026 - 1990;
	edid[18] = 1;
	edid[19] = 4;
	edid[20] = 0xa5;		/* digital, 8 bits a colour, DisplayPort */
	edid[21] = edid_mm(width) / 10;
	edid[22] = edid_mm(height) / 10;
	edid[23] = 220 - 100;		/* gamma 2.2 */
	edid[24] = 0x06;		/* sRGB; first timing is the native one */
	memcpy(edid + 25, srgb, sizeof(srgb));

	edid[35] = 0x20;		/* 640x480 */
	if (max_width >= 800 && max_height >= 600)
		edid[35] |= 0x01;
	if (max_width >= 1024 && max_height >= 768)
		edid[36] |= 0x08;
	edid_standard_timings(edid + EDID_STANDARD_TIMINGS, max_width,
			      max_height);

	/* Detailed timings come before everything else. */
	edid_detailed(d, &preferred, edid_mm(width), edid_mm(height));
	if (large.width != width || large.height != height) {
		d += EDID_DESCRIPTOR_SIZE;
		edid_detailed(d, &large, edid_mm(width), edid_mm(height));
	}
	d += EDID_DESCRIPTOR_SIZE;
	edid_range_limits(d, &preferred, &large);
	d += EDID_DESCRIPTOR_SIZE;
	edid_name(d, "vgpu");
	d += EDID_DESCRIPTOR_SIZE;
	if (d < edid + EDID_DESCRIPTORS_END)
		d[3] = 0x10;		/* unused */

	for (i = 0; i < VGPU_EDID_BLOCK - 1; i++)
		sum += edid[i];
	edid[VGPU_EDID_BLOCK - 1] = -sum;
}

/**
 * vgpu_edid_valid() - whether a guest can be given an EDID
 * @edid: the blob
 * @size: its bytes
 *
 * Return: true for a base block that begins as one and for as many extension
 * blocks as it announces, each with a good checksum
 */
bool vgpu_edid_valid(const u8 *edid, u32 size)
{
	u32 i;

	if (size < VGPU_EDID_BLOCK || size % VGPU_EDID_BLOCK ||
	    memcmp(edid, edid_magic, sizeof(edid_magic)) ||
	    size / VGPU_EDID_BLOCK != edid[VGPU_EDID_EXTENSIONS] + 1U)
		return false;
	for (; size; edid += VGPU_EDID_BLOCK, size -= VGPU_EDID_BLOCK) {
		u8 sum = 0;

		for (i = 0; i < VGPU_EDID_BLOCK; i++)
			sum += edid[i];
		if (sum)
			return false;
	}
	return true;
}
