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

#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vgpu.h>

#define VGPU_CONFIG_SIZE	4096
/* What of it is not zero; the rest takes no memory. */
#define VGPU_CONFIG_USED	256
#define VGPU_CONFIG_PM		0x40	/* power management capability */

/* What the guest reads in VGPU_REG_FEATURES. */
#define VGPU_FEATURES		(VGPU_FEATURE_VBLANK | VGPU_FEATURE_MODESET | \
				 VGPU_FEATURE_CURSOR | VGPU_FEATURE_ECC)

/* Limits that hold for every type. */
#define VGPU_MAX_HEADS		4
#define VGPU_FB_MIN		(16ULL << 20)
#define VGPU_FB_MAX		(1ULL << 40)

#define VGPU_EDID_BLOCK		128
#define VGPU_EDID_EXTENSIONS	126	/* how many blocks follow the first */

/**
 * struct vgpu_profile - the properties of a type that the guest can notice
 * @fb_size: framebuffer in bytes, a multiple of 2 MiB
 * @num_heads: display outputs, 1 to VGPU_MAX_HEADS
 * @frl_hz: frame-rate limit in frames a second, 0 for none
 * @max_width: largest width of a head in pixels
 * @max_height: largest height of a head in lines
 */
struct vgpu_profile {
	u64 fb_size;
	u32 num_heads;
	u32 frl_hz;
	u32 max_width;
	u32 max_height;
};

/**
 * struct vgpu_scanout - the picture that a head shows
 * @format: DRM fourcc, 0 when the head shows nothing
 * @width: in pixels
 * @height: in lines
 * @pitch: bytes from one line to the next
 * @offset: of the first byte, in the framebuffer
 */
struct vgpu_scanout {
	u32 format;
	u32 width;
	u32 height;
	u32 pitch;
	u64 offset;
};

/**
 * struct vgpu_cursor - the cursor of a head
 * @image: the picture of it; a format of 0 when it is hidden
 * @x: its left edge on the head, may be negative
 * @y: its upper edge
 * @hot_x: the pixel that points, in the image
 * @hot_y: its line
 */
struct vgpu_cursor {
	struct vgpu_scanout image;
	s16 x, y;
	u16 hot_x, hot_y;
};

/**
 * struct vgpu_head - a display output
 * @shown: what it shows
 * @next: what it shows from the next frame on while @flip is set, else zero
 * @flip: a flip waits
 * @refused: the last commit named something that cannot be shown
 * @cursor: on top of @shown
 * @vblanks: vertical blanking intervals
 * @flips: flips that were carried out
 * @regs: registers that the guest writes, by offset / 4
 */
struct vgpu_head {
	struct vgpu_scanout shown;
	struct vgpu_scanout next;
	bool flip;
	bool refused;
	struct vgpu_cursor cursor;
	u32 vblanks;
	u32 flips;
	u32 regs[VGPU_HEAD_SIZE / 4];
};

/**
 * struct vgpu_link - the cable of head 0, whose other end the VMM has
 * @up: a monitor is connected
 * @size: bytes of @blob that count
 * @blob: the EDID that the VMM is writing; it counts when the link goes up
 */
struct vgpu_link {
	bool up;
	u32 size;
	u8 blob[VGPU_BAR2_EDID_SIZE];
};

/**
 * struct vgpu_ecc - errors of the framebuffer's memory
 * @on: errors are noticed
 * @opt_out: the guest does not want to know
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

/**
 * struct vgpu_model - all state of a vGPU that the guest can read or write
 * @profile: the type's properties
 * @config: PCI config space as the guest reads it; zeroes follow
 * @config_mask: which bits of @config the guest can write
 * @edid: the EDID of head 0, padded with zeroes; all zero with the link down
 * @link: what the VMM has to say about it
 * @dispi: dispi registers as last written
 * @att_data: the next write to the VGA attribute port is data, not an index
 * @blanked: the guest turned the picture off through the attribute port
 * @dispi_on: head 0 shows what @dispi says, and not what BAR4 has set
 * @heads: display outputs
 * @heads_changed: what a head shows may have changed; cleared by who acts on it
 * @default_edid: of the monitor that a head has unless the VMM plugs in another
 * @frl_hz: most frames a second, 0 for no limit
 * @ecc: errors of its memory
 * @doorbells: how often any was rung that was heard
 * @irq_status: events that the guest has not cleared, by VGPU_IRQ_*
 * @irq_enable: which of them interrupt
 * @msix: MSI-X table as written; the VMM has the one that counts
 * @msix_pending: events whose MSI-X waits until messages may be sent
 * @bad_access: register accesses that named no register
 */
struct vgpu_model {
	const struct vgpu_profile *profile;
	u8 config[VGPU_CONFIG_USED];
	u8 config_mask[VGPU_CONFIG_USED];
	u8 edid[VGPU_BAR2_EDID_SIZE];
	struct vgpu_link link;
	u16 dispi[VGPU_DISPI_NR];
	bool att_data;
	bool blanked;
	bool dispi_on;
	struct vgpu_head heads[VGPU_MAX_HEADS];
	bool heads_changed;
	u8 default_edid[VGPU_EDID_BLOCK];
	u32 frl_hz;
	struct vgpu_ecc ecc;
	u32 doorbells;
	u32 irq_status;
	u32 irq_enable;
	u32 msix[VGPU_NR_IRQS * 4];
	u32 msix_pending;
	u64 bad_access;
};

