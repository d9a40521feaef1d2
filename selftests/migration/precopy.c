// SPDX-License-Identifier: GPL-2.0
/* Pre-copy: a framebuffer is sent while it is written, and nothing is lost. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_card.h"
#include "lib/vgpu_load.h"
#include "lib/vgpu_pair.h"

VT_PAIR_FIXTURE(precopy)

/* Pages that are written after they have been sent are sent again. */
TEST_F(precopy, dirty)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct vt_stream *s = &self->stream;
	void *console;
	size_t first;
	int fd;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	vt_fill(self->fb, FB, 14);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_LE(FB, info.initial_bytes);
	EXPECT_EQ(0, info.dirty_bytes);
	info.argsz = 8;
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
	info.argsz = sizeof(info);
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_RESET, &info));
	EXPECT_EQ(ENOTTY, errno);

	EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
	first = s->len;
	EXPECT_LE(FB, first);
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(0, info.initial_bytes + info.dirty_bytes);
	/* To read is not to write, ... */
	vt_check_fb(_metadata, &self->src, 14);
	console = vt_mmap(&self->src, VGPU_REGION_CONSOLE, 0, FB);
	ASSERT_NE(NULL, console);
	EXPECT_EQ(-1, vt_differs(console, FB, 14));
	EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
	EXPECT_EQ(first, s->len);
	/* ... but for mappings of what is the guest's. */
	EXPECT_NE(0, self->fb[8 * VT_MIB / 4]);
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(65536, info.dirty_bytes);
	EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
	first = s->len;

	self->fb[100 * PAGE / 4] ^= 1;
	self->fb[1000 * PAGE / 4] ^= 1;
	EXPECT_EQ(4, vt_pwrite(&self->src, BAR0, 2000 * PAGE, "abcd", 4));
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(0, info.initial_bytes);
	EXPECT_EQ(3 * 65536, info.dirty_bytes);
	EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
	EXPECT_LE(first + 3 * 65536, s->len);
	EXPECT_GT(first + 3 * 65536 + 1000, s->len);
	first = s->len;

	/* All of a block becomes zero, through a page that was read before. */
	memset((char *)self->fb + 4 * VT_MIB, 0, 2 * VT_MIB);
	self->fb[0] ^= 1;
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY,
				NULL));
	EXPECT_EQ(-1, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, vt_drain(fd, s));
	EXPECT_GT(first + 65536 + 16384, s->len);
	close(fd);
	ASSERT_EQ(0, vt_load(&self->dst, s->data, s->len, 1000000));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
	/* It can be given up, and nothing is tracked then. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	vt_fill(self->fb, FB, 15);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 15));
	munmap(console, FB);
	close(fd);
}

/* Faults of writing to each page. */
static long touch(volatile uint32_t *fb)
{
	struct rusage before, after;
	unsigned long page;

	getrusage(RUSAGE_SELF, &before);
	for (page = 0; page < NR_PAGES; page++)
		fb[page * PAGE / 4] = page;
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

/* The same with a mapping of its own. */
static long touch_fresh(struct vt_dev *dev)
{
	void *fb = vt_mmap(dev, BAR0, 0, FB);
	long ret;

	if (!fb)
		return -1;
	ret = touch(fb);
	munmap(fb, FB);
	return ret;
}

/* To notice writes costs nothing when nobody wants to know any more. */
TEST_F(precopy, cancelled)
{
	long fresh, again, tracked, first, second;
	int fd;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	touch(self->fb);
	fresh = touch_fresh(&self->src);
	EXPECT_EQ(0, touch(self->fb));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	/* It is noticed, and not by few faults. */
	tracked = touch(self->fb);
	EXPECT_LT(4 * fresh, tracked);
	EXPECT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	close(fd);
	again = touch_fresh(&self->src);
	/* A mapping that was there meanwhile gets its pages back once. */
	first = touch(self->fb);
	second = touch(self->fb);
	TH_LOG("fresh mapping: %ld faults before, %ld after", fresh, again);
	TH_LOG("old mapping: %ld while tracked, %ld after, then %ld", tracked,
	       first, second);
	EXPECT_LE(again, fresh + 8);
	EXPECT_EQ(0, second);
}

/* A mapping that is only for writing can be read, and is written with notice. */
TEST_F(precopy, write_only)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	volatile uint32_t *map;
	int fd;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	vt_fill(self->fb, FB, 19);
	map = mmap(NULL, FB, PROT_WRITE, MAP_SHARED, self->src.fd,
		   vt_offset(&self->src, VGPU_REGION_CONSOLE, 0));
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	ASSERT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	EXPECT_NE(0, map[1234]);
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(0, info.dirty_bytes);
	map[1234] = 0;
	ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(65536, info.dirty_bytes);
	munmap((void *)map, FB);
	close(fd);
}

