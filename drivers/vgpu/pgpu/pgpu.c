// SPDX-License-Identifier: GPL-2.0
/*
 * pGPU: the parent of mediated devices, with its types and its memory.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"

static int pgpu_init_types(struct pgpu *pgpu)
{
	struct vgpu_type_desc *descs;
	int nr, i, ret = -ENOMEM;

	descs = kcalloc(VGPU_MAX_TYPES, sizeof(*descs), GFP_KERNEL);
	if (!descs)
		return -ENOMEM;
	nr = vgpu_types_fill(descs, VGPU_MAX_TYPES, pgpu->desc.types,
			     pgpu->desc.vram_size);
	if (nr < 0) {
		dev_err(pgpu->dev, "bad list of types \"%s\" for %llu MiB of VRAM\n",
			pgpu->desc.types ?: "", pgpu->desc.vram_size / SZ_1M);
		ret = nr;
		goto out_free;
	}

	pgpu->types = kcalloc(nr, sizeof(*pgpu->types), GFP_KERNEL);
	pgpu->mtypes = kcalloc(nr, sizeof(*pgpu->mtypes), GFP_KERNEL);
	if (!pgpu->types || !pgpu->mtypes)
		goto out_free;	/* the caller frees both */
	for (i = 0; i < nr; i++) {
		struct vgpu_type *type = &pgpu->types[i];

		type->pgpu = pgpu;
		type->desc = descs[i];
		snprintf(type->name, sizeof(type->name), "%s-%s",
			 pgpu->desc.model, type->desc.id);
		type->mtype.sysfs_name = type->desc.id;
		type->mtype.pretty_name = type->name;
		pgpu->mtypes[i] = &type->mtype;
	}
	pgpu->nr_types = nr;
	ret = 0;
out_free:
	kfree(descs);
	return ret;
}

/**
 * pgpu_alloc() - make a pGPU that nobody can use yet
 * @dev: its device, with its driver bound
 * @backend: whose GPU it is
 *
 * Return: the pGPU, to be given back with pgpu_free(), or NULL
 */
struct pgpu *pgpu_alloc(struct device *dev, struct pgpu_backend *backend)
{
	struct pgpu *pgpu;

	pgpu = kzalloc(sizeof(*pgpu), GFP_KERNEL);
	if (!pgpu)
		return NULL;
	pgpu->dev = dev;
	pgpu->backend = backend;
	mutex_init(&pgpu->lock);
	pgpu_ecc_init(pgpu);
	return pgpu;
}

/**
 * pgpu_free() - opposite of pgpu_alloc()
 * @pgpu: not registered, and no backend reports errors of it
 */
void pgpu_free(struct pgpu *pgpu)
{
	vram_fini(pgpu);
	pgpu_ecc_fini(pgpu);
	mutex_destroy(&pgpu->lock);
	kfree(pgpu->mtypes);
	kfree(pgpu->types);
	kfree(pgpu);
}

static void pgpu_set_live(struct pgpu *pgpu, bool live)
{
	mutex_lock(&pgpu->lock);
	pgpu->live = live;
	mutex_unlock(&pgpu->lock);
}

/**
 * pgpu_register() - make a device a parent of vGPUs
 * @pgpu: the pGPU
 * @desc: what the backend knows of it
 *
 * Context: process, device lock of the pGPU held
 *
 * Return: 0; -EINVAL, -ERANGE, -EEXIST, -E2BIG for types that the description
 * does not allow; -ENOMEM
 */
int pgpu_register(struct pgpu *pgpu, const struct pgpu_desc *desc)
{
	struct device *dev = pgpu->dev;
	int ret;

	device_lock_assert(dev);
	if (desc->vram_size % PGPU_BLOCK_SIZE ||
	    desc->spare_size % PGPU_BLOCK_SIZE || desc->vram_size < VGPU_FB_MIN) {
		dev_err(dev, "VRAM of %llu bytes is not a multiple of 2 MiB, or less than 16 MiB\n",
			desc->vram_size);
		return -ERANGE;
	}
	pgpu->desc = *desc;
	ret = vram_init(pgpu);
	if (!ret)
		ret = pgpu_init_types(pgpu);
	if (!ret)
		ret = pgpu_ecc_load(pgpu);
	if (ret)
		return ret;
	pgpu_set_live(pgpu, true);
	ret = mdev_register_parent(&pgpu->parent, dev, &vgpu_mdev_driver,
				   pgpu->mtypes, pgpu->nr_types);
	if (ret) {
		pgpu_set_live(pgpu, false);
		dev_err(dev, "the mdev core refused the device: %d\n", ret);
		return ret;
	}
	ret = vgpu_type_attrs_add(pgpu);
	if (ret) {
		mdev_unregister_parent(&pgpu->parent);
		pgpu_set_live(pgpu, false);
		return ret;
	}
	vgpu_debugfs_add(pgpu);
	pgpu_edac_add(pgpu);
	dev_info(dev, "%s: %llu MiB of VRAM, %u types of vGPU\n",
		 pgpu->desc.model, pgpu->desc.vram_size / SZ_1M,
		 pgpu->nr_types);
	return 0;
}

/**
 * pgpu_unregister() - opposite of pgpu_register()
 * @pgpu: the pGPU
 *
 * Removes every vGPU, and waits for the VMMs that have one open.
 *
 * Context: process, device lock of the pGPU held
 */
void pgpu_unregister(struct pgpu *pgpu)
{
	device_lock_assert(pgpu->dev);
	vgpu_type_attrs_del(pgpu);
	mdev_unregister_parent(&pgpu->parent);
	vgpu_debugfs_del(pgpu);
	pgpu_set_live(pgpu, false);
	pgpu_edac_del(pgpu);
}

/**
 * pgpu_priv() - the backend's own data
 * @pgpu: the pGPU
 *
 * Return: what it gave as pgpu_desc.priv
 */
void *pgpu_priv(struct pgpu *pgpu)
{
	return pgpu->desc.priv;
}
EXPORT_SYMBOL_GPL(pgpu_priv);

int pgpu_types_check(const char *types, u64 vram_size)
{
	struct vgpu_type_desc *descs;
	int ret;

	descs = kcalloc(VGPU_MAX_TYPES, sizeof(*descs), GFP_KERNEL);
	if (!descs)
		return -ENOMEM;
	ret = vgpu_types_fill(descs, VGPU_MAX_TYPES, types, vram_size);
	kfree(descs);
	return ret < 0 ? ret : 0;
}
EXPORT_SYMBOL_GPL(pgpu_types_check);
