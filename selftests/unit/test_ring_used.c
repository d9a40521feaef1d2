// SPDX-License-Identifier: GPL-2.0
/*
 * What a device gives back in a virtqueue, and how both sides notify each other; virtio
 * 1.2, 2.7.
 */
#include "ring_queue.h"

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

TEST_HARNESS_MAIN
