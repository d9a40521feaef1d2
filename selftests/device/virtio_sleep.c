// SPDX-License-Identifier: GPL-2.0
/* A virtio-gpu whose guest suspends to RAM, which QEMU ends with a reset. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <unistd.h>

#include "device/virtio.h"
#include "lib/vgpu_migrate.h"

static int set_power(struct vt_dev *dev, uint16_t state)
{
	unsigned int pm = vt_cap(dev, PCI_CAP_ID_PM);

	return pm ? vt_config_set(dev, pm + PCI_PM_CTRL, state, 2) : -ENOENT;
}

/* Suspend to RAM: the guest's part, and that of QEMU when the VM wakes up. */
static int suspend(struct vt_dev *dev)
{
	return set_power(dev, 3);
}

static int wake_up(struct vt_dev *dev)
{
	int ret = vt_memory(dev, false) ?: set_power(dev, 0);

	return ret ?: vt_reset(dev);
}

/* The same picture as in picture() appears. */
static bool appears(struct vv *v, uint32_t width, uint32_t height)
{
	uint64_t end = vt_now() + VV_TIMEOUT * 1000000ULL;

	while (!shows(v->dev, v->mem + VV_FREE, width, height, 4 * width)) {
		if (vt_now() > end)
			return false;
		usleep(10000);
	}
	return true;
}

/* Linux 6.12 and 7.3: its PCI core restores config space, and it goes on. */
TEST_F_TIMEOUT(virtio, sleep, 300)
{
	struct virtio_gpu_resource_flush flush = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.r = { 0, 0, 64, 64 },
		.resource_id = 1,
	};
	struct vt_dev *dev = &self->dev;
	struct vv *v = &self->v;
	unsigned int i;
	int early, late;

	ASSERT_EQ(0, vv_irqs(v));
	ASSERT_EQ(0, vv_start(v, VV_LINUX));
	ASSERT_TRUE(picture(v, 1, 64, 64));
	ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
	for (i = 0; i < 3; i++) {
		/* One command waits for the end of a frame, one is not noticed. */
		early = vv_submit(v, VV_CONTROL, &flush, sizeof(flush), 0, 0,
				  sizeof(flush.hdr));
		ASSERT_LE(0, early);
		vv_kick(v, VV_CONTROL);
		ASSERT_EQ(0, suspend(dev));
		late = vv_submit(v, VV_CONTROL, &flush, sizeof(flush), 0, 0,
				 sizeof(flush.hdr));
		ASSERT_LE(0, late);
		ASSERT_EQ(0, wake_up(dev));
		EXPECT_FALSE(shows(dev, v->mem + VV_FREE, 64, 64, 4 * 64));
		vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], 0);
		ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
		EXPECT_LE(1, vv_irq(v->irqs[VV_VECTOR(VV_CONTROL)], VV_SECOND));
		EXPECT_TRUE(appears(v, 64, 64));
		EXPECT_EQ(OK, vv_wait(v, VV_CONTROL, early, VV_TIMEOUT));
		EXPECT_EQ(OK, vv_wait(v, VV_CONTROL, late, VV_TIMEOUT));
		EXPECT_EQ(0xf, vv_status(v));
	}
	v->mem[VV_FREE] ^= 0xff;
	EXPECT_EQ(OK, vv_transfer(v, 1, 0, 0, 64, 64, 0));
	EXPECT_TRUE(appears(v, 64, 64));
	EXPECT_EQ(OK, vv_cursor(v, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, 1, 1, 0, 0));
	EXPECT_EQ(OK, vv_unref(v, 1));
	EXPECT_TRUE(vv_draws(v));
}

/* Linux 6.1: it also resets the device, but sets up no queues. */
TEST_F_TIMEOUT(virtio, sleep_reset, 300)
{
	struct vt_dev *dev = &self->dev;
	struct vv *v = &self->v;
	unsigned int messages;

	for (messages = 0; messages < 2; messages++) {
		if (messages)
			ASSERT_EQ(0, vv_irqs(v));
		ASSERT_EQ(0, vv_start(v, VV_LINUX));
		ASSERT_TRUE(picture(v, 1, 64, 64));
		ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
		ASSERT_EQ(0, suspend(dev));
		ASSERT_EQ(0, wake_up(dev));
		if (messages)
			ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
		ASSERT_EQ(0, vv_reset(v));
		EXPECT_FALSE(shows(dev, v->mem + VV_FREE, 64, 64, 4 * 64));
		ASSERT_EQ(0, vv_negotiate(v, VV_LINUX));
		vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
		EXPECT_TRUE(appears(v, 64, 64));
		EXPECT_EQ(OK, vv_flush(v, 1, 0, 0, 64, 64));
		EXPECT_EQ(OK, vv_unref(v, 1));
		EXPECT_TRUE(vv_draws(v));
	}
}

