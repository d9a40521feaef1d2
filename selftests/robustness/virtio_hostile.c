// SPDX-License-Identifier: GPL-2.0
/*
 * A guest and a VMM that do with a virtio-gpu what they must not.  Afterwards a reset
 * works, and so does what a good driver does; others notice nothing.  What went wrong in
 * the kernel, its log says, which the lab looks at.
 *
 * VGPU_TEST_SECONDS=N takes longer, VGPU_SEED=N chooses other garbage.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"
#include "lib/vgpu_virtio.h"

#define OK		VIRTIO_GPU_RESP_OK_NODATA
#define BGRX		VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define PAGE		4096UL
#define READ		VFIO_DMA_MAP_FLAG_READ
#define WRITE		VFIO_DMA_MAP_FLAG_WRITE
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

/* Whether the device wants a reset, within a few seconds. */
static bool needs_reset(struct vv *v)
{
	uint64_t end = vt_now() + 20000000000ULL;

	while (vt_now() < end) {
		if (vv_status(v) & VIRTIO_CONFIG_S_NEEDS_RESET)
			return true;
		usleep(1000);
	}
	return false;
}

/* A request for display info that is good, as a chain without indirection. */
static int good(struct vv *v, struct vv_part parts[2])
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

/* Chains, each of which is to break the queue. */

static void chain_loop(struct vv *v)
{
	struct vv_queue *q = &v->queues[VV_CONTROL];

	q->desc[0] = (struct vring_desc){ VV_IOVA + VV_FREE, 24,
					  VRING_DESC_F_NEXT, 1 };
	q->desc[1] = (struct vring_desc){ VV_IOVA + VV_FREE, 24,
					  VRING_DESC_F_NEXT, 0 };
}

static void chain_self(struct vv *v)
{
	struct vv_queue *q = &v->queues[VV_CONTROL];

	q->desc[0] = (struct vring_desc){ VV_IOVA + VV_FREE, 24,
					  VRING_DESC_F_NEXT, 0 };
}

static void chain_beyond(struct vv *v)
{
	struct vv_queue *q = &v->queues[VV_CONTROL];

	q->desc[0] = (struct vring_desc){ VV_IOVA + VV_FREE, 24,
					  VRING_DESC_F_NEXT, q->size };
}

static void chain_head(struct vv *v)
{
	v->queues[VV_CONTROL].avail->ring[0] = 0xffff;
}

static void chain_huge(struct vv *v)
{
	struct vv_queue *q = &v->queues[VV_CONTROL];

	q->desc[0] = (struct vring_desc){ VV_IOVA, 0xffffffff,
					  VRING_DESC_F_NEXT, 1 };
	q->desc[1] = (struct vring_desc){ VV_IOVA, 0xffffffff,
					  VRING_DESC_F_WRITE, 0 };
}

static void chain_wraps(struct vv *v)
{
	v->queues[VV_CONTROL].desc[0] = (struct vring_desc){ ~0ULL - 8, 24, 0,
							     0 };
}

static void chain_order(struct vv *v)
{
	struct vv_queue *q = &v->queues[VV_CONTROL];

	q->desc[0] = (struct vring_desc){
		VV_IOVA + VV_FREE, 24, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
		1 };
	q->desc[1] = (struct vring_desc){ VV_IOVA + VV_FREE, 24, 0, 0 };
}

static void table(struct vv *v, uint64_t iova, uint32_t len, uint16_t flags)
{
	v->queues[VV_CONTROL].desc[0] = (struct vring_desc){
		iova, len, VRING_DESC_F_INDIRECT | flags, 0 };
}

static void table_in_table(struct vv *v)
{
	struct vring_desc *desc = (void *)(v->mem + VV_FREE);

	table(v, vv_iova(v, desc), sizeof(*desc), 0);
	*desc = (struct vring_desc){ vv_iova(v, desc), sizeof(*desc),
				     VRING_DESC_F_INDIRECT, 0 };
}

