// SPDX-License-Identifier: GPL-2.0
/* mmap: what may be mapped, and what mapping costs. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define BAR0 VFIO_PCI_BAR0_REGION_INDEX
#define BAR2 VFIO_PCI_BAR2_REGION_INDEX
#define FB (256 * VT_MIB)
#define PAGE 4096ULL
#define BLOCK (2 * VT_MIB)

FIXTURE(mapping)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
};

FIXTURE_SETUP(mapping)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "256M", NULL));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "256Q"));
}

FIXTURE_TEARDOWN(mapping)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static void refused(struct __test_metadata *_metadata, struct vt_dev *dev,
		    unsigned int region, uint64_t pos, size_t len)
{
	EXPECT_EQ(NULL, vt_mmap(dev, region, pos, len))
		TH_LOG("region %u pos %#llx len %#zx", region,
		       (unsigned long long)pos, len);
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(mapping, limits)
{
	struct vt_dev *dev = &self->dev;
	void *map;

	refused(_metadata, dev, BAR0, FB, PAGE);
	refused(_metadata, dev, BAR0, FB - PAGE, 2 * PAGE);
	refused(_metadata, dev, BAR0, 0, FB + PAGE);
	refused(_metadata, dev, BAR0, (1ULL << 40) - PAGE, PAGE);
	refused(_metadata, dev, BAR0, (1ULL << 40) - PAGE, 2 * PAGE);
	refused(_metadata, dev, BAR2, 0, PAGE);
	refused(_metadata, dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, PAGE);
	refused(_metadata, dev, VGPU_REGION_CONSOLE, FB, PAGE);
	map = vt_mmap(dev, BAR0, FB - PAGE, PAGE);
	ASSERT_NE(NULL, map);
	munmap(map, PAGE);
}

TEST_F(mapping, not_private)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, self->dev.fd, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(mapping, cannot_grow)
{
	void *map = vt_mmap(&self->dev, BAR0, FB - PAGE, PAGE);

	ASSERT_NE(NULL, map);
	EXPECT_EQ(MAP_FAILED, mremap(map, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	munmap(map, PAGE);
}

/* A mapping that begins where no block does. */
TEST_F(mapping, unaligned)
{
	uint32_t *map = vt_mmap(&self->dev, BAR0, 3 * PAGE, 5 * BLOCK);
	uint32_t value;
	uint64_t pos;

	ASSERT_NE(NULL, map);
	for (pos = 0; pos < 5 * BLOCK; pos += PAGE)
		map[pos / 4] = pos + 1;
	for (pos = 0; pos < 5 * BLOCK; pos += PAGE) {
		ASSERT_EQ(4, vt_pread(&self->dev, BAR0, 3 * PAGE + pos, &value,
				      4));
		ASSERT_EQ(pos + 1, value);
	}
	munmap(map, 5 * BLOCK);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* First touch takes at most a fiftieth of the faults of single pages. */
TEST_F(mapping, few_faults)
{
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, FB);
	uint64_t pos;
	long before;

	ASSERT_NE(NULL, map);
	before = faults();
	for (pos = 0; pos < FB; pos += PAGE)
		map[pos] = 1;
	TH_LOG("%ld faults for %llu pages", faults() - before, FB / PAGE);
	EXPECT_LE(faults() - before, (long)(FB / PAGE / 50));
	munmap(map, FB);
}

/* A mapping belongs to who made it, whatever that one starts. */
TEST_F(mapping, not_in_children)
{
	static const unsigned int regions[] = {
		BAR0, VGPU_REGION_CONSOLE, VGPU_REGION_CURSOR,
	};
	unsigned int i;
	uint8_t *map;

	for (i = 0; i < sizeof(regions) / sizeof(*regions); i++) {
		map = vt_mmap(&self->dev, regions[i], 0, BLOCK);
		ASSERT_NE(NULL, map);
		map[0] = 1;
		EXPECT_EQ(SIGSEGV, vt_child_faults(map))
			TH_LOG("region %u", regions[i]);
		/* And this cannot be undone. */
		EXPECT_EQ(-1, madvise(map, BLOCK, MADV_DOFORK));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(SIGSEGV, vt_child_faults(map));
		EXPECT_EQ(1, map[0]);
		munmap(map, BLOCK);
	}
}

