// SPDX-License-Identifier: GPL-2.0
/*
 * Scanouts and cursors of a virtio-gpu: each command for them at its edges, from a driver
 * that keeps the rules and from one that does not.
 */
#include "gpu_driver.h"

#define MOVE	VIRTIO_GPU_CMD_MOVE_CURSOR

TEST_F(virtgpu, set_scanout)
{
	struct gpu_unit *u = self->u;
	u64 offset;

	ASSERT_EQ(OK, create(self, 1, BGRX, 1, 1));
	ASSERT_EQ(OK, create(self, 2, BGRX, 1280, 480));
	offset = offset_of(self, 2);
	EXPECT_EQ(4096, offset);
	/* Two heads side by side. */
	EXPECT_EQ(OK, set(self, 0, 2, RECT(0, 0, 640, 480)));
	EXPECT_EQ(OK, set(self, 1, 2, RECT(640, 0, 640, 480)));
	EXPECT_EQ(offset, u->shown[0].offset);
	EXPECT_EQ(offset + 2560, u->shown[1].offset);
	EXPECT_EQ(5120, u->shown[1].pitch);
	EXPECT_EQ(640, u->shown[1].width);
	EXPECT_EQ(480, u->shown[1].height);
	EXPECT_EQ(OK, set(self, 1, 2, RECT(3, 5, 7, 11)));
	EXPECT_EQ(offset + 5 * 5120 + 12, u->shown[1].offset);
	EXPECT_EQ(3, u->shows[0] + u->shows[1]);
	/* What cannot be shown changes nothing. */
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 641, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 640, 481)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(641, 0, 640, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 1, 640, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 0, 480)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, 0, 640, 0)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(~0U, 0, 2, 2)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(0, ~0U, 2, 2)));
	EXPECT_EQ(PARAMETER, set(self, 0, 2, RECT(1, 1, ~0U, ~0U)));
	EXPECT_EQ(SCANOUT, set(self, 2, 2, RECT(0, 0, 640, 480)));
	EXPECT_EQ(SCANOUT, set(self, ~0, 0, RECT(0, 0, 640, 480)));
	EXPECT_EQ(3, u->shows[0] + u->shows[1]);
	/* Off, and off once more. */
	EXPECT_EQ(OK, set(self, 0, 0, RECT(~0U, 1, 2, 3)));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(2, u->shows[0]);
	EXPECT_EQ(OK, set(self, 0, 0, RECT(0, 0, 0, 0)));
	EXPECT_EQ(2, u->shows[0]);
	EXPECT_TRUE(vgpu_gpu_shows(&u->gpu));
	/* What is shown goes. */
	EXPECT_EQ(OK, unref(self, 1));
	EXPECT_NE(0, u->shown[1].format);
	EXPECT_EQ(OK, unref(self, 2));
	EXPECT_EQ(0, u->shown[1].format);
	EXPECT_FALSE(vgpu_gpu_shows(&u->gpu));
	/* A blob is not for this, and this is none for the other. */
	ASSERT_EQ(OK, blob(self, 3, 4096, DATA, 4096));
	ASSERT_EQ(OK, create(self, 4, BGRX, 32, 32));
	EXPECT_EQ(PARAMETER, set(self, 0, 3, RECT(0, 0, 1, 1)));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 4, RECT(0, 0, 1, 1), BGRX, 4, 0));
}

/*
 * A VMM maps whole lines, so those of a part end behind the resource; the end of the
 * framebuffer is kept free for that.
 */
TEST_F(virtgpu, part_at_the_end)
{
	struct gpu_unit *u = self->u;
	const u32 size = 16 * MIB - 256 * 1024;

	ASSERT_EQ(OK, create(self, 1, BGRX, 4032, 1024));
	ASSERT_EQ(size, resource(self, 1)->size);
	EXPECT_EQ(OK, set(self, 0, 1, RECT(4032 - 640, 1024 - 480, 640, 480)));
	EXPECT_EQ(size - (479 * 4032 + 640) * 4, u->shown[0].offset);
	EXPECT_EQ(OK, unref(self, 1));
	/* The longest line there can be is shorter than that. */
	ASSERT_EQ(OK, create(self, 1, BGRX, 16384, size / 65536));
	EXPECT_EQ(OK, set(self, 0, 1, RECT(16384 - 640, size / 65536 - 1, 640,
					   1)));
}

