// SPDX-License-Identifier: GPL-2.0
/*
 * Saving: what a vGPU's framebuffer and state are made of on their way out.
 */
#include <linux/bitops.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vfio.h>

#include "compat/unaligned.h"
#include "compat/vfio.h"
#include "migration/file.h"
#include "model/stream/identity.h"

/* Pages of zeroes after which a read ends, though there is hardly anything in it. */
#define SAVE_ZEROES	4096

/* Next for the VMM; nothing may be waited for here.  -EIO for memory that failed. */
static int save_bytes(struct migration_file *f, const void *data, size_t len)
{
	int ret = 0;

	if (!f->to) {
		ret = vgpu_fb_copy(&f->vgpu->fb, f->buf + f->len, data, len);
		f->len += len;
		return ret;
	}
	if (!vgpu_fb_copy_iter(data, len, f->to))
		f->missed = true;
	return 0;
}

/* A record for the pages that are zero. */
static void save_zeroes(struct migration_file *f)
{
	u8 record[sizeof(struct vgpu_record) + VGPU_STREAM_ZERO_SIZE];
	u8 *at = record;

	if (!f->zero_nr)
		return;
	at += vgpu_record_put(at, VGPU_TAG_FB_ZERO, VGPU_STREAM_ZERO_SIZE);
	put_unaligned_le64(f->zero_page, at);
	put_unaligned_le64(f->zero_nr, at + 8);
	save_bytes(f, record, sizeof(record));
	f->zero_nr = 0;
}

static void save_zero(struct migration_file *f, u64 page, u64 nr)
{
	if (f->zero_nr && f->zero_page + f->zero_nr != page)
		save_zeroes(f);
	if (!f->zero_nr)
		f->zero_page = page;
	f->zero_nr += nr;
}

static int save_content(struct migration_file *f, u64 page, const void *from,
			u64 nr)
{
	u8 head[sizeof(struct vgpu_record) + VGPU_STREAM_PAGES_HEAD];
	u8 *at = head;

	save_zeroes(f);
	at += vgpu_record_put(at, VGPU_TAG_FB_PAGES,
			      VGPU_STREAM_PAGES_HEAD + nr * PAGE_SIZE);
	put_unaligned_le64(page, at);
	save_bytes(f, head, sizeof(head));
	return save_bytes(f, from, nr * PAGE_SIZE);
}

/* Whether a page is zero that begins with one, or cannot be read; or -EIO. */
static noinline int page_is_all_zero(struct migration_file *f, const void *page)
{
	struct vgpu_fb *fb = &f->vgpu->fb;
	int ret;

	/* Of a device's memory this is one already. */
	if (!fb->device_memory) {
		ret = vgpu_fb_copy(fb, f->copy, page, PAGE_SIZE);
		if (ret)
			return ret;
		page = f->copy;
	}
	return !memchr_inv(page, 0, PAGE_SIZE);
}

/*
 * Whether a page is zero, or -EIO.  Memory that may have failed is not looked at
 * but in a copy, of its first word in most cases.  This is done for each page, so
 * it is as short as it can be.
 */
static __always_inline int page_is_zero(struct migration_file *f,
					const void *page)
{
	u64 first;

	if (likely(!copy_mc_to_kernel(&first, page, sizeof(first)) && first))
		return 0;
	return page_is_all_zero(f, page);
}

/* Pages that have memory, no more than a chunk. */
static int save_run(struct migration_file *f, u64 page, const void *from,
		    u64 nr)
{
	int zero, next, ret = 0;
	u64 n;

	/* A device's memory is slow to look at. */
	if (f->vgpu->fb.device_memory) {
		ret = vgpu_fb_copy(&f->vgpu->fb, f->copy, from,
				   nr * PAGE_SIZE);
		from = f->copy;
	}
	for (; nr && !ret; page += n, from += n * PAGE_SIZE, nr -= n) {
		zero = page_is_zero(f, from);
		if (zero < 0)
			return zero;
		for (n = 1; n < nr; n++) {
			next = page_is_zero(f, from + n * PAGE_SIZE);
			if (next != zero)
				break;
		}
		if (zero)
			save_zero(f, page, n);
		else
			ret = save_content(f, page, from, n);
	}
	return ret;
}

static int save_pages(struct migration_file *f, u64 page, u64 end)
{
	struct vgpu_fb *fb = &f->vgpu->fb;
	struct pgpu_run run;
	int ret = 0;

	down_read(&fb->lock);
	for (; page < end && !ret; page += run.nr) {
		if (vgpu_fb_run(fb, page, end - page, PGPU_ALLOC_NONE, &run)) {
			/* The content is lost, of which the guest was notified. */
			run.vaddr = NULL;
			run.nr = 1;
			ret = fb->revoked ? -EIO : 0;
		}
		if (run.vaddr)
			ret = save_run(f, page, run.vaddr, run.nr);
		else
			save_zero(f, page, run.nr);
	}
	up_read(&fb->lock);
	return ret;
}

/*
 * What is in a chunk now, straight to the VMM's memory if that is there, so that
 * it is copied once; else to the buffer, which is empty.
 */
static int save_chunk(struct migration_file *f, struct iov_iter *to, u64 page)
{
	const size_t room = iov_iter_count(to);
	const u64 zero_page = f->zero_page, zero_nr = f->zero_nr;
	bool again;
	int ret;

	BUILD_BUG_ON(PAGE_SIZE != VGPU_STREAM_PAGE);
	f->to = room >= FILE_BUFFER ? to : NULL;
	do {
		f->missed = false;
		ret = save_pages(f, page, page + VGPU_DIRTY_PAGES);
		again = f->missed && !ret;
		if (again || ret) {
			/* As if it had not begun. */
			iov_iter_revert(to, room - iov_iter_count(to));
			f->len = 0;
			f->zero_page = zero_page;
			f->zero_nr = zero_nr;
		}
		f->to = NULL;
	} while (again);
	return ret;
}

