// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest offers in a virtqueue: one that keeps the rules of virtio 1.2, 2.7, and one
 * that breaks each of them.
 */
#include "ring_queue.h"

/* The same, each time with a queue that nothing has happened to. */
static int retake(struct guest *guest, struct vgpu_chain *chain)
{
	guest_start(guest, 0);
	return take(guest, chain);
}

TEST_F(ring, empty)
{
	struct guest *g = &self->guest;

	EXPECT_EQ(0, guest_pop(g, &self->chain));
	EXPECT_EQ(1, g->reads);
	EXPECT_EQ(0, g->writes);
}

TEST_F(ring, chain)
{
	struct guest *g = &self->guest;
	struct vgpu_chain *chain = &self->chain;

	/* Backwards, so that each is found by its number alone. */
	guest_desc(g, GUEST_DESC, 9, GUEST_DATA, 0x11, NEXT, 5);
	guest_desc(g, GUEST_DESC, 5, 0x1234567890abcdefULL, 0x87654321, NEXT, 2);
	guest_desc(g, GUEST_DESC, 2, GUEST_DATA + 2, 0x22, NEXT | WRITE, 0);
	/* Flags that there are not (yet), and a next that does not count. */
	guest_desc(g, GUEST_DESC, 0, 0, 0xffffff, WRITE | 0xfff8, 99);
	guest_offer(g, 9);
	ASSERT_EQ(1, guest_pop(g, chain));
	EXPECT_EQ(9, chain->head);
	EXPECT_EQ(2, chain->nr_out);
	EXPECT_EQ(2, chain->nr_in);
	EXPECT_EQ(0x11ULL + 0x87654321, chain->out_len);
	EXPECT_EQ(0x22ULL + 0xffffff, chain->in_len);
	EXPECT_EQ(GUEST_DATA, chain->parts[0].iova);
	EXPECT_EQ(0x11, chain->parts[0].len);
	EXPECT_EQ(0x1234567890abcdefULL, chain->parts[1].iova);
	EXPECT_EQ(0x87654321, chain->parts[1].len);
	EXPECT_EQ(GUEST_DATA + 2, chain->parts[2].iova);
	EXPECT_EQ(0x22, chain->parts[2].len);
	EXPECT_EQ(0, chain->parts[3].iova);
	EXPECT_EQ(0xffffff, chain->parts[3].len);
	EXPECT_EQ(0, guest_pop(g, chain));
	EXPECT_EQ(0, g->writes);
}

/* The index of the available ring is copied once for all that it tells of. */
TEST_F(ring, batch)
{
	struct guest *g = &self->guest;
	u32 i;

	for (i = 0; i < 16; i++) {
		guest_desc(g, GUEST_DESC, i, GUEST_DATA + i, 1, 0, 0);
		guest_place(g, 15 - i);
	}
	EXPECT_EQ(0, guest_pop(g, &self->chain));
	guest_expose(g);
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(1, guest_pop(g, &self->chain));
		EXPECT_EQ(15 - i, self->chain.head);
		EXPECT_EQ(GUEST_DATA + 15 - i, self->chain.parts[0].iova);
	}
	EXPECT_EQ(2, g->copied[GUEST_AVAIL + 2 - GUEST_BASE]);
	EXPECT_EQ(2 + 2 * 16, g->reads);
	EXPECT_EQ(0, guest_pop(g, &self->chain));
	EXPECT_EQ(3, g->copied[GUEST_AVAIL + 2 - GUEST_BASE]);
}

/* 2.7.6.1, 2.7.13: as many buffers as the queue has entries, and never back. */
TEST_F(ring, avail_idx)
{
	static const u16 starts[] = { 0, 1, 16, 0x7fff, 0x8000, 0xfff0, 0xffff };
	struct guest *g = &self->guest;
	u32 i, ahead;

	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, 0, 0);
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		for (ahead = 0; ahead <= UINT16_MAX; ahead++) {
			guest_start(g, starts[i]);
			g->avail_idx += ahead;
			guest_expose(g);
			ASSERT_EQ(!ahead ? 0 : ahead <= 16 ? 1 : -EINVAL,
				  guest_pop(g, &self->chain))
				TH_LOG("%u from %u", ahead, starts[i]);
		}
}

