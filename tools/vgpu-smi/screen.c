// SPDX-License-Identifier: GPL-2.0
/*
 * What a head shows: the header that the driver's file "screen" has for it, and
 * the pixels.  Nothing of a header is believed that has not been checked here.
 */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "screen.h"

#define FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

#define FORMAT_ARGB8888	FOURCC('A', 'R', '2', '4')

/**
 * struct screen_bits - where a colour is in a pixel
 * @shift: number of its lowest bit
 * @nr: how many bits
 */
struct screen_bits {
	uint32_t shift;
	uint32_t nr;
};

/**
 * struct screen_format - how a pixel is made
 * @format: DRM fourcc
 * @bytes: of a pixel, which is a little-endian number
 * @red: where in it
 * @green: the same
 * @blue: the same
 */
struct screen_format {
	uint32_t format;
	uint32_t bytes;
	struct screen_bits red;
	struct screen_bits green;
	struct screen_bits blue;
};

static const struct screen_format screen_formats[] = {
	{ FOURCC('X', 'R', '2', '4'), 4, { 16, 8 }, { 8, 8 }, { 0, 8 } },
	{ FOURCC('X', 'B', '2', '4'), 4, { 0, 8 }, { 8, 8 }, { 16, 8 } },
	{ FOURCC('B', 'X', '2', '4'), 4, { 8, 8 }, { 16, 8 }, { 24, 8 } },
	{ FOURCC('R', 'X', '2', '4'), 4, { 24, 8 }, { 16, 8 }, { 8, 8 } },
	{ FOURCC('R', 'G', '2', '4'), 3, { 16, 8 }, { 8, 8 }, { 0, 8 } },
	{ FOURCC('R', 'G', '1', '6'), 2, { 11, 5 }, { 5, 6 }, { 0, 5 } },
	{ FOURCC('X', 'R', '1', '5'), 2, { 10, 5 }, { 5, 5 }, { 0, 5 } },
};

static const struct screen_format *screen_find_format(uint32_t format)
{
	size_t i;

	for (i = 0; i < sizeof(screen_formats) / sizeof(*screen_formats); i++)
		if (screen_formats[i].format == format)
			return &screen_formats[i];
	return NULL;
}

static int screen_refuse(struct screen_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int screen_refuse(struct screen_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->why, sizeof(error->why), format, args);
	va_end(args);
	return -EINVAL;
}

/* Lines of a size that is allowed, which lie behind @least bytes. */
static int screen_check(const struct screen_picture *picture, const char *what,
			uint32_t bytes, uint32_t side, uint64_t least,
			struct screen_error *error)
{
	if (!picture->width || picture->width > side || !picture->height ||
	    picture->height > side)
		return screen_refuse(error, "%s of %ux%u", what, picture->width,
				     picture->height);
	if (picture->pitch < picture->width * bytes)
		return screen_refuse(error, "%s: %u pixels in %u bytes", what,
				     picture->width, picture->pitch);
	/* As the driver counts, so that an end fits in 32 bits, too. */
	if ((uint64_t)picture->pitch * picture->height > INT32_MAX ||
	    picture->start > INT32_MAX)
		return screen_refuse(error, "%s: too large", what);
	if (picture->start < least)
		return screen_refuse(error, "%s at %u", what, picture->start);
	return 0;
}

static int screen_check_header(const struct vgpu_screen *header, uint32_t head,
			       struct screen_error *error)
{
	if (le32toh(header->magic) != VGPU_SCREEN_MAGIC)
		return screen_refuse(error, "bad magic number");
	if (le32toh(header->version) != VGPU_SCREEN_VERSION)
		return screen_refuse(error, "version %u is not known",
				     le32toh(header->version));
	if (le32toh(header->head) != head)
		return screen_refuse(error, "head %u in place of head %u",
				     le32toh(header->head), head);
	return 0;
}

static int screen_parse_cursor(struct screen *screen,
			       const struct vgpu_screen *header,
			       struct screen_error *error)
{
	struct screen_picture *cursor = &screen->cursor;

	cursor->format = le32toh(header->cursor_format);
	if (!cursor->format)
		return 0;
	if (cursor->format != FORMAT_ARGB8888)
		return screen_refuse(error, "cursor: format 0x%08x is not known",
				     cursor->format);
	cursor->width = le32toh(header->cursor_width);
	cursor->height = le32toh(header->cursor_height);
	cursor->pitch = le32toh(header->cursor_pitch);
	cursor->start = le32toh(header->cursor_start);
	screen->x = (int32_t)le32toh(header->cursor_x);
	screen->y = (int32_t)le32toh(header->cursor_y);
	return screen_check(cursor, "cursor", 4, VGPU_CURSOR_MAX,
			    (uint64_t)screen->picture.start +
			    screen_size(&screen->picture), error);
}

static int screen_parse_header(struct screen *screen,
			       const struct vgpu_screen *header, uint32_t head,
			       struct screen_error *error)
{
	struct screen_picture *picture = &screen->picture;
	const struct screen_format *format;
	int ret = screen_check_header(header, head, error);

