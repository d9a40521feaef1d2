// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-gpu as a PCI device: identity, capabilities, MSI-X, and the window in config
 * space.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <uapi/linux/virtio_pci.h>

#include "compat/unaligned.h"
#include "model/event.h"
#include "model/mmio.h"
#include "model/pci_config.h"

/* Capabilities of a virtio device, behind those that every vGPU has. */
#define CAP_COMMON	0xa0
#define CAP_ISR		0xb0
#define CAP_DEVICE	0xc0
#define CAP_NOTIFY	0xd0
#define CAP_PCI_CFG	0xe4

/* Where in the last one the data is that a guest reads and writes. */
#define CAP_PCI_DATA	(CAP_PCI_CFG + offsetof(struct virtio_pci_cfg_cap, \
						pci_cfg_data))

static const struct vgpu_mmio_block virtio_msix_blocks[] = {
	{ 0, VGPU_VIRTIO_VECTORS * 16, 4, vgpu_msix_read, vgpu_msix_write },
	{ VGPU_VIRTIO_MSIX_PBA, 8, 4, vgpu_pba_read, NULL },
};

static const struct vgpu_mmio_bar virtio_msix_bar = {
	virtio_msix_blocks, ARRAY_SIZE(virtio_msix_blocks),
	VGPU_VIRTIO_MSIX_SIZE,
};

/* MSI-X table and pending bits; @offset + @len is at most VGPU_VIRTIO_MSIX_SIZE. */
void vgpu_virtio_msix_read(struct vgpu_model *model, u32 offset, void *buf,
			   u32 len)
{
	vgpu_mmio_read(model, &virtio_msix_bar, offset, buf, len);
}

void vgpu_virtio_msix_write(struct vgpu_model *model, u32 offset,
			    const void *buf, u32 len)
{
	vgpu_mmio_write(model, &virtio_msix_bar, offset, buf, len);
}

/*
 * The window of VIRTIO_PCI_CAP_PCI_CFG, for drivers that cannot reach BARs: an access to
 * its data is one to a BAR (virtio 1.2, section 4.1.4.9).  Returns how many bytes, with
 * where in the BAR in @at; 0 for a window that is none, and for any access but one to all
 * of the data that the window has.
 */
static u32 virtio_window(const struct vgpu_model *model, u32 offset, u32 len,
			 u32 *at)
{
	const u8 *cap = model->config + CAP_PCI_CFG;
	u32 n = get_unaligned_le32(cap + offsetof(struct virtio_pci_cap, length));

	*at = get_unaligned_le32(cap + offsetof(struct virtio_pci_cap, offset));
	if (offset != CAP_PCI_DATA || n > len ||
	    cap[offsetof(struct virtio_pci_cap, bar)] != VGPU_VIRTIO_BAR ||
	    (n != 1 && n != 2 && n != 4) || !IS_ALIGNED(*at, n) ||
	    *at > VGPU_VIRTIO_BAR_SIZE - n)
		return 0;
	return n;
}

/**
 * vgpu_virtio_config_read() - read PCI config space
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_CONFIG_SIZE
 */
void vgpu_virtio_config_read(struct vgpu_model *model, u32 offset, void *buf,
			     u32 len)
{
	u32 n, at;

	vgpu_config_read(model, offset, buf, len);
	n = virtio_window(model, offset, len, &at);
	if (n)
		vgpu_virtio_bar_read(model, at, buf, n);
}

/**
 * vgpu_virtio_config_write() - write PCI config space
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_CONFIG_SIZE
 *
 * Return: whether the guest asked for a function-level reset
 */
