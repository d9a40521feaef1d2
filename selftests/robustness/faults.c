// SPDX-License-Identifier: GPL-2.0
/*
 * What if memory runs out: each operation again and again, its first, second,
 * third ... allocation or copy from user space failing, until there is nothing
 * left to fail.  It returns an errno or succeeds all the same, nothing is lost,
 * and the next attempt succeeds.
 *
 * Only what is reached through our modules fails, so that it is our paths that
 * are tested, and nothing in functions of the kernel that break when they fail
 * (6.12): vfio_create_group() warns, pci_create_root_bus() goes on with a bridge
 * that it has freed, pci_device_add() warns and leaves half a device behind;
 * the loader of firmware takes a file that there is no memory to read for one
 * that does not exist, and 9p loses its root on the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_migrate.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define CONFIGFS	"/sys/kernel/config/vgpu-soft"
#define FIRMWARE	"/tmp/vgpu-faults"
#define FIRMWARE_PATH	"/sys/module/firmware_class/parameters/path"
/* Of a vGPU with one head. */
#define VECTORS		3

FIXTURE(faults)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	const char *address;
	uint8_t *map;
	int dmabuf;
	struct vt_stream stream;
};

typedef FIXTURE_DATA(faults) faults_data;

#include "robustness/faults.h"

FIXTURE_SETUP(faults)
{
	if (!fail_in("thread-self"))
		SKIP(return, "a kernel without fault injection");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	self->address = strrchr(self->gpu.dir, '/') + 1;
	vt_uuid(self->dev.uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", self->dev.uuid));
	ASSERT_EQ(0, vt_params(self->dev.uuid, "console=dmabuf"));
}

FIXTURE_TEARDOWN(faults)
{
	/* Nothing was lost. */
	EXPECT_EQ(3, vt_available(&self->gpu, "16Q"));
	EXPECT_EQ(0, vt_remove(self->dev.uuid));
	vt_gpu_del(&self->gpu);
	close(fail_nth_fd);
}

static char other[VT_UUID];

static int create(faults_data *self)
{
	return vt_create(&self->gpu, "16Q", other);
}

static void remove_other(faults_data *self)
{
	vt_remove(other);
}

TEST_F_TIMEOUT(faults, create, 900)
{
	vt_uuid(other);
	ASSERT_EQ(true, choose("vgpu", DEEP, "vfio_create_group"));
	SWEEP(10, create, remove_other);
}

static int get_device(faults_data *self)
{
	struct vt_dev *dev = &self->dev;

	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->uuid);
	return dev->fd < 0 ? -errno : 0;
}

static void put_device(faults_data *self)
{
	close(self->dev.fd);
}

TEST_F_TIMEOUT(faults, open, 900)
{
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	close(self->dev.fd);
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(1, get_device, put_device);
	ASSERT_EQ(0, get_device(self));
	vt_close(&self->dev);
}

static int set_irqs(faults_data *self)
{
	int fds[VECTORS], i;

	for (i = 0; i < VECTORS; i++)
		fds[i] = self->dmabuf;
	return vt_set_irqs(&self->dev, VFIO_PCI_MSIX_IRQ_INDEX,
			   VT_EVENTFD_TRIGGER, 0, VECTORS, fds);
}

static void unset_irqs(faults_data *self)
{
	vt_set_irqs(&self->dev, VFIO_PCI_MSIX_IRQ_INDEX,
		    VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0,
		    NULL);
}

TEST_F_TIMEOUT(faults, irqs, 900)
{
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	/* Any eventfd will do. */
	self->dmabuf = vt_eventfd(&self->dev, VFIO_PCI_MSIX_IRQ_INDEX, 0);
	ASSERT_LE(0, self->dmabuf);
	unset_irqs(self);
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(3, set_irqs, unset_irqs);
	close(self->dmabuf);
	vt_close(&self->dev);
}

static sigjmp_buf gone;

static void on_sigbus(int sig)
{
	siglongjmp(gone, 1);
}

/* A page of each 2 MiB. */
static int touch(volatile uint8_t *map, size_t len)
{
	size_t pos;

	if (sigsetjmp(gone, 1))
		return -EFAULT;
	for (pos = 0; pos < len; pos += 2 * VT_MIB)
		map[pos] = 1;
	return 0;
}

static int map_bar(faults_data *self)
{
	int ret;

	self->map = vt_mmap(&self->dev, BAR0, 0, FB);
	if (!self->map)
		return -errno;
	ret = touch(self->map, FB);
	if (ret)
		munmap(self->map, FB);
	return ret;
}

static void unmap_bar(faults_data *self)
{
	munmap(self->map, FB);
	/* Memory of pages that were touched is there until then. */
	vt_reset(&self->dev);
	vt_memory(&self->dev, true);
}

TEST_F_TIMEOUT(faults, mmap, 900)
{
	signal(SIGBUS, on_sigbus);
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(1, map_bar, unmap_bar);
	vt_close(&self->dev);
}

static int get_dmabuf(faults_data *self)
{
	self->dmabuf = vt_dmabuf(&self->dev);
	if (self->dmabuf < 0)
		return self->dmabuf;
	self->map = mmap(NULL, FB / 4, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->dmabuf, 0);
	if (self->map == MAP_FAILED || touch(self->map, FB / 4)) {
		if (self->map != MAP_FAILED)
			munmap(self->map, FB / 4);
		close(self->dmabuf);
		return -ENOMEM;
	}
	return 0;
}