/* Also those count that the device has taken and not given back. */
TEST_F(ring, outstanding)
{
	struct guest *g = &self->guest;
	u32 i;

	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, 0, 0);
	guest_start(g, 0xfffa);
	for (i = 0; i < 16; i++)
		ASSERT_EQ(1, take(g, &self->chain));
	ASSERT_EQ(0, guest_pop(g, &self->chain));
	ASSERT_EQ(0, guest_push(g, 0, 0));
	ASSERT_EQ(1, take(g, &self->chain));
	ASSERT_EQ(-EINVAL, take(g, &self->chain));
	/* That it was wrong does not make it right. */
	ASSERT_EQ(-EINVAL, guest_pop(g, &self->chain));
	ASSERT_EQ(-EINVAL, guest_notify(g, true));
	/* Back to one that was taken: too few, were only those not used counted. */
	g->avail_idx -= 2;
	guest_expose(g);
	ASSERT_EQ(-EINVAL, guest_pop(g, &self->chain));
}

TEST_F(ring, head)
{
	struct guest *g = &self->guest;
	u32 head;

	for (head = 0; head <= UINT16_MAX; head++) {
		guest_start(g, 0);
		guest_offer(g, head);
		ASSERT_EQ(head < 16 ? 1 : -EINVAL, guest_pop(g, &self->chain))
			TH_LOG("%u", head);
	}
}

TEST_F(ring, next)
{
	struct guest *g = &self->guest;
	u32 next;

	for (next = 1; next <= UINT16_MAX; next++) {
		guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, next);
		ASSERT_EQ(next < 16 ? 1 : -EINVAL, retake(g, &self->chain))
			TH_LOG("%u", next);
	}
}

/* Every way from a chain back into itself, in queues of any size. */
TEST_F(ring, loop)
{
	static const u16 flags[] = { 0, WRITE };
	struct guest *g = &self->guest;
	u32 size, to, len, i;

	for (size = 1; size <= VGPU_RING_MAX; size *= 2) {
		u32 step = size / 16 ?: 1;

		for (to = 0; to < size; to += step) {
			guest_init(g, size, false, false);
			for (len = 0; len < 2; len++) {
				for (i = 0; i < size; i++)
					guest_desc(g, GUEST_DESC, i, GUEST_DATA, len,
						   NEXT | flags[len], i + 1);
				guest_desc(g, GUEST_DESC, size - 1, GUEST_DATA,
					   len, NEXT | flags[len], to);
				g->reads = 0;
				ASSERT_EQ(-EINVAL, retake(g, &self->chain))
					TH_LOG("%u of %u", to, size);
				/* Seen before anything is copied again. */
				ASSERT_EQ(2 + (size + 63) / 64, g->reads);
				/* One step less is the longest chain. */
				guest_desc(g, GUEST_DESC, size - 1, GUEST_DATA,
					   len, flags[len], to);
				ASSERT_EQ(1, retake(g, &self->chain));
				ASSERT_EQ(size, self->chain.nr_out +
						self->chain.nr_in);
			}
		}
	}
}

/* Six descriptors, those written of which bits of @mask are set, in one table or two. */
static void place_mask(struct guest *g, u32 mask, u32 direct)
{
	u32 i;

	for (i = 0; i < 6; i++)
		guest_desc(g, i < direct ? GUEST_DESC : GUEST_TABLE,
			   i < direct ? i : i - direct, GUEST_DATA, 1,
			   (mask & 1 << i ? WRITE : 0) | (i < 5 ? NEXT : 0),
			   i < direct ? i + 1 : i - direct + 1);
	if (direct < 6)
		guest_desc(g, GUEST_DESC, direct, GUEST_TABLE, (6 - direct) * 16,
			   INDIRECT | WRITE, 0);
}

