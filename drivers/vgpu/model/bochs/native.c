// SPDX-License-Identifier: GPL-2.0
/*
 * Native registers of a vGPU, in BAR4: identification, interrupts,
 * doorbells.  The heads have a file of their own.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"

/**
 * vgpu_native_read() - read a register before the heads' blocks
 * @model: the model
 * @reg: number of the register, its offset / 4
 *
 * Return: its value
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
		return VGPU_FEATURES;
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
	case VGPU_REG_DOORBELLS:
		return model->doorbells;
	case VGPU_REG_ECC_CONTROL:
		return model->ecc.opt_out ? VGPU_ECC_OPT_OUT : 0;
	case VGPU_REG_ECC_STATUS:
		return (model->ecc.on && !model->ecc.opt_out ?
				VGPU_ECC_ON : 0) |
		       (model->ecc.error ? VGPU_ECC_ERROR : 0);
	case VGPU_REG_ECC_SBE:
		return model->ecc.sbe;
	case VGPU_REG_ECC_DBE:
		return model->ecc.dbe;
	case VGPU_REG_ECC_PAGE:
		return model->ecc.page;
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
	case VGPU_REG_ECC_CONTROL:
		model->ecc.opt_out = value & VGPU_ECC_OPT_OUT;
		break;
	case VGPU_REG_IRQ_STATUS:
		model->irq_status &= ~value;
		model->changed |= VGPU_CHANGED_EVENTS;
		break;
	case VGPU_REG_IRQ_ENABLE:
		model->irq_enable = value & vgpu_event_mask(model);
		model->changed |= VGPU_CHANGED_EVENTS;
		break;
	}
}

/**
 * vgpu_bochs_kick() - a doorbell rang
 * @model: the model
 * @doorbell: which one
 * @times: how often since the last call
 *
 * There is no engine yet, so rings are counted, unless an error has stopped what would
 * be the engine.
 */
void vgpu_bochs_kick(struct vgpu_model *model, u32 doorbell, u32 times)
{
	if (vgpu_model_runs(model))
		model->doorbells += times;
}

/**
 * vgpu_doorbell_write() - ring a doorbell
 * @model: the model
 * @reg: which one
 * @value: what it is rung with
 */
void vgpu_doorbell_write(struct vgpu_model *model, u32 reg, u32 value)
{
	vgpu_bochs_kick(model, reg, 1);
}
