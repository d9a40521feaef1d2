// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of the device model, as far as all personalities have them in common.
 */
#include "model/event.h"

/**
 * vgpu_event_valid() - whether interrupts and errors can be as they are
 * @model: the model
 *
 * Return: false for events or pages that this vGPU cannot have
 */
bool vgpu_event_valid(const struct vgpu_model *model)
{
	return !((model->irq_status | model->irq_enable) &
		 ~vgpu_event_mask(model)) &&
	       model->ecc.page < model->profile->fb_size >> 12;
}

/**
 * vgpu_msix_read() - read the MSI-X table
 * @model: the model
 * @reg: four to an entry
 *
 * Return: its value
 */
u32 vgpu_msix_read(struct vgpu_model *model, u32 reg)
{
	return model->msix[reg];
}

/**
 * vgpu_msix_write() - write the MSI-X table
 * @model: the model
 * @reg: four to an entry
 * @value: kept, without effect: VFIO interrupts are set up by ioctl
 */
void vgpu_msix_write(struct vgpu_model *model, u32 reg, u32 value)
{
	model->msix[reg] = value;
}

/**
 * vgpu_pba_read() - read the pending bits of MSI-X
 * @model: the model
 * @reg: 32 to a register
 *
 * Return: its value
 */
u32 vgpu_pba_read(struct vgpu_model *model, u32 reg)
{
	return reg ? 0 : model->msix_pending;
}