/* A mapping stays good after everything else was closed. */
TEST_F(mapping, outlives_descriptors)
{
	uint8_t *map = vt_mmap(&self->dev, BAR0, 0, BLOCK);
	char uuid[VT_UUID];

	ASSERT_NE(NULL, map);
	map[0] = 42;
	strcpy(uuid, self->dev.uuid);
	vt_close(&self->dev);
	EXPECT_EQ(42, map[0]);
	map[BLOCK - 1] = 43;
	EXPECT_EQ(43, map[BLOCK - 1]);
	munmap(map, BLOCK);
	ASSERT_EQ(0, vt_open(&self->dev, uuid));
	map = vt_mmap(&self->dev, BAR0, 0, BLOCK);
	ASSERT_NE(NULL, map);
	EXPECT_EQ(0, map[0]);
	munmap(map, BLOCK);
}

/* The console region shows the framebuffer from the picture on. */
TEST_F(mapping, console_follows)
{
	struct vfio_device_gfx_plane_info plane;
	uint32_t *fb = vt_mmap(&self->dev, BAR0, 0, FB);
	uint32_t *console = vt_mmap(&self->dev, VGPU_REGION_CONSOLE, 0, FB);
	uint32_t value;
	uint16_t line;

	ASSERT_NE(NULL, fb);
	ASSERT_NE(NULL, console);
	ASSERT_EQ(0, vt_mode(&self->dev, 1024, 768, 32));
	for (line = 0; line < 2000; line += 100) {
		fb[line * 1024] = line + 1;
		ASSERT_EQ(0, vt_dispi_set(&self->dev, VGPU_DISPI_Y_OFFSET,
					  line));
		ASSERT_EQ(0, vt_flipped(&self->dev, 0));
		ASSERT_EQ(0, vt_plane(&self->dev, &plane));
		ASSERT_EQ(VGPU_REGION_CONSOLE, plane.region_index);
		EXPECT_EQ(line + 1, console[0]);
		ASSERT_EQ(4, vt_pread(&self->dev, VGPU_REGION_CONSOLE, 0,
				      &value, 4));
		EXPECT_EQ(line + 1, value);
		console[1] = line;
		EXPECT_EQ(line, fb[line * 1024 + 1]);
	}
	munmap(fb, FB);
	munmap(console, FB);
}

/*
 * Behind the end of the framebuffer a moved console goes on with its beginning: a
 * guest that moves the picture while the VMM still has the old one in mind must not
 * kill it.
 */
TEST_F(mapping, console_wraps)
{
	const uint64_t end = FB - 4 * VT_MIB;	/* in the console */
	uint32_t *console, *fb, value[2];

	ASSERT_EQ(0, vt_mode(&self->dev, 1024, 768, 32));
	ASSERT_EQ(0, vt_dispi_set(&self->dev, VGPU_DISPI_Y_OFFSET, 1024));
	ASSERT_EQ(0, vt_flipped(&self->dev, 0));
	fb = vt_mmap(&self->dev, BAR0, 0, FB);
	console = vt_mmap(&self->dev, VGPU_REGION_CONSOLE, 0, FB);
	ASSERT_NE(NULL, fb);
	ASSERT_NE(NULL, console);
	fb[FB / 4 - 1] = 1;
	EXPECT_EQ(1, console[end / 4 - 1]);
	console[end / 4] = 2;
	EXPECT_EQ(2, fb[0]);
	fb[VT_MIB / 4] = 3;
	EXPECT_EQ(3, console[(end + VT_MIB) / 4]);

	ASSERT_EQ(8, vt_pread(&self->dev, VGPU_REGION_CONSOLE, end - 4, value,
			      8));
	EXPECT_EQ(1, value[0]);
	EXPECT_EQ(2, value[1]);
	value[0] = 4;
	value[1] = 5;
	ASSERT_EQ(8, vt_pwrite(&self->dev, VGPU_REGION_CONSOLE, end - 4, value,
			       8));
	EXPECT_EQ(4, fb[FB / 4 - 1]);
	EXPECT_EQ(5, fb[0]);

	/* All of it is taken away when the content goes. */
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_EQ(0, console[0]);
	EXPECT_EQ(0, console[end / 4 - 1]);
	EXPECT_EQ(0, console[end / 4]);
	EXPECT_EQ(0, console[(end + VT_MIB) / 4]);
	munmap(console, FB);
	munmap(fb, FB);
}

