// SPDX-License-Identifier: GPL-2.0
/* Planes and parts of regions as dma-bufs: content, ids, and who outlives whom. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "memory/dmabuf.h"

#define CURSOR	2

static void *map(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

TEST_F(dmabuf, content)
{
	struct vfio_device_gfx_plane_info info;
	struct vt_dev *dev = &self->dev;
	uint8_t *p;
	int fd;

	ASSERT_EQ(0, query(dev, PRIMARY, &info));
	EXPECT_EQ(0, info.drm_format);
	EXPECT_EQ(0, info.dmabuf_id);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 8 * VT_MIB));
	ASSERT_EQ(0, query(dev, PRIMARY, &info));
	EXPECT_EQ(1920, info.width);
	EXPECT_EQ(SIZE, info.size);
	fd = get(dev, info.dmabuf_id);
	ASSERT_LE(0, fd);
	EXPECT_EQ((SIZE + 4095) / 4096 * 4096, lseek(fd, 0, SEEK_END));
	p = map(fd, SIZE);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE + 4096, PROT_READ, MAP_SHARED, fd,
				   0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, fd, 0));
	/* Not in a child either. */
	p[0] = 1;
	EXPECT_EQ(SIGSEGV, vt_child_faults(p));
	/* Both ways, without a copy. */
	vt_fill(self->fb + 8 * VT_MIB, SIZE, 1);
	EXPECT_EQ(-1, vt_differs(p, SIZE, 1));
	vt_fill(p, SIZE, 2);
	EXPECT_EQ(-1, vt_differs(self->fb + 8 * VT_MIB, SIZE, 2));
	munmap(p, SIZE);
	close(fd);
}

/* The framebuffer for other devices, as QEMU asks for that of each region. */
TEST_F(dmabuf, region)
{
	const uint64_t all = 32 * VT_MIB, part = 8 * VT_MIB;
	struct vt_dev *dev = &self->dev;
	struct region_ask bad;
	uint8_t *p;
	int fd;

	if (!kernel_has_it()) {
		EXPECT_EQ(-ENOTTY, ask(dev, ASK_GET(BAR0, 0, all)));
		bad = ASK_GET(BAR0, 0, all);
		bad.feature.flags |= VFIO_DEVICE_FEATURE_PROBE;
		EXPECT_EQ(-ENOTTY, ask(dev, bad));
		return;
	}
	fd = ask(dev, ASK_GET(BAR0, 0, all));
	ASSERT_LT(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(all, lseek(fd, 0, SEEK_END));
	p = map(fd, all);
	ASSERT_NE(NULL, p);
	vt_fill(self->fb, VT_MIB, 11);
	vt_fill(self->fb + all - VT_MIB, VT_MIB, 12);
	EXPECT_EQ(-1, vt_differs(p, VT_MIB, 11));
	EXPECT_EQ(-1, vt_differs(p + all - VT_MIB, VT_MIB, 12));
	munmap(p, all);
	close(fd);

	fd = ask(dev, ASK_GET(BAR0, part, 8192));
	ASSERT_LT(0, fd);
	EXPECT_EQ(8192, lseek(fd, 0, SEEK_END));
	p = map(fd, 8192);
	ASSERT_NE(NULL, p);
	vt_fill(p, 8192, 13);
	EXPECT_EQ(-1, vt_differs(self->fb + part, 8192, 13));
	EXPECT_TRUE(vt_is_zero(self->fb + part + 8192, 8192));
	munmap(p, 8192);
	close(fd);

	/* For importers alone. */
	bad = ASK_GET(BAR0, part, 8192);
	bad.dma_buf.open_flags = O_RDONLY;
	fd = ask(dev, bad);
	ASSERT_LT(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(NULL, map(fd, 8192));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);

	/* It ends as every other does. */
	fd = ask(dev, ASK_GET(BAR0, part, 8192));
	ASSERT_LT(0, fd);
	p = map(fd, 8192);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(-1, vt_differs(p, 8192, 13));
	close(fd);
	munmap(self->fb, all);
	vt_close(dev);
	EXPECT_TRUE(vt_faults(p));
	munmap(p, 8192);
	ASSERT_EQ(0, vt_open(dev, dev->uuid));
	self->fb = vt_mmap(dev, BAR0, 0, all);
	ASSERT_NE(NULL, self->fb);
}

/* What the other regions show is there now, and stays when they move on. */
TEST_F(dmabuf, region_of_picture)
{
	const uint64_t all = 32 * VT_MIB, part = 8 * VT_MIB;
	struct vt_dev *dev = &self->dev;
	uint8_t *p;
	int fd;

	if (!kernel_has_it())
		SKIP(return, "not on this kernel");
	/* Before there is a picture, all of it, as QEMU does. */
	fd = ask(dev, ASK_GET(VGPU_REGION_CONSOLE, 0, all));
	EXPECT_LT(0, fd);
	close(fd);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 640, 480, part));
	EXPECT_EQ(-EINVAL, ask(dev, ASK_GET(VGPU_REGION_CONSOLE, 0, all)));
	EXPECT_EQ(-EINVAL, ask(dev, ASK_GET(VGPU_REGION_CONSOLE, 4096,
					    all - part)));
	EXPECT_EQ(-EINVAL, ask(dev, ASK_GET(VGPU_REGION_CONSOLE,
					    all - part - 4096, 8192)));
	fd = ask(dev, ASK_GET(VGPU_REGION_CONSOLE, 4096, all - part - 4096));
	ASSERT_LT(0, fd);
	p = map(fd, 8192);
	ASSERT_NE(NULL, p);
	vt_fill(self->fb + part + 4096, 8192, 14);
	EXPECT_EQ(-1, vt_differs(p, 8192, 14));
	vt_head_flip(dev, 0, 16 * VT_MIB);
	ASSERT_EQ(0, vt_flipped(dev, 0));
	EXPECT_EQ(-1, vt_differs(p, 8192, 14));
	munmap(p, 8192);
	close(fd);
}

