// SPDX-License-Identifier: GPL-2.0
/*
 * vgpu: mediated vGPUs on a physical GPU.
 */
#include <linux/module.h>

#include "front/front.h"
#include "pgpu/gpu.h"

static int __init vgpu_module_init(void)
{
	int ret;

	vgpu_debugfs_init();
	ret = mdev_register_driver(&vgpu_mdev_driver);
	if (ret)
		goto err_debugfs;
	ret = vgpu_pci_init(&vgpu_mdev_front);
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&vgpu_mdev_driver);
err_debugfs:
	vgpu_debugfs_exit();
	return ret;
}

static void __exit vgpu_module_exit(void)
{
	vgpu_pci_exit();
	mdev_unregister_driver(&vgpu_mdev_driver);
	vgpu_debugfs_exit();
}

module_init(vgpu_module_init);
module_exit(vgpu_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated vGPUs on a physical GPU");
MODULE_AUTHOR("The vgpu developers");
/* A VMM needs it as soon as it opens a vGPU. */
MODULE_SOFTDEP("pre: vfio_iommu_type1");
