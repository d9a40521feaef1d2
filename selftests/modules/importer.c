// SPDX-License-Identifier: GPL-2.0
/*
 * An importer of dma-bufs that reaches a device's memory as a peer and can be told
 * when it moves, which no driver of a lab host is.  For selftests/memory/importers.
 *
 * /dev/vgpu-importer: write the number of a dma-buf's descriptor to import and map
 * it; read to get a line for each piece, "page frame, pages", after one that says
 * whether it was told that they have moved; close to let go.  Writing again maps
 * it anew.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static struct platform_device *importer_device;

/* What a file has imported; all but @attach is protected by its resv. */
struct importer {
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	bool told;
};

static void importer_told(struct dma_buf_attachment *attach)
{
	struct importer *importer = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	importer->told = true;
}

/* A peer, who is told by an operation that has another name from 7.1 on. */
static const struct dma_buf_attach_ops importer_ops = { true, importer_told };

static void importer_unmap(struct importer *importer)
{
	if (importer->sgt)
		dma_buf_unmap_attachment(importer->attach, importer->sgt,
					 DMA_BIDIRECTIONAL);
	importer->sgt = NULL;
	importer->told = false;
}

static void importer_forget(struct importer *importer)
{
	struct dma_buf_attachment *attach = importer->attach;
	struct dma_buf *dmabuf;

	if (!attach)
		return;
	dmabuf = attach->dmabuf;
	dma_resv_lock(dmabuf->resv, NULL);
	importer_unmap(importer);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	importer->attach = NULL;
}

static int importer_attach(struct importer *importer, int fd)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	attach = dma_buf_dynamic_attach(dmabuf, &importer_device->dev,
					&importer_ops, importer);
	if (IS_ERR(attach)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attach);
	}
	importer->attach = attach;
	return 0;
}

static ssize_t importer_write(struct file *file, const char __user *buf,
			      size_t len, loff_t *pos)
{
	struct seq_file *seq = file->private_data;
	struct importer *importer = seq->private;
	struct sg_table *sgt;
	int fd, ret;

	ret = kstrtoint_from_user(buf, len, 0, &fd);
	if (!ret && !importer->attach)
		ret = importer_attach(importer, fd);
	if (ret)
		return ret;
	dma_resv_lock(importer->attach->dmabuf->resv, NULL);
	importer_unmap(importer);
	sgt = dma_buf_map_attachment(importer->attach, DMA_BIDIRECTIONAL);
	if (!IS_ERR(sgt))
		importer->sgt = sgt;
	dma_resv_unlock(importer->attach->dmabuf->resv);
	return IS_ERR(sgt) ? PTR_ERR(sgt) : len;
}

static int importer_show(struct seq_file *seq, void *unused)
{
	struct importer *importer = seq->private;
	struct scatterlist *sg;
	int i;

	if (!importer->attach)
		return -ENODATA;
	dma_resv_lock(importer->attach->dmabuf->resv, NULL);
	seq_printf(seq, "%d\n", importer->told);
	if (importer->sgt)
		for_each_sgtable_dma_sg(importer->sgt, sg, i)
			seq_printf(seq, "%llu %u\n",
				   (u64)sg_dma_address(sg) >> PAGE_SHIFT,
				   sg_dma_len(sg) >> PAGE_SHIFT);
	dma_resv_unlock(importer->attach->dmabuf->resv);
	return 0;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct importer *importer = kzalloc(sizeof(*importer), GFP_KERNEL);
	int ret;

	if (!importer)
		return -ENOMEM;
	/* The misc device's core has left it for whoever wants it. */
	file->private_data = NULL;
	ret = single_open(file, importer_show, importer);
	if (ret)
		kfree(importer);
	return ret;
}

static int importer_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	struct importer *importer = seq->private;

	importer_forget(importer);
	kfree(importer);
	return single_release(inode, file);
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.read = seq_read,
	.write = importer_write,
	.llseek = seq_lseek,
	.release = importer_release,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vgpu-importer",
	.fops = &importer_fops,
	.mode = 0600,
};

static int __init importer_init(void)
{
	int ret;

	importer_device = platform_device_register_simple("vgpu-importer", -1,
							  NULL, 0);
	if (IS_ERR(importer_device))
		return PTR_ERR(importer_device);
	ret = dma_coerce_mask_and_coherent(&importer_device->dev,
					   DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&importer_misc);
	if (ret)
		platform_device_unregister(importer_device);
	return ret;
}

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	platform_device_unregister(importer_device);
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Importer of dma-bufs for the tests of vgpu");
MODULE_AUTHOR("The vgpu developers");
MODULE_INFO(import_ns, "DMA_BUF");