TEST_F(virtgpu, set_blob)
{
	struct gpu_unit *u = self->u;
	static const struct {
		struct virtio_gpu_rect r;
		u32 stride, offset, answer;
	} sets[] = {
		/* Of 64 x 32 pixels in 8192 bytes. */
		{ { 0, 0, 64, 32 }, 256, 0, OK },
		{ { 0, 0, 64, 32 }, 256, 1, PARAMETER },
		{ { 0, 0, 64, 33 }, 256, 0, PARAMETER },
		{ { 0, 1, 64, 32 }, 256, 0, PARAMETER },
		{ { 0, 1, 64, 31 }, 256, 0, OK },
		{ { 0, 0, 64, 31 }, 256, 256, OK },
		{ { 0, 0, 64, 31 }, 256, 257, PARAMETER },
		{ { 0, 0, 64, 32 }, 255, 0, PARAMETER },
		{ { 0, 0, 64, 32 }, 0, 0, PARAMETER },
		{ { 0, 0, 64, 32 }, 257, 0, PARAMETER },
		{ { 0, 0, 64, 31 }, 257, 0, OK },
		{ { 63, 31, 1, 1 }, 256, 0, OK },
		{ { 64, 31, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, 0, 1, 1 }, 4, 8188, OK },
		{ { 0, 0, 1, 1 }, ~0U, 8188, OK },
		{ { 0, 0, 1, 1 }, 4, 8189, PARAMETER },
		{ { 0, 0, 1, 1 }, 4, ~0U, PARAMETER },
		{ { 0, 0, 1, 2 }, ~0U, 0, PARAMETER },
		{ { 0, 0, 0, 32 }, 256, 0, PARAMETER },
		{ { 0, 0, 64, 0 }, 256, 0, PARAMETER },
		{ { ~0U, 0, 1, 1 }, 256, 0, PARAMETER },
		{ { ~1U, 0, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~0U, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~1U, 1, 1 }, 256, 0, PARAMETER },
		{ { 0, ~1U, 1, 1 }, ~0U, 0, PARAMETER },
		{ { 0, 0, ~0U, 1 }, ~0U, 0, PARAMETER },
		{ { 0, 0, 641, 1 }, 8192, 0, PARAMETER },
		{ { 0, 0, 1, 481 }, 4, 0, PARAMETER },
		{ { 0, 0, 640, 3 }, 2560, 0, OK },
		{ { 0, 0, 1, 480 }, 4, 0, OK },
	};
	u32 i, shows = 0;

	EXPECT_EQ(PARAMETER, blob_of(self, 1, 0, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 2, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 3, 8192, 0, 0));
	EXPECT_EQ(PARAMETER, blob_of(self, 1, 1, 0, 0, 0));
	ASSERT_EQ(OK, blob(self, 1, 8192, DATA, 8192));
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		EXPECT_EQ(sets[i].answer, set_blob(self, 0, 1, sets[i].r, BGRX,
						   sets[i].stride, sets[i].offset))
			TH_LOG("number %u", i);
		shows += sets[i].answer == OK;
		EXPECT_EQ(shows, u->shows[0]);
	}
	EXPECT_EQ(SCANOUT, set_blob(self, 2, 1, RECT(0, 0, 64, 32), BGRX, 256, 0));
	EXPECT_EQ(OK, set_blob(self, 0, 0, RECT(~0U, 0, 1, 1), 999, 0, 0));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(0, u->gpu.nr_placed);
	EXPECT_EQ(0, u->flips[0]);
}

