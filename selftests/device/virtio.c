// SPDX-License-Identifier: GPL-2.0
/* virtio-gpu as its guest's driver and its VMM see it. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

TEST_F(virtio, display_info)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_EQ(sizeof(info), v->answered);
	EXPECT_EQ(1, info.pmodes[0].enabled);
	EXPECT_EQ(0, info.pmodes[1].enabled);
	EXPECT_TRUE(vv_draws(v));
}

/* As Linux does it: identity, capabilities, features, queues, configuration. */
TEST_F(virtio, probe)
{
	struct vv *v = &self->v;

	EXPECT_EQ(0x038000, vt_config_get(&self->dev, PCI_CLASS_REVISION, 4) >> 8);
	EXPECT_LE(1, vt_config_get(&self->dev, PCI_REVISION_ID, 1));
	EXPECT_EQ(4, v->notify_multiplier);
	EXPECT_NE(0, v->pci_cfg);
	ASSERT_EQ(0, vv_reset(v));
	EXPECT_EQ(VV_LINUX, vv_device_features(v));
	EXPECT_EQ(VV_QUEUES, vv_common_get(v, VIRTIO_PCI_COMMON_NUMQ, 2));
	EXPECT_EQ(4, vv_get(v, VIRTIO_PCI_CAP_DEVICE_CFG, 8, 4));
	EXPECT_EQ(0, vv_get(v, VIRTIO_PCI_CAP_DEVICE_CFG, 12, 4));
	/* Features that there are not, and too few. */
	EXPECT_EQ(-EOPNOTSUPP, vv_negotiate(v, VV_LINUX | VV_FEATURE(0)));
	ASSERT_EQ(0, vv_reset(v));
	EXPECT_EQ(-EOPNOTSUPP, vv_negotiate(v, VV_LINUX & ~VV_VERSION_1));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	EXPECT_EQ(0xf, vv_status(v));
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, edid)
{
	struct virtio_gpu_cmd_get_edid req = {
		.hdr.type = VIRTIO_GPU_CMD_GET_EDID,
	};
	struct virtio_gpu_resp_display_info info;
	struct virtio_gpu_resp_edid edid;
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_EDID,
		  vv_command(v, &req, sizeof(req), &edid, sizeof(edid)));
	EXPECT_EQ(sizeof(edid), v->answered);
	ASSERT_LE(128, edid.size);
	EXPECT_EQ(0, memcmp(edid.edid, "\0\xff\xff\xff\xff\xff\xff\0", 8));
	/* The preferred mode is that of the display info. */
	EXPECT_EQ(info.pmodes[0].r.width,
		  edid.edid[56] | (edid.edid[58] & 0xf0) << 4);
	EXPECT_EQ(info.pmodes[0].r.height,
		  edid.edid[59] | (edid.edid[61] & 0xf0) << 4);
	req.scanout = 4;
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_command(v, &req, sizeof(req), &edid, sizeof(edid)));
}

