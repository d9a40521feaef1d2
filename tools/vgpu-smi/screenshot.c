// SPDX-License-Identifier: GPL-2.0
/* The verb screenshot: what a head of a vGPU shows, as a PNG. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>

#include "screen.h"
#include "vgpu-smi.h"

/* How often a picture is read that a guest changes meanwhile. */
#define SHOT_TRIES	5

/**
 * struct shot - a head that somebody looks at
 * @path: the file of its vGPU
 * @uuid: the vGPU
 * @head: number of the head
 * @fd: @path, open
 */
struct shot {
	char *path;
	const char *uuid;
	uint32_t head;
	int fd;
};

/* Read up to @len bytes of the head's part of the file: how many, or -errno. */
static ssize_t shot_read(const struct shot *shot, uint64_t pos, void *buf,
			 size_t len)
{
	size_t done = 0;
	ssize_t ret;

	/* sysfs gives no more than a page at a time. */
	while (done < len) {
		ret = pread(shot->fd, (char *)buf + done, len - done,
			    VGPU_SCREEN_HEAD(shot->head) + pos + done);
		if (!ret)
			break;
		if (ret > 0)
			done += ret;
		else if (errno != EINTR)
			return -errno;
	}
	return done;
}

static int shot_fails(const struct shot *shot, int ret)
{
	/* It goes while it is looked at. */
	if (ret == -ENODEV)
		smi_error("%s: no such vGPU", shot->uuid);
	else
		smi_error("%s: %s", shot->path, strerror(-ret));
	return ret;
}

static int shot_header(const struct shot *shot, struct screen *screen)
{
	uint8_t data[sizeof(struct vgpu_screen)];
	struct screen_error error;
	ssize_t len = shot_read(shot, 0, data, sizeof(data));

	if (len == -EINVAL || !len) {
		smi_error("%s: has no head %u", shot->uuid, shot->head);
		return -EINVAL;
	}
	if (len < 0)
		return shot_fails(shot, len);
	if (screen_parse(screen, shot->head, data, len, &error)) {
		smi_error("%s: head %u: %s", shot->path, shot->head, error.why);
		return -EINVAL;
	}
	return 0;
}

/*
 * All bytes of a picture, for free(); none when there is none.  Returns 0; -EAGAIN when
 * the file ended before, because the guest shows another one; -errno, and the error has
 * been printed.
 */
static int shot_pixels(const struct shot *shot,
		       const struct screen_picture *picture, void **pixels)
{
	size_t size = screen_size(picture);
	ssize_t len;

	*pixels = malloc(size ?: 1);
	if (!*pixels)
		smi_no_memory();
	len = shot_read(shot, picture->start, *pixels, size);
	if (len >= 0 && (size_t)len == size)
		return 0;
	free(*pixels);
	*pixels = NULL;
	return len < 0 ? shot_fails(shot, len) : -EAGAIN;
}

/* One try; as shot_pixels(), and -EAGAIN with @rgb when it may be two pictures in one. */
static int shot_try(const struct shot *shot, const struct screen *screen,
		    bool cursor, uint8_t **rgb)
{
	const struct screen_picture *picture = &screen->picture;
	void *pixels = NULL, *above = NULL;
	struct screen after;
	int ret;

	*rgb = NULL;
	ret = shot_pixels(shot, picture, &pixels);
	if (!ret && cursor)
		ret = shot_pixels(shot, &screen->cursor, &above);
	if (!ret)
		ret = shot_header(shot, &after);
	if (!ret) {
		*rgb = malloc((size_t)picture->width * picture->height *
			      SCREEN_RGB);
		if (!*rgb)
			smi_no_memory();
		screen_convert(picture, pixels, *rgb);
		if (cursor)
			screen_draw_cursor(screen, above, *rgb);
		if (!screen_same(screen, &after))
			ret = -EAGAIN;
	}
	free(above);
	free(pixels);
	return ret;
}

/* What the head shows now.  Returns an exit status; an error has been printed. */
static int shot_take(const struct shot *shot, bool cursor,
		     struct screen *screen, uint8_t **rgb)
{
	int ret = -EAGAIN, n;