static void table_loop(struct vv *v)
{
	struct vring_desc *desc = (void *)(v->mem + VV_FREE);

	table(v, vv_iova(v, desc), 2 * sizeof(*desc), 0);
	desc[0] = (struct vring_desc){ VV_IOVA, 24, VRING_DESC_F_NEXT, 1 };
	desc[1] = (struct vring_desc){ VV_IOVA, 24, VRING_DESC_F_NEXT, 0 };
}

static void table_empty(struct vv *v)
{
	table(v, VV_IOVA + VV_FREE, 0, 0);
}

static void table_odd(struct vv *v)
{
	table(v, VV_IOVA + VV_FREE, 17, 0);
}

static void table_next(struct vv *v)
{
	table(v, VV_IOVA + VV_FREE, 16, VRING_DESC_F_NEXT);
}

static void table_nowhere(struct vv *v)
{
	table(v, 0x5000000000, 16, 0);
}

/* More parts than there may be, all of them good. */
static void table_long(struct vv *v)
{
	struct vring_desc *desc = (void *)(v->mem + VV_FREE);
	unsigned int i, n = 0x10000;

	table(v, vv_iova(v, desc), n * sizeof(*desc), 0);
	for (i = 0; i < n; i++)
		desc[i] = (struct vring_desc){ VV_IOVA, 1, VRING_DESC_F_NEXT,
					       i + 1 };
	desc[n - 1].flags = 0;
}

static void index_jumps(struct vv *v)
{
	v->queues[VV_CONTROL].avail->idx = v->queues[VV_CONTROL].size + 1;
}

static void index_back(struct vv *v)
{
	v->queues[VV_CONTROL].avail->idx = 0xffff;
}

static const struct {
	const char *name;
	void (*make)(struct vv *v);
} chains[] = {
	{ "a loop", chain_loop },
	{ "a descriptor that is its own next", chain_self },
	{ "a next one beyond the table", chain_beyond },
	{ "a head beyond the table", chain_head },
	{ "8 GiB", chain_huge },
	{ "around the end of addresses", chain_wraps },
	{ "out behind in", chain_order },
	{ "a table in a table", table_in_table },
	{ "a loop in a table", table_loop },
	{ "an empty table", table_empty },
	{ "half a descriptor", table_odd },
	{ "a table with a next one", table_next },
	{ "a table that is nowhere", table_nowhere },
	{ "65536 parts", table_long },
	{ "an index that jumps", index_jumps },
	{ "an index that goes back", index_back },
};

TEST_F_TIMEOUT(hostile, chains, 600)
{
	struct vv *v = &self->v;
	unsigned int i;

	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		TH_LOG("%s", chains[i].name);
		v->queues[VV_CONTROL].avail->idx = 0;
		chains[i].make(v);
		/* Not before: the start of the device may still be looking. */
		if (!v->queues[VV_CONTROL].avail->idx)
			v->queues[VV_CONTROL].avail->idx = 1;
		vv_notify(v, VV_CONTROL);
		EXPECT_TRUE(needs_reset(v));
		EXPECT_EQ(0, v->queues[VV_CONTROL].used->idx);
		/* No notification wakes it. */
		vv_notify(v, VV_CONTROL);
		vv_notify(v, VV_CURSOR);
		ASSERT_TRUE(vv_well(v));
		ASSERT_EQ(0, vv_start(v, VV_LINUX));
	}
	EXPECT_TRUE(vv_draws(v));
}

/* Requests and answers that are in no memory leave the queue as it is. */
TEST_F(hostile, nowhere)
{
	struct vv_part parts[2];
	struct vv *v = &self->v;
	uint32_t len;

	good(v, parts);
	parts[0].iova = 0x5000000000;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	good(v, parts);
	parts[1].iova = 0x5000000000;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	/* Half of the answer is. */
	good(v, parts);
	parts[1].iova = VV_IOVA + VV_MEM - 100;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	vv_kick(v, VV_CONTROL);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(sizeof(struct virtio_gpu_ctrl_hdr), len);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(0, len);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(0, len);
	EXPECT_TRUE(vv_draws(v));
}

