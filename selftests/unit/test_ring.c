// SPDX-License-Identifier: GPL-2.0
/*
 * A virtqueue, with a guest that keeps the rules of virtio 1.2, 2.7, and with one that
 * breaks each of them.
 */
#include "ring.h"
#include "unit.h"

FIXTURE(ring)
{
	struct guest guest;
	struct vgpu_chain chain;
};

/* A queue of 16 with all features; tests of something else make their own. */
FIXTURE_SETUP(ring)
{
	guest_init(&self->guest, 16, true, true);
	memset(&self->chain, 0xa5, sizeof(self->chain));
}

FIXTURE_TEARDOWN(ring)
{
	EXPECT_EQ(0, self->guest.empty);
}

/* Offer what begins with descriptor 0 and take it. */
static int take(struct guest *guest, struct vgpu_chain *chain)
{
	guest_offer(guest, 0);
	return guest_pop(guest, chain);
}

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

TEST_F(ring, push)
{
	struct guest *g = &self->guest;
	u32 i, id, len;

	guest_start(g, 0xfff8);
	for (i = 0; i < 40; i++) {
		ASSERT_FALSE(guest_used(g, &id, &len));
		ASSERT_EQ(0, guest_push(g, i % 16, 0xffffffff - i));
		ASSERT_TRUE(guest_used(g, &id, &len));
		EXPECT_EQ(i % 16, id);
		EXPECT_EQ(0xffffffff - i, len);
		/* 2.7.8.2: the entry and then the index. */
		EXPECT_EQ(GUEST_USED + 4 + (0xfff8 + i) % 16 * 8, g->written[0]);
		EXPECT_EQ(GUEST_USED + 2, g->written[1]);
		EXPECT_EQ(2 * (i + 1), g->writes);
	}
	EXPECT_EQ(0, g->reads);
}

TEST_F(ring, push_unreachable)
{
	struct guest *g = &self->guest;
	const u64 where[] = { GUEST_USED + 2, GUEST_USED + 3, GUEST_USED + 4,
			      GUEST_USED + 11 };
	u32 i, what, id, len;

	for (i = 0; i < ARRAY_SIZE(where); i++)
		for (what = 0; what <= GUEST_R; what++) {
			guest_may(g, where[i], 1, what);
			ASSERT_EQ(what ? -EPERM : -EFAULT, guest_push(g, 3, 4))
				TH_LOG("%u", i);
			ASSERT_EQ(0, g->ring.used_next);
			ASSERT_FALSE(guest_used(g, &id, &len));
			guest_may(g, where[i], 1, GUEST_W);
		}
	ASSERT_EQ(0, guest_push(g, 3, 4));
	ASSERT_TRUE(guest_used(g, &id, &len));
	EXPECT_EQ(3, id);
	EXPECT_EQ(4, len);
}

/* 2.7.7.2, with the flag. */
TEST_F(ring, interrupts_flag)
{
	struct guest *g = &self->guest;

	guest_init(g, 16, false, true);
	EXPECT_EQ(0, guest_interrupts(g));
	EXPECT_EQ(0, g->reads);
	guest_push(g, 0, 0);
	EXPECT_EQ(1, guest_interrupts(g));
	EXPECT_EQ(0, guest_interrupts(g));
	guest_flags(g, 1);
	guest_push(g, 0, 0);
	EXPECT_EQ(0, guest_interrupts(g));
	guest_flags(g, 0);
	EXPECT_EQ(0, guest_interrupts(g));
	/* Only one bit is said to be one. */
	guest_flags(g, 0xfffe);
	guest_push(g, 0, 0);
	EXPECT_EQ(1, guest_interrupts(g));
	guest_push(g, 0, 0);
	guest_may(g, GUEST_AVAIL, 1, 0);
	EXPECT_EQ(-EFAULT, guest_interrupts(g));
	guest_may(g, GUEST_AVAIL, 1, GUEST_R);
	EXPECT_EQ(1, guest_interrupts(g));
}

