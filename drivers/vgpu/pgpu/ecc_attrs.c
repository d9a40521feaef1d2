// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs attributes of a pGPU, in the directory "ecc" of its PCI device.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

#include "core.h"

#define ECC_SHOW(name, value)						\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	struct pgpu *pgpu = dev_get_drvdata(dev);			\
	u64 n;								\
									\
	mutex_lock(&pgpu->lock);					\
	n = value;							\
	mutex_unlock(&pgpu->lock);					\
	return sysfs_emit(buf, "%llu\n", n);				\
}

ECC_SHOW(enabled, pgpu->ecc.enabled)
static DEVICE_ATTR_RO(enabled);

ECC_SHOW(enabled_pending, pgpu->ecc.pending)
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
	mutex_lock(&pgpu->lock);
	pgpu->ecc.pending = on;
	mutex_unlock(&pgpu->lock);
	return count;
}
static DEVICE_ATTR_RW(enabled_pending);

ECC_SHOW(sbe_volatile, pgpu->ecc.sbe)
static DEVICE_ATTR_RO(sbe_volatile);

ECC_SHOW(dbe_volatile, pgpu->ecc.dbe)
static DEVICE_ATTR_RO(dbe_volatile);

ECC_SHOW(sbe_aggregate, pgpu->ecc.sbe_before + pgpu->ecc.sbe)
static DEVICE_ATTR_RO(sbe_aggregate);

ECC_SHOW(dbe_aggregate, pgpu->ecc.dbe_before + pgpu->ecc.dbe)
static DEVICE_ATTR_RO(dbe_aggregate);

ECC_SHOW(spare_pages, pgpu->desc.spare_size >> PAGE_SHIFT)
static DEVICE_ATTR_RO(spare_pages);

static ssize_t spare_pages_free_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	u64 left;

	vram_spare_pages(dev_get_drvdata(dev), &left);
	return sysfs_emit(buf, "%llu\n", left);
}
static DEVICE_ATTR_RO(spare_pages_free);

ECC_SHOW(retired_pages, pgpu->ecc.nr_retired)
static DEVICE_ATTR_RO(retired_pages);

ECC_SHOW(retired_pages_pending, pgpu->ecc.nr_pending)
static DEVICE_ATTR_RO(retired_pages_pending);

static ssize_t last_errors_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return pgpu_ecc_last(dev_get_drvdata(dev), buf);
}
static DEVICE_ATTR_RO(last_errors);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	bool reset;
	int ret;

	ret = kstrtobool(buf, &reset);
	if (!ret && reset)
		ret = pgpu_ecc_reset(dev_get_drvdata(dev));
	return ret ?: count;
}
static DEVICE_ATTR_WO(reset);

static ssize_t retired_list_read(struct file *file, struct kobject *kobj,
				 VGPU_BIN_ATTR_CONST struct bin_attribute *attr,
				 char *buf, loff_t offset, size_t count)
{
	return pgpu_ecc_list(dev_get_drvdata(kobj_to_dev(kobj)), buf, offset,
			     count);
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
