// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu_params: comma-separated key=value settings of one vGPU.  One table of
 * keys has all about them, but for the one that is no choice.
 *
 * As the device model, this calls nothing but string functions, so that it
 * builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "model/monitor.h"
#include "model/number.h"
#include "model/params.h"
#include "model/personality.h"

/* What every guest can show, also before it has a driver. */
#define PARAMS_MIN_WIDTH	640
#define PARAMS_MIN_HEIGHT	480

/* Digits of a width or height. */
#define PARAMS_DIGITS		5

enum vgpu_param_kind {
	VGPU_PARAM_CHOICE,
	VGPU_PARAM_RESOLUTION,
	VGPU_PARAM_HEADS,
	VGPU_PARAM_IGNORED,	/* of NVIDIA's driver, for what is not here */
};

static const struct vgpu_param {
	const char *key;
	enum vgpu_param_kind kind;
	const char *values[3];		/* the first is 0, and so on */
	size_t offset;			/* of a u32 in struct vgpu_params */
	u32 initial;
} vgpu_param_table[] = {
	{ "frame_rate_limiter", VGPU_PARAM_CHOICE, { "0", "1" },
	  offsetof(struct vgpu_params, frame_rate_limiter), 1 },
	{ "disable_vnc", VGPU_PARAM_CHOICE, { "0", "1" },
	  offsetof(struct vgpu_params, disable_vnc), 0 },
	{ "console", VGPU_PARAM_CHOICE, { "region", "dmabuf" },
	  offsetof(struct vgpu_params, console), VGPU_CONSOLE_REGION },
	{ "resolution", VGPU_PARAM_RESOLUTION },
	{ "heads", VGPU_PARAM_HEADS },
	{ "enable_uvm", VGPU_PARAM_IGNORED, { "0", "1" } },
	{ "enable_debugging", VGPU_PARAM_IGNORED, { "0", "1" } },
	{ "enable_profiling", VGPU_PARAM_IGNORED, { "0", "1" } },
};

static u32 *vgpu_param_field(struct vgpu_params *params,
			     const struct vgpu_param *param)
{
	return (u32 *)((char *)params + param->offset);
}

/**
 * vgpu_params_init() - what holds when nothing is set
 * @params: where to
 */
void vgpu_params_init(struct vgpu_params *params)
{
	u32 i;

	memset(params, 0, sizeof(*params));
	for (i = 0; i < ARRAY_SIZE(vgpu_param_table); i++)
		if (vgpu_param_table[i].kind == VGPU_PARAM_CHOICE)
			*vgpu_param_field(params, &vgpu_param_table[i]) =
				vgpu_param_table[i].initial;
}

static bool vgpu_param_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

/* Where a text begins without the spaces around it, and how long it is. */
static const char *vgpu_param_trim(const char *text, size_t *len)
{
	while (*len && text[*len - 1] == ' ')
		--*len;
	for (; *len && *text == ' '; text++)
		--*len;
	return text;
}

static const char *vgpu_param_resolution(struct vgpu_params *params,
					 const struct vgpu_profile *profile,
					 const char *text, size_t len)
{
	const char *x = memchr(text, 'x', len);
	u64 width, height;

	if (!x || !vgpu_number_parse(text, x - text, PARAMS_DIGITS, &width) ||
	    !vgpu_number_parse(x + 1, text + len - x - 1, PARAMS_DIGITS,
			       &height) || !width || !height)
		return "bad value";
	if (width < PARAMS_MIN_WIDTH || height < PARAMS_MIN_HEIGHT)
		return "smaller than 640x480";
	if (width > profile->max_width || height > profile->max_height)
		return "larger than the type allows";
	if (!vgpu_edid_can_prefer(width, height))
		return "larger than an EDID can say";
	params->width = width;
	params->height = height;
	return NULL;
}

static const char *vgpu_param_heads(struct vgpu_params *params,
				    const struct vgpu_profile *profile,
				    const char *text, size_t len)
{
	u64 heads;

	if (!vgpu_personality(profile)->plugs)
		return "not with this type";
	if (!vgpu_number_parse(text, len, 1, &heads) || !heads)
		return "bad value";
	if (heads > profile->num_heads)
		return "more than the type has";
	params->heads = heads;
	return NULL;
}

