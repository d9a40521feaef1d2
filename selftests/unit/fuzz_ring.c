// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: a virtqueue in a guest's memory that the input writes.
 *
 * The first byte is the logarithm of the size, in the low four bits, and the features;
 * the next picks where the rings are, two more are where the indices begin.  Then come
 * operations, one byte each with what enum says; missing bytes are zeroes.  The guest
 * may write while the device reads.
 *
 * What is taken is compared with a second walk, which copies nothing and takes one
 * descriptor at a time.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat/unaligned.h"
#include "model/virtio/host.h"
#include "model/virtio/ring.h"

enum {
	POKE,		/* offset (2), length, bytes */
	DESC,		/* number (2), which table, address, length, flags, next */
	OFFER,		/* how many, heads */
	AVAIL_IDX,	/* value (2) */
	HOLE,		/* offset (2), length (2) */
	LATER,		/* after how many accesses, what POKE has */
	POP,
	PUSH,		/* which, length */
	INTERRUPTS,
	NOTIFY,		/* on */
	READ,		/* offset (2), length */
	WRITE,		/* offset (2), length */
	NR_OPS
};

#define BASE		0xfffff0000ULL
#define SIZE		0x10000
#define TABLE		(BASE + 0xa001)
#define DATA		(BASE + 0xc000)

#define F_NEXT		1
#define F_WRITE		2
#define F_INDIRECT	4

struct input {
	const uint8_t *data;
	size_t size;
};

struct range {
	u64 start;
	u64 len;
};

static struct guest {
	struct vgpu_host host;	/* first */
	u8 *memory;
	struct range hole;	/* where nothing can be reached */
	struct range allowed;	/* where the device may write now */
	u32 later;		/* accesses until the guest writes this */
	u32 later_at;
	u32 later_len;
	u8 later_bytes[256];
	u32 reads;
	bool failed;		/* since the operation began */
	bool wrote;		/* the guest, since then */
	struct vgpu_ring ring;
	struct vgpu_chain chain, want;
	bool has_chain;
	u16 taken[VGPU_RING_MAX];
	u32 nr_taken;
} guest;

