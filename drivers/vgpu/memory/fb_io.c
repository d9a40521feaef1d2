// SPDX-License-Identifier: GPL-2.0
/*
 * Copying into and out of a framebuffer.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "memory/fb.h"

/*
 * The memory of some bytes, and how many of @len lie in it; NULL if they have
 * none, or an error pointer.
 */
static void *vgpu_fb_at(struct vgpu_fb *fb, u64 offset, u64 len,
			enum pgpu_alloc alloc, size_t *n)
{
	size_t in_page = offset_in_page(offset);
	struct pgpu_run run;
	int ret;

	ret = vgpu_fb_run(fb, offset >> PAGE_SHIFT, PFN_UP(in_page + len),
			  alloc, &run);
	if (ret)
		return ERR_PTR(ret);
	*n = min_t(u64, len, (run.nr << PAGE_SHIFT) - in_page);
	if (alloc)
		vgpu_fb_mark(fb, offset >> PAGE_SHIFT, PFN_UP(in_page + *n));
	return run.vaddr ? run.vaddr + in_page : NULL;
}

/* The same with memory in any case; vgpu_fb.lock is given up if it must wait. */
static void *vgpu_fb_at_room(struct vgpu_fb *fb, u64 offset, u64 len, size_t *n)
{
	enum pgpu_alloc alloc = PGPU_ALLOC_TRY;
	void *at;
	int ret;

	do {
		at = vgpu_fb_at(fb, offset, len, alloc, n);
		if (!IS_ERR(at))
			return at;
		ret = vgpu_fb_room(fb, PTR_ERR(at), &alloc);
	} while (ret == -EAGAIN);
	return ERR_PTR(ret);
}

/**
 * vgpu_fb_copy() - copy out of memory that may have failed without anybody knowing
 * @fb: vgpu_fb.lock is held if @from is its memory
 * @to: where to
 * @from: memory of the framebuffer, as vgpu_fb_run() answered it, or any other
 * @len: bytes
 *
 * The kernel does not die of that.  It takes memory of its own away then, from a
 * worker, and the vGPU whose it is loses the page and is notified; with a device's
 * memory that is up to who reports its errors.
 *
 * Return: 0; -EIO when it has failed
 */
int vgpu_fb_copy(const struct vgpu_fb *fb, void *to, const void *from,
		 size_t len)
{
	size_t n;

	/* By pages, for where in a copy it stopped is not always exact. */
	for (; len; from += n, to += n, len -= n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(from));
		if (likely(!copy_mc_to_kernel(to, from, n)))
			continue;
		if (!fb->device_memory)
			memory_failure_queue(PHYS_PFN(__pa(from)), 0);
		return -EIO;
	}
	return 0;
}

/**
 * vgpu_fb_copy_iter() - the same straight to memory that may not be there now
 * @from: memory that may have failed
 * @len: bytes
 * @to: where to, perhaps user memory, which is not waited for
 *
 * Return: whether all was copied; which of the two memories it was if not comes out
 * when it goes by way of a buffer
 */
bool vgpu_fb_copy_iter(const void *from, size_t len, struct iov_iter *to)
{
	size_t n;

	pagefault_disable();
	n = _copy_mc_to_iter(from, len, to);
	pagefault_enable();
	return n == len;
}

/**
 * vgpu_fb_read() - copy out of the framebuffer
 * @fb: the framebuffer
 * @offset: first byte
 * @buf: where to
 * @len: bytes; what lies beyond the framebuffer reads as zero
 *
 * Return: 0; -EIO for memory that has just failed; what the backend returned
 */
int vgpu_fb_read(struct vgpu_fb *fb, u64 offset, void *buf, size_t len)
{
	int ret = 0;
	void *at;
	size_t n;

	down_read(&fb->lock);
	for (; len && offset < fb->size; offset += n, buf += n, len -= n) {
		at = vgpu_fb_at(fb, offset, len, PGPU_ALLOC_NONE, &n);
		ret = PTR_ERR_OR_ZERO(at);
		if (ret)
			break;
		if (at)
			ret = vgpu_fb_copy(fb, buf, at, n);
		else
			memset(buf, 0, n);
		if (ret)
			break;
	}
	up_read(&fb->lock);
	memset(buf, 0, len);
	return ret;
}

/**
 * vgpu_fb_read_iter() - copy out of the framebuffer without waiting for the target
 * @fb: the framebuffer
 * @offset: first byte
 * @to: where to, perhaps user memory
 * @len: bytes, all in the framebuffer
 *
 * Return: whether all was copied; if not, some may have been
 */