static const char *vgpu_param_choice(struct vgpu_params *params,
				     const struct vgpu_param *param,
				     const char *text, size_t len)
{
	u32 value;

	for (value = 0; param->values[value]; value++) {
		if (!vgpu_param_is(text, len, param->values[value]))
			continue;
		if (param->kind == VGPU_PARAM_CHOICE)
			*vgpu_param_field(params, param) = value;
		return NULL;
	}
	return "bad value";
}

/* Returns what is wrong with one setting, or NULL. */
static const char *vgpu_param_parse(struct vgpu_params *params,
				    const struct vgpu_profile *profile,
				    u32 *seen, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? equals - text : len;
	const char *key = vgpu_param_trim(text, &key_len);
	const struct vgpu_param *param = NULL;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vgpu_param_table) && !param; i++)
		if (vgpu_param_is(key, key_len, vgpu_param_table[i].key))
			param = &vgpu_param_table[i];
	if (!param)
		return "unknown key";
	if (!equals)
		return "no value";
	if (*seen & 1U << (i - 1))
		return "key given twice";
	*seen |= 1U << (i - 1);
	len -= equals + 1 - text;
	text = vgpu_param_trim(equals + 1, &len);
	if (param->kind == VGPU_PARAM_RESOLUTION)
		return vgpu_param_resolution(params, profile, text, len);
	if (param->kind == VGPU_PARAM_HEADS)
		return vgpu_param_heads(params, profile, text, len);
	return vgpu_param_choice(params, param, text, len);
}

/* Whether any key of a kind was there. */
static bool vgpu_params_seen(u32 seen, enum vgpu_param_kind kind)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vgpu_param_table); i++)
		if (seen & 1U << i && vgpu_param_table[i].kind == kind)
			return true;
	return false;
}

/**
 * vgpu_params_parse() - read settings
 * @params: what they come to; keys that are not named get their initial value.
 *	Unchanged on error.
 * @profile: of the vGPU's type
 * @text: key=value settings with commas between, or one space for none; a
 *	newline at the end is ignored, and so are spaces around commas, equals signs
 *	and all of it.  Need not end in a null byte.
 * @len: bytes of @text
 * @remark: what is wrong, on error; else whether there is something to log
 *
 * Return: 0 or -EINVAL
 */
int vgpu_params_parse(struct vgpu_params *params,
		      const struct vgpu_profile *profile, const char *text,
		      size_t len, struct vgpu_params_remark *remark)
{
	struct vgpu_params result;
	const char *at = text, *end;
	u32 seen = 0;

	if (len && text[len - 1] == '\n')
		len--;
	end = text + len;
	*remark = (struct vgpu_params_remark){
		.at = text,
		.why = "too long",
	};
	if (len > VGPU_PARAMS_MAX)
		return -EINVAL;

	vgpu_params_init(&result);
	while (!vgpu_param_is(text, len, " ")) {
		const char *comma = memchr(at, ',', end - at);

		remark->len = (comma ?: end) - at;
		remark->at = vgpu_param_trim(at, &remark->len);
		remark->why = vgpu_param_parse(&result, profile, &seen,
					       remark->at, remark->len);
		if (remark->why)
			return -EINVAL;
		if (!comma)
			break;
		at = comma + 1;
	}
	remark->ignored = vgpu_params_seen(seen, VGPU_PARAM_IGNORED);
	*params = result;
	return 0;
}

/**
 * vgpu_params_print() - the text that says the same
 * @params: any that vgpu_params_parse() made
 * @buf: where to; all keys are named, but for a resolution and heads that are not set
 * @size: of @buf; 128 are enough
 *
 * Return: bytes, without the null byte
 */
size_t vgpu_params_print(const struct vgpu_params *params, char *buf,
			 size_t size)
{
	struct vgpu_params copy = *params;
	size_t len = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(vgpu_param_table); i++) {
		const struct vgpu_param *param = &vgpu_param_table[i];

		if (param->kind != VGPU_PARAM_CHOICE)
			continue;
		len += scnprintf(buf + len, size - len, "%s%s=%s",
				 len ? "," : "", param->key,
				 param->values[*vgpu_param_field(&copy, param)]);
	}
	if (params->width)
		len += scnprintf(buf + len, size - len, ",resolution=%ux%u",
				 params->width, params->height);
	if (params->heads)
		len += scnprintf(buf + len, size - len, ",heads=%u",
				 params->heads);
	return len;
}
