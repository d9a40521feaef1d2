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

#include "compat/unaligned.h"
#include "model/event.h"
#include "model/pci_config.h"

u64 vgpu_bar0_size(const struct vgpu_profile *profile)
{
	return roundup_pow_of_two(profile->fb_size);
}

/* The capabilities, in the order of the list. */
#define CAP_PM		VGPU_CONFIG_PM
#define CAP_MSIX	0x48
#define CAP_VENDOR	0x54
#define CAP_EXP		0x60

/**
 * vgpu_config_vectors() - how many MSI-X vectors a vGPU has
 * @profile: its type's properties
 *
 * Return: one for configuration and errors, one for the engine, one a head
 */
u32 vgpu_config_vectors(const struct vgpu_profile *profile)
{
	return VGPU_IRQ_HEAD(profile->num_heads);
}

static void vgpu_config_init_cap(u8 *config, u32 pos, u8 id, u8 next)
{
	config[pos + PCI_CAP_LIST_ID] = id;
	config[pos + PCI_CAP_LIST_NEXT] = next;
}

/* Power states are kept.  Memory is off in D3hot; nothing is lost there. */
static void vgpu_config_init_pm(u8 *config, u8 *mask)
{
	vgpu_config_init_cap(config, CAP_PM, PCI_CAP_ID_PM, CAP_MSIX);
	put_unaligned_le16(3, config + CAP_PM + PCI_PM_PMC);
	put_unaligned_le16(PCI_PM_CTRL_NO_SOFT_RESET,
			   config + CAP_PM + PCI_PM_CTRL);
	put_unaligned_le16(PCI_PM_CTRL_STATE_MASK, mask + CAP_PM + PCI_PM_CTRL);
}

static void vgpu_config_init_msix(u8 *config, u8 *mask, u32 nr_vectors)
{
	vgpu_config_init_cap(config, CAP_MSIX, PCI_CAP_ID_MSIX, CAP_VENDOR);
	put_unaligned_le16(nr_vectors - 1, config + CAP_MSIX + PCI_MSIX_FLAGS);
	put_unaligned_le16(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
			   mask + CAP_MSIX + PCI_MSIX_FLAGS);
	put_unaligned_le32(VGPU_BAR4_MSIX_TABLE | 4,
			   config + CAP_MSIX + PCI_MSIX_TABLE);
	put_unaligned_le32(VGPU_BAR4_MSIX_PBA | 4,
			   config + CAP_MSIX + PCI_MSIX_PBA);
}

static void vgpu_config_init_vendor(u8 *config)
{
	vgpu_config_init_cap(config, CAP_VENDOR, PCI_CAP_ID_VNDR, CAP_EXP);
	config[CAP_VENDOR + PCI_CAP_FLAGS] = VGPU_CAP_LEN;
	put_unaligned_le16(VGPU_VERSION >> 8, config + CAP_VENDOR +
			   VGPU_CAP_VERSION);
	config[CAP_VENDOR + VGPU_CAP_BAR] = 4;
}

/* An endpoint with function-level reset and the slowest link there is. */
static void vgpu_config_init_exp(u8 *config, u8 *mask)
{
	u8 *cap = config + CAP_EXP;

	vgpu_config_init_cap(config, CAP_EXP, PCI_CAP_ID_EXP, 0);
	put_unaligned_le16(2 | PCI_EXP_TYPE_ENDPOINT << 4, cap + PCI_EXP_FLAGS);
	put_unaligned_le32(PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR,
			   cap + PCI_EXP_DEVCAP);
	put_unaligned_le32(PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4,
			   cap + PCI_EXP_LNKCAP);
	put_unaligned_le16(PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1,
			   cap + PCI_EXP_LNKSTA);
	put_unaligned_le32(PCI_EXP_LNKCAP2_SLS_2_5GB, cap + PCI_EXP_LNKCAP2);
	put_unaligned_le16(PCI_EXP_LNKCTL2_TLS_2_5GT, cap + PCI_EXP_LNKCTL2);

	put_unaligned_le16(PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
			   PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
			   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
			   PCI_EXP_DEVCTL_READRQ,
			   mask + CAP_EXP + PCI_EXP_DEVCTL);
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

	memset(config, 0, VGPU_CONFIG_USED);
	memset(mask, 0, VGPU_CONFIG_USED);

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
	put_unaligned_le32(~(VGPU_BAR2_SIZE - 1), mask + PCI_BASE_ADDRESS_3);
	put_unaligned_le32(~(VGPU_BAR4_SIZE - 1), mask + PCI_BASE_ADDRESS_4);

	config[PCI_INTERRUPT_PIN] = 1;
	put_unaligned_le16(PCI_STATUS_CAP_LIST, config + PCI_STATUS);
	config[PCI_CAPABILITY_LIST] = CAP_PM;
	vgpu_config_init_pm(config, mask);
	vgpu_config_init_msix(config, mask,
			      vgpu_config_vectors(model->profile));
	vgpu_config_init_vendor(config);
	vgpu_config_init_exp(config, mask);
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

	for (i = 0; i < VGPU_CONFIG_USED; i++)
		model->config[i] &= ~model->config_mask[i];
}

