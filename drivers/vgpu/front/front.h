/* SPDX-License-Identifier: GPL-2.0 */
/* vGPUs as mediated devices, and as VFIO devices. */
#ifndef _VGPU_FRONT_H
#define _VGPU_FRONT_H

#include <linux/types.h>
#include <linux/uuid.h>
/* mdev.h uses VFIO_DEVICE_API_PCI_STRING's header without including it. */
#include <linux/vfio.h>
#include <linux/mdev.h>

#include "compat/misc.h"
#include "device/vgpu.h"
#include "model/type.h"
#include "pgpu/gpu.h"

struct bin_attribute;
struct device_attribute;
struct vm_area_struct;

/**
 * struct vgpu_type - a type as the mdev core knows it
 * @mtype: what the mdev core adds
 * @pgpu: whose type
 * @desc: what it stands for
 * @name: <model>-<id>
 */
struct vgpu_type {
	struct mdev_type mtype;
	struct pgpu *pgpu;
	const struct vgpu_type_desc *desc;
	char name[VGPU_TYPE_NAME_LEN];
};

/**
 * struct vgpu_parent - a pGPU as the mdev core knows it
 * @parent: the mdev core's part
 * @debugfs: its directory
 * @mtypes: as the mdev core wants them
 * @types: the same
 */
struct vgpu_parent {
	struct mdev_parent parent;
	struct dentry *debugfs;
	struct mdev_type *mtypes[VGPU_MAX_TYPES];
	struct vgpu_type types[];
};

static inline struct vgpu_type *mtype_to_type(struct mdev_type *mtype)
{
	return container_of(mtype, struct vgpu_type, mtype);
}

static inline struct vgpu_type *mdev_to_type(struct mdev_device *mdev)
{
	return mtype_to_type(mdev->type);
}

static inline struct pgpu *vgpu_to_pgpu(struct vgpu *vgpu)
{
	return container_of(vgpu->fb.vram, struct pgpu, vram);
}

/* mdev.c */
extern struct mdev_driver vgpu_mdev_driver;
extern const struct pgpu_front vgpu_mdev_front;

/* attrs.c */
int vgpu_attrs_add(struct vgpu *vgpu);
void vgpu_attrs_del(struct vgpu *vgpu);
void vgpu_attrs_busy(struct vgpu *vgpu);

/* screen.c */
extern VGPU_BIN_ATTR_CONST struct bin_attribute vgpu_screen_attr;

/* version_attrs.c */
int vgpu_type_attrs_add(struct vgpu_parent *parent);
void vgpu_type_attrs_del(struct vgpu_parent *parent);
extern const struct device_attribute vgpu_migration_version_attr;

/* debugfs.c */
void vgpu_debugfs_init(void);
void vgpu_debugfs_exit(void);
struct dentry *vgpu_debugfs_add(struct pgpu *pgpu);

/* vfio.c */
int vgpu_vfio_init(struct vfio_device *vdev);
void vgpu_vfio_release(struct vfio_device *vdev);
int vgpu_vfio_open(struct vfio_device *vdev);
void vgpu_vfio_close(struct vfio_device *vdev);
long vgpu_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
		     unsigned long arg);
void vgpu_vfio_request(struct vfio_device *vdev, unsigned int count);
const struct vfio_device_ops *vgpu_vfio_ops(const struct vgpu_type_desc *type);

/* region.c */
int vgpu_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		     struct vfio_info_cap *caps);
bool vgpu_region_mappable(const struct vgpu *vgpu, u64 index);

/* region_copy.c */
bool vgpu_region_copy(struct vgpu *vgpu, u32 index, char __user *ubuf,
		      size_t len, u64 pos, bool write);

/* region_mmap.c */
struct vgpu_fb_view *vgpu_region_view(struct vgpu *vgpu, u64 index);
int vgpu_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);

/* feature.c */
int vgpu_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
		 size_t argsz);

/* What VFIO device operations of all personalities have in common. */
#define VGPU_VFIO_OPS \
	.name = "vgpu", \
	.init = vgpu_vfio_init, \
	.release = vgpu_vfio_release, \
	.open_device = vgpu_vfio_open, \
	.close_device = vgpu_vfio_close, \
	.mmap = vgpu_region_mmap, \
	.ioctl = vgpu_vfio_ioctl, \
	.request = vgpu_vfio_request, \
	VGPU_REGION_INFO_OP(vgpu_region_info) \
	VGPU_FEATURE_OP(vgpu_feature) \
	VGPU_IOMMUFD_OPS

#endif /* _VGPU_FRONT_H */
