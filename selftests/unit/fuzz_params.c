// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target: the parser for vgpu_params.  The input is the text. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params.h"

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* All settings that there are, in full. */
static bool ref_good(const char *text, size_t len)
{
	static const char * const good[] = {
		"frame_rate_limiter=0", "frame_rate_limiter=1",
		"disable_vnc=0", "disable_vnc=1", "console=region",
		"console=dmabuf",
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (strlen(good[i]) == len && !memcmp(good[i], text, len))
			return true;
	return false;
}

static bool has_key(const char *text, const char *end, const char *setting)
{
	size_t len = strcspn(setting, "=") + 1;

	for (; text < end; text++)
		if (end - text >= len && !memcmp(text, setting, len))
			return true;
	return false;
}

static void check_error(const char *text, size_t len,
			const struct vgpu_params_error *error)
{
	const char *end = text + len;

	check(error->why && *error->why, "no reason");
	check(error->at >= text && error->at + error->len <= end,
	      "error is not in the text");
	if (!strcmp(error->why, "too long")) {
		check(len > 1024, "not too long");
		return;
	}
	/* A whole setting: from comma to comma. */
	check(error->at == text || error->at[-1] == ',', "begin of setting");
	check(error->at + error->len == end ||
	      error->at[error->len] == ',' ||
	      (error->at + error->len == end - 1 && end[-1] == '\n'),
	      "end of setting");
	check(!memchr(error->at, ',', error->len), "two settings");
	if (!strcmp(error->why, "key given twice"))
		check(has_key(text, error->at, error->at), "not given before");
	else
		check(!ref_good(error->at, error->len), "nothing is wrong");
}

/* Good settings with commas between, or a space. */
static void check_good(const char *text, size_t len)
{
	if (text[len - 1] == '\n')
		len--;
	if (len == 1 && *text == ' ')
		return;
	for (;;) {
		const char *comma = memchr(text, ',', len);
		size_t setting = comma ? comma - text : len;

		check(ref_good(text, setting), "took a bad setting");
		if (!comma)
			return;
		text += setting + 1;
		len -= setting + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgpu_params params, before, again;
	struct vgpu_params_error error;
	char *text = malloc(size), *copy;
	char printed[128];
	size_t len;

	if (size && !text)
		abort();
	memcpy(text, data, size);
	memset(&params, 0xa5, sizeof(params));
	before = params;
	if (vgpu_params_parse(&params, text, size, &error)) {
		check(!memcmp(&params, &before, sizeof(params)),
		      "changed on error");
		check_error(text, size, &error);
		free(text);
		return 0;
	}
	check(size, "took nothing");
	check_good(text, size);
	check(params.frame_rate_limiter <= 1 && params.disable_vnc <= 1 &&
	      params.console <= 1, "value");
	free(text);

	len = vgpu_params_print(&params, printed, sizeof(printed));
	check(len < sizeof(printed) && len == strlen(printed), "print");
	copy = malloc(len);
	if (!copy)
		abort();
	memcpy(copy, printed, len);
	check(!vgpu_params_parse(&again, copy, len, &error), "print and parse");
	check(!memcmp(&params, &again, sizeof(params)), "another meaning");
	free(copy);
	return 0;
}