#define CGROUP "/sys/fs/cgroup/vgpu-test"

/* VRAM counts as memory of whoever touches it. */
TEST_F(mapping, charged)
{
	long long before, after;
	uint8_t *map;
	uint64_t pos;

	if (vt_pgpu())
		SKIP(return, "a device's memory is nobody's");
	if (!vt_exists("/sys/fs/cgroup/cgroup.controllers") &&
	    mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL))
		SKIP(return, "no cgroup v2: %s", strerror(errno));
	if (vt_write("+memory", "/sys/fs/cgroup/cgroup.subtree_control"))
		SKIP(return, "no memory controller");
	mkdir(CGROUP, 0755);
	ASSERT_EQ(0, vt_write("0", CGROUP "/cgroup.procs"));
	before = vt_read_number(CGROUP "/memory.current");
	map = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, map);
	for (pos = 0; pos < 64 * VT_MIB; pos += PAGE)
		map[pos] = 1;
	after = vt_read_number(CGROUP "/memory.current");
	TH_LOG("%lld KiB charged", (after - before) / 1024);
	EXPECT_GE(after - before, (long long)(64 * VT_MIB));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_LE(vt_read_number(CGROUP "/memory.current") - before,
		  (long long)(32 * VT_MIB));
	munmap(map, FB);
	vt_write("0", "/sys/fs/cgroup/cgroup.procs");
	rmdir(CGROUP);
}

/* The number after a word in a file, -1 without one. */
static long long number_after(const char *path, const char *word)
{
	char text[1024], *p;

	if (vt_read(text, sizeof(text), "%s", path))
		return -1;
	p = strstr(text, word);
	return p ? strtoll(p + strlen(word), NULL, 10) : -1;
}

/* How often somebody had more than memory.high. */
static long long cgroup_was_high(void)
{
	return number_after(CGROUP "/memory.events", "high ");
}

/* Touch all blocks of a vGPU, with as good as no memory allowed. */
static void touch_throttled(struct vt_dev *dev)
{
	volatile uint8_t *map;
	char limit[32];
	uint64_t pos;

	snprintf(limit, sizeof(limit), "%lld",
		 vt_read_number(CGROUP "/memory.current") + VT_MIB);
	map = vt_mmap(dev, BAR0, 0, 64 * VT_MIB);
	if (!map || vt_write("0", CGROUP "/cgroup.procs") ||
	    vt_write(limit, CGROUP "/memory.high"))
		_exit(1);
	for (pos = 0; ; pos = (pos + BLOCK) % (64 * VT_MIB)) {
		map[pos] = 1;
		if (!pos && vt_reset(dev))
			_exit(1);
	}
}

