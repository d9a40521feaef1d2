// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu-linear: a pGPU is any PCI device with memory behind a prefetchable BAR,
 * of which nothing else is used.
 *
 * Devices are given to the driver "vgpu" with driver_override or new_id.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "linear.h"

/* ivshmem: shared memory of QEMU, not a display but memory behind a BAR. */
#define LINEAR_IVSHMEM_VENDOR	0x1af4
#define LINEAR_IVSHMEM_DEVICE	0x1110

static bool allow_console;
module_param(allow_console, bool, 0644);
MODULE_PARM_DESC(allow_console, "Take a GPU that the firmware uses as console, too");

/* Both hold for GPUs that are bound from then on. */
static char *types = "";
module_param(types, charp, 0644);
MODULE_PARM_DESC(types, "Comma-separated list of types to offer (default: by the size of VRAM)");

static unsigned long vram_mib;
module_param(vram_mib, ulong, 0644);
MODULE_PARM_DESC(vram_mib, "Use no more than this of a GPU's VRAM, in MiB (default 0: all)");

static unsigned long spare_mib;
module_param(spare_mib, ulong, 0644);
MODULE_PARM_DESC(spare_mib, "How much of a GPU's VRAM, in MiB, to keep for pages that fail (default 0)");

static bool linear_match(struct pci_dev *pdev)
{
	if (pdev->vendor == LINEAR_IVSHMEM_VENDOR &&
	    pdev->device == LINEAR_IVSHMEM_DEVICE)
		return true;
	return pdev->class >> 16 == PCI_BASE_CLASS_DISPLAY;
}

/* The largest memory BAR that is prefetchable, or -1. */
static int linear_find_bar(struct pci_dev *pdev)
{
	const unsigned long want = IORESOURCE_MEM | IORESOURCE_PREFETCH;
	int bar, best = -1;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if ((pci_resource_flags(pdev, bar) & want) != want ||
		    !pci_resource_len(pdev, bar))
			continue;
		if (best < 0 || pci_resource_len(pdev, bar) >
				pci_resource_len(pdev, best))
			best = bar;
	}
	return best;
}

static int linear_check(struct pci_dev *pdev, int bar)
{
	if (bar < 0) {
		pci_err(pdev, "no prefetchable memory BAR\n");
		return -ENODEV;
	}
	if (pci_resource_len(pdev, bar) < PGPU_VRAM_MIN ||
	    !IS_ALIGNED(pci_resource_start(pdev, bar), PGPU_BLOCK_SIZE)) {
		pci_err(pdev, "BAR%d is %pR: smaller than the smallest type, or not on a boundary of 2 MiB\n",
			bar, &pdev->resource[bar]);
		return -ENODEV;
	}
	/* The PCI core marks the device that the firmware booted with so. */
	if (!allow_console && pdev->resource[PCI_ROM_RESOURCE].flags &
			      IORESOURCE_ROM_SHADOW) {
		pci_err(pdev, "the firmware's console; allow_console=1 takes it anyway\n");
		return -ENODEV;
	}
	return 0;
}

static const struct pgpu_ops linear_ops = {
	.vram_map = linear_vram_map,
	.vram_discard = linear_vram_discard,
};

/* A copy, because the parameter may be written at any time. */
static char *linear_types(struct pci_dev *pdev)
{
	char *copy;

	kernel_param_lock(THIS_MODULE);
	copy = devm_kstrdup(&pdev->dev, types, GFP_KERNEL);
	kernel_param_unlock(THIS_MODULE);
	/* What is written by hand ends in a newline. */
	return copy ? strim(copy) : NULL;
}

static int linear_probe(struct pci_dev *pdev, struct pgpu *pgpu,
			struct pgpu_desc *desc)
{
	int bar = linear_find_bar(pdev);
	struct linear_vram *vram;
	u64 size, spare;
	int ret;

	ret = linear_check(pdev, bar);
	if (ret)
		return ret;
	vram = devm_kzalloc(&pdev->dev, sizeof(*vram), GFP_KERNEL);
	if (!vram)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	/* pci_request_region() forgets by itself in older kernels only. */
	if (!devm_request_mem_region(&pdev->dev, pci_resource_start(pdev, bar),
				     pci_resource_len(pdev, bar),
				     KBUILD_MODNAME)) {
		pci_err(pdev, "BAR%d is in use, perhaps as a console: %pR\n",
			bar, &pdev->resource[bar]);
		return -ENODEV;
	}
	size = round_down(pci_resource_len(pdev, bar), PGPU_BLOCK_SIZE);
	if (vram_mib && vram_mib < size / SZ_1M)
		size = vram_mib * SZ_1M;
	if (size < PGPU_VRAM_MIN ||
	    spare_mib > (size - PGPU_VRAM_MIN) / SZ_1M) {
		pci_err(pdev, "vram_mib=%lu and spare_mib=%lu leave less than the smallest type\n",
			vram_mib, spare_mib);
		return -ERANGE;
	}
	spare = spare_mib * SZ_1M;
	ret = linear_vram_init(vram, &pdev->dev, pci_resource_start(pdev, bar),
			       size);
	if (ret)
		return ret;

	desc->model = "VLIN";
	desc->ops = &linear_ops;
	desc->owner = THIS_MODULE;
	desc->vram_size = size - spare;
	desc->spare_size = spare;
	desc->device_memory = true;
	desc->types = linear_types(pdev);
	if (!desc->types) {
		linear_vram_fini(vram);
		return -ENOMEM;
	}
	desc->priv = vram;
	return 0;
}

static void linear_remove(struct pci_dev *pdev, void *priv)
{
	linear_vram_fini(priv);
}

static struct pgpu_backend linear_backend = {
	.name = "linear",
	.generic = true,
	.match = linear_match,
	.probe = linear_probe,
	.remove = linear_remove,
};

module_driver(linear_backend, pgpu_backend_register, pgpu_backend_unregister);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("PCI devices with memory behind a BAR for vgpu");
MODULE_AUTHOR("The vgpu developers");
