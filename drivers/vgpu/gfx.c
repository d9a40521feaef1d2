// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMM asks to show a vGPU's console: VFIO's graphics plane interface.
 */
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_plane.h>

#include "core.h"

/**
 * vgpu_gfx_query_plane() - VFIO_DEVICE_QUERY_GFX_PLANE
 * @vgpu: the vGPU
 * @arg: struct vfio_device_gfx_plane_info of user space
 *
 * A plane that shows nothing is answered with a drm_format and size of 0,
 * which VMMs take for a display that is off.
 *
 * Return: 0; -EINVAL for a plane or a kind of buffer that there is not;
 * -EFAULT
 */
int vgpu_gfx_query_plane(struct vgpu *vgpu, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_gfx_plane_info,
					 region_index);
	struct vfio_device_gfx_plane_info info = { };
	struct vgpu_scanout scanout = { };
	u32 argsz, flags, plane;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	argsz = info.argsz;
	flags = info.flags;
	plane = info.drm_plane_type;
	if (argsz < minsz)
		return -EINVAL;
	if (flags == (VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION))
		return 0;
	if (flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;

	switch (plane) {
	/* QEMU's region console leaves the plane at zero, which is overlay. */
	case DRM_PLANE_TYPE_OVERLAY:
	case DRM_PLANE_TYPE_PRIMARY:
		mutex_lock(&vgpu->lock);
		scanout = vgpu->model.scanout;
		mutex_unlock(&vgpu->lock);
		break;
	case DRM_PLANE_TYPE_CURSOR:
		break;
	default:
		return -EINVAL;
	}

	memset(&info, 0, sizeof(info));
	info.argsz = argsz;
	info.flags = flags;
	info.drm_plane_type = plane;
	info.drm_format = scanout.format;
	info.drm_format_mod = DRM_FORMAT_MOD_LINEAR;
	info.width = scanout.width;
	info.height = scanout.height;
	info.stride = scanout.pitch;
	info.size = scanout.pitch * scanout.height;
	info.region_index = VGPU_REGION_CONSOLE;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
