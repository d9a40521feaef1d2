/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest for the tests of a virtqueue: its memory, with what the device may do to each
 * byte, and the driver's side of virtio 1.2, 2.7.
 */
#ifndef _UNIT_RING_H
#define _UNIT_RING_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compat/unaligned.h"
#include "model/virtio/host.h"
#include "model/virtio/ring.h"

#define GUEST_BASE	0x7fff00000000ULL
#define GUEST_SIZE	(256 * 1024)

/* What the device may do to a byte. */
#define GUEST_R		1
#define GUEST_W		2

#define NEXT		1
#define WRITE		2
#define INDIRECT	4

/* Where things are.  Rings begin where the standard's alignment just allows it. */
#define GUEST_DESC	(GUEST_BASE + 0x010)
#define GUEST_AVAIL	(GUEST_BASE + 0x5002)
#define GUEST_USED	(GUEST_BASE + 0x8004)
#define GUEST_TABLE	(GUEST_BASE + 0x10001)
#define GUEST_DATA	(GUEST_BASE + 0x20000)

struct guest {
	struct vgpu_host host;	/* first */
	struct vgpu_ring ring;
	u8 memory[GUEST_SIZE];
	u8 may[GUEST_SIZE];
	u32 copied[GUEST_SIZE];	/* how often each byte was read */
	u32 reads;
	u32 writes;
	u32 empty;		/* accesses of no bytes */
	u64 written[2];		/* where the last two writes were */
	void (*meanwhile)(struct guest *guest, u64 iova, bool write);
	u16 avail_idx;
	u16 used_next;
};

static inline u8 *guest_at(struct guest *guest, u64 iova)
{
	if (iova < GUEST_BASE || iova >= GUEST_BASE + GUEST_SIZE)
		abort();
	return guest->memory + (iova - GUEST_BASE);
}

static inline int guest_access(struct guest *guest, u64 iova, size_t len, u8 what)
{
	u64 i, at = iova - GUEST_BASE;

	guest->empty += !len;
	if (iova < GUEST_BASE || at > GUEST_SIZE || len > GUEST_SIZE - at)
		return -EFAULT;
	for (i = 0; i < len; i++) {
		if (!guest->may[at + i])
			return -EFAULT;
		if (!(guest->may[at + i] & what))
			return -EPERM;
	}
	return 0;
}

static inline int guest_read(struct vgpu_host *host, u64 iova, void *buf,
			     size_t len)
{
	struct guest *guest = (struct guest *)host;
	u64 i, at = iova - GUEST_BASE;
	int err = guest_access(guest, iova, len, GUEST_R);

	guest->reads++;
	if (err) {
		memset(buf, 0xee, len);
		return err;
	}
	memcpy(buf, guest->memory + at, len);
	for (i = 0; i < len; i++)
		guest->copied[at + i]++;
	if (guest->meanwhile)
		guest->meanwhile(guest, iova, false);
	return 0;
}

static inline int guest_write(struct vgpu_host *host, u64 iova, const void *buf,
			      size_t len)
{
	struct guest *guest = (struct guest *)host;
	int err = guest_access(guest, iova, len, GUEST_W);

	guest->writes++;
	if (err)
		return err;
	memcpy(guest->memory + (iova - GUEST_BASE), buf, len);
	guest->written[0] = guest->written[1];
	guest->written[1] = iova;
	if (guest->meanwhile)
		guest->meanwhile(guest, iova, true);
	return 0;
}

static inline void guest_may(struct guest *guest, u64 iova, u64 len, u8 what)
{
	u64 at = iova - GUEST_BASE;

	if (iova < GUEST_BASE || at > GUEST_SIZE || len > GUEST_SIZE - at)
		abort();
	memset(guest->may + at, what, len);
}

/* The device can reach the rings, for what it is to do there, and nothing else. */
static inline void guest_init(struct guest *guest, u16 size, bool event_idx,
			      bool indirect)
{
	memset(guest, 0, sizeof(*guest));
	guest->host.read = guest_read;
	guest->host.write = guest_write;
	guest->ring.desc = GUEST_DESC;
	guest->ring.avail = GUEST_AVAIL;
	guest->ring.used = GUEST_USED;
	guest->ring.size = size;
	guest->ring.event_idx = event_idx;
	guest->ring.indirect = indirect;
	guest_may(guest, GUEST_DESC, 16 * size, GUEST_R);
	guest_may(guest, GUEST_AVAIL, 4 + 2 * size + 2 * event_idx, GUEST_R);
	guest_may(guest, GUEST_USED, 4 + 8 * size + 2 * event_idx, GUEST_W);
}

