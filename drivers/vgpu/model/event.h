/* SPDX-License-Identifier: GPL-2.0 */
/* Events of the device model, and the interrupts that follow. */
#ifndef _VGPU_EVENT_H
#define _VGPU_EVENT_H

#include "model/model.h"
#include "model/personality.h"

bool vgpu_event_valid(const struct vgpu_model *model);
u32 vgpu_msix_read(struct vgpu_model *model, u32 reg);
void vgpu_msix_write(struct vgpu_model *model, u32 reg, u32 value);
u32 vgpu_pba_read(struct vgpu_model *model, u32 reg);

/**
 * vgpu_event_mask() - messages that a vGPU can send
 * @model: the model
 *
 * Return: a bit for each MSI-X vector
 */
static inline u32 vgpu_event_mask(const struct vgpu_model *model)
{
	return (1U << vgpu_personality(model->profile)->vectors(model->profile)) - 1;
}

/**
 * vgpu_event_raise() - something has happened that may interrupt
 * @model: the model
 * @event: enum vgpu_event
 */
static inline void vgpu_event_raise(struct vgpu_model *model, u32 event)
{
	vgpu_personality(model->profile)->raise(model, event);
}

/**
 * vgpu_event_pending() - messages that are due
 * @model: the model
 *
 * Return: a bit for each MSI-X vector
 */
static inline u32 vgpu_event_pending(const struct vgpu_model *model)
{
	return model->irq_status & model->irq_enable;
}

/**
 * vgpu_event_line() - whether the device asserts INTx, where that is in use
 * @model: the model
 *
 * Return: true if it does
 */
static inline bool vgpu_event_line(const struct vgpu_model *model)
{
	return vgpu_personality(model->profile)->line(model);
}

/**
 * vgpu_event_sent() - messages have been sent
 * @model: the model
 * @vectors: a bit for each MSI-X vector
 *
 * Return: whether they are not pending any more
 */
static inline bool vgpu_event_sent(struct vgpu_model *model, u32 vectors)
{
	const struct vgpu_personality *p = vgpu_personality(model->profile);

	if (!p->sent || !vectors)
		return false;
	p->sent(model, vectors);
	return true;
}

#endif /* _VGPU_EVENT_H */
