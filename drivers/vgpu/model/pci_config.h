/* SPDX-License-Identifier: GPL-2.0 */
/* PCI config space. */
#ifndef _VGPU_PCI_CONFIG_H
#define _VGPU_PCI_CONFIG_H

#include <linux/pci_regs.h>
#include <linux/types.h>

#include "model/model.h"

#define VGPU_CONFIG_SIZE	4096
#define VGPU_CONFIG_PM		0x40	/* power management capability */

/* BAR0: power of two that holds the framebuffer. */
u64 vgpu_bar0_size(const struct vgpu_profile *profile);

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

void vgpu_config_init(struct vgpu_model *model);
void vgpu_config_reset(struct vgpu_model *model);
void vgpu_config_read(const struct vgpu_model *model, u32 offset, void *buf,
		      u32 len);
bool vgpu_config_write(struct vgpu_model *model, u32 offset, const void *buf,
		       u32 len);
bool vgpu_config_load(struct vgpu_model *model, const u8 *config);
bool vgpu_config_intx(const struct vgpu_model *model);
bool vgpu_config_messages(const struct vgpu_model *model);
u32 vgpu_config_vectors(const struct vgpu_profile *profile);

#endif /* _VGPU_PCI_CONFIG_H */