/* 2.7.4.2: what the device writes is behind what it reads. */
TEST_F(ring, order)
{
	struct guest *g = &self->guest;
	u32 mask, direct, i;

	guest_may(g, GUEST_TABLE, 6 * 16, GUEST_R);
	for (mask = 0; mask < 1 << 6; mask++) {
		bool good = false;

		for (i = 0; i <= 6; i++)
			good |= mask == (0x3f & ~((1U << i) - 1));
		for (direct = 0; direct <= 6; direct++) {
			place_mask(g, mask, direct);
			ASSERT_EQ(good ? 1 : -EINVAL, retake(g, &self->chain))
				TH_LOG("%#x, %u direct", mask, direct);
			ASSERT_TRUE(!good || (self->chain.nr_in ==
					      __builtin_popcount(mask) &&
					      self->chain.nr_in +
					      self->chain.nr_out == 6));
		}
	}
}

/* 2.7.5.2, and no part goes over the end of all addresses. */
TEST_F(ring, lengths)
{
	struct guest *g = &self->guest;

	guest_desc(g, GUEST_DESC, 0, 0, 0x80000000, NEXT, 1);
	guest_desc(g, GUEST_DESC, 1, 0, 0x80000000, NEXT | WRITE, 2);
	guest_desc(g, GUEST_DESC, 2, 0, 0, WRITE, 0);
	ASSERT_EQ(1, retake(g, &self->chain));
	EXPECT_EQ(1ULL << 32, self->chain.out_len + self->chain.in_len);
	EXPECT_EQ(2, self->chain.nr_in);
	guest_desc(g, GUEST_DESC, 2, 0, 1, WRITE, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));

	guest_desc(g, GUEST_DESC, 0, -4096ULL, 4095, 0, 0);
	EXPECT_EQ(1, retake(g, &self->chain));
	guest_desc(g, GUEST_DESC, 0, -4096ULL, 4096, 0, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	guest_desc(g, GUEST_DESC, 0, -1ULL, 0xffffffff, WRITE, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	guest_desc(g, GUEST_DESC, 0, -1ULL, 0, WRITE, 0);
	EXPECT_EQ(1, retake(g, &self->chain));
}

/* A chain in a table of @nr, with all bytes but the last @in to be read. */
static void table(struct guest *g, u32 nr, u32 in)
{
	u32 i;

	guest_may(g, GUEST_TABLE, nr * 16, GUEST_R);
	for (i = 0; i < nr; i++)
		guest_desc(g, GUEST_TABLE, i, GUEST_DATA + i, i + 1,
			   (i < nr - in ? 0 : WRITE) | (i < nr - 1 ? NEXT : 0),
			   i + 1);
	guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, nr * 16, INDIRECT, 0);
}

