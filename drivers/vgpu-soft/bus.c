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

/* How long a bus waits to be plugged in or unplugged before it is left to a worker. */
#define SOFT_BUS_PATIENCE	(5 * HZ)

/* One at a time, for they all wait for the same lock. */
static struct workqueue_struct *soft_bus_queue;

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

/* With pci_rescan_remove_lock held. */
static int soft_bus_plug(struct soft_gpu *gpu)
{
	static struct resource busn = {
		.name = "vgpu-soft bus",
		.start = 0,
		.end = 0,
		.flags = IORESOURCE_BUS,
	};
	LIST_HEAD(resources);
	int domain = soft_find_domain();

	if (domain < 0)
		return domain;
	gpu->sysdata.domain = domain;
	pci_add_resource(&resources, &busn);
	gpu->bus = pci_scan_root_bus(NULL, 0, &soft_pci_ops, &gpu->sysdata,
				     &resources);
	if (!gpu->bus) {
		pci_free_resource_list(&resources);
		return -ENOMEM;
	}
	pci_bus_add_devices(gpu->bus);
	return 0;
}

static void soft_bus_unplug(struct soft_gpu *gpu)
{
	struct pci_host_bridge *bridge = to_pci_host_bridge(gpu->bus->bridge);

	pci_stop_root_bus(gpu->bus);
	pci_remove_root_bus(gpu->bus);
	/* pci_scan_root_bus() left us the first reference on it. */
	pci_free_host_bridge(bridge);
}

/* Plug in what is not, and unplug what is; unless nobody wants the former any more. */
static void soft_bus_work(struct work_struct *work)
{
	struct soft_gpu *gpu = container_of(work, struct soft_gpu, work);
	bool left;

	pci_lock_rescan_remove();
	left = atomic_xchg(&gpu->claimed, true);
	if (gpu->bus)
		soft_bus_unplug(gpu);
	else if (!left)
		gpu->ret = soft_bus_plug(gpu);
	pci_unlock_rescan_remove();
	if (left)
		soft_gpu_free(gpu);
	else
		complete(&gpu->done);
}

/*
 * Have it plugged in or unplugged as soon as the lock of all of PCI is free.  Who
 * removes a device through sysfs holds that until the driver lets go of the device,
 * and a GPU's driver waits for VMMs; so a worker waits for the lock, and nobody else
 * longer than SOFT_BUS_PATIENCE.
 *
 * Returns false if it has not come to an end by then.
 */
static bool soft_bus_turn(struct soft_gpu *gpu)
{
	INIT_WORK(&gpu->work, soft_bus_work);
	init_completion(&gpu->done);
	atomic_set(&gpu->claimed, false);
	queue_work(soft_bus_queue, &gpu->work);
	return wait_for_completion_timeout(&gpu->done, SOFT_BUS_PATIENCE);
}

/*
 * Leave it to the worker, which frees the GPU then.  Returns false if the worker has
 * begun: then it has come to an end now, and the GPU is still the caller's.
 */
static bool soft_bus_leave(struct soft_gpu *gpu)
{
	if (!atomic_xchg(&gpu->claimed, true))
		return true;
	wait_for_completion(&gpu->done);
	return false;
}

/**
 * soft_bus_add() - plug a software GPU in
 * @gpu: complete but for its bus; freed after an error
 * @later: do not give up while somebody has the lock of all of PCI
 *
 * Return: 0; -EINPROGRESS when it comes later; -ENOSPC without a free PCI domain;
 * -ENOMEM; -EBUSY when it was given up
 */
int soft_bus_add(struct soft_gpu *gpu, bool later)
{
	int ret;

	soft_regs_init(gpu);
	gpu->sysdata.node = gpu->vram.node;
	if (!soft_bus_turn(gpu)) {
		if (later)
			return -EINPROGRESS;
		if (soft_bus_leave(gpu))
			return -EBUSY;
	}
	ret = gpu->ret;
	if (ret)
		soft_gpu_free(gpu);
	return ret;
}

/**
 * soft_bus_remove() - unplug it, and free it
 * @gpu: waits for the VMMs that use its vGPUs, but not for those that hold up
 *	the lock of all of PCI: the device goes when they let go.  One that was to
 *	come later has to come first.
 */
void soft_bus_remove(struct soft_gpu *gpu)
{
	struct pci_dev *pdev;

	flush_work(&gpu->work);
	if (!gpu->bus) {
		soft_gpu_free(gpu);
		return;
	}
	pdev = soft_bus_device(gpu);
	/* Wait here, and not with the lock of all of PCI held. */
	if (pdev)
		device_release_driver(&pdev->dev);
	pci_dev_put(pdev);
	if (soft_bus_turn(gpu) || !soft_bus_leave(gpu))
		soft_gpu_free(gpu);
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

int soft_bus_init(void)
{
	soft_bus_queue = alloc_ordered_workqueue("vgpu-soft", 0);
	return soft_bus_queue ? 0 : -ENOMEM;
}

/* Waits for what was left to the worker, which needs this module. */
void soft_bus_exit(void)
{
	destroy_workqueue(soft_bus_queue);
}
