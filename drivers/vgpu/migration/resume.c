// SPDX-License-Identifier: GPL-2.0
/*
 * Resuming: a stream that arrives, and the vGPU that it becomes.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vfio.h>

#include "migration/file.h"
#include "model/type.h"

static int resume_fb_write(void *priv, u64 offset, const void *data, size_t len)
{
	struct vgpu *vgpu = priv;

	return vgpu_fb_write(&vgpu->fb, offset, data, len);
}

static int resume_fb_zero(void *priv, u64 page, u64 nr)
{
	struct vgpu *vgpu = priv;

	return vgpu_fb_zero(&vgpu->fb, page, nr);
}

static const struct vgpu_stream_fb resume_fb = {
	.write = resume_fb_write,
	.zero = resume_fb_zero,
};

/*
 * Say why a stream is refused, at once, for QEMU gives up with the first write that
 * fails; and once for each VMM, for it is up to that how often it tries.
 */
static void resume_tell(struct migration_file *f)
{
	struct vgpu *vgpu = f->vgpu;

	lockdep_assert_held(&vgpu->migration.lock);
	if (!f->stream->error)
		return;
	if (!vgpu->migration.told)
		dev_notice_ratelimited(vgpu->vdev.dev, "migration stream refused: %s\n",
				       f->stream->why);
	vgpu->migration.told = true;
}

/*
 * Pages straight from the VMM's memory, so that they are copied once.  Returns how
 * many bytes, none when that memory is not there.
 */
static ssize_t resume_pages(struct migration_file *f, struct iov_iter *from,
			    u64 offset, u64 len)
{
	ssize_t n = -ENODEV;

	mutex_lock(&f->vgpu->migration.lock);
	if (!f->ended) {
		n = vgpu_fb_write_iter(&f->vgpu->fb, offset, from, len);
		vgpu_stream_passed(f->stream, n);
		resume_tell(f);
	}
	mutex_unlock(&f->vgpu->migration.lock);
	return n;
}

/* By way of the buffer. */
static int resume_buffer(struct migration_file *f, struct iov_iter *from,
			 size_t len)
{
	size_t n = copy_from_iter(f->buf, len, from);
	int ret = n ? -ENODEV : -EFAULT;

	if (n) {
		mutex_lock(&f->vgpu->migration.lock);
		if (!f->ended) {
			ret = vgpu_stream_feed(f->stream, f->buf, n);
			resume_tell(f);
		}
		mutex_unlock(&f->vgpu->migration.lock);
	}
	if (ret)
		iov_iter_revert(from, n);
	return ret;
}

static int resume_some(struct migration_file *f, struct iov_iter *from)
{
	u64 offset, len;
	ssize_t n = 0;

	len = min_t(u64, vgpu_stream_pages(f->stream, &offset), FILE_CHUNK);
	if (len) {
		len = min_t(u64, len, iov_iter_count(from));
		n = resume_pages(f, from, offset, len);
	} else {
		len = min(vgpu_stream_wants(f->stream), iov_iter_count(from));
	}
	if (n)
		return min_t(ssize_t, n, 0);
	return resume_buffer(f, from, len);
}

static ssize_t resume_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct migration_file *f = iocb->ki_filp->private_data;
	const size_t count = iov_iter_count(from);
	int ret;

	ret = migration_file_get(f);
	if (ret)
		return ret;
	while (!ret && iov_iter_count(from)) {
		ret = resume_some(f, from);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	migration_file_put(f);
	return count - iov_iter_count(from) ?: ret;
}

static const struct file_operations resume_fops = {
	.owner = THIS_MODULE,
	.write_iter = resume_write,
	.release = migration_file_release,
};

/**
 * vgpu_migration_resume() - make a file to which the state of a vGPU is written
 * @vgpu: vgpu_migration.lock is held
 *
 * Return: the file or an error pointer: -ENOMEM, -ENFILE
 */
struct file *vgpu_migration_resume(struct vgpu *vgpu)
{
	struct migration_file *f = migration_file_alloc(vgpu);
	struct vgpu_identity identity;
	struct vgpu_gpu *gpu = NULL;

	lockdep_assert_held(&vgpu->migration.lock);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->stream = kvmalloc(sizeof(*f->stream), GFP_KERNEL_ACCOUNT);
	if (vgpu->exec.gpu)
		gpu = vgpu_exec_new(vgpu);
	if (!f->stream || (vgpu->exec.gpu && !gpu)) {
		vgpu_exec_free(gpu);
		kvfree(f->stream);
		f->stream = NULL;
		migration_file_free(f);
		return ERR_PTR(-ENOMEM);
	}
	/* A VMM has it open, so the model has what is in force. */
	vgpu_identity_get(vgpu, false, &identity);
	vgpu_stream_init(f->stream, &vgpu->type->profile, &identity,
			 &resume_fb, vgpu, gpu);
	return migration_file_open(f, &resume_fops, O_WRONLY);
}

/**
 * vgpu_migration_load() - put in force what was written
 * @file: of vgpu_migration_resume(), with vgpu_migration.lock held; the vGPU is as
 *	it was if it fails, but for the framebuffer
 *
 * Return: 0; what vgpu_stream_finish() found; -EIO when the memory that has it
 * failed, or the vGPU was revoked
 */
int vgpu_migration_load(struct file *file)
{
	struct migration_file *f = file->private_data;
	struct vgpu *vgpu = f->vgpu;
	int ret;

	lockdep_assert_held(&vgpu->migration.lock);
	ret = vgpu_stream_finish(f->stream);
	resume_tell(f);
	if (ret)
		return ret;
	mutex_lock(&vgpu->exec.lock);
	mutex_lock(&vgpu->lock);
	vgpu_deferred_run(vgpu);
	if (vgpu->revoked || vgpu->errors.dbe)
		ret = -EIO;
	else
		vgpu_load(vgpu, &f->stream->model, &f->stream->params);
	mutex_unlock(&vgpu->lock);
	if (!ret && f->stream->gpu)
		f->stream->gpu = vgpu_exec_load(vgpu, f->stream->gpu);
	mutex_unlock(&vgpu->exec.lock);
	return ret;
}