/* A picture's end is beyond 64 bits, of a blob that says it is as large as can be. */
TEST_F(virtgpu, set_blob_wraps)
{
	ASSERT_EQ(OK, blob(self, 1, ~0ULL, DATA, 8192));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(~64U, ~64U, 64, 64), BGRX, ~0,
				      0));
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(0xfffffffe, 0xfffffffe, 1, 1),
				      BGRX, ~0, ~0));
	/* Pixels are on their line. */
	EXPECT_EQ(PARAMETER, set_blob(self, 0, 1, RECT(1, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(0, self->u->shows[0]);
	/* Up to there all is good, but for memory, of which there is less. */
	EXPECT_EQ(OK, set_blob(self, 0, 1, RECT(0, ~64U, 64, 64), BGRX, ~0, ~0));
	vgpu_gpu_refresh(&self->u->gpu, 0);
	EXPECT_EQ(0, self->u->written);
}

/* Whether the copy that a head shows is what the blob has. */
static bool fresh(UNIT *self, u32 head, u64 from, u32 stride,
		  struct virtio_gpu_rect r)
{
	const struct vgpu_scanout *s = &self->u->shown[head];
	u32 y;

	for (y = r.y; y < r.y + r.height; y++)
		if (memcmp(self->u->fb + s->offset + y * s->pitch + 4 * r.x,
			   at(self, DATA) + from + (u64)y * stride + 4 * r.x,
			   4 * r.width))
			return false;
	return true;
}

TEST_F(virtgpu, refresh)
{
	struct gpu_unit *u = self->u;
	const u64 from = 64 + 10 * 512 + 4 * 20;	/* of what is shown */
	u32 x;

	ASSERT_EQ(OK, blob(self, 1, DATA_SIZE, DATA, DATA_SIZE));
	ASSERT_EQ(OK, set_blob(self, 1, 1, RECT(20, 10, 100, 50), BGRX, 512, 64));
	EXPECT_EQ(400, u->shown[1].pitch);
	EXPECT_EQ(0, u->written);
	/* Nobody has looked yet; then all of it is copied, once. */
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(0, 0, 100, 50)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	/* A part, in pixels of the blob, and where two of them are. */
	memset(at(self, DATA), 0x77, DATA_SIZE);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 20, 5, 4)));
	EXPECT_EQ(0, u->written);
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(5 * 4 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(10, 10, 5, 4)));
	for (x = 0; x < 100; x++)
		EXPECT_EQ(x >= 10 && x < 15,
			  fresh(self, 1, from, 512, RECT(x, 12, 1, 1)));
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 20, 5, 4)));
	EXPECT_EQ(OK, flush(self, 1, RECT(33, 22, 10, 10)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(13 * 12 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(10, 10, 13, 12)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(9, 10, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(23, 10, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(10, 9, 1, 1)));
	EXPECT_FALSE(fresh(self, 1, from, 512, RECT(10, 22, 1, 1)));
	/* What is not shown is not copied. */
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 20, 100)));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 1000, 10)));
	EXPECT_EQ(OK, flush(self, 1, RECT(120, 0, 1000, 1000)));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 60, ~0U, ~0U)));
	EXPECT_EQ(OK, flush(self, 1, RECT(~0U, ~0U, ~0U, ~0U)));
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 30, 0, 1)));
	EXPECT_EQ(OK, flush(self, 1, RECT(30, 30, 1, 0)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(0, u->written);
	/* Of what is only partly, that part. */
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 21, 11)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(4, u->written);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(119, 59, ~0U, ~0U)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(4, u->written);
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, ~0U, ~0U)));
	vgpu_gpu_refresh(&u->gpu, 1);
	EXPECT_EQ(100 * 50 * 4, u->written);
	EXPECT_TRUE(fresh(self, 1, from, 512, RECT(0, 0, 100, 50)));
}

/* Lines without a gap are copied as one; the rest of the framebuffer is not touched. */
TEST_F(virtgpu, refresh_whole)
{
	struct gpu_unit *u = self->u;

	ASSERT_EQ(OK, create(self, 9, BGRX, 1, 1));
	ASSERT_EQ(OK, blob(self, 1, DATA_SIZE, DATA, DATA_SIZE));
	ASSERT_EQ(OK, set_blob(self, 0, 1, RECT(0, 0, 100, 50), BGRX, 400, 12));
	ASSERT_EQ(OK, create(self, 10, BGRX, 1, 1));
	memset(u->fb, 0xee, u->profile.fb_size);
	u->reads = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(1, u->reads);
	EXPECT_EQ(20000, u->written);
	EXPECT_TRUE(fresh(self, 0, 12, 400, RECT(0, 0, 100, 50)));
	EXPECT_EQ(0xee, u->fb[4095]);
	EXPECT_EQ(0xee, u->fb[u->shown[0].offset + 20000]);
	/* Lines from the middle, which are whole. */
	u->written = 0;
	memset(at(self, DATA), 0x55, DATA_SIZE);
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 10, 100, 3)));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(1200, u->written);
	EXPECT_TRUE(fresh(self, 0, 12, 400, RECT(0, 10, 100, 3)));
	EXPECT_FALSE(fresh(self, 0, 12, 400, RECT(0, 9, 1, 1)));
	EXPECT_FALSE(fresh(self, 0, 12, 400, RECT(0, 13, 1, 1)));
	/* Guest memory that is gone leaves the picture, and is not tried again. */
	u->gone[(DATA - GPU_BASE) / 4096] = true;
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 50)));
	vgpu_gpu_refresh(&u->gpu, 0);
	u->gone[(DATA - GPU_BASE) / 4096] = false;
	u->reads = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->reads);
	/* Less memory than it says, which was detached. */
	EXPECT_EQ(OK, detach(self, 1));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 50)));
	u->written = 0;
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	EXPECT_EQ(OK, attach_at(self, 1, DATA, 4096));
	EXPECT_EQ(OK, flush(self, 1, RECT(0, 0, 100, 2)));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(800, u->written);
}