bool vgpu_fb_read_iter(struct vgpu_fb *fb, u64 offset, struct iov_iter *to,
		       size_t len)
{
	void *at;
	size_t n;

	down_read(&fb->lock);
	for (; len; offset += n, len -= n) {
		at = vgpu_fb_at(fb, offset, len, PGPU_ALLOC_NONE, &n);
		/* What has no memory is not worth a case of its own. */
		if (IS_ERR_OR_NULL(at) || !vgpu_fb_copy_iter(at, n, to))
			break;
	}
	up_read(&fb->lock);
	return !len;
}

/**
 * vgpu_fb_write_lines() - copy lines into the framebuffer
 * @fb: the framebuffer
 * @offset: first byte of the first line
 * @pitch: bytes from one line to the next, at least @len if there are several
 * @buf: where from; lines are side by side there
 * @len: bytes of a line
 * @nr: lines, at least one; what lies beyond the framebuffer is ignored
 *
 * Return: 0 or what the backend returned
 */
int vgpu_fb_write_lines(struct vgpu_fb *fb, u64 offset, u64 pitch,
			const void *buf, size_t len, u32 nr)
{
	u64 end = min(offset + (nr - 1) * pitch + len, fb->size);
	/* Memory of the framebuffer: @room bytes at @at are those from @first on. */
	size_t todo, n, room = 0;
	u64 first = 0;
	int ret = 0;
	void *at;

	down_read(&fb->lock);
	for (; nr; nr--, offset += pitch - len) {
		for (todo = len; todo; offset += n, buf += n, todo -= n) {
			if (offset >= end)
				goto out;
			if (offset - first >= room) {
				first = offset;
				at = vgpu_fb_at_room(fb, first, end - first,
						     &room);
				ret = PTR_ERR_OR_ZERO(at);
				if (ret)
					goto out;
			}
			n = min_t(u64, todo, first + room - offset);
			memcpy(at + (offset - first), buf, n);
		}
	}
out:
	up_read(&fb->lock);
	return ret;
}

/**
 * vgpu_fb_write() - copy into the framebuffer
 * @fb: the framebuffer
 * @offset: first byte
 * @buf: where from
 * @len: bytes; what lies beyond the framebuffer is ignored
 *
 * Return: 0 or what the backend returned
 */
int vgpu_fb_write(struct vgpu_fb *fb, u64 offset, const void *buf, size_t len)
{
	return vgpu_fb_write_lines(fb, offset, 0, buf, len, 1);
}

/**
 * vgpu_fb_write_iter() - copy into the framebuffer without waiting for the source
 * @fb: the framebuffer
 * @offset: first byte
 * @from: where from, perhaps user memory
 * @len: bytes, all in the framebuffer
 *
 * Return: bytes, fewer or none when the memory they are in is not there now; what
 * the backend returned if it was none for that
 */
ssize_t vgpu_fb_write_iter(struct vgpu_fb *fb, u64 offset,
			   struct iov_iter *from, size_t len)
{
	size_t done = 0, n, got;
	int ret = 0;
	void *at;

	down_read(&fb->lock);
	for (; done < len; done += n) {
		at = vgpu_fb_at_room(fb, offset + done, len - done, &n);
		ret = PTR_ERR_OR_ZERO(at);
		if (ret)
			break;
		pagefault_disable();
		/* Whole pages, of which copy_from_iter() would look for the object. */
		got = _copy_from_iter(at, n, from);
		pagefault_enable();
		if (got < n) {
			done += got;
			break;
		}
	}
	up_read(&fb->lock);
	return done ?: ret;
}

/**
 * vgpu_fb_zero() - make pages of the framebuffer zero
 * @fb: the framebuffer
 * @page: the first
 * @nr: how many; all in the framebuffer
 *
 * Return: 0 or what the backend returned
 */
int vgpu_fb_zero(struct vgpu_fb *fb, u64 page, u64 nr)
{
	struct pgpu_run run;
	int ret = 0;

	for (; nr && !ret; page += run.nr, nr -= run.nr) {
		down_read(&fb->lock);
		ret = vgpu_fb_run(fb, page, nr, PGPU_ALLOC_NONE, &run);
		/* What has no memory is zero. */
		if (!ret && run.vaddr) {
			vgpu_fb_mark(fb, page, run.nr);
			memset(run.vaddr, 0, run.nr << PAGE_SHIFT);
		}
		up_read(&fb->lock);
		cond_resched();
	}
	return ret;
}
