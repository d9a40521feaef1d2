// SPDX-License-Identifier: GPL-2.0
/*
 * The attribute migration_version of types and vGPUs: reading says what it is,
 * writing what another one said asks whether it can become that one.
 *
 * The mdev core gives drivers no attributes of their own on a type, and its
 * kobject understands none but the core's.  A binary attribute needs nothing of
 * the kobject.
 */
#include <linux/device.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "compat/misc.h"
#include "front/front.h"
#include "model/stream/identity.h"

static ssize_t version_show(const struct vgpu_identity *identity, char *buf)
{
	size_t len = vgpu_identity_print(identity, buf, VGPU_IDENTITY_MAX);

	buf[len++] = '\n';
	return len;
}

static ssize_t version_store(struct device *dev,
			     const struct vgpu_identity *identity,
			     const char *buf, size_t count)
{
	const char *part;
	int ret;

	ret = vgpu_identity_check(identity, buf, count, &part);
	if (!ret)
		return count;
	dev_notice_ratelimited(dev, "migration_version: %s, %s\n", part,
			       ret == -EINVAL ? "not understood" : "differs");
	return ret;
}

/* The type whose kobject this is. */
static struct vgpu_type *version_type(struct kobject *kobj,
				      struct vgpu_identity *identity)
{
	struct mdev_type *mtype = container_of(kobj, struct mdev_type, kobj);
	struct vgpu_type *type = mtype_to_type(mtype);

	vgpu_identity_init(identity, type->desc, ras_enabled(&type->pgpu->ras));
	return type;
}

static ssize_t version_type_read(struct file *file, struct kobject *kobj,
				 VGPU_BIN_ATTR_CONST struct bin_attribute *attr,
				 char *buf, loff_t offset, size_t count)
{
	char text[VGPU_IDENTITY_MAX + 1];
	struct vgpu_identity identity;

	version_type(kobj, &identity);
	return memory_read_from_buffer(buf, count, &offset, text,
				       version_show(&identity, text));
}

/* A text that comes in pieces is longer than any. */
static ssize_t version_type_write(struct file *file, struct kobject *kobj,
				  VGPU_BIN_ATTR_CONST struct bin_attribute *attr,
				  char *buf, loff_t offset, size_t count)
{
	struct vgpu_identity identity;
	struct vgpu_type *type;

	if (offset)
		return -EINVAL;
	type = version_type(kobj, &identity);
	return version_store(type->pgpu->dev, &identity, buf, count);
}

static const struct bin_attribute version_type_attr = {
	.attr = { .name = "migration_version", .mode = 0644 },
	.read = version_type_read,
	.write = version_type_write,
};

static void version_types_del(struct vgpu_parent *parent, u32 nr)
{
	while (nr--)
		sysfs_remove_bin_file(&parent->mtypes[nr]->kobj,
				      &version_type_attr);
}

/**
 * vgpu_type_attrs_add() - show what the mdev core does not know of types
 * @parent: registered with the mdev core
 *
 * Return: 0 or -ENOMEM
 */
int vgpu_type_attrs_add(struct vgpu_parent *parent)
{
	int ret;
	u32 i;

	for (i = 0; i < parent->parent.nr_types; i++) {
		ret = sysfs_create_bin_file(&parent->mtypes[i]->kobj,
					    &version_type_attr);
		if (ret) {
			version_types_del(parent, i);
			return ret;
		}
	}
	return 0;
}

/**
 * vgpu_type_attrs_del() - opposite of vgpu_type_attrs_add()
 * @parent: still registered; waits until nobody is in one of them
 */
void vgpu_type_attrs_del(struct vgpu_parent *parent)
{
	version_types_del(parent, parent->parent.nr_types);
}

static void version_vgpu(struct device *dev, struct vgpu_identity *identity)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	vgpu_identity_get(vgpu, ras_enabled(&vgpu_to_pgpu(vgpu)->ras), identity);
}

static ssize_t migration_version_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	struct vgpu_identity identity;

	version_vgpu(dev, &identity);
	return version_show(&identity, buf);
}

static ssize_t migration_version_store(struct device *dev,
				       struct device_attribute *attr,
				       const char *buf, size_t count)
{
	struct vgpu_identity identity;

	version_vgpu(dev, &identity);
	return version_store(dev, &identity, buf, count);
}

const struct device_attribute vgpu_migration_version_attr =
	__ATTR_RW(migration_version);
