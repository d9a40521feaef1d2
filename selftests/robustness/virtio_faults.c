// SPDX-License-Identifier: GPL-2.0
/*
 * What if memory runs out for a virtio-gpu: where the VMM opens it, in the thread that
 * executes its commands, and in its migration.  Registers take none.  Commands are
 * answered with OUT_OF_MEMORY or UNSPEC, or the device needs a reset; nothing is lost,
 * and the next attempt succeeds.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"
#include "lib/vgpu_virtio.h"

#define OK		VIRTIO_GPU_RESP_OK_NODATA
#define BGRX		VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define SIDE		64
#define SIZE		(4 * SIDE * SIDE)

FIXTURE(faults)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char uuid[VT_UUID];
	struct vv v;
	struct vt_stream stream;
};

typedef FIXTURE_DATA(faults) faults_data;

#include "robustness/faults.h"

/* A vGPU that a VMM has opened, with guest memory. */
static int begin(faults_data *self)
{
	int ret = vv_open(&self->dev, self->uuid);

	if (ret)
		return ret;
	ret = vv_init(&self->v, &self->dev);
	if (ret) {
		vv_fini(&self->v);
		vt_close(&self->dev);
	}
	/* One that needs a reset says so at once, and all others are done by then. */
	self->v.timeout = 2 * VV_SECOND;
	return ret;
}

static void end(faults_data *self)
{
	vv_fini(&self->v);
	vt_close(&self->dev);
}

/* From now on in the thread of the vGPU that is open, of which there is one. */
static bool fail_in_device(void)
{
	struct dirent *entry;
	bool found = false;
	char name[32];
	DIR *dir = opendir("/proc");

	while (!found && dir && (entry = readdir(dir)))
		found = isdigit(*entry->d_name) &&
			!vt_read(name, sizeof(name), "/proc/%s/comm",
				 entry->d_name) &&
			!strcmp(name, "vgpu\n") && fail_in(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

FIXTURE_SETUP(faults)
{
	if (!fail_in("thread-self"))
		SKIP(return, "a kernel without fault injection");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16V"));
	vt_uuid(self->uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16V", self->uuid));
}

FIXTURE_TEARDOWN(faults)
{
	/* Nothing was lost. */
	EXPECT_EQ(3, vt_available(&self->gpu, "16V"));
	EXPECT_EQ(0, vt_remove(self->uuid));
	vt_gpu_del(&self->gpu);
	close(fail_nth_fd);
}

TEST_F_TIMEOUT(faults, open, 900)
{
	ASSERT_EQ(0, begin(self));
	end(self);
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(3, begin, end);
	ASSERT_EQ(0, begin(self));
	EXPECT_TRUE(vv_draws(&self->v));
	end(self);
}

/*
 * An answer that there may be without memory, of which none is one that could not be
 * written; -EPROTO for any other.
 */
static int answer(struct vv *v, int type)
{
	switch (type) {
	case OK:
		return 0;
	case 0:
	case VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY:
	case VIRTIO_GPU_RESP_ERR_UNSPEC:
		return -ENOMEM;
	case -ETIMEDOUT:
		return vv_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET ? -ENOMEM :
								    -EPROTO;
	default:
		printf("# answer %#x, status %#x\n", type, vv_status(v));
		return -EPROTO;
	}
}

static int start(faults_data *self)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	int ret = vv_start(v, VV_LINUX);

	ret = ret ?: vv_display_info(v, &info);
	return ret == VIRTIO_GPU_RESP_OK_DISPLAY_INFO ? 0 : answer(v, ret);
}

/* One of each kind, up to the first that fails. */
static int commands(faults_data *self)
{
	struct vv *v = &self->v;
	int ret = start(self);

	ret = ret ?: answer(v, vv_create_2d(v, 1, BGRX, SIDE, SIDE));
	ret = ret ?: answer(v, vv_attach(v, 1, VV_IOVA + VV_FREE, SIZE));
	ret = ret ?: answer(v, vv_transfer(v, 1, 0, 0, SIDE, SIDE, 0));
	ret = ret ?: answer(v, vv_scanout(v, 0, 1, 0, 0, SIDE, SIDE));
	ret = ret ?: answer(v, vv_flush(v, 1, 0, 0, SIDE, SIDE));
	ret = ret ?: answer(v, vv_cursor(v, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 1, 1,
					 1, 0, 0));
	ret = ret ?: answer(v, vv_create_blob(v, 2, VV_FREE, SIZE));
	ret = ret ?: answer(v, vv_scanout_blob(v, 0, 2, SIDE, SIDE, 4 * SIDE, 0));
	ret = ret ?: answer(v, vv_flush(v, 2, 0, 0, SIDE, SIDE));
	ret = ret ?: answer(v, vv_detach(v, 1));
	ret = ret ?: answer(v, vv_unref(v, 1));
	return ret ?: answer(v, vv_unref(v, 2));
}

TEST_F_TIMEOUT(faults, commands, 1800)
{
	ASSERT_EQ(0, begin(self));
	ASSERT_EQ(0, commands(self));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	ASSERT_TRUE(fail_in_device());
	SWEEP(8, commands, NULL);
	EXPECT_TRUE(vv_draws(&self->v));
	end(self);
}

TEST_F_TIMEOUT(faults, migration, 1800)
{
	struct vv *v = &self->v;

	ASSERT_EQ(0, begin(self));
	ASSERT_EQ(0, start(self));
	ASSERT_EQ(OK, vv_create_2d(v, 1, BGRX, SIDE, SIDE));
	ASSERT_EQ(OK, vv_attach(v, 1, VV_IOVA + VV_FREE, SIZE));
	ASSERT_EQ(OK, vv_create_blob(v, 2, VV_FREE, SIZE));
	ASSERT_EQ(OK, vv_scanout_blob(v, 0, 2, SIDE, SIDE, 4 * SIDE, 0));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(3, save, running);
	ASSERT_EQ(0, save(self));
	running(self);
	SWEEP(8, load, running);
	ASSERT_EQ(0, load(self));
	running(self);
	/* Both are there, and the queues go on. */
	EXPECT_EQ(OK, vv_transfer(v, 1, 0, 0, SIDE, SIDE, 0));
	EXPECT_EQ(OK, vv_flush(v, 1, 0, 0, SIDE, SIDE));
	EXPECT_EQ(OK, vv_flush(v, 2, 0, 0, SIDE, SIDE));
	EXPECT_EQ(OK, vv_unref(v, 1));
	EXPECT_EQ(OK, vv_unref(v, 2));
	free(self->stream.data);
	EXPECT_TRUE(vv_draws(v));
	end(self);
}

TEST_HARNESS_MAIN
