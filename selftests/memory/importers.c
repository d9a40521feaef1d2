// SPDX-License-Identifier: GPL-2.0
/* Importers of dma-bufs: what they hold, and what moves or goes meanwhile. */
#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vgpu_card.h"
#include "memory/dmabuf.h"

/* Offset of a page that is retired. */
#define RETIRED	(77 * 4096)

#define TRACING "/sys/kernel/tracing"

/* How many pieces the last dma_map_sg() that was traced had, or 0. */
static unsigned int traced_pieces(void)
{
	static char line[65536];
	unsigned int n = 0;
	const char *p;
	FILE *trace;

	trace = fopen(TRACING "/trace", "r");
	while (trace && fgets(line, sizeof(line), trace)) {
		p = strstr(line, " sizes={");
		if (!strstr(line, "dma_map_sg:") || !p)
			continue;
		for (n = 1; *p && *p != '}'; p++)
			n += *p == ',';
	}
	if (trace)
		fclose(trace);
	return n;
}

/*
 * An importer, vgem, which attaches and maps as a GPU's driver does.  It holds
 * what it has mapped, whatever becomes of the vGPU.
 */
TEST_F_TIMEOUT(dmabuf, importer, 120)
{
	struct drm_gem_close done = { };
	struct vt_dev *dev = &self->dev;
	unsigned int pieces = 0;
	int card, fd, handle, traced, i;
	const char *why;
	long long held[2];

	card = vt_open_vgem(&why);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_LE(0, card);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 0));
	vt_fill(self->fb, SIZE, 8);
	/* A page of which another one is in the place. */
	if (!vt_debugfs())
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", dev->uuid,
					       RETIRED));
	fd = get(dev, plane_id(dev, PRIMARY));
	ASSERT_LE(0, fd);
	traced = !vt_write("1", TRACING "/events/dma/dma_map_sg/enable");
	handle = vt_vgem_import(card, fd);
	ASSERT_LT(0, handle) TH_LOG("%s", strerror(-handle));
	if (traced) {
		pieces = traced_pieces();
		vt_write("0", TRACING "/events/dma/dma_map_sg/enable");
		TH_LOG("%u pieces for %u pages", pieces, SIZE / 4096);
		/* 64 KiB are the longest that vgem's device takes. */
		if (pieces)
			EXPECT_LE(SIZE / 65536, pieces);
		EXPECT_GE(SIZE / 65536 + 8, pieces);
	}
	close(fd);
	/* It cannot be told, so what it holds must stay where it is. */
	if (pieces && !vt_debugfs())
		EXPECT_EQ(-EBUSY, vt_move(&self->gpu, self->dev.uuid, 0));
	held[0] = vt_pfn(&self->gpu, dev->uuid, 0);
	held[1] = vt_pfn(&self->gpu, dev->uuid, RETIRED);
	/* With the import in place: reset, close, remove, power off. */
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_TRUE(vt_is_zero(self->fb, SIZE));
	/* What it holds is not the next tenant's, a spare page neither. */
	if (pieces && held[0] > 0) {
		EXPECT_NE(held[0], vt_pfn(&self->gpu, dev->uuid, 0));
		EXPECT_NE(held[1], vt_pfn(&self->gpu, dev->uuid, RETIRED));
	}
	munmap(self->fb, 32 * VT_MIB);
	vt_end(dev);
	vt_gpu_del(&self->gpu);
	done.handle = handle;
	EXPECT_EQ(0, ioctl(card, DRM_IOCTL_GEM_CLOSE, &done));
	close(card);
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", NULL));
	ASSERT_EQ(0, start(dev, &self->gpu));
	self->fb = vt_mmap(dev, BAR0, 0, 32 * VT_MIB);
	if (traced && !pieces)
		SKIP(return, "vgem of this kernel does not map what it imports");
}

/* Whether nobody uses it whom others have to wait for. */
static bool is_idle(int dmabuf)
{
	struct pollfd pollfd = { .fd = dmabuf, .events = POLLOUT };

	return poll(&pollfd, 1, 0) == 1;
}

