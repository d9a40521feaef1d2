/* SPDX-License-Identifier: GPL-2.0 */
/* How kernels differ in VFIO. */
#ifndef _VGPU_COMPAT_VFIO_H
#define _VGPU_COMPAT_VFIO_H

#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

/*
 * GET_REGION_INFO: new kernels parse the request and take the answer from
 * vfio_device_ops.get_region_info_caps.  For older ones this does the same
 * from the ioctl operation, which new ones do not ask.
 */
#ifdef VGPU_HAVE_REGION_INFO_CAPS
#define VGPU_REGION_INFO_OP(fn)	.get_region_info_caps = fn,
#else
#define VGPU_REGION_INFO_OP(fn)
#endif
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
static inline void vgpu_vfio_set_log_ops(struct vfio_device *vdev,
					 const struct vfio_log_ops *ops)
{
#if !defined(VGPU_HAVE_IOVA_BITMAP_STUB) || IS_ENABLED(CONFIG_IOMMUFD_DRIVER)
	vdev->log_ops = ops;
#endif
}

/* The last step of a release operation, until the VFIO core took it over. */
static inline void vgpu_vfio_released(struct vfio_device *vdev)
{
#ifdef VGPU_HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

#endif /* _VGPU_COMPAT_VFIO_H */
