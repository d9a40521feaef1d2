// SPDX-License-Identifier: GPL-2.0
/*
 * bochs-display, with registers of our own: identity, register BARs (BAR2, as that of
 * bochs-display, and the native BAR4) and events.
 */
#include <linux/log2.h>
#include <drm/drm_fourcc.h>

#include "compat/unaligned.h"
#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/mmio.h"
#include "model/pci_config.h"

#define CAP_VENDOR	0x54

const struct vgpu_format vgpu_formats[VGPU_NR_FORMATS] = {
	{ DRM_FORMAT_XRGB1555, 2, 15 },
	{ DRM_FORMAT_RGB565, 2, 16 },
	{ DRM_FORMAT_RGB888, 3, 24 },
	{ DRM_FORMAT_XRGB8888, 4, 32 },
};

static u32 vgpu_bochs_format_bytes(u32 format)
{
	u32 i;

	for (i = 0; i < VGPU_NR_FORMATS; i++)
		if (vgpu_formats[i].format == format)
			return vgpu_formats[i].bytes;
	return 0;
}

/* BAR0: the power of two that holds the framebuffer. */
u64 vgpu_bar0_size(const struct vgpu_profile *profile)
{
	return roundup_pow_of_two(profile->fb_size);
}

/* One vector for configuration and errors, one for the engine, one a head. */
static u32 vgpu_bochs_vectors(const struct vgpu_profile *profile)
{
	return VGPU_IRQ_HEAD(profile->num_heads);
}

static void vgpu_bochs_init(struct vgpu_model *model)
{
	static const struct vgpu_config_id id = {
		.vendor = VGPU_PCI_VENDOR,
		.device = VGPU_PCI_DEVICE,
		.subsystem_vendor = VGPU_PCI_SUBSYSTEM_VENDOR,
		.subsystem = VGPU_PCI_SUBSYSTEM,
		.class = VGPU_PCI_CLASS,
		.revision = VGPU_PCI_REVISION,
		.msix_bar = 4,
		.msix_table = VGPU_BAR4_MSIX_TABLE,
		.msix_pba = VGPU_BAR4_MSIX_PBA,
	};
	u8 *cap;

	vgpu_config_init(model, &id);
	cap = vgpu_config_add_cap(model, VGPU_CONFIG_MSIX, CAP_VENDOR,
				  PCI_CAP_ID_VNDR);
	cap[PCI_CAP_FLAGS] = VGPU_CAP_LEN;
	put_unaligned_le16(VGPU_VERSION >> 8, cap + VGPU_CAP_VERSION);
	cap[VGPU_CAP_BAR] = 4;
	vgpu_config_add_bar(model, 0, vgpu_bar0_size(model->profile),
			    PCI_BASE_ADDRESS_MEM_TYPE_64 |
			    PCI_BASE_ADDRESS_MEM_PREFETCH);
	vgpu_config_add_bar(model, 2, VGPU_BAR2_SIZE, 0);
	vgpu_config_add_bar(model, 3, VGPU_BAR2_SIZE, 0);
	vgpu_config_add_bar(model, 4, VGPU_BAR4_SIZE, 0);
}

static void vgpu_bochs_reset(struct vgpu_model *model)
{
	vgpu_dispi_reset(model);
	model->irq_enable = 0;
	model->doorbells = 0;
}

static void vgpu_bochs_raise(struct vgpu_model *model, u32 event)
{
	u32 irq = event < VGPU_EVENT_FRAME ? VGPU_IRQ_CONFIG :
		  VGPU_IRQ_HEAD(event - VGPU_EVENT_FRAME);

	model->irq_status |= 1U << irq;
	model->changed |= VGPU_CHANGED_EVENTS;
}

static bool vgpu_bochs_line(const struct vgpu_model *model)
{
	return vgpu_event_pending(model);
}

