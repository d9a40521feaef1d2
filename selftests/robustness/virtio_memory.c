// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that takes the guest's memory away from a virtio-gpu, resets it or never answers a
 * page fault while commands are executed.  Others are not affected.  What went wrong in
 * the kernel, its log says, which the lab looks at.
 *
 * VGPU_TEST_SECONDS=N takes longer.
 */
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "robustness/virtio_slow.h"

/* The VMM takes all of guest memory away, again and again. */
static void *unmapper(void *arg)
{
	struct actor *actor = arg;
	hostile_data *self = actor->self;
	struct vv *v = &self->v;

	actor->ok = true;
	while (!self->stop) {
		actor->ok &= !vv_unmap(&self->dev, VV_IOVA, VV_MEM);
		if (below(actor, 2))
			usleep(below(actor, 500));
		actor->ok &= !vv_map(&self->dev, VV_IOVA, v->mem, VV_MEM,
				     READ | WRITE);
		usleep(below(actor, 2000));
		actor->done++;
	}
	return NULL;
}

static void *resetter(void *arg)
{
	struct actor *actor = arg;
	hostile_data *self = actor->self;
	struct vv *v = &self->v;
	unsigned int pos = vt_cap(&self->dev, PCI_CAP_ID_EXP);

	while (!self->stop) {
		switch (below(actor, 6)) {
		case 0:
			vt_reset(&self->dev);
			break;
		case 1:
			vt_config_set(&self->dev, pos + PCI_EXP_DEVCTL,
				      PCI_EXP_DEVCTL_BCR_FLR, 2);
			vt_memory(&self->dev, true);
			break;
		case 2:
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT,
				      below(actor, 2), 2);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_RESET, 1, 2);
			break;
		default:
			vv_common_set(v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
		}
		usleep(below(actor, 3000));
		actor->done++;
	}
	return NULL;
}

/* Somebody looks at the picture meanwhile. */
static void *looker(void *arg)
{
	struct actor *actor = arg;
	hostile_data *self = actor->self;
	struct vfio_device_gfx_plane_info info;
	char buf[PAGE];

	while (!self->stop) {
		vt_plane(&self->dev, &info);
		vt_pread(&self->dev, VGPU_REGION_CONSOLE,
			 below(actor, 1024) * PAGE, buf, sizeof(buf));
		actor->done++;
		usleep(below(actor, 1000));
	}
	return NULL;
}