	*rgb = NULL;
	for (n = 0; n < SHOT_TRIES && ret == -EAGAIN; n++) {
		free(*rgb);
		*rgb = NULL;
		ret = shot_header(shot, screen);
		if (ret)
			break;
		if (!screen->picture.format) {
			smi_error("%s: head %u shows nothing", shot->uuid,
				  shot->head);
			return SMI_EXIT_DARK;
		}
		ret = shot_try(shot, screen, cursor, rgb);
	}
	if (ret == -EAGAIN && *rgb) {
		smi_error("%s: head %u: the picture changed each time that it was read, and may be parts of several",
			  shot->uuid, shot->head);
		ret = 0;
	} else if (ret == -EAGAIN) {
		smi_error("%s: head %u: the mode changed each time that the picture was read",
			  shot->uuid, shot->head);
	}
	return ret ? SMI_EXIT_ERROR : 0;
}

/* A PNG of a picture, for free(); NULL after an error, which has been printed. */
static void *shot_png(const struct screen_picture *picture, const uint8_t *rgb,
		      size_t *len)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = picture->width,
		.height = picture->height,
		.format = PNG_FORMAT_RGB,
	};
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	void *png = malloc(size);

	if (!png)
		smi_no_memory();
	if (!png_image_write_to_memory(&image, png, &size, 0, rgb, 0, NULL)) {
		smi_error("PNG: %s", image.message);
		free(png);
		return NULL;
	}
	*len = size;
	return png;
}

/* A file is replaced; what else has a name must not be, least of all a device. */
static int shot_check_target(const char *path)
{
	struct stat st;

	if (stat(path, &st) || S_ISREG(st.st_mode))
		return 0;
	smi_error("%s: %s", path, S_ISDIR(st.st_mode) ? strerror(EISDIR) :
		  "not a regular file");
	return -EINVAL;
}

/* Behind links, so that a link stays and what it leads to is replaced. */
static int shot_save(const char *path, const void *png, size_t len)
{
	char *real = realpath(path, NULL);
	char *for_dir, *for_name;
	int ret;

	if (!real)
		real = smi_format("%s", path);
	for_dir = smi_format("%s", real);
	for_name = smi_format("%s", real);
	ret = smi_save(dirname(for_dir), basename(for_name), png, len);
	free(for_name);
	free(for_dir);
	free(real);
	return ret;
}

static int shot_write(const char *path, const struct screen *screen,
		      const uint8_t *rgb)
{
	size_t len;
	void *png = shot_png(&screen->picture, rgb, &len);
	int ret = 0;

	if (!png)
		return SMI_EXIT_ERROR;
	/* Whether it could be written main() finds out. */
	if (!strcmp(path, "-"))
		fwrite(png, 1, len, stdout);
	else
		ret = shot_save(path, png, len);
	free(png);
	return ret ? SMI_EXIT_ERROR : 0;
}

static int shot_open(struct shot *shot, const char *dir)
{
	shot->fd = open(shot->path, O_RDONLY | O_CLOEXEC);
	if (shot->fd >= 0)
		return 0;
	if (errno == ENOENT && access(dir, F_OK))
		smi_error("%s: no such vGPU", shot->uuid);
	else
		smi_error("%s: %s", shot->path, strerror(errno));
	return -EINVAL;
}

static int shot_run(struct shot *shot, const struct smi_options *options)
{
	struct screen screen;
	uint8_t *rgb;
	int status;

	status = shot_take(shot, options->cursor, &screen, &rgb);
	if (!status)
		status = shot_write(options->picture, &screen, rgb);
	free(rgb);
	return status;
}

/**
 * smi_screenshot() - the verb screenshot
 * @options: the command line
 *
 * Return: exit status
 */
int smi_screenshot(const struct smi_options *options)
{
	char *uuid = smi_format("%s", options->uuid), *dir, *at;
	struct shot shot = { .uuid = uuid, .head = options->head };
	int status = SMI_EXIT_ERROR;

	for (at = uuid; *at; at++)
		*at = tolower((unsigned char)*at);
	dir = smi_format("%s/bus/mdev/devices/%s", options->sysfs, uuid);
	shot.path = smi_format("%s/vgpu/screen", dir);
	if (!strcmp(options->picture, "-") && isatty(STDOUT_FILENO)) {
		smi_error("standard output is a terminal");
	} else if (!shot_check_target(options->picture) &&
		   !shot_open(&shot, dir)) {
		status = shot_run(&shot, options);
		close(shot.fd);
	}
	free(shot.path);
	free(dir);
	free(uuid);
	return status;
}
