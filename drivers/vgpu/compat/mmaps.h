/* SPDX-License-Identifier: GPL-2.0 */
/* How mappings of a VFIO device are found, so that they can be taken away. */
#ifndef _VGPU_COMPAT_MMAPS_H
#define _VGPU_COMPAT_MMAPS_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vfio.h>

/*
 * To take mappings away one must find them, through the address space of the
 * file.  Until VFIO gave every device an inode of its own, all its files
 * shared one; a file then gets the device's address space when it is first
 * mapped.
 */
#ifdef VGPU_HAVE_VFIO_INODE
struct vgpu_mmaps {
};

static inline struct address_space *vgpu_mmaps_init(struct vgpu_mmaps *mmaps,
						    struct vfio_device *vdev)
{
	return vdev->inode->i_mapping;
}

static inline int vgpu_mmaps_adopt(struct vgpu_mmaps *mmaps,
				   struct vm_area_struct *vma)
{
	return 0;
}
#else
struct vgpu_mmaps {
	struct address_space mapping;
};

static inline struct address_space *vgpu_mmaps_init(struct vgpu_mmaps *mmaps,
						    struct vfio_device *vdev)
{
	static const struct address_space_operations no_ops;

	address_space_init_once(&mmaps->mapping);
	mmaps->mapping.a_ops = &no_ops;
	/*
	 * Room for mappings that were counted in the shared one, see below: one
	 * is lost when two tasks map the same file for the first time.
	 */
	atomic_set(&mmaps->mapping.i_mmap_writable, 1 << 30);
	return &mmaps->mapping;
}

/*
 * In an mmap operation, before the VMA is linked into an address space.  A mapping
 * in the shared one could not be taken away, so there is none then.
 */
static inline int vgpu_mmaps_adopt(struct vgpu_mmaps *mmaps,
				   struct vm_area_struct *vma)
{
	struct file *file = vma->vm_file;
	struct address_space *old = file->f_mapping;
	int ret;

	if (old == &mmaps->mapping)
		return 0;
	/*
	 * mmap() has counted this shared mapping as writable in the old one
	 * and will take it back from the new one.
	 */
	ret = mapping_map_writable(&mmaps->mapping);
	if (ret)
		return ret;
	mmaps->mapping.host = file_inode(file);
	file->f_mapping = &mmaps->mapping;
	mapping_unmap_writable(old);
	return 0;
}
#endif

#endif /* _VGPU_COMPAT_MMAPS_H */
