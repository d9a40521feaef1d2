// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/vgpu_test.h"

#define CONFIGFS	"/sys/kernel/config/vgpu-soft"
#define PARAMETERS	"/sys/module/%s/parameters"
#define VGPU_DRIVER	"/sys/bus/pci/drivers/vgpu"
#define PCI		"/sys/bus/pci/devices"

void vt_path(char path[VT_PATH], const char *name)
{
	char program[VT_PATH / 2] = "";

	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		abort();
	snprintf(path, VT_PATH, "%s/%.255s", dirname(dirname(program)), name);
}

int vt_insmod(const char *name)
{
	char path[VT_PATH], command[VT_PATH + 64];

	vt_path(path, "modules");
	snprintf(command, sizeof(command), "insmod '%s/%s.ko'",
		 getenv("VGPU_TEST_MODULES") ?: path, name);
	return system(command) ? -ENOENT : 0;
}

const char *vt_pgpu(void)
{
	return getenv("VGPU_PGPU");
}

unsigned long long vt_pgpu_mib(void)
{
	unsigned long long start, end, flags, size = 0;
	char path[VT_PATH];
	FILE *file;

	if (!vt_pgpu())
		return 4096;
	snprintf(path, sizeof(path), PCI "/%s/resource", vt_pgpu());
	file = fopen(path, "r");
	while (file && fscanf(file, "%llx %llx %llx", &start, &end,
			      &flags) == 3)
		if (end - start + 1 > size && end > start)
			size = end - start + 1;
	if (file)
		fclose(file);
	return size / VT_MIB;
}

static unsigned long long vt_size(const char *text)
{
	char *unit;
	unsigned long long size = strtoull(text, &unit, 0);

	switch (*unit) {
	case 'G':
		return size * 1024 * VT_MIB;
	case 'M':
		return size * VT_MIB;
	default:
		return size;
	}
}

/* The module that has the GPU, if that is a PCI device. */
static const char *vt_backend(void)
{
	return getenv("VGPU_BACKEND") ?: "vgpu_linear";
}

/* With at most that much VRAM, or all for 0: parameters of its module. */
static int vt_gpu_bind(const char *address, unsigned long long mib,
		       const char *types)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%llu", mib);
	vt_write(address, VGPU_DRIVER "/unbind");
	ret = vt_write(text, PARAMETERS "/vram_mib", vt_backend());
	if (!ret)
		ret = vt_write(types ?: "\n", PARAMETERS "/types",
			       vt_backend());
	return ret ?: vt_write(address, VGPU_DRIVER "/bind");
}

int vt_gpu_add(struct vt_gpu *gpu, const char *vram_size, const char *types)
{
	static unsigned int nr;
	char path[VT_PATH], address[64];
	int ret;

	if (vt_pgpu() ? !vt_exists(PARAMETERS, vt_backend()) :
			!vt_exists(CONFIGFS)) {
		fprintf(stderr, "# SKIP: %s is not loaded\n",
			vt_pgpu() ? vt_backend() : "vgpu_soft");
		_exit(KSFT_SKIP);
	}
	if (vt_pgpu()) {
		gpu->name[0] = '\0';
		snprintf(gpu->dir, sizeof(gpu->dir), PCI "/%s", vt_pgpu());
		return vt_gpu_bind(vt_pgpu(), vt_size(vram_size) / VT_MIB,
				   types);
	}
	snprintf(gpu->name, sizeof(gpu->name), "test-%d-%u", getpid(),
		 nr++);
	snprintf(path, sizeof(path), CONFIGFS "/%s", gpu->name);
	if (mkdir(path, 0755))
		return -errno;
	ret = vt_write(vram_size, "%s/vram_size", path);
	if (!ret && types)
		ret = vt_write(types, "%s/types", path);
	if (!ret)
		ret = vt_write("1", "%s/power", path);
	if (!ret)
		ret = vt_read(address, sizeof(address), "%s/pci_address", path);
	if (ret) {
		rmdir(path);
		return ret;
	}
	address[strcspn(address, "\n")] = '\0';
	snprintf(gpu->dir, sizeof(gpu->dir), PCI "/%s", address);
	return 0;
}

void vt_gpu_del(struct vt_gpu *gpu)
{
	char path[VT_PATH];

	if (!gpu->name[0]) {
		vt_gpu_bind(vt_pgpu(), 0, NULL);
		return;
	}
	snprintf(path, sizeof(path), CONFIGFS "/%s", gpu->name);
	if (rmdir(path))
		fprintf(stderr, "# rmdir %s: %m\n", path);
}