/* A VMM that has to wait for memory holds nobody else up. */
TEST_F(mapping, throttled)
{
	uint64_t pos, began, longest = 0;
	struct vt_dev other;
	uint8_t *map;
	int status;
	pid_t pid;

	if (vt_pgpu())
		SKIP(return, "a device's memory is nobody's");
	mkdir(CGROUP, 0755);
	if (!vt_exists(CGROUP "/memory.high"))
		SKIP(return, "no memory controller");
	vt_end(&self->dev);
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "128Q"));
	ASSERT_EQ(0, vt_start(&other, &self->gpu, "128Q"));
	map = vt_mmap(&self->dev, BAR0, 0, 128 * VT_MIB);
	ASSERT_NE(NULL, map);
	pid = fork();
	if (!pid)
		touch_throttled(&other);
	/* Until it is made to wait. */
	for (pos = 0; pos < 300 && cgroup_was_high() < 3; pos++)
		usleep(100000);
	ASSERT_LE(3, cgroup_was_high());
	for (pos = 0; pos < 128 * VT_MIB; pos += BLOCK) {
		began = vt_now();
		map[pos] = 1;
		if (vt_now() - began > longest)
			longest = vt_now() - began;
	}
	TH_LOG("%llu ms at most", (unsigned long long)longest / 1000000);
	EXPECT_GT(1000000000, longest);
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	munmap(map, 128 * VT_MIB);
	vt_end(&other);
	EXPECT_EQ(0, rmdir(CGROUP));
}

#define NODE1 "/sys/devices/system/node/node1"
#define SOFT "/sys/kernel/config/vgpu-soft"

static long long node1_free_kib(void)
{
	return number_after(NODE1 "/meminfo", "MemFree:");
}

/* A software GPU takes its memory from the node that it is on. */
TEST_F(mapping, numa_node)
{
	char address[64], uuid[VT_UUID];
	struct vt_gpu gpu = { };
	long long before, taken;
	struct vt_dev dev;
	uint8_t *map;
	uint64_t pos;

	if (vt_pgpu())
		SKIP(return, "a device's memory is where it is");
	if (!vt_exists(NODE1))
		SKIP(return, "one NUMA node only");
	ASSERT_EQ(0, mkdir(SOFT "/numa", 0755));
	ASSERT_EQ(0, vt_write("256M", SOFT "/numa/vram_size"));
	ASSERT_EQ(0, vt_write("1", SOFT "/numa/numa_node"));
	ASSERT_EQ(0, vt_write("1", SOFT "/numa/power"));
	ASSERT_EQ(0, vt_read(address, sizeof(address),
			     SOFT "/numa/pci_address"));
	address[strcspn(address, "\n")] = '\0';
	snprintf(gpu.dir, sizeof(gpu.dir), "/sys/bus/pci/devices/%s", address);
	EXPECT_EQ(1, vt_read_number("%s/numa_node", gpu.dir));

	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&gpu, "256Q", uuid));
	ASSERT_EQ(0, vt_open(&dev, uuid));
	map = vt_mmap(&dev, BAR0, 0, FB);
	ASSERT_NE(NULL, map);
	before = node1_free_kib();
	for (pos = 0; pos < 128 * VT_MIB; pos += PAGE)
		map[pos] = 1;
	taken = before - node1_free_kib();
	TH_LOG("%lld KiB of node 1", taken);
	EXPECT_LE(120 * 1024, taken);
	munmap(map, FB);
	vt_close(&dev);
	ASSERT_EQ(0, vt_remove(uuid));
	ASSERT_EQ(0, rmdir(SOFT "/numa"));
}

struct toucher {
	volatile uint32_t *map;
	volatile int stop;
	volatile unsigned long rounds;
};

static void *touch(void *arg)
{
	struct toucher *t = arg;
	uint64_t pos;

	while (!t->stop) {
		for (pos = 0; pos < 2 * BLOCK; pos += PAGE)
			t->map[pos / 4]++;
		t->rounds++;
	}
	return NULL;
}

/* Faults race with resets that take the pages away. */
TEST_F_TIMEOUT(mapping, reset_under_load, 120)
{
	struct toucher t = { };
	pthread_t thread;
	int i;

	t.map = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, t.map);
	ASSERT_EQ(0, pthread_create(&thread, NULL, touch, &t));
	for (i = 0; i < 200 || (t.rounds < 3 && i < 100000); i++) {
		ASSERT_EQ(0, vt_reset(&self->dev));
		if (!(i % 16))
			usleep(1000);
	}
	t.stop = 1;
	pthread_join(thread, NULL);
	EXPECT_GE(t.rounds, 3);
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_EQ(0, t.map[0]);
	munmap((void *)t.map, FB);
}

TEST_HARNESS_MAIN
