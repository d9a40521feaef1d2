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
	int i;

	put(dev, PCI_BASE_ADDRESS_0, ~0u, 4);
	put(dev, PCI_BASE_ADDRESS_1, ~0u, 4);
	EXPECT_EQ((uint32_t)~(64 * VT_MIB - 1) | PCI_BASE_ADDRESS_MEM_TYPE_64 |
		  PCI_BASE_ADDRESS_MEM_PREFETCH, get(dev, PCI_BASE_ADDRESS_0, 4));
	EXPECT_EQ(~0u, get(dev, PCI_BASE_ADDRESS_1, 4));
	put(dev, PCI_BASE_ADDRESS_2, ~0u, 4);
	EXPECT_EQ(~(VGPU_BAR2_SIZE - 1), get(dev, PCI_BASE_ADDRESS_2, 4));
	for (i = 3; i < 6; i++) {
		put(dev, PCI_BASE_ADDRESS_0 + 4 * i, ~0u, 4);
		EXPECT_EQ(0, get(dev, PCI_BASE_ADDRESS_0 + 4 * i, 4));
	}
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