/* Rings in no memory, at the end of addresses, on top of each other. */
TEST_F_TIMEOUT(hostile, rings, 600)
{
	static const uint64_t rings[][3] = {
		{ 0, 0, 0 },
		{ 0x5000000000, VV_IOVA, VV_IOVA },
		{ VV_IOVA, 0x5000000000, VV_IOVA },
		{ VV_IOVA, VV_IOVA + 0x4000, 0x5000000000 },
		{ ~0ULL, ~0ULL, ~0ULL },
		{ ~0ULL - 4095, ~0ULL - 4095, ~0ULL - 4095 },
		{ 1ULL << 63, 1ULL << 63, 1ULL << 63 },
		{ VV_IOVA + VV_MEM - 16, VV_IOVA + VV_MEM - 16,
		  VV_IOVA + VV_MEM - 16 },
		{ VV_IOVA + 4095, VV_IOVA + 8191, VV_IOVA + 12287 },
		{ VV_IOVA, VV_IOVA, VV_IOVA },
	};
	struct vv *v = &self->v;
	unsigned int i, nr;

	for (i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		ASSERT_EQ(0, vv_reset(v));
		memset(v->mem, 0x11 * i, PAGE * 16);
		ASSERT_EQ(0, vv_negotiate(v, VV_LINUX));
		for (nr = 0; nr < VV_QUEUES; nr++) {
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, nr, 2);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_SIZE, 1024, 2);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_DESCLO,
				      rings[i][0], 8);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_AVAILLO,
				      rings[i][1], 8);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_USEDLO,
				      rings[i][2], 8);
			vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
		}
		vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
		vv_notify(v, VV_CONTROL);
		vv_notify(v, VV_CURSOR);
		usleep(10000);
		ASSERT_TRUE(vv_well(v));
	}
	EXPECT_TRUE(vv_draws(v));
}

/*
 * Memory that the VMM lets the device only read stays as it is, also where a queue is in
 * it.  The page is one of a file that the VMM itself cannot write.
 */
TEST_F_TIMEOUT(hostile, read_only, 600)
{
	char path[] = "/tmp/virtio-hostile-XXXXXX";
	uint8_t zero[2 * PAGE] = { }, seen[2 * PAGE];
	struct vv_part parts[2];
	struct vv *v = &self->v;
	int fd = mkstemp(path);
	uint32_t len;
	void *file;

	ASSERT_LE(0, fd);
	ASSERT_EQ((ssize_t)sizeof(zero), write(fd, zero, sizeof(zero)));
	close(fd);
	fd = open(path, O_RDONLY);
	unlink(path);
	file = mmap(NULL, sizeof(zero), PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, file);
	ASSERT_EQ(0, vv_map(&self->dev, OTHER, file, sizeof(zero), READ));

	/* An answer. */
	good(v, parts);
	parts[1].iova = OTHER;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	vv_kick(v, VV_CONTROL);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(0, len);

	/* The same where descriptors and the available ring of a queue are. */
	ASSERT_EQ(0, vv_reset(v));
	ASSERT_EQ(0, vv_negotiate(v, VV_LINUX));
	ASSERT_EQ(0, vv_queue(v, VV_CONTROL, 0));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, VV_CURSOR, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_DESCLO, OTHER, 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_AVAILLO, OTHER + PAGE, 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_USEDLO, VV_IOVA + VV_FREE + 8 * PAGE,
		      8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
	vv_notify(v, VV_CURSOR);
	/* Both queues are in use. */
	usleep(200000);
	good(v, parts);
	parts[1].iova = OTHER;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	good(v, parts);
	parts[1].iova = OTHER + PAGE + 64;
	ASSERT_LE(0, vv_add(v, VV_CONTROL, parts, 2));
	vv_notify(v, VV_CONTROL);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(0, len);
	ASSERT_LE(0, vv_used(v, VV_CONTROL, &len, VV_TIMEOUT));
	EXPECT_EQ(0, len);

	/* And the used ring. */
	ASSERT_EQ(0, vv_reset(v));
	ASSERT_EQ(0, vv_negotiate(v, VV_VERSION_1));
	ASSERT_EQ(0, vv_queue(v, VV_CURSOR, 0));
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, VV_CONTROL, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_DESCLO, VV_IOVA, 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_AVAILLO, VV_IOVA + 0x4000, 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_USEDLO, OTHER, 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
	vv_notify(v, VV_CONTROL);
	EXPECT_TRUE(needs_reset(v));

	EXPECT_EQ((ssize_t)sizeof(seen), pread(fd, seen, sizeof(seen), 0));
	EXPECT_TRUE(vt_is_zero(seen, sizeof(seen)));
	EXPECT_TRUE(vv_draws(v));
	EXPECT_EQ(0, vv_unmap(&self->dev, OTHER, sizeof(zero)));
	munmap(file, sizeof(zero));
	close(fd);
}

