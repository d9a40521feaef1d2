/* SPDX-License-Identifier: GPL-2.0 */
/* A virtio-gpu, whether it stopped, and whether a reset mends that. */
#ifndef VGPU_VIRTIO_HOSTILE_H
#define VGPU_VIRTIO_HOSTILE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"
#include "lib/vgpu_virtio.h"

#define PAGE		4096UL
#define READ		VFIO_DMA_MAP_FLAG_READ
#define WRITE		VFIO_DMA_MAP_FLAG_WRITE
#define OK		VIRTIO_GPU_RESP_OK_NODATA
#define BGRX		VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM

/* Where guest memory of a test's own is. */
#define OTHER		0x200000000ULL

#define SECONDS		5

FIXTURE(hostile)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	struct vv v;
	unsigned int seed;
	unsigned int seconds;
	volatile bool stop;
};

typedef FIXTURE_DATA(hostile) hostile_data;

FIXTURE_SETUP(hostile)
{
	const char *seconds = getenv("VGPU_TEST_SECONDS");
	const char *seed = getenv("VGPU_SEED");

	self->seconds = seconds ? atoi(seconds) : SECONDS;
	self->seed = seed ? atoi(seed) : getpid();
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", "64V"));
	ASSERT_EQ(0, vv_begin(&self->dev, &self->gpu, "64V"));
	ASSERT_EQ(0, vv_init(&self->v, &self->dev));
	ASSERT_EQ(0, vv_start(&self->v, VV_LINUX));
}

FIXTURE_TEARDOWN(hostile)
{
	vv_fini(&self->v);
	vt_end(&self->dev);
	EXPECT_EQ(2, vt_available(&self->gpu, "64V"));
	vt_gpu_del(&self->gpu);
}

/* A request for display info that is good, as a chain without indirection. */
static inline int good(struct vv *v, struct vv_part parts[2])
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	};
	uint8_t *at = v->mem + VV_FREE;

	memcpy(at, &req, sizeof(req));
	parts[0] = (struct vv_part){ vv_iova(v, at), sizeof(req), false };
	parts[1] = (struct vv_part){
		vv_iova(v, at + PAGE),
		sizeof(struct virtio_gpu_resp_display_info), true };
	return 2;
}

struct actor {
	hostile_data *self;
	unsigned int seed;
	unsigned long done;
	bool ok;
};

static inline unsigned int below(struct actor *actor, unsigned int n)
{
	return rand_r(&actor->seed) % n;
}

/* Whether the device wants a reset, within a few seconds. */
static inline bool needs_reset(struct vv *v)
{
	uint64_t end = vt_now() + 20000000000ULL;

	while (vt_now() < end) {
		if (vv_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET)
			return true;
		usleep(1000);
	}
	return false;
}

#endif /* VGPU_VIRTIO_HOSTILE_H */
