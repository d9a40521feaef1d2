// SPDX-License-Identifier: GPL-2.0
/*
 * Software GPUs through configfs: mkdir /sys/kernel/config/vgpu-soft/NAME, set
 * its attributes, write 1 to power.
 *
 * Attributes are checked when they are written and once more, all together,
 * at power-on.  They cannot be changed while the power is on.
 */
#include <linux/configfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "soft.h"

#define SOFT_VRAM_DEFAULT	SZ_4G

/**
 * struct soft_item - a directory
 * @item: configfs's part
 * @lock: protects the rest
 * @config: attributes
 * @gpu: the GPU while the power is on, else NULL
 */
struct soft_item {
	struct config_item item;
	struct mutex lock;
	struct soft_config config;
	struct soft_gpu *gpu;
};

static struct soft_item *to_soft_item(struct config_item *item)
{
	return container_of(item, struct soft_item, item);
}

#define SOFT_SHOW(name, format, value)					\
static ssize_t soft_##name##_show(struct config_item *item, char *page)	\
{									\
	struct soft_item *soft = to_soft_item(item);			\
	ssize_t len;							\
									\
	mutex_lock(&soft->lock);					\
	len = sysfs_emit(page, format "\n", value);			\
	mutex_unlock(&soft->lock);					\
	return len;							\
}

SOFT_SHOW(vram_size, "%llu", soft->config.vram_size)
SOFT_SHOW(types, "%s", soft->config.types)
SOFT_SHOW(numa_node, "%d", soft->config.numa_node)
SOFT_SHOW(power, "%d", !!soft->gpu)

static void soft_swap(u8 *a, u8 *b, size_t size)
{
	while (size--)
		swap(a[size], b[size]);
}

/*
 * Change a part of the configuration, if all of it is good then.  Types that were asked
 * for must fit, so a smaller VRAM may be refused.
 */
static int soft_item_set(struct soft_item *soft, void *part, void *value,
			 size_t size)
{
	int ret = -EBUSY;

	mutex_lock(&soft->lock);
	if (!soft->gpu) {
		soft_swap(part, value, size);
		ret = soft_config_check(&soft->config);
		if (ret)
			soft_swap(part, value, size);
	}
	mutex_unlock(&soft->lock);
	return ret;
}

/* A decimal number with a suffix that memparse() knows, which does not overflow. */
static int soft_parse_size(const char *text, u64 *size)
{
	size_t len = strspn(text, "0123456789");
	char digits[24] = "", unit[3] = "1";
	u64 number;
	char *end;
	int ret;

	if (!len)
		return -EINVAL;
	if (len >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, len);
	ret = kstrtou64(digits, 10, &number);
	if (ret)
		return ret;
	unit[1] = text[len];
	if (check_mul_overflow(number, memparse(unit, &end), size))
		return -ERANGE;
	return *skip_spaces(text + len + (end - unit - 1)) ? -EINVAL : 0;
}

static ssize_t soft_vram_size_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct soft_item *soft = to_soft_item(item);
	u64 size;
	int ret;

	ret = soft_parse_size(page, &size) ?:
	      soft_item_set(soft, &soft->config.vram_size, &size, sizeof(size));
	return ret ?: count;
}

static ssize_t soft_types_store(struct config_item *item, const char *page,
				size_t count)
{
	struct soft_item *soft = to_soft_item(item);
	char types[PGPU_TYPE_LIST_MAX] = "";
	size_t len = strcspn(page, "\n");

	if (len >= sizeof(types))
		return -E2BIG;
	memcpy(types, page, len);
	return soft_item_set(soft, soft->config.types, types, sizeof(types)) ?:
	       count;
}

static ssize_t soft_numa_node_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct soft_item *soft = to_soft_item(item);
	int node;

	if (kstrtoint(page, 10, &node))
		return -EINVAL;
	return soft_item_set(soft, &soft->config.numa_node, &node,
			     sizeof(node)) ?: count;
}

static int soft_power_on(struct soft_item *soft)
{
	struct soft_gpu *gpu = soft_gpu_create(&soft->config, false);

	if (IS_ERR(gpu))
		return PTR_ERR(gpu);
	soft->gpu = gpu;
	return 0;
}

