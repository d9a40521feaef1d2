// SPDX-License-Identifier: GPL-2.0
/*
 * Native registers of a vGPU, in BAR4: identification, interrupts, heads.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model.h"

/* Bits of events that this vGPU can have. */
static u32 vgpu_native_irqs(const struct vgpu_model *model)
{
	return (1U << vgpu_config_vectors(model->profile)) - 1;
}

/**
 * vgpu_native_read() - read a register before the heads' blocks
 * @model: the model
 * @reg: number of the register, its offset / 4
 */
u32 vgpu_native_read(struct vgpu_model *model, u32 reg)
{
	const struct vgpu_profile *profile = model->profile;

	switch (reg * 4) {
	case VGPU_REG_MAGIC:
		return VGPU_MAGIC;
	case VGPU_REG_VERSION:
		return VGPU_VERSION;
	case VGPU_REG_FEATURES:
		return VGPU_FEATURE_VBLANK;
	case VGPU_REG_NUM_HEADS:
		return profile->num_heads;
	case VGPU_REG_FB_SIZE_LO:
		return lower_32_bits(profile->fb_size);
	case VGPU_REG_FB_SIZE_HI:
		return upper_32_bits(profile->fb_size);
	case VGPU_REG_MAX_WIDTH:
		return profile->max_width;
	case VGPU_REG_MAX_HEIGHT:
		return profile->max_height;
	case VGPU_REG_NUM_VECTORS:
		return vgpu_config_vectors(profile);
	case VGPU_REG_IRQ_STATUS:
		return model->irq_status;
	case VGPU_REG_IRQ_ENABLE:
		return model->irq_enable;
	default:
		return 0;
	}
}

/**
 * vgpu_native_write() - write a register before the heads' blocks
 * @model: the model
 * @reg: number of the register, its offset / 4; read-only ones ignore it
 * @value: 32 bits
 */
void vgpu_native_write(struct vgpu_model *model, u32 reg, u32 value)
{
	switch (reg * 4) {
	case VGPU_REG_IRQ_STATUS:
		model->irq_status &= ~value;
		break;
	case VGPU_REG_IRQ_ENABLE:
		model->irq_enable = value & vgpu_native_irqs(model);
		break;
	}
}

/**
 * vgpu_head_read() - read a register of a head's block
 * @model: the model
 * @reg: counted from the block of head 0
 *
 * Return: its value; 0 for a head that the type does not have
 */
u32 vgpu_head_read(struct vgpu_model *model, u32 reg)
{
	static const struct vgpu_scanout off;
	const struct vgpu_scanout *scanout = &off;
	u32 head = reg * 4 / VGPU_HEAD_SIZE;

	if (head >= model->profile->num_heads)
		return 0;
	if (!head)
		scanout = &model->scanout;
	switch (reg * 4 % VGPU_HEAD_SIZE) {
	case VGPU_HEAD_WIDTH:
		return scanout->width;
	case VGPU_HEAD_HEIGHT:
		return scanout->height;
	case VGPU_HEAD_PITCH:
		return scanout->pitch;
	case VGPU_HEAD_FORMAT:
		return scanout->format;
	case VGPU_HEAD_OFFSET_LO:
		return lower_32_bits(scanout->offset);
	case VGPU_HEAD_OFFSET_HI:
		return upper_32_bits(scanout->offset);
	case VGPU_HEAD_VBLANKS:
		return model->vblanks[head];
	default:
		return 0;
	}
}

/**
 * vgpu_msix_read() - read the MSI-X table
 * @model: the model
 * @reg: four to an entry
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
 * vgpu_native_event() - something has happened that may interrupt
 * @model: the model
 * @irq: VGPU_IRQ_*
 */
void vgpu_native_event(struct vgpu_model *model, u32 irq)
{
	model->irq_status |= 1U << irq;
}

/**
 * vgpu_native_vblank() - a head has shown a frame
 * @model: the model
 * @head: one that the type has
 */
void vgpu_native_vblank(struct vgpu_model *model, u32 head)
{
	model->vblanks[head]++;
	vgpu_native_event(model, VGPU_IRQ_HEAD(head));
}

/**
 * vgpu_native_pending() - events that interrupt now
 * @model: the model
 *
 * Return: a bit for each VGPU_IRQ_*
 */
u32 vgpu_native_pending(const struct vgpu_model *model)
{
	return model->irq_status & model->irq_enable;
}