TEST_F(virtgpu, blob_flips)
{
	struct gpu_unit *u = self->u;
	struct virtio_gpu_rect r = { 0, 0, 64, 64 };
	u64 offset;

	ASSERT_EQ(OK, blob(self, 1, 16384, DATA, 16384));
	ASSERT_EQ(OK, blob(self, 2, 16384, DATA + 16384, 16384));
	ASSERT_EQ(OK, set_blob(self, 0, 1, r, BGRX, 256, 0));
	offset = u->shown[0].offset;
	EXPECT_EQ(0, u->flips[0]);
	ASSERT_EQ(OK, set_blob(self, 0, 2, r, BGRX, 256, 0));
	EXPECT_EQ(1, u->flips[0]);
	EXPECT_EQ(offset, u->shown[0].offset);
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_TRUE(fresh(self, 0, 16384, 256, r));
	/* Of the one that is not shown any more nothing is to be seen. */
	u->written = 0;
	EXPECT_EQ(OK, flush(self, 1, r));
	vgpu_gpu_refresh(&u->gpu, 0);
	EXPECT_EQ(0, u->written);
	ASSERT_EQ(OK, set_blob(self, 0, 1, RECT(0, 0, 32, 64), BGRX, 256, 0));
	EXPECT_EQ(1, u->flips[0]);
	EXPECT_EQ(offset, u->shown[0].offset);
	/* A larger one needs another place; what was there is free again. */
	EXPECT_EQ(OK, blob(self, 3, DATA_SIZE, DATA, DATA_SIZE));
	EXPECT_EQ(OK, set_blob(self, 0, 3, RECT(0, 0, 128, 128), BGRX, 512, 0));
	EXPECT_EQ(1, u->gpu.nr_placed);
	/* Between blobs and pictures in the framebuffer. */
	ASSERT_EQ(OK, create(self, 4, BGRX, 128, 128));
	EXPECT_EQ(2, u->gpu.nr_placed);
	EXPECT_EQ(OK, set(self, 0, 4, RECT(0, 0, 128, 128)));
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(OK, set_blob(self, 0, 3, RECT(0, 0, 128, 128), BGRX, 512, 0));
	EXPECT_EQ(2, u->gpu.nr_placed);
	EXPECT_EQ(OK, unref(self, 3));
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(OK, flush(self, 4, r));
}