/* A driver that goes on whatever happens: pictures of both kinds, and cursors. */
static void drive(struct actor *actor)
{
	const uint32_t width = 256, height = 256, size = 4 * width * height;
	hostile_data *self = actor->self;
	struct vv *v = &self->v;
	struct {
		struct virtio_gpu_resource_create_2d create;
		struct virtio_gpu_transfer_to_host_2d transfer;
		struct virtio_gpu_set_scanout scanout;
		struct virtio_gpu_resource_flush flush;
		struct virtio_gpu_update_cursor cursor;
		struct {
			struct virtio_gpu_resource_attach_backing attach;
			struct virtio_gpu_mem_entry entry;
		} attach;
		struct {
			struct virtio_gpu_resource_create_blob create;
			struct virtio_gpu_mem_entry entry;
		} blob;
		struct virtio_gpu_set_scanout_blob show;
	} req = {
		.create = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
			    .resource_id = 1, .format = BGRX,
			    .width = width, .height = height },
		.transfer = { .hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
			      .r = { .width = width, .height = height },
			      .resource_id = 1 },
		.scanout = { .hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
			     .r = { .width = width, .height = height },
			     .resource_id = 1 },
		.flush = { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
			   .hdr.flags = VIRTIO_GPU_FLAG_FENCE,
			   .r = { .width = width, .height = height },
			   .resource_id = 1 + below(actor, 2) },
		.cursor = { .hdr.type = VIRTIO_GPU_CMD_UPDATE_CURSOR,
			    .resource_id = 2 },
		.attach = { { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
			      .resource_id = 1, .nr_entries = 1 },
			    { .addr = VV_IOVA + VV_FREE, .length = size } },
		.blob = { { .hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
			    .resource_id = 2,
			    .blob_mem = VIRTIO_GPU_BLOB_MEM_GUEST,
			    .nr_entries = 1, .size = size },
			  { .addr = VV_IOVA + VV_FREE, .length = size } },
		.show = { .hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT_BLOB,
			  .r = { .width = width, .height = height },
			  .resource_id = 2, .format = BGRX, .width = width,
			  .height = height, .strides = { 4 * width } },
	};
	const size_t hdr = sizeof(struct virtio_gpu_ctrl_hdr);
	unsigned int i;

	vv_submit(v, VV_CONTROL, &req.create, sizeof(req.create), 0, 0, hdr);
	vv_submit(v, VV_CONTROL, &req.attach, sizeof(req.attach), 0, 0, hdr);
	vv_submit(v, VV_CONTROL, &req.blob, sizeof(req.blob), 0, 0, hdr);
	vv_submit(v, VV_CONTROL, below(actor, 2) ? (void *)&req.scanout :
						   (void *)&req.show,
		  sizeof(req.show), 0, 0, hdr);
	for (i = 0; i < 20; i++)
		vv_submit(v, VV_CONTROL, &req.transfer, sizeof(req.transfer), 0,
			  0, hdr);
	vv_submit(v, VV_CONTROL, &req.flush, sizeof(req.flush), 0, 0, hdr);
	vv_submit(v, VV_CURSOR, &req.cursor, sizeof(req.cursor), 0, 0, hdr);
	vv_notify(v, VV_CONTROL);
	vv_notify(v, VV_CURSOR);
}

/* Drive while others do theirs, for some seconds. */
static void race(struct __test_metadata *_metadata, hostile_data *self,
		 void *(*const mains[])(void *arg), unsigned int n)
{
	struct actor actors[4] = { }, driver = { self, self->seed + 100 };
	uint64_t end = vt_now() + self->seconds * 1000000000ULL;
	pthread_t threads[4];
	struct vv *v = &self->v;
	unsigned int i, ms;

	TH_LOG("VGPU_SEED=%u", self->seed);
	self->stop = false;
	for (i = 0; i < n; i++) {
		actors[i] = (struct actor){ self, self->seed + i };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, mains[i],
					    &actors[i]));
	}
	while (vt_now() < end) {
		/* Whatever comes of it. */
		vv_start_sized(v, VV_LINUX, 2 << below(&driver, 7));
		drive(&driver);
		for (ms = below(&driver, 4); ms; ms--)
			usleep(1000);
		driver.done++;
	}
	self->stop = true;
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		TH_LOG("%lu beside %lu", actors[i].done, driver.done);
		EXPECT_LT(0, actors[i].done);
	}
	vt_memory(&self->dev, true);
	EXPECT_TRUE(vv_draws(v));
}

TEST_F_TIMEOUT(hostile, unmap, 600)
{
	void *(*const mains[])(void *arg) = { unmapper };

	race(_metadata, self, mains, 1);
}

TEST_F_TIMEOUT(hostile, unmap_and_look, 600)
{
	void *(*const mains[])(void *arg) = { unmapper, looker };

	race(_metadata, self, mains, 2);
}

TEST_F_TIMEOUT(hostile, reset, 600)
{
	void *(*const mains[])(void *arg) = { resetter, looker };

	race(_metadata, self, mains, 2);
}

TEST_F_TIMEOUT(hostile, unmap_and_reset, 600)
{
	void *(*const mains[])(void *arg) = { resetter, unmapper, looker };

	race(_metadata, self, mains, 3);
}

