/* SPDX-License-Identifier: GPL-2.0 */
/* PCI config space. */
#ifndef _VGPU_PCI_CONFIG_H
#define _VGPU_PCI_CONFIG_H

#include <linux/pci_regs.h>
#include <linux/types.h>

#include "model/model.h"
#include "model/personality.h"

#define VGPU_CONFIG_SIZE	4096
#define VGPU_CONFIG_PM		0x40	/* power management capability */
#define VGPU_CONFIG_MSIX	0x48
#define VGPU_CONFIG_EXP		0x60	/* PCI Express capability, up to 0x9c */

/**
 * struct vgpu_config_id - what a personality has in config space
 * @vendor: PCI ids
 * @device: the same
 * @subsystem_vendor: the same
 * @subsystem: the same
 * @class: base class, sub-class and programming interface
 * @revision: of the device
 * @msix_bar: number of the BAR with the MSI-X table and pending bits
 * @msix_table: where in that BAR, in bytes
 * @msix_pba: the same for the pending bits
 */
struct vgpu_config_id {
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem;
	u32 class;
	u8 revision;
	u8 msix_bar;
	u32 msix_table;
	u32 msix_pba;
};

/**
 * vgpu_config_d0() - whether the device is powered
 * @model: the model
 *
 * Return: true in D0
 */
static inline bool vgpu_config_d0(const struct vgpu_model *model)
{
	return !(model->config[VGPU_CONFIG_PM + PCI_PM_CTRL] &
		 PCI_PM_CTRL_STATE_MASK);
}

/**
 * vgpu_config_memory() - whether the BARs answer
 * @model: the model
 *
 * Return: true with memory space enabled in COMMAND and the device in D0
 */
static inline bool vgpu_config_memory(const struct vgpu_model *model)
{
	return (model->config[PCI_COMMAND] & PCI_COMMAND_MEMORY) &&
	       vgpu_config_d0(model);
}

/**
 * vgpu_config_vectors() - how many MSI-X vectors a vGPU has
 * @profile: its type's properties
 *
 * Return: 1 to VGPU_NR_IRQS
 */
static inline u32 vgpu_config_vectors(const struct vgpu_profile *profile)
{
	return vgpu_personality(profile)->vectors(profile);
}

void vgpu_config_init(struct vgpu_model *model, const struct vgpu_config_id *id);
void vgpu_config_add_bar(struct vgpu_model *model, u32 bar, u64 size, u32 flags);
u8 *vgpu_config_add_cap(struct vgpu_model *model, u8 after, u8 pos, u8 id);
void vgpu_config_reset(struct vgpu_model *model);
void vgpu_config_read(const struct vgpu_model *model, u32 offset, void *buf,
		      u32 len);
bool vgpu_config_write(struct vgpu_model *model, u32 offset, const void *buf,
		       u32 len);
bool vgpu_config_load(struct vgpu_model *model, const u8 *config);
bool vgpu_config_intx(const struct vgpu_model *model);
bool vgpu_config_messages(const struct vgpu_model *model);

#endif /* _VGPU_PCI_CONFIG_H */