/* A question with one thing wrong with it. */
#define EXPECT_REFUSED(error, field, value) do {			\
	struct region_ask wrong = ASK_GET(BAR0, 0, 8192);		\
									\
	wrong.field = (value);						\
	EXPECT_EQ(-(error), ask(dev, wrong))				\
		TH_LOG(#field " is " #value);				\
} while (0)

TEST_F(dmabuf, region_refused)
{
	const uint64_t all = 32 * VT_MIB;
	struct vt_dev *dev = &self->dev;
	struct region_ask probe = ASK_GET(BAR0, 0, 8192);
	unsigned int i;
	uint8_t *end;

	if (!kernel_has_it())
		SKIP(return, "not on this kernel");
	probe.feature.argsz = sizeof(probe.feature);
	probe.feature.flags |= VFIO_DEVICE_FEATURE_PROBE;
	EXPECT_EQ(0, ask(dev, probe));
	probe.feature.flags &= ~VFIO_DEVICE_FEATURE_GET;
	EXPECT_EQ(0, ask(dev, probe));
	probe.feature.flags |= VFIO_DEVICE_FEATURE_SET;
	EXPECT_EQ(-EINVAL, ask(dev, probe));
	EXPECT_REFUSED(EINVAL, feature.flags, VFIO_DEVICE_FEATURE_DMA_BUF);
	EXPECT_REFUSED(EINVAL, feature.flags, VFIO_DEVICE_FEATURE_SET |
		       VFIO_DEVICE_FEATURE_DMA_BUF);
	EXPECT_REFUSED(ENOTTY, feature.flags, VFIO_DEVICE_FEATURE_GET | 0x7fff);

	/* What is not there is not read. */
	for (i = 0; i < offsetof(struct region_ask, more); i++)
		EXPECT_REFUSED(EINVAL, feature.argsz, i);
	end = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, end);
	munmap(end + 4096, 4096);
	probe = ASK_GET(BAR0, 0, 8192);
	for (i = 8; i < offsetof(struct region_ask, more); i += 8) {
		memcpy(end + 4096 - i, &probe, i);
		EXPECT_EQ(-1, ioctl(dev->fd, VFIO_DEVICE_FEATURE,
				    end + 4096 - i));
		EXPECT_EQ(EFAULT, errno);
	}
	munmap(end, 4096);

	EXPECT_REFUSED(EINVAL, dma_buf.flags, 1);
	EXPECT_REFUSED(EINVAL, dma_buf.open_flags, O_ACCMODE);
	EXPECT_REFUSED(EINVAL, dma_buf.open_flags, O_RDWR | O_TRUNC);
	EXPECT_REFUSED(EINVAL, dma_buf.open_flags, ~0u);
	EXPECT_REFUSED(EINVAL, dma_buf.nr_ranges, 0);
	EXPECT_REFUSED(EOPNOTSUPP, dma_buf.nr_ranges, 2);
	EXPECT_REFUSED(EOPNOTSUPP, dma_buf.nr_ranges, ~0u);
	for (i = VFIO_PCI_BAR1_REGION_INDEX; i <= VFIO_PCI_BAR5_REGION_INDEX; i++)
		EXPECT_REFUSED(EINVAL, dma_buf.region_index, i);
	EXPECT_REFUSED(ENODEV, dma_buf.region_index, VFIO_PCI_ROM_REGION_INDEX);
	EXPECT_REFUSED(ENODEV, dma_buf.region_index,
		       VFIO_PCI_CONFIG_REGION_INDEX);
	EXPECT_REFUSED(ENODEV, dma_buf.region_index, VGPU_REGION_EDID);
	EXPECT_REFUSED(ENODEV, dma_buf.region_index, VGPU_NUM_REGIONS);
	EXPECT_REFUSED(ENODEV, dma_buf.region_index, ~0u);
	EXPECT_REFUSED(EINVAL, range.length, 0);
	EXPECT_REFUSED(EINVAL, range.length, 4095);
	EXPECT_REFUSED(EINVAL, range.length, all + 4096);
	EXPECT_REFUSED(EINVAL, range.length, -4096ULL);
	EXPECT_REFUSED(EINVAL, range.offset, 1);
	EXPECT_REFUSED(EINVAL, range.offset, all - 4096);
	EXPECT_REFUSED(EINVAL, range.offset, all);
	EXPECT_REFUSED(EINVAL, range.offset, 1ULL << 40);
	EXPECT_REFUSED(EINVAL, range.offset, -4096ULL);
}

