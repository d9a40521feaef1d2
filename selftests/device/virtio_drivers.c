// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers do that are not Linux's: viogpudo of Windows (virtio-win, viogpu/common/
 * viogpu_queue.cpp) and VirtioGpuDxe of OVMF.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device/virtio.h"

#define VIOGPUDO	(VV_VERSION_1 | VV_FEATURE(VIRTIO_F_ACCESS_PLATFORM))

/* The driver for Windows: no tables, no event index, and long chains. */
TEST_F(virtio, windows_chains)
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	};
	struct virtio_gpu_resp_display_info info;
	struct vv_part parts[256];
	struct vv *v = &self->v;
	uint8_t *at = v->mem + VV_FREE;
	unsigned int i;
	uint32_t len;

	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, VIOGPUDO));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
			  vv_display_info(v, &info));
		EXPECT_EQ(sizeof(info), v->answered);
		EXPECT_LE(1, vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], VV_SECOND));
	}
	/* All descriptors of the queue: 24 bytes out one by one, the rest in. */
	memcpy(at, &req, sizeof(req));
	memset(at + 4096, 0xa5, 4096);
	for (i = 0; i < 256; i++)
		parts[i] = i < 24 ?
			(struct vv_part){ vv_iova(v, at + i), 1, false } :
			(struct vv_part){ vv_iova(v, at + 4096 + 2 * (i - 24)), 2,
					  true };
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 256));
	vv_notify(v, VV_CONTROL);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(sizeof(info), len);
	memcpy(&info, at + 4096, sizeof(info));
	EXPECT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, info.hdr.type);
	EXPECT_EQ(1, info.pmodes[0].enabled);
	EXPECT_EQ(0xa5, at[4096 + sizeof(info)]);
	EXPECT_TRUE(vv_draws(v));
}

/*
 * Commands of viogpudo: it waits for none of these, each is a kick, and what is longer
 * than a page is in a descriptor for each page.  Where it has sent them is free again
 * when all are answered.
 */
struct windows {
	struct vv *v;
	unsigned int sent;
	/* By head of the chain. */
	uint8_t *response[VV_MAX];
	/* Requests and responses, in pages of their own, and lists of pages. */
	uint8_t *slots, *lists;
};

#define WINDOWS_SLOTS	(VV_FREE + 12 * VT_MIB)
#define WINDOWS_LISTS	(VV_FREE + 13 * VT_MIB)

static bool windows_send(struct windows *w, const void *req, size_t len,
			 uint32_t list_len)
{
	uint8_t *slot = w->slots + 8192 * w->sent++;
	struct vv_part parts[16] = {
		{ vv_iova(w->v, slot), len, false },
	};
	unsigned int n = 1;
	int head;

	memcpy(slot, req, len);
	for (; list_len; list_len -= parts[n++].len) {
		parts[n] = (struct vv_part){ vv_iova(w->v, w->lists),
					     list_len < 4096 ? list_len : 4096 };
		/* Its pages are not one after the other. */
		w->lists += 8192;
	}
	memset(slot + 4096, 0xa5, 4096);
	parts[n++] = (struct vv_part){ vv_iova(w->v, slot + 4096),
				       sizeof(struct virtio_gpu_ctrl_hdr), true };
	head = vv_add(w->v, VV_CONTROL, parts, n);
	if (head < 0)
		return false;
	w->response[head] = slot + 4096;
	vv_notify(w->v, VV_CONTROL);
	return true;
}

/* All are answered, with OK, and not a byte more or less. */
static bool windows_done(struct windows *w)
{
	const uint32_t size = sizeof(struct virtio_gpu_ctrl_hdr);
	struct virtio_gpu_ctrl_hdr hdr;
	uint32_t len;
	int head;

	for (; w->sent; w->sent--) {
		head = vv_used(w->v, VV_CONTROL, &len, VV_TIMEOUT);
		if (head < 0 || len != size)
			return false;
		memcpy(&hdr, w->response[head], size);
		if (hdr.type != OK || hdr.flags || hdr.fence_id ||
		    w->response[head][size] != 0xa5)
			return false;
	}
	w->slots = w->v->mem + WINDOWS_SLOTS;
	w->lists = w->v->mem + WINDOWS_LISTS;
	return true;
}

/* A resource behind which is each page of a picture, backwards. */
static bool windows_surface(struct windows *w, uint32_t id, uint32_t format,
			    uint32_t width, uint32_t height, const uint8_t *from)
{
	struct virtio_gpu_resource_create_2d create = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id, .format = format,
		.width = width, .height = height,
	};
	const uint32_t pages = (4 * width * height + 4095) / 4096;
	struct virtio_gpu_resource_attach_backing attach = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.resource_id = id, .nr_entries = pages,
	};
	struct virtio_gpu_transfer_to_host_2d transfer = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.resource_id = id, .r = { 0, 0, width, height },
	};
	uint8_t *at = w->v->mem + VV_FREE + 4 * VT_MIB * (id % 3);
	struct virtio_gpu_mem_entry entry = { .length = 4096 };
	uint32_t i;

	for (i = 0; i < pages; i++) {
		memcpy(at + 4096 * (pages - 1 - i), from + 4096 * i, 4096);
		entry.addr = vv_iova(w->v, at + 4096 * (pages - 1 - i));
		memcpy(w->lists + 8192 * (i / 256) + 16 * (i % 256), &entry, 16);
	}
	return windows_send(w, &create, sizeof(create), 0) &&
	       windows_send(w, &attach, sizeof(attach), 16 * pages) &&
	       windows_send(w, &transfer, sizeof(transfer), 0);
}