static u8 next(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static u16 next16(struct input *in)
{
	u16 low = next(in);

	return low | next(in) << 8;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static bool reachable(u64 iova, u64 len)
{
	if (iova < BASE || iova - BASE > SIZE || len > SIZE - (iova - BASE))
		return false;
	return iova >= guest.hole.start + guest.hole.len ||
	       iova + len <= guest.hole.start;
}

/* The guest writes after this access. */
static void meanwhile(void)
{
	if (!guest.later || --guest.later)
		return;
	memcpy(guest.memory + guest.later_at, guest.later_bytes, guest.later_len);
	guest.wrote = true;
}

static int host_read(struct vgpu_host *host, u64 iova, void *buf, size_t len)
{
	check(len, "a read of nothing");
	guest.reads++;
	if (!reachable(iova, len)) {
		memset(buf, 0x5a, len);
		guest.failed = true;
		return -EFAULT;
	}
	memcpy(buf, guest.memory + (iova - BASE), len);
	meanwhile();
	return 0;
}

static int host_write(struct vgpu_host *host, u64 iova, const void *buf, size_t len)
{
	check(len, "a write of nothing");
	check(iova - guest.allowed.start <= guest.allowed.len &&
	      len <= guest.allowed.len - (iova - guest.allowed.start),
	      "written where it may not be");
	if (!reachable(iova, len)) {
		guest.failed = true;
		return -EFAULT;
	}
	memcpy(guest.memory + (iova - BASE), buf, len);
	meanwhile();
	return 0;
}

/* Bytes where the guest's memory is, and what cannot be reached otherwise. */
static const u8 *look(u64 iova, u32 len)
{
	return reachable(iova, len) ? guest.memory + (iova - BASE) : NULL;
}

/* What the next buffer is, as pop returns it. */
static int reference(struct vgpu_chain *want)
{
	const struct vgpu_ring *ring = &guest.ring;
	u64 table = ring->desc;
	u32 nr = ring->size, i, steps;
	bool indirect = false;
	const u8 *p;

	memset(want, 0, offsetof(struct vgpu_chain, parts));
	if (ring->avail_next == ring->avail_seen) {
		u16 offered;

		p = look(ring->avail + 2, 2);
		if (!p)
			return -EFAULT;
		offered = get_unaligned_le16(p) - ring->avail_next;
		if (offered + guest.nr_taken > ring->size)
			return -EINVAL;
		if (!offered)
			return 0;
	}
	p = look(ring->avail + 4 + 2 * (ring->avail_next % ring->size), 2);
	if (!p)
		return -EFAULT;
	i = want->head = get_unaligned_le16(p);
	for (steps = 0; ; steps++) {
		u64 iova;
		u32 len, flags;

		if (i >= nr || steps >= nr)
			return -EINVAL;
		p = look(table + 16 * (u64)i, 16);
		if (!p)
			return -EFAULT;
		iova = get_unaligned_le64(p);
		len = get_unaligned_le32(p + 8);
		flags = get_unaligned_le16(p + 12);
		if (iova > UINT64_MAX - len)
			return -EINVAL;
		if (flags & F_INDIRECT) {
			if (indirect || !ring->indirect || (flags & F_NEXT) ||
			    !len || len % 16)
				return -EINVAL;
			indirect = true;
			table = iova;
			nr = len / 16;
			i = 0;
			steps = -1;
			continue;
		}
		if (want->nr_in + want->nr_out >= VGPU_CHAIN_MAX ||
		    (want->nr_in && !(flags & F_WRITE)))
			return -EINVAL;
		want->parts[want->nr_in + want->nr_out] =
			(struct vgpu_chain_part) { iova, len };
		*(flags & F_WRITE ? &want->nr_in : &want->nr_out) += 1;
		*(flags & F_WRITE ? &want->in_len : &want->out_len) += len;
		if (want->in_len + want->out_len > 1ULL << 32)
			return -EINVAL;
		if (!(flags & F_NEXT))
			return 1;
		i = get_unaligned_le16(p + 14);
	}
}

static void check_chain(const struct vgpu_chain *chain)
{
	u64 out = 0, in = 0;
	u32 i, nr = chain->nr_out + chain->nr_in;

	check(chain->nr_out <= VGPU_CHAIN_MAX && chain->nr_in <= VGPU_CHAIN_MAX &&
	      nr && nr <= VGPU_CHAIN_MAX, "parts");
	check(chain->head < guest.ring.size, "head");
	for (i = 0; i < nr; i++) {
		const struct vgpu_chain_part *part = &chain->parts[i];

		check(part->iova <= UINT64_MAX - part->len, "a part wraps");
		*(i < chain->nr_out ? &out : &in) += part->len;
	}
	check(out == chain->out_len && in == chain->in_len, "lengths");
	check(out + in <= 1ULL << 32, "too many bytes");
}

static void run_pop(void)
{
	struct vgpu_chain *chain = &guest.chain, *want = &guest.want;
	struct vgpu_ring before = guest.ring;
	int expected = reference(want);
	int ret;
	u32 i;

	guest.has_chain = false;
	memset(chain, 0xa5, sizeof(*chain));
	ret = vgpu_ring_pop(&guest.ring, &guest.host, chain);
	check(ret == 0 || ret == 1 || ret == -EINVAL || ret == -EFAULT, "pop");
	check((ret == -EFAULT) == guest.failed, "an error of the host");
	/* An index, an entry, descriptors of the queue and of a table. */
	check(guest.reads <= 2 + guest.ring.size + VGPU_CHAIN_MAX + 1,
	      "no end of reads");
	check(guest.ring.avail_next == (u16)(before.avail_next + (ret == 1)),
	      "taken or not");
	guest.ring.avail_next = before.avail_next;
	before.avail_seen = guest.ring.avail_seen;
	check(!memcmp(&before, &guest.ring, sizeof(before)), "pop changed more");
	if (ret == 1) {
		check_chain(chain);
		check(guest.nr_taken < guest.ring.size, "too many are out");
		guest.taken[guest.nr_taken++] = chain->head;
		guest.ring.avail_next++;
		guest.has_chain = true;
	}
	if (guest.wrote)
		return;
	/* More than is needed may be read, and then some of it not be there. */
	if (ret == -EFAULT)
		check(expected, "nothing was to be read");
	else
		check(ret == expected, "not what the second walk says");
	if (ret != 1)
		return;
	check(chain->head == want->head && chain->nr_in == want->nr_in &&
	      chain->nr_out == want->nr_out, "another chain");
	for (i = 0; i < chain->nr_out + chain->nr_in; i++)
		check(chain->parts[i].iova == want->parts[i].iova &&
		      chain->parts[i].len == want->parts[i].len, "another part");
}

static void run_push(struct input *in)
{
	u32 which = next(in), len = next(in);
	u16 used = guest.ring.used_next;
	u32 at = used % guest.ring.size;
	const u8 *p;
	u16 head;
	int ret;

	if (!guest.nr_taken)
		return;
	which %= guest.nr_taken;
	head = guest.taken[which];
	guest.allowed = (struct range) { guest.ring.used + 2,
					 2 + 8 * guest.ring.size };
	ret = vgpu_ring_push(&guest.ring, &guest.host, head, len);
	check(ret == (guest.failed ? -EFAULT : 0), "push");
	check(guest.ring.used_next == (u16)(used + !ret), "used");
	check(!guest.reads, "read to give back");
	if (ret)
		return;
	guest.taken[which] = guest.taken[--guest.nr_taken];
	if (guest.wrote)
		return;
	p = look(guest.ring.used + 2, 2);
	check(p && get_unaligned_le16(p) == (u16)(used + 1), "used index");
	p = look(guest.ring.used + 4 + 8 * at, 8);
	check(p && get_unaligned_le32(p) == head && get_unaligned_le32(p + 4) == len,
	      "used entry");
}

static void run_interrupts(void)
{
	struct vgpu_ring before = guest.ring;
	u32 at = before.event_idx ? 4 + 2 * before.size : 0;
	const u8 *p = look(before.avail + at, 2);
	u16 value = p ? get_unaligned_le16(p) : 0;
	bool wants = !(value & 1);
	int ret = vgpu_ring_interrupts(&guest.ring, &guest.host);

	if (before.used_signalled == before.used_next) {
		check(!ret && !guest.reads, "nothing to tell");
		return;
	}
	/* Entries from the one to before the other, with what is between moved to 0. */
	if (before.event_idx)
		wants = (u16)(value - before.used_signalled) <
			(u16)(before.used_next - before.used_signalled);
	check(ret == (p ? wants : -EFAULT), "interrupts");
	before.used_signalled = p ? before.used_next : before.used_signalled;
	check(!memcmp(&before, &guest.ring, sizeof(before)), "interrupts' ring");
}

static void run_notify(bool on)
{
	struct vgpu_ring before = guest.ring;
	u64 field = before.used + (before.event_idx ? 4 + 8 * before.size : 0);
	const u8 *p = look(field, 2);
	int ret;

	guest.allowed = (struct range) { field, before.event_idx && !on ? 0 : 2 };
	ret = vgpu_ring_notify(&guest.ring, &guest.host, on);
	check(ret == 0 || ret == 1 || ret == -EINVAL || ret == -EFAULT, "notify");
	check((ret == -EFAULT) == guest.failed, "an error of the host");
	check(on || ret == (p || before.event_idx ? 0 : -EFAULT), "advice");
	if (on && ret >= 0)
		check(ret == (guest.ring.avail_next != guest.ring.avail_seen),
		      "more to do or not");
	before.avail_seen = guest.ring.avail_seen;
	check(!memcmp(&before, &guest.ring, sizeof(before)), "notify's ring");
	if (ret < 0 || guest.wrote || (!on && before.event_idx))
		return;
	check(get_unaligned_le16(p) == (before.event_idx ? before.avail_next : !on),
	      "what the guest is told");
}

/* Byte @at of one half of the chain, or NULL. */
static const u8 *chain_byte(u32 half, u64 at)
{
	const struct vgpu_chain_part *part = guest.chain.parts;

	if (half)
		part += guest.chain.nr_out;
	for (; at >= part->len; part++)
		at -= part->len;
	return look(part->iova + at, 1);
}

static void run_copy(u32 half, struct input *in)
{
	const struct vgpu_chain *chain = &guest.chain;
	u64 offset = next16(in), total = half ? chain->in_len : chain->out_len;
	u32 len = next(in), i;
	u8 *buf;
	int ret;

	if (!guest.has_chain)
		return;
	/* From the end, too. */
	if (offset & 0x8000)
		offset = total - (offset & 0xff);
	buf = malloc(len ? len : 1);
	if (!buf)
		abort();
	memset(buf, 0x77, len);
	guest.allowed = (struct range) { 0, UINT64_MAX };
	ret = half ? vgpu_chain_write(chain, &guest.host, offset, buf, len) :
		     vgpu_chain_read(chain, &guest.host, offset, buf, len);
	if (offset > total || len > total - offset) {
		check(ret == -EINVAL && !guest.reads, "beyond the end");
	} else {
		check(ret == (guest.failed ? -EFAULT : 0), "an error of the host");
		for (i = 0; i < len && !ret; i++) {
			const u8 *p = chain_byte(half, offset + i);

			check(p, "copied what cannot be reached");
			check(*p == buf[i] || guest.wrote, "copied wrong");
		}
	}
	free(buf);
}

static void run_desc(struct input *in)
{
	u32 i = next16(in), table = next(in), where = next(in);
	u32 len = next(in), flags = next(in), to = next(in);
	u64 at = table & 1 ? TABLE - BASE : guest.ring.desc - BASE, iova;
	u8 *p;

	i = table & 2 ? guest.ring.size - 1 - (i & 15) : i % VGPU_CHAIN_MAX;
	at += 16 * i;
	if (at > SIZE - 16)
		return;
	switch (flags >> 6) {
	case 0:
		iova = DATA + 64 * where;
		break;
	case 1:
		iova = TABLE + 16 * where;
		break;
	case 2:
		iova = -(u64)where;
		break;
	default:
		iova = BASE + SIZE - where;
		break;
	}
	if (flags & F_INDIRECT)
		len *= flags & 0x10 ? 1 : 16;
	if (flags & 0x20)
		len <<= 24;
	p = guest.memory + at;
	put_unaligned_le64(iova, p);
	put_unaligned_le32(len, p + 8);
	put_unaligned_le16(flags & 0xf, p + 12);
	put_unaligned_le16(flags & 0x10 ? to * 0x101 : i + 1 + (int8_t)to, p + 14);
}

static void run_offer(struct input *in)
{
	u32 n = next(in) % 32;
	u64 avail = guest.ring.avail - BASE;
	u16 idx;

	if (avail > SIZE - 6 - 2 * guest.ring.size)
		return;
	idx = get_unaligned_le16(guest.memory + avail + 2);
	while (n--)
		put_unaligned_le16(next(in), guest.memory + avail + 4 +
				   2 * (idx++ % guest.ring.size));
	put_unaligned_le16(idx, guest.memory + avail + 2);
}

static void run(u32 op, struct input *in)
{
	u32 at, len, i;

	guest.reads = 0;
	guest.failed = false;
	guest.wrote = false;
	guest.allowed = (struct range) { 0, 0 };
	switch (op) {
	case POKE:
		at = next16(in);
		len = next(in);
		for (i = 0; i < len && at + i < SIZE; i++)
			guest.memory[at + i] = next(in);
		break;
	case DESC:
		run_desc(in);
		break;
	case OFFER:
		run_offer(in);
		break;
	case AVAIL_IDX:
		at = next16(in);
		if (guest.ring.avail - BASE <= SIZE - 4)
			put_unaligned_le16(at, guest.memory +
					   (guest.ring.avail - BASE) + 2);
		break;
	case HOLE:
		guest.hole.start = BASE + next16(in);
		guest.hole.len = next16(in);
		break;
	case LATER:
		guest.later = next(in);
		guest.later_at = next16(in);
		guest.later_len = next(in);
		for (i = 0; i < guest.later_len; i++)
			guest.later_bytes[i] = next(in);
		if (guest.later_len > SIZE - guest.later_at)
			guest.later_len = SIZE - guest.later_at;
		break;
	case POP:
		run_pop();
		break;
	case PUSH:
		run_push(in);
		break;
	case INTERRUPTS:
		run_interrupts();
		break;
	case NOTIFY:
		run_notify(next(in) & 1);
		break;
	case READ:
	case WRITE:
		run_copy(op == WRITE, in);
		break;
	}
	check((u16)(guest.ring.avail_seen - guest.ring.used_next) <= guest.ring.size,
	      "more than the queue holds");
	check((u16)(guest.ring.avail_next - guest.ring.used_next) == guest.nr_taken,
	      "how many are out");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Side by side, at the end of memory, beyond it, and over the end of all. */
	static const struct { u64 desc, avail, used; } places[] = {
		{ BASE, BASE + 0x4000, BASE + 0x5000 },
		{ BASE + 0xc000, BASE + 0xb000, BASE + 0x8004 },
		{ BASE + 0xffe0, BASE + 0x4002, BASE + 0xfff8 },
		{ BASE, BASE + 0xfffa, BASE + 0x5000 },
		{ -16ULL, BASE + 0x4000, -8ULL },
		/* One and the same. */
		{ BASE + 0x10, BASE, BASE },
	};
	struct input in = { data, size };
	u8 first = next(&in), where = next(&in);
	u16 start = next16(&in);
	struct vgpu_ring *ring = &guest.ring;
	u8 *memory = guest.memory ? guest.memory : malloc(SIZE);

	if (!memory)
		abort();
	memset(&guest, 0, offsetof(struct guest, chain));
	memset(memory, 0, SIZE);
	guest.memory = memory;
	guest.host.read = host_read;
	guest.host.write = host_write;
	guest.has_chain = false;
	guest.nr_taken = 0;
	where %= sizeof(places) / sizeof(*places);
	ring->desc = places[where].desc;
	ring->avail = places[where].avail;
	ring->used = places[where].used;
	ring->size = 1 << (first & 0xf) % 11;
	ring->event_idx = first & 0x10;
	ring->indirect = first & 0x20;
	ring->avail_next = start;
	ring->avail_seen = start;
	ring->used_next = start;
	ring->used_signalled = start;
	if (ring->avail - BASE <= SIZE - 4)
		put_unaligned_le16(start, memory + (ring->avail - BASE) + 2);
	while (in.size)
		run(next(&in) % NR_OPS, &in);
	return 0;
}
