// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a virtio 1.2 split virtqueue.  Numbers of sections are those of
 * that standard.
 *
 * Where the standard says what a driver MUST do, a driver that does not has broken the
 * queue, with one exception that Linux needs: an indirect table may be longer than the
 * queue.  What the standard says nothing of is accepted: parts of no bytes, unknown
 * flags, a head that is offered again before it was used.
 */
#include <asm/barrier.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/overflow.h>

#include "compat/unaligned.h"
#include "model/virtio/host.h"
#include "model/virtio/ring.h"

/* 2.7.5 */
#define RING_DESC		16
#define RING_DESC_NEXT		1
#define RING_DESC_WRITE		2
#define RING_DESC_INDIRECT	4

/* 2.7.6 */
#define RING_AVAIL_FLAGS	0
#define RING_AVAIL_IDX		2
#define RING_AVAIL_ENTRIES	4
#define RING_AVAIL_ENTRY	2
#define RING_NO_INTERRUPT	1

/* 2.7.8 */
#define RING_USED_FLAGS		0
#define RING_USED_IDX		2
#define RING_USED_ENTRIES	4
#define RING_USED_ENTRY		8
#define RING_NO_NOTIFY		1

/* 2.7.5.2 */
#define RING_CHAIN_BYTES	0x100000000ULL

/*
 * Descriptors that are copied at once.  A call for guest memory costs more than a
 * kilobyte does, and drivers put descriptors of a chain side by side.
 */
#define RING_RUN		64

/* A descriptor. */
struct ring_desc {
	u64 iova;
	u32 len;
	u16 flags;
	u16 next;
};

/* A table of @nr descriptors at @iova, of which @copied from @first on are in @copy. */
struct ring_table {
	u64 iova;
	u32 nr;
	u32 first;
	u32 copied;
	u8 copy[RING_RUN * RING_DESC];
};

static int ring_get16(struct vgpu_host *host, u64 iova, u16 *value)
{
	u8 buf[2];
	int err = host->read(host, iova, buf, sizeof(buf));

	if (!err)
		*value = get_unaligned_le16(buf);
	return err;
}

static int ring_put16(struct vgpu_host *host, u64 iova, u16 value)
{
	u8 buf[2];

	put_unaligned_le16(value, buf);
	return host->write(host, iova, buf, sizeof(buf));
}

/* Where the entry or the field is that both rings have behind their last entry. */
static u64 ring_avail_entry(const struct vgpu_ring *ring, u32 i)
{
	return ring->avail + RING_AVAIL_ENTRIES + RING_AVAIL_ENTRY * i;
}

static u64 ring_used_entry(const struct vgpu_ring *ring, u32 i)
{
	return ring->used + RING_USED_ENTRIES + RING_USED_ENTRY * i;
}

/*
 * See how far the guest is: 1 if there is something to take, 0 if not, or an error.
 * Each buffer that is not used yet has a descriptor of the queue, those that were taken
 * as well, so there are at most as many as the queue has (2.7, 2.7.13).  That also
 * finds an index that went back (2.7.6.1).
 */
static int ring_look(struct vgpu_ring *ring, struct vgpu_host *host)
{
	u16 seen;
	int err = ring_get16(host, ring->avail + RING_AVAIL_IDX, &seen);

	if (err)
		return err;
	if ((u16)(seen - ring->used_next) > ring->size ||
	    (u16)(seen - ring->avail_next) > ring->size)
		return -EINVAL;
	/* With the guest's, of 2.7.13.3.1: entries and descriptors come after. */
	smp_rmb();
	ring->avail_seen = seen;
	return ring->avail_next != seen;
}

static void ring_table_init(struct ring_table *table, u64 iova, u32 nr)
{
	table->iova = iova;
	table->nr = nr;
	table->first = 0;
	table->copied = 0;
}

static int ring_table_get(struct ring_table *table, struct vgpu_host *host, u32 i,
			  struct ring_desc *desc)
{
	const u8 *p;

