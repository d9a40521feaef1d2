// SPDX-License-Identifier: GPL-2.0
/* create and remove: every error, many vGPUs, nothing left behind. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define UUID "11111111-2222-3333-4444-555555555555"

/* @nr vGPUs of the smallest type fill the GPU, 4 of @quarter, 1 of @whole. */
FIXTURE(lifecycle)
{
	struct vt_gpu gpu;
	int nr;
	char quarter[32];
	char whole[32];
};

FIXTURE_SETUP(lifecycle)
{
	unsigned long long mib = vt_pgpu_mib();
	char size[32], types[80];

	self->nr = mib / 16;
	ASSERT_LE(8, self->nr);
	snprintf(self->quarter, sizeof(self->quarter), "%lluQ", mib / 4);
	snprintf(self->whole, sizeof(self->whole), "%lluQ", mib);
	snprintf(size, sizeof(size), "%lluM", mib);
	snprintf(types, sizeof(types), "16Q,%s,%s", self->quarter, self->whole);
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, size, types));
}

FIXTURE_TEARDOWN(lifecycle)
{
	vt_gpu_del(&self->gpu);
}

TEST_F(lifecycle, bad_uuid)
{
	static const char *const bad[] = {
		"\n", "1", UUID "\n\n", UUID "xx", UUID UUID,
		"11111111-2222-3333-4444-55555555555",
		"11111111-2222-3333-4444-55555555555g",
		"11111111_2222_3333_4444_555555555555",
		"111111112222333344445555555555551111",
		"11111111-2222-3333-4444-55555555555\n",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, vt_create(&self->gpu, "16Q", bad[i]))
			TH_LOG("\"%s\"", bad[i]);
	}
	EXPECT_EQ(self->nr, vt_available(&self->gpu, "16Q"));
}

/* 36 bytes, or 37 with a newline as echo writes it. */
TEST_F(lifecycle, good_uuid)
{
	EXPECT_EQ(0, vt_create(&self->gpu, "16Q", UUID));
	EXPECT_EQ(0, vt_remove(UUID));
	EXPECT_EQ(0, vt_create(&self->gpu, "16Q", UUID "\n"));
	EXPECT_TRUE(vt_exists("/sys/bus/mdev/devices/" UUID "/mdev_type"));
	EXPECT_TRUE(vt_exists("%s/" UUID, self->gpu.dir));
	EXPECT_TRUE(vt_exists("%s/mdev_supported_types/vgpu-16Q/devices/" UUID,
			      self->gpu.dir));
	EXPECT_EQ(0, vt_remove(UUID));
	EXPECT_FALSE(vt_exists("/sys/bus/mdev/devices/" UUID));
}

TEST_F(lifecycle, used_uuid)
{
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", UUID));
	EXPECT_EQ(-EEXIST, vt_create(&self->gpu, "16Q", UUID));
	EXPECT_EQ(-EEXIST, vt_create(&self->gpu, self->quarter, UUID));
	EXPECT_EQ(self->nr - 1, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(0, vt_remove(UUID));
}

TEST_F(lifecycle, bad_remove)
{
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", UUID));
	EXPECT_EQ(-EINVAL, vt_write("x", "/sys/bus/mdev/devices/" UUID "/remove"));
	EXPECT_EQ(0, vt_write("0", "/sys/bus/mdev/devices/" UUID "/remove"));
	EXPECT_TRUE(vt_exists("/sys/bus/mdev/devices/" UUID));
	EXPECT_EQ(0, vt_remove(UUID));
	EXPECT_EQ(-ENOENT, vt_remove(UUID));
}

TEST_F(lifecycle, full)
{
	char uuid[4][VT_UUID], other[VT_UUID];
	int i;

	vt_uuid(other);
	for (i = 0; i < 4; i++) {
		vt_uuid(uuid[i]);
		EXPECT_EQ(4 - i, vt_available(&self->gpu, self->quarter));
		ASSERT_EQ(0, vt_create(&self->gpu, self->quarter, uuid[i]));
	}
	EXPECT_EQ(0, vt_available(&self->gpu, self->quarter));
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(-ENOSPC, vt_create(&self->gpu, self->quarter, other));
	EXPECT_EQ(-ENOSPC, vt_create(&self->gpu, "16Q", other));
	EXPECT_FALSE(vt_exists("/sys/bus/mdev/devices/%s", other));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(1, vt_available(&self->gpu, self->whole));
}

/* Holes between small ones do not keep a large one out. */
TEST_F_TIMEOUT(lifecycle, fragmented, 300)
{
	char (*uuid)[VT_UUID] = calloc(self->nr, VT_UUID);
	char large[VT_UUID];
	int i;

	for (i = 0; i < self->nr; i++) {
		vt_uuid(uuid[i]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[i]));
	}
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	for (i = 0; i < self->nr; i += 2)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(2, vt_available(&self->gpu, self->quarter));
	vt_uuid(large);
	EXPECT_EQ(0, vt_create(&self->gpu, self->quarter, large));
	EXPECT_EQ(1, vt_available(&self->gpu, self->quarter));
	EXPECT_EQ(0, vt_remove(large));
	for (i = 1; i < self->nr; i += 2)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(1, vt_available(&self->gpu, self->whole));
	free(uuid);
}

