// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a migration stream, in pieces of any length.
 *
 * Whoever wrote it is not trusted.  The state of the device is gathered in a
 * model of its own, and counts only when the whole stream was good; pages go to
 * the framebuffer at once, which was cleared before and belongs to nobody until
 * then.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "compat.h"
#include "stream.h"

/* The first bytes of FB_PAGES, and all of FB_ZERO. */
#define STREAM_PAGES_HEAD	8
#define STREAM_ZERO_SIZE	16

static u64 stream_get64(const u8 *p)
{
	return get_unaligned_le32(p) | (u64)get_unaligned_le32(p + 4) << 32;
}

static void stream_put64(u64 value, u8 *p)
{
	put_unaligned_le32(lower_32_bits(value), p);
	put_unaligned_le32(upper_32_bits(value), p + 4);
}

static u64 stream_fb_pages(const struct vgpu_stream *stream)
{
	return stream->model.profile->fb_size / VGPU_STREAM_PAGE;
}

static int stream_refuse(struct vgpu_stream *stream, int error, const char *why)
{
	stream->error = error;
	stream->why = why;
	return error;
}

/**
 * vgpu_record_put() - write the head of a record
 * @buf: where to
 * @tag: enum vgpu_tag
 * @size: bytes that follow
 *
 * Return: bytes written
 */
size_t vgpu_record_put(void *buf, u32 tag, u64 size)
{
	u8 *p = buf;

	put_unaligned_le32(tag, p);
	put_unaligned_le32(VGPU_RECORD_MANDATORY, p + 4);
	stream_put64(size, p + 8);
	return sizeof(struct vgpu_record);
}

/**
 * vgpu_stream_begin() - write the record that a stream begins with
 * @identity: of the vGPU
 * @buf: where to, VGPU_STREAM_STATE bytes
 *
 * Return: bytes
 */
size_t vgpu_stream_begin(const struct vgpu_identity *identity, void *buf)
{
	char *text = (char *)buf + sizeof(struct vgpu_record);
	size_t len = vgpu_identity_print(identity, text, VGPU_IDENTITY_MAX);

	return vgpu_record_put(buf, VGPU_TAG_IDENTITY, len) + len;
}

/**
 * vgpu_stream_init() - before the first byte of a stream
 * @stream: all its memory belongs to this call
 * @profile: of the vGPU's type; must stay valid as long as @stream
 * @identity: of the vGPU
 * @fb: its framebuffer
 * @priv: for @fb
 */
void vgpu_stream_init(struct vgpu_stream *stream,
		      const struct vgpu_profile *profile,
		      const struct vgpu_identity *identity,
		      const struct vgpu_stream_fb *fb, void *priv)
{
	memset(stream, 0, sizeof(*stream));
	vgpu_model_init(&stream->model, profile);
	vgpu_params_init(&stream->params);
	stream->identity = *identity;
	stream->fb = fb;
	stream->priv = priv;
}

/* Whether a record may have that size. */
static bool stream_size_fits(const struct vgpu_stream *stream, u32 tag,
			     u64 size)
{
	switch (tag) {
	case VGPU_TAG_IDENTITY:
		return size <= VGPU_IDENTITY_MAX;
	case VGPU_TAG_FB_PAGES:
		if (size <= STREAM_PAGES_HEAD)
			return false;
		size -= STREAM_PAGES_HEAD;
		return !(size % VGPU_STREAM_PAGE) &&
		       size / VGPU_STREAM_PAGE <= stream_fb_pages(stream);
	case VGPU_TAG_FB_ZERO:
		return size == STREAM_ZERO_SIZE;
	case VGPU_TAG_END:
		return !size;
	default:
		return size <= VGPU_STREAM_PAYLOAD;
	}
}

static bool stream_knows(u32 tag)
{
	return (tag >= VGPU_TAG_IDENTITY && tag < VGPU_TAG_CHANNEL) ||
	       tag == VGPU_TAG_FB_PAGES || tag == VGPU_TAG_FB_ZERO ||
	       tag == VGPU_TAG_END;
}

/* The head of a record is here. */
static int stream_record(struct vgpu_stream *stream)
{
	u32 tag = get_unaligned_le32(stream->header);
	u32 flags = get_unaligned_le32(stream->header + 4);
	u64 size = stream_get64(stream->header + 8);

	stream->tag = tag;
	stream->left = size;
	stream->len = 0;
	stream->data = false;
	stream->skip = !stream_knows(tag);
	if (stream->seen ? tag == VGPU_TAG_IDENTITY :
			   tag != VGPU_TAG_IDENTITY)
		return stream_refuse(stream, -EINVAL, "does not begin with one identity");
	if (flags & ~VGPU_RECORD_MANDATORY)
		return stream_refuse(stream, -EINVAL, "unknown flags");
	if (stream->skip && (flags & VGPU_RECORD_MANDATORY))
		return stream_refuse(stream, -EOPNOTSUPP, "unknown record");
	if (!stream->skip && !(flags & VGPU_RECORD_MANDATORY))
		return stream_refuse(stream, -EINVAL, "known record without its flag");
	if (stream->skip ? size > VGPU_STREAM_SKIP_MAX :
			   !stream_size_fits(stream, tag, size))
		return stream_refuse(stream, -EINVAL, "bad size of a record");
	return 0;
}

