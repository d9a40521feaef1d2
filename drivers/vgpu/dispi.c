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
#include <drm/drm_fourcc.h>

#include "model.h"

static const struct {
	u16 bpp;
	u32 bytes;
	u32 format;
} vgpu_dispi_formats[] = {
	{ 15, 2, DRM_FORMAT_XRGB1555 },
	{ 16, 2, DRM_FORMAT_RGB565 },
	{ 24, 3, DRM_FORMAT_RGB888 },
	{ 32, 4, DRM_FORMAT_XRGB8888 },
};

/*
 * Derive the scanout from the registers.  All arithmetic is in 64 bits: every
 * factor is at most 16 bits wide but for the pitch, so nothing can wrap.
 */
static void vgpu_dispi_update(struct vgpu_model *model)
{
	const struct vgpu_profile *profile = model->profile;
	struct vgpu_scanout *scanout = &model->scanout;
	const u16 *reg = model->dispi;
	u64 pitch, offset, end;
	u32 width, height, i;

	memset(scanout, 0, sizeof(*scanout));
	if (!(reg[VGPU_DISPI_ENABLE] & VGPU_DISPI_ENABLED) || model->blanked)
		return;

	for (i = 0; i < ARRAY_SIZE(vgpu_dispi_formats); i++)
		if (vgpu_dispi_formats[i].bpp == reg[VGPU_DISPI_BPP])
			break;
	if (i == ARRAY_SIZE(vgpu_dispi_formats))
		return;

	width = reg[VGPU_DISPI_XRES];
	height = reg[VGPU_DISPI_YRES];
	if (!width || width > profile->max_width ||
	    !height || height > profile->max_height)
		return;

	/* A virtual width below the visible one means: no more than visible. */
	pitch = (u64)max_t(u32, reg[VGPU_DISPI_VIRT_WIDTH], width) *
		vgpu_dispi_formats[i].bytes;
	/* QEMU hands the pitch to pixman, which counts it in words. */
	if (pitch % 4)
		return;
	offset = reg[VGPU_DISPI_Y_OFFSET] * pitch +
		 (u64)reg[VGPU_DISPI_X_OFFSET] * vgpu_dispi_formats[i].bytes;
	/* Whole lines, because that is what a VMM maps. */
	end = offset + height * pitch;
	if (end > profile->fb_size)
		return;

	scanout->format = vgpu_dispi_formats[i].format;
	scanout->width = width;
	scanout->height = height;
	scanout->pitch = pitch;
	scanout->offset = offset;
}

/**
 * vgpu_dispi_reset() - back to power-on state: no mode, nothing shown
 * @model: the model
 */
void vgpu_dispi_reset(struct vgpu_model *model)
{
	memset(model->dispi, 0, sizeof(model->dispi));
	model->att_data = false;
	model->blanked = false;
	vgpu_dispi_update(model);
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
	/* Guests that know nothing of the VGA ports expect a picture. */
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
	if (reg != VGPU_VGA_ATT - VGPU_BAR2_VGA)
		return;
	if (!model->att_data) {
		model->blanked = !(value & VGPU_VGA_ATT_ENABLE);
		vgpu_dispi_update(model);
	}
	model->att_data = !model->att_data;
}