static bool windows_show(struct windows *w, uint32_t id, uint32_t width,
			 uint32_t height)
{
	struct virtio_gpu_set_scanout scanout = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.resource_id = id, .r = { 0, 0, width, height },
	};
	struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.resource_id = id, .r = { 0, 0, width, height },
	};

	return windows_send(w, &scanout, sizeof(scanout), 0) &&
	       windows_send(w, &flush, sizeof(flush), 0);
}

static bool windows_gone(struct windows *w, uint32_t id)
{
	struct virtio_gpu_resource_detach_backing detach = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
		.resource_id = id,
	};
	struct virtio_gpu_resource_unref unref = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF, .resource_id = id,
	};

	return windows_send(w, &detach, sizeof(detach), 0) &&
	       windows_send(w, &unref, sizeof(unref), 0);
}

/* A cursor command has no room for an answer, and gets none. */
static bool windows_cursor(struct vv *v, uint32_t type, uint32_t id, uint32_t x)
{
	struct virtio_gpu_update_cursor cursor = {
		.hdr.type = type, .resource_id = id, .pos = { .x = x, .y = 20 },
	};
	uint8_t *slot = v->mem + WINDOWS_SLOTS;
	const struct vv_part part = { vv_iova(v, slot), sizeof(cursor), false };
	uint32_t len;

	memcpy(slot, &cursor, sizeof(cursor));
	if (vv_add(v, VV_CURSOR, &part, 1) < 0)
		return false;
	vv_notify(v, VV_CURSOR);
	return vv_used(v, VV_CURSOR, &len, VV_TIMEOUT) >= 0 && !len;
}

/* From its start: a screen, another mode, a cursor, its end. */
TEST_F_TIMEOUT(virtio, windows_session, 300)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = sizeof(info), .flags = VFIO_GFX_PLANE_TYPE_REGION,
		.drm_plane_type = 2,
	};
	struct vv *v = &self->v;
	struct windows w = { .v = v };
	uint8_t *seen, *picture;

	picture = malloc(4 * 1024 * 768);
	seen = malloc(4 * 64 * 64);
	ASSERT_TRUE(picture && seen);
	vt_fill(picture, 4 * 1024 * 768, 77);
	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, VIOGPUDO));
	ASSERT_TRUE(windows_done(&w));

	ASSERT_TRUE(windows_surface(&w, 1, BGRX, 800, 600, picture));
	ASSERT_TRUE(windows_show(&w, 1, 800, 600));
	ASSERT_TRUE(windows_done(&w));
	EXPECT_TRUE(shows(&self->dev, picture, 800, 600, 4 * 800));
	/* Another mode: the new one is shown before the old one goes. */
	ASSERT_TRUE(windows_surface(&w, 2, BGRX, 1024, 768, picture));
	ASSERT_TRUE(windows_show(&w, 2, 1024, 768));
	ASSERT_TRUE(windows_gone(&w, 1));
	ASSERT_TRUE(windows_done(&w));
	EXPECT_TRUE(shows(&self->dev, picture, 1024, 768, 4 * 1024));

	ASSERT_TRUE(windows_surface(&w, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64,
				    64, picture));
	ASSERT_TRUE(windows_done(&w));
	ASSERT_TRUE(windows_cursor(v, VIRTIO_GPU_CMD_UPDATE_CURSOR, 3, 10));
	ASSERT_TRUE(windows_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 3, 11));
	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ(11, info.x_pos);
	EXPECT_EQ(20, info.y_pos);
	ASSERT_EQ(4 * 64 * 64, vt_pread(&self->dev, VGPU_REGION_CURSOR, 0, seen,
					4 * 64 * 64));
	EXPECT_EQ(0, memcmp(seen, picture, 4 * 64 * 64));

	ASSERT_TRUE(windows_gone(&w, 2) && windows_gone(&w, 3));
	ASSERT_TRUE(windows_done(&w));
	EXPECT_FALSE(shows(&self->dev, picture, 1024, 768, 4 * 1024));
	EXPECT_TRUE(vv_draws(v));
	free(picture);
	free(seen);
}

/* The driver in OVMF: small queues, no interrupts. */
TEST_F(virtio, firmware)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	unsigned int size;

	for (size = 2; size <= 1024; size *= 2) {
		ASSERT_EQ(0, vv_start_sized(v, VV_VERSION_1, size));
		v->queues[VV_CONTROL].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
		ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
			  vv_display_info(v, &info));
		EXPECT_EQ(OK, vv_create_2d(v, 1, BGRX, 640, 480));
		EXPECT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 640, 480));
		EXPECT_EQ(OK, vv_scanout(v, 0, 0, 0, 0, 0, 0));
		EXPECT_EQ(OK, vv_unref(v, 1));
		EXPECT_EQ(0, vv_get(v, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	}
	/* Sizes that are none. */
	ASSERT_EQ(0, vv_reset(v));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, 0, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SIZE, 3, 2);
	EXPECT_EQ(256, vv_common_get(v, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SIZE, 2048, 2);
	EXPECT_EQ(256, vv_common_get(v, VIRTIO_PCI_COMMON_Q_SIZE, 2));
}

TEST_HARNESS_MAIN
