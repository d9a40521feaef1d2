// SPDX-License-Identifier: GPL-2.0
/*
 * The register BARs: BAR2, as that of bochs-display, and the native BAR4.
 */
#include "model/bochs/bochs.h"
#include "model/mmio.h"

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
 * the architectures this runs on needs the other one, and reading it back
 * tells the guest so.
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