/* 2.7.7.2, with an index, that the flag is nothing to. */
TEST_F(ring, interrupts_event)
{
	static const u16 starts[] = { 0, 5, 0x7ffe, 0x8000, 0xfff0, 0xffff };
	struct guest *g = &self->guest;
	u32 i, n, event, k;

	EXPECT_EQ(0, guest_interrupts(g));
	EXPECT_EQ(0, g->reads);
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		for (n = 0; n <= 16; n++)
			for (event = 0; event <= UINT16_MAX; event++) {
				bool wants = false;

				for (k = 0; k < n; k++)
					wants |= (u16)(starts[i] + k) == event;
				guest_start(g, starts[i]);
				g->ring.used_next += n;
				guest_interrupt_at(g, event);
				guest_flags(g, event);
				ASSERT_EQ(wants, guest_interrupts(g))
					TH_LOG("%u, %u from %u", event, n,
					       starts[i]);
				ASSERT_EQ(g->ring.used_next,
					  g->ring.used_signalled);
			}
	guest_push(g, 0, 0);
	guest_may(g, GUEST_AVAIL + 4 + 2 * 16 + 1, 1, 0);
	EXPECT_EQ(-EFAULT, guest_interrupts(g));
	EXPECT_NE(g->ring.used_next, g->ring.used_signalled);
}

/* What the device says, without an index: 2.7.10.2. */
TEST_F(ring, notify_flag)
{
	struct guest *g = &self->guest;

	guest_init(g, 16, false, true);
	EXPECT_EQ(0, guest_notify(g, false));
	EXPECT_EQ(1, get_unaligned_le16(guest_at(g, GUEST_USED)));
	EXPECT_EQ(0, g->reads);
	EXPECT_EQ(0, guest_notify(g, true));
	EXPECT_EQ(0, get_unaligned_le16(guest_at(g, GUEST_USED)));
	EXPECT_EQ(1, g->reads);
	EXPECT_EQ(2, g->writes);
	guest_may(g, GUEST_USED, 1, 0);
	EXPECT_EQ(-EFAULT, guest_notify(g, false));
	EXPECT_EQ(-EFAULT, guest_notify(g, true));
	guest_may(g, GUEST_USED, 1, GUEST_R);
	EXPECT_EQ(-EPERM, guest_notify(g, true));
}

/* With one: 2.7.10.2 says that flags is 0, and the device never writes it. */
TEST_F(ring, notify_event)
{
	struct guest *g = &self->guest;
	const u64 event = GUEST_USED + 4 + 8 * 16;

	guest_start(g, 0xffff);
	guest_may(g, GUEST_USED, 2, 0);
	EXPECT_EQ(0, guest_notify(g, false));
	EXPECT_EQ(0, g->reads + g->writes);
	EXPECT_EQ(0, guest_notify(g, true));
	EXPECT_EQ(0xffff, get_unaligned_le16(guest_at(g, event)));
	ASSERT_EQ(1, take(g, &self->chain));
	EXPECT_EQ(0, guest_notify(g, true));
	EXPECT_EQ(0, get_unaligned_le16(guest_at(g, event)));
	guest_may(g, event, 1, 0);
	EXPECT_EQ(0, guest_notify(g, false));
	EXPECT_EQ(-EFAULT, guest_notify(g, true));
}

static void offer_now(struct guest *g, u64 iova, bool write)
{
	if (write)
		guest_offer(g, 0);
}

static void jump_now(struct guest *g, u64 iova, bool write)
{
	g->avail_idx += 17;
	guest_expose(g);
}

/* The guest offers something just when the device says that it will wait. */
TEST_F(ring, notify_race)
{
	struct guest *g = &self->guest;
	u32 event_idx;

	for (event_idx = 0; event_idx < 2; event_idx++) {
		guest_init(g, 16, event_idx, false);
		g->meanwhile = offer_now;
		ASSERT_EQ(1, guest_notify(g, true));
		g->meanwhile = NULL;
		/* Known, so that there is nothing to read. */
		g->reads = 0;
		ASSERT_EQ(1, guest_notify(g, true));
		EXPECT_EQ(0, g->reads);
		ASSERT_EQ(1, guest_pop(g, &self->chain));
		EXPECT_EQ(1, g->ring.avail_seen);
		EXPECT_EQ(1, g->copied[GUEST_AVAIL + 2 - GUEST_BASE]);
		ASSERT_EQ(0, guest_notify(g, true));
		guest_may(g, GUEST_AVAIL + 2, 1, 0);
		EXPECT_EQ(-EFAULT, guest_notify(g, true));
		guest_may(g, GUEST_AVAIL + 2, 1, GUEST_R);
		g->meanwhile = jump_now;
		EXPECT_EQ(-EINVAL, guest_notify(g, true));
	}
}

