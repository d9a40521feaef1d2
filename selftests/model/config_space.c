// SPDX-License-Identifier: GPL-2.0
/* PCI config space as a VMM sees it. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX

FIXTURE(config_space)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	struct vfio_region_info info;
};

FIXTURE_SETUP(config_space)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "48Q"));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "48Q"));
	self->info.argsz = sizeof(self->info);
	self->info.index = CONFIG;
	ASSERT_EQ(0, ioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO,
			   &self->info));
}

FIXTURE_TEARDOWN(config_space)
{
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static uint32_t get(struct vt_dev *dev, unsigned int pos, size_t len)
{
	uint32_t value = 0;

	return vt_pread(dev, CONFIG, pos, &value, len) == len ? value : ~0u;
}

static void put(struct vt_dev *dev, unsigned int pos, uint32_t value,
		size_t len)
{
	vt_pwrite(dev, CONFIG, pos, &value, len);
}

TEST_F(config_space, identity)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(VGPU_PCI_VENDOR, get(dev, PCI_VENDOR_ID, 2));
	EXPECT_EQ(VGPU_PCI_DEVICE, get(dev, PCI_DEVICE_ID, 2));
	EXPECT_EQ(VGPU_PCI_SUBSYSTEM_VENDOR, get(dev, PCI_SUBSYSTEM_VENDOR_ID, 2));
	EXPECT_EQ(VGPU_PCI_SUBSYSTEM, get(dev, PCI_SUBSYSTEM_ID, 2));
	EXPECT_EQ(VGPU_PCI_CLASS << 8 | VGPU_PCI_REVISION,
		  get(dev, PCI_CLASS_REVISION, 4));
	EXPECT_EQ(PCI_HEADER_TYPE_NORMAL, get(dev, PCI_HEADER_TYPE, 1));
}

/* Sizing as every PCI enumeration does it; 48 MiB of FB in a BAR of 64. */
TEST_F(config_space, bar_sizing)
{
	struct vt_dev *dev = &self->dev;

	put(dev, PCI_BASE_ADDRESS_0, ~0u, 4);
	put(dev, PCI_BASE_ADDRESS_1, ~0u, 4);
	EXPECT_EQ((uint32_t)~(64 * VT_MIB - 1) | PCI_BASE_ADDRESS_MEM_TYPE_64 |
		  PCI_BASE_ADDRESS_MEM_PREFETCH, get(dev, PCI_BASE_ADDRESS_0, 4));
	EXPECT_EQ(~0u, get(dev, PCI_BASE_ADDRESS_1, 4));
	put(dev, PCI_BASE_ADDRESS_2, ~0u, 4);
	EXPECT_EQ(~(VGPU_BAR2_SIZE - 1), get(dev, PCI_BASE_ADDRESS_2, 4));
	put(dev, PCI_BASE_ADDRESS_3, ~0u, 4);
	EXPECT_EQ(~(VGPU_BAR2_SIZE - 1), get(dev, PCI_BASE_ADDRESS_3, 4));
	put(dev, PCI_BASE_ADDRESS_4, ~0u, 4);
	EXPECT_EQ(~(VGPU_BAR4_SIZE - 1), get(dev, PCI_BASE_ADDRESS_4, 4));
	put(dev, PCI_BASE_ADDRESS_5, ~0u, 4);
	EXPECT_EQ(0, get(dev, PCI_BASE_ADDRESS_5, 4));
	put(dev, PCI_ROM_ADDRESS, ~0u, 4);
	EXPECT_EQ(0, get(dev, PCI_ROM_ADDRESS, 4));
}

