// SPDX-License-Identifier: GPL-2.0
/* What a VMM does to show a picture. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench/measures.h"

#define PRIMARY		1	/* DRM_PLANE_TYPE_PRIMARY */

static int plane_query(struct vt_dev *dev, uint32_t flags,
		       struct vfio_device_gfx_plane_info *info)
{
	*info = (struct vfio_device_gfx_plane_info){
		.argsz = sizeof(*info),
		.flags = flags,
		.drm_plane_type = PRIMARY,
	};
	return ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, info) ? -errno : 0;
}

static bool has_dmabuf(struct vt_dev *dev)
{
	struct vfio_device_gfx_plane_info info;

	return !plane_query(dev, VFIO_GFX_PLANE_TYPE_PROBE |
			    VFIO_GFX_PLANE_TYPE_DMABUF, &info);
}

/*
 * Start a device with a dma-buf console where it can have one, a mode, and a
 * framebuffer whose memory is there.
 */
static void plane_start(struct memory *memory, const char *type,
			uint16_t width, uint16_t height)
{
	struct vt_dev *dev = &memory->dev;

	create(type, dev->uuid);
	if (vt_exists("/sys/bus/mdev/devices/%s/vgpu/vgpu_params", dev->uuid))
		must(vt_write("console=dmabuf,frame_rate_limiter=0",
			      "/sys/bus/mdev/devices/%s/vgpu/vgpu_params",
			      dev->uuid), "vgpu_params");
	must(vt_open(dev, dev->uuid), "open");
	memory->anonymous = false;
	memory->file = false;
	memory->len = SIZE;
	memory->map = map_aligned(dev->fd, MAP_SHARED,
				  vt_offset(dev, BAR0, 0), SIZE);
	touch(memory->map, SIZE);
	must(vt_mode(dev, width, height, 32), "mode");
}

/*
 * Query the dma-buf of a picture that was not asked for before.  The first
 * query of a picture may be refused: mbochs answers ENOMEM to it.
 */
static void picture(struct memory *memory, uint16_t line,
		    struct vfio_device_gfx_plane_info *info)
{
	int ret;

	if (!has_dmabuf(&memory->dev))
		missing("no dma-buf console");
	must(vt_dispi_set(&memory->dev, VGPU_DISPI_Y_OFFSET, line), "line");
	ret = plane_query(&memory->dev, VFIO_GFX_PLANE_TYPE_DMABUF, info);
	if (ret == -ENOMEM)
		ret = plane_query(&memory->dev, VFIO_GFX_PLANE_TYPE_DMABUF,
				  info);
	must(ret, "VFIO_DEVICE_QUERY_GFX_PLANE");
}

static int get_dmabuf(struct memory *memory, uint32_t id)
{
	int fd = ioctl(memory->dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);

	if (fd < 0)
		fail("VFIO_DEVICE_GET_GFX_DMABUF", errno);
	return fd;
}

double measure_plane_query(const char *name, const char *type)
{
	struct vfio_device_gfx_plane_info info;
	uint32_t flags = VFIO_GFX_PLANE_TYPE_REGION;
	uint64_t begin, times[ROUNDS];
	struct memory memory;
	int i, round;

	plane_start(&memory, type, 1024, 768);
	if (has_dmabuf(&memory.dev)) {
		picture(&memory, 0, &info);
		flags = VFIO_GFX_PLANE_TYPE_DMABUF;
	}
	for (round = -1; round < ROUNDS; round++) {
		begin = now();
		for (i = 0; i < BATCH; i++)
			must(plane_query(&memory.dev, flags, &info),
			     "VFIO_DEVICE_QUERY_GFX_PLANE");
		if (round >= 0)
			times[round] = now() - begin;
	}
	if (info.width != 1024)
		fail("VFIO_DEVICE_QUERY_GFX_PLANE", EIO);
	memory_put(&memory);
	return median(times, ROUNDS) / BATCH;
}

/*
 * Each for another picture, because a VMM asks once for each: the time of the
 * last step, or with the query of the new picture before it.
 */
static double dmabuf_get(const char *type, bool query)
{
	struct vfio_device_gfx_plane_info info;
	uint64_t begin, times[ROUNDS];
	struct memory memory;
	int fd, round;

	plane_start(&memory, type, 1024, 768);
	for (round = -1; round < ROUNDS; round++) {
		begin = now();
		picture(&memory, round + 1, &info);
		if (!query)
			begin = now();
		fd = get_dmabuf(&memory, info.dmabuf_id);
		if (round >= 0)
			times[round] = now() - begin;
		close(fd);
	}
	memory_put(&memory);
	return median(times, ROUNDS);
}

double measure_dmabuf_get(const char *name, const char *type)
{
	return dmabuf_get(type, false);
}

double measure_dmabuf_new(const char *name, const char *type)
{
	return dmabuf_get(type, true);
}

static void look(const uint8_t *map, size_t len, uint8_t first)
{
	size_t pos;

	for (pos = 0; pos < len; pos += PAGE)
		*(volatile const uint8_t *)(map + pos);
	if (*map != first)
		fail("this is not the picture", EIO);
}

/* From the query's answer to the end of the picture, with all there is to it. */
double measure_dmabuf_map(const char *name, const char *type)
{
	struct vfio_device_gfx_plane_info info;
	uint64_t begin, times[FEW_ROUNDS];
	struct memory memory;
	/* A multiple of 8 lines is one of pages too. */
	int fd, round, lines = 8;
	uint8_t *map;

	plane_start(&memory, type, 1920, 1080);
	for (round = -1; round < FEW_ROUNDS; round++) {
		picture(&memory, (round + 1) * lines, &info);
		memory.map[(round + 1) * lines * info.stride] = round + 100;
		begin = now();
		fd = get_dmabuf(&memory, info.dmabuf_id);
		map = mmap(NULL, info.size, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			fail("mmap of the dma-buf", errno);
		look(map, info.size, round + 100);
		munmap(map, info.size);
		close(fd);
		if (round >= 0)
			times[round] = now() - begin;
	}
	memory_put(&memory);
	return median(times, FEW_ROUNDS);
}

/*
 * The same without a dma-buf: a picture at the start of BAR0.  mbochs opens its
 * dma-bufs read-only, and such a file it does not let anyone map.
 */
double measure_picture_map(const char *name, const char *type)
{
	const size_t len = 1920 * 1080 * 4;
	uint64_t begin, times[FEW_ROUNDS];
	struct memory memory;
	uint8_t *map;
	int round;

	plane_start(&memory, type, 1920, 1080);
	for (round = -1; round < FEW_ROUNDS; round++) {
		memory.map[0] = round + 100;
		begin = now();
		map = mmap(NULL, len, PROT_READ, MAP_SHARED, memory.dev.fd,
			   vt_offset(&memory.dev, BAR0, 0));
		if (map == MAP_FAILED)
			fail("mmap", errno);
		look(map, len, round + 100);
		munmap(map, len);
		if (round >= 0)
			times[round] = now() - begin;
	}
	memory_put(&memory);
	return median(times, FEW_ROUNDS);
}
