/* SPDX-License-Identifier: GPL-2.0 */
/* Events of the device model. */
#ifndef _VGPU_EVENT_H
#define _VGPU_EVENT_H

#include <linux/types.h>
#include <linux/vgpu.h>

struct vgpu_model;

u32 vgpu_event_mask(const struct vgpu_model *model);
void vgpu_event_raise(struct vgpu_model *model, u32 irq);
u32 vgpu_event_pending(const struct vgpu_model *model);
bool vgpu_event_valid(const struct vgpu_model *model);

#endif /* _VGPU_EVENT_H */