static inline void guest_desc(struct guest *guest, u64 table, u32 i, u64 iova,
			      u32 len, u16 flags, u16 next)
{
	u8 *p = guest_at(guest, table + 16 * i);

	put_unaligned_le64(iova, p);
	put_unaligned_le32(len, p + 8);
	put_unaligned_le16(flags, p + 12);
	put_unaligned_le16(next, p + 14);
}

/* All queues' indices from here on, as if as many buffers had been used. */
static inline void guest_start(struct guest *guest, u16 at)
{
	guest->ring.avail_next = at;
	guest->ring.avail_seen = at;
	guest->ring.used_next = at;
	guest->ring.used_signalled = at;
	guest->avail_idx = at;
	guest->used_next = at;
	put_unaligned_le16(at, guest_at(guest, GUEST_AVAIL + 2));
	put_unaligned_le16(at, guest_at(guest, GUEST_USED + 2));
}

/* 2.7.13: a buffer, which the index tells of later. */
static inline void guest_place(struct guest *guest, u16 head)
{
	put_unaligned_le16(head, guest_at(guest, GUEST_AVAIL + 4 +
					  2 * (guest->avail_idx %
					       guest->ring.size)));
	guest->avail_idx++;
}

static inline void guest_expose(struct guest *guest)
{
	put_unaligned_le16(guest->avail_idx, guest_at(guest, GUEST_AVAIL + 2));
}

static inline void guest_offer(struct guest *guest, u16 head)
{
	guest_place(guest, head);
	guest_expose(guest);
}

/* 2.7.10.1: whether to notify, after the index went from @from to where it is. */
static inline bool guest_kicks(struct guest *guest, u16 from)
{
	u16 to = guest->avail_idx, i;
	u16 event = get_unaligned_le16(guest_at(guest, GUEST_USED + 4 +
						8 * guest->ring.size));

	if (!guest->ring.event_idx)
		return !get_unaligned_le16(guest_at(guest, GUEST_USED));
	for (i = from; i != to; i++)
		if (i == event)
			return true;
	return false;
}

/* 2.7.14: a used buffer, if there is one. */
static inline bool guest_used(struct guest *guest, u32 *id, u32 *len)
{
	u8 *p = guest_at(guest, GUEST_USED + 4 +
			 8 * (guest->used_next % guest->ring.size));

	if (get_unaligned_le16(guest_at(guest, GUEST_USED + 2)) ==
	    guest->used_next)
		return false;
	*id = get_unaligned_le32(p);
	*len = get_unaligned_le32(p + 4);
	guest->used_next++;
	return true;
}

/* 2.7.7.1: when to be notified: @at or later, by one means or the other. */
static inline void guest_interrupt_at(struct guest *guest, u16 at)
{
	put_unaligned_le16(at, guest_at(guest, GUEST_AVAIL + 4 +
					2 * guest->ring.size));
}

static inline void guest_flags(struct guest *guest, u16 flags)
{
	put_unaligned_le16(flags, guest_at(guest, GUEST_AVAIL));
}

static inline int guest_pop(struct guest *guest, struct vgpu_chain *chain)
{
	return vgpu_ring_pop(&guest->ring, &guest->host, chain);
}

static inline int guest_push(struct guest *guest, u16 head, u32 len)
{
	return vgpu_ring_push(&guest->ring, &guest->host, head, len);
}

static inline int guest_interrupts(struct guest *guest)
{
	return vgpu_ring_interrupts(&guest->ring, &guest->host);
}

static inline int guest_notify(struct guest *guest, bool on)
{
	return vgpu_ring_notify(&guest->ring, &guest->host, on);
}

/* Offer what begins with descriptor 0 and take it. */
static inline int take(struct guest *guest, struct vgpu_chain *chain)
{
	guest_offer(guest, 0);
	return guest_pop(guest, chain);
}

#endif /* _UNIT_RING_H */
