/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows how kernels differ.
 *
 * VGPU_HAVE_* come from probe.mk, which probes the headers of the kernel that
 * is built for; versions are never compared.  The rest of the driver is
 * written for the newest form of each interface.
 *
 * The device model needs only the first part, vgpu-soft its own.  The rest is
 * for files that include core.h.
 */
#ifndef _VGPU_COMPAT_H
#define _VGPU_COMPAT_H

/* Get and put little-endian values at any address. */
#ifdef VGPU_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#ifdef _VGPU_SOFT_H

#include <linux/mm.h>

/* Until 6.8 the address space operation took a page. */
#ifdef VGPU_HAVE_ERROR_REMOVE_FOLIO
#define vgpu_generic_error_remove_folio	generic_error_remove_folio
#define VGPU_ERROR_REMOVE_FOLIO(fn)
#define VGPU_ERROR_REMOVE_FOLIO_OP(fn)	.error_remove_folio = fn,
#else
static inline int vgpu_generic_error_remove_folio(struct address_space *mapping,
						  struct folio *folio)
{
	return generic_error_remove_page(mapping, &folio->page);
}

#define VGPU_ERROR_REMOVE_FOLIO(fn)				\
static int fn##_page(struct address_space *mapping, struct page *page) \
{								\
	return fn(mapping, page_folio(page));			\
}

#define VGPU_ERROR_REMOVE_FOLIO_OP(fn)	.error_remove_page = fn##_page,
#endif

#endif /* _VGPU_SOFT_H */

#ifdef _VGPU_CORE_H

#include <linux/dma-buf.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#ifdef VGPU_HAVE_PFN_T
#include <linux/pfn_t.h>
#endif

#ifndef VGPU_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* Since 6.4 a fault may come with a VMA's lock held and not its mm's. */
static inline bool vgpu_vma_locked(const struct vm_fault *vmf)
{
#ifdef VGPU_HAVE_VMA_LOCK
	return vmf->flags & FAULT_FLAG_VMA_LOCK;
#else
	return false;
#endif
}

/*
 * Mapping 2 MiB at a time is safe where the page tables can mark such an entry
 * as special.  Before, get_user_pages_fast() took references on what it found
 * there; such kernels get 512 entries of 4 KiB in one fault instead.
 */
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
#define VGPU_PMD_FAULTS
static inline vm_fault_t vgpu_insert_pfn_pmd(struct vm_fault *vmf,
					     unsigned long pfn, bool write)
{
#ifdef VGPU_HAVE_PFN_T
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#else
	return vmf_insert_pfn_pmd(vmf, pfn, write);
#endif
}
#endif

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

/*
 * GET_REGION_INFO: new kernels parse the request and take the answer from
 * vfio_device_ops.get_region_info_caps.  For older ones this does the same
 * from the ioctl operation.
 */
#ifdef VGPU_HAVE_REGION_INFO_CAPS
#define VGPU_REGION_INFO_OP(fn)	.get_region_info_caps = fn,
#else
#define VGPU_REGION_INFO_OP(fn)
static inline long
vgpu_region_info_ioctl(struct vfio_device *vdev, void __user *arg,
		       int (*fn)(struct vfio_device *vdev,
				 struct vfio_region_info *info,
				 struct vfio_info_cap *caps))
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = { };
	struct vfio_region_info info = { };
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = fn(vdev, &info, &caps);
	if (ret)
		goto out_free;
	if (caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
			info.cap_offset = 0;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			if (copy_to_user(arg + sizeof(info), caps.buf,
					 caps.size)) {
				ret = -EFAULT;
				goto out_free;
			}
			info.cap_offset = sizeof(info);
		}
	}
	if (copy_to_user(arg, &info, minsz))
		ret = -EFAULT;
out_free:
	kfree(caps.buf);
	return ret;
}
#endif

/* What a VMM can ask of a device beyond the VFIO core: nothing until 6.19. */
#ifdef VGPU_HAVE_FEATURE_DMA_BUF
#define VGPU_FEATURE_OP(fn)	.device_feature = fn,
#else
#define VGPU_FEATURE_OP(fn)
#endif

/* Operations of iommufd, where the kernel has it. */
#ifdef VGPU_HAVE_IOMMUFD_DETACH
#define VGPU_IOMMUFD_DETACH_OP \
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#else
#define VGPU_IOMMUFD_DETACH_OP
#endif
#ifdef VGPU_HAVE_IOMMUFD
#define VGPU_IOMMUFD_OPS				\
	.bind_iommufd = vfio_iommufd_emulated_bind,	\
	.unbind_iommufd = vfio_iommufd_emulated_unbind,	\
	.attach_ioas = vfio_iommufd_emulated_attach_ioas, \
	VGPU_IOMMUFD_DETACH_OP
#else
#define VGPU_IOMMUFD_OPS
#endif

/*
 * PRE_COPY came with 6.2; before, the VFIO core never asks for these states.  The
 * size of the data is asked for from then on.
 */
#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY		0
#define VFIO_DEVICE_STATE_PRE_COPY	6
#define VFIO_DEVICE_STATE_PRE_COPY_P2P	7
#define VFIO_MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};
#endif

#ifdef VGPU_HAVE_MIG_DATA_SIZE
#define VGPU_MIG_DATA_SIZE_OP(fn)	.migration_get_data_size = fn,
#else
#define VGPU_MIG_DATA_SIZE_OP(fn)
#endif

/* Until 7.1 each driver looked at the question by itself. */
#ifndef VGPU_HAVE_CHECK_PRECOPY
static inline int vfio_check_precopy_ioctl(struct vfio_device *vdev,
					   unsigned int cmd, unsigned long arg,
					   struct vfio_precopy_info *info)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(info, (void __user *)arg, minsz))
		return -EFAULT;
	return info->argsz < minsz ? -EINVAL : 0;
}
#endif

/*
 * Where the kernel is built without IOMMU drivers that have use for it, the VFIO
 * core's bitmap of guest memory is a stub that fails whoever asks for it.
 */
#if !defined(VGPU_HAVE_IOVA_BITMAP_STUB) || IS_ENABLED(CONFIG_IOMMUFD_DRIVER)
#define VGPU_DMA_LOGGING
#endif

/* Lost its count in 6.8. */
static inline void vgpu_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef VGPU_HAVE_EVENTFD_SIGNAL_N
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

/* One call instead of two since 6.13. */
static inline void
vgpu_hrtimer_setup(struct hrtimer *timer,
		   enum hrtimer_restart (*function)(struct hrtimer *))
{
#ifdef VGPU_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
#endif
}

/* "invalidate mappings" was "move notify" until 7.1. */
static inline void vgpu_dma_buf_invalidate(struct dma_buf *dmabuf)
{
#ifdef VGPU_HAVE_DMA_BUF_INVALIDATE
	dma_buf_invalidate_mappings(dmabuf);
#else
	dma_buf_move_notify(dmabuf);
#endif
}

/* The last step of a release operation, until the VFIO core took it over. */
static inline void vgpu_vfio_released(struct vfio_device *vdev)
{
#ifdef VGPU_HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

#endif /* _VGPU_CORE_H */
#ifdef VGPU_HAVE_CONST_BIN_ATTR
#define VGPU_BIN_ATTR_CONST const
#else
#define VGPU_BIN_ATTR_CONST
#endif

#endif /* _VGPU_COMPAT_H */
