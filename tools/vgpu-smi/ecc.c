// SPDX-License-Identifier: GPL-2.0
/* The verb ecc: mode, error counters and spare pages of each pGPU. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retired.h"
#include "vgpu-smi.h"

/* One of the last errors. */
struct smi_ecc_error {
	bool dbe;
	uint64_t address;
	uint64_t time;
	char *vgpu;		/* UUID, NULL for none */
};

struct smi_ecc {
	bool enabled;
	bool enabled_pending;
	uint64_t sbe_volatile;
	uint64_t dbe_volatile;
	uint64_t sbe_aggregate;
	uint64_t dbe_aggregate;
	uint64_t spare_pages;
	uint64_t spare_pages_free;
	uint64_t retired_pages;
	uint64_t retired_pages_pending;
	struct smi_ecc_error *errors;
	size_t nr_errors;
};

static const struct {
	const char *file;
	size_t offset;		/* of a uint64_t in struct smi_ecc */
} smi_ecc_numbers[] = {
	{ "sbe_volatile", offsetof(struct smi_ecc, sbe_volatile) },
	{ "dbe_volatile", offsetof(struct smi_ecc, dbe_volatile) },
	{ "sbe_aggregate", offsetof(struct smi_ecc, sbe_aggregate) },
	{ "dbe_aggregate", offsetof(struct smi_ecc, dbe_aggregate) },
	{ "spare_pages", offsetof(struct smi_ecc, spare_pages) },
	{ "spare_pages_free", offsetof(struct smi_ecc, spare_pages_free) },
	{ "retired_pages", offsetof(struct smi_ecc, retired_pages) },
	{ "retired_pages_pending",
	  offsetof(struct smi_ecc, retired_pages_pending) },
};

static int smi_ecc_read_mode(const struct smi_gpu *gpu, const char *file,
			     bool *value)
{
	char *path = smi_format("%s/ecc/%s", gpu->path, file);
	int ret = smi_read_bool(path, value);

	free(path);
	return ret;
}

/* "dbe 0x1000 1795000000 none" */
static bool smi_ecc_parse_error(struct smi_ecc_error *error, const char *line)
{
	size_t digits;

	if (strncmp(line, "sbe 0x", 6) && strncmp(line, "dbe 0x", 6))
		return false;
	error->dbe = *line == 'd';
	line += 6;
	digits = strspn(line, "0123456789abcdef");
	if (!digits || digits > 16 || line[digits] != ' ')
		return false;
	error->address = strtoull(line, NULL, 16);
	line += digits + 1;
	if (!smi_parse_u64(&line, &error->time) || *line++ != ' ' ||
	    error->time > RETIRED_TIME_MAX)
		return false;
	if (!strcmp(line, "none"))
		return true;
	if (!smi_is_uuid(line))
		return false;
	error->vgpu = smi_format("%s", line);
	return true;
}

static int smi_ecc_read_errors(const struct smi_gpu *gpu, struct smi_ecc *ecc)
{
	char *path = smi_format("%s/ecc/last_errors", gpu->path);
	char *line, *next, *text;
	size_t len;
	char *data;
	int ret;

	ret = smi_read_file(path, smi_text_max, &data, &len);
	if (ret)
		goto out;
	text = smi_format("%.*s", (int)len, data);
	free(data);
	if (strlen(text) != len) {
		smi_error("%s: not text", path);
		ret = -EINVAL;
	}
	for (next = text; !ret && (line = strsep(&next, "\n")) && next;) {
		ecc->errors = smi_grow(ecc->errors, ecc->nr_errors,
				       sizeof(*ecc->errors));
		if (!smi_ecc_parse_error(&ecc->errors[ecc->nr_errors++],
					 line)) {
			smi_error("%s: \"%s\" is not understood", path, line);
			ret = -EINVAL;
		}
	}
	free(text);
out:
	free(path);
	return ret;
}

static void smi_ecc_free(struct smi_ecc *ecc)
{
	size_t i;

	for (i = 0; i < ecc->nr_errors; i++)
		free(ecc->errors[i].vgpu);
	free(ecc->errors);
}

static int smi_ecc_read(const struct smi_gpu *gpu, struct smi_ecc *ecc)
{
	size_t i;
	int ret;

	ret = smi_ecc_read_mode(gpu, "enabled", &ecc->enabled);
	if (ret)
		return ret;
	ret = smi_ecc_read_mode(gpu, "enabled_pending", &ecc->enabled_pending);
	if (ret)
		return ret;
	for (i = 0; i < sizeof(smi_ecc_numbers) / sizeof(*smi_ecc_numbers);
	     i++) {
		char *path = smi_format("%s/ecc/%s", gpu->path,
					smi_ecc_numbers[i].file);

		ret = smi_read_u64(path, (uint64_t *)((char *)ecc +
						smi_ecc_numbers[i].offset));
		free(path);
		if (ret)
			return ret;
	}
	return smi_ecc_read_errors(gpu, ecc);
}

static int smi_ecc_write(const struct smi_gpu *gpu, const char *file,
			 const char *text)
{
	char *path = smi_format("%s/ecc/%s", gpu->path, file);
	int ret = smi_write_text(path, text);

	free(path);
	return ret;
}

/* The mode first, because it is the reset that brings it into force. */
static int smi_ecc_change(const struct smi_options *options,
			  const struct smi_gpu *gpu)
{
	int ret;

	if (options->set) {
		ret = smi_ecc_write(gpu, "enabled_pending", options->set);
		if (ret)
			return ret;
	}
	if (!options->reset)
		return 0;
	ret = smi_ecc_write(gpu, "reset", "1");
	if (ret == -EBUSY)
		smi_error("%s: a vGPU of it is open", gpu->address);
	return ret;
}

