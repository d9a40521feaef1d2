// SPDX-License-Identifier: GPL-2.0
/* Errors of a GPU's memory: who is notified, and what becomes of the page. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "ras/ecc.h"

static int ecc_set(ecc_data *self, const char *name, const char *value)
{
	return vt_write(value, "%s/ecc/%s", self->gpu.dir, name);
}

TEST_F(ecc, mode)
{
	EXPECT_EQ(1, ecc_get(self, "enabled"));
	EXPECT_EQ(1, ecc_get(self, "enabled_pending"));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(-EINVAL, ecc_set(self, "enabled_pending", "x"));
	ASSERT_EQ(0, error_at(self, "sbe", VRAM - PAGE));
	ASSERT_EQ(0, error_at(self, "dbe", VRAM - PAGE));
	/* Nothing changes before the reset, which waits for nobody. */
	ASSERT_EQ(0, ecc_set(self, "enabled_pending", "0"));
	EXPECT_EQ(1, ecc_get(self, "enabled"));
	EXPECT_EQ(-EBUSY, ecc_set(self, "reset", "1"));
	EXPECT_EQ(1, ecc_get(self, "enabled"));
	munmap(self->fb, FB);
	vt_close(&self->dev);
	ASSERT_EQ(0, ecc_set(self, "reset", "1"));
	EXPECT_EQ(0, ecc_get(self, "enabled"));
	EXPECT_EQ(0, ecc_get(self, "sbe_volatile"));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(1, ecc_get(self, "sbe_aggregate"));
	EXPECT_EQ(1, ecc_get(self, "dbe_aggregate"));
	/* Off: nothing is noticed, and what is retired stays so. */
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(-EOPNOTSUPP, error_in(self, "dbe", &self->dev, 0));
	EXPECT_EQ(1, ecc_get(self, "retired_pages"));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
}

TEST_F(ecc, bad_input)
{
	static const char *const bad[] = {
		" ", "x", "sbe", "dbe", "tbe 0", "sbe x", "sbe 0x", "sbe -1",
		"dbe 1 2 3",
	};
	struct vt_dev nobody = { };
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_GT(0, vt_write(bad[i], VT_DEBUGFS "/vgpu/%s/inject",
				      self->address));
	vt_uuid(nobody.uuid);
	EXPECT_EQ(-ENODEV, error_in(self, "sbe", &nobody, 0));
	EXPECT_EQ(-ERANGE, error_in(self, "sbe", &self->dev, NR_PAGES));
	EXPECT_EQ(-ERANGE, error_at(self, "dbe", VRAM +
				    ecc_get(self, "spare_pages") * PAGE));
	EXPECT_EQ(-ERANGE, error_at(self, "dbe", -PAGE));
	EXPECT_EQ(0, ecc_get(self, "sbe_volatile"));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages"));
}

/* The last ones are kept, the newest first. */
TEST_F(ecc, last_errors)
{
	char data[4096], expected[128], *text = data, *at;
	int i, lines = 0;

	ASSERT_EQ(0, vt_read(data, sizeof(data), "%s/ecc/last_errors",
			     self->gpu.dir));
	EXPECT_STREQ("", text);
	ASSERT_EQ(0, error_at(self, "sbe", VRAM - PAGE));
	ASSERT_EQ(0, vt_read(data, sizeof(data), "%s/ecc/last_errors",
			     self->gpu.dir));
	snprintf(expected, sizeof(expected), "sbe %#llx ", VRAM - PAGE);
	EXPECT_EQ(text, strstr(text, expected));
	EXPECT_NE(NULL, strstr(text, " none\n"));
	EXPECT_LE(time(NULL) - 60, atoll(text + strlen(expected)));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, error_in(self, "sbe", &self->dev, i));
	ASSERT_EQ(0, error_in(self, "dbe", &self->dev, 99));
	ASSERT_EQ(0, vt_read(data, sizeof(data), "%s/ecc/last_errors",
			     self->gpu.dir));
	EXPECT_EQ(text, strstr(text, "dbe 0x"));
	for (at = text; (at = strchr(at, '\n')); at++)
		lines++;
	EXPECT_EQ(16, lines);
	for (at = text, lines = 0; (at = strstr(at, self->dev.uuid)); at++)
		lines++;
	EXPECT_EQ(16, lines);
}

