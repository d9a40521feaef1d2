// SPDX-License-Identifier: GPL-2.0
/*
 * Native registers of a vGPU, in BAR4: identification, interrupts,
 * doorbells.  The heads have a file of their own.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/model.h"

/* Bits of events that this vGPU can have. */
static u32 vgpu_native_irqs(const struct vgpu_model *model)
{
	return (1U << vgpu_config_vectors(model->profile)) - 1;
}

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
		break;
	case VGPU_REG_IRQ_ENABLE:
		model->irq_enable = value & vgpu_native_irqs(model);
		break;
	}
}

/**
 * vgpu_doorbell_write() - ring a doorbell
 * @model: the model
 * @reg: which one
 * @value: what it is rung with
 *
 * There is nobody at home yet: that it rang is counted.
 */
void vgpu_doorbell_write(struct vgpu_model *model, u32 reg, u32 value)
{
	if (vgpu_native_runs(model))
		model->doorbells++;
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

/**
 * vgpu_native_runs() - whether engines take new work
 * @model: the model
 *
 * Return: false between a double-bit error and a reset
 */
bool vgpu_native_runs(const struct vgpu_model *model)
{
	return !model->ecc.error;
}

/**
 * vgpu_native_ecc() - an error in the framebuffer's memory
 * @model: the model
 * @dbe: a double-bit one, which stops engines and is an event; others have been
 *	corrected and are counted
 * @page: page number in the framebuffer, of 4 KiB
 */
void vgpu_native_ecc(struct vgpu_model *model, bool dbe, u64 page)
{
	struct vgpu_ecc *ecc = &model->ecc;

	if (!ecc->on || ecc->opt_out)
		return;
	if (!dbe) {
		ecc->sbe++;
		return;
	}
	ecc->dbe++;
	ecc->page = page;
	ecc->error = true;
	vgpu_native_event(model, VGPU_IRQ_CONFIG);
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
 * vgpu_native_valid() - whether interrupts and errors can be as they are
 * @model: the model
 *
 * Return: false for events or pages that this vGPU cannot have
 */
bool vgpu_native_valid(const struct vgpu_model *model)
{
	return !((model->irq_status | model->irq_enable) &
		 ~vgpu_native_irqs(model)) &&
	       model->ecc.page < model->profile->fb_size >> 12;
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
