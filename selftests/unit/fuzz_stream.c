// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: migration streams.  The first byte says in which pieces the
 * rest is read, whether an identity that fits is put before it, and whether pages
 * go to the framebuffer by themselves.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stream/stream.h"

#define FB_SIZE (64ULL << 20)

/* The first byte: these and the size of a piece, 0 for all at once. */
#define IDENTITY	0x80
#define DIRECT		0x40
#define STEP		0x3f

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static int fb_write(void *priv, u64 offset, const void *data, size_t len)
{
	check(offset < FB_SIZE && len <= FB_SIZE - offset, "write");
	return 0;
}

static int fb_zero(void *priv, u64 page, u64 nr)
{
	check(nr && page < FB_SIZE / 4096 && nr <= FB_SIZE / 4096 - page,
	      "zero");
	return 0;
}

static const struct vgpu_stream_fb fb = { fb_write, fb_zero };

static int feed(struct vgpu_stream *stream, const void *data, size_t len)
{
	void *copy = malloc(len ?: 1);
	int ret;

	if (!copy)
		abort();
	memcpy(copy, data, len);
	ret = vgpu_stream_feed(stream, copy, len);
	free(copy);
	return ret;
}

/*
 * A write as migration/resume.c takes it.  Of pages there is only half in memory
 * when they are asked for.
 */
static int feed_direct(struct vgpu_stream *stream, const u8 *data, size_t size)
{
	size_t len, done;
	u64 offset, pages;
	int ret = 0;

	for (; size && !ret; data += done, size -= done) {
		pages = vgpu_stream_pages(stream, &offset);
		if (pages) {
			len = pages < size ? pages : size;
			done = len / 2;
			fb_write(NULL, offset, data, len);
			check(!vgpu_stream_passed(stream, done), "passed");
			if (done)
				continue;
		} else {
			len = vgpu_stream_wants(stream);
			check(len && len <= VGPU_STREAM_PAYLOAD, "wants");
			len = len < size ? len : size;
		}
		done = len;
		ret = feed(stream, data, len);
	}
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u8 buf[VGPU_STREAM_STATE], saved[VGPU_STREAM_STATE];
	static struct vgpu_stream stream, again;
	struct vgpu_identity identity;
	struct vgpu_type_desc type;
	size_t step, len;
	bool direct;
	int ret = 0;

	if (!size)
		return 0;
	check(vgpu_types_fill(&type, 1, "64Q", FB_SIZE) == 1, "type");
	vgpu_identity_init(&identity, &type, true);
	vgpu_stream_init(&stream, &type.profile, &identity, &fb, NULL, NULL);
	if (*data & IDENTITY)
		check(!feed(&stream, buf, vgpu_stream_begin(&identity, buf)),
		      "identity");
	direct = *data & DIRECT;
	step = (*data & STEP) ?: size;
	data++;
	size--;
	while (size && !ret) {
		len = step < size ? step : size;
		ret = direct ? feed_direct(&stream, data, len) :
			       feed(&stream, data, len);
		data += len;
		size -= len;
	}
	/* A VMM may try again. */
	check(!ret || (feed_direct(&stream, buf, 1) == ret &&
		       feed(&stream, buf, 1) == ret), "another error");
	ret = vgpu_stream_finish(&stream);
	check(!ret || stream.why, "no reason");
	if (ret)
		return 0;
	/* What was taken can be saved, and is then taken again. */
	len = vgpu_state_save(&stream.model, &stream.params, NULL, saved);
	vgpu_stream_init(&again, &type.profile, &identity, &fb, NULL, NULL);
	check(!feed(&again, buf, vgpu_stream_begin(&identity, buf)), "begin");
	check(!feed(&again, saved, len), "again");
	check(!vgpu_stream_finish(&again), "finish");
	check(len == vgpu_state_save(&again.model, &again.params, NULL, buf) &&
	      !memcmp(buf, saved, len), "another state");
	return 0;
}
