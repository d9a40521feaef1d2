// SPDX-License-Identifier: GPL-2.0
/*
 * The files through which a vGPU's state leaves and arrives.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "migration/file.h"

/**
 * migration_file_get() - make a file the caller's alone
 * @f: the file
 *
 * Return: 0, or -EBUSY while it is another one's
 */
int migration_file_get(struct migration_file *f)
{
	int ret = 0;

	mutex_lock(&f->vgpu->migration.lock);
	if (f->busy)
		ret = -EBUSY;
	else
		f->busy = true;
	mutex_unlock(&f->vgpu->migration.lock);
	return ret;
}

/**
 * migration_file_put() - let others have the file
 * @f: after migration_file_get()
 */
void migration_file_put(struct migration_file *f)
{
	mutex_lock(&f->vgpu->migration.lock);
	f->busy = false;
	mutex_unlock(&f->vgpu->migration.lock);
}

/**
 * migration_file_free() - opposite of migration_file_alloc()
 * @f: the file; nobody can reach it
 */
void migration_file_free(struct migration_file *f)
{
	if (f->stream)
		vgpu_exec_free(f->stream->gpu);
	kvfree(f->stream);
	kvfree(f->copy);
	kvfree(f->buf);
	put_device(&f->vgpu->vdev.device);
	kfree(f);
}

/* For file operations. */
int migration_file_release(struct inode *inode, struct file *file)
{
	migration_file_free(file->private_data);
	return 0;
}

/**
 * migration_file_alloc() - what is behind a file
 * @vgpu: whose; referenced from now on
 *
 * Return: zeroed but for its buffer, or NULL
 */
struct migration_file *migration_file_alloc(struct vgpu *vgpu)
{
	struct migration_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return NULL;
	f->vgpu = vgpu;
	get_device(&vgpu->vdev.device);
	f->buf = kvmalloc(FILE_BUFFER, GFP_KERNEL_ACCOUNT);
	if (!f->buf) {
		migration_file_free(f);
		return NULL;
	}
	return f;
}

/**
 * migration_file_open() - put a file before it
 * @f: freed if that fails, or when the file is released
 * @fops: with migration_file_release()
 * @flags: O_RDONLY or O_WRONLY
 *
 * Return: the file or an error pointer
 */
struct file *migration_file_open(struct migration_file *f,
				 const struct file_operations *fops, int flags)
{
	struct file *file = anon_inode_getfile("[vgpu-migration]", fops, f,
					       flags);

	if (IS_ERR(file)) {
		migration_file_free(f);
		return file;
	}
	stream_open(file_inode(file), file);
	return file;
}

/**
 * vgpu_migration_end() - the vGPU leaves the state that a file belongs to
 * @file: it fails from now on; vgpu_migration.lock is held
 */
void vgpu_migration_end(struct file *file)
{
	struct migration_file *f = file->private_data;

	lockdep_assert_held(&f->vgpu->migration.lock);
	WRITE_ONCE(f->ended, true);
}
