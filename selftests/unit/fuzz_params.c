// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target: the parser for vgpu_params.  The input is the text. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/params.h"
#include "model/profile.h"

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static const struct vgpu_profile profile = {
	.fb_size = 128ULL << 20, .num_heads = 4, .frl_hz = 60,
	.max_width = 2560, .max_height = 1600,
};

/* A part of the text without the spaces around it. */
struct part {
	const char *at;
	size_t len;
};

static struct part part(const char *at, const char *end)
{
	while (at < end && *at == ' ')
		at++;
	while (at < end && end[-1] == ' ')
		end--;
	return (struct part){ at, end - at };
}

static bool part_is(struct part p, const char *word)
{
	return p.len == strlen(word) && !memcmp(p.at, word, p.len);
}

/* Every resolution in the limits, tried by printing it. */
static bool ref_resolution(struct part value)
{
	char copy[16], again[32];
	unsigned int width, height;

	if (value.len >= sizeof(copy) || memchr(value.at, 0, value.len))
		return false;
	memcpy(copy, value.at, value.len);
	copy[value.len] = 0;
	if (sscanf(copy, "%ux%u", &width, &height) != 2)
		return false;
	snprintf(again, sizeof(again), "%ux%u", width, height);
	return !strcmp(copy, again) && width >= 640 && height >= 480 &&
	       width <= 2560 && height <= 1600;
}

/* All settings that there are, in full. */
static bool ref_good(const char *text, size_t len)
{
	static const char * const good[][2] = {
		{ "frame_rate_limiter", "0" }, { "frame_rate_limiter", "1" },
		{ "disable_vnc", "0" }, { "disable_vnc", "1" },
		{ "console", "region" }, { "console", "dmabuf" },
		{ "enable_uvm", "0" }, { "enable_uvm", "1" },
		{ "enable_debugging", "0" }, { "enable_debugging", "1" },
		{ "enable_profiling", "0" }, { "enable_profiling", "1" },
	};
	const char *equals = memchr(text, '=', len), *end = text + len;
	struct part key, value;
	size_t i;

	if (!equals)
		return false;
	key = part(text, equals);
	value = part(equals + 1, end);
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (part_is(key, good[i][0]) && part_is(value, good[i][1]))
			return true;
	return part_is(key, "resolution") && ref_resolution(value);
}

/* Whether a setting before @end has the key of @setting. */
static bool has_key(const char *text, const char *end,
		    const char *setting, size_t len)
{
	const char *equals = memchr(setting, '=', len);
	struct part key = part(setting, equals ?: setting + len);

	for (; text < end; text++)
		if (end - text >= key.len && !memcmp(text, key.at, key.len))
			return true;
	return false;
}

static void check_error(const char *text, size_t len,
			const struct vgpu_params_remark *remark)
{
	const char *end = text + len, *at = remark->at, *stop;

	check(remark->why && *remark->why, "no reason");
	check(!remark->ignored, "ignored and wrong");
	check(at >= text && at + remark->len <= end, "error is not in the text");
	if (!strcmp(remark->why, "too long")) {
		check(len > 1024, "not too long");
		return;
	}
	/* A whole setting: from comma to comma, without the spaces around it. */
	check(!remark->len || (*at != ' ' && at[remark->len - 1] != ' '),
	      "spaces");
	stop = at + remark->len;
	while (stop < end && *stop == ' ')
		stop++;
	while (at > text && at[-1] == ' ')
		at--;
	check(at == text || at[-1] == ',', "begin of setting");
	check(stop == end || *stop == ',' ||
	      (stop == end - 1 && end[-1] == '\n'), "end of setting");
	check(!memchr(remark->at, ',', remark->len), "two settings");
	if (!strcmp(remark->why, "key given twice"))
		check(has_key(text, at, remark->at, remark->len),
		      "not given before");
	else
		check(!ref_good(remark->at, remark->len), "nothing is wrong");
}

/* Good settings with commas between, or a space. */
static void check_good(const char *text, size_t len, bool ignored)
{
	bool other = false;

	if (text[len - 1] == '\n')
		len--;
	if (len == 1 && *text == ' ') {
		check(!ignored, "nothing was ignored");
		return;
	}
	for (;;) {
		const char *comma = memchr(text, ',', len);
		size_t setting = comma ? comma - text : len;
		struct part p = part(text, text + setting);

		check(ref_good(text, setting), "took a bad setting");
		other |= !memcmp(p.at, "enable_", 7);
		if (!comma)
			break;
		text += setting + 1;
		len -= setting + 1;
	}
	check(other == ignored, "ignored");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgpu_params params, before, again;
	struct vgpu_params_remark remark;
	char *text = malloc(size), *copy;
	char printed[128];
	size_t len;

	if (size && !text)
		abort();
	memcpy(text, data, size);
	memset(&params, 0xa5, sizeof(params));
	before = params;
	if (vgpu_params_parse(&params, &profile, text, size, &remark)) {
		check(!memcmp(&params, &before, sizeof(params)),
		      "changed on error");
		check_error(text, size, &remark);
		free(text);
		return 0;
	}
	check(size, "took nothing");
	check_good(text, size, remark.ignored);
	check(params.frame_rate_limiter <= 1 && params.disable_vnc <= 1 &&
	      params.console <= 1, "value");
	check(!params.width == !params.height && params.width <= 2560 &&
	      params.height <= 1600, "resolution");
	free(text);

	len = vgpu_params_print(&params, printed, sizeof(printed));
	check(len < sizeof(printed) && len == strlen(printed), "print");
	copy = malloc(len);
	if (!copy)
		abort();
	memcpy(copy, printed, len);
	check(!vgpu_params_parse(&again, &profile, copy, len, &remark),
	      "print and parse");
	check(!remark.ignored, "printed what has no effect");
	check(!memcmp(&params, &again, sizeof(params)), "another meaning");
	free(copy);
	return 0;
}
