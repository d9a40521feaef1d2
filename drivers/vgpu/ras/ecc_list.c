// SPDX-License-Identifier: GPL-2.0
/*
 * The list of retired pages: what a GPU's administrator keeps over a boot, and
 * what the GPU begins with then.  Its format is in linux/vgpu_retired.h.
 */
#include <linux/firmware.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "memory/vram.h"
#include "ras/ras.h"
#include "ras/retired.h"

/* Which GPU it is: by its serial number if it has one, else by its address. */
static void ras_identity(struct ras *ras, char identity[VGPU_RETIRED_IDENTITY])
{
	struct pci_dev *pdev = to_pci_dev(ras->vram->dev);
	u64 dsn = pci_get_dsn(pdev);
	int n;

	memset(identity, 0, VGPU_RETIRED_IDENTITY);
	n = scnprintf(identity, VGPU_RETIRED_IDENTITY, "%04x:%04x:%04x:%04x ",
		      pdev->vendor, pdev->device, pdev->subsystem_vendor,
		      pdev->subsystem_device);
	if (dsn)
		scnprintf(identity + n, VGPU_RETIRED_IDENTITY - n, "%016llx",
			  dsn);
	else
		scnprintf(identity + n, VGPU_RETIRED_IDENTITY - n, "%s",
			  pci_name(pdev));
}

/* Make the list as it is now; the caller has made room for as many pages. */
static void ras_fill(struct ras *ras, struct vgpu_retired_header *header)
{
	struct vram *vram = ras->vram;
	struct vgpu_retired_entry *entry = (void *)(header + 1);
	struct vram_bad_page *bad;
	unsigned long page;

	lockdep_assert_held(&vram->lock);
	header->vram_size = cpu_to_le64(vram_nr_pages(vram) << PAGE_SHIFT);
	header->sbe = cpu_to_le64(ras->sbe_before + ras->sbe);
	header->dbe = cpu_to_le64(ras->dbe_before + ras->dbe);
	ras_identity(ras, header->identity);
	xa_for_each(&vram->bad, page, bad) {
		if (!bad->cause)
			continue;
		entry->page = cpu_to_le64(page);
		entry->time = cpu_to_le64(bad->time);
		entry->cause = cpu_to_le32(bad->cause);
		entry->state = cpu_to_le32(bad->pending ? VGPU_RETIRED_PENDING :
							  VGPU_RETIRED_DONE);
		entry++;
	}
	vgpu_retired_seal(header, vram->nr_retired);
}

/*
 * More pages than a file can have do not become a shorter list, so that none is
 * forgotten: there is none then, and what has been saved before stays.
 */
static int ras_make_list(struct ras *ras)
{
	struct vram *vram = ras->vram;
	size_t size = vgpu_retired_size(vram->nr_retired);
	void *list;

	lockdep_assert_held(&vram->lock);
	if (size > VGPU_RETIRED_FILE) {
		dev_err_ratelimited(vram->dev, "VGPU-ECC-LIST: %u retired pages are more than a list can have\n",
				    vram->nr_retired);
		return -EFBIG;
	}
	list = kvzalloc(size, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	ras_fill(ras, list);
	kvfree(ras->list);
	ras->list = list;
	ras->list_size = size;
	return 0;
}

/**
 * ras_list() - read the list of retired pages
 * @ras: the pGPU's
 * @buf: where to
 * @offset: first byte, see linux/vgpu_retired.h
 * @count: bytes
 *
 * sysfs asks for a page at a time.  Who reads from the beginning gets the list as it
 * was then, whatever comes meanwhile, unless somebody else begins to read.
 *
 * Return: bytes, 0 at the end; -ENOMEM; -EFBIG when there are more pages than can
 * be in a list
 */
ssize_t ras_list(struct ras *ras, char *buf, loff_t offset, size_t count)
{
	struct vram *vram = ras->vram;
	ssize_t ret = 0;

	mutex_lock(&vram->lock);
	if (!offset || !ras->list)
		ret = ras_make_list(ras);
	if (!ret)
		ret = memory_read_from_buffer(buf, count, &offset, ras->list,
					      ras->list_size);
	/* All has been read. */
	if (!ret) {
		kvfree(ras->list);
		ras->list = NULL;
	}
	mutex_unlock(&vram->lock);
	return ret;
}

static int ras_load_pages(struct ras *ras, const void *file)
{
	struct vram *vram = ras->vram;
	const struct vgpu_retired_header *header = file;
	const struct vgpu_retired_entry *entry = file + sizeof(*header);
	u32 i, nr = le32_to_cpu(header->nr);
	int ret = 0;

	lockdep_assert_held(&vram->lock);
	ras->sbe_before = le64_to_cpu(header->sbe);
	ras->dbe_before = le64_to_cpu(header->dbe);
	/*
	 * Spare pages first, and all of a block before one of another, so that no bad
	 * page replaces others.
	 */
	for (i = nr; i-- && !ret; )
		ret = vram_retire(vram, le64_to_cpu(entry[i].page),
				  le32_to_cpu(entry[i].cause),
				  le64_to_cpu(entry[i].time));
	return ret;
}

/**
 * ras_load() - retire the pages that were so before
 * @ras: nobody uses it yet
 *
 * From vgpu/retired-pages-<PCI address>.bin, if there is one.  A file that is
 * not this GPU's list, or cannot be read, is not used, and the log says so.
 * Where there is one and no memory for it the GPU has to be tried again, or bad
 * pages would be handed out.
 *
 * Return: 0 or -ENOMEM
 */
int ras_load(struct ras *ras)
{
	struct vram *vram = ras->vram;
	char identity[VGPU_RETIRED_IDENTITY];
	const struct firmware *file;
	const char *why;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "vgpu/retired-pages-%s.bin",
		 dev_name(ras->vram->dev));
	/*
	 * From the file system or not at all: with the locks that are held here no
	 * helper in user space is waited for, where the kernel is configured for that.
	 */
	ret = request_firmware_direct(&file, name, ras->vram->dev);
	if (ret) {
		if (ret != -ENOENT)
			dev_err(ras->vram->dev, "VGPU-ECC-LIST: %s: %d\n", name,
				ret);
		return ret == -ENOMEM ? ret : 0;
	}
	ras_identity(ras, identity);
	why = vgpu_retired_check(file->data, file->size, identity,
				 vram_nr_pages(vram));
	if (why) {
		dev_err(ras->vram->dev, "VGPU-ECC-LIST: %s is %s, not used\n", name,
			why);
		ret = 0;
		goto out;
	}
	mutex_lock(&vram->lock);
	ret = ras_load_pages(ras, file->data);
	mutex_unlock(&vram->lock);
	if (ret)
		dev_err(ras->vram->dev, "VGPU-ECC-LIST: %s: %d\n", name, ret);
	else
		dev_info(ras->vram->dev, "%u pages are retired\n",
			 vram->nr_retired);
out:
	release_firmware(file);
	return ret;
}
