// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of a chain of buffers, as the device reads and writes them across the parts.
 */
#include "ring.h"
#include "unit.h"

/* Parts with gaps between them, some of no bytes. */
FIXTURE(chain)
{
	struct guest guest;
	struct vgpu_chain chain;
	u8 bytes[64];	/* as the device sees one half */
};

static const u32 part_lens[] = { 0, 3, 0, 0, 1, 7, 2, 0 };

#define PARTS_LEN	13

FIXTURE_SETUP(chain)
{
	struct guest *g = &self->guest;
	u32 i, half, last = ARRAY_SIZE(part_lens) - 1;
	u64 random = 1;

	guest_init(g, 16, false, false);
	for (i = 0; i < GUEST_SIZE; i++)
		g->memory[i] = unit_random(&random);
	guest_start(g, 0);
	for (half = 0; half < 2; half++)
		for (i = 0; i <= last; i++) {
			/* Backwards in memory. */
			u64 iova = GUEST_DATA + 0x1000 * (half + 1) - 0x20 * i;

			guest_may(g, iova, part_lens[i], half ? GUEST_W : GUEST_R);
			guest_desc(g, GUEST_DESC, half * (last + 1) + i, iova,
				   part_lens[i], (half ? WRITE : 0) |
				   (half && i == last ? 0 : NEXT),
				   half * (last + 1) + i + 1);
		}
	ASSERT_EQ(1, take(g, &self->chain));
	ASSERT_EQ(PARTS_LEN, self->chain.out_len);
	ASSERT_EQ(PARTS_LEN, self->chain.in_len);
}

FIXTURE_TEARDOWN(chain)
{
	EXPECT_EQ(0, self->guest.empty);
}

/* Byte @at of a half. */
static u8 *chain_byte(struct guest *g, u32 half, u32 at)
{
	u32 i;

	for (i = 0; at >= part_lens[i]; i++)
		at -= part_lens[i];
	return guest_at(g, GUEST_DATA + 0x1000 * (half + 1) - 0x20 * i) + at;
}

TEST_F(chain, read)
{
	struct guest *g = &self->guest;
	u32 offset, len, i;

	for (offset = 0; offset <= PARTS_LEN + 2; offset++)
		for (len = 0; len <= PARTS_LEN + 2; len++) {
			struct unit_buf buf = unit_buf(len, 0xa5);
			bool good = offset + len <= PARTS_LEN;

			g->reads = 0;
			ASSERT_EQ(good ? 0 : -EINVAL,
				  vgpu_chain_read(&self->chain, &g->host, offset,
						  buf.data, len))
				TH_LOG("%u+%u", offset, len);
			ASSERT_TRUE(good || !g->reads);
			for (i = 0; i < len && good; i++)
				ASSERT_EQ(*chain_byte(g, 0, offset + i),
					  buf.data[i]);
			free(buf.memory);
		}
	EXPECT_EQ(0, g->writes);
}

TEST_F(chain, write)
{
	struct guest *g = &self->guest;
	u8 *before = malloc(GUEST_SIZE);
	u32 offset, len, i;

	ASSERT_NE(NULL, before);
	for (offset = 0; offset <= PARTS_LEN + 2; offset++)
		for (len = 0; len <= PARTS_LEN + 2; len++) {
			struct unit_buf buf = unit_buf(len, 0);
			bool good = offset + len <= PARTS_LEN;

			memcpy(before, g->memory, GUEST_SIZE);
			for (i = 0; i < len; i++)
				buf.data[i] = ~*chain_byte(g, 1, i % PARTS_LEN);
			ASSERT_EQ(good ? 0 : -EINVAL,
				  vgpu_chain_write(&self->chain, &g->host, offset,
						   buf.data, len))
				TH_LOG("%u+%u", offset, len);
			for (i = 0; i < len && good; i++) {
				u8 *p = chain_byte(g, 1, offset + i);

				ASSERT_EQ(buf.data[i], *p);
				*p = before[p - g->memory];
			}
			/* And nothing else. */
			ASSERT_EQ(0, memcmp(before, g->memory, GUEST_SIZE));
			free(buf.memory);
		}
	free(before);
}

TEST_F(chain, far)
{
	struct guest *g = &self->guest;
	u8 buf[16] = { 0 };

	EXPECT_EQ(-EINVAL, vgpu_chain_read(&self->chain, &g->host, -1ULL, buf, 2));
	EXPECT_EQ(-EINVAL, vgpu_chain_read(&self->chain, &g->host, 1ULL << 32, buf, 1));
	EXPECT_EQ(-EINVAL, vgpu_chain_read(&self->chain, &g->host, 1, buf, SIZE_MAX));
	EXPECT_EQ(-EINVAL, vgpu_chain_write(&self->chain, &g->host, -1ULL, buf, 2));
	EXPECT_EQ(-EINVAL, vgpu_chain_write(&self->chain, &g->host, 1, buf, SIZE_MAX));
	EXPECT_EQ(-EINVAL, vgpu_chain_write(&self->chain, &g->host, 1ULL << 32, buf, 0));
	EXPECT_EQ(0, vgpu_chain_read(&self->chain, &g->host, PARTS_LEN, buf, 0));
	EXPECT_EQ(0, vgpu_chain_write(&self->chain, &g->host, PARTS_LEN, buf, 0));
}

