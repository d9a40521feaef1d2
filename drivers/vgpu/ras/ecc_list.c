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

#include "ras/ecc.h"

/* Which GPU it is, wherever it is plugged in if it can tell. */
static void pgpu_ecc_identity(struct pgpu *pgpu,
			      char identity[VGPU_RETIRED_IDENTITY])
{
	struct pci_dev *pdev = to_pci_dev(pgpu->dev);
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
static void pgpu_ecc_fill(struct pgpu *pgpu, struct vgpu_retired_header *header)
{
	struct vgpu_retired_entry *entry = (void *)(header + 1);
	struct pgpu_ecc *ecc = &pgpu->ecc;
	struct pgpu_bad_page *bad;
	unsigned long page;

	lockdep_assert_held(&pgpu->lock);
	header->vram_size = cpu_to_le64(pgpu_nr_pages(pgpu) << PAGE_SHIFT);
	header->sbe = cpu_to_le64(ecc->sbe_before + ecc->sbe);
	header->dbe = cpu_to_le64(ecc->dbe_before + ecc->dbe);
	pgpu_ecc_identity(pgpu, header->identity);
	xa_for_each(&ecc->pages, page, bad) {
		if (!bad->cause)
			continue;
		entry->page = cpu_to_le64(page);
		entry->time = cpu_to_le64(bad->time);
		entry->cause = cpu_to_le32(bad->cause);
		entry->state = cpu_to_le32(bad->pending ? VGPU_RETIRED_PENDING :
							  VGPU_RETIRED_DONE);
		entry++;
	}
	vgpu_retired_seal(header, ecc->nr_retired);
}

/*
 * More pages than a file can have do not become a shorter list, so that none is
 * forgotten: there is none then, and what has been saved before stays.
 */
static int pgpu_ecc_make_list(struct pgpu *pgpu)
{
	struct pgpu_ecc *ecc = &pgpu->ecc;
	size_t size = vgpu_retired_size(ecc->nr_retired);
	void *list;

	lockdep_assert_held(&pgpu->lock);
	if (size > VGPU_RETIRED_FILE) {
		dev_err_ratelimited(pgpu->dev, "VGPU-ECC-LIST: %u retired pages are more than a list can have\n",
				    ecc->nr_retired);
		return -EFBIG;
	}
	list = kvzalloc(size, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	pgpu_ecc_fill(pgpu, list);
	kvfree(ecc->list);
	ecc->list = list;
	ecc->list_size = size;
	return 0;
}

/**
 * pgpu_ecc_list() - read the list of retired pages
 * @pgpu: the pGPU
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
ssize_t pgpu_ecc_list(struct pgpu *pgpu, char *buf, loff_t offset, size_t count)
{
	struct pgpu_ecc *ecc = &pgpu->ecc;
	ssize_t ret = 0;

	mutex_lock(&pgpu->lock);
	if (!offset || !ecc->list)
		ret = pgpu_ecc_make_list(pgpu);
	if (!ret)
		ret = memory_read_from_buffer(buf, count, &offset, ecc->list,
					      ecc->list_size);
	/* All has been read. */
	if (!ret) {
		kvfree(ecc->list);
		ecc->list = NULL;
	}
	mutex_unlock(&pgpu->lock);
	return ret;
}

static int pgpu_ecc_load_pages(struct pgpu *pgpu, const void *file)
{
	const struct vgpu_retired_header *header = file;
	const struct vgpu_retired_entry *entry = file + sizeof(*header);
	struct pgpu_ecc *ecc = &pgpu->ecc;
	struct pgpu_bad_page *bad;
	u32 i, nr = le32_to_cpu(header->nr);

	lockdep_assert_held(&pgpu->lock);
	ecc->sbe_before = le64_to_cpu(header->sbe);
	ecc->dbe_before = le64_to_cpu(header->dbe);
	/* All are bad before a spare page is taken for the first of them. */
	for (i = 0; i < nr; i++) {
		bad = pgpu_ecc_page(pgpu, le64_to_cpu(entry[i].page));
		if (IS_ERR(bad) ||
		    xa_reserve(&pgpu->remap, le64_to_cpu(entry[i].page),
			       GFP_KERNEL))
			return -ENOMEM;
		bad->cause = le32_to_cpu(entry[i].cause);
		bad->time = le64_to_cpu(entry[i].time);
		bad->pending = true;
		ecc->nr_retired++;
		ecc->nr_pending++;
	}
	/* Spare pages first, so that none of the bad ones stands in for others. */
	for (i = nr; i--; )
		pgpu_ecc_retire_unused(pgpu, le64_to_cpu(entry[i].page));
	return 0;
}

/**
 * pgpu_ecc_load() - retire the pages that were so before
 * @pgpu: nobody uses it yet
 *
 * From vgpu/retired-pages-<PCI address>.bin, if there is one.  A file that is
 * not this GPU's list, or cannot be read, is not used, and the log says so.
 * Where there is one and no memory for it the GPU has to be tried again, or bad
 * pages would be handed out.
 *
 * Return: 0 or -ENOMEM
 */
int pgpu_ecc_load(struct pgpu *pgpu)
{
	char identity[VGPU_RETIRED_IDENTITY];
	const struct firmware *file;
	const char *why;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "vgpu/retired-pages-%s.bin",
		 dev_name(pgpu->dev));
	/*
	 * From the file system or not at all: with the locks that are held here no
	 * helper in user space is waited for, where the kernel has been told to.
	 */
	ret = request_firmware_direct(&file, name, pgpu->dev);
	if (ret) {
		if (ret != -ENOENT)
			dev_err(pgpu->dev, "VGPU-ECC-LIST: %s: %d\n", name,
				ret);
		return ret == -ENOMEM ? ret : 0;
	}
	pgpu_ecc_identity(pgpu, identity);
	why = vgpu_retired_check(file->data, file->size, identity,
				 pgpu_nr_pages(pgpu));
	if (why) {
		dev_err(pgpu->dev, "VGPU-ECC-LIST: %s is %s, not used\n", name,
			why);
		ret = 0;
		goto out;
	}
	mutex_lock(&pgpu->lock);
	ret = pgpu_ecc_load_pages(pgpu, file->data);
	mutex_unlock(&pgpu->lock);
	if (ret)
		dev_err(pgpu->dev, "VGPU-ECC-LIST: %s: %d\n", name, ret);
	else
		dev_info(pgpu->dev, "%u pages are retired\n",
			 pgpu->ecc.nr_retired);
out:
	release_firmware(file);
	return ret;
}
