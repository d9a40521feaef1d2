// SPDX-License-Identifier: GPL-2.0
/* BAR0: reads, writes and mappings see one memory, and nobody else's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define BAR0 VFIO_PCI_BAR0_REGION_INDEX
#define FB (48 * VT_MIB)
#define BAR (64 * VT_MIB)

FIXTURE(framebuffer)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint8_t *buf;
};

FIXTURE_SETUP(framebuffer)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "48Q,64Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "48Q"));
	self->buf = calloc(1, BAR);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(framebuffer)
{
	free(self->buf);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

TEST_F(framebuffer, starts_zero)
{
	memset(self->buf, 0xff, FB);
	ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_TRUE(vt_is_zero(self->buf, FB));
}

TEST_F(framebuffer, write_then_read)
{
	vt_fill(self->buf, FB, 1);
	ASSERT_EQ(FB, vt_pwrite(&self->dev, BAR0, 0, self->buf, FB));
	memset(self->buf, 0, FB);
	ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_EQ(-1, vt_differs(self->buf, FB, 1));
}

TEST_F(framebuffer, write_then_map)
{
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);

	ASSERT_NE(NULL, map);
	vt_fill(self->buf, FB, 2);
	ASSERT_EQ(FB, vt_pwrite(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_EQ(-1, vt_differs(map, FB, 2));
	vt_fill(map, FB, 3);
	ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_EQ(-1, vt_differs(self->buf, FB, 3));
	munmap(map, FB);
}

/* All lengths and alignments around pages and blocks. */
TEST_F(framebuffer, odd_accesses)
{
	static const uint64_t around[] = {
		0, 4096, 2 * VT_MIB, 20 * VT_MIB, FB - 64,
	};
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);
	uint8_t in[64], out[64];
	unsigned int i, len, shift;

	ASSERT_NE(NULL, map);
	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (shift = 0; shift < 16; shift++) {
			uint64_t pos = around[i] + (around[i] ? -8 : 0) + shift;

			for (len = 1; len <= 33; len += 4) {
				vt_fill(in, sizeof(in), pos ^ len);
				ASSERT_EQ(len, vt_pwrite(&self->dev, BAR0, pos,
							 in, len));
				ASSERT_EQ(len, vt_pread(&self->dev, BAR0, pos,
							out, len));
				ASSERT_EQ(0, memcmp(in, out, len));
				ASSERT_EQ(0, memcmp(in, map + pos, len));
			}
		}
	}
	munmap(map, FB);
}

/* Between framebuffer and BAR: zeroes that ignore writes.  Beyond: EINVAL. */
TEST_F(framebuffer, past_the_end)
{
	uint8_t in[64], out[64];

	vt_fill(in, sizeof(in), 4);
	ASSERT_EQ(64, vt_pwrite(&self->dev, BAR0, FB - 32, in, 64));
	memset(out, 0xff, sizeof(out));
	ASSERT_EQ(64, vt_pread(&self->dev, BAR0, FB - 32, out, 64));
	EXPECT_EQ(0, memcmp(in, out, 32));
	EXPECT_TRUE(vt_is_zero(out + 32, 32));
	EXPECT_EQ(8, vt_pread(&self->dev, BAR0, BAR - 8, out, 64));
	EXPECT_EQ(8, vt_pwrite(&self->dev, BAR0, BAR - 8, out, 64));
	EXPECT_EQ(-EINVAL, vt_pread(&self->dev, BAR0, BAR, out, 1));
	EXPECT_EQ(-EINVAL, vt_pwrite(&self->dev, BAR0, BAR, out, 1));
	EXPECT_EQ(-EINVAL, vt_pread(&self->dev, BAR0, 1ULL << 39, out, 1));
}

TEST_F(framebuffer, bad_user_memory)
{
	uint8_t *hole = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, hole);
	munmap(hole + 4096, 4096);
	EXPECT_EQ(-EFAULT, vt_pread(&self->dev, BAR0, 0, hole + 4096, 64));
	EXPECT_EQ(-EFAULT, vt_pwrite(&self->dev, BAR0, 0, hole + 4096, 64));
	EXPECT_EQ(-EFAULT, vt_pread(&self->dev, BAR0, 0, hole + 4000, 200));
	EXPECT_EQ(200, vt_pread(&self->dev, BAR0, 0, self->buf, 200));
	EXPECT_TRUE(vt_is_zero(self->buf, 200));
	munmap(hole, 4096);
}