/* As long as the picture is the same its id is; QEMU imports by that. */
TEST_F(dmabuf, ids)
{
	struct vt_dev *dev = &self->dev, other;
	uint32_t ids[20], i;

	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 640, 480, 0));
	ids[0] = plane_id(dev, PRIMARY);
	ASSERT_NE(0, ids[0]);
	EXPECT_EQ(ids[0], plane_id(dev, PRIMARY));
	vt_head_flip(dev, 0, 4 * VT_MIB);
	ASSERT_EQ(0, vt_flipped(dev, 0));
	ids[1] = plane_id(dev, PRIMARY);
	EXPECT_NE(ids[0], ids[1]);
	vt_head_flip(dev, 0, 0);
	ASSERT_EQ(0, vt_flipped(dev, 0));
	EXPECT_EQ(ids[0], plane_id(dev, PRIMARY));

	EXPECT_EQ(-EINVAL, get(dev, 0));
	EXPECT_EQ(-EINVAL, get(dev, ids[0] + ids[1] + 1000));
	EXPECT_EQ(-EINVAL, get(dev, ~0u));
	ASSERT_EQ(0, start(&other, &self->gpu));
	EXPECT_EQ(-EINVAL, get(&other, ids[0]));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(&other, 0, 640, 480, 0));
	EXPECT_EQ(-EINVAL, get(dev, plane_id(&other, PRIMARY)));
	vt_end(&other);

	/* A guest with many pictures: what was not asked for is forgotten. */
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 320 + i * 4, 200,
						     0));
		ids[i] = plane_id(dev, PRIMARY);
	}
	EXPECT_EQ(-EINVAL, get(dev, ids[0]));
	i = get(dev, ids[19]);
	EXPECT_LE(0, (int)i);
	close(i);

	/* Reset discards pages, so importers must come again. */
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_EQ(-EINVAL, get(dev, ids[19]));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 320 + 19 * 4, 200, 0));
	EXPECT_NE(ids[19], plane_id(dev, PRIMARY));
}