/* Who goes on with a picture of the last VMM is not waited for. */
TEST_F_TIMEOUT(dmabuf, left_busy, 120)
{
	struct drm_vgem_fence_attach fence = { .flags = VGEM_FENCE_WRITE };
	struct drm_vgem_fence_signal signal = { };
	struct vt_dev *dev = &self->dev;
	char uuid[VT_UUID];
	const char *why;
	int card, fd;

	card = vt_open_vgem(&why);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_LE(0, card);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 0));
	fd = get(dev, plane_id(dev, PRIMARY));
	ASSERT_LE(0, fd);
	fence.handle = vt_vgem_import(card, fd);
	ASSERT_LT(0, (int)fence.handle);
	memcpy(uuid, dev->uuid, VT_UUID);
	munmap(self->fb, 32 * VT_MIB);
	vt_close(dev);
	EXPECT_TRUE(is_idle(fd));
	/* It is signalled ten seconds later, if not before. */
	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_VGEM_FENCE_ATTACH, &fence));
	ASSERT_EQ(0, vt_open(dev, uuid));
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_FALSE(is_idle(fd));
	signal.fence = fence.out_fence;
	EXPECT_EQ(0, ioctl(card, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
	EXPECT_TRUE(is_idle(fd));
	close(fd);
	close(card);
	self->fb = vt_mmap(dev, BAR0, 0, 32 * VT_MIB);
}

static long long orphaned(const struct vt_dev *dev)
{
	return vt_read_number("/sys/bus/mdev/devices/%s/vgpu/orphaned_memory",
			      dev->uuid);
}

/*
 * A driver that cannot be told keeps what it has mapped over a reset, which gives
 * the vGPU other memory.  That has an end.
 */
TEST_F_TIMEOUT(dmabuf, orphans, 300)
{
	const long long size = 32 * VT_MIB;
	struct drm_gem_close done = { };
	struct vt_dev *dev = &self->dev;
	int card, fd, handle = 0, i;
	long long before, used;
	const char *why;

	card = vt_open_vgem(&why);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_LE(0, card);
	before = vt_meminfo("MemAvailable");
	for (i = 0; i < 60; i++) {
		ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 0));
		fd = vt_dmabuf(dev);
		ASSERT_LE(0, fd);
		handle = vt_vgem_import(card, fd);
		close(fd);
		if (handle < 0)
			break;
		done.handle = handle;
		ASSERT_EQ(0, vt_reset(dev));
		ASSERT_EQ(0, vt_memory(dev, true));
		if (!i && !orphaned(dev))
			break;
	}
	used = before - vt_meminfo("MemAvailable");
	TH_LOG("%d imports, %lld KiB used, %lld KiB orphaned", i, used,
	       orphaned(dev) / 1024);
	if (!i && handle > 0) {
		close(card);
		SKIP(return, "vgem of this kernel does not map what it imports");
	}
	EXPECT_EQ(-EBUSY, handle);
	EXPECT_LE(size, orphaned(dev));
	EXPECT_GT(2 * size, orphaned(dev));
	/* With all of its own memory, and what else moves meanwhile. */
	EXPECT_GT(4 * size / 1024, used);
	/* One of them less, and there is room for another. */
	ASSERT_EQ(0, ioctl(card, DRM_IOCTL_GEM_CLOSE, &done));
	EXPECT_GT(size, orphaned(dev));
	fd = vt_dmabuf(dev);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, vt_vgem_import(card, fd));
	close(fd);
	close(card);
	EXPECT_EQ(0, orphaned(dev));
}

#define IMPORTER	"/dev/vgpu-importer"

static bool is_at(FIXTURE_DATA(dmabuf) *self, unsigned long page,
		  unsigned long pfn)
{
	return vt_pfn(&self->gpu, self->dev.uuid, page * 4096) ==
	       (long long)pfn;
}

/* Whether the importer has all pieces of the picture where they are now. */
static bool has_picture(FIXTURE_DATA(dmabuf) *self, int importer)
{
	unsigned long pfn, nr, page = 0;
	char text[8192] = "", *p = text;
	int len;

	if (pread(importer, text, sizeof(text) - 1, 0) <= 0)
		return false;
	/* Not told of anything since it looked. */
	if (*p++ != '0')
		return false;
	for (; sscanf(p, "%lu %lu%n", &pfn, &nr, &len) == 2; p += len) {
		if (!nr || !is_at(self, page, pfn) ||
		    !is_at(self, page + nr - 1, pfn + nr - 1))
			return false;
		page += nr;
	}
	return page == (SIZE + 4095) / 4096;
}

static bool was_told(int importer)
{
	char told = 0;

	return pread(importer, &told, 1, 0) == 1 && told == '1';
}

/*
 * An importer that reads a device's memory from where it is, pages of it from
 * somewhere else, and that lets go of what moves.
 */
TEST_F_TIMEOUT(dmabuf, peer, 120)
{
	struct vt_dev *dev = &self->dev;
	char uuid[VT_UUID];
	int importer, fd, i;

	if (!vt_pgpu())
		SKIP(return, "system memory is not a peer's");
	if (vt_debugfs())
		SKIP(return, "no debugfs");
	if (vt_insmod("importer"))
		SKIP(return, "no importer for this kernel");
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 0));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, vt_move(&self->gpu, self->dev.uuid, i * 100 + 1));
	fd = get(dev, plane_id(dev, PRIMARY));
	ASSERT_LE(0, fd);
	importer = open(IMPORTER, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, importer);
	if (dprintf(importer, "%d", fd) < 0 && errno == EOPNOTSUPP) {
		close(fd);
		close(importer);
		EXPECT_EQ(0, system("rmmod importer"));
		SKIP(return, "this kernel pins for those, too, who can be told");
	}
	EXPECT_TRUE(has_picture(self, importer));
	/* There and back. */
	ASSERT_EQ(0, vt_move(&self->gpu, self->dev.uuid, 1));
	EXPECT_TRUE(was_told(importer));
	ASSERT_EQ(0, vt_move(&self->gpu, self->dev.uuid, 600));
	ASSERT_LT(0, dprintf(importer, "%d", fd));
	EXPECT_TRUE(has_picture(self, importer));

	/* The same as a part of BAR0. */
	if (kernel_has_it()) {
		close(fd);
		fd = ask(dev, ASK_GET(BAR0, 0, (SIZE + 4095) / 4096 * 4096));
		ASSERT_LT(0, fd);
		ASSERT_LT(0, dprintf(importer, "%d", fd));
		EXPECT_TRUE(has_picture(self, importer));
	}
	memcpy(uuid, dev->uuid, VT_UUID);
	munmap(self->fb, 32 * VT_MIB);
	vt_close(dev);
	EXPECT_TRUE(was_told(importer));
	EXPECT_EQ(-1, dprintf(importer, "%d", fd));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
	close(importer);
	EXPECT_EQ(0, system("rmmod importer"));
	ASSERT_EQ(0, vt_open(dev, uuid));
	self->fb = vt_mmap(dev, BAR0, 0, 32 * VT_MIB);
}

TEST_HARNESS_MAIN