/* What the VMM sees through the console region, and where pages of it are mapped. */
static bool shows(struct vt_dev *dev, const void *picture, uint32_t width,
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
static int picture(struct vv *v, uint32_t id, uint32_t width, uint32_t height)
{
	vt_fill(v->mem + VV_FREE, 4 * width * height, id);
	return vv_create_2d(v, id, BGRX, width, height) == OK &&
	       vv_attach(v, id, VV_IOVA + VV_FREE, 4 * width * height) == OK &&
	       vv_transfer(v, id, 0, 0, width, height, 0) == OK;
}

TEST_F_TIMEOUT(virtio, picture, 600)
{
	const uint32_t width = 800, height = 600;
	struct vv *v = &self->v;
	uint8_t *fb = v->mem + VV_FREE;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, width, height));
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, width, height));
	ASSERT_EQ(OK, vv_flush(v, 1, 0, 0, width, height));
	EXPECT_TRUE(shows(&self->dev, fb, width, height, 4 * width));
	/* A part of it changes, and only that is transferred. */
	fb[4 * (width * 10 + 10)] ^= 0xff;
	ASSERT_EQ(OK, vv_transfer(v, 1, 10, 10, 1, 1, 4 * (width * 10 + 10)));
	ASSERT_EQ(OK, vv_flush(v, 1, 10, 10, 1, 1));
	EXPECT_TRUE(shows(&self->dev, fb, width, height, 4 * width));
	fb[0] ^= 0xff;
	EXPECT_FALSE(shows(&self->dev, fb, width, height, 4 * width));
	/* A part of it is shown, from the beginning of a page on. */
	fb[0] ^= 0xff;
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 32, width / 2, height / 2));
	EXPECT_TRUE(shows(&self->dev, fb + 32 * 4 * width, width / 2, height / 2,
			  4 * width));
	/* Gone with the resource. */
	ASSERT_EQ(OK, vv_unref(v, 1));
	EXPECT_FALSE(shows(&self->dev, fb, width / 2, height / 2, 4 * width));
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, blob)
{
	const uint32_t width = 640, height = 480, stride = 4096;
	struct vv *v = &self->v;
	uint8_t *fb = v->mem + VV_FREE;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	vt_fill(fb, 2 * stride * height, 5);
	ASSERT_EQ(OK, vv_create_blob(v, 5, VV_FREE, 2 * stride * height));
	ASSERT_EQ(OK, vv_scanout_blob(v, 0, 5, width, height, stride, 0));
	ASSERT_EQ(OK, vv_flush(v, 5, 0, 0, width, height));
	EXPECT_TRUE(shows(&self->dev, fb, width, height, stride));
	/* What was not flushed need not be seen; what was is. */
	fb[0] ^= 0xff;
	ASSERT_EQ(OK, vv_flush(v, 5, 0, 0, 1, 1));
	EXPECT_TRUE(shows(&self->dev, fb, width, height, stride));
	/* A flip to its other half. */
	ASSERT_EQ(OK, vv_scanout_blob(v, 0, 5, width, height, stride,
				      stride * height));
	ASSERT_EQ(OK, vv_flush(v, 5, 0, 0, width, height));
	EXPECT_TRUE(shows(&self->dev, fb + stride * height, width, height,
			  stride));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_scanout_blob(v, 0, 5, width, height, stride,
				  stride * height + 4 * stride));
	ASSERT_EQ(OK, vv_unref(v, 5));
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, errors)
{
	struct virtio_gpu_ctrl_hdr req = { .type = 0x1ff };
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC,
		  vv_command(v, &req, sizeof(req), NULL, sizeof(req)));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
		  vv_create_2d(v, 0, BGRX, 8, 8));
	ASSERT_EQ(OK, vv_create_2d(v, 1, BGRX, 8, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
		  vv_create_2d(v, 1, BGRX, 8, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_create_2d(v, 2, 99, 8, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_create_2d(v, 2, BGRX, 0, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC, vv_transfer(v, 1, 0, 0, 8, 8, 0));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC, vv_detach(v, 1));
	ASSERT_EQ(OK, vv_attach(v, 1, VV_IOVA + VV_FREE, 256));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC,
		  vv_attach(v, 1, VV_IOVA + VV_FREE, 256));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_transfer(v, 1, 1, 0, 8, 8, 0));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_transfer(v, 1, 0, 0, 8, 8, 1));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID,
		  vv_scanout(v, 4, 1, 0, 0, 8, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_scanout(v, 0, 1, 0, 0, 9, 8));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID, vv_unref(v, 3));
	EXPECT_EQ(OK, vv_detach(v, 1));
	EXPECT_EQ(OK, vv_unref(v, 1));
	EXPECT_TRUE(vv_draws(v));
}