/* Refuses while a VMM uses the GPU: the write would wait for it to end. */
static int soft_power_off(struct soft_item *soft)
{
	struct pci_dev *pdev = soft_bus_device(soft->gpu);
	bool busy = pdev && pgpu_in_use(pdev);

	pci_dev_put(pdev);
	if (busy)
		return -EBUSY;
	soft_bus_remove(soft->gpu);
	soft->gpu = NULL;
	return 0;
}

static ssize_t soft_power_store(struct config_item *item, const char *page,
				size_t count)
{
	struct soft_item *soft = to_soft_item(item);
	int ret = 0;
	bool on;

	ret = kstrtobool(page, &on);
	if (ret)
		return ret;
	mutex_lock(&soft->lock);
	if (on && !soft->gpu)
		ret = soft_power_on(soft);
	else if (!on && soft->gpu)
		ret = soft_power_off(soft);
	mutex_unlock(&soft->lock);
	return ret ?: count;
}

static ssize_t soft_pci_address_show(struct config_item *item, char *page)
{
	struct soft_item *soft = to_soft_item(item);
	struct pci_dev *pdev = NULL;
	ssize_t len;

	mutex_lock(&soft->lock);
	if (soft->gpu)
		pdev = soft_bus_device(soft->gpu);
	len = sysfs_emit(page, "%s\n", pdev ? pci_name(pdev) : "");
	pci_dev_put(pdev);
	mutex_unlock(&soft->lock);
	return len;
}

CONFIGFS_ATTR(soft_, vram_size);
CONFIGFS_ATTR(soft_, types);
CONFIGFS_ATTR(soft_, numa_node);
CONFIGFS_ATTR(soft_, power);
CONFIGFS_ATTR_RO(soft_, pci_address);

static struct configfs_attribute *soft_item_attrs[] = {
	&soft_attr_vram_size,
	&soft_attr_types,
	&soft_attr_numa_node,
	&soft_attr_power,
	&soft_attr_pci_address,
	NULL
};

/* The last reference; rmdir has switched the power off before. */
static void soft_item_release(struct config_item *item)
{
	struct soft_item *soft = to_soft_item(item);

	mutex_destroy(&soft->lock);
	kfree(soft);
}

static struct configfs_item_operations soft_item_ops = {
	.release = soft_item_release,
};

static const struct config_item_type soft_item_type = {
	.ct_item_ops = &soft_item_ops,
	.ct_attrs = soft_item_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *soft_make_item(struct config_group *group,
					  const char *name)
{
	struct soft_item *soft;

	soft = kzalloc(sizeof(*soft), GFP_KERNEL);
	if (!soft)
		return ERR_PTR(-ENOMEM);
	mutex_init(&soft->lock);
	soft->config.vram_size = SOFT_VRAM_DEFAULT;
	soft->config.numa_node = NUMA_NO_NODE;
	config_item_init_type_name(&soft->item, name, &soft_item_type);
	return &soft->item;
}

/* rmdir cannot be refused, so it waits where writing 0 to power would not. */
static void soft_drop_item(struct config_group *group, struct config_item *item)
{
	struct soft_item *soft = to_soft_item(item);

	mutex_lock(&soft->lock);
	if (soft->gpu) {
		soft_bus_remove(soft->gpu);
		soft->gpu = NULL;
	}
	mutex_unlock(&soft->lock);
	config_item_put(item);
}

static struct configfs_group_operations soft_group_ops = {
	.make_item = soft_make_item,
	.drop_item = soft_drop_item,
};

static const struct config_item_type soft_group_type = {
	.ct_group_ops = &soft_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem soft_subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "vgpu-soft",
			.ci_type = &soft_group_type,
		},
	},
};

int soft_configfs_init(void)
{
	config_group_init(&soft_subsystem.su_group);
	mutex_init(&soft_subsystem.su_mutex);
	return configfs_register_subsystem(&soft_subsystem);
}

void soft_configfs_exit(void)
{
	configfs_unregister_subsystem(&soft_subsystem);
	mutex_destroy(&soft_subsystem.su_mutex);
}