static const char *smi_on_off(bool on)
{
	return on ? "on" : "off";
}

static void smi_ecc_text(const struct smi_gpu *gpu, const struct smi_ecc *ecc)
{
	char when[SMI_TIME_LEN];
	size_t i;

	printf("GPU %s\n", gpu->address);
	if (!ecc) {
		printf("  no ECC support\n");
		return;
	}
	printf("  mode              %s, pending %s\n"
	       "  volatile errors   %" PRIu64 " single-bit, %" PRIu64
	       " double-bit\n"
	       "  aggregate errors  %" PRIu64 " single-bit, %" PRIu64
	       " double-bit\n"
	       "  spare pages       %" PRIu64 ", %" PRIu64 " free\n"
	       "  retired pages     %" PRIu64 ", %" PRIu64 " pending\n",
	       smi_on_off(ecc->enabled), smi_on_off(ecc->enabled_pending),
	       ecc->sbe_volatile, ecc->dbe_volatile,
	       ecc->sbe_aggregate, ecc->dbe_aggregate,
	       ecc->spare_pages, ecc->spare_pages_free,
	       ecc->retired_pages, ecc->retired_pages_pending);
	for (i = 0; i < ecc->nr_errors; i++) {
		const struct smi_ecc_error *error = &ecc->errors[i];

		smi_time(when, error->time);
		printf("  %-16s  %s  %s-bit at 0x%010" PRIx64 ", vGPU %s\n",
		       i ? "" : "last errors", when,
		       error->dbe ? "double" : "single", error->address,
		       error->vgpu ?: "none");
	}
}

static struct json_object *smi_ecc_pair(const char *key, uint64_t value,
					const char *key2, uint64_t value2)
{
	struct json_object *object = smi_json_object();

	smi_json_u64(object, key, value);
	smi_json_u64(object, key2, value2);
	return object;
}

static struct json_object *smi_ecc_errors_json(const struct smi_ecc *ecc)
{
	struct json_object *array = smi_json_array();
	char text[SMI_TIME_LEN];
	size_t i;

	for (i = 0; i < ecc->nr_errors; i++) {
		const struct smi_ecc_error *error = &ecc->errors[i];
		struct json_object *item = smi_json_object();

		smi_time(text, error->time);
		smi_json_text(item, "time", text);
		smi_json_text(item, "error",
			      error->dbe ? "double-bit" : "single-bit");
		snprintf(text, sizeof(text), "0x%010" PRIx64, error->address);
		smi_json_text(item, "address", text);
		smi_json_text(item, "vgpu", error->vgpu);
		smi_json_append(array, item);
	}
	return array;
}

static struct json_object *smi_ecc_json(const struct smi_gpu *gpu,
					const struct smi_ecc *ecc)
{
	struct json_object *object = smi_json_object();
	struct json_object *item;

	smi_json_text(object, "address", gpu->address);
	if (!ecc) {
		smi_json_add(object, "ecc", NULL);
		return object;
	}
	item = smi_json_object();
	smi_json_add(object, "ecc", item);
	smi_json_bool(item, "enabled", ecc->enabled);
	smi_json_bool(item, "enabled_pending", ecc->enabled_pending);
	smi_json_add(item, "volatile",
		     smi_ecc_pair("single_bit", ecc->sbe_volatile,
				  "double_bit", ecc->dbe_volatile));
	smi_json_add(item, "aggregate",
		     smi_ecc_pair("single_bit", ecc->sbe_aggregate,
				  "double_bit", ecc->dbe_aggregate));
	smi_json_add(item, "spare_pages",
		     smi_ecc_pair("total", ecc->spare_pages,
				  "free", ecc->spare_pages_free));
	smi_json_add(item, "retired_pages",
		     smi_ecc_pair("total", ecc->retired_pages,
				  "pending", ecc->retired_pages_pending));
	smi_json_add(item, "last_errors", smi_ecc_errors_json(ecc));
	return object;
}

static int smi_ecc_gpu(const struct smi_options *options,
		       const struct smi_gpu *gpu, struct json_object *array)
{
	struct smi_ecc ecc = { 0 };
	int has = smi_gpu_has_ecc(gpu);
	int changed = 0, ret;

	if (has < 0)
		return has;
	if (has) {
		/* What holds then is shown also when it was refused. */
		changed = smi_ecc_change(options, gpu);
		ret = smi_ecc_read(gpu, &ecc);
		if (ret) {
			smi_ecc_free(&ecc);
			return ret;
		}
	} else if (options->set || options->reset) {
		smi_error("%s: no ECC support", gpu->address);
		changed = -EOPNOTSUPP;
	}
	if (options->json)
		smi_json_append(array, smi_ecc_json(gpu, has ? &ecc : NULL));
	else
		smi_ecc_text(gpu, has ? &ecc : NULL);
	smi_ecc_free(&ecc);
	return changed;
}

/**
 * smi_ecc() - the verb ecc
 * @options: the command
 *
 * Return: exit status
 */
int smi_ecc(const struct smi_options *options)
{
	struct json_object *top, *array;
	struct smi_gpus gpus;
	size_t i;
	int ret;

	ret = smi_gpus_find(options, &gpus);
	if (ret && !gpus.nr)
		return SMI_EXIT_ERROR;
	top = smi_json_object();
	array = smi_json_array();
	smi_json_add(top, "gpus", array);
	for (i = 0; i < gpus.nr; i++)
		if (smi_ecc_gpu(options, &gpus.gpus[i], array))
			ret = -1;

	if (options->json)
		smi_json_print(top);
	else
		json_object_put(top);
	smi_gpus_free(&gpus);
	return ret ? SMI_EXIT_ERROR : 0;
}
