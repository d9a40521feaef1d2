// SPDX-License-Identifier: GPL-2.0
/*
 * The files through which a vGPU's state leaves and arrives.
 *
 * One thread at a time uses a file, so what is in its buffer belongs to that one,
 * and user memory is touched without a lock.  What concerns the vGPU is done with
 * vgpu_migration.lock held and not after the state that the file belongs to has
 * been left; the file itself may live longer, and holds a reference on the vGPU.
 */
#include <linux/anon_inodes.h>
#include <linux/bitops.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "core.h"
#include "stream.h"

/* A chunk of the framebuffer, as pages that are zero and not by turns. */
#define FILE_BUFFER	(SZ_64K + SZ_4K)

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
 * @stream: when resuming, what is read; else NULL, and the following count
 * @dbe: errors of the target's memory before that
 * @begun: the identity is out
 * @final: the vGPU has stopped: nothing but what is dirty now, and its state
 * @done: that is out, too
 * @block: where in the framebuffer it looks for what was written
 * @claimed: chunks of that block that are to be sent
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
	struct vgpu_stream *stream;
	u32 dbe;
	bool begun;
	bool final;
	bool done;
	u64 block;
	u32 claimed;
	u64 initial;
	u64 zero_page;
	u64 zero_nr;
};

static void file_put64(u8 *at, u64 value)
{
	put_unaligned_le32(lower_32_bits(value), at);
	put_unaligned_le32(upper_32_bits(value), at + 4);
}

/* A record for the pages that are zero. */
static void save_zeroes(struct migration_file *f)
{
	if (!f->zero_nr)
		return;
	f->len += vgpu_record_put(f->buf + f->len, VGPU_TAG_FB_ZERO, 16);
	file_put64(f->buf + f->len, f->zero_page);
	file_put64(f->buf + f->len + 8, f->zero_nr);
	f->len += 16;
	f->zero_nr = 0;
}

/**
 * struct save_pages - a record of pages that grows
 * @record: where it begins in the buffer
 * @nr: pages in it
 */
struct save_pages {
	size_t record;
	u64 nr;
};

static void save_zero(struct migration_file *f, struct save_pages *pages,
		      u64 page, u64 nr)
{
	pages->nr = 0;
	if (f->zero_nr && f->zero_page + f->zero_nr != page)
		save_zeroes(f);
	if (!f->zero_nr)
		f->zero_page = page;
	f->zero_nr += nr;
}

/* Copied first, because a device's memory is slow to look at. */
static void save_page(struct migration_file *f, struct save_pages *pages,
		      u64 page, const void *content)
{
	const size_t head = sizeof(struct vgpu_record) + 8;
	u8 *at;

	at = f->buf + f->len + (pages->nr ? 0 : head);
	/* Room for the zeroes that may have to go first. */
	if (f->zero_nr)
		at += sizeof(struct vgpu_record) + 16;
	memcpy(at, content, PAGE_SIZE);
	if (!memchr_inv(at, 0, PAGE_SIZE)) {
		save_zero(f, pages, page, 1);
		return;
	}
	save_zeroes(f);
	if (!pages->nr) {
		pages->record = f->len;
		f->len += head;
		file_put64(f->buf + f->len - 8, page);
	}
	f->len += PAGE_SIZE;
	pages->nr++;
	vgpu_record_put(f->buf + pages->record, VGPU_TAG_FB_PAGES,
			8 + pages->nr * PAGE_SIZE);
}

/* What is in a chunk now. */
static int save_chunk(struct migration_file *f, u64 page)
{
	struct vgpu_fb *fb = &f->vgpu->fb;
	u64 end = page + VGPU_DIRTY_PAGES, i;
	struct save_pages pages = { };
	struct pgpu_run run;
	int ret = 0;

	BUILD_BUG_ON(PAGE_SIZE != VGPU_STREAM_PAGE);
	down_read(&fb->lock);
	for (; page < end && !ret; page += run.nr) {
		if (vgpu_fb_run(fb, page, end - page, false, &run)) {
			/* The content is lost, as the guest was told. */
			run.vaddr = NULL;
			run.nr = 1;
			ret = fb->revoked ? -EIO : 0;
		}
		if (!run.vaddr)
			save_zero(f, &pages, page, run.nr);
		for (i = 0; i < run.nr && run.vaddr; i++)
			save_page(f, &pages, page + i,
				  run.vaddr + i * PAGE_SIZE);
	}
	up_read(&fb->lock);
	return ret;
}

static void save_identity(struct migration_file *f)
{
	struct vgpu_identity identity;

	vgpu_identity_get(f->vgpu, &identity);
	f->len = vgpu_stream_begin(&identity, f->buf);
	f->begun = true;
}

