/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VGPU_SMI_SCREEN_H
#define VGPU_SMI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vgpu.h>

/* No picture is wider or higher: far above what the driver's types allow. */
#define SCREEN_SIDE_MAX	16384
/* Bytes of a pixel that has been converted: red, green, blue. */
#define SCREEN_RGB	3

/**
 * struct screen_picture - a picture, checked and in the CPU's byte order
 * @format: DRM fourcc; 0 when there is none, and then the rest is 0
 * @width: in pixels
 * @height: in lines
 * @pitch: bytes from one line to the next; whole pixels of a line fit in it
 * @start: where it is, in bytes from the beginning of the header on
 */
struct screen_picture {
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t pitch;
	uint32_t start;
};

/**
 * struct screen - what a head shows
 * @picture: the picture
 * @cursor: the picture of the cursor, no larger than VGPU_CURSOR_MAX
 * @x: left edge of the cursor on the picture
 * @y: upper edge
 * @flips: counts pictures of the same mode
 */
struct screen {
	struct screen_picture picture;
	struct screen_picture cursor;
	int32_t x;
	int32_t y;
	uint32_t flips;
};

/**
 * struct screen_error - why a header was refused
 * @why: a reason for people, without a newline
 */
struct screen_error {
	char why[128];
};

int screen_parse(struct screen *screen, uint32_t head, const void *data,
		 size_t len, struct screen_error *error);
size_t screen_size(const struct screen_picture *picture);
bool screen_same(const struct screen *a, const struct screen *b);
void screen_convert(const struct screen_picture *picture, const void *pixels,
		    uint8_t *rgb);
void screen_draw_cursor(const struct screen *screen, const void *pixels,
			uint8_t *rgb);

#endif /* VGPU_SMI_SCREEN_H */
