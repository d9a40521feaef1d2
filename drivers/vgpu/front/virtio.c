// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO regions of a vGPU that is a virtio-gpu: BAR1 with the MSI-X table, BAR2 with the
 * registers.
 */
#include <linux/vfio.h>

#include "compat/vfio.h"
#include "device/vgpu.h"
#include "front/region.h"
#include "model/virtio/virtio.h"

const struct vgpu_region vgpu_virtio_regions[VGPU_NUM_REGIONS] = {
	[VFIO_PCI_BAR1_REGION_INDEX] = {
		.size = VGPU_VIRTIO_MSIX_SIZE,
	},
	[VFIO_PCI_BAR2_REGION_INDEX] = {
		.size = VGPU_VIRTIO_BAR_SIZE,
	},
	VGPU_COMMON_REGIONS
};

/* Registers in BARs, and config space, in which there is a window to them. */
static int virtio_model_read(struct vgpu *vgpu, u32 index, u64 pos, void *buf,
			     size_t len)
{
	mutex_lock(&vgpu->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX ? vgpu->revoked :
						     !vgpu->bars_on)
		memset(buf, 0xff, len);
	else if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		vgpu_virtio_config_read(vgpu->model, pos, buf, len);
	else if (index == VFIO_PCI_BAR2_REGION_INDEX)
		vgpu_virtio_bar_read(vgpu->model, pos, buf, len);
	else
		vgpu_virtio_msix_read(vgpu->model, pos, buf, len);
	/* Reading the ISR status takes an interrupt back. */
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int virtio_model_write(struct vgpu *vgpu, u32 index, u64 pos,
			      const void *buf, size_t len)
{
	bool reset = false;

	mutex_lock(&vgpu->lock);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX && !vgpu->revoked)
		reset = vgpu_virtio_config_write(vgpu->model, pos, buf, len);
	else if (index == VFIO_PCI_BAR2_REGION_INDEX && vgpu->bars_on)
		vgpu_virtio_bar_write(vgpu->model, pos, buf, len);
	else if (index == VFIO_PCI_BAR1_REGION_INDEX && vgpu->bars_on)
		vgpu_virtio_msix_write(vgpu->model, pos, buf, len);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	if (reset)
		vgpu_reset(vgpu);
	return 0;
}

static __always_inline int virtio_read_at(struct vgpu *vgpu, u32 index, u64 pos,
					  void *buf, size_t len)
{
	switch (index) {
	case VGPU_REGION_EDID:
		return vgpu_edid_read(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return vgpu_window_read(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return vgpu_window_read(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return virtio_model_read(vgpu, index, pos, buf, len);
	}
}

static __always_inline int virtio_write_at(struct vgpu *vgpu, u32 index, u64 pos,
					   const void *buf, size_t len)
{
	switch (index) {
	case VGPU_REGION_EDID:
		return vgpu_edid_write(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return vgpu_window_write(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return vgpu_window_write(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return virtio_model_write(vgpu, index, pos, buf, len);
	}
}

static ssize_t virtio_read(struct vfio_device *vdev, char __user *buf,
			   size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), vgpu_virtio_regions, buf,
			      count, ppos, virtio_read_at, NULL);
}

static ssize_t virtio_write(struct vfio_device *vdev, const char __user *buf,
			    size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), vgpu_virtio_regions,
			      (char __user *)buf, count, ppos, NULL,
			      virtio_write_at);
}

const struct vfio_device_ops vgpu_virtio_vfio_ops = {
	VGPU_VFIO_OPS
	.dma_unmap = vgpu_dma_unmap,
	.read = virtio_read,
	.write = virtio_write,
};
