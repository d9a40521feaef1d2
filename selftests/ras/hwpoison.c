// SPDX-License-Identifier: GPL-2.0
/* Memory of the host fails that is behind the framebuffer of a vGPU. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define NR_PAGES	(FB / PAGE)
#define HWPOISON	VT_DEBUGFS "/hwpoison"
#define CORRUPT		HWPOISON "/corrupt-pfn"

FIXTURE(hwpoison)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char *fb;
	const char *address;
};

FIXTURE_SETUP(hwpoison)
{
	if (vt_pgpu())
		SKIP(return, "the memory of a PCI device is not the host's");
	if (vt_debugfs())
		SKIP(return, "no debugfs");
	if (!vt_exists(CORRUPT) &&
	    (system("modprobe -q hwpoison-inject") || !vt_exists(CORRUPT)))
		SKIP(return, "no hwpoison-inject");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	self->address = strrchr(self->gpu.dir, '/') + 1;
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	vt_fill(self->fb, FB, 1);
}

FIXTURE_TEARDOWN(hwpoison)
{
	munmap(self->fb, FB);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

typedef FIXTURE_DATA(hwpoison) hwpoison_data;

static long long ecc_get(hwpoison_data *self, const char *name)
{
	return vt_read_number("%s/ecc/%s", self->gpu.dir, name);
}

/* The page frame behind a page of a vGPU, or a negative errno. */
static long long pfn_of(hwpoison_data *self, const struct vt_dev *dev,
			unsigned long page)
{
	return vt_pfn(&self->gpu, dev->uuid, page * PAGE);
}

/* 0 when the kernel could do without the page; then it kills nobody. */
static int fail_pfn(long long pfn)
{
	char text[32];

	if (pfn < 0)
		return pfn;
	snprintf(text, sizeof(text), "%lld", pfn);
	return vt_write(text, CORRUPT);
}

static int fail_page(hwpoison_data *self, const struct vt_dev *dev,
		     unsigned long page)
{
	return fail_pfn(pfn_of(self, dev, page));
}

/* All is as it was filled, but for one page that is zero. */
static bool only_lost(const char *fb, unsigned long page)
{
	static char expected[FB];

	vt_fill(expected, FB, 1);
	memset(expected + page * PAGE, 0, PAGE);
	return !memcmp(fb, expected, FB);
}

/* As any double-bit error: the vGPU is stopped, and whole after its reset. */
TEST_F(hwpoison, mapped)
{
	long long before = pfn_of(self, &self->dev, 1234);
	struct vt_dev other;

	ASSERT_LT(0, before);
	ASSERT_EQ(0, vt_start(&other, &self->gpu, "16Q"));
	ASSERT_EQ(0, fail_pfn(before));
	EXPECT_TRUE(only_lost(self->fb, 1234));
	EXPECT_NE(before, pfn_of(self, &self->dev, 1234));
	EXPECT_EQ(1, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(1, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(VGPU_ECC_ON | VGPU_ECC_ERROR,
		  vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(1234, vt_reg_get(&self->dev, VGPU_REG_ECC_PAGE));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&other, VGPU_REG_ECC_STATUS));
	/* The page is a good one, and the others of its 2 MiB stay. */
	memset(self->fb + 1234 * PAGE, 5, PAGE);
	EXPECT_EQ(5, self->fb[1234 * PAGE + PAGE - 1]);

	ASSERT_EQ(0, vt_reset(&self->dev));
	ASSERT_EQ(0, vt_memory(&self->dev, true));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(1, ecc_get(self, "retired_pages"));
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
	vt_fill(self->fb, FB, 2);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 2));
	vt_end(&other);
}

