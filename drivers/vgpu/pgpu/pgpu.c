// SPDX-License-Identifier: GPL-2.0
/*
 * pGPU: its types, its memory, and errors of that.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "model/type.h"
#include "pgpu/gpu.h"

static int pgpu_init_types(struct pgpu *pgpu)
{
	int nr;

	pgpu->types = kcalloc(VGPU_MAX_TYPES, sizeof(*pgpu->types), GFP_KERNEL);
	if (!pgpu->types)
		return -ENOMEM;
	nr = vgpu_types_fill(pgpu->types, VGPU_MAX_TYPES, pgpu->desc.types,
			     pgpu->desc.vram_size);
	if (nr < 0) {
		dev_err(pgpu->dev, "bad list of types \"%s\" for %llu MiB of VRAM\n",
			pgpu->desc.types ?: "", pgpu->desc.vram_size / SZ_1M);
		return nr;	/* the caller frees them */
	}
	pgpu->nr_types = nr;
	return 0;
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
	vram_init(&pgpu->vram, dev);
	ras_init(&pgpu->ras, &pgpu->vram);
	return pgpu;
}

/**
 * pgpu_free() - opposite of pgpu_alloc()
 * @pgpu: not registered, and no backend reports errors of it
 */
void pgpu_free(struct pgpu *pgpu)
{
	ras_fini(&pgpu->ras);
	vram_fini(&pgpu->vram);
	kfree(pgpu->types);
	kfree(pgpu);
}

/**
 * pgpu_register() - make a device a parent of vGPUs
 * @pgpu: the pGPU
 * @desc: what the backend knows of it
 * @front: through which it is offered
 *
 * Context: process, device lock of the pGPU held
 *
 * Return: 0; -EINVAL, -ERANGE, -EEXIST, -E2BIG for types that the description
 * does not allow; -ENOMEM
 */
int pgpu_register(struct pgpu *pgpu, const struct pgpu_desc *desc,
		  const struct pgpu_front *front)
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
	ret = vram_fill(&pgpu->vram, pgpu, desc);
	if (!ret)
		ret = pgpu_init_types(pgpu);
	if (!ret)
		ret = ras_load(&pgpu->ras);
	if (ret)
		return ret;
	ras_set_live(&pgpu->ras, true);
	ret = front->add(pgpu);
	if (ret) {
		ras_set_live(&pgpu->ras, false);
		return ret;
	}
	ras_edac_add(&pgpu->ras, pgpu->backend->name);
	dev_info(dev, "%s: %llu MiB of VRAM, %u types of vGPU\n",
		 pgpu->desc.model, pgpu->desc.vram_size / SZ_1M,
		 pgpu->nr_types);
	return 0;
}

/**
 * pgpu_unregister() - opposite of pgpu_register()
 * @pgpu: the pGPU
 * @front: as it was registered with
 *
 * Removes every vGPU, and waits for the VMMs that have one open.
 *
 * Context: process, device lock of the pGPU held
 */
void pgpu_unregister(struct pgpu *pgpu, const struct pgpu_front *front)
{
	device_lock_assert(pgpu->dev);
	front->del(pgpu);
	ras_set_live(&pgpu->ras, false);
	ras_edac_del(&pgpu->ras);
}

/**
 * pgpu_report_error() - an error in a page of VRAM has been detected
 * @pgpu: the pGPU
 * @page: page of VRAM, in units of PAGE_SIZE; also a spare one
 * @error: what happened to it
 *
 * Context: process; none of the backend's locks that its operations take
 *
 * Return: 0; -ENODEV before the pGPU is complete, or when it is no more; -ERANGE
 * for a page that there is not; -EOPNOTSUPP with ECC off, when nothing is
 * counted or retired; -ENOMEM, when it is not either, but the guest is notified of
 * what is lost
 */
int pgpu_report_error(struct pgpu *pgpu, u64 page, enum pgpu_error error)
{
	return ras_report(&pgpu->ras, page, error);
}
EXPORT_SYMBOL_GPL(pgpu_report_error);

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
