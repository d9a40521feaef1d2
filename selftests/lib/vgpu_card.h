/* SPDX-License-Identifier: GPL-2.0 */
/* Cards of DRM drivers, which import dma-bufs. */
#ifndef VGPU_CARD_H
#define VGPU_CARD_H

#include <drm/drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The card of a DRM driver, by the driver's name. */
static inline int vt_open_card(const char *driver)
{
	char path[64], name[32];
	int i, fd;

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
		    !strcmp(name, driver))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

#endif /* VGPU_CARD_H */
