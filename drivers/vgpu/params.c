// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu_params: comma-separated key=value settings of one vGPU.  One table of
 * keys is all there is to know about them.
 *
 * As the device model, this calls nothing but string functions, so that it
 * builds in user space, too.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "params.h"

static const struct vgpu_param {
	const char *key;
	const char *values[3];		/* the first is 0, and so on */
	size_t offset;			/* of a u32 in struct vgpu_params */
	u32 initial;
} vgpu_param_table[] = {
	{ "frame_rate_limiter", { "0", "1" },
	  offsetof(struct vgpu_params, frame_rate_limiter), 1 },
	{ "disable_vnc", { "0", "1" },
	  offsetof(struct vgpu_params, disable_vnc), 0 },
	{ "console", { "region", "dmabuf" },
	  offsetof(struct vgpu_params, console), VGPU_CONSOLE_REGION },
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

	for (i = 0; i < ARRAY_SIZE(vgpu_param_table); i++)
		*vgpu_param_field(params, &vgpu_param_table[i]) =
			vgpu_param_table[i].initial;
}

static bool vgpu_param_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

/* Returns what is wrong with one setting, or NULL. */
static const char *vgpu_param_parse(struct vgpu_params *params, u32 *seen,
				    const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? equals - text : len;
	const struct vgpu_param *param = NULL;
	u32 i, value;

	for (i = 0; i < ARRAY_SIZE(vgpu_param_table) && !param; i++)
		if (vgpu_param_is(text, key_len, vgpu_param_table[i].key))
			param = &vgpu_param_table[i];
	if (!param)
		return "unknown key";
	if (!equals)
		return "no value";
	if (*seen & 1U << (i - 1))
		return "key given twice";
	*seen |= 1U << (i - 1);
	for (value = 0; param->values[value]; value++) {
		if (vgpu_param_is(equals + 1, len - key_len - 1,
				  param->values[value])) {
			*vgpu_param_field(params, param) = value;
			return NULL;
		}
	}
	return "bad value";
}

/**
 * vgpu_params_parse() - read settings
 * @params: what they come to; keys that are not named get their initial value.
 *	Unchanged on error.
 * @text: key=value settings with commas between, or one space for none; a
 *	newline at the end is ignored.  Need not end in a null byte.
 * @len: bytes of @text
 * @error: what is wrong, on error
 *
 * Return: 0 or -EINVAL
 */
int vgpu_params_parse(struct vgpu_params *params, const char *text, size_t len,
		      struct vgpu_params_error *error)
{
	struct vgpu_params result;
	const char *end;
	u32 seen = 0;

	if (len && text[len - 1] == '\n')
		len--;
	end = text + len;
	error->at = text;
	error->len = 0;
	error->why = "too long";
	if (len > VGPU_PARAMS_MAX)
		return -EINVAL;

	vgpu_params_init(&result);
	while (!vgpu_param_is(text, len, " ")) {
		const char *comma = memchr(error->at, ',', end - error->at);

		error->len = (comma ?: end) - error->at;
		error->why = vgpu_param_parse(&result, &seen, error->at,
					      error->len);
		if (error->why)
			return -EINVAL;
		if (!comma)
			break;
		error->at = comma + 1;
	}
	*params = result;
	return 0;
}

/**
 * vgpu_params_print() - the text that says the same
 * @params: any that vgpu_params_parse() made
 * @buf: where to; all keys are named
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
		u32 value = *vgpu_param_field(&copy, param);

		len += scnprintf(buf + len, size - len, "%s%s=%s",
				 i ? "," : "", param->key,
				 param->values[value]);
	}
	return len;
}