TEST_F(ring, indirect)
{
	static const u32 sizes[] = { 1, 2, 16, 17, 63, 64, 65, 128, 1024, 1025,
				     2047, 2048 };
	struct guest *g = &self->guest;
	u32 n, i;

	for (n = 0; n < ARRAY_SIZE(sizes); n++) {
		u32 nr = sizes[n];

		guest_init(g, 16, true, true);
		table(g, nr, nr / 2);
		ASSERT_EQ(1, retake(g, &self->chain)) TH_LOG("%u", nr);
		EXPECT_EQ(0, self->chain.head);
		EXPECT_EQ(nr - nr / 2, self->chain.nr_out);
		EXPECT_EQ(nr / 2, self->chain.nr_in);
		EXPECT_EQ((u64)nr * (nr + 1) / 2,
			  self->chain.out_len + self->chain.in_len);
		for (i = 0; i < nr; i++) {
			ASSERT_EQ(GUEST_DATA + i, self->chain.parts[i].iova);
			ASSERT_EQ(i + 1, self->chain.parts[i].len);
			/* Copied once, so that it cannot be two things. */
			ASSERT_EQ(1, g->copied[GUEST_TABLE + 16 * i - GUEST_BASE]);
		}
		/* Index, entry, descriptor, and the table in few pieces. */
		EXPECT_EQ(3 + (nr + 63) / 64, g->reads);
	}
	guest_init(g, 16, true, true);
	table(g, VGPU_CHAIN_MAX + 1, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	/* It is the chain that must not be too long. */
	guest_desc(g, GUEST_TABLE, VGPU_CHAIN_MAX - 1, GUEST_DATA, 1, 0, 0);
	EXPECT_EQ(1, retake(g, &self->chain));
}

/* The device looks at a table from all ends, too. */
TEST_F(ring, indirect_backwards)
{
	struct guest *g = &self->guest;
	u32 i, nr = 1000;

	guest_may(g, GUEST_TABLE, nr * 16, GUEST_R);
	for (i = 0; i < nr; i++)
		guest_desc(g, GUEST_TABLE, i, GUEST_DATA + i, 1,
			   i == 1 ? 0 : NEXT, i ? i - 1 : nr - 1);
	guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, nr * 16, INDIRECT, 0);
	ASSERT_EQ(1, retake(g, &self->chain));
	ASSERT_EQ(nr, self->chain.nr_out);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(GUEST_DATA + (nr - i) % nr, self->chain.parts[i].iova);
	/* All of them, and once more to the first. */
	guest_desc(g, GUEST_TABLE, 1, GUEST_DATA, 1, NEXT, 0);
	ASSERT_EQ(-EINVAL, retake(g, &self->chain));
}

TEST_F(ring, indirect_wrong)
{
	struct guest *g = &self->guest;
	u32 i;

	/* 2.7.5.3.2: the flag WRITE of a table is ignored. */
	table(g, 3, 1);
	guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, 3 * 16, INDIRECT | WRITE, 9);
	ASSERT_EQ(1, retake(g, &self->chain));
	EXPECT_EQ(2, self->chain.nr_out);

	/* 2.7.5.3.1 */
	g->ring.indirect = false;
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	g->ring.indirect = true;
	guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, 3 * 16, INDIRECT | NEXT, 1);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));

	/* Whole descriptors, one at least; and those that lie behind are not its. */
	for (i = 0; i <= 4 * 16; i++) {
		guest_desc(g, GUEST_DESC, 0, GUEST_TABLE, i, INDIRECT, 0);
		ASSERT_EQ(i == 3 * 16 ? 1 : i == 4 * 16 ? -EFAULT : -EINVAL,
			  retake(g, &self->chain)) TH_LOG("%u bytes", i);
	}

	/* One in another, and the table itself. */
	table(g, 3, 0);
	guest_desc(g, GUEST_TABLE, 2, GUEST_TABLE, 16, INDIRECT, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	guest_desc(g, GUEST_TABLE, 0, GUEST_TABLE, 16, INDIRECT, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));

	/* Loops and ways out of it: the queue has more descriptors. */
	for (i = 0; i <= UINT16_MAX; i++) {
		table(g, 3, 0);
		guest_desc(g, GUEST_TABLE, 2, GUEST_DATA, 1, NEXT, i);
		ASSERT_EQ(-EINVAL, retake(g, &self->chain)) TH_LOG("%u", i);
	}

	/* Over the end of all addresses. */
	guest_desc(g, GUEST_DESC, 0, -32ULL, 48, INDIRECT, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	guest_desc(g, GUEST_DESC, 0, -32ULL, 0xfffffff0, INDIRECT, 0);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	guest_desc(g, GUEST_DESC, 0, -32ULL, 16, INDIRECT, 0);
	EXPECT_EQ(-EFAULT, retake(g, &self->chain));
}