/* Offsets of more than 32 bits' parts; only what is asked for is touched. */
TEST_F(chain, large)
{
	struct guest *g = &self->guest;
	struct vgpu_chain *chain = &self->chain;
	u8 buf[8];

	guest_init(g, 16, false, false);
	guest_desc(g, GUEST_DESC, 0, 0, 0x80000000, NEXT, 1);
	guest_desc(g, GUEST_DESC, 1, GUEST_DATA - 0x70000000, 0x80000000, 0, 2);
	guest_may(g, GUEST_DATA, 8, GUEST_R);
	memcpy(guest_at(g, GUEST_DATA), "abcdefgh", 8);
	ASSERT_EQ(1, take(g, chain));
	EXPECT_EQ(0, vgpu_chain_read(chain, &g->host, 0xf0000000, buf, 8));
	EXPECT_EQ(0, memcmp(buf, "abcdefgh", 8));
	EXPECT_EQ(-EFAULT, vgpu_chain_read(chain, &g->host, 0xf0000001, buf, 8));
	EXPECT_EQ(-EFAULT, vgpu_chain_read(chain, &g->host, 0, buf, 8));
	EXPECT_EQ(-EFAULT, vgpu_chain_read(chain, &g->host, 0xffffffff, buf, 1));
	EXPECT_EQ(-EINVAL, vgpu_chain_read(chain, &g->host, 0xffffffff, buf, 2));

	/* From the end of one that is long to the next. */
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA + 4 - 0x7ffffffc, 0x7ffffffc, NEXT, 1);
	guest_desc(g, GUEST_DESC, 1, GUEST_DATA, 8, 0, 2);
	ASSERT_EQ(1, take(g, chain));
	EXPECT_EQ(0, vgpu_chain_read(chain, &g->host, 0x7ffffff8, buf, 8));
	EXPECT_EQ(0, memcmp(buf, "abcdabcd", 8));
}

/* No byte of a chain that has all its parts: nothing is looked at behind them. */
TEST_F(chain, full)
{
	struct unit_buf buf = unit_buf(1, 0);
	struct vgpu_chain *chain = malloc(sizeof(*chain));
	struct guest *g = &self->guest;
	u32 i, half;

	ASSERT_NE(NULL, chain);
	guest_init(g, 1, false, true);
	guest_may(g, GUEST_TABLE, VGPU_CHAIN_MAX * 16, GUEST_R);
	guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, VGPU_CHAIN_MAX * 16, INDIRECT, 0);
	for (half = 0; half < 2; half++) {
		for (i = 0; i < VGPU_CHAIN_MAX; i++)
			guest_desc(g, GUEST_TABLE, i, GUEST_DATA, 1,
				   (half ? WRITE : 0) |
				   (i < VGPU_CHAIN_MAX - 1 ? NEXT : 0), i + 1);
		guest_start(g, 0);
		ASSERT_EQ(1, take(g, chain));
		EXPECT_EQ(0, vgpu_chain_read(chain, &g->host, chain->out_len,
					     buf.data, 0));
		EXPECT_EQ(0, vgpu_chain_write(chain, &g->host, chain->in_len,
					      buf.data, 0));
	}
	free(chain);
	free(buf.memory);
}

/* Any part of it that cannot be reached is an error, others do not matter. */
TEST_F(chain, unreachable)
{
	struct guest *g = &self->guest;
	u8 buf[PARTS_LEN] = { 0 };
	u32 at, offset, len;

	for (at = 0; at < PARTS_LEN; at++) {
		u64 in = GUEST_BASE + (chain_byte(g, 1, at) - g->memory);
		u64 out = GUEST_BASE + (chain_byte(g, 0, at) - g->memory);

		guest_may(g, out, 1, 0);
		guest_may(g, in, 1, GUEST_R);
		for (offset = 0; offset < PARTS_LEN; offset++)
			for (len = 1; len <= PARTS_LEN - offset; len++) {
				bool hit = at >= offset && at < offset + len;

				ASSERT_EQ(hit ? -EFAULT : 0,
					  vgpu_chain_read(&self->chain, &g->host,
							  offset, buf, len));
				ASSERT_EQ(hit ? -EPERM : 0,
					  vgpu_chain_write(&self->chain, &g->host,
							   offset, buf, len));
			}
		guest_may(g, out, 1, GUEST_R);
		guest_may(g, in, 1, GUEST_W);
	}
}

/* One that has only one of the two, and one that is empty altogether. */
TEST_F(chain, halves)
{
	struct guest *g = &self->guest;
	struct vgpu_chain *chain = &self->chain;
	u8 buf[4] = { 1, 2, 3, 4 };

	guest_init(g, 16, false, false);
	guest_may(g, GUEST_DATA, 4, GUEST_R | GUEST_W);
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 4, 0, 0);
	ASSERT_EQ(1, take(g, chain));
	EXPECT_EQ(0, vgpu_chain_read(chain, &g->host, 0, buf, 4));
	EXPECT_EQ(-EINVAL, vgpu_chain_write(chain, &g->host, 0, buf, 1));
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 4, WRITE, 0);
	ASSERT_EQ(1, take(g, chain));
	EXPECT_EQ(0, vgpu_chain_write(chain, &g->host, 0, buf, 4));
	EXPECT_EQ(-EINVAL, vgpu_chain_read(chain, &g->host, 0, buf, 1));
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 0, WRITE, 0);
	ASSERT_EQ(1, take(g, chain));
	EXPECT_EQ(0, vgpu_chain_write(chain, &g->host, 0, buf, 0));
	EXPECT_EQ(-EINVAL, vgpu_chain_write(chain, &g->host, 0, buf, 1));
}

TEST_HARNESS_MAIN
