// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu-example: the example of Documentation/backend.md.  The PCI device is QEMU's
 * "edu", of which nothing is used.  The VRAM is system memory.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <vgpu/pgpu.h>

/* The selftests write both before they bind the device. */
static unsigned int vram_mib = 64;
module_param(vram_mib, uint, 0644);
MODULE_PARM_DESC(vram_mib, "VRAM in MiB, at most 1024 (default 64; 0 is the same)");

static char types[PGPU_TYPE_LIST_MAX];
module_param_string(types, types, sizeof(types), 0644);
MODULE_PARM_DESC(types, "Comma-separated list of types to offer (default: by the size of VRAM)");

/**
 * struct example_gpu - an example pGPU
 * @nr: number of pages, spare pages included
 * @pages: the memory of each page; NULL for a page that was not used since it was
 *	discarded
 */
struct example_gpu {
	u64 nr;
	struct page *pages[];
};

static struct page *example_page(struct example_gpu *gpu, u64 page,
				 enum pgpu_alloc alloc)
{
	struct page *found = READ_ONCE(gpu->pages[page]), *new;

	if (found || alloc == PGPU_ALLOC_NONE)
		return found;
	new = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!new)
		return NULL;
	/* Another thread may have been faster. */
	found = cmpxchg(&gpu->pages[page], NULL, new) ?: new;
	if (found != new)
		__free_page(new);
	return found;
}

static int example_vram_map(struct pgpu *pgpu, u64 page, u64 nr,
			    enum pgpu_alloc alloc, struct pgpu_run *run)
{
	struct example_gpu *gpu = pgpu_priv(pgpu);
	struct page *first = example_page(gpu, page, alloc);

	if (!first && alloc != PGPU_ALLOC_NONE)
		return -ENOMEM;
	run->pfn = first ? page_to_pfn(first) : 0;
	run->vaddr = first ? page_address(first) : NULL;
	run->nr = 1;
	/* Pages that were allocated one after the other are often contiguous. */
	while (first && run->nr < nr &&
	       example_page(gpu, page + run->nr, alloc) == first + run->nr)
		run->nr++;
	return 0;
}

/* Whoever holds a reference to a page keeps it; nobody else gets it before. */
static void example_vram_discard(struct pgpu *pgpu, u64 page, u64 nr)
{
	struct example_gpu *gpu = pgpu_priv(pgpu);
	struct page *old;

	for (; nr; page++, nr--) {
		old = xchg(&gpu->pages[page], NULL);
		if (old)
			put_page(old);
	}
}

static const struct pgpu_ops example_ops = {
	.vram_map = example_vram_map,
	.vram_discard = example_vram_discard,
};

static bool example_match(struct pci_dev *pdev)
{
	return pdev->vendor == 0x1234 && pdev->device == 0x11e8;
}

static void example_remove(struct pci_dev *pdev, void *priv)
{
	struct example_gpu *gpu = priv;

	while (gpu->nr--)
		if (gpu->pages[gpu->nr])
			put_page(gpu->pages[gpu->nr]);
	kvfree(gpu);
}

static int example_probe(struct pci_dev *pdev, struct pgpu *pgpu,
			 struct pgpu_desc *desc)
{
	struct example_gpu *gpu;
	u64 nr;

	desc->vram_size = (u64)(vram_mib ?: 64) * SZ_1M;
	desc->spare_size = PGPU_BLOCK_SIZE;
	if (desc->vram_size > SZ_1G)
		return -ERANGE;
	nr = (desc->vram_size + desc->spare_size) >> PAGE_SHIFT;
	gpu = kvzalloc(struct_size(gpu, pages, nr), GFP_KERNEL);
	if (!gpu)
		return -ENOMEM;
	gpu->nr = nr;
	desc->model = "VEXAMPLE";
	desc->ops = &example_ops;
	desc->owner = THIS_MODULE;
	desc->types = strim(types);
	desc->priv = gpu;
	return 0;
}

static struct pgpu_backend example_backend = {
	.name = "example",
	.match = example_match,
	.probe = example_probe,
	.remove = example_remove,
};

static int __init example_init(void)
{
	return pgpu_backend_register(&example_backend);
}

static void __exit example_exit(void)
{
	pgpu_backend_unregister(&example_backend);
}

module_init(example_init);
module_exit(example_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Example of a backend for vgpu");
MODULE_AUTHOR("The vgpu developers");
