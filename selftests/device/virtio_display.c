// SPDX-License-Identifier: GPL-2.0
/* What a virtio-gpu shows: monitors, pictures, cursors, frames, and the windows of the VMM. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/virtio.h"

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

TEST_HARNESS_MAIN