static int stream_identity(struct vgpu_stream *stream)
{
	const char *part;
	int ret;

	ret = vgpu_identity_check(&stream->identity,
				  (const char *)stream->payload, stream->len,
				  &part);
	return ret ? stream_refuse(stream, ret, part) : 0;
}

static int stream_zero(struct vgpu_stream *stream)
{
	u64 page = stream_get64(stream->payload);
	u64 nr = stream_get64(stream->payload + 8);
	u64 pages = stream_fb_pages(stream);
	int ret;

	if (page >= pages || !nr || nr > pages - page)
		return stream_refuse(stream, -EINVAL, "pages beyond the framebuffer");
	ret = stream->fb->zero(stream->priv, page, nr);
	return ret ? stream_refuse(stream, ret, "framebuffer") : 0;
}

/* All of a record is here. */
static int stream_complete(struct vgpu_stream *stream)
{
	int ret = 0;

	stream->have = 0;
	if (stream->skip)
		return 0;
	switch (stream->tag) {
	case VGPU_TAG_IDENTITY:
		ret = stream_identity(stream);
		break;
	case VGPU_TAG_FB_PAGES:
		break;
	case VGPU_TAG_FB_ZERO:
		ret = stream_zero(stream);
		break;
	case VGPU_TAG_END:
		if (!vgpu_state_complete(stream))
			return stream_refuse(stream, -EINVAL, "a record is missing");
		stream->ended = true;
		break;
	default:
		if (!vgpu_state_load(stream))
			ret = stream_refuse(stream, -EINVAL, "bad record");
	}
	stream->seen |= 1U << stream->tag;
	return ret;
}

/* The page number of FB_PAGES is here. */
static int stream_pages(struct vgpu_stream *stream)
{
	u64 page = stream_get64(stream->payload);
	u64 pages = stream_fb_pages(stream);

	if (page >= pages || stream->left / VGPU_STREAM_PAGE > pages - page)
		return stream_refuse(stream, -EINVAL, "pages beyond the framebuffer");
	stream->offset = page * VGPU_STREAM_PAGE;
	stream->data = true;
	return 0;
}

/* Some of what follows the head; how much goes to @used. */
static int stream_body(struct vgpu_stream *stream, const u8 *data, size_t len,
		       size_t *used)
{
	size_t n = min_t(u64, len, stream->left);
	bool pages = !stream->skip && stream->tag == VGPU_TAG_FB_PAGES;
	int ret = 0;

	if (pages && !stream->data)
		n = min_t(size_t, n, STREAM_PAGES_HEAD - stream->len);
	*used = n;
	stream->left -= n;
	if (stream->skip)
		return 0;
	if (stream->data) {
		ret = stream->fb->write(stream->priv, stream->offset, data, n);
		stream->offset += n;
		return ret ? stream_refuse(stream, ret, "framebuffer") : 0;
	}
	memcpy(stream->payload + stream->len, data, n);
	stream->len += n;
	if (pages && stream->len == STREAM_PAGES_HEAD)
		ret = stream_pages(stream);
	return ret;
}

/**
 * vgpu_stream_feed() - read on
 * @stream: the stream
 * @data: what comes next
 * @len: bytes
 *
 * Return: 0, or what is wrong, and the same from then on: -ENODEV for a stream
 * of another vGPU; -EOPNOTSUPP for a mandatory record that is not known; -EINVAL
 * for anything else that no source has written; what the framebuffer returned
 */
int vgpu_stream_feed(struct vgpu_stream *stream, const void *data, size_t len)
{
	const u8 *at = data;
	size_t n;
	int ret;

	while (len && !stream->error) {
		if (stream->ended) {
			stream_refuse(stream, -EINVAL, "more after the end");
		} else if (stream->have < sizeof(stream->header)) {
			n = min_t(size_t, len,
				  sizeof(stream->header) - stream->have);
			memcpy(stream->header + stream->have, at, n);
			stream->have += n;
			ret = stream->have == sizeof(stream->header) ?
			      stream_record(stream) : 1;
			if (!ret && !stream->left)
				stream_complete(stream);
			at += n;
			len -= n;
		} else {
			ret = stream_body(stream, at, len, &n);
			if (!ret && !stream->left)
				stream_complete(stream);
			at += n;
			len -= n;
		}
	}
	return stream->error;
}

/**
 * vgpu_stream_finish() - nothing comes any more
 * @stream: on success, its model and params are what a vGPU of the type can be
 *
 * Return: 0; -EINVAL for a stream without an end; what vgpu_stream_feed() found
 */
int vgpu_stream_finish(struct vgpu_stream *stream)
{
	if (!stream->error && !stream->ended)
		stream_refuse(stream, -EINVAL, "cut short");
	return stream->error;
}