FIXTURE(flow)
{
	struct guest guest;
	struct vgpu_chain chain;
};

FIXTURE_VARIANT(flow)
{
	u16 size;
	bool event_idx;
	bool indirect;
};

#define FLOW(name, ...) \
	FIXTURE_VARIANT_ADD(flow, name) { __VA_ARGS__ }

FLOW(one, 1, false, false);
FLOW(one_event, 1, true, true);
FLOW(ovmf, 2, false, false);
FLOW(windows, 256, false, false);
FLOW(control, 64, true, true);
FLOW(cursor, 16, true, true);
FLOW(indirect, 256, false, true);
FLOW(event, 256, true, false);
FLOW(most, 1024, true, true);

FIXTURE_SETUP(flow)
{
	guest_init(&self->guest, variant->size, variant->event_idx,
		   variant->indirect);
}

FIXTURE_TEARDOWN(flow)
{
	EXPECT_EQ(0, self->guest.empty);
}

/*
 * Both sides take turns at random, and each sleeps when it has nothing to do until the
 * other wakes it.  Nobody may sleep while there is something to do, over more buffers
 * than an index can count.  Buffers come back in any order.
 */
TEST_F(flow, both_sides)
{
	struct guest *g = &self->guest;
	u16 size = g->ring.size;
	u16 free[VGPU_RING_MAX], taken[VGPU_RING_MAX];
	bool out[VGPU_RING_MAX] = { false };
	u32 lens[VGPU_RING_MAX];
	u32 nr_free = size, nr_taken = 0, done = 0, kicks = 0, interrupts = 0;
	bool device_waits = false, driver_waits = false;
	u64 random = 42;
	u32 i, n, id, len;

	for (i = 0; i < size; i++)
		free[i] = i;
	if (g->ring.indirect)
		guest_may(g, GUEST_TABLE, 2 * 16 * size, GUEST_R);
	guest_start(g, 0xff00);
	while (done < 70000) {
		ASSERT_FALSE(device_waits && driver_waits)
			TH_LOG("all wait after %u", done);
		if (!driver_waits && (device_waits || unit_random(&random) % 2)) {
			u16 from = g->avail_idx;

			while (guest_used(g, &id, &len)) {
				ASSERT_TRUE(id < size && out[id] &&
					    len == lens[id]);
				out[id] = false;
				free[nr_free++] = id;
				done++;
			}
			n = unit_random(&random) % (nr_free + 1);
			for (i = 0; i < n; i++) {
				u32 at = unit_random(&random) % nr_free;
				u16 head = free[at];
				u64 table = GUEST_TABLE + 2 * 16 * head;

				free[at] = free[--nr_free];
				out[head] = true;
				lens[head] = unit_random(&random);
				if (g->ring.indirect) {
					guest_desc(g, table, 0, head, 1, NEXT, 1);
					guest_desc(g, table, 1, lens[head],
						   lens[head] / 2, WRITE, 0);
					guest_desc(g, GUEST_DESC, head, table,
						   32, INDIRECT, 0);
				} else {
					guest_desc(g, GUEST_DESC, head,
						   lens[head], lens[head] / 2,
						   WRITE, 0);
				}
				guest_place(g, head);
			}
			guest_expose(g);
			if (guest_kicks(g, from)) {
				kicks += n > 0;
				device_waits = false;
			}
			/* A guest that does not sleep looks again by itself. */
			guest_flags(g, 1);
			if (nr_free < size && unit_random(&random) % 4 == 0) {
				guest_flags(g, 0);
				guest_interrupt_at(g, g->used_next +
						   (unit_random(&random) %
						    (size - nr_free)));
				driver_waits = get_unaligned_le16(
					guest_at(g, GUEST_USED + 2)) ==
					g->used_next;
			}
		} else if (!device_waits) {
			int ret = guest_pop(g, &self->chain);

			ASSERT_LE(0, ret);
			if (ret) {
				u16 head = self->chain.head;

				ASSERT_TRUE(out[head]);
				ASSERT_EQ(lens[head] / 2, self->chain.in_len);
				ASSERT_EQ(g->ring.indirect, self->chain.nr_out);
				taken[nr_taken++] = head;
			}
			if (!ret || unit_random(&random) % 2) {
				while (nr_taken) {
					u32 at = unit_random(&random) % nr_taken;
					u16 head = taken[at];

					taken[at] = taken[--nr_taken];
					ASSERT_EQ(0, guest_push(g, head,
								lens[head]));
				}
				ret = guest_interrupts(g);
				ASSERT_LE(0, ret);
				interrupts += ret;
				if (ret)
					driver_waits = false;
			}
			if (unit_random(&random) % 4 == 0)
				ASSERT_EQ(0, guest_notify(g, false));
			if (!nr_taken && unit_random(&random) % 4 == 0) {
				ret = guest_notify(g, true);
				ASSERT_LE(0, ret);
				device_waits = !ret;
			}
		}
	}
	EXPECT_LT(0, kicks);
	EXPECT_LT(0, interrupts);
}

