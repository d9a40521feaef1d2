// SPDX-License-Identifier: GPL-2.0
/*
 * The device model as a whole: power-on, reset, and errors of its memory.
 */
#include <linux/string.h>

#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"

const struct vgpu_personality *const vgpu_personalities[] = {
	[VGPU_BOCHS] = &vgpu_bochs,
	[VGPU_VIRTIO] = &vgpu_virtio,
};

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
	model->frl_hz = profile->frl_hz;
	vgpu_personality(profile)->init(model);
	vgpu_link_init(model, 0, 0);
	model->plugged = 1;
	vgpu_model_reset(model);
}

/**
 * vgpu_model_reset() - function-level reset
 * @model: the model; what the VMM gave it (the link), the frame-rate limit,
 *	whether its pGPU has ECC on, and the count of bad accesses stay
 */
void vgpu_model_reset(struct vgpu_model *model)
{
	vgpu_config_reset(model);
	vgpu_heads_reset(model);
	vgpu_personality(model->profile)->reset(model);
	model->irq_status = 0;
	model->ecc = (struct vgpu_ecc){ .on = model->ecc.on };
	memset(model->msix, 0, sizeof(model->msix));
	model->msix_pending = 0;
	model->changed |= VGPU_CHANGED_ALL;
}

/**
 * vgpu_model_runs() - whether engines take new work
 * @model: the model
 *
 * Return: false between a double-bit error and a reset
 */
bool vgpu_model_runs(const struct vgpu_model *model)
{
	return !model->ecc.error;
}

/**
 * vgpu_model_ecc() - an error in the framebuffer's memory
 * @model: the model
 * @dbe: a double-bit one, which stops engines and is an event; others have been
 *	corrected and are counted
 * @page: page number in the framebuffer, of 4 KiB
 */
void vgpu_model_ecc(struct vgpu_model *model, bool dbe, u64 page)
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
	model->changed |= VGPU_CHANGED_BARS;
	vgpu_event_raise(model, VGPU_EVENT_ECC);
}