static long faults(ecc_data *self)
{
	struct rusage before, after;
	volatile uint32_t *word;

	getrusage(RUSAGE_SELF, &before);
	for (word = self->fb; word < self->fb + FB / 4; word += PAGE / 4)
		(void)*word;
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

/* Mappings of 2 MiB break up around a retired page, and nowhere else. */
TEST_F(ecc, runs)
{
	vt_fill(self->fb, FB, 1);
	munmap(self->fb, FB);
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	ASSERT_EQ(FB / (2 * VT_MIB), faults(self));
	EXPECT_EQ(0, faults(self));
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	/* What is before it, itself, what is behind it. */
	EXPECT_GE(3, faults(self));
	munmap(self->fb, FB);
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	EXPECT_EQ(FB / (2 * VT_MIB) + 2, faults(self));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
}

/* One single-bit error is nothing, a second one retires the page. */
TEST_F(ecc, corrected)
{
	vt_fill(self->fb, FB, 1);
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	EXPECT_EQ(1, ecc_get(self, "sbe_volatile"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages"));
	EXPECT_EQ(1, vt_reg_get(&self->dev, VGPU_REG_ECC_SBE));
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	EXPECT_EQ(1, ecc_get(self, "retired_pages"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(1, bad_pages(self, "retired none"));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
	/* The guest goes on, and was not interrupted. */
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_IRQ_STATUS));
	/* The page has another number now: an error of the spare one is new. */
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 700));
	EXPECT_EQ(2, ecc_get(self, "retired_pages"));
	EXPECT_EQ(2, bad_pages(self, "retired none"));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 1));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
	EXPECT_EQ(2, bad_pages(self, "retired none"));
}

/* The kernel's own uevents, which nobody has to be there for. */
static int uevents_open(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);
	int size = 4 * VT_MIB;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&kernel, sizeof(kernel)))
		return -errno;
	return fd;
}

/* How many there have been that have all of these lines; -errno if some were lost. */
static int uevents_count(int fd, uint64_t address, const char *event,
			 const char *state)
{
	char text[8192], where[64];
	int nr = 0, found;
	ssize_t n;
	char *at;

	snprintf(where, sizeof(where), "VGPU_ADDRESS=%#llx",
		 (unsigned long long)address);
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		for (at = text, found = 0; at < text + n; at += strlen(at) + 1)
			found += !strcmp(at, where) || !strcmp(at, event) ||
				 !strcmp(at, state);
		nr += found == 3;
	}
	return errno == EAGAIN ? nr : -errno;
}

/* A page that goes on failing is counted, and told of when something is new. */
TEST_F(ecc, same_page)
{
	const uint64_t page = VRAM - 8 * PAGE;
	int fd = uevents_open(), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, error_at(self, "sbe", page));
	EXPECT_EQ(1, uevents_count(fd, page, "VGPU_EVENT=VGPU-ECC-SBE",
				   "VGPU_PAGE_STATE=good"));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, error_at(self, "sbe", page));
	EXPECT_EQ(1, uevents_count(fd, page, "VGPU_EVENT=VGPU-ECC-SBE",
				   "VGPU_PAGE_STATE=retired"));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, error_at(self, "dbe", page));
		ASSERT_EQ(0, error_at(self, "sbe", page));
	}
	EXPECT_EQ(1, uevents_count(fd, page, "VGPU_EVENT=VGPU-ECC-DBE",
				   "VGPU_PAGE_STATE=retired"));
	EXPECT_EQ(201, ecc_get(self, "sbe_volatile"));
	/* In use: pending until its vGPU is reset.  Another page is told of itself. */
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, error_in(self, "dbe", &self->dev, 5));
	EXPECT_EQ(1, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(2, ecc_get(self, "retired_pages"));
	EXPECT_EQ(200, ecc_get(self, "dbe_volatile"));
	ASSERT_EQ(0, error_at(self, "dbe", page - PAGE));
	EXPECT_EQ(1, uevents_count(fd, page - PAGE, "VGPU_EVENT=VGPU-ECC-DBE",
				   "VGPU_PAGE_STATE=retired"));
	close(fd);
}

