// SPDX-License-Identifier: GPL-2.0
/*
 * The mdev front: what happens when a UUID is written to "create" and a vGPU
 * is removed, and what the files of a type say.
 */
#include <linux/debugfs.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "front/front.h"
#include "model/type.h"

static int vgpu_mdev_probe(struct mdev_device *mdev)
{
	struct vgpu *vgpu;
	int ret;

	vgpu = vfio_alloc_device(vgpu, vdev, &mdev->dev,
				 vgpu_vfio_ops(mdev_to_type(mdev)->desc));
	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	dev_set_drvdata(&mdev->dev, vgpu);
	ret = vgpu_attrs_add(vgpu);
	if (ret)
		goto err_put;
	ret = vfio_register_emulated_iommu_dev(&vgpu->vdev);
	if (ret)
		goto err_del_attrs;
	return 0;

err_del_attrs:
	vgpu_attrs_del(vgpu);
err_put:
	vgpu_fb_fini(&vgpu->fb);
	vfio_put_device(&vgpu->vdev);
	return ret;
}

static void vgpu_mdev_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = dev_get_drvdata(&mdev->dev);

	/* Waits until the last file is closed; then only dma-bufs are left. */
	vfio_unregister_group_dev(&vgpu->vdev);
	vgpu_attrs_del(vgpu);
	vgpu_fb_fini(&vgpu->fb);
	vfio_put_device(&vgpu->vdev);
}

static unsigned int vgpu_mdev_get_available(struct mdev_type *mtype)
{
	struct vgpu_type *type = mtype_to_type(mtype);
	u64 nr;

	nr = div64_u64(vram_free_blocks(&type->pgpu->vram) * PGPU_BLOCK_SIZE,
		       type->desc->profile.fb_size);
	return min_t(u64, nr, UINT_MAX);
}

/* The form is ABI: management tools parse it. */
static ssize_t vgpu_mdev_show_description(struct mdev_type *mtype, char *buf)
{
	const struct vgpu_type_desc *desc = mtype_to_type(mtype)->desc;

	return sysfs_emit(buf,
			  "num_heads=%d, frl_config=%d, framebuffer=%lluM, max_resolution=%dx%d, max_instance=%d\n",
			  desc->profile.num_heads, desc->profile.frl_hz,
			  desc->profile.fb_size / SZ_1M,
			  desc->profile.max_width, desc->profile.max_height,
			  desc->max_instance);
}

struct mdev_driver vgpu_mdev_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "vgpu_mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = vgpu_mdev_probe,
	.remove = vgpu_mdev_remove,
	.get_available = vgpu_mdev_get_available,
	.show_description = vgpu_mdev_show_description,
};

static struct vgpu_parent *vgpu_parent_alloc(struct pgpu *pgpu)
{
	struct vgpu_parent *parent;
	struct vgpu_type *type;
	u32 i;

	parent = kzalloc(struct_size(parent, types, pgpu->nr_types), GFP_KERNEL);
	if (!parent)
		return NULL;
	for (i = 0; i < pgpu->nr_types; i++) {
		type = &parent->types[i];
		type->pgpu = pgpu;
		type->desc = &pgpu->types[i];
		snprintf(type->name, sizeof(type->name), "%s-%s",
			 pgpu->desc.model, type->desc->id);
		/* The mdev core does not write to it. */
		type->mtype.sysfs_name = pgpu->types[i].id;
		type->mtype.pretty_name = type->name;
		parent->mtypes[i] = &type->mtype;
	}
	return parent;
}

static int vgpu_mdev_add(struct pgpu *pgpu)
{
	struct vgpu_parent *parent = vgpu_parent_alloc(pgpu);
	int ret;

	if (!parent)
		return -ENOMEM;
	ret = mdev_register_parent(&parent->parent, pgpu->dev,
				   &vgpu_mdev_driver, parent->mtypes,
				   pgpu->nr_types);
	if (ret) {
		dev_err(pgpu->dev, "the mdev core refused the device: %d\n",
			ret);
		goto err_free;
	}
	ret = vgpu_type_attrs_add(parent);
	if (ret)
		goto err_unregister;
	parent->debugfs = vgpu_debugfs_add(pgpu);
	pgpu->front_priv = parent;
	return 0;

err_unregister:
	mdev_unregister_parent(&parent->parent);
err_free:
	kfree(parent);
	return ret;
}

static void vgpu_mdev_del(struct pgpu *pgpu)
{
	struct vgpu_parent *parent = pgpu->front_priv;

	vgpu_type_attrs_del(parent);
	mdev_unregister_parent(&parent->parent);
	debugfs_remove(parent->debugfs);
	kfree(parent);
}

const struct pgpu_front vgpu_mdev_front = {
	.add = vgpu_mdev_add,
	.del = vgpu_mdev_del,
};