	if (i >= table->nr)
		return -EINVAL;
	if (i - table->first >= table->copied) {
		u32 nr = min_t(u32, table->nr - i, RING_RUN);
		int err = host->read(host, table->iova + (u64)i * RING_DESC,
				     table->copy, nr * RING_DESC);

		if (err)
			return err;
		table->first = i;
		table->copied = nr;
	}
	p = table->copy + (i - table->first) * RING_DESC;
	desc->iova = get_unaligned_le64(p);
	desc->len = get_unaligned_le32(p + 8);
	desc->flags = get_unaligned_le16(p + 12);
	desc->next = get_unaligned_le16(p + 14);
	return 0;
}

/* Go on with the table that @desc refers to, in place of the queue's own. */
static int ring_table_indirect(struct ring_table *table, const struct vgpu_ring *ring,
			       const struct ring_desc *desc)
{
	u64 end;

	/* 2.7.5.3.1; WRITE is ignored by 2.7.5.3.2. */
	if (!ring->indirect || (desc->flags & RING_DESC_NEXT))
		return -EINVAL;
	/* Whole descriptors by 2.7.5.3.  A table of none has no first one (2.7.13.1). */
	if (desc->len % RING_DESC ||
	    check_add_overflow(desc->iova, (u64)desc->len, &end))
		return -EINVAL;
	ring_table_init(table, desc->iova, desc->len / RING_DESC);
	return 0;
}

static int chain_add(struct vgpu_chain *chain, const struct ring_desc *desc)
{
	u32 nr = chain->nr_out + chain->nr_in;
	u64 end;

	if (nr == VGPU_CHAIN_MAX ||
	    check_add_overflow(desc->iova, (u64)desc->len, &end))
		return -EINVAL;
	if (desc->flags & RING_DESC_WRITE) {
		chain->nr_in++;
		chain->in_len += desc->len;
	} else {
		/* 2.7.4.2 */
		if (chain->nr_in)
			return -EINVAL;
		chain->nr_out++;
		chain->out_len += desc->len;
	}
	if (chain->out_len + chain->in_len > RING_CHAIN_BYTES)
		return -EINVAL;
	chain->parts[nr].iova = desc->iova;
	chain->parts[nr].len = desc->len;
	return 0;
}

/*
 * Gather the chain that begins with chain->head.  By 2.7.5.3.2 it may begin in the queue
 * and end in an indirect table.  Whoever takes more steps in a table than it has
 * descriptors goes in a circle.
 */
static int ring_walk(const struct vgpu_ring *ring, struct vgpu_host *host,
		     struct vgpu_chain *chain)
{
	struct ring_table table;
	struct ring_desc desc;
	bool indirect = false;
	u32 i = chain->head;
	u32 steps = 0;
	int err;

	ring_table_init(&table, ring->desc, ring->size);
	for (;;) {
		if (steps++ == table.nr)
			return -EINVAL;
		err = ring_table_get(&table, host, i, &desc);
		if (err)
			return err;
		if (desc.flags & RING_DESC_INDIRECT) {
			if (indirect)
				return -EINVAL;
			err = ring_table_indirect(&table, ring, &desc);
			if (err)
				return err;
			indirect = true;
			steps = 0;
			i = 0;
			continue;
		}
		err = chain_add(chain, &desc);
		if (err)
			return err;
		if (!(desc.flags & RING_DESC_NEXT))
			return 0;
		i = desc.next;
	}
}

/**
 * vgpu_ring_pop() - take the next buffer that the guest has made available
 * @ring: the virtqueue
 * @host: guest memory
 * @chain: the buffer; undefined unless 1 is returned
 *
 * The index of the available ring is read only when all buffers that were seen are
 * taken.  All that is in @chain was copied once, and is true for as long as the caller
 * wants: parts that end below 2^64, at most VGPU_CHAIN_MAX of them, none that the device
 * reads behind one that it writes, at most 2^32 bytes in all (2.7.4.2, 2.7.5.2).  A part
 * may have no bytes.  Whether there is memory behind a part shows when it is copied.
 *
 * After an error nothing was taken, and the queue cannot go on: a device sets
 * DEVICE_NEEDS_RESET (2.1.2).
 *
 * Return: 1 with a buffer, 0 if there is none, -EINVAL if the guest has broken a rule
 * for the ring or for the chain, or what @host returned for the queue or for an indirect
 * table
 */
int vgpu_ring_pop(struct vgpu_ring *ring, struct vgpu_host *host,
		  struct vgpu_chain *chain)
{
	int err;

