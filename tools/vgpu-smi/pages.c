// SPDX-License-Identifier: GPL-2.0
/* The verb retired-pages: show lists of retired pages, and save them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "retired.h"
#include "vgpu-smi.h"

/*
 * sysfs hands out a long list in pieces, and a page that is retired between
 * them makes it one that does not fit together.
 */
#define SMI_LIST_TRIES	3

static const struct smi_column smi_page_columns[] = {
	{ "GPU", false }, { "ADDRESS", true }, { "CAUSE", false },
	{ "TIME", false }, { "STATE", false },
};

/* A list as it is shown, and where it was saved. */
struct smi_pages {
	struct retired_list list;
	char *data;
	size_t len;
	char *saved;
};

static int smi_pages_read(struct smi_pages *pages, const char *path, int tries)
{
	struct retired_error error;
	int ret;

	do {
		ret = smi_read_file(path, retired_size, &pages->data,
				    &pages->len);
		if (ret)
			return ret;
		ret = retired_parse(&pages->list, pages->data, pages->len,
				    &error);
		if (!ret)
			return 0;
		free(pages->data);
		pages->data = NULL;
	} while (--tries);
	smi_error("%s: %s", path, error.why);
	return ret;
}

static void smi_pages_free(struct smi_pages *pages)
{
	retired_free(&pages->list);
	free(pages->data);
	free(pages->saved);
}

static void smi_pages_rows(struct smi_table *table, const char *whose,
			   const struct retired_list *list)
{
	char when[SMI_TIME_LEN];
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct retired_page *page = &list->pages[i];

		smi_time(when, page->time);
		smi_table_add(table, "%s", whose);
		smi_table_add(table, "0x%010" PRIx64, page->address);
		smi_table_add(table, "%s", retired_cause(page->cause));
		smi_table_add(table, "%s", when);
		smi_table_add(table, "%s", retired_state(page->state));
	}
}

static struct json_object *smi_pages_json(const struct retired_list *list)
{
	struct json_object *object = smi_json_object();
	struct json_object *array = smi_json_array();
	char text[SMI_TIME_LEN];
	size_t i;

	smi_json_text(object, "identity", list->identity);
	smi_json_u64(object, "vram_bytes", list->vram_size);
	smi_json_u64(object, "single_bit", list->sbe);
	smi_json_u64(object, "double_bit", list->dbe);
	smi_json_add(object, "pages", array);
	for (i = 0; i < list->nr; i++) {
		const struct retired_page *page = &list->pages[i];
		struct json_object *item = smi_json_object();

		snprintf(text, sizeof(text), "0x%010" PRIx64, page->address);
		smi_json_text(item, "address", text);
		smi_json_text(item, "cause", retired_cause(page->cause));
		smi_time(text, page->time);
		smi_json_text(item, "time", text);
		smi_json_text(item, "state", retired_state(page->state));
		smi_json_append(array, item);
	}
	return object;
}

/* Whether a list has all the pages of another one. */
static bool smi_pages_cover(const struct retired_list *list,
			    const struct retired_list *other)
{
	size_t i = 0, j;

	for (j = 0; j < other->nr; j++) {
		while (i < list->nr &&
		       list->pages[i].address < other->pages[j].address)
			i++;
		if (i == list->nr ||
		    list->pages[i].address != other->pages[j].address)
			return false;
	}
	return true;
}

/*
 * Keep a saved list that has pages which the GPU does not know of: it was bound
 * with other memory, or could not read the list.  There is room for one; a second
 * one is not replaced at all.
 */
static int smi_pages_keep(const struct smi_pages *pages, const char *path)
{
	struct smi_pages old = { 0 };
	struct retired_error error;
	char *kept;
	int ret;

	ret = smi_try_file(path, retired_size, &old.data, &old.len);
	/* One that is too long is no list, and the driver would not take it. */
	if (ret == -ENOENT || ret == -EFBIG)
		return 0;
	if (ret) {
		smi_error("%s: %s", path, strerror(-ret));
		return ret;
	}
	kept = smi_format("%s.old", path);
	if (!retired_parse(&old.list, old.data, old.len, &error) &&
	    !smi_pages_cover(&pages->list, &old.list)) {
		if (link(path, kept))
			ret = -errno;
		smi_error("%s has pages that the GPU does not know of; kept as %s%s%s",
			  path, kept, ret ? ": " : "",
			  ret ? strerror(-ret) : "");
	}
	free(kept);
	smi_pages_free(&old);
	return ret;
}

/* The name under which the driver looks for it when it binds the GPU. */
static int smi_pages_save(struct smi_pages *pages, const char *dir,
			  const struct smi_gpu *gpu)
{
	char *name = smi_format("retired-pages-%s.bin", gpu->address);
	char *path = smi_format("%s/%s", dir, name);
	int ret = smi_pages_keep(pages, path);

	if (!ret)
		ret = smi_save(dir, name, pages->data, pages->len);
	if (!ret)
		pages->saved = path;
	else
		free(path);
	free(name);
	return ret;
}

