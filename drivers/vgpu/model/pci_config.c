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
#include <linux/pci_regs.h>
#include <linux/string.h>

#include "compat/unaligned.h"
#include "model/event.h"
#include "model/pci_config.h"

/* Capabilities that every vGPU has; a personality adds its own behind. */
#define CAP_PM		VGPU_CONFIG_PM
#define CAP_MSIX	VGPU_CONFIG_MSIX
#define CAP_EXP		VGPU_CONFIG_EXP

/**
 * vgpu_config_add_cap() - add a capability
 * @model: the model
 * @after: position of the one before in the list; 0 for the first
 * @pos: its position
 * @id: PCI_CAP_ID_*
 *
 * Return: where it is
 */
u8 *vgpu_config_add_cap(struct vgpu_model *model, u8 after, u8 pos, u8 id)
{
	u8 *next = model->config + (after ? after + PCI_CAP_LIST_NEXT :
					    PCI_CAPABILITY_LIST);
	u8 *cap = model->config + pos;

	cap[PCI_CAP_LIST_ID] = id;
	cap[PCI_CAP_LIST_NEXT] = *next;
	*next = pos;
	return cap;
}

/* Power states are kept.  Memory is off in D3hot; nothing is lost there. */
static void vgpu_config_init_pm(struct vgpu_model *model)
{
	u8 *cap = vgpu_config_add_cap(model, 0, CAP_PM, PCI_CAP_ID_PM);

	put_unaligned_le16(3, cap + PCI_PM_PMC);
	put_unaligned_le16(PCI_PM_CTRL_NO_SOFT_RESET, cap + PCI_PM_CTRL);
	put_unaligned_le16(PCI_PM_CTRL_STATE_MASK,
			   model->config_mask + CAP_PM + PCI_PM_CTRL);
}

static void vgpu_config_init_msix(struct vgpu_model *model,
				  const struct vgpu_config_id *id)
{
	u8 *cap = vgpu_config_add_cap(model, CAP_PM, CAP_MSIX,
				      PCI_CAP_ID_MSIX);

	put_unaligned_le16(vgpu_config_vectors(model->profile) - 1,
			   cap + PCI_MSIX_FLAGS);
	put_unaligned_le16(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
			   model->config_mask + CAP_MSIX + PCI_MSIX_FLAGS);
	put_unaligned_le32(id->msix_table | id->msix_bar, cap + PCI_MSIX_TABLE);
	put_unaligned_le32(id->msix_pba | id->msix_bar, cap + PCI_MSIX_PBA);
}

/* An endpoint with function-level reset and the slowest link there is. */
static void vgpu_config_init_exp(struct vgpu_model *model)
{
	u8 *cap = vgpu_config_add_cap(model, CAP_MSIX, CAP_EXP,
				      PCI_CAP_ID_EXP);

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
			   model->config_mask + CAP_EXP + PCI_EXP_DEVCTL);
}

/**
 * vgpu_config_init() - fill in what every vGPU has
 * @model: its profile is set; the image and the mask are zeroed
 * @id: what the personality has to say
 */
void vgpu_config_init(struct vgpu_model *model, const struct vgpu_config_id *id)
{
	u8 *config = model->config;
	u8 *mask = model->config_mask;

	put_unaligned_le16(id->vendor, config + PCI_VENDOR_ID);
	put_unaligned_le16(id->device, config + PCI_DEVICE_ID);
	put_unaligned_le32(id->class << 8 | id->revision,
			   config + PCI_CLASS_REVISION);
	put_unaligned_le16(id->subsystem_vendor,
			   config + PCI_SUBSYSTEM_VENDOR_ID);
	put_unaligned_le16(id->subsystem, config + PCI_SUBSYSTEM_ID);

	put_unaligned_le16(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			   PCI_COMMAND_INTX_DISABLE, mask + PCI_COMMAND);
	mask[PCI_CACHE_LINE_SIZE] = 0xff;
	mask[PCI_LATENCY_TIMER] = 0xff;
	mask[PCI_INTERRUPT_LINE] = 0xff;

	config[PCI_INTERRUPT_PIN] = 1;
	put_unaligned_le16(PCI_STATUS_CAP_LIST, config + PCI_STATUS);
	vgpu_config_init_pm(model);
	vgpu_config_init_msix(model, id);
	vgpu_config_init_exp(model);
}

/**
 * vgpu_config_add_bar() - add a memory BAR
 * @model: the model
 * @bar: its number; one of 64 bits takes the next number, too
 * @size: bytes, a power of two
 * @flags: PCI_BASE_ADDRESS_MEM_*
 */
void vgpu_config_add_bar(struct vgpu_model *model, u32 bar, u64 size, u32 flags)
{
	u32 pos = PCI_BASE_ADDRESS_0 + 4 * bar;

	put_unaligned_le32(flags, model->config + pos);
	put_unaligned_le32(lower_32_bits(~(size - 1)),
			   model->config_mask + pos);
	if (flags & PCI_BASE_ADDRESS_MEM_TYPE_64)
		put_unaligned_le32(upper_32_bits(~(size - 1)),
				   model->config_mask + pos + 4);
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
	    !vgpu_config_msix(model) && vgpu_event_line(model))
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
