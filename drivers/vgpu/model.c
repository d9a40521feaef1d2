// SPDX-License-Identifier: GPL-2.0
/*
 * The device model as a whole: power-on and reset.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "model.h"

/* What a guest without a wish of its own gets; every type can show it. */
#define VGPU_PREFERRED_WIDTH	1280
#define VGPU_PREFERRED_HEIGHT	800

/**
 * vgpu_model_init() - power on
 * @model: all its memory belongs to this call
 * @profile: must stay valid as long as @model
 */
void vgpu_model_init(struct vgpu_model *model,
		     const struct vgpu_profile *profile)
{
	memset(model, 0, sizeof(*model));
	model->profile = profile;
	vgpu_config_init(model);
	vgpu_edid_generate(model->edid,
			   min_t(u32, VGPU_PREFERRED_WIDTH, profile->max_width),
			   min_t(u32, VGPU_PREFERRED_HEIGHT,
				 profile->max_height),
			   profile->max_width, profile->max_height);
	vgpu_model_reset(model);
}

/**
 * vgpu_model_reset() - function-level reset
 * @model: the model; what the VMM gave it (EDID) and counters stay
 */
void vgpu_model_reset(struct vgpu_model *model)
{
	vgpu_config_reset(model);
	vgpu_dispi_reset(model);
	model->irq_status = 0;
	model->irq_enable = 0;
	memset(model->msix, 0, sizeof(model->msix));
	memset(model->vblanks, 0, sizeof(model->vblanks));
}
