/* SPDX-License-Identifier: GPL-2.0 */
/* What a device model that works on its own asks of the host. */
#ifndef _VGPU_MODEL_HOST_H
#define _VGPU_MODEL_HOST_H

#include <linux/types.h>

/**
 * struct vgpu_host - the guest's memory, as the device reaches it
 * @read: copy @len bytes at @iova to @buf; 0 or a negative errno, and then what is
 *	in @buf is undefined
 * @write: the other way round; with an error any part of it may be written
 *
 * Both may sleep for as long as the VMM's memory takes.  @len is not 0.  @iova + @len
 * may wrap; then they fail.
 *
 * The guest changes and reads the same memory meanwhile.  Two bytes at an even @iova are
 * one load or one store, for they are an index of a ring, and a half of it would lie.
 * Otherwise bytes are copied in any order, but all of a call before it returns: with
 * plain loads and stores, so that the caller orders its calls with smp_*mb().
 */
struct vgpu_host {
	int (*read)(struct vgpu_host *host, u64 iova, void *buf, size_t len);
	int (*write)(struct vgpu_host *host, u64 iova, const void *buf,
		     size_t len);
};

#endif /* _VGPU_MODEL_HOST_H */
