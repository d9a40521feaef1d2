/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a virtio 1.2 split virtqueue.
 *
 * The guest is hostile: what lies in its memory is copied once, then checked and
 * used.  No lock is taken; the caller serialises all calls for one ring.
 *
 * A queue is used in this way, as long as nothing fails:
 *
 *	vgpu_ring_notify(false)
 *	again:
 *	while (vgpu_ring_pop() == 1)
 *		... vgpu_ring_push()
 *	if (vgpu_ring_interrupts())
 *		... interrupt the guest
 *	if (vgpu_ring_notify(true))
 *		goto again
 *	... wait for a notification
 */
#ifndef _VGPU_VIRTIO_RING_H
#define _VGPU_VIRTIO_RING_H

#include <linux/types.h>

struct vgpu_host;

/* Largest queue that a vGPU offers, and that a guest can choose. */
#define VGPU_RING_MAX		1024

/*
 * Most descriptors of a chain.  An indirect table may be longer than its queue: Linux
 * makes one with an entry for each page of 4 MiB.
 */
#define VGPU_CHAIN_MAX		2048

/**
 * struct vgpu_ring - a virtqueue
 * @desc: where in guest memory the descriptors are
 * @avail: where the driver area (available ring) is
 * @used: where the device area (used ring) is
 * @size: entries, a power of two, at most VGPU_RING_MAX
 * @event_idx: VIRTIO_F_EVENT_IDX was negotiated
 * @indirect: VIRTIO_F_INDIRECT_DESC was negotiated
 * @avail_next: index of the next entry of the available ring that is taken
 * @avail_seen: index behind the last entry that the guest was seen to offer
 * @used_next: index of the next used entry
 * @used_signalled: @used_next when the guest was last asked about an interrupt
 *
 * The caller sets what comes before @avail_next, with addresses that are aligned as 2.7
 * of the standard says, and the indices to 0 when the queue begins.
 */
struct vgpu_ring {
	u64 desc;
	u64 avail;
	u64 used;
	u16 size;
	bool event_idx;
	bool indirect;
	u16 avail_next;
	u16 avail_seen;
	u16 used_next;
	u16 used_signalled;
};

/* A piece of guest memory in a chain. */
struct vgpu_chain_part {
	u64 iova;
	u32 len;
};

/**
 * struct vgpu_chain - a buffer that the guest has made available
 * @head: its first descriptor, which names it in the used ring
 * @nr_out: parts that the device reads; they are the first of @parts
 * @nr_in: parts that the device writes
 * @out_len: bytes that the device can read
 * @in_len: bytes that the device can write
 * @parts: copied from the descriptors
 */
struct vgpu_chain {
	u16 head;
	u32 nr_out;
	u32 nr_in;
	u64 out_len;
	u64 in_len;
	struct vgpu_chain_part parts[VGPU_CHAIN_MAX];
};

int vgpu_ring_pop(struct vgpu_ring *ring, struct vgpu_host *host,
		  struct vgpu_chain *chain);
int vgpu_ring_push(struct vgpu_ring *ring, struct vgpu_host *host, u16 head,
		   u32 len);
int vgpu_ring_interrupts(struct vgpu_ring *ring, struct vgpu_host *host);
int vgpu_ring_notify(struct vgpu_ring *ring, struct vgpu_host *host, bool on);
int vgpu_chain_read(const struct vgpu_chain *chain, struct vgpu_host *host,
		    u64 offset, void *buf, size_t len);
int vgpu_chain_write(const struct vgpu_chain *chain, struct vgpu_host *host,
		     u64 offset, const void *buf, size_t len);

#endif /* _VGPU_VIRTIO_RING_H */
