// SPDX-License-Identifier: GPL-2.0
/* Pages of the framebuffer get other memory while they are in use. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_load.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define NR_PAGES	(FB / PAGE)

FIXTURE(page_moves)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint32_t *fb;
};

static const char *dir(const struct vt_gpu *gpu)
{
	static char path[VT_PATH];

	snprintf(path, sizeof(path), VT_DEBUGFS "/vgpu/%.64s",
		 strrchr(gpu->dir, '/') + 1);
	return path;
}

FIXTURE_SETUP(page_moves)
{
	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	vt_uuid(self->dev.uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", self->dev.uuid));
	ASSERT_EQ(0, vt_params(self->dev.uuid, "console=dmabuf"));
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
}

FIXTURE_TEARDOWN(page_moves)
{
	munmap(self->fb, FB);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static int move(FIXTURE_DATA(page_moves) *self, unsigned long page)
{
	return vt_move(&self->gpu, self->dev.uuid, page);
}

static long long spare(FIXTURE_DATA(page_moves) *self)
{
	return vt_read_number("%s/spare", dir(&self->gpu));
}

/* There and back, with everything else left as it is. */
TEST_F(page_moves, content)
{
	unsigned long page;

	vt_fill(self->fb, FB, 1);
	for (page = 0; page < NR_PAGES; page += 100)
		ASSERT_EQ(0, move(self, page));
	EXPECT_EQ((NR_PAGES + 99) / 100, spare(self));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
	vt_fill(self->fb, FB, 2);
	for (page = 0; page < NR_PAGES; page += 100)
		ASSERT_EQ(0, move(self, page));
	EXPECT_EQ(0, spare(self));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 2));
}

/* A spare page has been somebody else's; what was never written is zero. */
TEST_F(page_moves, untouched)
{
	unsigned long page;

	memset(self->fb, 0xff, FB / 2);
	for (page = 0; page < NR_PAGES / 2; page += 10)
		ASSERT_EQ(0, move(self, page));
	memset(self->fb, 0xff, FB / 2);
	for (page = 0; page < NR_PAGES / 2; page += 10)
		ASSERT_EQ(0, move(self, page));
	for (page = NR_PAGES / 2; page < NR_PAGES; page += 10)
		ASSERT_EQ(0, move(self, page));
	EXPECT_TRUE(vt_is_zero((char *)self->fb + FB / 2, FB / 2));
}

TEST_F(page_moves, bad_pages)
{
	EXPECT_EQ(-EINVAL, move(self, NR_PAGES));
	EXPECT_EQ(-EINVAL, move(self, -1UL));
	EXPECT_EQ(-EINVAL, vt_write("x", "%s/move", dir(&self->gpu)));
	EXPECT_EQ(-EINVAL, vt_write("x y", "%s/move", dir(&self->gpu)));
	EXPECT_EQ(-ENODEV, vt_write("x 1", "%s/move", dir(&self->gpu)));
	EXPECT_EQ(0, spare(self));
}

/* Spare pages beyond the reserve are memory that a vGPU cannot have. */
TEST_F(page_moves, accounts)
{
	long long page, reserve;
	char uuid[3][VT_UUID];
	int i;

	reserve = vt_read_number("%s/ecc/spare_pages", self->gpu.dir);
	ASSERT_LE(0, reserve);
	vt_fill(self->fb, FB, 3);
	for (page = 0; page < reserve; page++)
		ASSERT_EQ(0, move(self, page));
	ASSERT_EQ(3, vt_available(&self->gpu, "16Q"));
	ASSERT_EQ(0, move(self, reserve));
	EXPECT_EQ(2, vt_available(&self->gpu, "16Q"));
	ASSERT_EQ(0, move(self, reserve));
	EXPECT_EQ(3, vt_available(&self->gpu, "16Q"));

	for (i = 0; i < 3; i++) {
		vt_uuid(uuid[i]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[i]));
	}
	EXPECT_EQ(-ENOSPC, move(self, reserve));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 3));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, vt_remove(uuid[i]));
	EXPECT_EQ(0, move(self, reserve));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 3));
	EXPECT_EQ(2, vt_available(&self->gpu, "16Q"));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_EQ(0, spare(self));
	EXPECT_EQ(3, vt_available(&self->gpu, "16Q"));
}

