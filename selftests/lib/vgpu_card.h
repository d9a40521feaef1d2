/* SPDX-License-Identifier: GPL-2.0 */
/* vgem, which imports dma-bufs: attaches and maps as a GPU's driver does. */
#ifndef VGPU_CARD_H
#define VGPU_CARD_H

#include <drm/drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

/* Its card; -ENOENT, and why, where it cannot be; -ENODEV without a node. */
static inline int vt_open_vgem(const char **why)
{
	char path[64], name[32];
	int i, fd;

	*why = vt_pgpu() ? "vgem cannot have a device's memory" :
	       system("modprobe -q vgem") ? "no vgem" : NULL;
	if (*why)
		return -ENOENT;
	/* The node is there at once; udev may be thousands of events behind. */
	for (i = 0; i < 64; i++) {
		struct drm_version version = {
			.name = name, .name_len = sizeof(name) - 1,
		};

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!ioctl(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

/* Import a dma-buf: a handle, or a negative errno. */
static inline int vt_vgem_import(int card, int fd)
{
	struct drm_prime_handle prime = {
		.flags = DRM_CLOEXEC | DRM_RDWR, .fd = fd,
	};

	return ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) ? -errno :
	       (int)prime.handle;
}

#endif /* VGPU_CARD_H */