static bool vgpu_config_msix(const struct vgpu_model *model)
{
	return model->config[CAP_MSIX + PCI_MSIX_FLAGS + 1] &
	       (PCI_MSIX_FLAGS_ENABLE >> 8);
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
	u32 used = offset < VGPU_CONFIG_USED ?
		   min(len, VGPU_CONFIG_USED - offset) : 0;

	if (len == 4 && used == len) {
		put_unaligned_le32(get_unaligned_le32(model->config + offset),
				   buf);
	} else {
		/* Behind it not even the address may be computed. */
		if (used)
			memcpy(buf, model->config + offset, used);
		memset(buf + used, 0, len - used);
	}
	/* Drivers that share an INTx line ask here whose interrupt it is. */
	if (offset <= PCI_STATUS && PCI_STATUS < offset + len &&
	    !vgpu_config_msix(model) && vgpu_event_pending(model))
		((u8 *)buf)[PCI_STATUS - offset] |= PCI_STATUS_INTERRUPT;
}

/**
 * vgpu_config_write() - write the writable bits of config space
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_CONFIG_SIZE
 *
 * Return: whether the guest asked for a function-level reset
 */
bool vgpu_config_write(struct vgpu_model *model, u32 offset, const void *buf,
		       u32 len)
{
	const u32 flr = CAP_EXP + PCI_EXP_DEVCTL + 1;
	const u8 *new = buf;
	u32 i;

	for (i = 0; i < len && offset + i < VGPU_CONFIG_USED; i++) {
		u8 mask = model->config_mask[offset + i];
		u8 *reg = &model->config[offset + i];

		*reg = (*reg & ~mask) | (new[i] & mask);
	}
	model->changed |= VGPU_CHANGED_BARS | VGPU_CHANGED_EVENTS;
	return offset <= flr && flr < offset + len &&
	       (new[flr - offset] & (PCI_EXP_DEVCTL_BCR_FLR >> 8));
}

/**
 * vgpu_config_load() - take over the config space of another vGPU
 * @model: the model
 * @config: VGPU_CONFIG_USED bytes
 *
 * Return: false if anything differs that a guest cannot write; nothing has
 * changed then
 */
bool vgpu_config_load(struct vgpu_model *model, const u8 *config)
{
	u32 i;

	for (i = 0; i < VGPU_CONFIG_USED; i++)
		if ((config[i] ^ model->config[i]) & ~model->config_mask[i])
			return false;
	memcpy(model->config, config, VGPU_CONFIG_USED);
	return true;
}

/**
 * vgpu_config_intx() - whether interrupts go out as INTx
 * @model: the model
 *
 * Return: false when they do as MSI-X, or not at all
 */
bool vgpu_config_intx(const struct vgpu_model *model)
{
	return !(model->config[PCI_COMMAND + 1] &
		 (PCI_COMMAND_INTX_DISABLE >> 8)) &&
	       !vgpu_config_msix(model) && vgpu_config_d0(model);
}

/**
 * vgpu_config_messages() - whether interrupts go out as MSI-X
 * @model: the model
 *
 * A message is a write to memory, and without bus mastering or outside D0 a device
 * makes none.
 *
 * Return: false when they do as INTx, or have to wait
 */
bool vgpu_config_messages(const struct vgpu_model *model)
{
	u8 flags = model->config[CAP_MSIX + PCI_MSIX_FLAGS + 1];

	return (flags & (PCI_MSIX_FLAGS_ENABLE >> 8)) &&
	       !(flags & (PCI_MSIX_FLAGS_MASKALL >> 8)) &&
	       (model->config[PCI_COMMAND] & PCI_COMMAND_MASTER) &&
	       vgpu_config_d0(model);
}