/* The second one finds the pages of the 2 MiB one by one; a spare one fails. */
TEST_F(hwpoison, again)
{
	ASSERT_EQ(0, fail_page(self, &self->dev, 700));
	ASSERT_EQ(0, fail_page(self, &self->dev, 701));
	ASSERT_EQ(0, fail_page(self, &self->dev, 700));
	EXPECT_EQ(3, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(2, ecc_get(self, "retired_pages"));
	EXPECT_TRUE(vt_is_zero(self->fb + 700 * PAGE, 2 * PAGE));
	ASSERT_EQ(0, vt_reset(&self->dev));
	vt_fill(self->fb, FB, 3);
	ASSERT_EQ(0, fail_page(self, &self->dev, 700));
	EXPECT_EQ(3, ecc_get(self, "retired_pages"));
	EXPECT_TRUE(vt_is_zero(self->fb + 700 * PAGE, PAGE));
	EXPECT_EQ(-1, vt_differs(self->fb, 700 * PAGE, 3));
}

/* Nobody wants to hear of it, and still nobody uses the memory. */
TEST_F(hwpoison, ecc_off)
{
	munmap(self->fb, FB);
	vt_close(&self->dev);
	ASSERT_EQ(0, vt_write("0", "%s/ecc/enabled_pending", self->gpu.dir));
	ASSERT_EQ(0, vt_write("1", "%s/ecc/reset", self->gpu.dir));
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	vt_fill(self->fb, FB, 1);
	ASSERT_EQ(0, fail_page(self, &self->dev, 42));
	EXPECT_TRUE(only_lost(self->fb, 42));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages"));
}

struct reader {
	pthread_t thread;
	hwpoison_data *self;
	volatile bool stop;
	volatile unsigned long rounds;
	bool pread;
	const char *wrong;
};

/* Each page is as it was filled, or zero. */
static void *reader_main(void *arg)
{
	static const char zeroes[PAGE];
	struct reader *reader = arg;
	static char expected[FB];
	char buf[PAGE], *page;
	unsigned long i;

	vt_fill(expected, FB, 1);
	for (; !reader->stop && !reader->wrong; reader->rounds++)
		for (i = 0; i < NR_PAGES; i++) {
			page = reader->self->fb + i * PAGE;
			if (reader->pread) {
				if (vt_pread(&reader->self->dev, BAR0, i * PAGE,
					     buf, PAGE) != PAGE)
					reader->wrong = "pread";
				page = buf;
			}
			if (memcmp(page, expected + i * PAGE, PAGE) &&
			    memcmp(page, zeroes, PAGE))
				reader->wrong = "content";
		}
	return NULL;
}

/* While others read; at the end pages of a vGPU that is given back. */
TEST_F_TIMEOUT(hwpoison, under_load, 300)
{
	struct reader readers[2] = { };
	static bool hit[NR_PAGES];
	unsigned int seed = getpid(), i;
	unsigned long page;

	TH_LOG("seed %u", seed);
	for (i = 0; i < 2; i++) {
		readers[i].self = self;
		readers[i].pread = i;
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    reader_main, &readers[i]));
	}
	for (i = 0; i < 100; i++) {
		do {
			page = rand_r(&seed) % NR_PAGES;
		} while (hit[page]);
		hit[page] = true;
		/* A page that is being read has one more user for a moment. */
		EXPECT_EQ(0, fail_page(self, &self->dev, page));
		/* Not through a reset: all would be zero. */
	}
	EXPECT_EQ(100, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(100, ecc_get(self, "retired_pages_pending"));
	for (i = 0; i < 2; i++) {
		while (readers[i].rounds < 3 && !readers[i].wrong)
			usleep(1000);
		readers[i].stop = true;
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(NULL, readers[i].wrong)
			TH_LOG("%s", readers[i].wrong ?: "");
	}
	for (page = 0; page < NR_PAGES; page++)
		EXPECT_EQ(hit[page],
			  vt_is_zero(self->fb + page * PAGE, PAGE));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
}

struct resetter {
	pthread_t thread;
	struct vt_dev *dev;
	volatile bool stop;
};

static void *resetter_main(void *arg)
{
	struct resetter *resetter = arg;

	while (!resetter->stop)
		vt_reset(resetter->dev);
	return NULL;
}

/* A reset gives all memory back while some of it fails: whoever comes first. */
TEST_F_TIMEOUT(hwpoison, reset, 300)
{
	struct resetter resetter = { .dev = &self->dev };
	int i;

	/* Not what has become somebody else's: of ours is all unevictable. */
	ASSERT_EQ(0, vt_write("0x40000", HWPOISON "/corrupt-filter-flags-mask"));
	ASSERT_EQ(0, vt_write("0x40000", HWPOISON "/corrupt-filter-flags-value"));
	ASSERT_EQ(0, vt_write("1", HWPOISON "/corrupt-filter-enable"));
	ASSERT_EQ(0, pthread_create(&resetter.thread, NULL, resetter_main,
				    &resetter));
	for (i = 0; i < 200; i++)
		fail_page(self, &self->dev, i * 17 % NR_PAGES);
	resetter.stop = true;
	pthread_join(resetter.thread, NULL);
	TH_LOG("%lld came in time", ecc_get(self, "dbe_volatile"));
	EXPECT_LT(0, ecc_get(self, "dbe_volatile"));
	ASSERT_EQ(0, vt_write("0", HWPOISON "/corrupt-filter-enable"));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
	vt_fill(self->fb, FB, 4);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 4));
}

#define POISON		"/sys/module/poison/parameters/pfn"

/* A worker notices that a page is lost; it counts first, and tells the guest last. */
static bool was_lost(hwpoison_data *self, int nr)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (vt_reg_get(&self->dev, VGPU_REG_ECC_DBE) == nr)
			return ecc_get(self, "dbe_volatile") == nr;
		usleep(100000);
	}
	return false;
}

