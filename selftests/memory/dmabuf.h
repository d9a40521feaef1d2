/* SPDX-License-Identifier: GPL-2.0 */
/* A vGPU whose planes are dma-bufs, and how a VMM asks for these. */
#ifndef VGPU_DMABUF_H
#define VGPU_DMABUF_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define PRIMARY	1

/* 1920x1080 at 32 bits, in whole pages. */
#define SIZE	(1920 * 1080 * 4)

static inline int start(struct vt_dev *dev, const struct vt_gpu *gpu)
{
	char uuid[VT_UUID];
	int ret;

	vt_uuid(uuid);
	ret = vt_create(gpu, "32Q", uuid);
	if (!ret)
		ret = vt_params(uuid, "console=dmabuf");
	return ret ?: vt_open(dev, uuid);
}

FIXTURE(dmabuf)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint8_t *fb;
};

FIXTURE_SETUP(dmabuf)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", NULL));
	ASSERT_EQ(0, start(&self->dev, &self->gpu));
	self->fb = vt_mmap(&self->dev, BAR0, 0, 32 * VT_MIB);
	ASSERT_NE(NULL, self->fb);
}

FIXTURE_TEARDOWN(dmabuf)
{
	munmap(self->fb, 32 * VT_MIB);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static inline int query(struct vt_dev *dev, uint32_t type,
			struct vfio_device_gfx_plane_info *info)
{
	*info = (struct vfio_device_gfx_plane_info){
		.argsz = sizeof(*info),
		.flags = VFIO_GFX_PLANE_TYPE_DMABUF,
		.drm_plane_type = type,
	};
	return ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, info) ? -errno : 0;
}

static inline uint32_t plane_id(struct vt_dev *dev, uint32_t type)
{
	struct vfio_device_gfx_plane_info info;

	return query(dev, type, &info) ? 0 : info.dmabuf_id;
}

static inline int get(struct vt_dev *dev, uint32_t id)
{
	int fd = ioctl(dev->fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);

	return fd < 0 ? -errno : fd;
}

/* VFIO_DEVICE_FEATURE_DMA_BUF: what is asked, and how much of it the VMM sends. */
struct region_ask {
	struct vfio_device_feature feature;
	struct vfio_device_feature_dma_buf dma_buf;
	struct vfio_region_dma_range range;
	struct vfio_region_dma_range more;
};

#define ASK_GET(index, start, len) ((struct region_ask){		\
	.feature.argsz = offsetof(struct region_ask, more),		\
	.feature.flags = VFIO_DEVICE_FEATURE_GET |			\
			 VFIO_DEVICE_FEATURE_DMA_BUF,			\
	.dma_buf.region_index = (index),				\
	.dma_buf.open_flags = O_RDWR | O_CLOEXEC,			\
	.dma_buf.nr_ranges = 1,						\
	.range.offset = (start),					\
	.range.length = (len),						\
})

static inline int ask(struct vt_dev *dev, struct region_ask ask)
{
	int fd = ioctl(dev->fd, VFIO_DEVICE_FEATURE, &ask);

	return fd < 0 ? -errno : fd;
}

/* Kernels know the feature from 6.19 on. */
static inline bool kernel_has_it(void)
{
	struct utsname name;
	int major, minor;

	uname(&name);
	return sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 19));
}

#endif /* VGPU_DMABUF_H */
