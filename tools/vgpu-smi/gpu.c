// SPDX-License-Identifier: GPL-2.0
/* pGPUs, their types and vGPUs, as sysfs has them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "vgpu-smi.h"

#define SMI_HEX_DIGITS	"0123456789abcdefABCDEF"

/* Does @text look like @pattern, in which x is a hexadecimal digit? */
static bool smi_matches(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++) {
		bool same = *text == *pattern;

		if (*pattern == 'x')
			same = *text && strchr(SMI_HEX_DIGITS, *text);
		if (!same)
			return false;
	}
	return !*text;
}

/**
 * smi_is_address() - does this look like the address of a PCI device?
 * @text: any
 *
 * Return: true for domain:bus:device.function; domains can have more than four
 * digits
 */
bool smi_is_address(const char *text)
{
	size_t domain = strcspn(text, ":");

	if (domain < 4 || domain > 8 ||
	    strspn(text, SMI_HEX_DIGITS) != domain)
		return false;
	return smi_matches(text + domain, ":xx:xx.x");
}

static int smi_filter_address(const struct dirent *entry)
{
	return smi_is_address(entry->d_name);
}

/**
 * smi_is_uuid() - does this look like a UUID?
 * @text: any
 */
bool smi_is_uuid(const char *text)
{
	return smi_matches(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

static int smi_filter_uuid(const struct dirent *entry)
{
	return smi_is_uuid(entry->d_name);
}

static int smi_filter_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * Where a link leads.  Returns NULL with *@gone true if nowhere: what it stood
 * for has gone since its directory was read.
 */
static char *smi_follow(const char *path, bool *gone)
{
	char *target = realpath(path, NULL);

	*gone = !target && (errno == ENOENT || errno == ENODEV);
	if (!target && !*gone)
		smi_error("%s: %s", path, strerror(errno));
	return target;
}

static int smi_gpu_read_numa_node(struct smi_gpu *gpu)
{
	char *path = smi_format("%s/numa_node", gpu->path);
	uint64_t node = 0;
	const char *at;
	char *text;
	int ret;

	gpu->numa_node = -1;
	/* A kernel without NUMA has no such file. */
	if (access(path, F_OK)) {
		free(path);
		return 0;
	}
	ret = smi_read_text(path, &text);
	if (!ret) {
		at = text;
		if (!strcmp(text, "-1")) {
			;
		} else if (smi_parse_u64(&at, &node) && !*at &&
			   node <= INT32_MAX) {
			gpu->numa_node = node;
		} else {
			smi_error("%s: \"%s\" is not a node", path, text);
			ret = -EINVAL;
		}
		free(text);
	}
	free(path);
	return ret;
}

static int smi_gpus_add(struct smi_gpus *gpus, const char *dir,
			const char *address)
{
	char *link = smi_format("%s/%s", dir, address);
	struct smi_gpu *gpu;
	bool gone;
	char *path;

	path = smi_follow(link, &gone);
	free(link);
	if (!path)
		return gone ? 0 : -EIO;
	gpus->gpus = smi_grow(gpus->gpus, gpus->nr, sizeof(*gpu));
	gpu = &gpus->gpus[gpus->nr++];
	gpu->address = smi_format("%s", address);
	gpu->path = path;
	return 0;
}

/**
 * smi_gpus_find() - find the pGPUs that the command is about
 * @options: the command
 * @gpus: those that can be read, for smi_gpus_free() also on error
 *
 * Return: 0, or -errno if one is missing; the error has been printed
 */
int smi_gpus_find(const struct smi_options *options, struct smi_gpus *gpus)
{
	char *dir = smi_format("%s/bus/pci/drivers/vgpu", options->sysfs);
	struct dirent **entries;
	int nr, i, ret = 0;

	memset(gpus, 0, sizeof(*gpus));
	nr = smi_scan(dir, smi_filter_address, &entries);
	if (nr < 0) {
		smi_error("%s: %s%s", dir, strerror(-nr),
			  nr == -ENOENT ? " (is the driver loaded?)" : "");
		free(dir);
		return nr;
	}
	for (i = 0; i < nr; i++) {
		if (options->gpu &&
		    strcasecmp(options->gpu, entries[i]->d_name))
			continue;
		if (smi_gpus_add(gpus, dir, entries[i]->d_name))
			ret = -EIO;
	}
	if (!ret && options->gpu && !gpus->nr) {
		smi_error("%s/%s: not a GPU of the driver", dir, options->gpu);
		ret = -ENODEV;
	}
	smi_scan_free(entries, nr);
	free(dir);
	return ret;
}

/**
 * smi_gpus_free() - opposite of smi_gpus_find()
 * @gpus: what it found
 */
void smi_gpus_free(struct smi_gpus *gpus)
{
	size_t i, j;

	for (i = 0; i < gpus->nr; i++) {
		struct smi_gpu *gpu = &gpus->gpus[i];

		for (j = 0; j < gpu->nr_types; j++) {
			free(gpu->types[j].id);
			free(gpu->types[j].name);
			free(gpu->types[j].api);
		}
		for (j = 0; j < gpu->nr_vgpus; j++)
			free(gpu->vgpus[j].uuid);
		free(gpu->types);
		free(gpu->vgpus);
		free(gpu->model);
		free(gpu->address);
		free(gpu->path);
	}
	free(gpus->gpus);
	memset(gpus, 0, sizeof(*gpus));
}

/* The words of a description with the numbers between them. */
static bool smi_parse_description(struct smi_type *type, const char *text)
{
	const struct {
		const char *before;
		uint64_t *value;
	} parts[] = {
		{ "num_heads=", &type->heads },
		{ ", frl_config=", &type->frame_rate_limit },
		{ ", framebuffer=", &type->framebuffer },
		{ "M, max_resolution=", &type->width },
		{ "x", &type->height },
		{ ", max_instance=", &type->max },
	};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		size_t len = strlen(parts[i].before);

		if (strncmp(text, parts[i].before, len))
			return false;
		text += len;
		if (!smi_parse_u64(&text, parts[i].value))
			return false;
	}
	return !*text;
}

static int smi_type_read_text(const char *dir, const char *file, char **text)
{
	char *path = smi_format("%s/%s", dir, file);
	int ret = smi_read_text(path, text);

	free(path);
	return ret;
}

static int smi_type_read(struct smi_type *type, const char *dir)
{
	char *description, *path;
	int ret;

	ret = smi_type_read_text(dir, "name", &type->name);
	if (ret)
		return ret;
	ret = smi_type_read_text(dir, "device_api", &type->api);
	if (ret)
		return ret;
	ret = smi_type_read_text(dir, "description", &description);
	if (ret)
		return ret;
	if (!smi_parse_description(type, description)) {
		smi_error("%s/description: \"%s\" is not understood", dir,
			  description);
		ret = -EINVAL;
	}
	free(description);
	if (ret)
		return ret;
	path = smi_format("%s/available_instances", dir);
	ret = smi_read_u64(path, &type->available);
	free(path);
	return ret;
}

/**
 * smi_gpu_read_types() - read types, model and NUMA node of a pGPU
 * @gpu: the pGPU
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_gpu_read_types(struct smi_gpu *gpu)
{
	char *dir = smi_format("%s/mdev_supported_types", gpu->path);
	struct dirent **entries;
	int nr, i, ret;

	ret = smi_gpu_read_numa_node(gpu);
	if (ret)
		goto out;
	nr = smi_scan(dir, smi_filter_visible, &entries);
	if (nr < 0) {
		smi_error("%s: %s", dir, strerror(-nr));
		ret = nr;
		goto out;
	}
	for (i = 0; i < nr && !ret; i++) {
		char *path = smi_format("%s/%s", dir, entries[i]->d_name);
		struct smi_type *type;

		gpu->types = smi_grow(gpu->types, gpu->nr_types,
				      sizeof(*gpu->types));
		type = &gpu->types[gpu->nr_types++];
		type->id = smi_format("%s", entries[i]->d_name);
		ret = smi_type_read(type, path);
		free(path);
	}
	smi_scan_free(entries, nr);
	if (!ret && gpu->nr_types) {
		const char *name = gpu->types[0].name;
		const char *dash = strrchr(name, '-');

		gpu->model = smi_format("%.*s", dash ? (int)(dash - name) :
					(int)strlen(name), name);
	}
out:
	free(dir);
	return ret;
}

static const struct smi_type *smi_gpu_type(const struct smi_gpu *gpu,
					   const char *id)
{
	size_t i;

	for (i = 0; i < gpu->nr_types; i++)
		if (!strcmp(gpu->types[i].id, id))
			return &gpu->types[i];
	return NULL;
}

/* Is @path a file or directory in that of the pGPU? */
static bool smi_gpu_owns(const struct smi_gpu *gpu, const char *path)
{
	size_t len = strlen(gpu->path);

	return !strncmp(path, gpu->path, len) && path[len] == '/' &&
	       !strchr(path + len + 1, '/');
}

/*
 * Returns 1 with *@vgpu filled, 0 if there is none (any more, or one that is
 * still being made and has no files yet), or -errno.
 */
static int smi_vgpu_read(struct smi_vgpu *vgpu, const struct smi_gpu *gpu,
			 const char *path)
{
	char *link, *target, *busy, *text;
	bool gone;
	int ret;

	link = smi_format("%s/mdev_type", path);
	target = smi_follow(link, &gone);
	if (!target) {
		free(link);
		return gone ? 0 : -EIO;
	}
	vgpu->type = smi_gpu_type(gpu, strrchr(target, '/') + 1);
	if (!vgpu->type)
		smi_error("%s: %s is not a type of the GPU", link, target);
	free(target);
	free(link);
	if (!vgpu->type)
		return -EINVAL;

	busy = smi_format("%s/vgpu/busy", path);
	ret = smi_try_text(busy, &text);
	if (ret == -ENOENT || ret == -ENODEV) {
		ret = 0;
	} else if (ret) {
		smi_error("%s: %s", busy, strerror(-ret));
	} else {
		if (!strcmp(text, "0") || !strcmp(text, "1")) {
			vgpu->busy = *text == '1';
			ret = 1;
		} else {
			smi_error("%s: \"%s\" is neither 0 nor 1", busy, text);
			ret = -EINVAL;
		}
		free(text);
	}
	free(busy);
	return ret;
}

static int smi_gpu_try_vgpu(struct smi_gpu *gpu, const char *dir,
			    const char *uuid)
{
	char *link = smi_format("%s/%s", dir, uuid);
	struct smi_vgpu vgpu = { 0 };
	int ret = 0;
	bool gone;
	char *path;

	path = smi_follow(link, &gone);
	free(link);
	if (!path)
		return gone ? 0 : -EIO;
	if (smi_gpu_owns(gpu, path))
		ret = smi_vgpu_read(&vgpu, gpu, path);
	free(path);
	if (ret <= 0)
		return ret;
	vgpu.uuid = smi_format("%s", uuid);
	gpu->vgpus = smi_grow(gpu->vgpus, gpu->nr_vgpus, sizeof(vgpu));
	gpu->vgpus[gpu->nr_vgpus++] = vgpu;
	return 0;
}

/**
 * smi_gpu_read_vgpus() - read the vGPUs of a pGPU
 * @options: the command
 * @gpu: the pGPU, whose types must have been read
 *
 * Return: 0 or -errno; the error has been printed
 */
int smi_gpu_read_vgpus(const struct smi_options *options, struct smi_gpu *gpu)
{
	char *dir = smi_format("%s/bus/mdev/devices", options->sysfs);
	struct dirent **entries;
	int nr, i, ret = 0;

	nr = smi_scan(dir, smi_filter_uuid, &entries);
	if (nr < 0) {
		smi_error("%s: %s", dir, strerror(-nr));
		free(dir);
		return nr;
	}
	for (i = 0; i < nr && !ret; i++)
		ret = smi_gpu_try_vgpu(gpu, dir, entries[i]->d_name);
	smi_scan_free(entries, nr);
	free(dir);
	return ret;
}

/**
 * smi_gpu_has_ecc() - does this pGPU have ECC?
 * @gpu: the pGPU
 *
 * Return: 1 or 0, or -errno; the error has been printed
 */
int smi_gpu_has_ecc(const struct smi_gpu *gpu)
{
	char *path = smi_format("%s/ecc", gpu->path);
	int ret = 1;

	if (access(path, F_OK)) {
		ret = errno == ENOENT ? 0 : -errno;
		if (ret)
			smi_error("%s: %s", path, strerror(-ret));
		else if (access(gpu->path, F_OK)) {
			/* Not without ECC, but gone altogether. */
			ret = -errno;
			smi_error("%s: %s", gpu->path, strerror(-ret));
		}
	}
	free(path);
	return ret;
}