/* Only the 2 MiB around a page that has moved are mapped in pieces. */
TEST_F(page_moves, few_faults)
{
	struct rusage before, after;
	unsigned long page;

	for (page = 0; page < NR_PAGES; page++)
		self->fb[page * PAGE / 4] = 1;
	ASSERT_EQ(0, move(self, 700));
	getrusage(RUSAGE_SELF, &before);
	for (page = 0; page < NR_PAGES; page++)
		self->fb[page * PAGE / 4] = 2;
	getrusage(RUSAGE_SELF, &after);
	TH_LOG("%ld faults", after.ru_minflt - before.ru_minflt);
	EXPECT_LE(after.ru_minflt - before.ru_minflt, 8);
}

/* Words that are not zero in the memory behind the BAR of a device without driver. */
static long left_in(const char *dir, size_t size)
{
	uint32_t *map = MAP_FAILED;
	char path[VT_PATH];
	long nr = 0;
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%.256s/resource2_wc", dir);
	fd = open(path, O_RDWR);
	if (fd < 0) {
		snprintf(path, sizeof(path), "%.256s/resource0_wc", dir);
		fd = open(path, O_RDWR);
	}
	if (fd >= 0 && !vt_write("1", "%s/enable", dir))
		map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (map == MAP_FAILED)
		return -1;
	for (i = 0; i < size / 4; i++)
		nr += !!map[i];
	munmap(map, size);
	vt_write("0", "%s/enable", dir);
	return nr;
}

#define SPARE_MIB "/sys/module/vgpu_linear/parameters/spare_mib"

/* Whoever has a device after this driver finds nothing of a guest in it. */
TEST_F(page_moves, left_behind)
{
	unsigned long page;

	if (!vt_pgpu())
		SKIP(return, "a software GPU ends with its memory");
	munmap(self->fb, FB);
	vt_end(&self->dev);
	ASSERT_EQ(0, vt_write("2", SPARE_MIB));
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	memset(self->fb, 0x5a, FB);
	for (page = 0; page < 8; page++)
		ASSERT_EQ(0, move(self, page));
	munmap(self->fb, FB);
	vt_end(&self->dev);
	ASSERT_EQ(0, vt_write(vt_pgpu(), "%s/driver/unbind", self->gpu.dir));
	EXPECT_EQ(0, left_in(self->gpu.dir, 64 * VT_MIB));

	ASSERT_EQ(0, vt_write("0", SPARE_MIB));
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
}

struct breaker {
	pthread_barrier_t step;
	pthread_t thread;
	const struct vt_gpu *gpu;
	unsigned long page;
	unsigned int delay;
	bool end;
};

/* A page of VRAM goes bad, each time somewhat after something else has begun. */
static void *break_pages(void *arg)
{
	struct breaker *breaker = arg;
	volatile unsigned int i;

	for (;;) {
		pthread_barrier_wait(&breaker->step);
		if (breaker->end)
			return NULL;
		for (i = 0; i < breaker->delay; i++)
			;
		vt_inject(breaker->gpu, "dbe", NULL, breaker->page * PAGE);
		pthread_barrier_wait(&breaker->step);
	}
}

static int breaker_start(struct breaker *breaker, const struct vt_gpu *gpu)
{
	*breaker = (struct breaker){ .gpu = gpu };
	pthread_barrier_init(&breaker->step, NULL, 2);
	return pthread_create(&breaker->thread, NULL, break_pages, breaker);
}

static void breaker_end(struct breaker *breaker)
{
	breaker->end = true;
	pthread_barrier_wait(&breaker->step);
	pthread_join(breaker->thread, NULL);
	pthread_barrier_destroy(&breaker->step);
}

/* Move a page of the framebuffer while that one of VRAM goes bad. */
static int break_and_move(FIXTURE_DATA(page_moves) *self,
			  struct breaker *breaker, unsigned long bad,
			  unsigned long page)
{
	int ret;

	breaker->page = bad;
	pthread_barrier_wait(&breaker->step);
	ret = move(self, page);
	pthread_barrier_wait(&breaker->step);
	return ret;
}

/* How many pages with an error are in that state and in use. */
static int in_use(FIXTURE_DATA(page_moves) *self, const char *state)
{
	char what[64];

	snprintf(what, sizeof(what), "%s %s", state, self->dev.uuid);
	return vt_bad_pages(&self->gpu, what);
}

