// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/vgpu_load.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define PAGE		4096UL

bool vt_views_open(struct vt_views *v, struct vt_dev *dev, uint32_t *fb,
		   unsigned long nr)
{
	unsigned int head = VGPU_REG_HEAD(0);
	void *map = MAP_FAILED;
	int fd = -1, i;

	*v = (struct vt_views){
		.map[VT_VIA_BAR0] = fb, .map[VT_VIA_GUEST] = fb,
	};
	for (i = 0; i < VT_NR_VIAS; i++)
		v->nr[i] = nr;
	v->nr[VT_VIA_CONSOLE] = VT_PICTURE_PAGES;
	v->nr[VT_VIA_DMABUF] = VT_PICTURE_PAGES;
	v->nr[VT_VIA_CURSOR] = VT_CURSOR_PAGES;
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_SIZE, 256 | 256 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_OFFSET_LO, 0);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_OFFSET_HI, 0);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 1);
	if (vt_head_mode(dev, 0, 1024, 768, 0) ==
	    (VGPU_HEAD_ON | VGPU_HEAD_CURSOR_ON))
		fd = vt_dmabuf(dev);
	if (fd >= 0) {
		map = mmap(NULL, VT_PICTURE_PAGES * PAGE,
			   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (map != MAP_FAILED)
		v->map[VT_VIA_DMABUF] = map;
	v->map[VT_VIA_CONSOLE] = vt_mmap(dev, VGPU_REGION_CONSOLE, 0,
					 VT_PICTURE_PAGES * PAGE);
	v->map[VT_VIA_CURSOR] = vt_mmap(dev, VGPU_REGION_CURSOR, 0,
					VT_CURSOR_PAGES * PAGE);
	if (v->map[VT_VIA_DMABUF] && v->map[VT_VIA_CONSOLE] &&
	    v->map[VT_VIA_CURSOR])
		return true;
	vt_views_close(v);
	return false;
}

void vt_views_close(struct vt_views *v)
{
	int i;

	for (i = VT_VIA_CONSOLE; i <= VT_VIA_DMABUF; i++)
		if (v->map[i])
			munmap((void *)v->map[i], v->nr[i] * PAGE);
}

static size_t slot_of(unsigned long page, enum vt_via via)
{
	return page * PAGE + via * 64;
}

static void over_map(struct vt_worker *w)
{
	volatile uint32_t *p;
	unsigned long page;

	for (page = 0; page < w->nr; page++) {
		p = w->map + slot_of(page, w->via) / 4;
		if (*p != w->rounds) {
			w->wrong = "update lost";
			return;
		}
		*p = w->rounds + 1;
	}
}

static void over_file(struct vt_worker *w)
{
	unsigned long page;
	uint32_t value;
	size_t pos;

	for (page = 0; page < w->nr && !w->wrong; page++) {
		pos = slot_of(page, w->via);
		if (vt_pread(w->dev, BAR0, pos, &value, 4) != 4)
			w->wrong = "pread";
		else if (value != w->rounds)
			w->wrong = "update lost";
		value++;
		if (vt_pwrite(w->dev, BAR0, pos, &value, 4) != 4)
			w->wrong = "pwrite";
	}
}

/* %cx pages: the word at %es:%di must be %eax, and then is one more. */
static const uint8_t guest_code[] = {
	0x66, 0x26, 0x39, 0x05,		/* 1: cmp %eax, %es:(%di) */
	0x75, 0x0b,			/* jne 2f */
	0x66, 0x26, 0xff, 0x05,		/* incl %es:(%di) */
	0x81, 0xc7, 0x00, 0x10,		/* add $0x1000, %di */
	0xe2, 0xf0,			/* loop 1b */
	0xf4,				/* hlt */
	0xbb, 0x01, 0x00,		/* 2: mov $1, %bx */
	0xf4,				/* hlt */
};

#define GUEST_FB	0x1000000
/* As far as an offset in real mode reaches. */
#define GUEST_PAGES	16

static int guest_pages(struct vt_worker *w, unsigned long page)
{
	struct kvm_regs regs = {
		.rax = w->rounds,
		.rcx = GUEST_PAGES,
		.rdi = slot_of(0, w->via),
	};
	int ret;

	ret = vt_guest_es(&w->guest, GUEST_FB + page * PAGE);
	if (!ret)
		ret = vt_guest_regs(&w->guest, &regs);
	if (!ret)
		ret = vt_guest_run(&w->guest);
	if (!ret && ioctl(w->guest.vcpu, KVM_GET_REGS, &regs))
		ret = -errno;
	if (ret || w->guest.run->exit_reason != KVM_EXIT_HLT)
		return ret ?: -EIO;
	return regs.rbx ? -ESTALE : 0;
}

static void over_guest(struct vt_worker *w)
{
	unsigned long page;
	int ret;

	for (page = 0; page < w->nr && !w->wrong; page += GUEST_PAGES) {
		ret = guest_pages(w, page);
		if (ret)
			w->wrong = ret == -ESTALE ? "update lost" :
						    strerror(-ret);
	}
}

static void *worker(void *arg)
{
	struct vt_worker *w = arg;

	/* Who does something to the pages is to have his turn. */
	if (nice(19) < 0)
		perror("nice");
	while (!w->stop && !w->wrong) {
		if (w->via == VT_VIA_GUEST)
			over_guest(w);
		else if (w->via == VT_VIA_PREAD)
			over_file(w);
		else
			over_map(w);
		if (!w->wrong)
			w->rounds++;
	}
	return NULL;
}

int vt_worker_start(struct vt_worker *w, struct vt_dev *dev, enum vt_via via,
		    volatile uint32_t *map, unsigned long nr)
{
	int ret;

	*w = (struct vt_worker){
		.via = via,
		.dev = dev,
		.map = map,
		.nr = nr,
	};
	if (via == VT_VIA_GUEST) {
		ret = vt_guest_start(&w->guest, guest_code, sizeof(guest_code));
		if (ret)
			return ret;
		ret = vt_guest_memory(&w->guest, GUEST_FB, (void *)map,
				      nr * PAGE);
		if (ret) {
			vt_guest_end(&w->guest);
			return ret;
		}
	}
	ret = -pthread_create(&w->thread, NULL, worker, w);
	if (ret && via == VT_VIA_GUEST)
		vt_guest_end(&w->guest);
	w->running = !ret;
	return ret;
}

bool vt_worker_was(const struct vt_worker *w, uint32_t rounds)
{
	return !w->running || w->wrong || w->rounds >= rounds;
}

const char *vt_worker_end(struct vt_worker *w)
{
	unsigned long page;
	uint32_t value;

	if (!w->running)
		return NULL;
	w->stop = true;
	pthread_join(w->thread, NULL);
	w->running = false;
	if (w->via == VT_VIA_GUEST)
		vt_guest_end(&w->guest);
	for (page = 0; page < w->nr && !w->wrong; page++)
		if (vt_pread(w->dev, BAR0, slot_of(page, w->via), &value,
			     4) != 4 || value != w->rounds)
			w->wrong = "update lost in the end";
	return w->wrong;
}