struct creator {
	const struct vt_gpu *gpu;
	int made, refused, failed;
};

static void *create_until_full(void *arg)
{
	struct creator *c = arg;
	char uuid[VT_UUID];
	int ret, i;

	for (i = 0; i < 256; i++) {
		vt_uuid(uuid);
		ret = vt_create(c->gpu, "16Q", uuid);
		if (!ret)
			c->made++;
		else if (ret == -ENOSPC)
			c->refused++;
		else
			c->failed = ret;
	}
	return NULL;
}

static int remove_all(const struct vt_gpu *gpu)
{
	char command[2 * VT_PATH];

	snprintf(command, sizeof(command),
		 "for d in %s/[0-9a-f]*-*-*-*-*; do echo 1 > $d/remove || exit 1; done",
		 gpu->dir);
	return system(command);
}

/* Four creators at once get exactly what there is. */
TEST_F_TIMEOUT(lifecycle, concurrent, 300)
{
	struct creator c[4] = { };
	pthread_t thread[4];
	int i, made = 0;

	for (i = 0; i < 4; i++) {
		c[i].gpu = &self->gpu;
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, create_until_full,
					    &c[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, c[i].failed);
		made += c[i].made;
	}
	EXPECT_EQ(self->nr, made);
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(0, remove_all(&self->gpu));
	EXPECT_EQ(self->nr, vt_available(&self->gpu, "16Q"));
}

/*
 * Slab without the events that still wait: how far udev is behind depends on
 * the machine, and each of them is counted with the memory it takes.
 */
static long long slab_kib(void)
{
	return vt_meminfo("Slab") - vt_events() / 1024;
}

static int cycle(const struct vt_gpu *gpu)
{
	char uuid[VT_UUID];
	int ret;

	vt_uuid(uuid);
	ret = vt_create(gpu, "16Q", uuid);
	return ret ? ret : vt_remove(uuid);
}

static bool near(long long before, long long after)
{
	return llabs(after - before) <= before / 100;
}

static void expect_near(struct __test_metadata *_metadata, const char *what,
			long long before, long long after)
{
	TH_LOG("%s before %lld KiB, after %lld KiB, %lld bytes of events wait",
	       what, before, after, vt_events());
	EXPECT_TRUE(near(before, after));
}

/*
 * What is left of memory before and after: the first round warms up what the
 * kernel keeps for itself, and one more may once in a while.  What is lost is
 * lost in every round.
 */
static void loses_nothing(struct __test_metadata *_metadata,
			  FIXTURE_DATA(lifecycle) *self,
			  void (*work)(struct __test_metadata *_metadata,
				       FIXTURE_DATA(lifecycle) *self))
{
	long long available = 0, slab = 0;
	int round;

	/* What is freed is kept for a while there. */
	if (vt_finds_leaks()) {
		work(_metadata, self);
		return;
	}
	for (round = 0; round < 4; round++) {
		vt_settle();
		if (round > 1 && near(slab, slab_kib()))
			break;
		available = vt_meminfo("MemAvailable");
		slab = slab_kib();
		work(_metadata, self);
	}
	vt_settle();
	expect_near(_metadata, "MemAvailable", available,
		    vt_meminfo("MemAvailable"));
	expect_near(_metadata, "Slab", slab, slab_kib());
}

static void cycles_1000(struct __test_metadata *_metadata,
			FIXTURE_DATA(lifecycle) *self)
{
	int i, nr = vt_finds_leaks() ? 100 : 1000;

	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, cycle(&self->gpu));
}

TEST_F_TIMEOUT(lifecycle, cycles_1000, 1200)
{
	loses_nothing(_metadata, self, cycles_1000);
}

static int make_many(const struct vt_gpu *gpu, int nr, char (*uuid)[VT_UUID])
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		vt_uuid(uuid[i]);
		ret = vt_create(gpu, "16Q", uuid[i]);
	}
	return ret;
}

static void many(struct __test_metadata *_metadata,
		 FIXTURE_DATA(lifecycle) *self)
{
	int i, nr = self->nr > 200 ? 200 : self->nr;
	char (*uuid)[VT_UUID] = calloc(nr, VT_UUID);

	ASSERT_EQ(0, make_many(&self->gpu, nr, uuid));
	EXPECT_EQ(self->nr - nr, vt_available(&self->gpu, "16Q"));
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	free(uuid);
}

TEST_F_TIMEOUT(lifecycle, many, 600)
{
	loses_nothing(_metadata, self, many);
}

TEST_HARNESS_MAIN
