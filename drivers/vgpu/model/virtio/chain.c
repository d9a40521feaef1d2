// SPDX-License-Identifier: GPL-2.0
/*
 * Copying from and to a chain, wherever its parts begin and end: the standard lets a
 * device assume nothing about that (virtio 1.2, 2.7.4.1).
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "model/virtio/host.h"
#include "model/virtio/ring.h"

/* The part that has byte @offset, which becomes an offset in it. */
static const struct vgpu_chain_part *
chain_seek(const struct vgpu_chain_part *part, u64 *offset)
{
	for (; *offset >= part->len; part++)
		*offset -= part->len;
	return part;
}

static bool chain_has(u64 size, u64 offset, size_t len)
{
	return offset <= size && len <= size - offset;
}

/* Copy between @buf and parts that have @size bytes; see vgpu_chain_read(). */
static int chain_copy(const struct vgpu_chain_part *part, u64 size,
		      struct vgpu_host *host, u64 offset, void *buf, size_t len,
		      bool write)
{
	size_t n;
	int err;

	if (!chain_has(size, offset, len))
		return -EINVAL;
	if (!len)
		return 0;
	part = chain_seek(part, &offset);
	for (; len; part++, offset = 0, buf += n, len -= n) {
		n = min_t(u64, len, part->len - offset);
		if (!n)
			continue;
		err = write ? host->write(host, part->iova + offset, buf, n) :
			      host->read(host, part->iova + offset, buf, n);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vgpu_chain_read() - copy what the guest has written in a buffer
 * @chain: the buffer
 * @host: guest memory
 * @offset: first byte, among the out_len ones that the device reads
 * @buf: where to
 * @len: bytes
 *
 * Looks for @offset from the first part on, so that reading a chain in pieces takes
 * pieces times parts.
 *
 * Return: 0, -EINVAL if the bytes are not all there, or what @host returned; with an
 * error, what is in @buf is undefined
 */
int vgpu_chain_read(const struct vgpu_chain *chain, struct vgpu_host *host,
		    u64 offset, void *buf, size_t len)
{
	return chain_copy(chain->parts, chain->out_len, host, offset, buf, len,
			  false);
}

/**
 * vgpu_chain_write() - write in a buffer for the guest
 * @chain: the buffer
 * @host: guest memory
 * @offset: first byte, among the in_len ones that the device writes
 * @buf: where from
 * @len: bytes
 *
 * Costs what vgpu_chain_read() does.
 *
 * Return: 0, -EINVAL if the bytes are not all there, or what @host returned; with an
 * error of @host, any part of the bytes may be written
 */
int vgpu_chain_write(const struct vgpu_chain *chain, struct vgpu_host *host,
		     u64 offset, const void *buf, size_t len)
{
	return chain_copy(chain->parts + chain->nr_out, chain->in_len, host,
			  offset, (void *)buf, len, true);
}
