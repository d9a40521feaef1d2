// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu-soft: module, backend and the life of a software GPU.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>

#include "soft.h"

static unsigned int nr_gpus = 1;
module_param(nr_gpus, uint, 0444);
MODULE_PARM_DESC(nr_gpus, "Software GPUs to make on load, 0 to 16 (default 1)");

static unsigned long vram_mib = 4096;
module_param(vram_mib, ulong, 0444);
MODULE_PARM_DESC(vram_mib, "VRAM of each of them in MiB (default 4096); memory is taken when it is used");

#define SOFT_NR_GPUS_MAX	16
#define SOFT_VRAM_MAX		(1ULL << 40)

static struct soft_gpu *soft_gpus[SOFT_NR_GPUS_MAX];
static struct soft_config soft_gpus_config __initdata = {
	.numa_node = NUMA_NO_NODE,
};

static const struct pgpu_ops soft_pgpu_ops = {
	.vram_map = soft_vram_map,
	.vram_discard = soft_vram_discard,
	.vram_single = soft_vram_single,
};

/* Costs nothing until it is used: a thousand pages, or one of 512. */
static u64 soft_spare_size(u64 vram_size)
{
	return max_t(u64, SZ_4M, round_up(vram_size / 512, PGPU_BLOCK_SIZE));
}

static bool soft_match(struct pci_dev *pdev)
{
	return soft_bus_gpu(pdev);
}

static int soft_probe(struct pci_dev *pdev, struct pgpu *pgpu,
		      struct pgpu_desc *desc)
{
	struct soft_gpu *gpu = soft_bus_gpu(pdev);

	soft_vram_report_to(&gpu->vram, pgpu);
	desc->model = "VSOFT";
	desc->ops = &soft_pgpu_ops;
	desc->owner = THIS_MODULE;
	desc->vram_size = gpu->config.vram_size;
	desc->spare_size = soft_spare_size(gpu->config.vram_size);
	desc->types = gpu->config.types;
	desc->priv = gpu;
	return 0;
}

static void soft_remove(struct pci_dev *pdev, void *priv)
{
	struct soft_gpu *gpu = priv;

	soft_vram_report_to(&gpu->vram, NULL);
}

static struct pgpu_backend soft_backend = {
	.name = "soft",
	.match = soft_match,
	.probe = soft_probe,
	.remove = soft_remove,
};

/**
 * soft_config_check() - whether a GPU can be made from this
 * @config: to check
 *
 * Return: 0; -ERANGE or -EINVAL for a VRAM size, -EINVAL for a node that there
 * is not, and what pgpu_types_check()
 * returns for the types
 */
int soft_config_check(const struct soft_config *config)
{
	if (config->vram_size > SOFT_VRAM_MAX)
		return -ERANGE;
	if (config->vram_size % PGPU_BLOCK_SIZE)
		return -EINVAL;
	if (config->numa_node != NUMA_NO_NODE &&
	    (config->numa_node < 0 || config->numa_node >= MAX_NUMNODES ||
	     !node_online(config->numa_node)))
		return -EINVAL;
	return pgpu_types_check(config->types, config->vram_size);
}

/**
 * soft_gpu_create() - make a software GPU and plug it in
 * @config: copied
 * @later: it may be plugged in later, when PCI is not free in time
 *
 * Return: the GPU or an error pointer: as soft_config_check(), -ENOSPC
 * without a free PCI domain, -ENOMEM, -EBUSY when PCI is not free in time, -ENODEV
 * when the driver did not bind
 */
struct soft_gpu *soft_gpu_create(const struct soft_config *config, bool later)
{
	struct soft_gpu *gpu;
	struct pci_dev *pdev;
	bool bound;
	int ret;

	ret = soft_config_check(config);
	if (ret)
		return ERR_PTR(ret);
	gpu = kzalloc(sizeof(*gpu), GFP_KERNEL);
	if (!gpu)
		return ERR_PTR(-ENOMEM);
	gpu->config = *config;
	ret = soft_vram_init(&gpu->vram, config->numa_node);
	if (ret) {
		kfree(gpu);
		return ERR_PTR(ret);
	}
	ret = soft_bus_add(gpu, later);
	if (ret == -EINPROGRESS) {
		pr_warn("PCI is busy with the removal of a device; a GPU comes when it is not any more\n");
		return gpu;
	}
	if (ret)
		return ERR_PTR(ret);

	pdev = soft_bus_device(gpu);
	bound = pdev && pdev->dev.driver;
	pci_dev_put(pdev);
	if (!bound) {
		soft_bus_remove(gpu);
		return ERR_PTR(-ENODEV);
	}
	return gpu;
}

/**
 * soft_gpu_free() - forget a software GPU
 * @gpu: not plugged in
 */
void soft_gpu_free(struct soft_gpu *gpu)
{
	soft_vram_fini(&gpu->vram);
	kfree(gpu);
}

static void soft_destroy_all(void)
{
	int i;

	for (i = SOFT_NR_GPUS_MAX - 1; i >= 0; i--)
		if (soft_gpus[i])
			soft_bus_remove(soft_gpus[i]);
}

static int __init soft_init(void)
{
	unsigned int i;
	int ret;

	if (nr_gpus > SOFT_NR_GPUS_MAX) {
		pr_err("nr_gpus=%u: at most %u\n", nr_gpus, SOFT_NR_GPUS_MAX);
		return -EINVAL;
	}
	if (vram_mib > SOFT_VRAM_MAX / SZ_1M) {
		pr_err("vram_mib=%lu: at most %llu\n", vram_mib,
		       SOFT_VRAM_MAX / SZ_1M);
		return -ERANGE;
	}
	ret = soft_fs_pin();
	if (ret)
		return ret;
	ret = soft_bus_init();
	if (ret)
		goto err_release;
	ret = pgpu_backend_register(&soft_backend);
	if (ret)
		goto err_bus_exit;

	soft_gpus_config.vram_size = vram_mib * SZ_1M;
	for (i = 0; i < nr_gpus; i++) {
		struct soft_gpu *gpu = soft_gpu_create(&soft_gpus_config, true);

		if (IS_ERR(gpu)) {
			ret = PTR_ERR(gpu);
			pr_err("cannot make a GPU with vram_mib=%lu: %d\n",
			       vram_mib, ret);
			goto err_destroy;
		}
		soft_gpus[i] = gpu;
	}
	ret = soft_configfs_init();
	if (ret)
		goto err_destroy;
	return 0;

err_destroy:
	soft_destroy_all();
	pgpu_backend_unregister(&soft_backend);
err_bus_exit:
	soft_bus_exit();
err_release:
	soft_fs_release();
	return ret;
}

/* GPUs of configfs are gone: each of their directories holds the module. */
static void __exit soft_exit(void)
{
	soft_configfs_exit();
	soft_destroy_all();
	pgpu_backend_unregister(&soft_backend);
	soft_bus_exit();
	soft_fs_release();
}

module_init(soft_init);
module_exit(soft_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Software GPU for vgpu");
MODULE_AUTHOR("The vgpu developers");
