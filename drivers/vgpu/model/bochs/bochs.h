/* SPDX-License-Identifier: GPL-2.0 */
/* Registers in BAR2, as those of bochs-display, and the native ones in BAR4. */
#ifndef _VGPU_BOCHS_H
#define _VGPU_BOCHS_H

#include <linux/types.h>
#include <linux/vgpu.h>

struct vgpu_head;
struct vgpu_model;
struct vgpu_profile;

/* What the guest reads in VGPU_REG_FEATURES. */
#define VGPU_FEATURES		(VGPU_FEATURE_VBLANK | VGPU_FEATURE_MODESET | \
				 VGPU_FEATURE_CURSOR | VGPU_FEATURE_ECC)

/**
 * struct vgpu_format - what a head can show
 * @format: DRM fourcc
 * @bytes: of a pixel
 * @bpp: bits of a pixel, as the dispi registers have them
 */
struct vgpu_format {
	u32 format;
	u32 bytes;
	u16 bpp;
};

extern const struct vgpu_format vgpu_formats[];
#define VGPU_NR_FORMATS		4

u64 vgpu_bar0_size(const struct vgpu_profile *profile);
void vgpu_bar2_read(struct vgpu_model *model, u32 offset, void *buf, u32 len);
void vgpu_bar2_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len);
void vgpu_bar4_read(struct vgpu_model *model, u32 offset, void *buf, u32 len);
void vgpu_bar4_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len);

/* native.c */
u32 vgpu_native_read(struct vgpu_model *model, u32 reg);
void vgpu_native_write(struct vgpu_model *model, u32 reg, u32 value);
void vgpu_bochs_kick(struct vgpu_model *model, u32 doorbell, u32 times);
void vgpu_doorbell_write(struct vgpu_model *model, u32 reg, u32 value);

/* native_head.c */
u32 vgpu_head_read(struct vgpu_model *model, u32 reg);
void vgpu_head_write(struct vgpu_model *model, u32 reg, u32 value);
bool vgpu_head_regs_valid(const struct vgpu_head *head);

/* dispi.c */
void vgpu_dispi_reset(struct vgpu_model *model);
u32 vgpu_dispi_read(struct vgpu_model *model, u32 reg);
void vgpu_dispi_write(struct vgpu_model *model, u32 reg, u32 value);
u32 vgpu_vga_read(struct vgpu_model *model, u32 reg);
void vgpu_vga_write(struct vgpu_model *model, u32 reg, u32 value);

#endif /* _VGPU_BOCHS_H */