/* Registers of queues that run do not change them. */
TEST_F(hostile, registers)
{
	struct virtio_gpu_resp_display_info info;
	struct vv *v = &self->v;
	unsigned int nr;

	for (nr = 0; nr < 4; nr++) {
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, nr, 2);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_SIZE, 2, 2);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_DESCLO, 0xdead000, 8);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_AVAILLO, 0xdead000, 8);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_USEDLO, 0xdead000, 8);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 0, 2);
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 0xffff, 2);
	}
	vv_common_set(v, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	vv_common_set(v, VIRTIO_PCI_COMMON_GF, 0, 4);
	EXPECT_EQ(VIRTIO_GPU_RESP_OK_DISPLAY_INFO, vv_display_info(v, &info));
	EXPECT_TRUE(vv_draws(v));
}

struct actor {
	hostile_data *self;
	unsigned int seed;
	unsigned long done;
	bool ok;
};

static unsigned int below(struct actor *actor, unsigned int n)
{
	return rand_r(&actor->seed) % n;
}

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

/* Guest memory that answers when a thread says so, and not before. */
struct slow {
	int uffd;
	void *mem;
	size_t size;
	volatile bool stop;
	/* How long each page takes, in ms; -1 for ever. */
	volatile int ms;
	volatile unsigned int asked;
	pthread_t thread;
};

static void *slow_main(void *arg)
{
	struct slow *slow = arg;
	struct uffd_msg msg;

	while (!slow->stop) {
		struct uffdio_zeropage zero = { };

		if (read(slow->uffd, &msg, sizeof(msg)) != sizeof(msg)) {
			usleep(1000);
			continue;
		}
		slow->asked++;
		while (slow->ms < 0 && !slow->stop)
			usleep(1000);
		if (slow->ms > 0)
			usleep(1000 * slow->ms);
		zero.range.start = msg.arg.pagefault.address & ~(PAGE - 1);
		zero.range.len = PAGE;
		ioctl(slow->uffd, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static int slow_begin(struct slow *slow, size_t size, int ms)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	*slow = (struct slow){ .size = size, .ms = ms };
	slow->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (slow->uffd < 0)
		return -errno;
	slow->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)slow->mem;
	reg.range.len = size;
	if (ioctl(slow->uffd, UFFDIO_API, &api) ||
	    ioctl(slow->uffd, UFFDIO_REGISTER, &reg))
		return -errno;
	return -pthread_create(&slow->thread, NULL, slow_main, slow);
}

static void slow_end(struct slow *slow)
{
	slow->ms = 0;
	slow->stop = true;
	pthread_join(slow->thread, NULL);
	close(slow->uffd);
	munmap(slow->mem, slow->size);
}

/* One command whose backing is there; it does not wait. */
static int send_transfer(struct vv *v, uint64_t iova)
{
	struct virtio_gpu_transfer_to_host_2d req = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = { .width = 512, .height = 512 },
		.resource_id = 1,
	};
	int head;

	if (vv_create_2d(v, 1, BGRX, 512, 512) != OK ||
	    vv_attach(v, 1, iova, VT_MIB) != OK)
		return -EIO;
	head = vv_submit(v, VV_CONTROL, &req, sizeof(req), 0, 0, 24);
	vv_notify(v, VV_CONTROL);
	return head;
}