/**
 * vgpu_config_d0() - whether the device is powered
 * @model: the model
 *
 * Return: true in D0
 */
static inline bool vgpu_config_d0(const struct vgpu_model *model)
{
	return !(model->config[VGPU_CONFIG_PM + PCI_PM_CTRL] &
		 PCI_PM_CTRL_STATE_MASK);
}

/**
 * vgpu_config_memory() - whether the BARs answer
 * @model: the model
 *
 * Return: true with memory space enabled in COMMAND and the device in D0
 */
static inline bool vgpu_config_memory(const struct vgpu_model *model)
{
	return (model->config[PCI_COMMAND] & PCI_COMMAND_MEMORY) &&
	       vgpu_config_d0(model);
}

void vgpu_model_init(struct vgpu_model *model,
		     const struct vgpu_profile *profile);
void vgpu_model_reset(struct vgpu_model *model);

/* BAR0: power of two that holds the framebuffer. */
u64 vgpu_bar0_size(const struct vgpu_profile *profile);

/* pci_config.c */
void vgpu_config_init(struct vgpu_model *model);
void vgpu_config_reset(struct vgpu_model *model);
void vgpu_config_read(const struct vgpu_model *model, u32 offset, void *buf,
		      u32 len);
bool vgpu_config_write(struct vgpu_model *model, u32 offset, const void *buf,
		       u32 len);
bool vgpu_config_load(struct vgpu_model *model, const u8 *config);
bool vgpu_config_intx(const struct vgpu_model *model);
bool vgpu_config_messages(const struct vgpu_model *model);
u32 vgpu_config_vectors(const struct vgpu_profile *profile);

/* mmio.c */
void vgpu_bar2_read(struct vgpu_model *model, u32 offset, void *buf, u32 len);
void vgpu_bar2_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len);

void vgpu_bar4_read(struct vgpu_model *model, u32 offset, void *buf, u32 len);
void vgpu_bar4_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len);

/* bochs/native.c */
u32 vgpu_native_read(struct vgpu_model *model, u32 reg);
void vgpu_native_write(struct vgpu_model *model, u32 reg, u32 value);
void vgpu_doorbell_write(struct vgpu_model *model, u32 reg, u32 value);
u32 vgpu_msix_read(struct vgpu_model *model, u32 reg);
void vgpu_msix_write(struct vgpu_model *model, u32 reg, u32 value);
u32 vgpu_pba_read(struct vgpu_model *model, u32 reg);
bool vgpu_native_runs(const struct vgpu_model *model);
void vgpu_native_ecc(struct vgpu_model *model, bool dbe, u64 page);
void vgpu_native_event(struct vgpu_model *model, u32 irq);
bool vgpu_native_valid(const struct vgpu_model *model);
u32 vgpu_native_pending(const struct vgpu_model *model);

/* display.c */
struct vgpu_format {
	u32 format;
	u32 bytes;
	u16 bpp;
};

extern const struct vgpu_format vgpu_formats[];
#define VGPU_NR_FORMATS		4

bool vgpu_scanout_valid(const struct vgpu_profile *profile,
			const struct vgpu_scanout *scanout);
bool vgpu_scanout_same_mode(const struct vgpu_scanout *a,
			    const struct vgpu_scanout *b);
void vgpu_head_show(struct vgpu_model *model, u32 head,
		    const struct vgpu_scanout *want);
void vgpu_heads_reset(struct vgpu_model *model);
void vgpu_heads_frame(struct vgpu_model *model, u32 nr);
bool vgpu_heads_shown(const struct vgpu_model *model);
bool vgpu_head_valid(const struct vgpu_profile *profile,
		     const struct vgpu_head *head);
u32 vgpu_head_read(struct vgpu_model *model, u32 reg);
void vgpu_head_write(struct vgpu_model *model, u32 reg, u32 value);

/* bochs/dispi.c */
void vgpu_dispi_reset(struct vgpu_model *model);
u32 vgpu_dispi_read(struct vgpu_model *model, u32 reg);
void vgpu_dispi_write(struct vgpu_model *model, u32 reg, u32 value);
u32 vgpu_vga_read(struct vgpu_model *model, u32 reg);
void vgpu_vga_write(struct vgpu_model *model, u32 reg, u32 value);

/* edid.c */
bool vgpu_edid_can_prefer(u32 width, u32 height);
void vgpu_edid_generate(u8 edid[VGPU_EDID_BLOCK], u32 width, u32 height,
			u32 max_width, u32 max_height);

bool vgpu_edid_valid(const u8 *edid, u32 size);

/* monitor.c */
void vgpu_link_init(struct vgpu_model *model, u32 width, u32 height);
void vgpu_link_read(const struct vgpu_model *model, u32 offset, void *buf,
		    u32 len);
bool vgpu_link_valid(const struct vgpu_model *model);
int vgpu_link_write(struct vgpu_model *model, u32 offset, const void *buf,
		    u32 len);

#endif /* _VGPU_MODEL_H */
