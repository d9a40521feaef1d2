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

FIXTURE(lifecycle)
{
	struct vt_gpu gpu;
};

FIXTURE_SETUP(lifecycle)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "4G", "16Q,1024Q,4096Q"));
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
	EXPECT_EQ(256, vt_available(&self->gpu, "16Q"));
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
	EXPECT_EQ(-EEXIST, vt_create(&self->gpu, "1024Q", UUID));
	EXPECT_EQ(255, vt_available(&self->gpu, "16Q"));
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
		EXPECT_EQ(4 - i, vt_available(&self->gpu, "1024Q"));
		ASSERT_EQ(0, vt_create(&self->gpu, "1024Q", uuid[i]));
	}
	EXPECT_EQ(0, vt_available(&self->gpu, "1024Q"));
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(-ENOSPC, vt_create(&self->gpu, "1024Q", other));
	EXPECT_EQ(-ENOSPC, vt_create(&self->gpu, "16Q", other));
	EXPECT_FALSE(vt_exists("/sys/bus/mdev/devices/%s", other));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(1, vt_available(&self->gpu, "4096Q"));
}

/* Holes between small ones do not keep a large one out. */
TEST_F(lifecycle, fragmented)
{
	static char uuid[256][VT_UUID];
	char large[VT_UUID];
	int i;

	for (i = 0; i < 256; i++) {
		vt_uuid(uuid[i]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[i]));
	}
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	for (i = 0; i < 256; i += 2)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(2, vt_available(&self->gpu, "1024Q"));
	vt_uuid(large);
	EXPECT_EQ(0, vt_create(&self->gpu, "1024Q", large));
	EXPECT_EQ(1, vt_available(&self->gpu, "1024Q"));
	EXPECT_EQ(0, vt_remove(large));
	for (i = 1; i < 256; i += 2)
		EXPECT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(1, vt_available(&self->gpu, "4096Q"));
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
TEST_F(lifecycle, concurrent)
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
	EXPECT_EQ(256, made);
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(0, remove_all(&self->gpu));
	EXPECT_EQ(256, vt_available(&self->gpu, "16Q"));
}

static long long meminfo(const char *name)
{
	char line[128];
	long long kib = -1;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoll(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

/* Some always wait, in the socket of a listener that looks rarely. */
#define EVENTS_FEW 65536

/* Bytes of events that wait in the sockets of udev and whoever else listens. */
static long long events(void)
{
	long long sum = 0, rmem;
	char line[256];
	int protocol;
	FILE *file;

	file = fopen("/proc/net/netlink", "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %d %*s %*s %lld", &protocol, &rmem) == 2 &&
		    protocol == 15)
			sum += rmem;
	if (file)
		fclose(file);
	return sum;
}

/*
 * Let the listeners work off the events, which wait in kernel memory, let RCU
 * finish and drop the caches, which are not ours, until the slab stops
 * shrinking.
 */
static void settle(void)
{
	long long slab = 0, last;
	int i;

	for (i = 0; i < 120 && events() > EVENTS_FEW; i++)
		usleep(500000);
	for (i = 0; i < 20; i++) {
		last = slab;
		sync();
		vt_write("3", "/proc/sys/vm/drop_caches");
		usleep(700000);
		slab = meminfo("Slab");
		if (i > 2 && llabs(slab - last) < 64)
			break;
	}
}

/*
 * Slab without the events that still wait: how far udev is behind depends on
 * the machine, and each of them is counted with the memory it takes.
 */
static long long slab_kib(void)
{
	return meminfo("Slab") - events() / 1024;
}

static int cycle(const struct vt_gpu *gpu)
{
	char uuid[VT_UUID];
	int ret;

	vt_uuid(uuid);
	ret = vt_create(gpu, "16Q", uuid);
	return ret ? ret : vt_remove(uuid);
}

static void expect_near(struct __test_metadata *_metadata, const char *what,
			long long before, long long after)
{
	TH_LOG("%s before %lld KiB, after %lld KiB, %lld bytes of events wait",
	       what, before, after, events());
	EXPECT_LE(llabs(after - before), before / 100);
}

TEST_F_TIMEOUT(lifecycle, cycles_1000, 600)
{
	long long available, slab;
	int i;

	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, cycle(&self->gpu));
	settle();
	available = meminfo("MemAvailable");
	slab = slab_kib();
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, cycle(&self->gpu));
	settle();
	expect_near(_metadata, "MemAvailable", available,
		    meminfo("MemAvailable"));
	expect_near(_metadata, "Slab", slab, slab_kib());
}

static int make_200(const struct vt_gpu *gpu, char uuid[200][VT_UUID])
{
	int i, ret = 0;

	for (i = 0; i < 200 && !ret; i++) {
		vt_uuid(uuid[i]);
		ret = vt_create(gpu, "16Q", uuid[i]);
	}
	return ret;
}

TEST_F_TIMEOUT(lifecycle, many_200, 600)
{
	static char uuid[200][VT_UUID];
	long long available, slab;
	int i, round;

	/* The first round warms up what the kernel keeps for itself. */
	for (round = 0; round < 2; round++) {
		settle();
		available = meminfo("MemAvailable");
		slab = slab_kib();
		ASSERT_EQ(0, make_200(&self->gpu, uuid));
		EXPECT_EQ(56, vt_available(&self->gpu, "16Q"));
		for (i = 0; i < 200; i++)
			EXPECT_EQ(0, vt_remove(uuid[i]));
	}
	settle();
	expect_near(_metadata, "MemAvailable", available,
		    meminfo("MemAvailable"));
	expect_near(_metadata, "Slab", slab, slab_kib());
}

TEST_HARNESS_MAIN
