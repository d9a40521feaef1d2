// SPDX-License-Identifier: GPL-2.0
/* Files and directories of sysfs: one value in a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vgpu-smi.h"

/* No attribute that is text is longer: it is one page. */
#define SMI_TEXT_MAX	4096

/* What the errors that are our own mean; for others see errno(3). */
static const char *smi_reason(int error)
{
	switch (error) {
	case -EFBIG:
		return "too long";
	case -EBADMSG:
		return "not a line of text";
	default:
		return strerror(-error);
	}
}

/* Read to the end, and one byte more than @max() says to see that it is one. */
static int smi_read_fd(int fd, smi_max_fn *max, char **data, size_t *len)
{
	size_t size = 0, used = 0, most;
	char *buf = NULL;
	ssize_t ret;

	for (;;) {
		most = max(buf, used);
		if (used > most) {
			ret = -EFBIG;
			break;
		}
		if (used == size) {
			size = size ? size * 2 : SMI_TEXT_MAX;
			if (size > most)
				size = most + 1;
			buf = realloc(buf, size);
			if (!buf)
				smi_no_memory();
		}
		ret = read(fd, buf + used, size - used);
		if (!ret)
			break;
		if (ret > 0)
			used += ret;
		else if (errno != EINTR) {
			ret = -errno;
			break;
		}
	}
	if (ret) {
		free(buf);
		return ret;
	}
	*data = buf;
	*len = used;
	return 0;
}

/**
 * smi_text_max() - how long an attribute that is text may be
 * @start: what has been read of it
 * @used: bytes of @start
 *
 * Return: bytes
 */
size_t smi_text_max(const void *start, size_t used)
{
	(void)start;
	(void)used;
	return SMI_TEXT_MAX;
}

/**
 * smi_try_file() - read a whole file, say nothing of errors
 * @path: of the file
 * @max: says how long it may be, less than SIZE_MAX / 2, of what has been read of it
 * @data: what is in it, for free()
 * @len: bytes of @data
 *
 * Return: 0 or -errno
 */
int smi_try_file(const char *path, smi_max_fn *max, char **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = smi_read_fd(fd, max, data, len);
	close(fd);
	return ret;
}

/**
 * smi_read_file() - read a whole file
 * @path: of the file
 * @max: as for smi_try_file()
 * @data: what is in it, for free()
 * @len: bytes of @data
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_read_file(const char *path, smi_max_fn *max, char **data, size_t *len)
{
	int ret = smi_try_file(path, max, data, len);

	if (ret)
		smi_error("%s: %s", path, smi_reason(ret));
	return ret;
}

/**
 * smi_try_text() - read a line, say nothing of errors
 * @path: of the file
 * @text: the line without its newline, for free()
 *
 * Return: 0 or -errno
 */
int smi_try_text(const char *path, char **text)
{
	char *line = NULL;
	size_t len;
	int ret;

	ret = smi_try_file(path, smi_text_max, &line, &len);
	if (ret)
		return ret;
	if (len && line[len - 1] == '\n')
		len--;
	if (memchr(line, '\n', len) || memchr(line, 0, len)) {
		free(line);
		return -EBADMSG;
	}
	line = realloc(line, len + 1);
	if (!line)
		smi_no_memory();
	line[len] = 0;
	*text = line;
	return 0;
}

/**
 * smi_read_text() - read a line
 * @path: of the file
 * @text: the line without its newline, for free()
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_read_text(const char *path, char **text)
{
	int ret = smi_try_text(path, text);

	if (ret)
		smi_error("%s: %s", path, smi_reason(ret));
	return ret;
}

/**
 * smi_parse_u64() - read digits
 * @text: where they are; where they end, then
 * @value: the number; unchanged if there is none, or one of more than 64 bits
 *
 * Return: was there one?
 */
bool smi_parse_u64(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t number = 0;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *at - '0', &number))
			return false;
	*text = at;
	*value = number;
	return true;
}

/**
 * smi_read_u64() - read a number
 * @path: of a file with nothing else in it
 * @value: the number
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_read_u64(const char *path, uint64_t *value)
{
	const char *at;
	char *text;
	int ret = smi_read_text(path, &text);

	if (ret)
		return ret;
	at = text;
	if (!smi_parse_u64(&at, value) || *at) {
		smi_error("%s: \"%s\" is not a number", path, text);
		ret = -EINVAL;
	}
	free(text);
	return ret;
}

/**
 * smi_read_bool() - read 0 or 1
 * @path: of a file with nothing else in it
 * @value: what is read
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_read_bool(const char *path, bool *value)
{
	uint64_t number;
	int ret = smi_read_u64(path, &number);

	if (ret)
		return ret;
	if (number > 1) {
		smi_error("%s: %llu is neither 0 nor 1", path,
			  (unsigned long long)number);
		return -EINVAL;
	}
	*value = number;
	return 0;
}

/**
 * smi_write_text() - write an attribute
 * @path: of the file; it is not made when it is not there
 * @text: all of it is one write
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_write_text(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t ret;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
	} else {
		ret = write(fd, text, len);
		if (ret < 0)
			ret = -errno;
		else
			ret = (size_t)ret == len ? 0 : -EIO;
		close(fd);
	}
	if (ret)
		smi_error("%s: %s", path, smi_reason(ret));
	return ret;
}

/**
 * smi_scan() - names in a directory
 * @path: of the directory
 * @filter: which of them
 * @entries: in the order of their numbers, for smi_scan_free()
 *
 * Return: how many, or -errno, of which nothing has been printed
 */
int smi_scan(const char *path, int (*filter)(const struct dirent *entry),
	     struct dirent ***entries)
{
	int nr = scandir(path, entries, filter, versionsort);

	return nr < 0 ? -errno : nr;
}

/**
 * smi_scan_free() - opposite of smi_scan()
 * @entries: what it found
 * @nr: how many
 */
void smi_scan_free(struct dirent **entries, int nr)
{
	while (nr)
		free(entries[--nr]);
	free(entries);
}