/* Monitors come and go, and four heads show something. */
TEST_F_TIMEOUT(virtio, heads, 600)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	uint32_t head;

	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	EXPECT_EQ(0, vv_irq(v->irqs[VV_VECTOR_CONFIG], 0));
	ASSERT_EQ(0, vt_params(self->dev.uuid, "heads=3"));
	EXPECT_EQ(1, vv_irq(v->irqs[VV_VECTOR_CONFIG], VV_SECOND));
	EXPECT_EQ(VIRTIO_GPU_EVENT_DISPLAY,
		  vv_get(v, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	vv_set(v, VIRTIO_PCI_CAP_DEVICE_CFG, 4, VIRTIO_GPU_EVENT_DISPLAY, 4);
	EXPECT_EQ(0, vv_get(v, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	for (head = 0; head < VIRTIO_GPU_MAX_SCANOUTS; head++)
		EXPECT_EQ(head < 3, info.pmodes[head].enabled);
	ASSERT_TRUE(picture(v, 1, 640, 480));
	for (head = 0; head < 4; head++)
		EXPECT_EQ(OK, vv_scanout(v, head, 1, 0, head * 32, 320, 240));
	EXPECT_EQ(OK, vv_flush(v, 1, 0, 0, 640, 480));
	EXPECT_TRUE(shows(&self->dev, v->mem + VV_FREE, 320, 240, 4 * 640));
	ASSERT_EQ(0, vt_params(self->dev.uuid, "heads=1"));
	EXPECT_EQ(1, vv_irq(v->irqs[VV_VECTOR_CONFIG], VV_SECOND));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	for (head = 0; head < VIRTIO_GPU_MAX_SCANOUTS; head++)
		EXPECT_EQ(!head, info.pmodes[head].enabled);
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, cursor)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = sizeof(info), .flags = VFIO_GFX_PLANE_TYPE_REGION,
		.drm_plane_type = 2,
	};
	uint8_t seen[64 * 64 * 4];
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 9, 64, 64));
	ASSERT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 9, 100, 50, 3,
				4));
	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ(64, info.width);
	EXPECT_EQ(100, info.x_pos);
	EXPECT_EQ(50, info.y_pos);
	EXPECT_EQ(3, info.x_hot);
	EXPECT_EQ(4, info.y_hot);
	EXPECT_EQ(VGPU_REGION_CURSOR, info.region_index);
	ASSERT_EQ((ssize_t)sizeof(seen),
		  vt_pread(&self->dev, VGPU_REGION_CURSOR, 0, seen,
			   sizeof(seen)));
	EXPECT_EQ(-1, vt_differs(seen, sizeof(seen), 9));
	ASSERT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, -7, 8, 0, 0));
	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ((uint32_t)-7, info.x_pos);
	EXPECT_EQ(8, info.y_pos);
	EXPECT_EQ(64, info.width);
	ASSERT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ(0, info.drm_format);
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, fences)
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
		.flags = VIRTIO_GPU_FLAG_FENCE,
		.fence_id = 0x123456789abcdef0ULL,
	};
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
		  vv_command(v, &req, sizeof(req), &info, sizeof(info)));
	EXPECT_EQ(VIRTIO_GPU_FLAG_FENCE, info.hdr.flags);
	EXPECT_EQ(req.fence_id, info.hdr.fence_id);
	/* Errors have them as well. */
	req.type = 0x7777;
	ASSERT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC,
		  vv_command(v, &req, sizeof(req), &info, sizeof(req)));
	EXPECT_EQ(req.fence_id, info.hdr.fence_id);
	req.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO;
	req.flags = 0;
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
		  vv_command(v, &req, sizeof(req), &info, sizeof(info)));
	EXPECT_EQ(0, info.hdr.flags);
	EXPECT_EQ(0, info.hdr.fence_id);
}

TEST_F(virtio, msix)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_EQ(1, vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], VV_SECOND));
	EXPECT_EQ(0, vv_irq(v->irqs[VV_VECTOR(VV_CURSOR)], 0));
	ASSERT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 0, 0, 0, 0));
	EXPECT_EQ(1, vv_irq(v->irqs[VV_VECTOR(VV_CURSOR)], VV_SECOND));
	EXPECT_EQ(0, vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], 0));
	EXPECT_EQ(0, vv_irq(v->irqs[VV_VECTOR_CONFIG], 0));
	/* A broken queue is a change of the configuration. */
	v->queues[VV_CONTROL].avail->idx += 1000;
	vv_notify(v, VV_CONTROL);
	EXPECT_EQ(1, vv_irq(v->irqs[VV_VECTOR_CONFIG], 10 * VV_SECOND));
	EXPECT_TRUE(vv_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* A vector that there is not. */
	vv_common_set(v, VIRTIO_PCI_COMMON_MSIX, 3, 2);
	EXPECT_EQ(VIRTIO_MSI_NO_VECTOR,
		  vv_common_get(v, VIRTIO_PCI_COMMON_MSIX, 2));
	EXPECT_TRUE(vv_draws(v));
	/* None. */
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, VV_CONTROL, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR, 2);
	vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], 0);
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_EQ(0, vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], 100));
}

