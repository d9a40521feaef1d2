// SPDX-License-Identifier: GPL-2.0
/*
 * Where the memory of a software GPU is kept: in the page cache of an inode, by
 * page number.
 *
 * When memory of the host fails, the kernel asks the owner of a page to let it
 * go, and goes on if it can; but it only knows owners that are files.  Without
 * one it kills whoever touched the page, which is the VMM.  So there is a file,
 * which nobody can open.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/gfp.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>

#include "soft.h"
#include "../vgpu/compat/mm.h"

static struct vfsmount *soft_mount;
static int soft_mount_count;

static int soft_fs_init(struct fs_context *fc)
{
	return init_pseudo(fc, ANON_INODE_FS_MAGIC) ? 0 : -ENOMEM;
}

/* It ends with the module, and without an owner does not hold it. */
static struct file_system_type soft_fs = {
	.name = KBUILD_MODNAME,
	.init_fs_context = soft_fs_init,
	.kill_sb = kill_anon_super,
};

/* Mappings of VRAM are of page frames, which the kernel cannot move. */
static int soft_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	return -EBUSY;
}

/*
 * The memory of a page has failed, and the content is lost.  Other memory comes
 * when the page is needed again; whoever uses the old one has let go of it when
 * this returns.
 *
 * With the folio locked, as it comes, nothing can be waited for: those who give
 * memory back wait for it with the locks of the core held.  It may be unlocked
 * once it is not in the page cache any more.
 */
static int soft_error_remove_folio(struct address_space *mapping,
				   struct folio *folio)
{
	struct soft_vram *vram = mapping->host->i_private;
	u64 page = folio->index;
	int ret;

	/* Holds up soft_memory_fini() from the time when the folio does not. */
	mutex_lock(&vram->report_lock);
	soft_vram_split(vram, page);
	ret = vgpu_generic_error_remove_folio(mapping, folio);
	if (!ret && vram->pgpu) {
		folio_unlock(folio);
		/* With ECC off nobody is notified. */
		pgpu_report_error(vram->pgpu, page, PGPU_ERROR_GONE);
		folio_lock(folio);
	}
	mutex_unlock(&vram->report_lock);
	return ret;
}

VGPU_ERROR_REMOVE_FOLIO(soft_error_remove_folio)

static const struct address_space_operations soft_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = soft_migrate_folio,
	VGPU_ERROR_REMOVE_FOLIO_OP(soft_error_remove_folio)
};

/**
 * soft_memory_add() - put a page into the page cache
 * @vram: whose it is
 * @index: its number
 * @page: a page of its own, zeroed; now the page cache's
 * @gfp: it is charged to the calling task's memory cgroup, which must not be waited
 *	for: the caller may hold locks that others need
 *
 * This is done for each page of a block that is touched.
 *
 * Return: 0; -EEXIST when there is one of that number; -ENOMEM, also without room;
 * then the page is still the caller's
 */
int soft_memory_add(struct soft_vram *vram, u64 index, struct page *page,
		    gfp_t gfp)
{
	struct folio *folio = page_folio(page);
	int ret;

	folio_mark_uptodate(folio);
	ret = filemap_add_folio(vram->inode->i_mapping, folio, index, gfp);
	if (ret)
		return ret;
	/* What is dirty is not dropped when the kernel looks for memory. */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/**
 * soft_memory_find() - find a page
 * @vram: whose
 * @index: its number
 *
 * Return: the page, which stays until soft_memory_drop(); or NULL
 */
struct page *soft_memory_find(struct soft_vram *vram, u64 index)
{
	struct folio *folio = filemap_get_folio(vram->inode->i_mapping, index);

	/* Until 6.3 it was NULL. */
	if (IS_ERR_OR_NULL(folio))
		return NULL;
	folio_put(folio);
	return &folio->page;
}

/**
 * soft_memory_drop() - give pages back
 * @vram: whose
 * @index: number of the first; nobody uses any of them
 * @nr: how many there may be
 */
void soft_memory_drop(struct soft_vram *vram, u64 index, u64 nr)
{
	truncate_inode_pages_range(vram->inode->i_mapping, index << PAGE_SHIFT,
				   ((index + nr) << PAGE_SHIFT) - 1);
}

/**
 * soft_vram_report_to() - whom errors are reported to
 * @vram: the memory that they are in
 * @pgpu: the pGPU, or NULL from now on
 */
void soft_vram_report_to(struct soft_vram *vram, struct pgpu *pgpu)
{
	mutex_lock(&vram->report_lock);
	vram->pgpu = pgpu;
	mutex_unlock(&vram->report_lock);
}

int soft_memory_init(struct soft_vram *vram)
{
	struct inode *inode;

	inode = alloc_anon_inode(soft_mount->mnt_sb);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	/* The kernel takes memory from nothing but regular files. */
	inode->i_mode |= S_IFREG;
	inode->i_private = vram;
	inode->i_mapping->a_ops = &soft_aops;
	mapping_set_unevictable(inode->i_mapping);
	mutex_init(&vram->report_lock);
	vram->inode = inode;
	return 0;
}

void soft_memory_fini(struct soft_vram *vram)
{
	/* Waits for pages that are locked ... */
	iput(vram->inode);
	/* ... and for who still reports an error in one that was. */
	mutex_lock(&vram->report_lock);
	mutex_unlock(&vram->report_lock);
	mutex_destroy(&vram->report_lock);
}

int soft_fs_pin(void)
{
	return simple_pin_fs(&soft_fs, &soft_mount, &soft_mount_count);
}

void soft_fs_release(void)
{
	simple_release_fs(&soft_mount, &soft_mount_count);
}