	if (ring->avail_next == ring->avail_seen) {
		err = ring_look(ring, host);
		if (err <= 0)
			return err;
	}
	err = ring_get16(host, ring_avail_entry(ring, ring->avail_next &
						(ring->size - 1)),
			 &chain->head);
	if (err)
		return err;
	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->out_len = 0;
	chain->in_len = 0;
	err = ring_walk(ring, host, chain);
	if (err)
		return err;
	ring->avail_next++;
	return 1;
}

/**
 * vgpu_ring_push() - give a buffer back to the guest
 * @ring: the virtqueue
 * @host: guest memory
 * @head: that of the chain, which was taken and not yet given back
 * @len: bytes, from the first that the device can write on, that it has written
 *	(2.7.8.2); not more than in_len of the chain
 *
 * Chains may come back in any order.  The guest is not notified: that is what
 * vgpu_ring_interrupts() is for, after one or more of these.
 *
 * Return: 0, or what @host returned, and then the queue cannot go on
 */
int vgpu_ring_push(struct vgpu_ring *ring, struct vgpu_host *host, u16 head,
		   u32 len)
{
	u8 entry[RING_USED_ENTRY];
	int err;

	put_unaligned_le32(head, entry);
	put_unaligned_le32(len, entry + 4);
	err = host->write(host, ring_used_entry(ring, ring->used_next &
						(ring->size - 1)),
			  entry, sizeof(entry));
	if (err)
		return err;
	/*
	 * The host's copies are plain stores.  Those to the buffer and to the entry are
	 * to be seen before the index (2.7.8.2).
	 */
	smp_wmb();
	err = ring_put16(host, ring->used + RING_USED_IDX, ring->used_next + 1);
	if (err)
		return err;
	ring->used_next++;
	return 0;
}

/**
 * vgpu_ring_interrupts() - whether the guest wants to be notified of used buffers
 * @ring: the virtqueue
 * @host: guest memory
 *
 * Asks for all buffers that were given back since the last call, which must be fewer
 * than 65536 (2.7.7.2).
 *
 * Return: 1 if it wants to, 0 if not or if there were no such buffers, or what @host
 * returned
 */
int vgpu_ring_interrupts(struct vgpu_ring *ring, struct vgpu_host *host)
{
	u16 to = ring->used_next;
	u16 from = ring->used_signalled;
	u16 value;
	int err;

	if (to == from)
		return 0;
	/*
	 * The guest says what it wants and then looks at the index once more; this is
	 * the other way round, so that one of the two sees what the other wrote (2.7.14).
	 */
	smp_mb();
	err = ring_get16(host, ring->event_idx ? ring_avail_entry(ring, ring->size) :
						 ring->avail + RING_AVAIL_FLAGS,
			 &value);
	if (err)
		return err;
	ring->used_signalled = to;
	if (!ring->event_idx)
		return !(value & RING_NO_INTERRUPT);
	/* Whether entry number @value is among those from @from to before @to. */
	return (u16)(to - value - 1) < (u16)(to - from);
}

/**
 * vgpu_ring_notify() - say whether the guest is to notify of available buffers
 * @ring: the virtqueue
 * @host: guest memory
 * @on: true before the caller waits for a notification; false is advice, which a guest
 *	need not follow, and with VIRTIO_F_EVENT_IDX nothing is written: a guest then
 *	notifies once for each call with true (2.7.10.1)
 *
 * Return: for @on, 1 if there is a buffer to take, so that a notification may never come
 * and the caller must not wait, else 0; -EINVAL if the guest has broken a rule for the
 * ring, or what @host returned
 */
int vgpu_ring_notify(struct vgpu_ring *ring, struct vgpu_host *host, bool on)
{
	int err = 0;

	if (!ring->event_idx)
		err = ring_put16(host, ring->used + RING_USED_FLAGS,
				 on ? 0 : RING_NO_NOTIFY);
	else if (on)
		err = ring_put16(host, ring_used_entry(ring, ring->size),
				 ring->avail_next);
	if (err || !on)
		return err;
	if (ring->avail_next != ring->avail_seen)
		return 1;
	/* With the guest's, of 2.7.13.4.1, between its index and its look at this. */
	smp_mb();
	return ring_look(ring, host);
}
