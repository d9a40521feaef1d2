// SPDX-License-Identifier: GPL-2.0
/* Retired pages: that none comes back, without spare pages and after a reboot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ras/ecc.h"

#define FIRMWARE	"/tmp/vgpu-firmware"
#define FIRMWARE_PATH	"/sys/module/firmware_class/parameters/path"

/* Retired pages never come back, however often memory changes hands. */
TEST_F_TIMEOUT(ecc, never_again, 1800)
{
	const char *cycles = getenv("VGPU_TEST_CYCLES");
	int i, nr = cycles ? atoi(cycles) : vt_finds_leaks() ? 100 : 300, free;
	char uuid[4][VT_UUID];
	unsigned long page;

	for (page = 10; page < NR_PAGES; page += NR_PAGES / 8)
		ASSERT_EQ(0, error_in(self, "dbe", &self->dev, page));
	munmap(self->fb, FB);
	vt_end(&self->dev);
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(8, bad_pages(self, "retired none"));
	/* Nearly full: one comes and goes. */
	free = vt_available(&self->gpu, "16Q");
	for (i = 0; i < free - 1; i++) {
		vt_uuid(uuid[i]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[i]));
	}
	while (nr--) {
		vt_uuid(uuid[3]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[3]));
		ASSERT_EQ(8, bad_pages(self, "retired none"));
		ASSERT_EQ(0, vt_remove(uuid[3]));
	}
	for (i = 0; i < free - 1; i++)
		ASSERT_EQ(0, vt_remove(uuid[i]));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
	vt_fill(self->fb, FB, 4);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 4));
	EXPECT_EQ(8, bad_pages(self, "retired none"));
}

/* More bad pages than spare ones: no bad page is ever handed out. */
TEST_F_TIMEOUT(ecc, no_spare, 120)
{
	long long spare = ecc_get(self, "spare_pages"), i;
	char uuid[3][VT_UUID];
	uint8_t byte;

	for (i = 0; i < spare; i++)
		ASSERT_EQ(0, error_at(self, "dbe", VRAM + i * PAGE));
	EXPECT_EQ(0, ecc_get(self, "spare_pages_free"));
	EXPECT_EQ(3, vt_available(&self->gpu, "16Q"));
	for (i = 0; i < 3; i++) {
		vt_uuid(uuid[i]);
		ASSERT_EQ(0, vt_create(&self->gpu, "16Q", uuid[i]));
	}
	/* Corrected: it has to do until something is free. */
	vt_fill(self->fb, FB, 5);
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 100));
	ASSERT_EQ(0, error_in(self, "sbe", &self->dev, 100));
	EXPECT_EQ(1, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 5));
	/* Afterwards there is nothing there. */
	ASSERT_EQ(0, vt_reset(&self->dev));
	ASSERT_EQ(0, vt_memory(&self->dev, true));
	EXPECT_EQ(-EIO, vt_pread(&self->dev, BAR0, 100 * PAGE, &byte, 1));
	EXPECT_EQ(-EIO, vt_pwrite(&self->dev, BAR0, 100 * PAGE, &byte, 1));
	EXPECT_TRUE(vt_faults((uint8_t *)self->fb + 100 * PAGE));
	EXPECT_EQ(1, vt_pread(&self->dev, BAR0, 101 * PAGE, &byte, 1));
	EXPECT_TRUE(vt_is_zero(self->fb, 100 * PAGE));
	EXPECT_TRUE(vt_is_zero((char *)self->fb + 101 * PAGE, FB - 101 * PAGE));
	EXPECT_EQ(0, bad_pages(self, self->dev.uuid));

	/* A block that is given back is as good as spare pages. */
	ASSERT_EQ(0, vt_remove(uuid[0]));
	EXPECT_EQ(1, vt_available(&self->gpu, "16Q"));
	ASSERT_EQ(0, vt_reset(&self->dev));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(0, vt_available(&self->gpu, "16Q"));
	vt_fill(self->fb, FB, 6);
	EXPECT_EQ(-1, vt_differs(self->fb, FB, 6));
	ASSERT_EQ(0, vt_remove(uuid[1]));
	ASSERT_EQ(0, vt_remove(uuid[2]));
	/* The block with the spare page stays taken; one type fewer fits. */
	EXPECT_EQ(2, vt_available(&self->gpu, "16Q"));
}

