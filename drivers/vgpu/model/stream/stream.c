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

#include "compat/unaligned.h"
#include "model/stream/stream.h"

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
	put_unaligned_le64(size, p + 8);
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
 * @gpu: what is to execute its commands, empty; or NULL
 */
void vgpu_stream_init(struct vgpu_stream *stream,
		      const struct vgpu_profile *profile,
		      const struct vgpu_identity *identity,
		      const struct vgpu_stream_fb *fb, void *priv,
		      struct vgpu_gpu *gpu)
{
	memset(stream, 0, sizeof(*stream));
	vgpu_model_init(&stream->model, profile);
	vgpu_params_init(&stream->params);
	stream->identity = *identity;
	stream->fb = fb;
	stream->priv = priv;
	stream->gpu = gpu;
}

/* Whether a record may have that size. */
static bool stream_size_fits(const struct vgpu_stream *stream, u32 tag,
			     u64 size)
{
	switch (tag) {
	case VGPU_TAG_IDENTITY:
		return size <= VGPU_IDENTITY_MAX;
	case VGPU_TAG_FB_PAGES:
		if (size <= VGPU_STREAM_PAGES_HEAD)
			return false;
		size -= VGPU_STREAM_PAGES_HEAD;
		return !(size % VGPU_STREAM_PAGE) &&
		       size / VGPU_STREAM_PAGE <= stream_fb_pages(stream);
	case VGPU_TAG_FB_ZERO:
		return size == VGPU_STREAM_ZERO_SIZE;
	case VGPU_TAG_END:
		return !size;
	default:
		return size <= VGPU_STREAM_PAYLOAD;
	}
}

static bool stream_knows(u32 tag)
{
	return (tag >= VGPU_TAG_IDENTITY && tag < VGPU_TAG_CHANNEL) ||
	       (tag >= VGPU_TAG_VIRTIO && tag <= VGPU_TAG_SCANOUT) ||
	       tag == VGPU_TAG_FB_PAGES || tag == VGPU_TAG_FB_ZERO ||
	       tag == VGPU_TAG_END;
}

/* The head of a record is here. */
static int stream_record(struct vgpu_stream *stream)
{
	u32 tag = get_unaligned_le32(stream->header);
	u32 flags = get_unaligned_le32(stream->header + 4);
	u64 size = get_unaligned_le64(stream->header + 8);

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
	u64 page = get_unaligned_le64(stream->payload);
	u64 nr = get_unaligned_le64(stream->payload + 8);
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
	stream->data = false;
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
		ret = vgpu_state_load(stream);
		if (ret)
			stream_refuse(stream, ret, ret == -ENOMEM ? "no memory" :
								    "bad record");
	}
	stream->seen |= 1U << stream->tag;
	return ret;
}

/* The page number of FB_PAGES is here. */
static int stream_pages(struct vgpu_stream *stream)
{
	u64 page = get_unaligned_le64(stream->payload);
	u64 pages = stream_fb_pages(stream);

	if (page >= pages || stream->left / VGPU_STREAM_PAGE > pages - page)
		return stream_refuse(stream, -EINVAL, "pages beyond the framebuffer");
	stream->offset = page * VGPU_STREAM_PAGE;
	stream->data = true;
	return 0;
}

/**
 * vgpu_stream_pages() - pages of the framebuffer that come next
 * @stream: the stream
 * @offset: where in the framebuffer it belongs
 *
 * Return: bytes of pages that come next, which may go to the framebuffer without
 * vgpu_stream_feed() if vgpu_stream_passed() is called; 0 with other things
 */
u64 vgpu_stream_pages(const struct vgpu_stream *stream, u64 *offset)
{
	if (stream->error || !stream->data)
		return 0;
	*offset = stream->offset;
	return stream->left;
}

/**
 * vgpu_stream_wants() - how much vgpu_stream_feed() can take without pages
 * @stream: no pages come next
 *
 * Return: bytes, VGPU_STREAM_PAYLOAD at most; never 0
 */
size_t vgpu_stream_wants(const struct vgpu_stream *stream)
{
	/* Also in the middle of pages; vgpu_stream_feed() has the error. */
	if (stream->error)
		return VGPU_STREAM_PAYLOAD;
	if (stream->have < sizeof(stream->header))
		return sizeof(stream->header) - stream->have;
	if (!stream->skip && stream->tag == VGPU_TAG_FB_PAGES)
		return VGPU_STREAM_PAGES_HEAD - stream->len;
	return min_t(u64, stream->left, VGPU_STREAM_PAYLOAD);
}

/**
 * vgpu_stream_passed() - pages have gone to the framebuffer
 * @stream: the stream
 * @done: bytes, no more than vgpu_stream_pages() said, or what went wrong
 *
 * Return: as vgpu_stream_feed()
 */
int vgpu_stream_passed(struct vgpu_stream *stream, s64 done)
{
	if (done < 0)
		return stream_refuse(stream, done, "framebuffer");
	stream->offset += done;
	stream->left -= done;
	return stream->left ? 0 : stream_complete(stream);
}

/* Some of what follows the head; returns how much. */
static size_t stream_body(struct vgpu_stream *stream, const u8 *data,
			  size_t len)
{
	size_t n = min_t(u64, len, stream->left);
	int ret;

	if (stream->data) {
		ret = stream->fb->write(stream->priv, stream->offset, data, n);
		vgpu_stream_passed(stream, ret ?: n);
		return n;
	}
	n = min(n, vgpu_stream_wants(stream));
	stream->left -= n;
	if (!stream->skip) {
		memcpy(stream->payload + stream->len, data, n);
		stream->len += n;
	}
	if (!stream->left)
		stream_complete(stream);
	else if (!stream->skip && stream->tag == VGPU_TAG_FB_PAGES &&
		 stream->len == VGPU_STREAM_PAGES_HEAD)
		stream_pages(stream);
	return n;
}

/* Some of the head of a record; returns how much. */
static size_t stream_head(struct vgpu_stream *stream, const u8 *data,
			  size_t len)
{
	size_t n = min(len, vgpu_stream_wants(stream));

	memcpy(stream->header + stream->have, data, n);
	stream->have += n;
	if (stream->have == sizeof(stream->header) && !stream_record(stream) &&
	    !stream->left)
		stream_complete(stream);
	return n;
}

/**
 * vgpu_stream_feed() - read on
 * @stream: the stream
 * @data: what comes next
 * @len: bytes
 *
 * Return: 0, or what is wrong, and the same from then on: -ENODEV for a stream
 * of another vGPU; -EOPNOTSUPP for a mandatory record of an unknown kind; -EINVAL
 * for anything else that no source has written; -ENOMEM without memory for what is in
 * it; what the framebuffer returned
 */
int vgpu_stream_feed(struct vgpu_stream *stream, const void *data, size_t len)
{
	const u8 *at = data;
	size_t n;

	while (len && !stream->error) {
		if (stream->ended) {
			stream_refuse(stream, -EINVAL, "more after the end");
			break;
		}
		n = stream->have < sizeof(stream->header) ?
		    stream_head(stream, at, len) : stream_body(stream, at, len);
		at += n;
		len -= n;
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
