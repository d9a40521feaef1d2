// SPDX-License-Identifier: GPL-2.0
/*
 * PCI configuration space of a vGPU.
 *
 * One image and one mask of the same size: a set bit in the mask can be
 * written by the guest, everything else is read-only.  BAR sizing needs no
 * code of its own then, because the address bits below a BAR's size are
 * read-only zeroes.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/pci_regs.h>
#include <linux/string.h>

#include "compat.h"
#include "model.h"

u64 vgpu_bar0_size(const struct vgpu_profile *profile)
{
	return roundup_pow_of_two(profile->fb_size);
}

/**
 * vgpu_config_init() - fill in the image and the mask
 * @model: its profile is set
 */
void vgpu_config_init(struct vgpu_model *model)
{
	u64 bar0_mask = ~(vgpu_bar0_size(model->profile) - 1);
	u8 *config = model->config;
	u8 *mask = model->config_mask;

	memset(config, 0, VGPU_CONFIG_SIZE);
	memset(mask, 0, VGPU_CONFIG_SIZE);

	put_unaligned_le16(VGPU_PCI_VENDOR, config + PCI_VENDOR_ID);
	put_unaligned_le16(VGPU_PCI_DEVICE, config + PCI_DEVICE_ID);
	put_unaligned_le32(VGPU_PCI_CLASS << 8 | VGPU_PCI_REVISION,
			   config + PCI_CLASS_REVISION);
	put_unaligned_le16(VGPU_PCI_SUBSYSTEM_VENDOR,
			   config + PCI_SUBSYSTEM_VENDOR_ID);
	put_unaligned_le16(VGPU_PCI_SUBSYSTEM, config + PCI_SUBSYSTEM_ID);

	put_unaligned_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			   PCI_COMMAND_INTX_DISABLE, mask + PCI_COMMAND);
	mask[PCI_CACHE_LINE_SIZE] = 0xff;
	mask[PCI_LATENCY_TIMER] = 0xff;
	mask[PCI_INTERRUPT_LINE] = 0xff;

	put_unaligned_le32(PCI_BASE_ADDRESS_MEM_TYPE_64 |
			   PCI_BASE_ADDRESS_MEM_PREFETCH,
			   config + PCI_BASE_ADDRESS_0);
	put_unaligned_le32(lower_32_bits(bar0_mask), mask + PCI_BASE_ADDRESS_0);
	put_unaligned_le32(upper_32_bits(bar0_mask), mask + PCI_BASE_ADDRESS_1);
	put_unaligned_le32(~(VGPU_BAR2_SIZE - 1), mask + PCI_BASE_ADDRESS_2);
}

/**
 * vgpu_config_reset() - what a function-level reset does to config space
 * @model: the model
 *
 * Every writable bit is zero after reset; the VMM restores what it needs.
 */
void vgpu_config_reset(struct vgpu_model *model)
{
	u32 i;

	for (i = 0; i < VGPU_CONFIG_SIZE; i++)
		model->config[i] &= ~model->config_mask[i];
}

/**
 * vgpu_config_read() - read config space
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_CONFIG_SIZE
 */
void vgpu_config_read(const struct vgpu_model *model, u32 offset, void *buf,
		      u32 len)
{
	memcpy(buf, model->config + offset, len);
}

/**
 * vgpu_config_write() - write the writable bits of config space
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_CONFIG_SIZE
 */
void vgpu_config_write(struct vgpu_model *model, u32 offset, const void *buf,
		       u32 len)
{
	const u8 *new = buf;
	u32 i;

	for (i = 0; i < len; i++) {
		u8 mask = model->config_mask[offset + i];
		u8 *reg = &model->config[offset + i];

		*reg = (*reg & ~mask) | (new[i] & mask);
	}
}