/* Whoever copies from this page from now on finds that it has failed. */
static int poison_page(hwpoison_data *self, unsigned long page)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", pfn_of(self, &self->dev, page));
	return vt_write(text, POISON);
}

/*
 * Memory has failed, and it comes out when the driver copies from it: the vGPU loses
 * the page, and nobody gets what was copied.
 */
TEST_F_TIMEOUT(hwpoison, latent, 120)
{
	static char buf[4 * PAGE], expected[FB];
	struct vt_stream stream = { };
	struct vt_dev other;
	int fd;

	if (vt_insmod("poison"))
		SKIP(return, "no such module for this kernel");
	/* Reading it */
	ASSERT_EQ(0, poison_page(self, 1234));
	EXPECT_EQ(PAGE, vt_pread(&self->dev, BAR0, 1233 * PAGE, buf, PAGE));
	EXPECT_EQ(-EIO, vt_pread(&self->dev, BAR0, 1233 * PAGE + 16, buf,
				 sizeof(buf)));
	EXPECT_TRUE(was_lost(self, 1));
	EXPECT_EQ(VGPU_ECC_ON | VGPU_ECC_ERROR,
		  vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(1234, vt_reg_get(&self->dev, VGPU_REG_ECC_PAGE));
	EXPECT_EQ(PAGE, vt_pread(&self->dev, BAR0, 1234 * PAGE, buf, PAGE));
	EXPECT_TRUE(vt_is_zero(buf, PAGE));
	EXPECT_TRUE(only_lost(self->fb, 1234));
	/* Moving it */
	ASSERT_EQ(0, poison_page(self, 77));
	EXPECT_EQ(-EIO, vt_move(&self->gpu, self->dev.uuid, 77));
	EXPECT_TRUE(was_lost(self, 2));
	EXPECT_TRUE(vt_is_zero(self->fb + 77 * PAGE, PAGE));
	/* Sending it: an error, after which the stream goes on. */
	ASSERT_EQ(0, poison_page(self, 3001));
	ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_STOP_COPY, &fd));
	EXPECT_EQ(-EIO, vt_drain(fd, &stream));
	EXPECT_TRUE(was_lost(self, 3));
	ASSERT_EQ(0, vt_drain(fd, &stream));
	close(fd);
	vt_fill(expected, FB, 1);
	memset(expected + 77 * PAGE, 0, PAGE);
	memset(expected + 1234 * PAGE, 0, PAGE);
	memset(expected + 3001 * PAGE, 0, PAGE);
	EXPECT_EQ(0, memcmp(self->fb, expected, FB));
	EXPECT_EQ(0, system("rmmod poison"));

	ASSERT_EQ(0, vt_start(&other, &self->gpu, "16Q"));
	ASSERT_EQ(0, vt_load(&other, stream.data, stream.len, stream.len));
	ASSERT_EQ(0, vt_mig_set(&other, VFIO_DEVICE_STATE_RUNNING, NULL));
	EXPECT_TRUE(vt_same_fb(&self->dev, &other, FB));
	EXPECT_EQ(3, vt_reg_get(&other, VGPU_REG_ECC_DBE));
	free(stream.data);
	vt_end(&other);
	ASSERT_EQ(0, vt_mig_set(&self->dev, VFIO_DEVICE_STATE_RUNNING, NULL));
}

/* A corrected error: the kernel would move the page, and is told that it stays. */
TEST_F(hwpoison, soft_offline)
{
	long long pfn = pfn_of(self, &self->dev, 99);
	char text[32];

	ASSERT_LT(0, pfn);
	snprintf(text, sizeof(text), "%#llx", pfn * PAGE);
	EXPECT_GT(0, vt_write(text,
			      "/sys/devices/system/memory/soft_offline_page"));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
	EXPECT_EQ(pfn, pfn_of(self, &self->dev, 99));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
}

/* The kernel's own way to get memory back leaves VRAM alone. */
TEST_F(hwpoison, reclaim)
{
	munmap(self->fb, FB);
	ASSERT_EQ(0, vt_write("3", "/proc/sys/vm/drop_caches"));
	ASSERT_EQ(0, vt_write("1", "/proc/sys/vm/compact_memory"));
	ASSERT_EQ(0, vt_write("3", "/proc/sys/vm/drop_caches"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
}

TEST_F(hwpoison, questions)
{
	struct vt_dev nobody = { };

	EXPECT_EQ(-EINVAL, pfn_of(self, &self->dev, NR_PAGES));
	vt_uuid(nobody.uuid);
	EXPECT_EQ(-ENODEV, pfn_of(self, &nobody, 0));
}

TEST_HARNESS_MAIN
