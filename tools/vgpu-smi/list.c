// SPDX-License-Identifier: GPL-2.0
/* The verbs list and types: what there is, and what there could be. */
#include <inttypes.h>
#include <stdio.h>

#include "vgpu-smi.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))

static const struct smi_column smi_gpu_columns[] = {
	{ "GPU", false }, { "MODEL", false }, { "NUMA", true },
	{ "VGPUS", true },
};

static const struct smi_column smi_vgpu_columns[] = {
	{ "VGPU", false }, { "GPU", false }, { "TYPE", false },
	{ "FRAMEBUFFER", true }, { "BUSY", false },
};

static const struct smi_column smi_type_columns[] = {
	{ "GPU", false }, { "TYPE", false }, { "NAME", false },
	{ "FRAMEBUFFER", true }, { "HEADS", true }, { "RESOLUTION", true },
	{ "AVAILABLE", true }, { "MAX", true },
};

static void smi_list_rows(struct smi_table *gpus, struct smi_table *vgpus,
			  const struct smi_gpu *gpu)
{
	size_t i;

	smi_table_add(gpus, "%s", gpu->address);
	smi_table_add(gpus, "%s", gpu->model ?: "-");
	if (gpu->numa_node < 0)
		smi_table_add(gpus, "-");
	else
		smi_table_add(gpus, "%d", gpu->numa_node);
	smi_table_add(gpus, "%zu", gpu->nr_vgpus);

	for (i = 0; i < gpu->nr_vgpus; i++) {
		const struct smi_vgpu *vgpu = &gpu->vgpus[i];

		smi_table_add(vgpus, "%s", vgpu->uuid);
		smi_table_add(vgpus, "%s", gpu->address);
		smi_table_add(vgpus, "%s", vgpu->type->name);
		smi_table_add(vgpus, "%" PRIu64 " MiB",
			      vgpu->type->framebuffer);
		smi_table_add(vgpus, "%s", vgpu->busy ? "yes" : "no");
	}
}

static struct json_object *smi_list_json(const struct smi_gpu *gpu)
{
	struct json_object *object = smi_json_object();
	struct json_object *vgpus = smi_json_array();
	size_t i;

	smi_json_text(object, "address", gpu->address);
	smi_json_text(object, "model", gpu->model);
	if (gpu->numa_node < 0)
		smi_json_add(object, "numa_node", NULL);
	else
		smi_json_u64(object, "numa_node", gpu->numa_node);
	smi_json_add(object, "vgpus", vgpus);

	for (i = 0; i < gpu->nr_vgpus; i++) {
		const struct smi_vgpu *vgpu = &gpu->vgpus[i];
		struct json_object *item = smi_json_object();

		smi_json_text(item, "uuid", vgpu->uuid);
		smi_json_text(item, "type", vgpu->type->id);
		smi_json_text(item, "name", vgpu->type->name);
		smi_json_u64(item, "framebuffer_mib", vgpu->type->framebuffer);
		smi_json_bool(item, "busy", vgpu->busy);
		smi_json_append(vgpus, item);
	}
	return object;
}

/**
 * smi_list() - the verb list: pGPUs and their vGPUs
 * @options: the command
 *
 * Return: exit status
 */