/* Nobody who begins anew finds anything, in whatever way. */
TEST_F_TIMEOUT(virtio, sleep_and_boot, 600)
{
	struct vt_dev *dev = &self->dev;
	unsigned int exp = vt_cap(dev, PCI_CAP_ID_EXP), how;
	struct vv *v = &self->v;

	ASSERT_NE(0, exp);
	for (how = 0; how < 5; how++) {
		ASSERT_EQ(0, vv_start(v, VV_LINUX));
		ASSERT_TRUE(picture(v, 1, 64, 64));
		ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
		ASSERT_EQ(0, suspend(dev));
		ASSERT_EQ(0, wake_up(dev));
		switch (how) {
		case 0:
			/* The VM was reset while it slept. */
			ASSERT_EQ(0, vv_start(v, VV_LINUX));
			break;
		case 1:
			/* Once more. */
			ASSERT_EQ(0, vt_reset(dev));
			break;
		case 2:
			vt_config_set(dev, exp + PCI_EXP_DEVCTL,
				      PCI_EXP_DEVCTL_BCR_FLR, 2);
			ASSERT_EQ(0, vt_memory(dev, true));
			break;
		case 3:
			vt_close(dev);
			ASSERT_EQ(0, vv_open(dev, dev->uuid));
			ASSERT_EQ(0, vv_map(dev, VV_IOVA, v->mem, VV_MEM,
					    VFIO_DMA_MAP_FLAG_READ |
					    VFIO_DMA_MAP_FLAG_WRITE));
			break;
		case 4:
			/* The driver takes less. */
			ASSERT_EQ(0, vv_reset(v));
			ASSERT_EQ(0, vv_negotiate(v, VV_VERSION_1));
			vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
			break;
		}
		vv_notify(v, VV_CONTROL);
		ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
		usleep(100000);
		EXPECT_FALSE(shows(dev, v->mem + VV_FREE, 64, 64, 4 * 64));
		if (!how) {
			EXPECT_EQ(VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID,
				  vv_unref(v, 1));
		}
		EXPECT_TRUE(vv_draws(v));
		ASSERT_EQ(0, vt_reset(dev));
	}
}

/* It sleeps, or has just been woken up, and finds its picture on another host. */
TEST_F_TIMEOUT(virtio, sleep_migration, 300)
{
	struct vt_stream stream = { };
	struct vt_dev other, *dev;
	struct vv *v = &self->v;
	unsigned int woken;

	for (woken = 0; woken < 2; woken++) {
		v->dev = &self->dev;
		ASSERT_EQ(0, vv_begin(&other, &self->gpu, "64V"));
		ASSERT_EQ(0, vv_map(&other, VV_IOVA, v->mem, VV_MEM,
				    VFIO_DMA_MAP_FLAG_READ |
				    VFIO_DMA_MAP_FLAG_WRITE));
		ASSERT_EQ(0, vv_start(v, VV_LINUX));
		ASSERT_TRUE(picture(v, 1, 64, 64));
		ASSERT_EQ(OK, vv_scanout(v, 0, 1, 0, 0, 64, 64));
		ASSERT_EQ(0, suspend(v->dev));
		if (woken)
			ASSERT_EQ(0, wake_up(v->dev));
		ASSERT_EQ(0, vt_save(v->dev, &stream));
		dev = v->dev;
		v->dev = &other;
		ASSERT_EQ(0, vt_load(&other, stream.data, stream.len,
				     stream.len));
		ASSERT_EQ(0, vt_mig_set(&other, VFIO_DEVICE_STATE_RUNNING,
					NULL));
		if (!woken) {
			ASSERT_EQ(0, wake_up(&other));
			ASSERT_EQ(0, vt_msix(&other, PCI_MSIX_FLAGS_ENABLE));
		}
		EXPECT_TRUE(appears(v, 64, 64));
		EXPECT_EQ(OK, vv_flush(v, 1, 0, 0, 64, 64));
		EXPECT_EQ(OK, vv_unref(v, 1));
		EXPECT_TRUE(vv_draws(v));
		v->dev = dev;
		ASSERT_EQ(0, vt_reset(dev));
		vt_end(&other);
	}
	free(stream.data);
}

TEST_HARNESS_MAIN
