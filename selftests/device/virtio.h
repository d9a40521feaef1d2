/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-gpu with a driver. */
#ifndef VGPU_DEVICE_VIRTIO_H
#define VGPU_DEVICE_VIRTIO_H

#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_virtio.h"

#define OK		VIRTIO_GPU_RESP_OK_NODATA
#define BGRX		VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM

FIXTURE(virtio)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	struct vv v;
};

FIXTURE_SETUP(virtio)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", "64V"));
	ASSERT_EQ(0, vv_begin(&self->dev, &self->gpu, "64V"));
	ASSERT_EQ(0, vv_init(&self->v, &self->dev));
}

FIXTURE_TEARDOWN(virtio)
{
	vv_fini(&self->v);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

/* What the VMM sees through the console region, and where pages of it are mapped. */
static inline bool shows(struct vt_dev *dev, const void *picture, uint32_t width,
			 uint32_t height, uint32_t pitch)
{
	struct vfio_device_gfx_plane_info info;
	const uint8_t *map;
	bool same = true;
	uint8_t *line;
	uint32_t y;

	if (vt_plane(dev, &info) || info.width != width ||
	    info.height != height)
		return false;
	line = malloc(4 * width);
	map = vt_mmap(dev, VGPU_REGION_CONSOLE, 0,
		      ((uint64_t)info.stride * height + 4095 + 4096) & ~4095ULL);
	if (!line || !map)
		return false;
	for (y = 0; y < height && same; y++) {
		same = vt_pread(dev, VGPU_REGION_CONSOLE,
				(uint64_t)y * info.stride, line, 4 * width) ==
		       4 * width && !memcmp(line, picture, 4 * width) &&
		       !memcmp(map + (uint64_t)y * info.stride, picture,
			       4 * width);
		picture = (const uint8_t *)picture + pitch;
	}
	munmap((void *)map, ((uint64_t)info.stride * height + 4095 + 4096) &
	       ~4095ULL);
	free(line);
	return same;
}

/* A picture of this size at the beginning of free guest memory. */
static inline int picture(struct vv *v, uint32_t id, uint32_t width, uint32_t height)
{
	vt_fill(v->mem + VV_FREE, 4 * width * height, id);
	return vv_create_2d(v, id, BGRX, width, height) == OK &&
	       vv_attach(v, id, VV_IOVA + VV_FREE, 4 * width * height) == OK &&
	       vv_transfer(v, id, 0, 0, width, height, 0) == OK;
}

#endif /* VGPU_DEVICE_VIRTIO_H */
