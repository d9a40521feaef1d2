// SPDX-License-Identifier: GPL-2.0
/* virtio-gpu as its guest's driver and its VMM see it: commands, interrupts, resets. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/virtio.h"

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

/*
 * With an event index a driver that looks without waiting for an interrupt may be earlier
 * than the device's look at it, and then there is none.
 */
#define INTERRUPTS	(VV_LINUX & ~VV_FEATURE(VIRTIO_RING_F_EVENT_IDX))

TEST_F(virtio, msix)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;

	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, INTERRUPTS));
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
	ASSERT_EQ(0, vv_start(v, INTERRUPTS));
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
	uint64_t stop = vt_now() + 60000000000ULL, end;
	unsigned int i;

	/* Of a kernel that looks at each access, as many as a minute has. */
	for (i = 0; i < 20000 && vt_now() < stop; i++) {
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
