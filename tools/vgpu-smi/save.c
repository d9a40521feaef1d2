// SPDX-License-Identifier: GPL-2.0
/*
 * A file that is replaced as a whole: whoever reads it, also after a crash,
 * finds what was there before or what is there now.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vgpu-smi.h"

static int smi_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		ret = -errno;
	close(fd);
	return ret;
}

/* A directory and those above it, of which a crash shall leave none out. */
static int smi_make_dir(const char *path)
{
	char *copy = smi_format("%s", path);
	char *slash;
	int ret = 0;

	for (slash = strchr(copy + 1, '/'); !ret; slash = strchr(slash + 1,
								 '/')) {
		if (slash)
			*slash = 0;
		if (!mkdir(copy, 0755)) {
			char *parent = smi_format("%s/..", copy);

			ret = smi_sync_dir(parent);
			free(parent);
		} else if (errno != EEXIST) {
			ret = -errno;
		}
		if (!slash)
			break;
		*slash = '/';
	}
	free(copy);
	return ret;
}

static int smi_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t ret = write(fd, data, len);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0)
			return -errno;
		if (!ret)
			return -EIO;
		data += ret;
		len -= ret;
	}
	return 0;
}

/* On the disk, before it gets the name under which it will be read. */
static int smi_fill(int fd, const void *data, size_t len)
{
	int ret = smi_write_all(fd, data, len);

	if (!ret && fchmod(fd, 0600))
		ret = -errno;
	if (!ret && fsync(fd))
		ret = -errno;
	/* Some file systems tell only now that there was no room. */
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

/**
 * smi_save_lock() - be the only one who saves to a directory
 * @dir: which; it is made when it is missing
 *
 * What is read from then on is not older than what others have saved.  The lock is
 * a file because NFS locks no directories.
 *
 * Return: what to close() afterwards, or -errno; the error has been printed
 */
int smi_save_lock(const char *dir)
{
	int fd = -1, ret = smi_make_dir(dir);
	char *path;

	if (ret) {
		smi_error("%s: %s", dir, strerror(-ret));
		return ret;
	}
	path = smi_format("%s/.vgpu-smi.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	do {
		ret = fd < 0 || flock(fd, LOCK_EX) ? -errno : 0;
	} while (ret == -EINTR);
	if (ret) {
		smi_error("%s: %s", path, strerror(-ret));
		if (fd >= 0)
			close(fd);
	}
	free(path);
	return ret ?: fd;
}

/**
 * smi_save() - write a file, or leave what was there
 * @dir: where; see smi_save_lock()
 * @name: of the file, which gets mode 0600
 * @data: what is to be in it
 * @len: bytes of @data
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_save(const char *dir, const char *name, const void *data, size_t len)
{
	char *path, *temporary;
	int fd, ret;

	path = smi_format("%s/%s", dir, name);
	temporary = smi_format("%s/.%s.XXXXXX", dir, name);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		smi_error("%s: %s", temporary, strerror(-ret));
		goto out;
	}
	ret = smi_fill(fd, data, len);
	if (ret) {
		smi_error("%s: %s", temporary, strerror(-ret));
		unlink(temporary);
		goto out;
	}
	if (rename(temporary, path)) {
		ret = -errno;
		smi_error("%s: %s", path, strerror(-ret));
		unlink(temporary);
		goto out;
	}
	ret = smi_sync_dir(dir);
	if (ret)
		smi_error("%s: %s", dir, strerror(-ret));
out:
	free(temporary);
	free(path);
	return ret;
}