/* Every bit of every byte: it keeps what is written exactly if it may. */
TEST_F(config_space, writable_bits)
{
	uint8_t mask[4096] = { };
	struct vt_dev *dev = &self->dev;
	unsigned int pos, bit;

	mask[PCI_COMMAND] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	mask[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	mask[PCI_CACHE_LINE_SIZE] = 0xff;
	mask[PCI_LATENCY_TIMER] = 0xff;
	mask[PCI_INTERRUPT_LINE] = 0xff;
	mask[PCI_BASE_ADDRESS_0 + 3] = 0xfc;
	memset(mask + PCI_BASE_ADDRESS_1, 0xff, 4);
	mask[PCI_BASE_ADDRESS_2 + 1] = 0xf0;
	mask[PCI_BASE_ADDRESS_2 + 2] = 0xff;
	mask[PCI_BASE_ADDRESS_2 + 3] = 0xff;
	mask[PCI_BASE_ADDRESS_3 + 1] = 0xf0;
	mask[PCI_BASE_ADDRESS_3 + 2] = 0xff;
	mask[PCI_BASE_ADDRESS_3 + 3] = 0xff;
	mask[PCI_BASE_ADDRESS_4 + 1] = 0xc0;
	mask[PCI_BASE_ADDRESS_4 + 2] = 0xff;
	mask[PCI_BASE_ADDRESS_4 + 3] = 0xff;

	for (pos = 0; pos < PCI_STD_HEADER_SIZEOF; pos++) {
		uint8_t old = get(dev, pos, 1);

		for (bit = 0; bit < 8; bit++) {
			uint8_t flipped = old ^ 1 << bit;

			put(dev, pos, flipped, 1);
			EXPECT_EQ(mask[pos] & 1 << bit ? flipped : old,
				  get(dev, pos, 1))
				TH_LOG("byte %#x bit %u", pos, bit);
			put(dev, pos, old, 1);
		}
	}
}

TEST_F(config_space, capabilities)
{
	struct vt_dev *dev = &self->dev;
	unsigned int pm = vt_cap(dev, PCI_CAP_ID_PM);
	unsigned int msix = vt_cap(dev, PCI_CAP_ID_MSIX);
	unsigned int exp = vt_cap(dev, PCI_CAP_ID_EXP);
	unsigned int vendor = vt_cap(dev, PCI_CAP_ID_VNDR);

	ASSERT_NE(0, pm);
	EXPECT_TRUE(get(dev, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_NO_SOFT_RESET);

	/* 48Q has two heads: configuration, engine, and one for each. */
	ASSERT_NE(0, msix);
	EXPECT_EQ(4 - 1, get(dev, msix + PCI_MSIX_FLAGS, 2));
	EXPECT_EQ(VGPU_BAR4_MSIX_TABLE | 4, get(dev, msix + PCI_MSIX_TABLE, 4));
	EXPECT_EQ(VGPU_BAR4_MSIX_PBA | 4, get(dev, msix + PCI_MSIX_PBA, 4));
	put(dev, msix + PCI_MSIX_FLAGS, 0xffff, 2);
	EXPECT_EQ(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL | (4 - 1),
		  get(dev, msix + PCI_MSIX_FLAGS, 2));

	ASSERT_NE(0, exp);
	EXPECT_TRUE(get(dev, exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR);
	EXPECT_EQ(PCI_EXP_TYPE_ENDPOINT << 4,
		  get(dev, exp + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_TYPE);

	ASSERT_NE(0, vendor);
	EXPECT_EQ(VGPU_CAP_LEN, get(dev, vendor + 2, 1));
	EXPECT_EQ(VGPU_VERSION >> 8, get(dev, vendor + VGPU_CAP_VERSION, 2));
	EXPECT_EQ(4, get(dev, vendor + VGPU_CAP_BAR, 1));
	EXPECT_EQ(1, get(dev, PCI_INTERRUPT_PIN, 1));
}

/* Function-level reset through config space resets all of the device. */
TEST_F(config_space, flr)
{
	struct vt_dev *dev = &self->dev;
	unsigned int exp = vt_cap(dev, PCI_CAP_ID_EXP);
	uint32_t value = 0x1234;

	ASSERT_NE(0, exp);
	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	ASSERT_EQ(4, vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, &value, 4));
	put(dev, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2);
	EXPECT_EQ(0, get(dev, exp + PCI_EXP_DEVCTL, 2));
	EXPECT_EQ(0, get(dev, PCI_COMMAND, 2));
	ASSERT_EQ(0, vt_memory(dev, true));
	EXPECT_EQ(0, vt_dispi_get(dev, VGPU_DISPI_XRES));
	ASSERT_EQ(4, vt_pread(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, &value, 4));
	EXPECT_EQ(0, value);
}

static uint32_t bar_word(struct vt_dev *dev, unsigned int region)
{
	uint32_t value = 0;

	vt_pread(dev, region, 0, &value, 4);
	return value;
}

/* Without memory space, or outside D0, BARs read ~0 and keep nothing. */
TEST_F(config_space, memory_off)
{
	struct vt_dev *dev = &self->dev;
	unsigned int pm = vt_cap(dev, PCI_CAP_ID_PM);
	uint32_t value = 0x5678;
	unsigned int i;

	ASSERT_EQ(4, vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, &value, 4));
	for (i = 0; i < 2; i++) {
		if (i)
			put(dev, pm + PCI_PM_CTRL, 3, 2);
		else
			ASSERT_EQ(0, vt_memory(dev, false));
		EXPECT_EQ(~0u, bar_word(dev, VFIO_PCI_BAR0_REGION_INDEX));
		EXPECT_EQ(~0u, bar_word(dev, VFIO_PCI_BAR2_REGION_INDEX));
		EXPECT_EQ(~0u, bar_word(dev, VFIO_PCI_BAR3_REGION_INDEX));
		EXPECT_EQ(~0u, bar_word(dev, VFIO_PCI_BAR4_REGION_INDEX));
		value = 0;
		EXPECT_EQ(4, vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX, 0,
				       &value, 4));
		ASSERT_EQ(0, vt_memory(dev, true));
		put(dev, pm + PCI_PM_CTRL, 0, 2);
		EXPECT_EQ(0x5678, bar_word(dev, VFIO_PCI_BAR0_REGION_INDEX));
		EXPECT_EQ(VGPU_MAGIC, bar_word(dev, VFIO_PCI_BAR4_REGION_INDEX));
	}
}

TEST_F(config_space, reset)
{
	struct vt_dev *dev = &self->dev;

	put(dev, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
	put(dev, PCI_BASE_ADDRESS_2, 0xfebf0000, 4);
	ASSERT_EQ(0, ioctl(dev->fd, VFIO_DEVICE_RESET));
	EXPECT_EQ(0, get(dev, PCI_COMMAND, 2));
	EXPECT_EQ(0, get(dev, PCI_BASE_ADDRESS_2, 4));
	EXPECT_EQ(VGPU_PCI_VENDOR, get(dev, PCI_VENDOR_ID, 2));
}

/* QEMU reads all of it at once; odd accesses are in order as well. */
TEST_F(config_space, sizes)
{
	uint8_t all[4096], byte, three[3];
	struct vt_dev *dev = &self->dev;
	uint64_t size = self->info.size;
	unsigned int pos;

	ASSERT_LE(size, sizeof(all));
	ASSERT_EQ(size, vt_pread(dev, CONFIG, 0, all, size));
	for (pos = 0; pos < size; pos++) {
		ASSERT_EQ(1, vt_pread(dev, CONFIG, pos, &byte, 1));
		ASSERT_EQ(all[pos], byte);
	}
	ASSERT_EQ(3, vt_pread(dev, CONFIG, 1, three, 3));
	EXPECT_EQ(0, memcmp(all + 1, three, 3));
}

TEST_F(config_space, past_the_end)
{
	uint8_t buf[16] = { };
	struct vt_dev *dev = &self->dev;
	uint64_t size = self->info.size;

	EXPECT_EQ(4, vt_pread(dev, CONFIG, size - 4, buf, 16));
	EXPECT_EQ(4, vt_pwrite(dev, CONFIG, size - 4, buf, 16));
	EXPECT_EQ(-EINVAL, vt_pread(dev, CONFIG, size, buf, 1));
	EXPECT_EQ(-EINVAL, vt_pwrite(dev, CONFIG, size, buf, 1));
	EXPECT_EQ(-EINVAL, vt_pread(dev, CONFIG, (1ULL << 40) - 1, buf, 1));
	EXPECT_EQ(0, vt_pread(dev, CONFIG, 0, buf, 0));
}

TEST_HARNESS_MAIN
