// SPDX-License-Identifier: GPL-2.0
/* virtio-gpu as its guest's driver and its VMM see it. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
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
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "64V"));
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
