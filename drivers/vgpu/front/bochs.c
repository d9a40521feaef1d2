// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO regions of a vGPU that is a bochs-display: BAR0 with the framebuffer, register
 * BARs 2 to 4.
 */
#include <linux/vfio.h>

#include "compat/vfio.h"
#include "device/vgpu.h"
#include "front/region.h"
#include "model/bochs/bochs.h"

static int bar0_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	if (READ_ONCE(vgpu->bars_on))
		return vgpu_fb_read(&vgpu->fb, pos, buf, len);
	memset(buf, 0xff, len);
	return 0;
}

static int bar0_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	return READ_ONCE(vgpu->bars_on) ?
	       vgpu_fb_write(&vgpu->fb, pos, buf, len) : 0;
}

static __always_inline int
bar2_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on)
		vgpu_bar2_read(vgpu->model, pos, buf, len);
	else
		memset(buf, 0xff, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static __always_inline int
bar2_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_bar2_write(vgpu->model, pos, buf, len);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

/*
 * The registers of BAR2 once more, for firmware that counts BAR0, which is of 64
 * bits, as one.  What the switches below leave, because another case in them costs
 * those that are there a comparison: an index without a region has no size, and
 * does not come that far.
 */
static noinline int bar3_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	return bar2_read(vgpu, pos, buf, len);
}

static noinline int bar3_write(struct vgpu *vgpu, u64 pos, const void *buf,
			       size_t len)
{
	return bar2_write(vgpu, pos, buf, len);
}

static __always_inline int
bar4_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_ioeventfd_gather(&vgpu->ioeventfds);
		vgpu_bar4_read(vgpu->model, pos, buf, len);
	} else {
		memset(buf, 0xff, len);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int bar4_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->bars_on) {
		vgpu_bar4_write(vgpu->model, pos, buf, len);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

const struct vgpu_region vgpu_bochs_regions[VGPU_NUM_REGIONS] = {
	[VFIO_PCI_BAR0_REGION_INDEX] = {
		.size = VGPU_SIZE_OF_FB,
		.mappable = true,
	},
	[VFIO_PCI_BAR2_REGION_INDEX] = {
		.size = VGPU_BAR2_SIZE,
	},
	[VFIO_PCI_BAR3_REGION_INDEX] = {
		.size = VGPU_BAR2_SIZE,
	},
	[VFIO_PCI_BAR4_REGION_INDEX] = {
		.size = VGPU_BAR4_SIZE,
	},
	VGPU_COMMON_REGIONS
};

/*
 * Copy @len bytes from @pos, which lie in the region, to @buf.  A switch and
 * not pointers in the table, because register accesses are what a guest waits
 * for, and indirect calls cost where processors are not trusted with them.  BAR2 has
 * the registers of the guest's driver, so it comes first.
 */
static __always_inline int bochs_read_at(struct vgpu *vgpu, u32 index, u64 pos,
					 void *buf, size_t len)
{
	if (likely(index == VFIO_PCI_BAR2_REGION_INDEX))
		return bar2_read(vgpu, pos, buf, len);
	switch (index) {
	case VFIO_PCI_BAR4_REGION_INDEX:
		return bar4_read(vgpu, pos, buf, len);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return vgpu_config_region_read(vgpu, pos, buf, len);
	case VFIO_PCI_BAR0_REGION_INDEX:
		return bar0_read(vgpu, pos, buf, len);
	case VGPU_REGION_EDID:
		return vgpu_edid_read(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return vgpu_window_read(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return vgpu_window_read(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return bar3_read(vgpu, pos, buf, len);
	}
}

/* The same the other way round. */
static __always_inline int bochs_write_at(struct vgpu *vgpu, u32 index, u64 pos,
					  const void *buf, size_t len)
{
	if (likely(index == VFIO_PCI_BAR2_REGION_INDEX))
		return bar2_write(vgpu, pos, buf, len);
	switch (index) {
	case VFIO_PCI_BAR4_REGION_INDEX:
		return bar4_write(vgpu, pos, buf, len);
	case VFIO_PCI_CONFIG_REGION_INDEX:
		return vgpu_config_region_write(vgpu, pos, buf, len);
	case VFIO_PCI_BAR0_REGION_INDEX:
		return bar0_write(vgpu, pos, buf, len);
	case VGPU_REGION_EDID:
		return vgpu_edid_write(vgpu, pos, buf, len);
	case VGPU_REGION_CONSOLE:
		return vgpu_window_write(vgpu, VGPU_VIEW_CONSOLE, pos, buf, len);
	case VGPU_REGION_CURSOR:
		return vgpu_window_write(vgpu, VGPU_VIEW_CURSOR, pos, buf, len);
	default:
		return bar3_write(vgpu, pos, buf, len);
	}
}

static ssize_t bochs_read(struct vfio_device *vdev, char __user *buf,
			  size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), vgpu_bochs_regions, buf, count,
			      ppos, bochs_read_at, NULL);
}

static ssize_t bochs_write(struct vfio_device *vdev, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), vgpu_bochs_regions,
			      (char __user *)buf, count, ppos, NULL,
			      bochs_write_at);
}

const struct vfio_device_ops vgpu_bochs_vfio_ops = {
	VGPU_VFIO_OPS
	.read = bochs_read,
	.write = bochs_write,
};