	if (ret)
		return ret;
	picture->format = le32toh(header->format);
	if (!picture->format)
		return 0;
	format = screen_find_format(picture->format);
	if (!format)
		return screen_refuse(error, "format 0x%08x is not known",
				     picture->format);
	picture->width = le32toh(header->width);
	picture->height = le32toh(header->height);
	picture->pitch = le32toh(header->pitch);
	picture->start = le32toh(header->start);
	screen->flips = le32toh(header->flips);
	ret = screen_check(picture, "picture", format->bytes, SCREEN_SIDE_MAX,
			   VGPU_SCREEN_HEADER, error);
	return ret ?: screen_parse_cursor(screen, header, error);
}

/**
 * screen_parse() - check a header
 * @screen: what it says; all zero after an error
 * @head: of this head
 * @data: the header, as it was read
 * @len: bytes of @data
 * @error: why it was refused
 *
 * Return: 0; -EINVAL for one that is not as linux/vgpu.h says
 */
int screen_parse(struct screen *screen, uint32_t head, const void *data,
		 size_t len, struct screen_error *error)
{
	struct vgpu_screen header;
	int ret;

	memset(screen, 0, sizeof(*screen));
	if (len < sizeof(header))
		return screen_refuse(error, "truncated");
	memcpy(&header, data, sizeof(header));
	ret = screen_parse_header(screen, &header, head, error);
	if (ret)
		memset(screen, 0, sizeof(*screen));
	return ret;
}

/**
 * screen_size() - how large a picture is
 * @picture: one that was checked, or none
 *
 * Return: bytes
 */
size_t screen_size(const struct screen_picture *picture)
{
	return (size_t)picture->pitch * picture->height;
}

static bool screen_same_picture(const struct screen_picture *a,
				const struct screen_picture *b)
{
	return a->format == b->format && a->width == b->width &&
	       a->height == b->height && a->pitch == b->pitch &&
	       a->start == b->start;
}

/**
 * screen_same() - whether a head went on to show the same picture
 * @a: what it showed before
 * @b: what it showed after
 *
 * A cursor that has only moved is the same.
 *
 * Return: true if so
 */
bool screen_same(const struct screen *a, const struct screen *b)
{
	return screen_same_picture(&a->picture, &b->picture) &&
	       screen_same_picture(&a->cursor, &b->cursor) &&
	       a->flips == b->flips;
}

/* A colour of a pixel with 8 bits, of which all ones stay all ones. */
static uint8_t screen_colour(uint32_t pixel, const struct screen_bits *bits)
{
	uint32_t value = pixel >> bits->shift & ((1U << bits->nr) - 1);

	return bits->nr == 8 ? value : value << (8 - bits->nr) |
				       value >> (2 * bits->nr - 8);
}

/**
 * screen_convert() - make red, green and blue bytes of a picture
 * @picture: one that was checked
 * @pixels: screen_size() bytes
 * @rgb: where to: @width times @height times SCREEN_RGB bytes
 */
void screen_convert(const struct screen_picture *picture, const void *pixels,
		    uint8_t *rgb)
{
	const struct screen_format *format = screen_find_format(picture->format);
	const uint8_t *line = pixels;
	uint32_t x, y;

	for (y = 0; y < picture->height; y++, line += picture->pitch) {
		const uint8_t *at = line;

		for (x = 0; x < picture->width; x++, at += format->bytes) {
			uint32_t pixel = 0;

			memcpy(&pixel, at, format->bytes);
			pixel = le32toh(pixel);
			*rgb++ = screen_colour(pixel, &format->red);
			*rgb++ = screen_colour(pixel, &format->green);
			*rgb++ = screen_colour(pixel, &format->blue);
		}
	}
}

/* DRM's cursors have alpha in their colours already; others are cut off at white. */
static uint8_t screen_blend(uint8_t below, uint8_t above, uint8_t alpha)
{
	uint32_t value = above + (below * (255U - alpha) + 127) / 255;

	return value > 255 ? 255 : value;
}

/**
 * screen_draw_cursor() - draw the cursor on a picture that was converted
 * @screen: what the head shows, checked; perhaps no cursor
 * @pixels: those of the cursor, screen_size() bytes
 * @rgb: the picture
 */
void screen_draw_cursor(const struct screen *screen, const void *pixels,
			uint8_t *rgb)
{
	const struct screen_picture *picture = &screen->picture;
	const struct screen_picture *cursor = &screen->cursor;
	uint32_t x, y;

	for (y = 0; y < cursor->height; y++) {
		const uint8_t *at = (const uint8_t *)pixels +
				    (size_t)y * cursor->pitch;
		int64_t to_y = (int64_t)screen->y + y;

		if (to_y < 0 || to_y >= picture->height)
			continue;
		for (x = 0; x < cursor->width; x++, at += 4) {
			int64_t to_x = (int64_t)screen->x + x;
			uint8_t *to;

			if (to_x < 0 || to_x >= picture->width)
				continue;
			/* In memory it is blue, green, red, alpha. */
			to = rgb + (to_y * picture->width + to_x) * SCREEN_RGB;
			to[0] = screen_blend(to[0], at[2], at[3]);
			to[1] = screen_blend(to[1], at[1], at[3]);
			to[2] = screen_blend(to[2], at[0], at[3]);
		}
	}
}