/* 2.7.5.3.2: descriptors of the queue before a table. */
TEST_F(ring, direct_then_indirect)
{
	struct guest *g = &self->guest;
	u32 before, i;

	for (before = 0; before < 17; before++) {
		for (i = 0; i < 16; i++)
			guest_desc(g, GUEST_DESC, i, GUEST_DATA, 1, NEXT, i + 1);
		table(g, 20, 20);
		guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, 1);
		if (before < 16)
			guest_desc(g, GUEST_DESC, before, GUEST_TABLE, 20 * 16,
				   INDIRECT, 0);
		ASSERT_EQ(before < 16 ? 1 : -EINVAL, retake(g, &self->chain));
		if (before < 16) {
			EXPECT_EQ(before, self->chain.nr_out);
			EXPECT_EQ(20, self->chain.nr_in);
		}
	}
	/* Both count. */
	table(g, VGPU_CHAIN_MAX, 1);
	guest_desc(g, GUEST_DESC, 1, GUEST_TABLE, VGPU_CHAIN_MAX * 16, INDIRECT, 0);
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, 1);
	EXPECT_EQ(-EINVAL, retake(g, &self->chain));
	table(g, VGPU_CHAIN_MAX - 1, 1);
	guest_desc(g, GUEST_DESC, 1, GUEST_TABLE, VGPU_CHAIN_MAX * 16 - 16,
		   INDIRECT, 0);
	guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 1, NEXT, 1);
	EXPECT_EQ(1, retake(g, &self->chain));
}

/* Where the device cannot read, nothing is taken, and the reason is the host's. */
TEST_F(ring, unreachable)
{
	struct guest *g = &self->guest;
	const u64 where[] = {
		GUEST_AVAIL + 2, GUEST_AVAIL + 3, GUEST_AVAIL + 4, GUEST_AVAIL + 5,
		GUEST_DESC, GUEST_DESC + 15, GUEST_TABLE, GUEST_TABLE + 31,
	};
	u32 i, what;

	table(g, 2, 1);
	guest_offer(g, 0);
	for (i = 0; i < ARRAY_SIZE(where); i++)
		for (what = 0; what <= GUEST_W; what += GUEST_W) {
			guest_may(g, where[i], 1, what);
			ASSERT_EQ(what ? -EPERM : -EFAULT,
				  guest_pop(g, &self->chain))
				TH_LOG("%u", i);
			ASSERT_EQ(0, g->ring.avail_next);
			guest_may(g, where[i], 1, GUEST_R);
		}
	EXPECT_EQ(1, guest_pop(g, &self->chain));
	EXPECT_EQ(1, g->ring.avail_next);
}

/* What the guest does to memory that was copied. */
static void turn_over(struct guest *g, u64 iova, bool write)
{
	memset(guest_at(g, GUEST_TABLE), 0xff, 64 * 16);
	memset(guest_at(g, GUEST_DESC), 0xff, 16 * 16);
	memset(guest_at(g, GUEST_AVAIL + 2), 0xff, 2 + 16 * 2);
}

static void after_desc(struct guest *g, u64 iova, bool write)
{
	if (iova == GUEST_DESC)
		turn_over(g, iova, write);
}

static void after_table(struct guest *g, u64 iova, bool write)
{
	if (iova == GUEST_TABLE)
		turn_over(g, iova, write);
}

TEST_F(ring, meanwhile)
{
	struct guest *g = &self->guest;
	u32 i;

	table(g, 64, 1);
	g->meanwhile = after_table;
	ASSERT_EQ(1, take(g, &self->chain));
	EXPECT_EQ(0, self->chain.head);
	EXPECT_EQ(63, self->chain.nr_out);
	EXPECT_EQ(1, self->chain.nr_in);
	EXPECT_EQ(64 * 65 / 2, self->chain.out_len + self->chain.in_len);

	guest_init(g, 16, true, true);
	for (i = 0; i < 16; i++)
		guest_desc(g, GUEST_DESC, i, GUEST_DATA + i, i + 1,
			   i < 15 ? NEXT : 0, i + 1);
	g->meanwhile = after_desc;
	ASSERT_EQ(1, take(g, &self->chain));
	EXPECT_EQ(0, self->chain.head);
	EXPECT_EQ(16, self->chain.nr_out);
	EXPECT_EQ(16 * 17 / 2, self->chain.out_len);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(GUEST_DATA + i, self->chain.parts[i].iova);
}

TEST_HARNESS_MAIN
