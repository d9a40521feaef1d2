/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device model: what the guest sees of a vGPU.  Config space, registers,
 * display.  Calls no VFIO and touches no user memory, so that the same files
 * build in user space for unit tests and fuzzing.
 *
 * Nothing here locks: the caller serialises all calls for one model.
 */
#ifndef _VGPU_MODEL_H
#define _VGPU_MODEL_H

#include <linux/types.h>
#include <linux/vgpu.h>

#include "model/display.h"
#include "model/monitor.h"
#include "model/profile.h"
#include "model/virtio/virtio.h"

/* What of PCI config space is not zero; the rest takes no memory. */
#define VGPU_CONFIG_USED	256

/**
 * struct vgpu_ecc - errors of the framebuffer's memory
 * @on: errors are detected
 * @opt_out: the guest has turned notification and counts off
 * @error: content is lost, no new work until reset
 * @sbe: single-bit errors
 * @dbe: double-bit errors
 * @page: page of the last of the latter
 */
struct vgpu_ecc {
	bool on;
	bool opt_out;
	bool error;
	u32 sbe;
	u32 dbe;
	u32 page;
};

/* What others than the guest have to act on. */
#define VGPU_CHANGED_HEADS	0x1	/* what a head shows */
#define VGPU_CHANGED_EVENTS	0x2	/* what interrupts, and how */
#define VGPU_CHANGED_BARS	0x4	/* whether BARs answer, and engines run */
#define VGPU_CHANGED_ALL	0x7
#define VGPU_CHANGED_WORK	0x8	/* there are commands to execute */

/**
 * struct vgpu_model - all state of a vGPU that the guest can read or write
 * @profile: the type's properties
 * @config: PCI config space as the guest reads it; zeroes follow
 * @config_mask: which bits of @config the guest can write
 * @edid: the EDID of head 0, padded with zeroes; all zero with the link down
 * @link: what the VMM has to say about it
 * @plugged: heads with a monitor; that of head 0 is also up to @link
 * @dispi: dispi registers as last written
 * @att_data: the next write to the VGA attribute port is data, not an index
 * @blanked: the guest turned the picture off through the attribute port
 * @dispi_on: head 0 shows what @dispi says, and not what BAR4 has set
 * @heads: display outputs
 * @changed: what may have changed, VGPU_CHANGED_*; cleared by who acts on it
 * @default_edid: of the monitor that a head has unless the VMM plugs in another
 * @frl_hz: most frames a second, 0 for no limit
 * @ecc: errors of its memory
 * @doorbells: how often any was rung while doorbells were not ignored
 * @irq_status: events that the guest has not cleared, by VGPU_IRQ_*
 * @irq_enable: which of them interrupt
 * @msix: MSI-X table as written; the VMM has the one that counts
 * @msix_pending: events whose MSI-X waits until messages may be sent
 * @virtio: registers of a vGPU that is a virtio-gpu
 * @bad_access: register accesses that named no register
 */
struct vgpu_model {
	const struct vgpu_profile *profile;
	u8 config[VGPU_CONFIG_USED];
	u8 config_mask[VGPU_CONFIG_USED];
	u8 edid[VGPU_BAR2_EDID_SIZE];
	struct vgpu_link link;
	u32 plugged;
	u16 dispi[VGPU_DISPI_NR];
	bool att_data;
	bool blanked;
	bool dispi_on;
	struct vgpu_head heads[VGPU_MAX_HEADS];
	u32 changed;
	u8 default_edid[VGPU_EDID_BLOCK];
	u32 frl_hz;
	struct vgpu_ecc ecc;
	u32 doorbells;
	u32 irq_status;
	u32 irq_enable;
	u32 msix[VGPU_NR_IRQS * 4];
	u32 msix_pending;
	struct vgpu_virtio virtio;
	u64 bad_access;
};

void vgpu_model_init(struct vgpu_model *model,
		     const struct vgpu_profile *profile);
void vgpu_model_reset(struct vgpu_model *model);
bool vgpu_model_runs(const struct vgpu_model *model);
void vgpu_model_ecc(struct vgpu_model *model, bool dbe, u64 page);

#endif /* _VGPU_MODEL_H */
