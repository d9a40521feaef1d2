// SPDX-License-Identifier: GPL-2.0
/*
 * The device model as records of a migration stream.
 *
 * The layout of a record is one function that runs in both directions, so that
 * saving and loading cannot disagree; what has been loaded is then checked by
 * the part of the model that it belongs to.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/pci_config.h"
#include "model/personality.h"
#include "model/stream/pack.h"
#include "model/stream/stream.h"
#include "model/virtio/state.h"

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

/* Whether errors are detected is the target's own. */
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
			struct vgpu_gpu *gpu, u32 head)
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
	case VGPU_TAG_VIRTIO:
		vgpu_virtio_pack(pack, model, gpu);
		break;
	case VGPU_TAG_SCANOUT:
		vgpu_gpu_pack_scanout(pack, gpu, head);
		break;
	default:
		pack->bad = true;
	}
}

/*
 * Tags of which there is one record, or one for each head, and no other.  Of RESOURCE
 * there may be any number, before the first SCANOUT, which names resources.
 */
static const u32 bochs_tags[] = {
	VGPU_TAG_CONFIG, VGPU_TAG_DISPI, VGPU_TAG_HEAD, VGPU_TAG_LINK,
	VGPU_TAG_NATIVE, VGPU_TAG_ECC, VGPU_TAG_PARAMS, 0
};

static const u32 virtio_tags[] = {
	VGPU_TAG_CONFIG, VGPU_TAG_HEAD, VGPU_TAG_LINK, VGPU_TAG_ECC,
	VGPU_TAG_PARAMS, VGPU_TAG_VIRTIO, VGPU_TAG_SCANOUT, 0
};

static const u32 *const state_tags[VGPU_NR_PERSONALITIES] = {
	[VGPU_BOCHS] = bochs_tags,
	[VGPU_VIRTIO] = virtio_tags,
};

static bool state_tag_known(const struct vgpu_profile *profile, u32 tag)
{
	const u32 *known = state_tags[profile->personality];

	while (*known && *known != tag)
		known++;
	return *known;
}

static bool state_tag_of_head(u32 tag)
{
	return tag == VGPU_TAG_HEAD || tag == VGPU_TAG_SCANOUT;
}

/* A record into a buffer in which there is room for all. */
static u8 *state_put(u8 *buf, u32 tag, struct vgpu_model *model,
		     struct vgpu_params *params, struct vgpu_gpu *gpu, u32 head)
{
	struct state_pack pack = {
		.at = buf + sizeof(struct vgpu_record),
		.left = VGPU_STREAM_PAYLOAD,
	};

	if (state_tag_of_head(tag))
		pack_u32(&pack, &head);
	pack_record(&pack, tag, model, params, gpu, head);
	vgpu_record_put(buf, tag, VGPU_STREAM_PAYLOAD - pack.left);
	return pack.at;
}

/**
 * vgpu_state_save() - write all records of a device but those of resources, and END
 * @model: the device; as it was afterwards, but written to
 * @params: its settings
 * @gpu: what executes its commands, whose resources have been saved; or NULL
 * @buf: where to, VGPU_STREAM_STATE bytes
 *
 * Return: bytes
 */
size_t vgpu_state_save(struct vgpu_model *model,
		       const struct vgpu_params *params, struct vgpu_gpu *gpu,
		       void *buf)
{
	const u32 *tag = state_tags[model->profile->personality];
	struct vgpu_params p = *params;
	u8 *at = buf;
	u32 head;

	for (; *tag; tag++) {
		u32 nr = state_tag_of_head(*tag) ? model->profile->num_heads : 1;

		for (head = 0; head < nr; head++)
			at = state_put(at, *tag, model, &p, gpu, head);
	}
	at += vgpu_record_put(at, VGPU_TAG_END, 0);
	return at - (u8 *)buf;
}

/* What was wrong with a record that has been read. */
static int state_loaded(const struct state_pack *pack)
{
	if (!pack->bad && !pack->left)
		return 0;
	return pack->no_memory ? -ENOMEM : -EINVAL;
}

/**
 * vgpu_state_load() - read a record of a device
 * @stream: all of the record is in its payload
 *
 * Return: 0; -EINVAL for one that is too short or too long, was there before, or has
 * in it what the device cannot be in; -ENOMEM
 */
int vgpu_state_load(struct vgpu_stream *stream)
{
	struct state_pack pack = {
		.at = stream->payload,
		.left = stream->len,
		.load = true,
	};
	u32 *heads = stream->tag == VGPU_TAG_HEAD ? &stream->heads :
						    &stream->scanouts;
	u32 head = 0;

	if (stream->tag == VGPU_TAG_RESOURCE && stream->gpu) {
		if (stream->seen & 1U << VGPU_TAG_SCANOUT)
			return -EINVAL;
		vgpu_gpu_pack_resource(&pack, stream->gpu, NULL);
		return state_loaded(&pack);
	}
	if (!state_tag_known(stream->model.profile, stream->tag))
		return -EINVAL;
	if (state_tag_of_head(stream->tag)) {
		pack_u32(&pack, &head);
		if (pack.bad || head >= stream->model.profile->num_heads ||
		    *heads & 1U << head)
			return -EINVAL;
		*heads |= 1U << head;
	} else if (stream->seen & 1U << stream->tag) {
		return -EINVAL;
	}
	pack_record(&pack, stream->tag, &stream->model, &stream->params,
		    stream->gpu, head);
	return state_loaded(&pack);
}

/**
 * vgpu_state_complete() - whether all records were there
 * @stream: at its end
 *
 * Return: true if so
 */
bool vgpu_state_complete(const struct vgpu_stream *stream)
{
	const struct vgpu_profile *profile = stream->model.profile;
	const u32 *tag = state_tags[profile->personality];
	u32 heads = (1U << profile->num_heads) - 1;

	for (; *tag; tag++)
		if (!(stream->seen & 1U << *tag))
			return false;
	return stream->heads == heads &&
	       (!stream->gpu || (stream->scanouts == heads &&
				 vgpu_gpu_loaded(stream->gpu)));
}
