// SPDX-License-Identifier: GPL-2.0
/*
 * For tests: a directory for each pGPU in vgpu/ of debugfs, by PCI address.
 *
 *	move	write "UUID PAGE" to have other memory put behind that page of
 *		a vGPU's framebuffer while it is in use
 *	inject	write "sbe ADDRESS" or "dbe ADDRESS" to have a single- or a
 *		double-bit error at that address of VRAM, or "sbe UUID OFFSET"
 *		for one at that offset of a vGPU's framebuffer
 *	bad	pages that had an error: address, state, who uses it
 *	pfn	write "UUID OFFSET", then read the host page frame that is behind
 *		that offset of a vGPU's framebuffer now
 *	spare	how many spare pages replace others now, or are bad
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>

#include "front/front.h"

static struct dentry *vgpu_debugfs_root;

/*
 * Do something with a vGPU of a pGPU, whose device lock keeps it.  Its removal
 * may hold that for long.
 */
static int vgpu_with(struct pgpu *pgpu, const char *uuid,
		     int (*act)(struct vgpu *vgpu, u64 n, u64 *result),
		     u64 n, u64 *result)
{
	struct device *dev = device_find_child_by_name(pgpu->dev, uuid);
	int ret;

	if (!dev)
		return -ENODEV;
	ret = device_lock_interruptible(dev);
	if (ret)
		goto out_put;
	ret = -ENODEV;
	if (dev->driver == &vgpu_mdev_driver.driver)
		ret = act(dev_get_drvdata(dev), n, result);
	device_unlock(dev);
out_put:
	put_device(dev);
	return ret;
}

static int vgpu_move(struct vgpu *vgpu, u64 page, u64 *result)
{
	return vgpu_fb_move_page(&vgpu->fb, page);
}

static int vgpu_offset_to_page(struct vgpu *vgpu, u64 offset, u64 *vram)
{
	return vgpu_fb_vram_page(&vgpu->fb, offset >> PAGE_SHIFT, vram);
}

/* Act on what is written, with the end of the line taken off. */
static ssize_t vgpu_text_write(struct file *file, const char __user *buf,
			       size_t count,
			       int (*act)(struct pgpu *pgpu, char *text))
{
	char *text;
	int ret;

	if (count > 2 * UUID_STRING_LEN)
		return -EINVAL;
	text = memdup_user_nul(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	strim(text);
	ret = act(file->private_data, text);
	kfree(text);
	return ret ?: count;
}

/* "UUID NUMBER": do something with that of a vGPU. */
static int vgpu_with_text(struct pgpu *pgpu, char *text,
			  int (*act)(struct vgpu *vgpu, u64 n, u64 *result),
			  u64 *result)
{
	char *uuid = strsep(&text, " ");
	u64 number;
	int ret;

	ret = text ? kstrtou64(text, 0, &number) : -EINVAL;
	return ret ?: vgpu_with(pgpu, uuid, act, number, result);
}

static int vgpu_move_text(struct pgpu *pgpu, char *text)
{
	return vgpu_with_text(pgpu, text, vgpu_move, NULL);
}

static ssize_t vgpu_move_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	return vgpu_text_write(file, buf, count, vgpu_move_text);
}

static const struct file_operations vgpu_move_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = vgpu_move_write,
};

/* Who injects an error finds that the guest has been notified. */
static int vgpu_notified(struct vgpu *vgpu, u64 n, u64 *result)
{
	mutex_lock(&vgpu->lock);
	vgpu_deferred_run(vgpu);
	mutex_unlock(&vgpu->lock);
	return 0;
}

/* "sbe ADDRESS", "dbe UUID OFFSET": an error as the memory would report it. */
static int vgpu_inject(struct pgpu *pgpu, char *text)
{
	char *kind = strsep(&text, " "), *first = strsep(&text, " ");
	bool dbe = !strcmp(kind, "dbe");
	u64 number, page;
	int ret;

	if ((!dbe && strcmp(kind, "sbe")) || !first)
		return -EINVAL;
	ret = kstrtou64(text ?: first, 0, &number);
	if (ret)
		return ret;
	page = number >> PAGE_SHIFT;
	if (text)
		ret = vgpu_with(pgpu, first, vgpu_offset_to_page, number, &page);
	ret = ret ?: pgpu_report_error(pgpu, page, dbe ? PGPU_ERROR_DBE :
							 PGPU_ERROR_SBE);
	if (!ret && text)
		vgpu_with(pgpu, first, vgpu_notified, 0, NULL);
	return ret;
}

static ssize_t vgpu_inject_write(struct file *file, const char __user *buf,
				 size_t count, loff_t *ppos)
{
	return vgpu_text_write(file, buf, count, vgpu_inject);
}

static const struct file_operations vgpu_inject_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = vgpu_inject_write,
};

static int vgpu_offset_to_pfn(struct vgpu *vgpu, u64 offset, u64 *pfn)
{
	struct vgpu_fb *fb = &vgpu->fb;
	struct pgpu_run run;
	int ret;

	down_read(&fb->lock);
	ret = vgpu_fb_run(fb, offset >> PAGE_SHIFT, 1, PGPU_ALLOC_FORCE, &run);
	up_read(&fb->lock);
	if (!ret)
		*pfn = run.pfn;
	return ret;
}

/* A question and an answer for each time that the file is opened. */
static ssize_t vgpu_pfn_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct pgpu *pgpu = file_inode(file)->i_private;
	char *text = simple_transaction_get(file, buf, count);
	u64 pfn;
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	strim(text);
	ret = vgpu_with_text(pgpu, text, vgpu_offset_to_pfn, &pfn);
	if (ret)
		return ret;
	simple_transaction_set(file, sprintf(text, "%llu\n", pfn));
	return count;
}

static const struct file_operations vgpu_pfn_fops = {
	.owner = THIS_MODULE,
	.write = vgpu_pfn_write,
	.read = simple_transaction_read,
	.release = simple_transaction_release,
};

static int vgpu_bad_show(struct seq_file *m, void *unused)
{
	struct pgpu *pgpu = m->private;

	ras_show(&pgpu->ras, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vgpu_bad);

static int vgpu_spare_get(void *data, u64 *nr)
{
	struct pgpu *pgpu = data;

	*nr = vram_spare_pages(&pgpu->vram, NULL);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(vgpu_spare_fops, vgpu_spare_get, NULL, "%llu\n");

/**
 * vgpu_debugfs_add() - make the files of a pGPU
 * @pgpu: the pGPU; nothing depends on it that they are there
 *
 * Return: their directory, to be given back with debugfs_remove() when no vGPU is
 * left, which waits for who is in a file
 */
struct dentry *vgpu_debugfs_add(struct pgpu *pgpu)
{
	struct dentry *dir = debugfs_create_dir(dev_name(pgpu->dev),
						vgpu_debugfs_root);

	debugfs_create_file("move", 0200, dir, pgpu, &vgpu_move_fops);
	debugfs_create_file("inject", 0200, dir, pgpu, &vgpu_inject_fops);
	debugfs_create_file("bad", 0400, dir, pgpu, &vgpu_bad_fops);
	debugfs_create_file("pfn", 0600, dir, pgpu, &vgpu_pfn_fops);
	debugfs_create_file_unsafe("spare", 0400, dir, pgpu, &vgpu_spare_fops);
	return dir;
}

void vgpu_debugfs_init(void)
{
	vgpu_debugfs_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
}

void vgpu_debugfs_exit(void)
{
	debugfs_remove(vgpu_debugfs_root);
}