TEST_F(dmabuf, cursor)
{
	const uint32_t head = VGPU_REG_HEAD(0);
	struct vt_dev *dev = &self->dev;
	uint8_t *p;
	int fd;

	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_SIZE, 64 | 64 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_OFFSET_LO, 20 * VT_MIB);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 1);
	fd = get(dev, plane_id(dev, CURSOR));
	ASSERT_LE(0, fd);
	vt_fill(self->fb + 20 * VT_MIB, 64 * 64 * 4, 3);
	p = map(fd, 64 * 64 * 4);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(-1, vt_differs(p, 64 * 64 * 4, 3));
	munmap(p, 64 * 64 * 4);
	close(fd);
}

/* REGION is what a vGPU answers unless it was asked for dma-bufs. */
TEST_F(dmabuf, only_when_asked_for)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_DMABUF,
	};
	struct vt_dev other;

	EXPECT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	info.flags |= VFIO_GFX_PLANE_TYPE_REGION;
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	ASSERT_EQ(0, vt_start(&other, &self->gpu, "16Q"));
	EXPECT_EQ(-EINVAL, query(&other, PRIMARY, &info));
	vt_end(&other);
}

/*
 * A reset discards what was in the framebuffer; the dma-buf shows the new
 * content.  Closing the vGPU ends it: the next VMM's picture is not seen.
 */
TEST_F_TIMEOUT(dmabuf, outlives_everything, 120)
{
	struct vt_dev *dev = &self->dev;
	char uuid[VT_UUID];
	uint8_t *p;
	int fd;

	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 1920, 1080, 0));
	fd = get(dev, plane_id(dev, PRIMARY));
	ASSERT_LE(0, fd);
	p = map(fd, SIZE);
	ASSERT_NE(NULL, p);
	vt_fill(p, SIZE, 4);
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_TRUE(vt_is_zero(p, SIZE));
	vt_fill(self->fb, SIZE, 5);
	EXPECT_EQ(-1, vt_differs(p, SIZE, 5));

	memcpy(uuid, dev->uuid, VT_UUID);
	munmap(self->fb, 32 * VT_MIB);
	vt_close(dev);
	EXPECT_TRUE(vt_faults(p));
	ASSERT_EQ(0, vt_open(dev, uuid));
	self->fb = vt_mmap(dev, BAR0, 0, 32 * VT_MIB);
	ASSERT_NE(NULL, self->fb);
	EXPECT_TRUE(vt_is_zero(self->fb, SIZE));
	vt_fill(self->fb, SIZE, 6);
	EXPECT_TRUE(vt_faults(p));
	EXPECT_TRUE(vt_faults(p + SIZE - 1));

	munmap(self->fb, 32 * VT_MIB);
	vt_close(dev);
	EXPECT_EQ(0, vt_remove(uuid));
	EXPECT_TRUE(vt_faults(p));
	vt_gpu_del(&self->gpu);
	EXPECT_TRUE(vt_faults(p));
	munmap(p, SIZE);
	close(fd);
	/* For the teardown. */
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", NULL));
	ASSERT_EQ(0, start(dev, &self->gpu));
	self->fb = vt_mmap(dev, BAR0, 0, 32 * VT_MIB);
}

TEST_HARNESS_MAIN
