// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI driver "vgpu", one for all kinds of pGPU.
 *
 * The mdev core names a type <driver>-<id>, and management tools look for
 * /sys/bus/pci/drivers/<driver>/<address>/mdev_supported_types; one name for
 * every backend keeps both the same everywhere.  By itself the driver binds
 * only the software GPU, which exists for it alone.  Hardware is given to it
 * with driver_override or new_id, so that it never takes a console away.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vgpu.h>

#include "pgpu/gpu.h"

/* Protects both lists and is held while a backend probes. */
static DEFINE_MUTEX(vgpu_backends_lock);
static LIST_HEAD(vgpu_backends);
static LIST_HEAD(vgpu_pgpus);

static const struct pgpu_front *vgpu_pci_front;

static struct pgpu_backend *vgpu_pci_find_backend(struct pci_dev *pdev)
{
	struct pgpu_backend *backend;

	lockdep_assert_held(&vgpu_backends_lock);
	list_for_each_entry(backend, &vgpu_backends, list)
		if (backend->match(pdev))
			return backend;
	return NULL;
}

static int vgpu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pgpu_backend *backend;
	struct pgpu_desc desc = { };
	struct pgpu *pgpu;
	int ret;

	mutex_lock(&vgpu_backends_lock);
	backend = vgpu_pci_find_backend(pdev);
	if (!backend) {
		dev_info(&pdev->dev, "no loaded backend knows this device\n");
		ret = -ENODEV;
		goto out_unlock;
	}
	pgpu = pgpu_alloc(&pdev->dev, backend);
	if (!pgpu) {
		ret = -ENOMEM;
		goto out_unlock;
	}
	ret = backend->probe(pdev, pgpu, &desc);
	if (ret)
		goto err_free;
	ret = pgpu_register(pgpu, &desc, vgpu_pci_front);
	if (ret) {
		if (backend->remove)
			backend->remove(pdev, desc.priv);
		goto err_free;
	}
	pci_set_drvdata(pdev, pgpu);
	list_add(&pgpu->link, &vgpu_pgpus);
	goto out_unlock;

err_free:
	pgpu_free(pgpu);
out_unlock:
	mutex_unlock(&vgpu_backends_lock);
	return ret;
}

static void vgpu_pci_remove(struct pci_dev *pdev)
{
	struct pgpu *pgpu = pci_get_drvdata(pdev);
	struct pgpu_backend *backend = pgpu->backend;
	void *priv = pgpu->desc.priv;

	pgpu_unregister(pgpu, vgpu_pci_front);
	if (backend->remove)
		backend->remove(pdev, priv);
	/* The backend is not needed any more, and may go. */
	mutex_lock(&vgpu_backends_lock);
	list_del(&pgpu->link);
	mutex_unlock(&vgpu_backends_lock);
	pgpu_free(pgpu);
}

static const struct pci_device_id vgpu_pci_ids[] = {
	{ PCI_DEVICE_SUB(VGPU_PCI_VENDOR, VGPU_SOFT_PCI_DEVICE,
			 VGPU_PCI_SUBSYSTEM_VENDOR, VGPU_SOFT_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, vgpu_pci_ids);

static struct pci_driver vgpu_pci_driver = {
	.name = "vgpu",
	.id_table = vgpu_pci_ids,
	.probe = vgpu_pci_probe,
	.remove = vgpu_pci_remove,
	.dev_groups = vgpu_pci_groups,
};

/*
 * Give the driver a device that it has not.  One that it has may be locked until
 * VMMs have let go, so this is not driver_attach(), which waits for that.
 */
static int vgpu_pci_attach(struct device *dev, void *unused)
{
	struct device_driver *drv = &vgpu_pci_driver.driver;
	int ret = 0;

	if (!READ_ONCE(dev->driver) && drv->bus->match(dev, drv))
		ret = device_driver_attach(drv, dev);
	if (ret)
		dev_dbg(dev, "not attached: %d\n", ret);
	/* It says so itself, and the next one may come up. */
	return 0;
}

/**
 * pgpu_backend_register() - offer a kind of pGPU
 * @backend: valid until pgpu_backend_unregister()
 *
 * Devices that were given to the driver before are probed now.
 *
 * Return: 0 or -EINVAL when a callback is missing
 */
int pgpu_backend_register(struct pgpu_backend *backend)
{
	if (!backend->match || !backend->probe)
		return -EINVAL;
	mutex_lock(&vgpu_backends_lock);
	if (backend->generic)
		list_add_tail(&backend->list, &vgpu_backends);
	else
		list_add(&backend->list, &vgpu_backends);
	mutex_unlock(&vgpu_backends_lock);
	return bus_for_each_dev(&pci_bus_type, NULL, NULL, vgpu_pci_attach);
}
EXPORT_SYMBOL_GPL(pgpu_backend_register);

/* The device of a pGPU of that backend, with a reference; NULL if there is none. */
static struct device *vgpu_pci_find_device(struct pgpu_backend *backend)
{
	struct device *dev = NULL;
	struct pgpu *pgpu;

	mutex_lock(&vgpu_backends_lock);
	list_for_each_entry(pgpu, &vgpu_pgpus, link) {
		if (pgpu->backend == backend) {
			dev = get_device(pgpu->dev);
			break;
		}
	}
	mutex_unlock(&vgpu_backends_lock);
	return dev;
}

/**
 * pgpu_backend_unregister() - opposite of pgpu_backend_register()
 * @backend: its pGPUs are unbound; waits for the VMMs that use them
 */
void pgpu_backend_unregister(struct pgpu_backend *backend)
{
	struct device *dev;

	mutex_lock(&vgpu_backends_lock);
	list_del(&backend->list);
	mutex_unlock(&vgpu_backends_lock);
	/* Not all of the bus: the lock of another's may be held for long. */
	while ((dev = vgpu_pci_find_device(backend))) {
		device_release_driver(dev);
		put_device(dev);
	}
}
EXPORT_SYMBOL_GPL(pgpu_backend_unregister);

/**
 * pgpu_in_use() - whether a VMM holds a vGPU of this device open
 * @pdev: a PCI device, whatever driver it has
 *
 * The answer can be old when it arrives; it is for refusing early what would
 * wait long.  So it does not wait itself: while the driver is being unbound, which
 * lasts until the VMMs have let go, the device lock of @pdev is held.
 *
 * Return: true if so, or if somebody is binding or unbinding it; false also when
 * the driver is not bound
 */
bool pgpu_in_use(struct pci_dev *pdev)
{
	bool ret = false;

	if (!device_trylock(&pdev->dev))
		return true;
	if (pdev->dev.driver == &vgpu_pci_driver.driver) {
		struct pgpu *pgpu = pci_get_drvdata(pdev);

		ret = atomic_read(&pgpu->vram.open_count);
	}
	device_unlock(&pdev->dev);
	return ret;
}
EXPORT_SYMBOL_GPL(pgpu_in_use);

/**
 * vgpu_pci_init() - register the driver
 * @front: through which pGPUs are offered
 *
 * Return: 0 or an errno
 */
int vgpu_pci_init(const struct pgpu_front *front)
{
	vgpu_pci_front = front;
	return pci_register_driver(&vgpu_pci_driver);
}

void vgpu_pci_exit(void)
{
	pci_unregister_driver(&vgpu_pci_driver);
}