static void save_identity(struct migration_file *f)
{
	struct vgpu_identity identity;

	/* A VMM has it open, so the model has what is in force. */
	vgpu_identity_get(f->vgpu, false, &identity);
	f->len = vgpu_stream_begin(&identity, f->buf);
	f->begun = true;
}

/* Last of all, so that an error of the memory that was read is in it. */
static int save_state(struct migration_file *f)
{
	struct vgpu *vgpu = f->vgpu;

	f->len = vgpu_exec_save(vgpu, &f->resource, f->buf, FILE_BUFFER);
	if (f->len)
		return 0;
	mutex_lock(&vgpu->exec.lock);
	mutex_lock(&vgpu->lock);
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	f->len = vgpu_state_save(vgpu->model, &vgpu->params, vgpu->exec.gpu,
				 f->buf);
	mutex_unlock(&vgpu->lock);
	mutex_unlock(&vgpu->exec.lock);
	f->done = true;
	return 0;
}

/* More for the VMM, if there is any; -ENOMSG if there may be later. */
static int save_fill(struct migration_file *f, struct iov_iter *to)
{
	struct vgpu_fb *fb = &f->vgpu->fb;
	const size_t room = iov_iter_count(to);
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
	while (!f->len && iov_iter_count(to) == room && !f->done) {
		if (!f->claimed)
			f->claimed = vgpu_fb_claim_dirty(fb, &f->group,
							 f->final);
		if (!f->claimed) {
			save_zeroes(f);
			if (f->len)
				return 0;
			return f->final ? save_state(f) : -ENOMSG;
		}
		chunk = f->group * VGPU_DIRTY_GROUP + __ffs(f->claimed);
		ret = save_chunk(f, to, chunk * VGPU_DIRTY_PAGES);
		if (ret)
			return ret;
		f->claimed &= f->claimed - 1;
		f->initial -= !!f->initial;
		/* Others want vgpu_migration.lock, and a signal to be seen. */
		if (f->zero_nr >= SAVE_ZEROES)
			save_zeroes(f);
		cond_resched();
	}
	return 0;
}

/* What is in the buffer; no lock is held, for it may have to be waited for. */
static int save_buffer(struct migration_file *f, struct iov_iter *to)
{
	size_t want = min(f->len - f->pos, iov_iter_count(to));
	size_t n = copy_to_iter(f->buf + f->pos, want, to);

	f->pos += n;
	return n == want ? 0 : -EFAULT;
}

static ssize_t save_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct migration_file *f = iocb->ki_filp->private_data;
	const size_t count = iov_iter_count(to);
	size_t room;
	int ret;

	ret = migration_file_get(f);
	if (ret)
		return ret;
	/* What the last read could not say, because it had something. */
	swap(ret, f->failed);
	while (!ret && (room = iov_iter_count(to))) {
		if (READ_ONCE(f->ended) || f->pos == f->len) {
			/* Short, rather than by way of the buffer. */
			if (room < FILE_BUFFER && count >= FILE_BUFFER)
				break;
			mutex_lock(&f->vgpu->migration.lock);
			ret = save_fill(f, to);
			mutex_unlock(&f->vgpu->migration.lock);
			if (!f->len && iov_iter_count(to) == room)
				break;
		} else {
			ret = save_buffer(f, to);
		}
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	/* Lost content must not go unnoticed: when it is asked for again it is zero. */
	if (ret == -EIO && iov_iter_count(to) < count)
		f->failed = ret;
	migration_file_put(f);
	return count - iov_iter_count(to) ?: ret;
}

/* What the next reads will find, as far as it is known. */
static u64 file_left(const struct migration_file *f)
{
	return (vgpu_fb_dirty_chunks(&f->vgpu->fb) + hweight32(f->claimed)) *
	       FILE_CHUNK;
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
	info->initial_bytes = min_t(u64, f->initial * FILE_CHUNK, left);
	info->dirty_bytes = left - info->initial_bytes;
	/* What has been made of that, and the first record. */
	if (!f->begun)
		info->initial_bytes += VGPU_IDENTITY_MAX;
	else
		info->dirty_bytes += f->len - f->pos;
	if (f->zero_nr)
		info->dirty_bytes += sizeof(struct vgpu_record) +
				     VGPU_STREAM_ZERO_SIZE;
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

static const struct file_operations save_fops = {
	.owner = THIS_MODULE,
	.read_iter = save_read,
	.unlocked_ioctl = save_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = migration_file_release,
};

/**
 * vgpu_migration_save() - make a file in which the state of a vGPU is read
 * @vgpu: vgpu_migration.lock is held, and its framebuffer tracked
 *
 * Return: the file or an error pointer: -ENOMEM, -ENFILE
 */
struct file *vgpu_migration_save(struct vgpu *vgpu)
{
	struct migration_file *f = migration_file_alloc(vgpu);

	lockdep_assert_held(&vgpu->migration.lock);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->copy = kvmalloc(vgpu->fb.device_memory ? FILE_CHUNK : PAGE_SIZE,
			   GFP_KERNEL_ACCOUNT);
	if (!f->copy) {
		migration_file_free(f);
		return ERR_PTR(-ENOMEM);
	}
	f->initial = vgpu_fb_dirty_chunks(&vgpu->fb);
	return migration_file_open(f, &save_fops, O_RDONLY);
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