/* A neighbour, from its creation to its end, twenty times. */
static bool neighbour(struct vt_gpu *gpu)
{
	struct vt_dev dev;
	uint64_t since;
	struct vv w;
	bool ok = true;
	int i;

	for (i = 0; i < 20 && ok; i++) {
		since = vt_now();
		if (vv_begin(&dev, gpu, "64V"))
			return false;
		ok &= in_time(&since, "create and open");
		ok &= !vv_init(&w, &dev) && vv_draws(&w);
		ok &= in_time(&since, "a picture");
		ok &= !vt_reset(&dev);
		ok &= in_time(&since, "a reset");
		vv_fini(&w);
		vt_end(&dev);
		ok &= in_time(&since, "close and remove");
	}
	return ok;
}

/*
 * Backing that the VMM does not give, for now: nobody else waits, and its own accesses
 * to registers do not.
 */
TEST_F_TIMEOUT(hostile, memory_never, 300)
{
	struct vfio_device_gfx_plane_info info;
	struct vv *v = &self->v;
	struct slow slow;
	uint64_t since;
	int head;

	if (slow_begin(&slow, VT_MIB, -1))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, vv_map(&self->dev, OTHER, slow.mem, VT_MIB, READ | WRITE));
	head = send_transfer(v, OTHER);
	ASSERT_LE(0, head);
	ASSERT_TRUE(slow_is_asked(&slow));
	EXPECT_TRUE(neighbour(&self->gpu));
	since = vt_now();
	EXPECT_EQ(0xf, vv_status(v));
	EXPECT_TRUE(in_time(&since, "a register"));
	EXPECT_EQ(0, vt_params(self->dev.uuid, "heads=2"));
	EXPECT_TRUE(in_time(&since, "another monitor"));
	/* This waits, for a while. */
	EXPECT_EQ(0, vt_plane(&self->dev, &info));
	EXPECT_GT(1000 + longest(), (long)((vt_now() - since) / 1000000));
	/* A reset ends when the memory is there. */
	vv_common_set(v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	usleep(200000);
	EXPECT_NE(0, vv_status(v));
	slow.ms = 0;
	EXPECT_EQ(0, vv_reset(v));
	EXPECT_TRUE(vv_draws(v));
	EXPECT_EQ(0, vv_unmap(&self->dev, OTHER, VT_MIB));
	slow_end(&slow);
}

TEST_F_TIMEOUT(hostile, memory_slow, 300)
{
	struct vv *v = &self->v;
	struct slow slow;
	int head;

	if (slow_begin(&slow, VT_MIB, 10))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, vv_map(&self->dev, OTHER, slow.mem, VT_MIB, READ | WRITE));
	head = send_transfer(v, OTHER);
	ASSERT_LE(0, head);
	EXPECT_TRUE(neighbour(&self->gpu));
	EXPECT_EQ(OK, vv_wait(v, VV_CONTROL, head, 6 * VV_TIMEOUT));
	EXPECT_TRUE(vv_draws(v));
	EXPECT_EQ(0, vv_unmap(&self->dev, OTHER, VT_MIB));
	slow_end(&slow);
}

/* Notifications of everything, as fast as they go. */
TEST_F_TIMEOUT(hostile, storm, 600)
{
	uint64_t end = vt_now() + self->seconds * 1000000000ULL;
	struct vv *v = &self->v;
	unsigned long n;

	for (n = 0; vt_now() < end; n++)
		vv_set(v, VIRTIO_PCI_CAP_NOTIFY_CFG, n % 64, n, 2);
	TH_LOG("%lu notifications", n);
	EXPECT_TRUE(neighbour(&self->gpu));
	EXPECT_TRUE(vv_draws(v));
}

