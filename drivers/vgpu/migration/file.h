/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file of a migration: what file.c, save.c and resume.c share, and migrate.c uses.
 *
 * One thread at a time uses a file, so what is in its buffer belongs to that one,
 * and user memory is waited for without a lock.  What concerns the vGPU is done with
 * vgpu_migration.lock held and not after the state that the file belongs to has
 * been left; the file itself may live longer, and holds a reference on the vGPU.
 */
#ifndef _VGPU_MIGRATE_FILE_H
#define _VGPU_MIGRATE_FILE_H

#include <linux/fs.h>

#include "device/vgpu.h"
#include "model/stream/stream.h"
#include "model/virtio/state.h"

/* A chunk of the framebuffer with a record for each page, or the state. */
#define FILE_CHUNK	(VGPU_DIRTY_PAGES * PAGE_SIZE)
#define FILE_BUFFER	(FILE_CHUNK + VGPU_DIRTY_PAGES * SZ_64 + VGPU_STREAM_STATE)

/**
 * struct migration_file - a file of a migration
 * @vgpu: whose; a reference on its VFIO device
 * @busy: somebody uses the file; this and the following are protected by
 *	vgpu_migration.lock
 * @ended: the vGPU has left the state
 * @buf: what is next for the VMM, or what came from it last; like @pos and @len
 *	it belongs to who made the file @busy
 * @pos: what the VMM has of it
 * @len: bytes in it
 * @to: the VMM's memory, while it is written to without the buffer
 * @missed: not all of it is there
 * @failed: an error that the next read has to return
 * @copy: when saving, room for a chunk of a device's memory, or a page of other
 * @stream: when resuming, what is read; else NULL, and the following count
 * @begun: the identity is out
 * @final: the vGPU has stopped: nothing but what is dirty now, and its state
 * @resource: how far resources are out
 * @done: all that is out, too
 * @group: where in the framebuffer it looks for what was written
 * @claimed: chunks of that group that are to be sent
 * @initial: chunks that were there when it began and are not sent yet
 * @zero_page: first of pages that are zero, of which nothing is out yet
 * @zero_nr: how many they are
 */
struct migration_file {
	struct vgpu *vgpu;
	bool busy;
	bool ended;
	u8 *buf;
	size_t pos;
	size_t len;
	struct iov_iter *to;
	bool missed;
	int failed;
	void *copy;
	struct vgpu_stream *stream;
	bool begun;
	bool final;
	struct vgpu_resource_at resource;
	bool done;
	u64 group;
	u32 claimed;
	u64 initial;
	u64 zero_page;
	u64 zero_nr;
};

struct migration_file *migration_file_alloc(struct vgpu *vgpu);
void migration_file_free(struct migration_file *f);
struct file *migration_file_open(struct migration_file *f,
				 const struct file_operations *fops, int flags);
int migration_file_get(struct migration_file *f);
void migration_file_put(struct migration_file *f);
int migration_file_release(struct inode *inode, struct file *file);

/* What migrate.c does with them. */
struct file *vgpu_migration_save(struct vgpu *vgpu);
struct file *vgpu_migration_resume(struct vgpu *vgpu);
void vgpu_migration_final(struct file *file);
int vgpu_migration_load(struct file *file);
u64 vgpu_migration_left(struct file *file);
void vgpu_migration_end(struct file *file);

#endif /* _VGPU_MIGRATE_FILE_H */