/* The driver of Windows: chains over the whole queue, one at a time, with a kick each. */
TEST_F(flow, one_at_a_time)
{
	struct guest *g = &self->guest;
	u16 size = g->ring.size;
	u32 i, n, id, len;

	for (n = 0; n < 3; n++) {
		u16 first = n * 7 % size;

		for (i = 0; i < size; i++)
			guest_desc(g, GUEST_DESC, (first + i) % size,
				   GUEST_DATA + i, 1,
				   (i < size - 1 ? NEXT : 0) |
				   (i && i == size - 1 ? WRITE : 0),
				   (first + i + 1) % size);
		ASSERT_EQ(0, guest_notify(g, true));
		guest_offer(g, first);
		ASSERT_TRUE(guest_kicks(g, g->avail_idx - 1));
		ASSERT_EQ(1, guest_pop(g, &self->chain));
		ASSERT_EQ(first, self->chain.head);
		ASSERT_EQ(size, self->chain.nr_out + self->chain.nr_in);
		ASSERT_EQ(size > 1, self->chain.nr_in);
		for (i = 0; i < size; i++)
			ASSERT_EQ(GUEST_DATA + i, self->chain.parts[i].iova);
		guest_interrupt_at(g, g->used_next);
		ASSERT_EQ(0, guest_push(g, first, size > 1));
		ASSERT_EQ(1, guest_interrupts(g));
		ASSERT_TRUE(guest_used(g, &id, &len));
		ASSERT_EQ(first, id);
		ASSERT_EQ(0, guest_pop(g, &self->chain));
	}
}

/* That of OVMF: no interrupts, and the used index is looked at until it moves. */
TEST_F(flow, polling)
{
	struct guest *g = &self->guest;
	u32 n, id, len;

	guest_flags(g, 1);
	guest_interrupt_at(g, g->used_next - 1);
	for (n = 0; n < 10; n++) {
		/* In a queue of one, there is no place for an answer. */
		bool answer = g->ring.size > 1;

		guest_desc(g, GUEST_DESC, 0, GUEST_DATA, 24, answer ? NEXT : 0, 1);
		if (answer)
			guest_desc(g, GUEST_DESC, 1, GUEST_DATA + 64, 24, WRITE, 0);
		ASSERT_EQ(1, take(g, &self->chain));
		ASSERT_FALSE(guest_used(g, &id, &len));
		ASSERT_EQ(0, guest_push(g, 0, 24 * answer));
		ASSERT_EQ(0, guest_interrupts(g));
		ASSERT_TRUE(guest_used(g, &id, &len));
		ASSERT_EQ(0, id);
		ASSERT_EQ(24 * answer, len);
	}
}

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
