/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VGPU_SMI_H
#define VGPU_SMI_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#define SMI_VERSION	"1.0"

#define SMI_EXIT_ERROR	1
#define SMI_EXIT_USAGE	2
#define SMI_EXIT_DARK	3

/* Where the firmware loader looks for what vgpu-smi saves. */
#define SMI_DEFAULT_DIR	"/lib/firmware/vgpu"

/**
 * struct smi_options - the command line
 * @sysfs: where sysfs is
 * @gpu: address of the only pGPU, NULL for all
 * @json: print JSON, not tables
 * @set: "1" or "0" for ecc/enabled_pending, NULL to leave it
 * @reset: reset the pGPU
 * @save: save the list of retired pages
 * @dir: directory for @save
 * @file: a saved list to show, NULL for those of the pGPUs
 * @uuid: the vGPU to look at
 * @head: number of the head to look at
 * @cursor: look at the cursor, too
 * @picture: file for what is seen, "-" for standard output
 */
struct smi_options {
	const char *sysfs;
	const char *gpu;
	bool json;
	const char *set;
	bool reset;
	bool save;
	const char *dir;
	const char *file;
	const char *uuid;
	uint32_t head;
	bool cursor;
	const char *picture;
};

/**
 * struct smi_type - a type of vGPU
 * @id: name of its directory
 * @name: <model>-<id>
 * @api: device_api
 * @heads: number of heads
 * @frame_rate_limit: in frames a second
 * @framebuffer: in MiB
 * @width: of the largest mode
 * @height: of the largest mode
 * @available: how many can be created now
 * @max: how many fit on an empty pGPU
 */
struct smi_type {
	char *id;
	char *name;
	char *api;
	uint64_t heads;
	uint64_t frame_rate_limit;
	uint64_t framebuffer;
	uint64_t width;
	uint64_t height;
	uint64_t available;
	uint64_t max;
};

/**
 * struct smi_vgpu - a vGPU
 * @uuid: its name
 * @type: one of its pGPU's
 * @busy: a VMM has it open
 */
struct smi_vgpu {
	char *uuid;
	const struct smi_type *type;
	bool busy;
};

/**
 * struct smi_gpu - a pGPU
 * @address: of the PCI device
 * @path: of its directory, without links
 * @model: first part of the names of its types; NULL if it has none
 * @numa_node: -1 for none
 * @types: its types; smi_gpu_read_types() reads them
 * @nr_types: number of @types
 * @vgpus: its vGPUs; smi_gpu_read_vgpus() reads them
 * @nr_vgpus: number of @vgpus
 */
struct smi_gpu {
	char *address;
	char *path;
	char *model;
	int numa_node;
	struct smi_type *types;
	size_t nr_types;
	struct smi_vgpu *vgpus;
	size_t nr_vgpus;
};

/**
 * struct smi_gpus - the pGPUs that the command is about
 * @gpus: by address
 * @nr: number of @gpus
 */
struct smi_gpus {
	struct smi_gpu *gpus;
	size_t nr;
};

/* Verbs: each prints what it has to, and returns an exit status. */
int smi_list(const struct smi_options *options);
int smi_types(const struct smi_options *options);
int smi_ecc(const struct smi_options *options);
int smi_retired_pages(const struct smi_options *options);
int smi_screenshot(const struct smi_options *options);

/* gpu.c: the pGPUs, their types and vGPUs */
bool smi_is_address(const char *text);
bool smi_is_uuid(const char *text);
int smi_gpus_find(const struct smi_options *options, struct smi_gpus *gpus);
void smi_gpus_free(struct smi_gpus *gpus);
int smi_gpu_read_types(struct smi_gpu *gpu);
int smi_gpu_read_vgpus(const struct smi_options *options, struct smi_gpu *gpu);
int smi_gpu_has_ecc(const struct smi_gpu *gpu);

/* sysfs.c: files */
typedef size_t smi_max_fn(const void *start, size_t used);
size_t smi_text_max(const void *start, size_t used);
int smi_try_file(const char *path, smi_max_fn *max, char **data, size_t *len);
int smi_read_file(const char *path, smi_max_fn *max, char **data, size_t *len);
int smi_try_text(const char *path, char **text);
int smi_read_text(const char *path, char **text);
int smi_read_u64(const char *path, uint64_t *value);
int smi_read_bool(const char *path, bool *value);
int smi_write_text(const char *path, const char *text);
int smi_scan(const char *path, int (*filter)(const struct dirent *entry),
	     struct dirent ***entries);
void smi_scan_free(struct dirent **entries, int nr);
bool smi_parse_u64(const char **text, uint64_t *value);

/* save.c: files that are replaced as a whole */
int smi_save_lock(const char *dir);
int smi_save(const char *dir, const char *name, const void *data, size_t len);

/* output.c: errors, memory, tables, JSON */
void smi_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void smi_no_memory(void) __attribute__((noreturn));
char *smi_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void *smi_grow(void *array, size_t nr, size_t size);
char *smi_clean(const char *text);

/* Room for what smi_time() prints. */
#define SMI_TIME_LEN	32
void smi_time(char buf[SMI_TIME_LEN], uint64_t seconds);

struct smi_table;

/**
 * struct smi_column - a column of a table
 * @head: its heading
 * @right: flush right, for numbers
 */
struct smi_column {
	const char *head;
	bool right;
};

struct smi_table *smi_table_new(const struct smi_column *columns, size_t nr);
void smi_table_add(struct smi_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool smi_table_empty(const struct smi_table *table);
void smi_table_print(const struct smi_table *table);
void smi_table_free(struct smi_table *table);

struct json_object *smi_json_object(void);
struct json_object *smi_json_array(void);
void smi_json_add(struct json_object *object, const char *key,
		  struct json_object *value);
void smi_json_append(struct json_object *array, struct json_object *value);
void smi_json_text(struct json_object *object, const char *key,
		   const char *text);
void smi_json_u64(struct json_object *object, const char *key, uint64_t value);
void smi_json_bool(struct json_object *object, const char *key, bool value);
void smi_json_print(struct json_object *object);

#endif /* VGPU_SMI_H */