int smi_list(const struct smi_options *options)
{
	struct smi_table *gpu_table, *vgpu_table;
	struct json_object *top, *array;
	struct smi_gpus gpus;
	int ret;
	size_t i;

	ret = smi_gpus_find(options, &gpus);
	if (ret && !gpus.nr)
		return SMI_EXIT_ERROR;
	gpu_table = smi_table_new(smi_gpu_columns,
				  ARRAY_SIZE(smi_gpu_columns));
	vgpu_table = smi_table_new(smi_vgpu_columns,
				   ARRAY_SIZE(smi_vgpu_columns));
	top = smi_json_object();
	array = smi_json_array();
	smi_json_add(top, "gpus", array);

	for (i = 0; i < gpus.nr; i++) {
		struct smi_gpu *gpu = &gpus.gpus[i];

		if (smi_gpu_read_types(gpu) ||
		    smi_gpu_read_vgpus(options, gpu)) {
			ret = -1;
			continue;
		}
		smi_list_rows(gpu_table, vgpu_table, gpu);
		smi_json_append(array, smi_list_json(gpu));
	}

	if (options->json) {
		smi_json_print(top);
	} else {
		json_object_put(top);
		smi_table_print(gpu_table);
		if (!smi_table_empty(vgpu_table)) {
			putchar('\n');
			smi_table_print(vgpu_table);
		}
	}
	smi_table_free(gpu_table);
	smi_table_free(vgpu_table);
	smi_gpus_free(&gpus);
	return ret ? SMI_EXIT_ERROR : 0;
}

static void smi_types_rows(struct smi_table *table, const struct smi_gpu *gpu)
{
	size_t i;

	for (i = 0; i < gpu->nr_types; i++) {
		const struct smi_type *type = &gpu->types[i];

		smi_table_add(table, "%s", gpu->address);
		smi_table_add(table, "%s", type->id);
		smi_table_add(table, "%s", type->name);
		smi_table_add(table, "%" PRIu64 " MiB", type->framebuffer);
		smi_table_add(table, "%" PRIu64, type->heads);
		smi_table_add(table, "%" PRIu64 "x%" PRIu64, type->width,
			      type->height);
		smi_table_add(table, "%" PRIu64, type->available);
		smi_table_add(table, "%" PRIu64, type->max);
	}
}

static struct json_object *smi_types_json(const struct smi_gpu *gpu)
{
	struct json_object *object = smi_json_object();
	struct json_object *types = smi_json_array();
	size_t i;

	smi_json_text(object, "address", gpu->address);
	smi_json_add(object, "types", types);
	for (i = 0; i < gpu->nr_types; i++) {
		const struct smi_type *type = &gpu->types[i];
		struct json_object *item = smi_json_object();

		smi_json_text(item, "type", type->id);
		smi_json_text(item, "name", type->name);
		smi_json_text(item, "device_api", type->api);
		smi_json_u64(item, "framebuffer_mib", type->framebuffer);
		smi_json_u64(item, "heads", type->heads);
		smi_json_u64(item, "frame_rate_limit", type->frame_rate_limit);
		smi_json_u64(item, "max_width", type->width);
		smi_json_u64(item, "max_height", type->height);
		smi_json_u64(item, "available_instances", type->available);
		smi_json_u64(item, "max_instances", type->max);
		smi_json_append(types, item);
	}
	return object;
}

/**
 * smi_types() - the verb types: types of vGPU of each pGPU
 * @options: the command
 *
 * Return: exit status
 */
int smi_types(const struct smi_options *options)
{
	struct json_object *top, *array;
	struct smi_table *table;
	struct smi_gpus gpus;
	int ret;
	size_t i;

	ret = smi_gpus_find(options, &gpus);
	if (ret && !gpus.nr)
		return SMI_EXIT_ERROR;
	table = smi_table_new(smi_type_columns, ARRAY_SIZE(smi_type_columns));
	top = smi_json_object();
	array = smi_json_array();
	smi_json_add(top, "gpus", array);

	for (i = 0; i < gpus.nr; i++) {
		struct smi_gpu *gpu = &gpus.gpus[i];

		if (smi_gpu_read_types(gpu)) {
			ret = -1;
			continue;
		}
		smi_types_rows(table, gpu);
		smi_json_append(array, smi_types_json(gpu));
	}

	if (options->json) {
		smi_json_print(top);
	} else {
		json_object_put(top);
		smi_table_print(table);
	}
	smi_table_free(table);
	smi_gpus_free(&gpus);
	return ret ? SMI_EXIT_ERROR : 0;
}