/* However often a guest writes in one place, the others have their turn. */
TEST_F(precopy, fair)
{
	static const char mark[] = "it is my turn now";
	static char buf[65536];
	bool found = false;
	int fd, i;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	/* All that is claimed at a time, and something far behind it. */
	vt_fill(self->fb, 2 * VT_MIB, 18);
	memcpy((char *)self->fb + 10 * VT_MIB, mark, sizeof(mark));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	for (i = 0; i < 100 && !found; i++) {
		self->fb[0] = i;
		ASSERT_LT(0, read(fd, buf, sizeof(buf)));
		found = memmem(buf, sizeof(buf), mark, sizeof(mark));
	}
	EXPECT_TRUE(found);
	close(fd);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
}

/* A guest that resets the vGPU does not end a migration. */
TEST_F(precopy, flr)
{
	struct vt_stream *s = &self->stream;
	uint16_t flr;
	int fd;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	vt_fill(self->fb, FB, 16);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
	/* PCI_EXP_DEVCTL in the capability at 0x60. */
	flr = 0x8000;
	ASSERT_EQ(2, vt_pwrite(&self->src, VFIO_PCI_CONFIG_REGION_INDEX, 0x68,
			       &flr, 2));
	EXPECT_EQ(0, vt_memory(&self->src, true));
	EXPECT_EQ(VFIO_DEVICE_STATE_PRE_COPY, vt_mig_state(&self->src));
	self->fb[5] = 5;
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY,
				NULL));
	EXPECT_EQ(0, vt_drain(fd, s));
	close(fd);
	ASSERT_EQ(0, vt_load(&self->dst, s->data, s->len, 1000000));
	EXPECT_EQ(5, self->fb[5]);
	EXPECT_TRUE(vt_is_zero(self->fb + 6, FB - 24));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
}

struct writer {
	pthread_t thread;
	volatile uint32_t *fb;
	uint32_t *want;
	struct vt_dev *dev;
	unsigned int seed;
	int kind;
	volatile bool stop;
	volatile unsigned long writes;
};

/* Writes to words of its own at random places, and remembers. */
static void *writer(void *arg)
{
	struct writer *w = arg;
	uint32_t value;
	size_t word;

	while (!w->stop) {
		word = rand_r(&w->seed) % (FB / 16) * 4 + w->kind;
		value = rand_r(&w->seed) | 1;
		if (w->kind == 2)
			vt_pwrite(w->dev, BAR0, word * 4, &value, 4);
		else if (w->kind == 1)	/* after it was read */
			w->fb[word] += value;
		else
			w->fb[word] = value;
		w->want[word] = w->kind == 1 ? w->want[word] + value : value;
		w->writes++;
	}
	return NULL;
}

/* Nothing is lost of what is written while it is sent. */
TEST_F_TIMEOUT(precopy, writers, 600)
{
	struct vt_stream *s = &self->stream;
	struct writer w[4] = { };
	uint32_t *want = calloc(1, FB), *got = malloc(FB);
	int fd, i, round, passes;
	char text[80];
	size_t at;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	ASSERT_EQ(0, vt_debugfs());
	for (round = 0; round < 5; round++) {
		s->len = 0;
		for (i = 0; i < 4; i++) {
			w[i] = (struct writer){
				.fb = self->fb, .want = want, .kind = i % 3,
				.dev = &self->src,
				.seed = getpid() + 4 * round + i,
			};
			/* Each word belongs to one; the last one only reads. */
			if (i == 3)
				continue;
			ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, writer,
						    &w[i]));
		}
		ASSERT_EQ(0, vt_mig_set(&self->src,
					VFIO_DEVICE_STATE_PRE_COPY, &fd));
		/* On a slow machine some have only begun. */
		for (passes = 0; passes < 20 || w[0].writes < 1000 ||
				 w[1].writes < 1000 || w[2].writes < 1000;
		     passes++) {
			vt_drain_some(fd, s, passes < 20 ? 4 * VT_MIB : PAGE);
			/* Pages that move are no writes. */
			snprintf(text, sizeof(text), "%s %lu", self->src.uuid,
				 (unsigned long)(rand_r(&w[3].seed) % NR_PAGES));
			vt_write(text, VT_DEBUGFS "/vgpu/%s/move",
				 strrchr(self->gpu.dir, '/') + 1);
		}
		for (i = 0; i < 3; i++) {
			w[i].stop = true;
			pthread_join(w[i].thread, NULL);
		}
		ASSERT_EQ(0, vt_mig_set(&self->src,
					VFIO_DEVICE_STATE_STOP_COPY, NULL));
		ASSERT_EQ(0, vt_drain(fd, s));
		close(fd);
		TH_LOG("%lu, %lu and %lu writes, %zu bytes", w[0].writes,
		       w[1].writes, w[2].writes, s->len);
		ASSERT_EQ(0, vt_load(&self->dst, s->data, s->len, 1000000));
		ASSERT_EQ(FB, vt_pread(&self->dst, BAR0, 0, got, FB));
		for (at = 0; at < FB / 4; at++)
			ASSERT_EQ(want[at], got[at])
				TH_LOG("round %d, word %#zx", round, at);
		ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING,
					NULL));
		ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING,
					NULL));
	}
	free(want);
	free(got);
}