bool vgpu_virtio_config_write(struct vgpu_model *model, u32 offset,
			      const void *buf, u32 len)
{
	bool reset = vgpu_config_write(model, offset, buf, len);
	u32 n, at;

	if (!vgpu_config_d0(model))
		model->virtio.asleep = true;
	/* Who asks for a reset knows of it. */
	if (reset)
		model->virtio.asleep = false;
	if (vgpu_config_messages(model))
		vgpu_virtio_wake(model, false);
	n = virtio_window(model, offset, len, &at);
	if (n)
		vgpu_virtio_bar_write(model, at, buf, n);
	return reset;
}

static u8 *virtio_add_cap(struct vgpu_model *model, u8 after, u8 pos, u8 len,
			  u8 type, u32 offset, u32 size)
{
	u8 *cap = vgpu_config_add_cap(model, after, pos, PCI_CAP_ID_VNDR);

	cap[offsetof(struct virtio_pci_cap, cap_len)] = len;
	cap[offsetof(struct virtio_pci_cap, cfg_type)] = type;
	if (size)
		cap[offsetof(struct virtio_pci_cap, bar)] = VGPU_VIRTIO_BAR;
	put_unaligned_le32(offset, cap + offsetof(struct virtio_pci_cap,
						  offset));
	put_unaligned_le32(size, cap + offsetof(struct virtio_pci_cap, length));
	return cap;
}

/**
 * vgpu_virtio_init() - power on: fill in PCI config space
 * @model: the model
 */
void vgpu_virtio_init(struct vgpu_model *model)
{
	static const struct vgpu_config_id id = {
		.vendor = 0x1af4,	/* Red Hat, for virtio */
		.device = 0x1050,	/* virtio 1.2, section 4.1.2: 0x1040 + 16 */
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,	/* as QEMU's, for which drivers look */
		.class = 0x038000,
		.revision = 1,
		.msix_bar = VGPU_VIRTIO_MSIX_BAR,
		.msix_table = 0,
		.msix_pba = VGPU_VIRTIO_MSIX_PBA,
	};
	u8 *mask = model->config_mask;
	u8 *cap;

	vgpu_config_init(model, &id);
	vgpu_config_add_bar(model, VGPU_VIRTIO_MSIX_BAR, VGPU_VIRTIO_MSIX_SIZE,
			    0);
	vgpu_config_add_bar(model, VGPU_VIRTIO_BAR, VGPU_VIRTIO_BAR_SIZE, 0);
	virtio_add_cap(model, VGPU_CONFIG_EXP, CAP_COMMON,
		       sizeof(struct virtio_pci_cap), VIRTIO_PCI_CAP_COMMON_CFG,
		       VGPU_VIRTIO_COMMON, 0x1000);
	virtio_add_cap(model, CAP_COMMON, CAP_ISR,
		       sizeof(struct virtio_pci_cap), VIRTIO_PCI_CAP_ISR_CFG,
		       VGPU_VIRTIO_ISR, 0x1000);
	virtio_add_cap(model, CAP_ISR, CAP_DEVICE,
		       sizeof(struct virtio_pci_cap), VIRTIO_PCI_CAP_DEVICE_CFG,
		       VGPU_VIRTIO_CONFIG, 0x1000);
	cap = virtio_add_cap(model, CAP_DEVICE, CAP_NOTIFY,
			     sizeof(struct virtio_pci_notify_cap),
			     VIRTIO_PCI_CAP_NOTIFY_CFG, VGPU_VIRTIO_NOTIFY,
			     0x1000);
	put_unaligned_le32(VGPU_VIRTIO_NOTIFY_STEP,
			   cap + offsetof(struct virtio_pci_notify_cap,
					  notify_off_multiplier));
	virtio_add_cap(model, CAP_NOTIFY, CAP_PCI_CFG,
		       sizeof(struct virtio_pci_cfg_cap),
		       VIRTIO_PCI_CAP_PCI_CFG, 0, 0);
	mask[CAP_PCI_CFG + offsetof(struct virtio_pci_cap, bar)] = 0xff;
	memset(mask + CAP_PCI_CFG + offsetof(struct virtio_pci_cap, offset),
	       0xff, 12);
}
