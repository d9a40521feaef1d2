/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vGPU's state as a stream of records; Documentation/migration.md has the
 * format.  Calls no VFIO and touches no user memory, as the device model.
 */
#ifndef _VGPU_STREAM_H
#define _VGPU_STREAM_H

#include "model/stream/identity.h"
#include "model/model.h"
#include "model/params.h"

struct vgpu_gpu;

/**
 * struct vgpu_record - what each record begins with
 * @tag: enum vgpu_tag
 * @flags: VGPU_RECORD_*
 * @size: bytes that follow
 */
struct vgpu_record {
	__le32 tag;
	__le32 flags;
	__le64 size;
};

/* Whoever does not support the record must not take the stream. */
#define VGPU_RECORD_MANDATORY	0x1

/* Numbers are never used again for something else. */
enum vgpu_tag {
	VGPU_TAG_IDENTITY = 1,
	VGPU_TAG_CONFIG = 2,
	VGPU_TAG_DISPI = 3,
	VGPU_TAG_HEAD = 4,
	VGPU_TAG_LINK = 5,
	VGPU_TAG_NATIVE = 6,
	VGPU_TAG_ECC = 7,
	VGPU_TAG_PARAMS = 8,
	VGPU_TAG_CHANNEL = 9,	/* command channels, which there never were */
	VGPU_TAG_VIRTIO = 10,
	VGPU_TAG_RESOURCE = 11,
	VGPU_TAG_SCANOUT = 12,
	VGPU_TAG_FB_PAGES = 16,
	VGPU_TAG_FB_ZERO = 17,
	VGPU_TAG_END = 31,
	VGPU_NR_TAGS
};

/* Pages of a stream have this size wherever it comes from. */
#define VGPU_STREAM_PAGE	4096

/* What FB_PAGES has before the pages, and all of FB_ZERO. */
#define VGPU_STREAM_PAGES_HEAD	8
#define VGPU_STREAM_ZERO_SIZE	16

/* Largest record of an unknown tag that is passed over. */
#define VGPU_STREAM_SKIP_MAX	(1U << 20)

/* Largest record but for FB_PAGES, and room for all but those and IDENTITY. */
#define VGPU_STREAM_PAYLOAD	4096
#define VGPU_STREAM_STATE	8192

/**
 * struct vgpu_stream_fb - where the framebuffer of a stream goes
 * @write: @len bytes to byte @offset; in the framebuffer
 * @zero: @nr pages from @page on become zero; in the framebuffer
 */
struct vgpu_stream_fb {
	int (*write)(void *priv, u64 offset, const void *data, size_t len);
	int (*zero)(void *priv, u64 page, u64 nr);
};

/**
 * struct vgpu_stream - a stream that is being read
 * @identity: of the vGPU that takes it
 * @fb: its framebuffer
 * @priv: for @fb
 * @model: the state that has been read so far; nobody else's
 * @params: settings that have been read
 * @gpu: what is to execute commands, empty at first; NULL with a personality that has none
 * @header: the record that is being read
 * @have: bytes of @header that there are
 * @tag: of the record
 * @left: bytes of it that are not here yet
 * @skip: its kind is unknown
 * @offset: in the framebuffer, of the next byte of FB_PAGES
 * @data: @offset is valid
 * @payload: what is here of a record that is looked at as a whole
 * @len: bytes in @payload
 * @seen: a bit for each tag that was there
 * @heads: a bit for each head of which there was a HEAD
 * @scanouts: the same for SCANOUT
 * @ended: END was there
 * @error: what was wrong, as an errno; nothing more is read
 * @why: the same in words
 */
struct vgpu_stream {
	struct vgpu_identity identity;
	const struct vgpu_stream_fb *fb;
	void *priv;
	struct vgpu_model model;
	struct vgpu_params params;
	struct vgpu_gpu *gpu;
	u8 header[sizeof(struct vgpu_record)];
	u32 have;
	u32 tag;
	u64 left;
	bool skip;
	u64 offset;
	bool data;
	u8 payload[VGPU_STREAM_PAYLOAD];
	u32 len;
	u32 seen;
	u32 heads;
	u32 scanouts;
	bool ended;
	int error;
	const char *why;
};

/* stream.c */
void vgpu_stream_init(struct vgpu_stream *stream,
		      const struct vgpu_profile *profile,
		      const struct vgpu_identity *identity,
		      const struct vgpu_stream_fb *fb, void *priv,
		      struct vgpu_gpu *gpu);
int vgpu_stream_feed(struct vgpu_stream *stream, const void *data, size_t len);
u64 vgpu_stream_pages(const struct vgpu_stream *stream, u64 *offset);
int vgpu_stream_passed(struct vgpu_stream *stream, s64 done);
size_t vgpu_stream_wants(const struct vgpu_stream *stream);
int vgpu_stream_finish(struct vgpu_stream *stream);
size_t vgpu_stream_begin(const struct vgpu_identity *identity, void *buf);
size_t vgpu_record_put(void *buf, u32 tag, u64 size);

/* state.c */
size_t vgpu_state_save(struct vgpu_model *model,
		       const struct vgpu_params *params, struct vgpu_gpu *gpu,
		       void *buf);
int vgpu_state_load(struct vgpu_stream *stream);
bool vgpu_state_complete(const struct vgpu_stream *stream);

#endif /* _VGPU_STREAM_H */
