// SPDX-License-Identifier: GPL-2.0
/*
 * The device model as records of a migration stream.
 *
 * The layout of a record is one function that runs in both directions, so that
 * saving and loading cannot disagree; what has been loaded is then checked by
 * the part of the model that it belongs to.  All is little-endian, without
 * padding.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "compat/unaligned.h"
#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/pci_config.h"
#include "model/stream/stream.h"

/**
 * struct state_pack - a record on its way in or out
 * @at: where in it
 * @left: bytes from there on
 * @load: from the record to the model
 * @bad: it is too short, or a value of it is none
 */
struct state_pack {
	u8 *at;
	size_t left;
	bool load;
	bool bad;
};

/* The next bytes, or NULL. */
static u8 *pack_next(struct state_pack *pack, size_t len)
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

static void pack_bytes(struct state_pack *pack, void *bytes, size_t len)
{
	u8 *at = pack_next(pack, len);

	if (at)
		memcpy(pack->load ? bytes : at, pack->load ? at : bytes, len);
}

static void pack_u16(struct state_pack *pack, u16 *value)
{
	u8 *at = pack_next(pack, 2);

	if (at && pack->load)
		*value = get_unaligned_le16(at);
	else if (at)
		put_unaligned_le16(*value, at);
}

static void pack_u32(struct state_pack *pack, u32 *value)
{
	u8 *at = pack_next(pack, 4);

	if (at && pack->load)
		*value = get_unaligned_le32(at);
	else if (at)
		put_unaligned_le32(*value, at);
}

static void pack_u64(struct state_pack *pack, u64 *value)
{
	u8 *at = pack_next(pack, 8);

	if (at && pack->load)
		*value = get_unaligned_le64(at);
	else if (at)
		put_unaligned_le64(*value, at);
}

static void pack_bool(struct state_pack *pack, bool *value)
{
	u32 word = *value;

	pack_u32(pack, &word);
	if (word > 1)
		pack->bad = true;
	else
		*value = word;
}

static void pack_config(struct state_pack *pack, struct vgpu_model *model)
{
	u8 config[VGPU_CONFIG_USED];

	memcpy(config, model->config, sizeof(config));
	pack_bytes(pack, config, sizeof(config));
	if (pack->load && !vgpu_config_load(model, config))
		pack->bad = true;
}

static void pack_dispi(struct state_pack *pack, struct vgpu_model *model)
{
	u32 i;

	/* The first and the last are not the guest's. */
	for (i = VGPU_DISPI_XRES; i < VGPU_DISPI_VIDEO_MEMORY_64K; i++)
		pack_u16(pack, &model->dispi[i]);
	pack_bool(pack, &model->att_data);
	pack_bool(pack, &model->blanked);
	pack_bool(pack, &model->dispi_on);
}

static void pack_scanout(struct state_pack *pack, struct vgpu_scanout *scanout)
{
	pack_u32(pack, &scanout->format);
	pack_u32(pack, &scanout->width);
	pack_u32(pack, &scanout->height);
	pack_u32(pack, &scanout->pitch);
	pack_u64(pack, &scanout->offset);
}

static void pack_head(struct state_pack *pack, struct vgpu_model *model,
		      u32 head)
{
	struct vgpu_head *h = &model->heads[head];
	u16 x = h->cursor.x, y = h->cursor.y;
	u32 i;

	pack_scanout(pack, &h->shown);
	pack_scanout(pack, &h->next);
	pack_bool(pack, &h->flip);
	pack_bool(pack, &h->refused);
	pack_scanout(pack, &h->cursor.image);
	pack_u16(pack, &x);
	pack_u16(pack, &y);
	pack_u16(pack, &h->cursor.hot_x);
	pack_u16(pack, &h->cursor.hot_y);
	pack_u32(pack, &h->vblanks);
	pack_u32(pack, &h->flips);
	for (i = 0; i < ARRAY_SIZE(h->regs); i++)
		pack_u32(pack, &h->regs[i]);
	h->cursor.x = (s16)x;
	h->cursor.y = (s16)y;
	if (pack->load && !(vgpu_head_valid(model->profile, h) &&
			    vgpu_head_regs_valid(h)))
		pack->bad = true;
}

static void pack_link(struct state_pack *pack, struct vgpu_model *model)
{
	struct vgpu_link *link = &model->link;

	pack_bool(pack, &link->up);
	pack_u32(pack, &link->size);
	pack_bytes(pack, link->blob, sizeof(link->blob));
	pack_bytes(pack, model->edid, sizeof(model->edid));
	if (pack->load && !vgpu_link_valid(model))
		pack->bad = true;
}

static void pack_native(struct state_pack *pack, struct vgpu_model *model)
{
	u32 i;

	pack_u32(pack, &model->irq_status);
	pack_u32(pack, &model->irq_enable);
	pack_u32(pack, &model->doorbells);
	for (i = 0; i < ARRAY_SIZE(model->msix); i++)
		pack_u32(pack, &model->msix[i]);
	if (pack->load && !vgpu_event_valid(model))
		pack->bad = true;
}