/* Last of all, so that an error of the memory that was read is in it. */
static int save_state(struct migration_file *f)
{
	struct vgpu *vgpu = f->vgpu;

	mutex_lock(&vgpu->lock);
	f->len = vgpu_state_save(vgpu->model, &vgpu->params, f->buf);
	mutex_unlock(&vgpu->lock);
	f->done = true;
	return 0;
}

/* More for the VMM, if there is any; -ENOMSG if there may be later. */
static int save_fill(struct migration_file *f)
{
	struct vgpu_fb *fb = &f->vgpu->fb;
	u32 chunk;
	int ret;

	lockdep_assert_held(&f->vgpu->migration.lock);
	f->pos = 0;
	f->len = 0;
	if (f->ended)
		return -ENODEV;
	if (!f->begun)
		save_identity(f);
	/* Whatever is written after the end is too late. */
	while (!f->len && !f->done) {
		if (!f->claimed)
			f->claimed = vgpu_fb_claim_dirty(fb, &f->block);
		if (!f->claimed) {
			save_zeroes(f);
			if (f->len)
				return 0;
			return f->final ? save_state(f) : -ENOMSG;
		}
		chunk = __ffs(f->claimed);
		ret = save_chunk(f, f->block * PGPU_BLOCK_PAGES +
				    chunk * VGPU_DIRTY_PAGES);
		if (ret)
			return ret;
		f->claimed &= f->claimed - 1;
		f->initial -= !!f->initial;
	}
	return 0;
}

/* Make a file ours alone. */
static int file_get(struct migration_file *f)
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

static void file_put(struct migration_file *f)
{
	mutex_lock(&f->vgpu->migration.lock);
	f->busy = false;
	mutex_unlock(&f->vgpu->migration.lock);
}

static ssize_t save_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct migration_file *f = file->private_data;
	size_t done = 0, n;
	int ret;

	ret = file_get(f);
	if (ret)
		return ret;
	while (done < count) {
		if (READ_ONCE(f->ended) || f->pos == f->len) {
			mutex_lock(&f->vgpu->migration.lock);
			ret = save_fill(f);
			mutex_unlock(&f->vgpu->migration.lock);
			if (ret || !f->len)
				break;
		}
		n = min(count - done, f->len - f->pos);
		ret = -EFAULT;
		if (copy_to_user(buf + done, f->buf + f->pos, n))
			break;
		ret = 0;
		f->pos += n;
		done += n;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	file_put(f);
	return done ?: ret;
}

/* What the next reads will find, as far as it is known. */
static u64 file_left(const struct migration_file *f)
{
	return (vgpu_fb_dirty_chunks(&f->vgpu->fb) + hweight32(f->claimed)) *
	       SZ_64K;
}

static int save_info(struct migration_file *f, struct vfio_precopy_info *info)
{
	struct vgpu_migration *migration = &f->vgpu->migration;
	u64 left;

	lockdep_assert_held(&migration->lock);
	if (f->ended)
		return -ENODEV;
	if (f->final)
		return -EINVAL;
	left = file_left(f);
	info->initial_bytes = min(f->initial * SZ_64K, left);
	info->dirty_bytes = left - info->initial_bytes;
	/* What has been made of that, and the first record. */
	if (!f->begun)
		info->initial_bytes += VGPU_IDENTITY_MAX;
	else
		info->dirty_bytes += f->len - f->pos;
	if (f->zero_nr)
		info->dirty_bytes += sizeof(struct vgpu_record) + 16;
	return 0;
}

static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct migration_file *f = file->private_data;
	struct vfio_precopy_info info = { };
	int ret;

	ret = vfio_check_precopy_ioctl(&f->vgpu->vdev, cmd, arg, &info);
	if (ret)
		return ret;
	mutex_lock(&f->vgpu->migration.lock);
	ret = f->busy ? -EBUSY : save_info(f, &info);
	mutex_unlock(&f->vgpu->migration.lock);
	if (ret)
		return ret;
	return copy_to_user((void __user *)arg, &info,
			    offsetofend(struct vfio_precopy_info,
					dirty_bytes)) ? -EFAULT : 0;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct migration_file *f = file->private_data;

	kvfree(f->stream);
	kvfree(f->buf);
	put_device(&f->vgpu->vdev.device);
	kfree(f);
	return 0;
}

static const struct file_operations save_fops = {
	.owner = THIS_MODULE,
	.read = save_read,
	.unlocked_ioctl = save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = file_release,
};

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