static int list_read(ecc_data *self, void *list, size_t size, const char *path)
{
	size_t n;
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		return -errno;
	n = fread(list, 1, size, f);
	fclose(f);
	return n;
}

static int list_write(ecc_data *self, const void *list, size_t size)
{
	char path[VT_PATH];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), FIRMWARE "/vgpu/retired-pages-%s.bin",
		 self->address);
	f = fopen(path, "w");
	if (!f)
		return -errno;
	n = fwrite(list, 1, size, f);
	return fclose(f) || n != size ? -EIO : 0;
}

/* What a reboot does to the GPU. */
static int rebind(ecc_data *self)
{
	int ret = vt_write(self->address, "/sys/bus/pci/drivers/vgpu/unbind");

	return ret ?: vt_write(self->address, "/sys/bus/pci/drivers/vgpu/bind");
}

/* Bound anew a hundred times. */
TEST_F_TIMEOUT(ecc, survives, 120)
{
	static uint8_t list[65536], again[65536];
	char path[VT_PATH], old[VT_PATH];
	unsigned long page;
	int len, i;

	for (page = 0; page < 20; page++)
		ASSERT_EQ(0, error_in(self, "dbe", &self->dev, page * 50));
	ASSERT_EQ(0, error_at(self, "dbe", VRAM - PAGE));
	munmap(self->fb, FB);
	vt_end(&self->dev);
	snprintf(path, sizeof(path), "%.256s/ecc/retired_list", self->gpu.dir);
	len = list_read(self, list, sizeof(list), path);
	ASSERT_EQ(120 + 21 * 24, len);

	ASSERT_EQ(0, vt_read(old, sizeof(old), FIRMWARE_PATH));
	mkdir(FIRMWARE, 0755);
	mkdir(FIRMWARE "/vgpu", 0755);
	ASSERT_EQ(0, vt_write(FIRMWARE, FIRMWARE_PATH));
	ASSERT_EQ(0, list_write(self, list, len));
	ASSERT_EQ(0, rebind(self));
	EXPECT_EQ(21, ecc_get(self, "retired_pages"));
	EXPECT_EQ(0, ecc_get(self, "retired_pages_pending"));
	EXPECT_EQ(0, ecc_get(self, "dbe_volatile"));
	EXPECT_EQ(21, ecc_get(self, "dbe_aggregate"));
	EXPECT_EQ(len, list_read(self, again, sizeof(again), path));
	EXPECT_EQ(0, memcmp(list, again, len));

	/* Every single byte counts, and so does the length. */
	for (i = 0; i < len; i += 1 + i / 8) {
		list[i] ^= 0x10;
		ASSERT_EQ(0, list_write(self, list, len));
		ASSERT_EQ(0, rebind(self));
		EXPECT_EQ(0, ecc_get(self, "retired_pages")) TH_LOG("%d", i);
		list[i] ^= 0x10;
	}
	for (i = 0; i < len; i += 1 + i / 4) {
		ASSERT_EQ(0, list_write(self, list, i));
		ASSERT_EQ(0, rebind(self));
		EXPECT_EQ(0, ecc_get(self, "retired_pages")) TH_LOG("%d", i);
	}
	ASSERT_EQ(0, list_write(self, list, len + 1));
	ASSERT_EQ(0, rebind(self));
	EXPECT_EQ(0, ecc_get(self, "retired_pages"));
	/* It works without it. */
	snprintf(path, sizeof(path), FIRMWARE "/vgpu/retired-pages-%s.bin",
		 self->address);
	unlink(path);
	ASSERT_EQ(0, rebind(self));
	old[strcspn(old, "\n")] = '\0';
	vt_write(*old ? old : " ", FIRMWARE_PATH);
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	EXPECT_EQ(0, ecc_get(self, "retired_pages"));
}

TEST_HARNESS_MAIN
