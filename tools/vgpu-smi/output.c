// SPDX-License-Identifier: GPL-2.0
/* What all verbs print with: errors, tables, JSON; and memory. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vgpu-smi.h"

/**
 * smi_error() - say what went wrong
 * @format: names the file and the reason, without a newline
 *
 * File names and kernel text in it are printed as they cannot harm a terminal.
 */
void smi_error(const char *format, ...)
{
	char *text, *clean;
	va_list args;
	int ret;

	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret < 0)
		smi_no_memory();
	clean = smi_clean(text);
	fprintf(stderr, "vgpu-smi: %s\n", clean);
	free(clean);
	free(text);
}

/**
 * smi_no_memory() - give up
 */
void smi_no_memory(void)
{
	fprintf(stderr, "vgpu-smi: %s\n", strerror(ENOMEM));
	exit(SMI_EXIT_ERROR);
}

/**
 * smi_format() - printf() to a new string
 * @format: as for printf()
 *
 * Return: the string, for free()
 */
char *smi_format(const char *format, ...)
{
	va_list args;
	char *text;
	int ret;

	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret < 0)
		smi_no_memory();
	return text;
}

/**
 * smi_grow() - room for one more element, which is zeroed
 * @array: NULL or what this returned before
 * @nr: elements it has
 * @size: of an element
 *
 * Return: the array, with @nr + 1 elements
 */
void *smi_grow(void *array, size_t nr, size_t size)
{
	char *grown;

	if (nr == SIZE_MAX)
		smi_no_memory();
	grown = reallocarray(array, nr + 1, size);
	if (!grown)
		smi_no_memory();
	memset(grown + nr * size, 0, size);
	return grown;
}

/**
 * smi_clean() - text as it can be printed anywhere
 * @text: from a file, any bytes
 *
 * JSON must be UTF-8, and a terminal obeys control characters; so all that is
 * not printable ASCII becomes \xNN.
 *
 * Return: a new string, for free()
 */
char *smi_clean(const char *text)
{
	size_t len = strlen(text);
	char *clean = reallocarray(NULL, len + 1, strlen("\\xNN"));
	char *at = clean;

	if (!clean)
		smi_no_memory();
	for (; *text; text++) {
		if (*text >= ' ' && *text <= '~')
			*at++ = *text;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*text);
	}
	*at = 0;
	return clean;
}

/**
 * smi_time() - a time as text, in UTC
 * @buf: where to
 * @seconds: since 1970; the year must be one of four digits
 */
void smi_time(char buf[SMI_TIME_LEN], uint64_t seconds)
{
	time_t when = seconds;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	strftime(buf, SMI_TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct smi_table {
	const struct smi_column *columns;
	size_t nr_columns;
	char **cells;		/* row by row */
	size_t nr_cells;
};

/**
 * smi_table_new() - an empty table
 * @columns: must live as long as the table
 * @nr: number of @columns, at least one
 *
 * Return: the table, for smi_table_free()
 */
struct smi_table *smi_table_new(const struct smi_column *columns, size_t nr)
{
	struct smi_table *table = calloc(1, sizeof(*table));

	if (!table)
		smi_no_memory();
	table->columns = columns;
	table->nr_columns = nr;
	return table;
}

/**
 * smi_table_add() - fill the next cell
 * @table: cells come row by row
 * @format: as for printf()
 */
void smi_table_add(struct smi_table *table, const char *format, ...)
{
	va_list args;
	char *text;
	int ret;

	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	if (ret < 0)
		smi_no_memory();
	table->cells = smi_grow(table->cells, table->nr_cells,
				sizeof(*table->cells));
	table->cells[table->nr_cells++] = smi_clean(text);
	free(text);
}

/**
 * smi_table_empty() - is there no row?
 * @table: the table
 *
 * Return: true if not
 */
bool smi_table_empty(const struct smi_table *table)
{
	return !table->nr_cells;
}

static int smi_table_width(const struct smi_table *table, size_t column)
{
	size_t width = strlen(table->columns[column].head);
	size_t i;

	for (i = column; i < table->nr_cells; i += table->nr_columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

/**
 * smi_table_print() - headings, and a line for each row
 * @table: the table
 */
void smi_table_print(const struct smi_table *table)
{
	size_t rows = table->nr_cells / table->nr_columns;
	size_t row, column;
	int *widths = calloc(table->nr_columns, sizeof(*widths));

	if (!widths)
		smi_no_memory();
	for (column = 0; column < table->nr_columns; column++)
		widths[column] = smi_table_width(table, column);

	for (row = 0; row <= rows; row++) {
		for (column = 0; column < table->nr_columns; column++) {
			const struct smi_column *c = &table->columns[column];
			const char *text = c->head;

			if (row)
				text = table->cells[(row - 1) *
						    table->nr_columns + column];
			if (column)
				fputs("  ", stdout);
			/* No spaces at the end of a line. */
			if (c->right)
				printf("%*s", widths[column], text);
			else if (column + 1 == table->nr_columns)
				fputs(text, stdout);
			else
				printf("%-*s", widths[column], text);
		}
		putchar('\n');
	}
	free(widths);
}

/**
 * smi_table_free() - opposite of smi_table_new()
 * @table: may be NULL
 */
void smi_table_free(struct smi_table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->nr_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

static struct json_object *smi_json_check(struct json_object *object)
{
	if (!object)
		smi_no_memory();
	return object;
}

/**
 * smi_json_object() - a new JSON object
 *
 * Return: the object
 */
struct json_object *smi_json_object(void)
{
	return smi_json_check(json_object_new_object());
}

/**
 * smi_json_array() - a new JSON array
 *
 * Return: the array
 */
struct json_object *smi_json_array(void)
{
	return smi_json_check(json_object_new_array());
}

/**
 * smi_json_add() - put a value in an object
 * @object: where to
 * @key: which it has not yet
 * @value: belongs to @object then; NULL for null
 */
void smi_json_add(struct json_object *object, const char *key,
		  struct json_object *value)
{
	if (json_object_object_add(object, key, value))
		smi_no_memory();
}

/**
 * smi_json_append() - put a value at the end of an array
 * @array: where to
 * @value: belongs to @array then
 */
void smi_json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value))
		smi_no_memory();
}

/**
 * smi_json_text() - put text in an object
 * @object: where to
 * @key: which it has not yet
 * @text: any bytes; NULL for null
 */
void smi_json_text(struct json_object *object, const char *key,
		   const char *text)
{
	struct json_object *value = NULL;
	char *clean;

	if (text) {
		clean = smi_clean(text);
		value = smi_json_check(json_object_new_string(clean));
		free(clean);
	}
	smi_json_add(object, key, value);
}

/**
 * smi_json_u64() - put a number in an object
 * @object: where to
 * @key: which it has not yet
 * @value: the number
 */
void smi_json_u64(struct json_object *object, const char *key, uint64_t value)
{
	smi_json_add(object, key,
		     smi_json_check(json_object_new_uint64(value)));
}

/**
 * smi_json_bool() - put a boolean in an object
 * @object: where to
 * @key: which it has not yet
 * @value: the boolean
 */
void smi_json_bool(struct json_object *object, const char *key, bool value)
{
	smi_json_add(object, key,
		     smi_json_check(json_object_new_boolean(value)));
}

/**
 * smi_json_print() - print and free
 * @object: what is at the top
 */
void smi_json_print(struct json_object *object)
{
	const char *text;

	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		smi_no_memory();
	puts(text);
	json_object_put(object);
}