/* Which page of VRAM is behind one of the framebuffer: where an error is. */
static unsigned long behind(FIXTURE_DATA(page_moves) *self, unsigned long page)
{
	unsigned long address;
	char text[4096];

	if (vt_inject(&self->gpu, "sbe", self->dev.uuid, page * PAGE) ||
	    vt_read(text, sizeof(text), "%s/ecc/last_errors", self->gpu.dir) ||
	    sscanf(text, "sbe %lx", &address) != 1)
		return -1;
	return address / PAGE;
}

#define BREAKS		240
/* Loops, a few times as long as a move takes. */
#define MOST_DELAY	40000

/*
 * A page that goes bad while it is about to come into use does not, or else it
 * is known to be in use and the guest is told.
 */
TEST_F_TIMEOUT(page_moves, bad_meanwhile, 300)
{
	unsigned int seed = getpid(), way, used[2];
	unsigned long own, spares;
	struct breaker breaker;
	int i;

	TH_LOG("seed %u", seed);
	own = behind(self, 0);
	ASSERT_EQ(0, move(self, BREAKS));
	spares = behind(self, BREAKS);
	ASSERT_EQ(0, breaker_start(&breaker, &self->gpu));
	for (way = 0; way < 2; way++) {
		for (i = 0; i < BREAKS; i++) {
			breaker.delay = rand_r(&seed) % MOST_DELAY;
			/* To the next spare page, and home. */
			EXPECT_EQ(0, break_and_move(self, &breaker,
						    way ? own + i :
						    spares + spare(self), i));
		}
		used[way] = in_use(self, "pending");
		EXPECT_EQ(0, in_use(self, "retired"));
		TH_LOG("%u of %d are in use", used[way], BREAKS);
	}
	breaker_end(&breaker);
	EXPECT_EQ(used[0] + used[1],
		  vt_reg_get(&self->dev, VGPU_REG_ECC_DBE));
}

#define MOVES		10000
/* Where a debug kernel makes them slow, fewer are enough; in nanoseconds. */
#define FEW_MOVES	1000
#define LONG		(60 * 1000000000ULL)

/* What a guest and a VMM do with the framebuffer meets 10,000 moves. */
TEST_F_TIMEOUT(page_moves, under_load, 1200)
{
	struct vt_worker workers[VT_NR_VIAS] = { };
	struct vt_dev *dev = &self->dev;
	struct vt_views views;
	unsigned long page;
	unsigned int seed = getpid();
	const char *wrong;
	uint64_t end;
	int i, ret;

	TH_LOG("seed %u", seed);
	ASSERT_TRUE(vt_views_open(&views, dev, self->fb, NR_PAGES));
	for (i = 0; i < VT_NR_VIAS; i++) {
		ret = vt_worker_start(&workers[i], dev, i, views.map[i],
				      views.nr[i]);
		if (i == VT_VIA_GUEST && (ret == -ENOENT || ret == -ENODEV))
			TH_LOG("no KVM, so no guest");
		else
			ASSERT_EQ(0, ret);
	}
	end = vt_now() + LONG;
	for (i = 0; i < MOVES && (i < FEW_MOVES || vt_now() < end); i++) {
		page = rand_r(&seed) % (i % 2 ? NR_PAGES : VT_PICTURE_PAGES);
		ASSERT_EQ(0, move(self, page)) {
			TH_LOG("move %d, page %lu", i, page);
		}
	}
	TH_LOG("%d moves", i);
	/* On a slow machine some have only begun. */
	for (i = 0; i < VT_NR_VIAS; i++)
		while (!vt_worker_was(&workers[i], 3)) {
			usleep(1000);
			EXPECT_EQ(0, move(self, rand_r(&seed) % NR_PAGES));
		}
	for (i = 0; i < VT_NR_VIAS; i++) {
		wrong = vt_worker_end(&workers[i]);
		TH_LOG("worker %d: %u rounds of %lu pages", i,
		       workers[i].rounds, workers[i].nr);
		EXPECT_EQ(NULL, wrong) TH_LOG("%s", wrong ?: "");
	}
	vt_views_close(&views);
}

TEST_HARNESS_MAIN
