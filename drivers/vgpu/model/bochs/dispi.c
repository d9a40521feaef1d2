// SPDX-License-Identifier: GPL-2.0
/*
 * Display of head 0 through the Bochs dispi registers, as QEMU's bochs-display
 * has them (docs/specs/standard-vga.rst in the QEMU source).
 *
 * The guest writes a mode piece by piece and turns it on last.  Any
 * combination of values may be in the registers; only a mode that is possible
 * becomes a scanout, everything else shows nothing.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "model/bochs/bochs.h"
#include "model/model.h"

/*
 * Derive a scanout from the registers.  All arithmetic is in 64 bits: every
 * factor is at most 16 bits wide but for the pitch, so nothing can wrap.
 */
static void vgpu_dispi_scanout(const struct vgpu_model *model,
			       struct vgpu_scanout *scanout)
{
	const u16 *reg = model->dispi;
	const struct vgpu_format *format;
	u64 pitch;
	u32 i;

	memset(scanout, 0, sizeof(*scanout));
	for (i = 0; i < VGPU_NR_FORMATS; i++)
		if (vgpu_formats[i].bpp == reg[VGPU_DISPI_BPP])
			break;
	if (i == VGPU_NR_FORMATS)
		return;
	format = &vgpu_formats[i];

	/* A virtual width below the visible one means: no more than visible. */
	pitch = (u64)max(reg[VGPU_DISPI_VIRT_WIDTH], reg[VGPU_DISPI_XRES]) *
		format->bytes;
	scanout->format = format->format;
	scanout->width = reg[VGPU_DISPI_XRES];
	scanout->height = reg[VGPU_DISPI_YRES];
	scanout->pitch = pitch;
	scanout->offset = reg[VGPU_DISPI_Y_OFFSET] * pitch +
			  (u64)reg[VGPU_DISPI_X_OFFSET] * format->bytes;
}

/*
 * The head can be set here and in BAR4.  Who writes last has it; registers
 * that are written here with the mode off do not take it away.
 */
static void vgpu_dispi_update(struct vgpu_model *model)
{
	bool on = model->dispi[VGPU_DISPI_ENABLE] & VGPU_DISPI_ENABLED;
	struct vgpu_scanout scanout = { };

	if (!on && !model->dispi_on)
		return;
	model->dispi_on = on;
	if (on && !model->blanked)
		vgpu_dispi_scanout(model, &scanout);
	if (!vgpu_scanout_valid(model->profile, &scanout))
		memset(&scanout, 0, sizeof(scanout));
	vgpu_head_show(model, 0, &scanout);
}

/**
 * vgpu_dispi_reset() - back to power-on state: no mode
 * @model: its heads have been reset
 */
void vgpu_dispi_reset(struct vgpu_model *model)
{
	memset(model->dispi, 0, sizeof(model->dispi));
	model->att_data = false;
	model->blanked = false;
	model->dispi_on = false;
}

/**
 * vgpu_dispi_read() - read a dispi register
 * @model: the model
 * @reg: VGPU_DISPI_*
 *
 * Return: its value
 */
u32 vgpu_dispi_read(struct vgpu_model *model, u32 reg)
{
	const struct vgpu_profile *profile = model->profile;
	bool caps = model->dispi[VGPU_DISPI_ENABLE] & VGPU_DISPI_GETCAPS;

	switch (reg) {
	case VGPU_DISPI_ID:
		return VGPU_DISPI_ID_VALUE;
	case VGPU_DISPI_VIDEO_MEMORY_64K:
		/*
		 * bochs-drm multiplies it in an int and would take what
		 * overflows for all of the BAR, of which the framebuffer need
		 * not be all.
		 */
		return min_t(u64, profile->fb_size >> 16, S16_MAX);
	case VGPU_DISPI_XRES:
		return caps ? profile->max_width : model->dispi[reg];
	case VGPU_DISPI_YRES:
		return caps ? profile->max_height : model->dispi[reg];
	case VGPU_DISPI_BPP:
		return caps ? 32 : model->dispi[reg];
	default:
		return model->dispi[reg];
	}
}

/**
 * vgpu_dispi_write() - write a dispi register
 * @model: the model
 * @reg: VGPU_DISPI_*; read-only ones ignore it
 * @value: 16 bits
 */
void vgpu_dispi_write(struct vgpu_model *model, u32 reg, u32 value)
{
	if (reg == VGPU_DISPI_ID || reg == VGPU_DISPI_VIDEO_MEMORY_64K)
		return;
	/* Guests that do not use the VGA ports expect a picture. */
	if (reg == VGPU_DISPI_ENABLE && (value & VGPU_DISPI_ENABLED))
		model->blanked = false;
	model->dispi[reg] = value;
	vgpu_dispi_update(model);
}

/**
 * vgpu_vga_read() - read one of the VGA ports 0x3c0 to 0x3df
 * @model: the model
 * @reg: port - 0x3c0
 *
 * Return: 0; reading input status 1 makes the attribute port take an index.
 */
u32 vgpu_vga_read(struct vgpu_model *model, u32 reg)
{
	if (reg == VGPU_VGA_STATUS1 - VGPU_BAR2_VGA)
		model->att_data = false;
	return 0;
}

/**
 * vgpu_vga_write() - write one of the VGA ports 0x3c0 to 0x3df
 * @model: the model
 * @reg: port - 0x3c0
 * @value: 8 bits
 *
 * bochs-drm blanks the picture with the PAS bit of the attribute index.
 */
void vgpu_vga_write(struct vgpu_model *model, u32 reg, u32 value)
{
	bool blank = !(value & VGPU_VGA_ATT_ENABLE);

	if (reg != VGPU_VGA_ATT - VGPU_BAR2_VGA)
		return;
	if (!model->att_data && model->blanked != blank) {
		model->blanked = blank;
		vgpu_dispi_update(model);
	}
	model->att_data = !model->att_data;
}
