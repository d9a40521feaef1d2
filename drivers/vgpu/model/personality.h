/* SPDX-License-Identifier: GPL-2.0 */
/* What a vGPU presents itself as: everything that differs between kinds of device. */
#ifndef _VGPU_PERSONALITY_H
#define _VGPU_PERSONALITY_H

#include <linux/types.h>

#include "model/profile.h"

struct vgpu_model;

/* Events of a vGPU.  How a guest is notified is up to the personality. */
enum vgpu_event {
	VGPU_EVENT_MONITOR,	/* the VMM plugged or unplugged the monitor of head 0 */
	VGPU_EVENT_ECC,		/* a double-bit error stopped the engines */
	VGPU_EVENT_FRAME,	/* VGPU_EVENT_FRAME + n: a frame ended on head n */
};

/**
 * struct vgpu_personality - one kind of device
 * @version: of the device, major << 16 | minor, for migration_version
 * @features: that guests can see, which a migration's target must have
 * @nr_doorbells: registers that can be written by an eventfd; they are in BAR4
 * @executes: guests send commands, which device/exec.c executes
 * @plugs: a head can be without a monitor
 * @vectors: how many MSI-X vectors it has with a type
 * @init: power on: fill in config space; the model is zeroed, but for the profile
 * @reset: function-level reset of what is the personality's own
 * @raise: an enum vgpu_event has happened
 * @line: whether the INTx pin is asserted while INTx is used
 * @format_bytes: bytes of a pixel of a DRM format, 0 for one that heads cannot show
 * @kick: a doorbell rang so many times, by eventfd; a write of the register leads to
 *	the same function.  NULL without doorbells
 * @sent: messages of these vectors have been sent; NULL where an event stays pending
 *	until the guest clears it
 *
 * The caller serialises all calls for one model.  Register accesses are not among
 * these operations, because a guest waits for them: front/ calls them directly.
 */
struct vgpu_personality {
	u32 version;
	u64 features;
	u32 nr_doorbells;
	bool executes;
	bool plugs;
	u32 (*vectors)(const struct vgpu_profile *profile);
	void (*init)(struct vgpu_model *model);
	void (*reset)(struct vgpu_model *model);
	void (*raise)(struct vgpu_model *model, u32 event);
	u32 (*format_bytes)(u32 format);
	bool (*line)(const struct vgpu_model *model);
	void (*kick)(struct vgpu_model *model, u32 doorbell, u32 times);
	void (*sent)(struct vgpu_model *model, u32 vectors);
};

extern const struct vgpu_personality vgpu_bochs;
extern const struct vgpu_personality vgpu_virtio;

/* By vgpu_profile.personality. */
extern const struct vgpu_personality *const
vgpu_personalities[VGPU_NR_PERSONALITIES];

static inline const struct vgpu_personality *
vgpu_personality(const struct vgpu_profile *profile)
{
	return vgpu_personalities[profile->personality];
}

#endif /* _VGPU_PERSONALITY_H */