/* A list can be long, so only what will be printed is made of it. */
static void smi_pages_show(const struct smi_options *options,
			   const struct smi_gpu *gpu,
			   const struct smi_pages *pages,
			   struct smi_table *table, struct json_object *array)
{
	struct json_object *object;
	char *clean;

	if (options->json) {
		object = smi_json_object();
		smi_json_text(object, "address", gpu->address);
		smi_json_add(object, "retired_pages",
			     smi_pages_json(&pages->list));
		if (pages->saved)
			smi_json_text(object, "saved", pages->saved);
		smi_json_append(array, object);
	} else if (pages->saved) {
		clean = smi_clean(pages->saved);
		printf("%s: %zu saved to %s\n", gpu->address, pages->list.nr,
		       clean);
		free(clean);
	} else if (!pages->list.nr) {
		printf("%s: no retired pages\n", gpu->address);
	} else {
		smi_pages_rows(table, gpu->address, &pages->list);
	}
}

static int smi_pages_no_ecc(const struct smi_options *options,
			    const struct smi_gpu *gpu,
			    struct json_object *array)
{
	struct json_object *object = smi_json_object();

	smi_json_text(object, "address", gpu->address);
	smi_json_add(object, "retired_pages", NULL);
	smi_json_append(array, object);
	if (options->save) {
		smi_error("%s: no ECC support", gpu->address);
		return -EOPNOTSUPP;
	}
	if (!options->json)
		printf("%s: no ECC support\n", gpu->address);
	return 0;
}

static int smi_pages_gpu(const struct smi_options *options,
			 const struct smi_gpu *gpu, struct smi_table *table,
			 struct json_object *array)
{
	struct smi_pages pages = { 0 };
	int ret, lock = -1;
	char *path;

	ret = smi_gpu_has_ecc(gpu);
	if (ret < 0)
		return ret;
	if (!ret)
		return smi_pages_no_ecc(options, gpu, array);
	/* Before it is read, or an older list could replace a newer one. */
	if (options->save) {
		lock = smi_save_lock(options->dir);
		if (lock < 0)
			return lock;
	}

	path = smi_format("%s/ecc/retired_list", gpu->path);
	ret = smi_pages_read(&pages, path, SMI_LIST_TRIES);
	free(path);
	if (!ret && options->save)
		ret = smi_pages_save(&pages, options->dir, gpu);
	if (!ret)
		smi_pages_show(options, gpu, &pages, table, array);
	smi_pages_free(&pages);
	if (lock >= 0)
		close(lock);
	return ret;
}

/* A saved list does not say which address its GPU had, but which GPU it was. */
static int smi_pages_file(const struct smi_options *options,
			  struct smi_table *table, struct json_object *top)
{
	struct smi_pages pages = { 0 };
	int ret = smi_pages_read(&pages, options->file, 1);

	if (ret)
		return ret;
	if (options->json) {
		smi_json_text(top, "file", options->file);
		smi_json_add(top, "retired_pages",
			     smi_pages_json(&pages.list));
	} else if (!pages.list.nr) {
		char *clean = smi_clean(options->file);

		printf("%s: no retired pages\n", clean);
		free(clean);
	} else {
		smi_pages_rows(table, pages.list.identity, &pages.list);
	}
	smi_pages_free(&pages);
	return 0;
}

static int smi_pages_gpus(const struct smi_options *options,
			  struct smi_table *table, struct json_object *top)
{
	struct json_object *array;
	struct smi_gpus gpus;
	size_t i;
	int ret;

	ret = smi_gpus_find(options, &gpus);
	if (ret && !gpus.nr)
		return ret;
	array = smi_json_array();
	smi_json_add(top, "gpus", array);
	for (i = 0; i < gpus.nr; i++)
		if (smi_pages_gpu(options, &gpus.gpus[i], table, array))
			ret = -1;
	smi_gpus_free(&gpus);
	return ret;
}

/**
 * smi_retired_pages() - the verb retired-pages
 * @options: the command
 *
 * Return: exit status
 */
int smi_retired_pages(const struct smi_options *options)
{
	struct json_object *top = smi_json_object();
	struct smi_table *table;
	int ret;

	table = smi_table_new(smi_page_columns, sizeof(smi_page_columns) /
			      sizeof(*smi_page_columns));
	if (options->file)
		ret = smi_pages_file(options, table, top);
	else
		ret = smi_pages_gpus(options, table, top);

	/* Nothing at all is what there is to print after some errors. */
	if (options->json && json_object_object_length(top)) {
		smi_json_print(top);
	} else {
		json_object_put(top);
		if (!options->json && !smi_table_empty(table))
			smi_table_print(table);
	}
	smi_table_free(table);
	return ret ? SMI_EXIT_ERROR : 0;
}