/* However it is written to, and all at once, the target gets what was last. */
TEST_F_TIMEOUT(precopy, vias, 300)
{
	struct vt_worker workers[VT_NR_VIAS] = { };
	uint32_t rounds[VT_NR_VIAS];
	struct vt_stream *s = &self->stream;
	struct vt_views views;
	const char *wrong;
	int fd, i, ret;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	ASSERT_EQ(0, vt_restart(&self->src, &self->fb, "console=dmabuf"));
	ASSERT_TRUE(vt_views_open(&views, &self->src, self->fb,
				  VT_PICTURE_PAGES));
	for (i = 0; i < VT_NR_VIAS; i++) {
		ret = vt_worker_start(&workers[i], &self->src, i, views.map[i],
				      views.nr[i]);
		if (i == VT_VIA_GUEST && (ret == -ENOENT || ret == -ENODEV))
			TH_LOG("no KVM, so no guest");
		else
			ASSERT_EQ(0, ret);
	}
	/* What is mapped before is to be noticed, too. */
	for (i = 0; i < VT_NR_VIAS; i++)
		while (!vt_worker_was(&workers[i], 1))
			usleep(1000);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	for (i = 0; i < VT_NR_VIAS; i++)
		rounds[i] = workers[i].rounds;
	for (i = 0; i < VT_NR_VIAS; i++) {
		while (!vt_worker_was(&workers[i], rounds[i] + 3)) {
			vt_drain_some(fd, s, 4 * 65536);
			usleep(5000);
		}
	}
	for (i = 0; i < VT_NR_VIAS; i++) {
		wrong = vt_worker_end(&workers[i]);
		TH_LOG("worker %d: %u rounds of %lu pages", i,
		       workers[i].rounds - rounds[i], workers[i].nr);
		EXPECT_EQ(NULL, wrong) TH_LOG("%s", wrong ?: "");
	}
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	ASSERT_EQ(0, vt_drain(fd, s));
	close(fd);
	TH_LOG("%zu bytes", s->len);
	ASSERT_EQ(0, vt_load(&self->dst, s->data, s->len, 1000000));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
	vt_views_close(&views);
}