#define ERRORS	1000

/* A guest writes all over its framebuffer while a quarter of it is replaced. */
TEST_F_TIMEOUT(ecc, storm, 600)
{
	static const enum vt_via vias[] = {
		VT_VIA_BAR0, VT_VIA_PREAD, VT_VIA_GUEST,
	};
	struct vt_worker workers[VT_NR_VIAS] = { };
	unsigned int i, seed = getpid();
	static bool hit[NR_PAGES];
	unsigned long page;
	const char *wrong;
	int ret;

	TH_LOG("seed %u", seed);
	for (i = 0; i < 3; i++) {
		ret = vt_worker_start(&workers[i], &self->dev, vias[i],
				      self->fb, NR_PAGES);
		if (vias[i] == VT_VIA_GUEST &&
		    (ret == -ENOENT || ret == -ENODEV))
			TH_LOG("no KVM, so no guest");
		else
			ASSERT_EQ(0, ret);
	}
	for (i = 0; i < ERRORS; i++) {
		do {
			page = rand_r(&seed) % NR_PAGES;
		} while (hit[page]);
		hit[page] = true;
		ASSERT_EQ(0, error_in(self, "sbe", &self->dev, page));
		ASSERT_EQ(0, error_in(self, "sbe", &self->dev, page));
	}
	for (i = 0; i < 3; i++)
		while (!vt_worker_was(&workers[i], 3))
			usleep(1000);
	for (i = 0; i < 3; i++) {
		wrong = vt_worker_end(&workers[i]);
		TH_LOG("worker %u: %u rounds", i, workers[i].rounds);
		EXPECT_EQ(NULL, wrong) TH_LOG("%s", wrong ?: "");
	}
	EXPECT_EQ(ERRORS, ecc_get(self, "retired_pages"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(2 * ERRORS, ecc_get(self, "sbe_volatile"));
	EXPECT_EQ(2 * ERRORS, vt_reg_get(&self->dev, VGPU_REG_ECC_SBE));
	EXPECT_EQ(ERRORS, bad_pages(self, "retired none"));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
}

static void ring(struct vt_dev *dev)
{
	vt_reg_set(dev, VGPU_DOORBELL(0), 1);
}

/* A double-bit error in one of four busy vGPUs. */
TEST_F_TIMEOUT(ecc, contained, 120)
{
	struct vt_worker workers[4];
	struct vt_dev devs[4], *dev;
	uint32_t *maps[4], before[4];
	const char *wrong;
	uint32_t rounds;
	uint64_t count;
	int i, fd;

	munmap(self->fb, FB);
	vt_end(&self->dev);
	for (i = 0; i < 4; i++) {
		dev = &devs[i];
		/* One is left for spare pages on a GPU without a reserve. */
		ASSERT_EQ(0, i < 3 ? vt_start(dev, &self->gpu, "16Q") : 0);
		if (i == 3)
			break;
		maps[i] = vt_mmap(dev, BAR0, 0, FB);
		ASSERT_NE(NULL, maps[i]);
	}
	if (ecc_get(self, "spare_pages")) {
		ASSERT_EQ(0, vt_start(&devs[3], &self->gpu, "16Q"));
		maps[3] = vt_mmap(&devs[3], BAR0, 0, FB);
		ASSERT_NE(NULL, maps[3]);
		i = 4;
	}
	self->dev = devs[1];
	self->fb = maps[1];
	TH_LOG("%d vGPUs", i);
	fd = vt_eventfd(&self->dev, VFIO_PCI_MSIX_IRQ_INDEX, VGPU_IRQ_CONFIG);
	ASSERT_LE(0, fd);
	vt_reg_set(&self->dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	while (i--)
		ASSERT_EQ(0, vt_worker_start(&workers[i], &devs[i], VT_VIA_BAR0,
					     maps[i], NR_PAGES));
	ASSERT_EQ(0, error_in(self, "dbe", &devs[1], 1234));

	EXPECT_EQ(8, read(fd, &count, 8));
	EXPECT_EQ(VGPU_ECC_ON | VGPU_ECC_ERROR,
		  vt_reg_get(&devs[1], VGPU_REG_ECC_STATUS));
	EXPECT_EQ(1 << VGPU_IRQ_CONFIG,
		  vt_reg_get(&devs[1], VGPU_REG_IRQ_STATUS));
	EXPECT_EQ(1, vt_reg_get(&devs[1], VGPU_REG_ECC_DBE));
	EXPECT_EQ(1234, vt_reg_get(&devs[1], VGPU_REG_ECC_PAGE));
	EXPECT_EQ(1, ecc_get(self, "retired_pages"));
	EXPECT_EQ(1, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(1, bad_pages(self, "pending"));
	for (i = 0; i < (ecc_get(self, "spare_pages") ? 4 : 3); i++) {
		before[i] = vt_reg_get(&devs[i], VGPU_REG_DOORBELLS);
		ring(&devs[i]);
		EXPECT_EQ(before[i] + (i != 1),
			  vt_reg_get(&devs[i], VGPU_REG_DOORBELLS));
		/* Memory stays accessible, that of the stopped one too. */
		rounds = workers[i].rounds + 2;
		while (!vt_worker_was(&workers[i], rounds))
			usleep(1000);
		wrong = vt_worker_end(&workers[i]);
		EXPECT_EQ(NULL, wrong) TH_LOG("%d: %s", i, wrong ?: "");
		if (i != 1)
			EXPECT_EQ(VGPU_ECC_ON,
				  vt_reg_get(&devs[i], VGPU_REG_ECC_STATUS));
	}

	/* As a guest that boots anew does. */
	ASSERT_EQ(0, vt_reset(&self->dev));
	ASSERT_EQ(0, vt_memory(&self->dev, true));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_ECC_DBE));
	ring(&self->dev);
	EXPECT_EQ(1, vt_reg_get(&self->dev, VGPU_REG_DOORBELLS));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(1, bad_pages(self, "retired none"));
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
	for (i = 0; i < (ecc_get(self, "spare_pages") ? 4 : 3); i++) {
		if (i == 1)
			continue;
		munmap(maps[i], FB);
		vt_end(&devs[i]);
	}
	close(fd);
}

/* An error while nobody has the vGPU open is dealt with when somebody does. */
TEST_F(ecc, idle)
{
	munmap(self->fb, FB);
	vt_close(&self->dev);
	ASSERT_EQ(0, error_in(self, "dbe", &self->dev, 9));
	EXPECT_EQ(1, ecc_get(self, "retired_pages"));
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(1, bad_pages(self, "retired none"));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	EXPECT_TRUE(vt_is_zero(self->fb, FB));
}

TEST_F(ecc, opt_out)
{
	vt_reg_set(&self->dev, VGPU_REG_ECC_CONTROL, VGPU_ECC_OPT_OUT);
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	ASSERT_EQ(0, error_in(self, "dbe", &self->dev, 3));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(0, vt_reg_get(&self->dev, VGPU_REG_IRQ_STATUS));
	/* The GPU keeps its own count, and retires the page. */
	EXPECT_EQ(1, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(1, ecc_get(self, "retired_pages_pending"));
	ASSERT_EQ(0, vt_reset(&self->dev));
	ASSERT_EQ(0, vt_memory(&self->dev, true));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS));
	EXPECT_EQ(1, bad_pages(self, "retired none"));
}

TEST_HARNESS_MAIN
