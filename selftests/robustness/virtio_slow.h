/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory that a VMM takes its time to give, and how long others may wait meanwhile. */
#ifndef VGPU_VIRTIO_SLOW_H
#define VGPU_VIRTIO_SLOW_H

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "robustness/virtio_hostile.h"

/* Guest memory that answers when a thread says so, and not before. */
struct slow {
	int uffd;
	void *mem;
	size_t size;
	volatile bool stop;
	/* How long each page takes, in ms; -1 for ever. */
	volatile int ms;
	volatile unsigned int asked;
	pthread_t thread;
};

static inline void *slow_main(void *arg)
{
	struct slow *slow = arg;
	struct uffd_msg msg;

	while (!slow->stop) {
		struct uffdio_zeropage zero = { };

		if (read(slow->uffd, &msg, sizeof(msg)) != sizeof(msg)) {
			usleep(1000);
			continue;
		}
		slow->asked++;
		while (slow->ms < 0 && !slow->stop)
			usleep(1000);
		if (slow->ms > 0)
			usleep(1000 * slow->ms);
		zero.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		zero.range.len = PAGE;
		ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static inline int slow_begin(struct slow *slow, size_t size, int ms)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*slow = (struct slow){ .size = size, .ms = ms };
	slow->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->uffd < 0)
		return -errno;
	slow->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)slow->mem;
	reg.range.len = size;
	if (ioctl(slow->uffd, UFFDIO_API, &api) ||
	    ioctl(slow->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return -pthread_create(&slow->thread, NULL, slow_main, slow);
}

static inline void slow_end(struct slow *slow)
{
	slow->ms = 0;
	slow->stop = true;
	pthread_join(slow->thread, NULL);
	close(slow->uffd);
	munmap(slow->mem, slow->size);
}

/* Whether somebody asks for a page of it, within a few seconds. */
static inline bool slow_is_asked(const struct slow *slow)
{
	int i;

	for (i = 0; i < 10000 && !slow->asked; i++)
		usleep(1000);
	return slow->asked;
}

/* One command whose backing is there; it does not wait. */
static inline int send_transfer(struct vv *v, uint64_t iova)
{
	struct virtio_gpu_transfer_to_host_2d req = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = { .width = 512, .height = 512 },
		.resource_id = 1,
	};
	int head;

	if (vv_create_2d(v, 1, BGRX, 512, 512) != OK ||
	    vv_attach(v, 1, iova, VT_MIB) != OK)
		return -EIO;
	head = vv_submit(v, VV_CONTROL, &req, sizeof(req), 0, 0, 24);
	vv_notify(v, VV_CONTROL);
	return head;
}

/* How long an operation of a neighbour takes at most, in ms. */
static inline long longest(void)
{
	return vt_finds_leaks() ? 10000 : 1000;
}

static inline bool in_time(uint64_t *since, const char *what)
{
	uint64_t now = vt_now(), ms = (now - *since) / 1000000;

	*since = now;
	if (ms < (uint64_t)longest())
		return true;
	printf("# %s: %llu ms\n", what, (unsigned long long)ms);
	return false;
}

#endif /* VGPU_VIRTIO_SLOW_H */