TEST_F(virtio, intx)
{
	struct virtio_gpu_resp_display_info info;
	struct vt_dev *dev = &self->dev;
	struct vv *v = &self->v;
	int fd = vt_eventfd(dev, VFIO_PCI_INTX_IRQ_INDEX, 0), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO,
			  vv_display_info(v, &info));
		EXPECT_EQ(1, vv_irq(fd, VV_SECOND));
		EXPECT_TRUE(vt_config_get(dev, PCI_STATUS, 2) &
			    PCI_STATUS_INTERRUPT);
		EXPECT_EQ(1, vv_get(v, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
		EXPECT_EQ(0, vv_get(v, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
		EXPECT_FALSE(vt_config_get(dev, PCI_STATUS, 2) &
			     PCI_STATUS_INTERRUPT);
		ASSERT_EQ(0, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
					 VFIO_IRQ_SET_DATA_NONE |
					 VFIO_IRQ_SET_ACTION_UNMASK, 0, 1, NULL));
		EXPECT_EQ(0, vv_irq(fd, 20));
	}
	ASSERT_EQ(0, vt_params(dev->uuid, "heads=2"));
	EXPECT_EQ(1, vv_irq(fd, VV_SECOND));
	EXPECT_EQ(VIRTIO_PCI_ISR_CONFIG,
		  vv_get(v, VIRTIO_PCI_CAP_ISR_CFG, 0, 1));
	close(fd);
	EXPECT_TRUE(vv_draws(v));
}

TEST_F(virtio, queue_reset)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	uint64_t end = vt_now() + 20000000000ULL;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, 64, 64));
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, VV_CONTROL, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_RESET, 1, 2);
	while (vv_common_get(v, VIRTIO_PCI_COMMON_Q_RESET, 2)) {
		ASSERT_GT(end, vt_now());
	}
	EXPECT_EQ(0, vv_common_get(v, VIRTIO_PCI_COMMON_Q_ENABLE, 2));
	EXPECT_EQ(256, vv_common_get(v, VIRTIO_PCI_COMMON_Q_SIZE, 2));
	/* The other one goes on, what there is stays. */
	EXPECT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 0, 0, 0, 0));
	EXPECT_TRUE(shows(&self->dev, v->mem + VV_FREE, 64, 64, 4 * 64));
	ASSERT_EQ(0, vv_queue(v, VV_CONTROL, 128));
	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_EQ(OK, vv_unref(v, 1));
	EXPECT_TRUE(vv_draws(v));
}

/* In every state that a driver goes through, in three ways. */
TEST_F_TIMEOUT(virtio, reset, 600)
{
	struct vt_dev *dev = &self->dev;
	unsigned int exp = vt_cap(dev, PCI_CAP_ID_EXP), how, state;
	struct vv *v = &self->v;

	ASSERT_NE(0, exp);
	for (how = 0; how < 3; how++)
		for (state = 0; state < 6; state++) {
			ASSERT_EQ(0, vv_reset(v));
			if (state > 0)
				vv_set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE);
			if (state > 1)
				ASSERT_EQ(0, vv_negotiate(v, VV_LINUX));
			if (state > 2)
				ASSERT_EQ(0, vv_queue(v, VV_CONTROL, 0));
			if (state > 3)
				vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
			if (state > 4) {
				ASSERT_TRUE(picture(v, 1, 64, 64));
				ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
				EXPECT_TRUE(shows(dev, v->mem + VV_FREE, 64, 64,
						  4 * 64));
			}
			if (how == 0) {
				ASSERT_EQ(0, vv_reset(v));
			} else if (how == 1) {
				ASSERT_EQ(0, vt_reset(dev));
			} else {
				vt_config_set(dev, exp + PCI_EXP_DEVCTL,
					      PCI_EXP_DEVCTL_BCR_FLR, 2);
				ASSERT_EQ(0, vt_memory(dev, true));
			}
			EXPECT_EQ(0, vv_status(v));
			EXPECT_FALSE(shows(dev, v->mem + VV_FREE, 64, 64,
					   4 * 64));
			EXPECT_TRUE(vv_draws(v));
		}
}

/* A driver's flushes, one after the other; how long in ms. */
static long flushes(struct vv *v, unsigned int n)
{
	uint64_t begin = vt_now();

	while (n--)
		if (vv_flush(v, 1, 0, 0, 64, 64) != OK)
			return -1;
	return (vt_now() - begin) / 1000000;
}

TEST_F(virtio, frame_rate)
{
	struct vv *v = &self->v;
	long ms;

	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, 64, 64));
	/* What nobody sees is not limited. */
	ms = flushes(v, 60);
	TH_LOG("60 in %ld ms", ms);
	EXPECT_LE(0, ms);
	EXPECT_GT(600 * (vt_finds_leaks() ? 5 : 1), ms);
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
	ms = flushes(v, 60);
	TH_LOG("60 in %ld ms", ms);
	EXPECT_LE(900, ms);
	EXPECT_GT(3000, ms);
	/* For the next VMM. */
	ASSERT_EQ(0, vv_reset(v));
	vv_fini(v);
	vt_close(&self->dev);
	ASSERT_EQ(0, vt_params(self->dev.uuid, "frame_rate_limiter=0"));
	ASSERT_EQ(0, vv_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(0, vv_init(v, &self->dev));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, 64, 64));
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
	ms = flushes(v, 60);
	TH_LOG("60 in %ld ms", ms);
	EXPECT_LE(0, ms);
	EXPECT_GT(600 * (vt_finds_leaks() ? 5 : 1), ms);
}