const struct vgpu_personality vgpu_bochs = {
	.version = VGPU_VERSION,
	.features = VGPU_FEATURES,
	.nr_doorbells = VGPU_NR_DOORBELLS,
	.vectors = vgpu_bochs_vectors,
	.init = vgpu_bochs_init,
	.reset = vgpu_bochs_reset,
	.raise = vgpu_bochs_raise,
	.format_bytes = vgpu_bochs_format_bytes,
	.line = vgpu_bochs_line,
	.kick = vgpu_bochs_kick,
};

static u32 vgpu_edid_read(struct vgpu_model *model, u32 reg)
{
	return model->edid[reg];
}

static u32 vgpu_ext_read(struct vgpu_model *model, u32 reg)
{
	return reg ? VGPU_EXT_ENDIAN_LITTLE : VGPU_BAR2_EXT_SIZE;
}

/*
 * The byte order register takes writes and stays little-endian: no guest on
 * the architectures this runs on needs the other one, and a guest can read back
 * which it is.
 */
static const struct vgpu_mmio_block vgpu_bar2_blocks[] = {
	{ VGPU_BAR2_EDID, VGPU_BAR2_EDID_SIZE, 1, vgpu_edid_read, NULL },
	{ VGPU_BAR2_VGA, VGPU_BAR2_VGA_SIZE, 1, vgpu_vga_read, vgpu_vga_write },
	{ VGPU_BAR2_DISPI, VGPU_BAR2_DISPI_SIZE, 2, vgpu_dispi_read,
	  vgpu_dispi_write },
	{ VGPU_BAR2_EXT, VGPU_BAR2_EXT_SIZE, 4, vgpu_ext_read, NULL },
};

static const struct vgpu_mmio_bar vgpu_bar2 = {
	vgpu_bar2_blocks, ARRAY_SIZE(vgpu_bar2_blocks), VGPU_BAR2_SIZE,
};

/* Doorbells are written only. */
static u32 vgpu_zero_read(struct vgpu_model *model, u32 reg)
{
	return 0;
}

static const struct vgpu_mmio_block vgpu_bar4_blocks[] = {
	{ 0x000, VGPU_REG_HEAD(0), 4, vgpu_native_read, vgpu_native_write },
	{ VGPU_REG_HEAD(0), VGPU_MAX_HEADS * VGPU_HEAD_SIZE, 4, vgpu_head_read,
	  vgpu_head_write },
	{ VGPU_BAR4_DOORBELL, VGPU_NR_DOORBELLS * 4, 4, vgpu_zero_read,
	  vgpu_doorbell_write },
	{ VGPU_BAR4_MSIX_TABLE, VGPU_NR_IRQS * 16, 4, vgpu_msix_read,
	  vgpu_msix_write },
	{ VGPU_BAR4_MSIX_PBA, 0x1000, 4, vgpu_pba_read, NULL },
};

static const struct vgpu_mmio_bar vgpu_bar4 = {
	vgpu_bar4_blocks, ARRAY_SIZE(vgpu_bar4_blocks), VGPU_BAR4_SIZE,
};

/**
 * vgpu_bar2_read() - read registers of BAR2
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_BAR2_SIZE
 */
void vgpu_bar2_read(struct vgpu_model *model, u32 offset, void *buf, u32 len)
{
	vgpu_mmio_read(model, &vgpu_bar2, offset, buf, len);
}

/**
 * vgpu_bar2_write() - write registers of BAR2
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_BAR2_SIZE
 */
void vgpu_bar2_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len)
{
	vgpu_mmio_write(model, &vgpu_bar2, offset, buf, len);
}

/**
 * vgpu_bar4_read() - read registers of BAR4
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_BAR4_SIZE
 */
void vgpu_bar4_read(struct vgpu_model *model, u32 offset, void *buf, u32 len)
{
	vgpu_mmio_read(model, &vgpu_bar4, offset, buf, len);
}

/**
 * vgpu_bar4_write() - write registers of BAR4
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_BAR4_SIZE
 */
void vgpu_bar4_write(struct vgpu_model *model, u32 offset, const void *buf,
		     u32 len)
{
	vgpu_mmio_write(model, &vgpu_bar4, offset, buf, len);
}