static ssize_t resume_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	struct migration_file *f = file->private_data;
	size_t done = 0, n;
	int ret;

	ret = file_get(f);
	if (ret)
		return ret;
	while (done < count) {
		n = min_t(size_t, count - done, FILE_BUFFER);
		ret = -EFAULT;
		if (copy_from_user(f->buf, buf + done, n))
			break;
		mutex_lock(&f->vgpu->migration.lock);
		ret = f->ended ? -ENODEV :
		      vgpu_stream_feed(f->stream, f->buf, n);
		mutex_unlock(&f->vgpu->migration.lock);
		if (ret)
			break;
		done += n;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	file_put(f);
	return done ?: ret;
}

static const struct file_operations resume_fops = {
	.owner = THIS_MODULE,
	.write = resume_write,
	.release = file_release,
};

static struct migration_file *file_alloc(struct vgpu *vgpu)
{
	struct migration_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return NULL;
	f->buf = kvmalloc(FILE_BUFFER, GFP_KERNEL_ACCOUNT);
	if (!f->buf) {
		kfree(f);
		return NULL;
	}
	f->vgpu = vgpu;
	get_device(&vgpu->vdev.device);
	return f;
}

static struct file *file_open(struct migration_file *f,
			      const struct file_operations *fops, int flags)
{
	struct file *file = anon_inode_getfile("[vgpu-migration]", fops, f,
					       flags);

	if (IS_ERR(file)) {
		kvfree(f->stream);
		kvfree(f->buf);
		put_device(&f->vgpu->vdev.device);
		kfree(f);
		return file;
	}
	stream_open(file_inode(file), file);
	return file;
}

/**
 * vgpu_migration_save() - make a file in which the state of a vGPU is read
 * @vgpu: its migration lock is held, and its framebuffer tracked
 *
 * Return: the file or an error pointer: -ENOMEM, -ENFILE
 */
struct file *vgpu_migration_save(struct vgpu *vgpu)
{
	struct migration_file *f = file_alloc(vgpu);

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->initial = vgpu_fb_dirty_chunks(&vgpu->fb);
	return file_open(f, &save_fops, O_RDONLY);
}

/**
 * vgpu_migration_final() - the vGPU has stopped
 * @file: of vgpu_migration_save(); what is left, and the end, can be read now
 */
void vgpu_migration_final(struct file *file)
{
	struct migration_file *f = file->private_data;

	f->final = true;
}

/**
 * vgpu_migration_left() - how much of the framebuffer there is to be read
 * @file: of vgpu_migration_save()
 *
 * Return: bytes
 */
u64 vgpu_migration_left(struct file *file)
{
	return file_left(file->private_data);
}

/**
 * vgpu_migration_resume() - make a file to which the state of a vGPU is written
 * @vgpu: its migration lock is held
 *
 * Return: the file or an error pointer: -ENOMEM, -ENFILE
 */
struct file *vgpu_migration_resume(struct vgpu *vgpu)
{
	struct migration_file *f = file_alloc(vgpu);
	struct vgpu_identity identity;

	if (f)
		f->stream = kvmalloc(sizeof(*f->stream), GFP_KERNEL_ACCOUNT);
	if (!f || !f->stream) {
		if (f) {
			put_device(&vgpu->vdev.device);
			kvfree(f->buf);
			kfree(f);
		}
		return ERR_PTR(-ENOMEM);
	}
	vgpu_identity_get(vgpu, &identity);
	vgpu_stream_init(f->stream, &vgpu->type->desc.profile, &identity,
			 &resume_fb, vgpu);
	mutex_lock(&vgpu->lock);
	f->dbe = vgpu->model->ecc.dbe;
	mutex_unlock(&vgpu->lock);
	return file_open(f, &resume_fops, O_WRONLY);
}

/**
 * vgpu_migration_load() - put in force what was written
 * @file: of vgpu_migration_resume(); the vGPU is as it was if it fails, but for
 *	the framebuffer
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
	if (ret) {
		dev_notice_ratelimited(vgpu->vdev.dev, "migration stream refused: %s\n",
				       f->stream->why);
		return ret;
	}
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked || vgpu->model->ecc.dbe != f->dbe)
		ret = -EIO;
	else
		vgpu_load(vgpu, &f->stream->model, &f->stream->params);
	mutex_unlock(&vgpu->lock);
	return ret;
}

/**
 * vgpu_migration_end() - the vGPU leaves the state that a file belongs to
 * @file: it fails from now on; the vGPU's migration lock is held
 */
void vgpu_migration_end(struct file *file)
{
	struct migration_file *f = file->private_data;

	WRITE_ONCE(f->ended, true);
}
