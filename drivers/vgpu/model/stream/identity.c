// SPDX-License-Identifier: GPL-2.0
/*
 * migration_version: a line of text that says what a vGPU is, and whether
 * another one can become it.  Nothing in it depends on the host, so that the
 * same type on two kinds of pGPU is the same.
 *
 * As the device model, this calls nothing but string functions.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/number.h"
#include "model/personality.h"
#include "model/stream/identity.h"

#define IDENTITY_DRIVER	"vgpu"

/* What the target must have, given what the source has. */
enum identity_rule {
	IDENTITY_SAME,
	IDENTITY_AT_LEAST,
	IDENTITY_ALL_BITS,
	IDENTITY_VERSION,	/* the same upper half, and at least the lower */
};

static const struct {
	const char *key;
	const char *part;	/* for people */
	enum identity_rule rule;
} identity_keys[VGPU_IDENTITY_NR] = {
	[VGPU_IDENTITY_FB] = { "fb", "framebuffer size", IDENTITY_SAME },
	[VGPU_IDENTITY_HEADS] = { "heads", "number of heads", IDENTITY_SAME },
	[VGPU_IDENTITY_WIDTH] = { "width", "largest width", IDENTITY_SAME },
	[VGPU_IDENTITY_HEIGHT] = { "height", "largest height", IDENTITY_SAME },
	[VGPU_IDENTITY_RATE] = { "rate", "frame rate", IDENTITY_SAME },
	[VGPU_IDENTITY_DEVICE] = { "device", "device version",
				   IDENTITY_VERSION },
	[VGPU_IDENTITY_FEATURES] = { "features", "features",
				     IDENTITY_ALL_BITS },
	[VGPU_IDENTITY_ECC] = { "ecc", "ECC", IDENTITY_AT_LEAST },
	[VGPU_IDENTITY_ENGINE] = { "engine", "engine version",
				   IDENTITY_SAME },
};

/**
 * vgpu_identity_init() - describe a vGPU
 * @identity: where to
 * @type: its type
 * @ecc: whether errors of its memory are detected
 */
void vgpu_identity_init(struct vgpu_identity *identity,
			const struct vgpu_type_desc *type, bool ecc)
{
	const struct vgpu_profile *profile = &type->profile;

	memset(identity, 0, sizeof(*identity));
	memcpy(identity->type, type->id, sizeof(identity->type));
	identity->value[VGPU_IDENTITY_FB] = profile->fb_size;
	identity->value[VGPU_IDENTITY_HEADS] = profile->num_heads;
	identity->value[VGPU_IDENTITY_WIDTH] = profile->max_width;
	identity->value[VGPU_IDENTITY_HEIGHT] = profile->max_height;
	identity->value[VGPU_IDENTITY_RATE] = profile->frl_hz;
	identity->value[VGPU_IDENTITY_DEVICE] =
		vgpu_personality(profile)->version;
	identity->value[VGPU_IDENTITY_FEATURES] =
		vgpu_personality(profile)->features;
	identity->value[VGPU_IDENTITY_ECC] = ecc;
	/* No vGPU has an engine yet. */
	identity->value[VGPU_IDENTITY_ENGINE] = 0;
}

/**
 * vgpu_identity_print() - write it as text
 * @identity: the identity
 * @buf: where to; no newline
 * @size: of @buf; VGPU_IDENTITY_MAX is enough
 *
 * Return: bytes, without the null byte
 */
size_t vgpu_identity_print(const struct vgpu_identity *identity, char *buf,
			   size_t size)
{
	size_t len;
	u32 i;

	len = scnprintf(buf, size, IDENTITY_DRIVER " format=%u type=%s",
			VGPU_IDENTITY_FORMAT, identity->type);
	for (i = 0; i < VGPU_IDENTITY_NR; i++)
		len += scnprintf(buf + len, size - len, " %s=%llu",
				 identity_keys[i].key,
				 (unsigned long long)identity->value[i]);
	return len;
}

/* What is left of a text. */
struct identity_text {
	const char *at;
	const char *end;
};

static bool identity_word(struct identity_text *text, const char *word)
{
	size_t len = strlen(word);

	if (text->end - text->at < len || memcmp(text->at, word, len))
		return false;
	text->at += len;
	return true;
}

/* The value of the next key, which ends at a space or with the text. */
static bool identity_value(struct identity_text *text, const char *key,
			   const char **value, size_t *len)
{
	const char *space;

	if (!identity_word(text, " ") || !identity_word(text, key) ||
	    !identity_word(text, "="))
		return false;
	*value = text->at;
	space = memchr(text->at, ' ', text->end - text->at);
	*len = (space ?: text->end) - text->at;
	text->at += *len;
	return *len;
}

/* Decimal, in the one way that it is printed. */
static bool identity_number(struct identity_text *text, const char *key,
			    u64 *number)
{
	const char *value;
	size_t len;

	return identity_value(text, key, &value, &len) &&
	       vgpu_number_parse(value, len, 19, number);
}

static bool identity_fits(enum identity_rule rule, u64 source, u64 target)
{
	switch (rule) {
	case IDENTITY_AT_LEAST:
		return source <= target;
	case IDENTITY_ALL_BITS:
		return !(source & ~target);
	case IDENTITY_VERSION:
		return source >> 16 == target >> 16 &&
		       (source & 0xffff) <= (target & 0xffff);
	default:
		return source == target;
	}
}

/**
 * vgpu_identity_check() - whether a vGPU can take the state of another
 * @target: the one that would
 * @text: what vgpu_identity_print() said of the other; a newline at the end is
 *	ignored.  Need not end in a null byte.
 * @len: bytes of @text
 * @part: on error, the part that differs, in words
 *
 * Return: 0; -EINVAL for what no version of this driver has printed; -ENODEV for
 * another driver, format or vGPU
 */
int vgpu_identity_check(const struct vgpu_identity *target, const char *text,
			size_t len, const char **part)
{
	struct identity_text left = { text, text + len };
	const char *differs = NULL, *type;
	u64 number;
	size_t n;
	u32 i;

	if (len && text[len - 1] == '\n')
		left.end--;
	*part = "length";
	if (left.end - left.at > VGPU_IDENTITY_MAX)
		return -EINVAL;
	*part = "driver";
	if (!identity_word(&left, IDENTITY_DRIVER) ||
	    (left.at < left.end && *left.at != ' '))
		return -ENODEV;
	*part = "format version";
	if (!identity_number(&left, "format", &number))
		return -EINVAL;
	/* The rest may be anything then. */
	if (number != VGPU_IDENTITY_FORMAT)
		return -ENODEV;
	*part = "type";
	if (!identity_value(&left, "type", &type, &n))
		return -EINVAL;
	if (n != strlen(target->type) || memcmp(type, target->type, n))
		differs = *part;
	for (i = 0; i < VGPU_IDENTITY_NR; i++) {
		*part = identity_keys[i].part;
		if (!identity_number(&left, identity_keys[i].key, &number))
			return -EINVAL;
		if (!differs && !identity_fits(identity_keys[i].rule, number,
					       target->value[i]))
			differs = *part;
	}
	*part = "end";
	if (left.at != left.end)
		return -EINVAL;
	*part = differs;
	return differs ? -ENODEV : 0;
}
