// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs attributes of a pGPU, in the directory "ecc" of its PCI device.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "compat/misc.h"
#include "pgpu/gpu.h"

#define ECC_ATTR(name, mode, store, value)				\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	struct pgpu *pgpu = dev_get_drvdata(dev);			\
	u64 n;								\
									\
	mutex_lock(&pgpu->vram.lock);					\
	n = value;							\
	mutex_unlock(&pgpu->vram.lock);					\
	return sysfs_emit(buf, "%llu\n", n);				\
}									\
static DEVICE_ATTR(name, mode, name##_show, store)

ECC_ATTR(enabled, 0444, NULL, pgpu->ras.enabled);

static ssize_t enabled_pending_store(struct device *dev,
				     struct device_attribute *attr,
				     const char *buf, size_t count)
{
	struct pgpu *pgpu = dev_get_drvdata(dev);
	bool on;
	int ret;

	ret = kstrtobool(buf, &on);
	if (ret)
		return ret;
	mutex_lock(&pgpu->vram.lock);
	pgpu->ras.pending = on;
	mutex_unlock(&pgpu->vram.lock);
	return count;
}
ECC_ATTR(enabled_pending, 0644, enabled_pending_store, pgpu->ras.pending);
ECC_ATTR(sbe_volatile, 0444, NULL, pgpu->ras.sbe);
ECC_ATTR(dbe_volatile, 0444, NULL, pgpu->ras.dbe);
ECC_ATTR(sbe_aggregate, 0444, NULL, pgpu->ras.sbe_before + pgpu->ras.sbe);
ECC_ATTR(dbe_aggregate, 0444, NULL, pgpu->ras.dbe_before + pgpu->ras.dbe);
ECC_ATTR(spare_pages, 0444, NULL, pgpu->desc.spare_size >> PAGE_SHIFT);

static ssize_t spare_pages_free_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	struct pgpu *pgpu = dev_get_drvdata(dev);
	u64 left;

	vram_spare_pages(&pgpu->vram, &left);
	return sysfs_emit(buf, "%llu\n", left);
}
static DEVICE_ATTR_RO(spare_pages_free);

ECC_ATTR(retired_pages, 0444, NULL, pgpu->vram.nr_retired);
ECC_ATTR(retired_pages_pending, 0444, NULL, pgpu->vram.nr_pending);

static ssize_t last_errors_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct pgpu *pgpu = dev_get_drvdata(dev);

	return ras_last(&pgpu->ras, buf);
}
static DEVICE_ATTR_RO(last_errors);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct pgpu *pgpu = dev_get_drvdata(dev);
	bool reset;
	int ret;

	ret = kstrtobool(buf, &reset);
	if (!ret && reset)
		ret = ras_reset(&pgpu->ras);
	return ret ?: count;
}
static DEVICE_ATTR_WO(reset);

static ssize_t retired_list_read(struct file *file, struct kobject *kobj,
				 VGPU_BIN_ATTR_CONST struct bin_attribute *attr,
				 char *buf, loff_t offset, size_t count)
{
	struct pgpu *pgpu = dev_get_drvdata(kobj_to_dev(kobj));

	return ras_list(&pgpu->ras, buf, offset, count);
}
static VGPU_BIN_ATTR_CONST BIN_ATTR_RO(retired_list, 0);

static struct attribute *ecc_attrs[] = {
	&dev_attr_enabled.attr,
	&dev_attr_enabled_pending.attr,
	&dev_attr_sbe_volatile.attr,
	&dev_attr_dbe_volatile.attr,
	&dev_attr_sbe_aggregate.attr,
	&dev_attr_dbe_aggregate.attr,
	&dev_attr_spare_pages.attr,
	&dev_attr_spare_pages_free.attr,
	&dev_attr_retired_pages.attr,
	&dev_attr_retired_pages_pending.attr,
	&dev_attr_last_errors.attr,
	&dev_attr_reset.attr,
	NULL
};

static VGPU_BIN_ATTR_CONST struct bin_attribute *VGPU_BIN_ATTR_CONST
ecc_bin_attrs[] = {
	&bin_attr_retired_list,
	NULL
};

static const struct attribute_group ecc_group = {
	.name = "ecc",
	.attrs = ecc_attrs,
	.bin_attrs = ecc_bin_attrs,
};

/* They come after probe and go before remove. */
const struct attribute_group *vgpu_pci_groups[] = {
	&ecc_group,
	NULL
};