/* One word, by one way, after all was sent, is one chunk that is sent again. */
TEST_F(precopy, via_each)
{
	static const size_t at[] = {
		[VT_VIA_BAR0] = 4 * VT_MIB, [VT_VIA_CONSOLE] = VT_MIB,
		[VT_VIA_CURSOR] = 2 * 65536, [VT_VIA_DMABUF] = 2 * VT_MIB,
		[VT_VIA_PREAD] = 5 * VT_MIB,
	};
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	struct vt_stream *s = &self->stream;
	volatile uint32_t *word;
	struct vt_views views;
	uint32_t value;
	int fd, i;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	ASSERT_EQ(0, vt_restart(&self->src, &self->fb, "console=dmabuf"));
	ASSERT_TRUE(vt_views_open(&views, &self->src, self->fb,
				  VT_PICTURE_PAGES));
	vt_fill(self->fb, FB, 25);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	/* First what is not mapped, then what was read before it is written. */
	for (i = 0; i < 2 * VT_VIA_GUEST; i++) {
		enum vt_via via = i % VT_VIA_GUEST;

		EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
		word = views.map[via] + at[via] / 4;
		value = 0x1000 + i;
		if (via == VT_VIA_PREAD) {
			EXPECT_EQ(4, vt_pwrite(&self->src, BAR0, at[via],
					       &value, 4));
		} else if (i < VT_VIA_GUEST) {
			*word = value;
		} else {
			EXPECT_EQ(value - VT_VIA_GUEST, *word);
			*word = value;
		}
		ASSERT_EQ(0, ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
		EXPECT_EQ(65536, info.dirty_bytes) TH_LOG("via %d", via);
	}
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	ASSERT_EQ(0, vt_drain(fd, s));
	close(fd);
	ASSERT_EQ(0, vt_load(&self->dst, s->data, s->len, 1000000));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
	vt_views_close(&views);
}

/* Who writes by DMA is not noticed, so what it has mapped is sent once more. */
TEST_F(precopy, importer)
{
	struct vt_stream *s = &self->stream;
	size_t size = VT_PICTURE_PAGES * PAGE;
	int card, buf, fd, i;
	const char *why;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	card = vt_open_vgem(&why);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_LE(0, card);
	ASSERT_EQ(0, vt_restart(&self->src, &self->fb, "console=dmabuf"));
	vt_fill(self->fb, FB, 26);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(&self->src, 0, 1024, 768,
					     4 * VT_MIB));
	buf = vt_dmabuf(&self->src);
	ASSERT_LE(0, buf);
	/* Without an importer a dma-buf is nothing that is written to. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY,
					&fd));
		s->len = 0;
		EXPECT_EQ(-ENOMSG, vt_drain(fd, s));
		EXPECT_LE(FB, s->len);
		s->len = 0;
		ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY,
					NULL));
		EXPECT_EQ(0, vt_drain(fd, s));
		close(fd);
		TH_LOG("%zu bytes when stopped", s->len);
		EXPECT_LE(i ? size : 0, s->len);
		EXPECT_GE((i ? size : 0) + 65536, s->len);
		ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING,
					NULL));
		if (i)
			break;
		ASSERT_LT(0, vt_vgem_import(card, buf));
	}
	close(buf);
	close(card);
}

/*
 * KVM first has a page mapped and then looks where it is; pages that are taken
 * away in between are no reason to end the guest.
 */
TEST_F_TIMEOUT(precopy, guest, 300)
{
	struct vt_stream *s = &self->stream;
	struct vt_worker w;
	int fd, ret;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	/* One chunk, which is asked for as soon as it was written. */
	ret = vt_worker_start(&w, &self->src, VT_VIA_GUEST, self->fb, 16);
	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "no KVM");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	while (!vt_worker_was(&w, 1000)) {
		s->len = 0;
		vt_drain_some(fd, s, PAGE);
	}
	EXPECT_EQ(NULL, vt_worker_end(&w)) TH_LOG("%s", w.wrong);
	close(fd);
}

/* Read a word through %es:(%di), and write to it what KVM cannot for a guest. */
static const uint8_t guest_fist[] = {
	0x66, 0x26, 0x8b, 0x05,		/* mov %es:(%di), %eax */
	0xdb, 0xe3,			/* fninit */
	0xd9, 0xe8,			/* fld1 */
	0x26, 0xdb, 0x1d,		/* fistpl %es:(%di) */
	0xf4,				/* hlt */
};

/*
 * A guest may write to what it has read, with any instruction: KVM does not have
 * to carry it out for the guest because the page is mapped read-only.
 */
TEST_F(precopy, guest_reads)
{
	struct kvm_regs regs = { .rdi = 64 };
	struct vt_guest guest;
	int fd, ret;

	if (!vt_mig_precopy(&self->src))
		SKIP(return, "no PRE_COPY on this kernel");
	ret = vt_guest_start(&guest, guest_fist, sizeof(guest_fist));
	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "no KVM");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vt_guest_memory(&guest, VT_MIB, self->fb, FB));
	ASSERT_EQ(0, vt_guest_es(&guest, VT_MIB));
	vt_fill(self->fb, FB, 17);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	/* Nor because somebody else has read it. */
	EXPECT_NE(0, self->fb[0]);
	ASSERT_EQ(0, vt_guest_regs(&guest, &regs));
	ASSERT_EQ(0, vt_guest_run(&guest));
	EXPECT_EQ(KVM_EXIT_HLT, guest.run->exit_reason);
	EXPECT_EQ(1, self->fb[64 / 4]);
	vt_guest_end(&guest);
	close(fd);
}

TEST_HARNESS_MAIN
