// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs attributes of a vGPU, in its directory "vgpu".  The link "nvidia" to
 * it is where scripts for another driver look for vgpu_params.  What every
 * driver calls by the same name, migration_version, is not in it.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "device/vgpu.h"
#include "front/front.h"
#include "model/type.h"

#define VGPU_ATTRS_DIR		"vgpu"
#define VGPU_ATTRS_LINK		"nvidia"

static ssize_t busy_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", READ_ONCE(vgpu->open));
}
static DEVICE_ATTR_RO(busy);

static ssize_t request_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	bool ask;
	int ret;

	ret = kstrtobool(buf, &ask);
	if (ret)
		return ret;
	if (ask && READ_ONCE(vgpu->open) && !vgpu_irq_request(vgpu))
		return -EOPNOTSUPP;
	return count;
}
static DEVICE_ATTR_WO(request);

static ssize_t vgpu_params_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	char current_text[128], pending_text[128];

	mutex_lock(&vgpu->lock);
	vgpu_params_print(&vgpu->params, current_text, sizeof(current_text));
	vgpu_params_print(&vgpu->next_params, pending_text,
			  sizeof(pending_text));
	mutex_unlock(&vgpu->lock);
	return sysfs_emit(buf, "current: %s\npending: %s\n", current_text,
			  pending_text);
}

static ssize_t vgpu_params_store(struct device *dev,
				 struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);
	struct vgpu_params_remark remark;
	struct vgpu_params params;
	int ret;

	ret = vgpu_params_parse(&params, &vgpu->type->profile, buf, count,
				&remark);
	if (ret) {
		dev_err(dev, "vgpu_params: \"%.*s\": %s\n",
			(int)min_t(size_t, remark.len, 64), remark.at,
			remark.why);
		return ret;
	}
	if (remark.ignored)
		dev_info(dev, "vgpu_params: enable_uvm, enable_debugging and enable_profiling have no effect here\n");
	mutex_lock(&vgpu->lock);
	vgpu->next_params = params;
	/* This one need not wait for the next VMM: it is what a hand would do. */
	if (vgpu->model) {
		vgpu->params.heads = params.heads;
		vgpu_monitor_plug(vgpu->model, params.heads);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return count;
}
static DEVICE_ATTR_RW(vgpu_params);

static ssize_t frame_rate_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  vgpu_vblank_rate(dev_get_drvdata(dev)));
}
static DEVICE_ATTR_RO(frame_rate);

static ssize_t frame_rate_limit_show(struct device *dev,
				     struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	u32 hz;

	mutex_lock(&vgpu->lock);
	hz = vgpu_vblank_limit(vgpu);
	mutex_unlock(&vgpu->lock);
	return sysfs_emit(buf, "%u\n", hz);
}
static DEVICE_ATTR_RO(frame_rate_limit);

static ssize_t orphaned_memory_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n",
			  (u64)atomic64_read(&vgpu->fb.orphans) << PAGE_SHIFT);
}
static DEVICE_ATTR_RO(orphaned_memory);

static struct attribute *vgpu_attrs[] = {
	&dev_attr_busy.attr,
	&dev_attr_request.attr,
	&dev_attr_vgpu_params.attr,
	&dev_attr_frame_rate.attr,
	&dev_attr_frame_rate_limit.attr,
	&dev_attr_orphaned_memory.attr,
	NULL
};

static VGPU_BIN_ATTR_CONST struct bin_attribute *VGPU_BIN_ATTR_CONST
vgpu_bin_attrs[] = {
	&vgpu_screen_attr,
	NULL
};

static const struct attribute_group vgpu_attr_group = {
	.name = VGPU_ATTRS_DIR,
	.attrs = vgpu_attrs,
	.bin_attrs = vgpu_bin_attrs,
};

/**
 * vgpu_attrs_add() - show the attributes of a vGPU
 * @vgpu: driver data of its mediated device
 *
 * Not with driver.dev_groups, because the driver core takes those away before
 * it calls remove, and an administrator wants to see what a removal waits for.
 *
 * Return: 0 or -ENOMEM
 */
int vgpu_attrs_add(struct vgpu *vgpu)
{
	struct device *dev = vgpu->vdev.dev;
	int ret;

	ret = device_add_group(dev, &vgpu_attr_group);
	if (ret)
		return ret;
	ret = compat_only_sysfs_link_entry_to_kobj(&dev->kobj, &dev->kobj,
						   VGPU_ATTRS_DIR,
						   VGPU_ATTRS_LINK);
	if (ret)
		goto err_group;
	ret = device_create_file(dev, &vgpu_migration_version_attr);
	if (ret)
		goto err_link;
	return 0;

err_link:
	sysfs_remove_link(&dev->kobj, VGPU_ATTRS_LINK);
err_group:
	device_remove_group(dev, &vgpu_attr_group);
	return ret;
}

/**
 * vgpu_attrs_del() - opposite of vgpu_attrs_add()
 * @vgpu: waits until nobody is in one of its attributes
 */
void vgpu_attrs_del(struct vgpu *vgpu)
{
	struct device *dev = vgpu->vdev.dev;

	device_remove_file(dev, &vgpu_migration_version_attr);
	sysfs_remove_link(&dev->kobj, VGPU_ATTRS_LINK);
	device_remove_group(dev, &vgpu_attr_group);
}

/**
 * vgpu_attrs_busy() - the answer of "busy" has changed
 * @vgpu: the vGPU
 */
void vgpu_attrs_busy(struct vgpu *vgpu)
{
	sysfs_notify(&vgpu->vdev.dev->kobj, VGPU_ATTRS_DIR, "busy");
}