/* How long an operation of a neighbour takes at most, in ms. */
static long longest(void)
{
	return vt_finds_leaks() ? 10000 : 1000;
}

static bool in_time(uint64_t *since, const char *what)
{
	uint64_t now = vt_now(), ms = (now - *since) / 1000000;

	*since = now;
	if (ms < (uint64_t)longest())
		return true;
	printf("# %s: %llu ms\n", what, (unsigned long long)ms);
	return false;
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
	int head, i;

	if (slow_begin(&slow, VT_MIB, -1))
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, vv_map(&self->dev, OTHER, slow.mem, VT_MIB, READ | WRITE));
	head = send_transfer(v, OTHER);
	ASSERT_LE(0, head);
	for (i = 0; i < 10000 && !slow.asked; i++)
		usleep(1000);
	ASSERT_LT(0, slow.asked);
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

/* Commands at random, of which some make sense. */
TEST_F_TIMEOUT(hostile, garbage, 600)
{
	static const uint32_t ids[] = { 0, 1, 2, 3, 4, 0xffffffff };
	uint64_t end = vt_now() + self->seconds * 1000000000ULL;
	struct actor actor = { self, self->seed };
	struct vfio_device_gfx_plane_info info;
	struct vv *v = &self->v;
	unsigned long n, good = 0;
	uint32_t req[24];
	unsigned int i;
	int ret;

	TH_LOG("VGPU_SEED=%u", self->seed);
	for (n = 0; vt_now() < end; n++) {
		for (i = 0; i < 24; i++)
			req[i] = below(&actor, 4) ? ids[below(&actor, 6)] :
				 below(&actor, 2) ? below(&actor, 512) :
						    rand_r(&actor.seed);
		req[0] = 0x100 + below(&actor, 14);
		req[1] = below(&actor, 4) ? 0 : below(&actor, 8);
		if (below(&actor, 2)) {
			/* A piece of memory that there is. */
			i = req[0] == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB ? 14 : 8;
			req[i] = (uint32_t)(VV_IOVA + VV_FREE);
			req[i + 1] = (VV_IOVA + VV_FREE) >> 32;
			req[i + 2] = below(&actor, 8) * PAGE * 64;
		}
		i = below(&actor, 8) ? VV_CONTROL : VV_CURSOR;
		if (i == VV_CURSOR)
			req[0] = 0x300 + below(&actor, 2);
		ret = vv_submit(v, i, req, 24 + below(&actor, sizeof(req) - 23),
				0, 0, below(&actor, 64) ? 1056 :
				below(&actor, 1000));
		ASSERT_LE(0, ret);
		vv_kick(v, i);
		ret = vv_wait(v, i, ret, VV_TIMEOUT);
		ASSERT_LE(0, ret);
		good += ret >= VIRTIO_GPU_RESP_OK_NODATA &&
			ret < VIRTIO_GPU_RESP_ERR_UNSPEC;
		if (!below(&actor, 16))
			vt_plane(&self->dev, &info);
	}
	TH_LOG("%lu of %lu succeed", good, n);
	EXPECT_LT(0, good);
	EXPECT_TRUE(vv_draws(v));
}

TEST_HARNESS_MAIN
