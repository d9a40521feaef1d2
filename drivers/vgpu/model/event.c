// SPDX-License-Identifier: GPL-2.0
/*
 * Events of the device model, which interrupt if the guest wants them to.
 */
#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"

/**
 * vgpu_event_mask() - events that a vGPU can have
 * @model: the model
 *
 * Return: a bit for each VGPU_IRQ_*
 */
u32 vgpu_event_mask(const struct vgpu_model *model)
{
	return (1U << vgpu_config_vectors(model->profile)) - 1;
}

/**
 * vgpu_event_raise() - something has happened that may interrupt
 * @model: the model
 * @irq: VGPU_IRQ_*
 */
void vgpu_event_raise(struct vgpu_model *model, u32 irq)
{
	model->irq_status |= 1U << irq;
	model->changed |= VGPU_CHANGED_EVENTS;
}

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
 * vgpu_event_pending() - events that interrupt now
 * @model: the model
 *
 * Return: a bit for each VGPU_IRQ_*
 */
u32 vgpu_event_pending(const struct vgpu_model *model)
{
	return model->irq_status & model->irq_enable;
}
