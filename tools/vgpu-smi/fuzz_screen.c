// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: headers of what a head shows, and the pixels.  The input is a
 * header and pixels; and once more with a beginning that gets it past the first checks.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

/* Larger pictures only take time. */
#define PIXELS	65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* As many pixels as there are to be, of which some may be in the input. */
static uint8_t *pixels_of(const struct screen_picture *picture,
			  const uint8_t *data, size_t size)
{
	size_t len = screen_size(picture), n = len < size ? len : size;
	uint8_t *pixels = calloc(1, len ?: 1);

	check(pixels, "memory");
	memcpy(pixels, data, n);
	return pixels;
}

static void draw(const struct screen *screen, const uint8_t *data, size_t size)
{
	const struct screen_picture *picture = &screen->picture;
	uint8_t *pixels, *above, *rgb;

	if ((uint64_t)picture->width * picture->height > PIXELS ||
	    screen_size(picture) > 16 * PIXELS ||
	    screen_size(&screen->cursor) > 16 * PIXELS)
		return;
	pixels = pixels_of(picture, data, size);
	above = pixels_of(&screen->cursor, data, size);
	rgb = malloc((size_t)picture->width * picture->height * SCREEN_RGB);
	check(rgb, "memory");
	screen_convert(picture, pixels, rgb);
	screen_draw_cursor(screen, above, rgb);
	free(rgb);
	free(above);
	free(pixels);
}

static void parse(const uint8_t *data, size_t size)
{
	struct screen_error error = { "" };
	struct screen screen;

	if (screen_parse(&screen, 1, data, size, &error)) {
		check(*error.why, "no reason");
		check(!screen.picture.format && !screen.cursor.format,
		      "refused, but not empty");
		return;
	}
	check(screen_same(&screen, &screen), "not the same as itself");
	if (!screen.picture.format) {
		check(!screen_size(&screen.picture) && !screen.cursor.format,
		      "nothing has a size");
		return;
	}
	check(screen.picture.start >= VGPU_SCREEN_HEADER, "in the header");
	check(screen_size(&screen.picture) <= INT32_MAX, "size");
	check(!screen.cursor.format || screen.cursor.start >=
	      screen.picture.start + screen_size(&screen.picture), "overlap");
	draw(&screen, data + sizeof(struct vgpu_screen),
	     size - sizeof(struct vgpu_screen));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char formats[][5] = {
		"XR24", "XB24", "BX24", "RX24", "RG24", "RG16", "XR15",
	};
	struct vgpu_screen header;
	uint8_t *copy;
	uint32_t format;

	parse(data, size);
	if (size < sizeof(header))
		return 0;
	memcpy(&header, data, sizeof(header));
	header.magic = htole32(VGPU_SCREEN_MAGIC);
	header.version = htole32(VGPU_SCREEN_VERSION);
	header.head = htole32(1);
	memcpy(&format, formats[header.format % 7], sizeof(format));
	header.format = format;
	copy = malloc(size);
	check(copy, "memory");
	memcpy(copy, data, size);
	memcpy(copy, &header, sizeof(header));
	parse(copy, size);
	/* Small sizes, which it would take long to find. */
	header.width = htole32(le32toh(header.width) % 300);
	header.height = htole32(le32toh(header.height) % 300);
	header.pitch = htole32(le32toh(header.width) * 4 +
			       le32toh(header.pitch) % 16);
	header.start = htole32(VGPU_SCREEN_HEADER);
	memcpy(&header.cursor_format, "AR24", 4);
	header.cursor_width = htole32(le32toh(header.cursor_width) % 260);
	header.cursor_height = htole32(le32toh(header.cursor_height) % 260);
	header.cursor_pitch = htole32(le32toh(header.cursor_width) * 4);
	header.cursor_start = htole32(le32toh(header.cursor_start) % (1U << 21));
	memcpy(copy, &header, sizeof(header));
	parse(copy, size);
	free(copy);
	return 0;
}
