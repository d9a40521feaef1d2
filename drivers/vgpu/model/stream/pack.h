/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values of a record, in both directions.  All is little-endian, without padding.
 */
#ifndef _VGPU_STREAM_PACK_H
#define _VGPU_STREAM_PACK_H

#include <linux/string.h>
#include <linux/types.h>

#include "compat/unaligned.h"
#include "model/display.h"

/**
 * struct state_pack - a record on its way in or out
 * @at: where in it
 * @left: bytes from there on
 * @load: from the record to the model
 * @bad: it is too short, or a value of it is none
 * @no_memory: there is no memory for what is in it, and so it is taken for bad
 */
struct state_pack {
	u8 *at;
	size_t left;
	bool load;
	bool bad;
	bool no_memory;
};

/* The next bytes, or NULL. */
static inline u8 *pack_next(struct state_pack *pack, size_t len)
{
	u8 *at = pack->at;

	if (pack->left < len)
		pack->bad = true;
	if (pack->bad)
		return NULL;
	pack->at += len;
	pack->left -= len;
	return at;
}

static inline void pack_bytes(struct state_pack *pack, void *bytes, size_t len)
{
	u8 *at = pack_next(pack, len);

	if (at)
		memcpy(pack->load ? bytes : at, pack->load ? at : bytes, len);
}

static inline void pack_u16(struct state_pack *pack, u16 *value)
{
	u8 *at = pack_next(pack, 2);

	if (at && pack->load)
		*value = get_unaligned_le16(at);
	else if (at)
		put_unaligned_le16(*value, at);
}

static inline void pack_u32(struct state_pack *pack, u32 *value)
{
	u8 *at = pack_next(pack, 4);

	if (at && pack->load)
		*value = get_unaligned_le32(at);
	else if (at)
		put_unaligned_le32(*value, at);
}

static inline void pack_u64(struct state_pack *pack, u64 *value)
{
	u8 *at = pack_next(pack, 8);

	if (at && pack->load)
		*value = get_unaligned_le64(at);
	else if (at)
		put_unaligned_le64(*value, at);
}

static inline void pack_bool(struct state_pack *pack, bool *value)
{
	u32 word = *value;

	pack_u32(pack, &word);
	if (word > 1)
		pack->bad = true;
	else
		*value = word;
}

static inline void pack_scanout(struct state_pack *pack, struct vgpu_scanout *scanout)
{
	pack_u32(pack, &scanout->format);
	pack_u32(pack, &scanout->width);
	pack_u32(pack, &scanout->height);
	pack_u32(pack, &scanout->pitch);
	pack_u64(pack, &scanout->offset);
}

static inline void pack_u8(struct state_pack *pack, u8 *value)
{
	pack_bytes(pack, value, 1);
}

#endif /* _VGPU_STREAM_PACK_H */