/* No room for a copy: the head is off, and all else is as it was. */
TEST_F(virtgpu, no_room_for_copy)
{
	struct gpu_unit *u = self->u;

	ASSERT_EQ(OK, create(self, 1, BGRX, 1024, 4032 - 4));
	ASSERT_EQ(OK, blob(self, 2, DATA_SIZE, DATA, DATA_SIZE));
	EXPECT_EQ(OK, set_blob(self, 0, 2, RECT(0, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(MEMORY, set_blob(self, 1, 2, RECT(0, 0, 1, 1), BGRX, 256, 0));
	EXPECT_NE(0, u->shown[0].format);
	EXPECT_EQ(MEMORY, set_blob(self, 0, 2, RECT(0, 0, 64, 65), BGRX, 256, 0));
	EXPECT_EQ(0, u->shown[0].format);
	EXPECT_EQ(1, u->gpu.nr_placed);
	EXPECT_EQ(OK, set_blob(self, 1, 2, RECT(0, 0, 64, 64), BGRX, 256, 0));
	EXPECT_EQ(OK, flush(self, 2, RECT(0, 0, 64, 64)));
}

TEST_F(virtgpu, cursor)
{
	struct gpu_unit *u = self->u;
	const u64 area = u->profile.fb_size - GPU_RESERVED;
	const struct vgpu_cursor *c = &u->cursor[1];
	u64 first;

	ASSERT_EQ(OK, create(self, 1, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64));
	ASSERT_EQ(OK, attach_at(self, 1, DATA, 16384));
	ASSERT_EQ(OK, transfer(self, 1, RECT(0, 0, 64, 64), 0));
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 100, 200, 3, 63));
	EXPECT_EQ(REF_FOURCC('A', 'R', '2', '4'), c->image.format);
	EXPECT_EQ(100, c->x);
	EXPECT_EQ(200, c->y);
	EXPECT_EQ(3, c->hot_x);
	EXPECT_EQ(63, c->hot_y);
	EXPECT_LE(area + 2 * GPU_CURSOR, c->image.offset);
	EXPECT_GT(area + 4 * GPU_CURSOR, c->image.offset);
	EXPECT_EQ(0, memcmp(u->fb + c->image.offset, at(self, DATA), 16384));
	EXPECT_EQ(0, u->cursors[0]);
	/* Places alternate, so that a VMM sees that there is a new one. */
	first = c->image.offset;
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 0, 0, 0, 0));
	EXPECT_TRUE(c->image.offset != first);
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 1, 0, 0, 0, 0));
	EXPECT_EQ(first, c->image.offset);
	/* It is a copy: the resource can go, and moving is not a new one. */
	EXPECT_EQ(OK, unref(self, 1));
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 77, -5, -32768, 9, 9));
	EXPECT_EQ(first, c->image.offset);
	EXPECT_EQ(0, c->hot_x);
	EXPECT_EQ(-5, c->x);
	EXPECT_EQ(-32768, c->y);
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 0, 0x7fffffff, 0x80000000, 0, 0));
	EXPECT_EQ(32767, c->x);
	EXPECT_EQ(-32768, c->y);
	EXPECT_NE(0, c->image.format);
	/* None hides it. */
	EXPECT_EQ(OK, cursor(self, UPDATE, 1, 0, 9, 8, 99, 99));
	EXPECT_EQ(0, c->image.format);
	EXPECT_EQ(0, c->hot_x);
	EXPECT_EQ(9, c->x);
	EXPECT_EQ(OK, cursor(self, MOVE, 1, 0, 1, 2, 0, 0));
	EXPECT_EQ(0, c->image.format);
	/* No such head. */
	EXPECT_EQ(SCANOUT, cursor(self, UPDATE, 2, 0, 0, 0, 0, 0));
	EXPECT_EQ(SCANOUT, cursor(self, MOVE, ~0, 0, 0, 0, 0, 0));
}

TEST_F(virtgpu, cursor_ignored)
{
	struct gpu_unit *u = self->u;
	u32 shown, i;

	ASSERT_EQ(OK, create(self, 1, BGRX, 64, 64));
	ASSERT_EQ(OK, create(self, 2, BGRX, 64, 63));
	ASSERT_EQ(OK, create(self, 3, BGRX, 32, 128));
	ASSERT_EQ(OK, blob(self, 4, 16383, DATA, 16384));
	ASSERT_EQ(OK, blob(self, 5, 16384, DATA, 16383));
	ASSERT_EQ(OK, blob(self, 6, 16384, DATA, 16384));
	ASSERT_EQ(OK, cursor(self, UPDATE, 0, 1, 1, 1, 1, 1));
	shown = u->cursors[0];
	for (i = 2; i < 6; i++)
		EXPECT_EQ(OK, cursor(self, UPDATE, 0, i, 2, 2, 2, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 99, 2, 2, 2, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, 64, 2));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, 2, 64));
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 2, 2, ~0, ~0));
	EXPECT_EQ(shown, u->cursors[0]);
	EXPECT_EQ(1, u->cursor[0].x);
	/* A blob is read where it is. */
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 6, 3, 3, 3, 3));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	EXPECT_EQ(0, memcmp(u->fb + u->cursor[0].image.offset, at(self, DATA),
			    16384));
	/* Or cannot be, and then the one that is shown stays as it is. */
	memset(at(self, DATA), 0x33, 4096);
	u->gone[(DATA - GPU_BASE) / 4096 + 3] = true;
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 6, 4, 4, 4, 4));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	EXPECT_NE(0x33, u->fb[u->cursor[0].image.offset]);
	u->fb_broken = true;
	EXPECT_EQ(OK, cursor(self, UPDATE, 0, 1, 4, 4, 4, 4));
	EXPECT_EQ(shown + 1, u->cursors[0]);
	u->fb_broken = false;
}

TEST_HARNESS_MAIN