/* A guest that fills the queue and never looks at what was used. */
TEST_F_TIMEOUT(hostile, never_looks, 600)
{
	struct vv_queue *q = &self->v.queues[VV_CONTROL];
	struct vv_part parts[2];
	struct vv *v = &self->v;
	unsigned int i;

	good(v, parts);
	while (vv_add(v, VV_CONTROL, parts, 2) >= 0)
		;
	vv_notify(v, VV_CONTROL);
	for (i = 0; i < 20000 && *(volatile uint16_t *)&q->used->idx != q->size;
	     i++)
		usleep(1000);
	EXPECT_EQ(q->size, q->used->idx);
	/* The same again: it has them all back, whether the guest knows or not. */
	for (i = 0; i < 1000; i++) {
		q->avail_idx += q->size;
		__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
		vv_notify(v, VV_CONTROL);
	}
	EXPECT_TRUE(vv_draws(v));
}

/* A resource goes while all heads show it, and another takes its place. */
TEST_F_TIMEOUT(hostile, unref_shown, 600)
{
	struct vfio_device_gfx_plane_info info;
	struct vv *v = &self->v;
	unsigned int i, head;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(OK, vv_create_2d(v, 1, BGRX, 1024, 512));
		ASSERT_EQ(OK, vv_create_blob(v, 2, VV_FREE, 4 * 1024 * 512));
		for (head = 0; head < 4; head++)
			ASSERT_EQ(OK, (i + head) % 2 ?
				  vv_scanout(v, head, 1, 0, 0, 1024, 512) :
				  vv_scanout_blob(v, head, 2, 1024, 512,
						  4 * 1024, 0));
		ASSERT_EQ(0, vt_plane(&self->dev, &info));
		EXPECT_EQ(1024, info.width);
		ASSERT_EQ(OK, vv_unref(v, 1));
		ASSERT_EQ(OK, vv_unref(v, 2));
		ASSERT_EQ(0, vt_plane(&self->dev, &info));
		EXPECT_EQ(0, info.drm_format);
	}
	EXPECT_TRUE(vv_draws(v));
}

/* A VMM leaves in the middle of work. */
TEST_F_TIMEOUT(hostile, close, 600)
{
	struct actor actor = { self, self->seed };
	struct vv *v = &self->v;
	int i;

	for (i = 0; i < 100; i++) {
		drive(&actor);
		usleep(below(&actor, 3000));
		/* With its memory still mapped, or not. */
		if (i % 2)
			vv_unmap(&self->dev, VV_IOVA, VV_MEM);
		vt_close(&self->dev);
		vv_fini(v);
		ASSERT_EQ(0, vv_open(&self->dev, self->dev.uuid));
		ASSERT_EQ(0, vv_init(v, &self->dev));
		ASSERT_EQ(0, vv_start(v, VV_LINUX));
	}
	EXPECT_TRUE(vv_draws(v));
}

/* Rings that are unmapped, and mapped again with other memory behind. */
TEST_F_TIMEOUT(hostile, remap, 600)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	uint8_t *old = v->mem;

	ASSERT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	/* An answer may be there before the device has looked at the ring for the last time. */
	ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_STOP, NULL));
	ASSERT_EQ(0, vv_unmap(&self->dev, VV_IOVA, VV_MEM));
	v->mem = mmap(NULL, VV_MEM, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, v->mem);
	memcpy(v->mem, old, VV_MEM);
	v->queues[VV_CONTROL].desc = (void *)(v->mem + VV_RING(VV_CONTROL));
	v->queues[VV_CONTROL].avail = (void *)((uint8_t *)v->queues[0].desc +
					       0x4000);
	v->queues[VV_CONTROL].used = (void *)((uint8_t *)v->queues[0].desc +
					      0x8000);
	ASSERT_EQ(0, vv_map(&self->dev, VV_IOVA, v->mem, VV_MEM, READ | WRITE));
	ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_RUNNING, NULL));
	/* The queue goes on in the new memory, and nothing is in the old. */
	memset(old, 0, VV_MEM);
	EXPECT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_TRUE(vt_is_zero(old, VV_MEM));
	munmap(old, VV_MEM);
	EXPECT_TRUE(vv_draws(v));
}

TEST_HARNESS_MAIN
