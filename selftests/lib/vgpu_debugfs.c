// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

int vt_debugfs(void)
{
	if (vt_exists(VT_DEBUGFS "/vgpu"))
		return 0;
	return mount("debugfs", VT_DEBUGFS, "debugfs", 0, NULL) ? -errno : 0;
}

int vt_inject(const struct vt_gpu *gpu, const char *kind, const char *uuid,
	      unsigned long offset)
{
	char text[80];

	snprintf(text, sizeof(text), "%s %s%s%lu", kind, uuid ?: "",
		 uuid ? " " : "", offset);
	return vt_write(text, VT_DEBUGFS "/vgpu/%s/inject",
			strrchr(gpu->dir, '/') + 1);
}

int vt_bad_pages(const struct vt_gpu *gpu, const char *what)
{
	static char text[1 << 20];
	int n = 0;
	char *p;

	if (vt_read(text, sizeof(text), VT_DEBUGFS "/vgpu/%s/bad",
		    strrchr(gpu->dir, '/') + 1))
		return -1;
	for (p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

int vt_move(const struct vt_gpu *gpu, const char *uuid, unsigned long page)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %lu", uuid, page);
	return vt_write(text, VT_DEBUGFS "/vgpu/%s/move",
			strrchr(gpu->dir, '/') + 1);
}

long long vt_pfn(const struct vt_gpu *gpu, const char *uuid,
		 unsigned long offset)
{
	char path[VT_PATH], text[80] = "";
	long long ret;
	int fd;

	snprintf(path, sizeof(path), VT_DEBUGFS "/vgpu/%.64s/pfn",
		 strrchr(gpu->dir, '/') + 1);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%s %lu", uuid, offset);
	ret = write(fd, text, strlen(text)) < 0 ||
	      read(fd, text, sizeof(text) - 1) < 0 ? -errno : atoll(text);
	close(fd);
	return ret;
}
