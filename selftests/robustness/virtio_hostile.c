// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that does with a virtio-gpu what it must not.  Afterwards a reset works, and so
 * does what a good driver does.  What went wrong in the kernel, its log says, which the
 * lab looks at.
 *
 * VGPU_TEST_SECONDS=N takes longer, VGPU_SEED=N chooses other garbage.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "robustness/virtio_hostile.h"

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