/* User memory that comes when it is touched, and ends in the third piece. */
TEST_F(framebuffer, user_memory_to_come)
{
	const size_t piece = 65536, len = 3 * piece;
	uint8_t *in = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *out = mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, in);
	ASSERT_NE(MAP_FAILED, out);
	vt_fill(out, len, 7);
	ASSERT_EQ(len, vt_pwrite(&self->dev, BAR0, 4000, out, len));
	ASSERT_EQ(len, vt_pread(&self->dev, BAR0, 4000, in, len));
	EXPECT_EQ(-1, vt_differs(in, len, 7));
	ASSERT_EQ(0, madvise(in, len, MADV_DONTNEED));
	ASSERT_EQ(0, munmap(in + 2 * piece + 4096, piece - 4096));
	EXPECT_EQ(2 * piece, vt_pread(&self->dev, BAR0, 4000, in, len));
	EXPECT_EQ(-1, vt_differs(in, 2 * piece, 7));
	ASSERT_EQ(0, madvise(in, 2 * piece, MADV_DONTNEED));
	EXPECT_EQ(2 * piece, vt_pwrite(&self->dev, BAR0, 4000, in, len));
	ASSERT_EQ(2 * piece, vt_pread(&self->dev, BAR0, 4000, out, 2 * piece));
	EXPECT_TRUE(vt_is_zero(out, 2 * piece));
	munmap(in, 2 * piece + 4096);
	munmap(out, len);
}

/* A mapping of the framebuffer as the buffer of a read from it. */
TEST_F(framebuffer, read_into_itself)
{
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);

	ASSERT_NE(NULL, map);
	vt_fill(map, VT_MIB, 5);
	ASSERT_EQ(VT_MIB, vt_pread(&self->dev, BAR0, 0, map + 8 * VT_MIB,
				   VT_MIB));
	EXPECT_EQ(-1, vt_differs(map + 8 * VT_MIB, VT_MIB, 5));
	ASSERT_EQ(VT_MIB, vt_pwrite(&self->dev, BAR0, 16 * VT_MIB, map,
				    VT_MIB));
	EXPECT_EQ(-1, vt_differs(map + 16 * VT_MIB, VT_MIB, 5));
	munmap(map, FB);
}

TEST_F(framebuffer, reset_clears)
{
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);

	ASSERT_NE(NULL, map);
	vt_fill(map, FB, 6);
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_TRUE(vt_is_zero(map, FB));
	map[FB - 1] = 1;
	ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_EQ(1, self->buf[FB - 1]);
	munmap(map, FB);
}

TEST_F(framebuffer, close_clears)
{
	vt_fill(self->buf, FB, 7);
	ASSERT_EQ(FB, vt_pwrite(&self->dev, BAR0, 0, self->buf, FB));
	ASSERT_EQ(0, vt_mode(&self->dev, 640, 480, 32));
	vt_close(&self->dev);
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf, FB));
	EXPECT_TRUE(vt_is_zero(self->buf, FB));
	EXPECT_EQ(0, vt_dispi_get(&self->dev, VGPU_DISPI_XRES));
}

/*
 * The next vGPU gets the same VRAM, because there is no other, and sees none
 * of what was in it, by reading as well as through a mapping.
 */
TEST_F_TIMEOUT(framebuffer, next_tenant, 120)
{
	int round;

	for (round = 0; round < 8; round++) {
		uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);

		ASSERT_NE(NULL, map);
		if (round & 1) {
			ASSERT_EQ(FB, vt_pread(&self->dev, BAR0, 0, self->buf,
					       FB));
			EXPECT_TRUE(vt_is_zero(self->buf, FB));
		} else {
			EXPECT_TRUE(vt_is_zero(map, FB));
		}
		vt_fill(map, FB, 8 + round);
		munmap(map, FB);
		vt_end(&self->dev);
		ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "48Q"));
	}
}

TEST_HARNESS_MAIN
