// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI root bus for each software GPU, with one device on it.
 *
 * Management tools take only PCI devices for GPUs, so the software GPU is one.
 * Config space is an image in memory; there are no BARs, because its memory is
 * reached through the backend operations alone.
 */
#include <linux/pci.h>
#include <linux/vgpu.h>

#include "soft.h"

/*
 * Domains of real root buses come from ACPI and are small, or lie above 16
 * bits; some management tools read no more than four digits.
 */
#define SOFT_DOMAIN_FIRST	0xf000
#define SOFT_DOMAIN_LAST	0xffff

/* Bits of config space that can be written. */
#define SOFT_COMMAND_MASK	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
				 PCI_COMMAND_INTX_DISABLE)

/* Config space is little-endian, and so is the only architecture built for. */
static void soft_put16(struct soft_gpu *gpu, int where, u16 val)
{
	memcpy(gpu->regs + where, &val, sizeof(val));
}

static void soft_put32(struct soft_gpu *gpu, int where, u32 val)
{
	memcpy(gpu->regs + where, &val, sizeof(val));
}

static struct soft_gpu *soft_sysdata_gpu(struct pci_bus *bus)
{
	return container_of((struct pci_sysdata *)bus->sysdata, struct soft_gpu,
			    sysdata);
}

static int soft_config_read(struct pci_bus *bus, unsigned int devfn, int where,
			    int size, u32 *val)
{
	struct soft_gpu *gpu = soft_sysdata_gpu(bus);

	if (devfn || where + size > SOFT_CONFIG_SIZE)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*val = 0;
	memcpy(val, gpu->regs + where, size);
	return PCIBIOS_SUCCESSFUL;
}

static int soft_config_write(struct pci_bus *bus, unsigned int devfn, int where,
			     int size, u32 val)
{
	struct soft_gpu *gpu = soft_sysdata_gpu(bus);

	if (devfn || where + size > SOFT_CONFIG_SIZE)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_COMMAND && size >= 2)
		soft_put16(gpu, where, val & SOFT_COMMAND_MASK);
	else if (where == PCI_INTERRUPT_LINE)
		gpu->regs[where] = val;
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops soft_pci_ops = {
	.read = soft_config_read,
	.write = soft_config_write,
};

static void soft_regs_init(struct soft_gpu *gpu)
{
	soft_put16(gpu, PCI_VENDOR_ID, VGPU_PCI_VENDOR);
	soft_put16(gpu, PCI_DEVICE_ID, VGPU_SOFT_PCI_DEVICE);
	soft_put32(gpu, PCI_CLASS_REVISION, VGPU_PCI_CLASS << 8);
	soft_put16(gpu, PCI_SUBSYSTEM_VENDOR_ID, VGPU_PCI_SUBSYSTEM_VENDOR);
	soft_put16(gpu, PCI_SUBSYSTEM_ID, VGPU_SOFT_PCI_DEVICE);
}

/* Called with pci_rescan_remove_lock held, so that the answer stays true. */
static int soft_find_domain(void)
{
	int domain;

	for (domain = SOFT_DOMAIN_FIRST; domain <= SOFT_DOMAIN_LAST; domain++)
		if (!pci_find_bus(domain, 0))
			return domain;
	return -ENOSPC;
}

/**
 * soft_bus_add() - plug a software GPU in
 * @gpu: complete but for its bus
 *
 * Return: 0; -ENOSPC without a free PCI domain; -ENOMEM
 */
int soft_bus_add(struct soft_gpu *gpu)
{
	static struct resource busn = {
		.name = "vgpu-soft bus",
		.start = 0,
		.end = 0,
		.flags = IORESOURCE_BUS,
	};
	LIST_HEAD(resources);
	int ret = 0;

	soft_regs_init(gpu);
	gpu->sysdata.node = gpu->vram.node;

	pci_lock_rescan_remove();
	ret = soft_find_domain();
	if (ret < 0)
		goto out_unlock;
	gpu->sysdata.domain = ret;
	ret = 0;
	pci_add_resource(&resources, &busn);
	gpu->bus = pci_scan_root_bus(NULL, 0, &soft_pci_ops, &gpu->sysdata,
				     &resources);
	if (!gpu->bus) {
		pci_free_resource_list(&resources);
		ret = -ENOMEM;
		goto out_unlock;
	}
	pci_bus_add_devices(gpu->bus);
out_unlock:
	pci_unlock_rescan_remove();
	return ret;
}

/**
 * soft_bus_remove() - unplug it
 * @gpu: waits for the VMMs that use its vGPUs
 */
void soft_bus_remove(struct soft_gpu *gpu)
{
	struct pci_host_bridge *bridge = to_pci_host_bridge(gpu->bus->bridge);
	struct pci_dev *pdev = soft_bus_device(gpu);

	/* Wait here, and not with the lock of all of PCI held. */
	if (pdev)
		device_release_driver(&pdev->dev);
	pci_dev_put(pdev);
	pci_lock_rescan_remove();
	pci_stop_root_bus(gpu->bus);
	pci_remove_root_bus(gpu->bus);
	pci_unlock_rescan_remove();
	/* pci_scan_root_bus() left us the first reference on it. */
	pci_free_host_bridge(bridge);
}

/**
 * soft_bus_device() - the PCI device of a software GPU
 * @gpu: plugged in
 *
 * Return: the device, to be given back with pci_dev_put(), or NULL when
 * somebody removed it through sysfs
 */
struct pci_dev *soft_bus_device(struct soft_gpu *gpu)
{
	return pci_get_slot(gpu->bus, 0);
}

/**
 * soft_bus_gpu() - the software GPU of a PCI device
 * @pdev: any PCI device
 *
 * Return: the GPU, or NULL when the device is none of ours
 */
struct soft_gpu *soft_bus_gpu(struct pci_dev *pdev)
{
	return pdev->bus->ops == &soft_pci_ops ? soft_sysdata_gpu(pdev->bus) :
						 NULL;
}