static void put_dmabuf(faults_data *self)
{
	munmap(self->map, FB / 4);
	close(self->dmabuf);
	/* Another picture, so that the next is not the one that is there. */
	vt_head_mode(&self->dev, 0, 1024, 768, 0);
	vt_head_mode(&self->dev, 0, 1024, 1024, 0);
}

TEST_F_TIMEOUT(faults, dmabuf, 900)
{
	signal(SIGBUS, on_sigbus);
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(&self->dev, 0, 1024, 1024, 0));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(3, get_dmabuf, put_dmabuf);
	vt_close(&self->dev);
}

/* The page is replaced at once, its content copied. */
static int move_page(faults_data *self)
{
	return vt_move(&self->gpu, self->dev.uuid, 5);
}

/* What an error changes it changes whether there is memory or not. */
static int inject(faults_data *self)
{
	return vt_inject(&self->gpu, "sbe", self->dev.uuid, 9 * PAGE);
}

TEST_F_TIMEOUT(faults, administration, 900)
{
	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(1, move_page, NULL);
	SWEEP(1, inject, NULL);
	vt_close(&self->dev);
}

/* A guest that loses memory is told, though there may be none to note it. */
TEST_F_TIMEOUT(faults, lost, 900)
{
	int n, ret, untold = 0;
	bool failed = true;

	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	for (n = 1; failed && n < MOST; n++) {
		fail_nth(n);
		ret = vt_inject(&self->gpu, "dbe", self->dev.uuid, 9 * PAGE);
		failed = has_failed();
		if (ret)
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT);
		if (vt_reg_get(&self->dev, VGPU_REG_ECC_STATUS) &
		    VGPU_ECC_ERROR) {
			ASSERT_EQ(0, vt_reset(&self->dev));
			ASSERT_EQ(0, vt_memory(&self->dev, true));
		} else {
			EXPECT_NE(0, ret);
			untold++;
		}
	}
	TH_LOG("%d", n - 2);
	EXPECT_EQ(0, ret);
	/* Those in which the text did not even arrive: room for it, its copy. */
	EXPECT_EQ(2, untold);
	EXPECT_LT(4, n);
	vt_close(&self->dev);
}

TEST_F_TIMEOUT(faults, migration, 900)
{
	static char page[PAGE] = "content";

	ASSERT_EQ(0, vt_open(&self->dev, self->dev.uuid));
	ASSERT_EQ(PAGE, vt_pwrite(&self->dev, BAR0, 3 * VT_MIB, page, PAGE));
	ASSERT_EQ(true, choose("vgpu", DEEP, NULL));
	SWEEP(3, save, running);
	ASSERT_EQ(0, save(self));
	running(self);
	SWEEP(3, load, running);
	ASSERT_EQ(0, load(self));
	running(self);
	memset(page, 0, PAGE);
	EXPECT_EQ(PAGE, vt_pread(&self->dev, BAR0, 3 * VT_MIB, page, PAGE));
	EXPECT_STREQ("content", page);
	free(self->stream.data);
	vt_close(&self->dev);
}

static int power_on(faults_data *self)
{
	return vt_write("1", CONFIGFS "/faults/power");
}

static void power_off(faults_data *self)
{
	vt_write("0", CONFIGFS "/faults/power");
}

TEST_F_TIMEOUT(faults, power, 1800)
{
	if (vt_pgpu())
		SKIP(return, "a PCI device has no power to turn on");
	ASSERT_EQ(0, mkdir(CONFIGFS "/faults", 0755));
	EXPECT_EQ(0, vt_write("64M", CONFIGFS "/faults/vram_size"));
	EXPECT_EQ(true, choose("vgpu_soft", DIRECT, "pci_create_root_bus"));
	SWEEP(3, power_on, power_off);
	EXPECT_EQ(0, rmdir(CONFIGFS "/faults"));
}

/* With all that it knows, or not at all: bad pages must not come back. */
static int bind(faults_data *self)
{
	int ret = vt_write(self->address, "/sys/bus/pci/drivers/vgpu/bind");

	if (!ret && vt_read_number("%s/ecc/retired_pages", self->gpu.dir) != 1)
		return -EUCLEAN;
	return ret;
}

static void unbind(faults_data *self)
{
	vt_write(self->address, "/sys/bus/pci/drivers/vgpu/unbind");
}

TEST_F_TIMEOUT(faults, probe, 1800)
{
	char command[VT_PATH * 2], old[VT_PATH];

	ASSERT_EQ(0, vt_remove(self->dev.uuid));
	ASSERT_EQ(0, vt_write("dbe 0x5000", VT_DEBUGFS "/vgpu/%s/inject",
			      self->address));
	snprintf(command, sizeof(command), "mkdir -p " FIRMWARE "/vgpu && "
		 "cp %s/ecc/retired_list " FIRMWARE
		 "/vgpu/retired-pages-%s.bin", self->gpu.dir, self->address);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, vt_read(old, sizeof(old), FIRMWARE_PATH));
	old[strcspn(old, "\n")] = '\0';
	ASSERT_EQ(0, vt_write(FIRMWARE, FIRMWARE_PATH));

	ASSERT_EQ(true, choose("vgpu", DEEP,
			       "kernel_read_file_from_path_initns"));
	unbind(self);
	SWEEP(10, bind, unbind);
	EXPECT_EQ(0, bind(self));
	EXPECT_EQ(0, vt_create(&self->gpu, "16Q", self->dev.uuid));
	vt_write(*old ? old : " ", FIRMWARE_PATH);
}

TEST_HARNESS_MAIN