/* Whether errors are noticed is the target's own. */
static void pack_ecc(struct state_pack *pack, struct vgpu_model *model)
{
	struct vgpu_ecc *ecc = &model->ecc;

	pack_bool(pack, &ecc->opt_out);
	pack_bool(pack, &ecc->error);
	pack_u32(pack, &ecc->sbe);
	pack_u32(pack, &ecc->dbe);
	pack_u32(pack, &ecc->page);
	if (pack->load && !vgpu_event_valid(model))
		pack->bad = true;
}

/*
 * What of it counts is up to who loads it; how the VMM gets at the picture does not:
 * that of the target has already found out.
 */
static void pack_params(struct state_pack *pack, struct vgpu_params *params)
{
	pack_u32(pack, &params->frame_rate_limiter);
	pack_u32(pack, &params->disable_vnc);
	if (params->frame_rate_limiter > 1 || params->disable_vnc > 1)
		pack->bad = true;
}

static void pack_record(struct state_pack *pack, u32 tag,
			struct vgpu_model *model, struct vgpu_params *params,
			u32 head)
{
	switch (tag) {
	case VGPU_TAG_CONFIG:
		pack_config(pack, model);
		break;
	case VGPU_TAG_DISPI:
		pack_dispi(pack, model);
		break;
	case VGPU_TAG_HEAD:
		pack_head(pack, model, head);
		break;
	case VGPU_TAG_LINK:
		pack_link(pack, model);
		break;
	case VGPU_TAG_NATIVE:
		pack_native(pack, model);
		break;
	case VGPU_TAG_ECC:
		pack_ecc(pack, model);
		break;
	case VGPU_TAG_PARAMS:
		pack_params(pack, params);
		break;
	default:
		pack->bad = true;
	}
}

/* Tags of which there is one record, or for HEAD one for each, and no other. */
static const u32 state_tags[] = {
	VGPU_TAG_CONFIG, VGPU_TAG_DISPI, VGPU_TAG_HEAD, VGPU_TAG_LINK,
	VGPU_TAG_NATIVE, VGPU_TAG_ECC, VGPU_TAG_PARAMS,
};

/* A record into a buffer in which there is room for all. */
static u8 *state_put(u8 *buf, u32 tag, struct vgpu_model *model,
		     struct vgpu_params *params, u32 head)
{
	struct state_pack pack = {
		.at = buf + sizeof(struct vgpu_record),
		.left = VGPU_STREAM_PAYLOAD,
	};

	if (tag == VGPU_TAG_HEAD)
		pack_u32(&pack, &head);
	pack_record(&pack, tag, model, params, head);
	vgpu_record_put(buf, tag, VGPU_STREAM_PAYLOAD - pack.left);
	return pack.at;
}

/**
 * vgpu_state_save() - write all records of a device, and END
 * @model: the device; as it was afterwards, but written to
 * @params: its settings
 * @buf: where to, VGPU_STREAM_STATE bytes
 *
 * Return: bytes
 */
size_t vgpu_state_save(struct vgpu_model *model,
		       const struct vgpu_params *params, void *buf)
{
	struct vgpu_params p = *params;
	u8 *at = buf;
	u32 i, head;

	for (i = 0; i < ARRAY_SIZE(state_tags); i++) {
		u32 nr = state_tags[i] == VGPU_TAG_HEAD ?
			 model->profile->num_heads : 1;

		for (head = 0; head < nr; head++)
			at = state_put(at, state_tags[i], model, &p, head);
	}
	at += vgpu_record_put(at, VGPU_TAG_END, 0);
	return at - (u8 *)buf;
}

/**
 * vgpu_state_load() - read a record of a device
 * @stream: all of the record is in its payload
 *
 * Return: false for one that is too short or too long, was there before, or has
 * in it what the device cannot be in
 */
bool vgpu_state_load(struct vgpu_stream *stream)
{
	struct state_pack pack = {
		.at = stream->payload,
		.left = stream->len,
		.load = true,
	};
	u32 head = 0;

	if (stream->tag == VGPU_TAG_HEAD) {
		pack_u32(&pack, &head);
		if (pack.bad || head >= stream->model.profile->num_heads ||
		    stream->heads & 1U << head)
			return false;
		stream->heads |= 1U << head;
	} else if (stream->seen & 1U << stream->tag) {
		return false;
	}
	pack_record(&pack, stream->tag, &stream->model, &stream->params, head);
	return !pack.bad && !pack.left;
}

/**
 * vgpu_state_complete() - whether all records were there
 * @stream: at its end
 *
 * Return: true if so
 */
bool vgpu_state_complete(const struct vgpu_stream *stream)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(state_tags); i++)
		if (!(stream->seen & 1U << state_tags[i]))
			return false;
	return stream->heads == (1U << stream->model.profile->num_heads) - 1;
}