TEST_F_TIMEOUT(virtio, quota, 600)
{
	struct vt_dev other;
	struct vv *v = &self->v, w;
	uint32_t id, n;

	ASSERT_EQ(0, vv_begin(&other, &self->gpu, "64V"));
	ASSERT_EQ(0, vv_init(&w, &other));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	for (id = 1; vv_create_2d(v, id, BGRX, 1024, 1024) == OK; id++)
		;
	/* 4 MiB each, and a little is reserved. */
	EXPECT_EQ(16, id);
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
		  vv_create_2d(v, id, BGRX, 1024, 1024));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY,
		  vv_create_2d(v, id, BGRX, 16384, 16384));
	/* Larger than any may be. */
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER,
		  vv_create_2d(v, id, BGRX, 0x7fffffff, 0x7fffffff));
	EXPECT_TRUE(vv_draws(&w));
	ASSERT_EQ(OK, vv_unref(v, 3));
	EXPECT_EQ(OK, vv_create_2d(v, id, BGRX, 1024, 1024));
	/* Of the smallest, as many as there may be. */
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	for (n = 0; n <= 16384; n++)
		if (vv_create_2d(v, n + 1, BGRX, 1, 1) != OK)
			break;
	EXPECT_EQ(16384 - 64, n);
	EXPECT_TRUE(vv_draws(&w));
	EXPECT_TRUE(vv_draws(v));
	vv_fini(&w);
	vt_end(&other);
}

/* The driver for Windows: no tables, no event index, and long chains. */
TEST_F(virtio, windows)
{
	const uint64_t features = VV_VERSION_1 |
				  VV_FEATURE(VIRTIO_F_ACCESS_PLATFORM) |
				  VV_FEATURE(VIRTIO_GPU_F_EDID);
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
	ASSERT_EQ(0, vv_start(v, features));
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

/* Registers through config space alone. */
TEST_F(virtio, window)
{
	struct vt_dev *dev = &self->dev;
	struct vv *v = &self->v;
	unsigned int cap = v->pci_cfg, data = cap + 16;
	const struct vv_cap *common = &v->cap[VIRTIO_PCI_CAP_COMMON_CFG];

	ASSERT_EQ(0, vv_reset(v));
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_BAR, common->bar, 1);
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_OFFSET,
		      common->offset + VIRTIO_PCI_COMMON_STATUS, 4);
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_LENGTH, 1, 4);
	ASSERT_EQ(0, vt_config_set(dev, data, VIRTIO_CONFIG_S_ACKNOWLEDGE, 1));
	EXPECT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE, vv_status(v));
	EXPECT_EQ(VIRTIO_CONFIG_S_ACKNOWLEDGE, vt_config_get(dev, data, 1));
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_OFFSET,
		      common->offset + VIRTIO_PCI_COMMON_NUMQ, 4);
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_LENGTH, 2, 4);
	EXPECT_EQ(VV_QUEUES, vt_config_get(dev, data, 2));
	/* Beyond the BAR is nothing. */
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_OFFSET, 0xfffffffc, 4);
	vt_config_set(dev, cap + VIRTIO_PCI_CAP_LENGTH, 4, 4);
	vt_config_get(dev, data, 4);
	vt_config_set(dev, data, 0xffffffff, 4);
	EXPECT_TRUE(vv_draws(v));
}

/* A double-bit error stops commands until the reset. */
TEST_F(virtio, double_bit_error)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, 64, 64));
	ASSERT_EQ(0, vt_inject(&self->gpu, "dbe", self->dev.uuid, 0));
	usleep(100000);
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC, vv_display_info(v, &info));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC, vv_unref(v, 1));
	EXPECT_EQ(VIRTIO_GPU_RESP_ERR_UNSPEC,
		  vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 0, 0, 0, 0));
	/* That of the function; a status of 0 is none for the memory. */
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_TRUE(vv_draws(v));
}

/* A driver that asks for the next reset as soon as one has ended. */
TEST_F_TIMEOUT(virtio, reset_after_reset, 300)
{
	struct vv *v = &self->v;
	unsigned int i, n = vt_finds_leaks() ? 2000 : 20000;
	uint64_t end;

	for (i = 0; i < n; i++) {
		end = vt_now() + 20000000000ULL;
		vv_common_set(v, VIRTIO_PCI_COMMON_STATUS,
			      VIRTIO_CONFIG_S_ACKNOWLEDGE, 1);
		vv_common_set(v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
		while (vv_status(v)) {
			ASSERT_GT(end, vt_now());
		}
	}
	EXPECT_TRUE(vv_draws(v));
}

TEST_HARNESS_MAIN
