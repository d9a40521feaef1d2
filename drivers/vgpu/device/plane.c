// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMM asks to show a vGPU's console: VFIO's graphics plane interface,
 * for head 0.
 */
#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_plane.h>

#include "device/plane.h"
#include "device/vgpu.h"
#include "memory/dmabuf.h"

/**
 * vgpu_gfx_update() - the windows follow the pictures
 * @vgpu: vgpu.lock is held; something may show another picture
 */
void vgpu_gfx_update(struct vgpu *vgpu)
{
	const struct vgpu_head *head = &vgpu->model->heads[0];

	lockdep_assert_held(&vgpu->lock);
	vgpu_fb_view_move(&vgpu->views[VGPU_VIEW_CONSOLE], head->shown.offset);
	vgpu_fb_view_move(&vgpu->views[VGPU_VIEW_CURSOR],
			  head->cursor.image.offset);
}

static void vgpu_plane_forget(struct vgpu_plane *plane)
{
	if (plane->dmabuf)
		dma_buf_put(plane->dmabuf);
	memset(plane, 0, sizeof(*plane));
}

/**
 * vgpu_gfx_forget() - all dma-buf ids become void
 * @vgpu: vgpu.lock is held; it starts anew
 *
 * A VMM that asks again gets new ids, and with them imports anew.
 */
void vgpu_gfx_forget(struct vgpu *vgpu)
{
	u32 i;

	lockdep_assert_held(&vgpu->lock);
	for (i = 0; i < VGPU_MAX_PLANES; i++)
		vgpu_plane_forget(&vgpu->planes[i]);
}

/*
 * The plane of a picture: that of last time, or a new one in the place of the
 * one that was not asked for the longest.
 */
static struct vgpu_plane *vgpu_plane_get(struct vgpu *vgpu,
					 const struct vgpu_scanout *scanout)
{
	/* Across all vGPUs, so that an id is never taken for another's. */
	static atomic_t last_id;
	struct vgpu_plane *plane, *oldest = vgpu->planes;
	struct dma_buf *dmabuf;
	u32 i;

	lockdep_assert_held(&vgpu->lock);
	for (i = 0; i < VGPU_MAX_PLANES; i++) {
		plane = &vgpu->planes[i];
		if (vgpu_scanout_same_mode(&plane->scanout, scanout) &&
		    plane->scanout.offset == scanout->offset) {
			plane->used = ++vgpu->plane_clock;
			return plane;
		}
		if (plane->used < oldest->used)
			oldest = plane;
	}
	/* Now, because who asks for a new picture comes for its dma-buf next. */
	dmabuf = vgpu_dmabuf_export(&vgpu->fb, scanout->offset,
				    (u64)scanout->pitch * scanout->height,
				    O_RDWR);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	vgpu_plane_forget(oldest);
	oldest->dmabuf = dmabuf;
	oldest->scanout = *scanout;
	oldest->used = ++vgpu->plane_clock;
	do {
		oldest->id = atomic_inc_return(&last_id);
	} while (!oldest->id);
	return oldest;
}

/* Fill in what is shown on a plane; nothing for one that is off. */
static int vgpu_plane_info(struct vgpu *vgpu,
			   struct vfio_device_gfx_plane_info *info)
{
	const struct vgpu_head *head = &vgpu->model->heads[0];
	const struct vgpu_scanout *scanout = &head->shown;
	bool cursor = info->drm_plane_type == DRM_PLANE_TYPE_CURSOR;
	bool dmabuf = info->flags == VFIO_GFX_PLANE_TYPE_DMABUF;
	struct vgpu_plane *plane;

	lockdep_assert_held(&vgpu->lock);
	info->drm_format_mod = DRM_FORMAT_MOD_LINEAR;
	if (!dmabuf)
		info->region_index = cursor ? VGPU_REGION_CURSOR :
					      VGPU_REGION_CONSOLE;
	if (cursor) {
		scanout = &head->cursor.image;
		info->x_pos = (u32)head->cursor.x;
		info->y_pos = (u32)head->cursor.y;
		info->x_hot = head->cursor.hot_x;
		info->y_hot = head->cursor.hot_y;
	}
	if (!scanout->format || vgpu->params.disable_vnc)
		return 0;
	info->drm_format = scanout->format;
	info->width = scanout->width;
	info->height = scanout->height;
	info->stride = scanout->pitch;
	info->size = scanout->pitch * scanout->height;
	if (!dmabuf)
		return 0;
	plane = vgpu_plane_get(vgpu, scanout);
	if (IS_ERR(plane))
		return PTR_ERR(plane);
	info->dmabuf_id = plane->id;
	return 0;
}

/**
 * vgpu_gfx_query_plane() - VFIO_DEVICE_QUERY_GFX_PLANE
 * @vgpu: the vGPU
 * @arg: struct vfio_device_gfx_plane_info of user space
 *
 * A plane that shows nothing is answered with a drm_format and size of 0,
 * which VMMs take for a display that is off.  The position of a cursor is
 * signed.
 *
 * Return: 0; -EINVAL for a plane or a kind of buffer that there is not;
 * -ENOMEM or -ENFILE when there is none for the dma-buf of a new picture;
 * -EFAULT
 */
int vgpu_gfx_query_plane(struct vgpu *vgpu, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_gfx_plane_info,
					 region_index);
	struct vfio_device_gfx_plane_info ask = { }, info = { };
	bool probe, dmabuf;
	u32 kind;
	int ret;

	if (copy_from_user(&ask, arg, minsz))
		return -EFAULT;
	if (ask.argsz < minsz)
		return -EINVAL;
	probe = ask.flags & VFIO_GFX_PLANE_TYPE_PROBE;
	kind = ask.flags & ~VFIO_GFX_PLANE_TYPE_PROBE;
	dmabuf = READ_ONCE(vgpu->params.console) == VGPU_CONSOLE_DMABUF;
	/* QEMU takes DMABUF when it can, and has no way back to REGION. */
	if (kind != VFIO_GFX_PLANE_TYPE_REGION &&
	    (kind != VFIO_GFX_PLANE_TYPE_DMABUF || !dmabuf))
		return -EINVAL;
	if (probe)
		return 0;

	switch (ask.drm_plane_type) {
	/* QEMU's region console leaves the plane at zero, which is overlay. */
	case DRM_PLANE_TYPE_OVERLAY:
	case DRM_PLANE_TYPE_PRIMARY:
	case DRM_PLANE_TYPE_CURSOR:
		break;
	default:
		return -EINVAL;
	}
	info.argsz = ask.argsz;
	info.flags = ask.flags;
	info.drm_plane_type = ask.drm_plane_type;
	vgpu_exec_look(vgpu, 0);
	mutex_lock(&vgpu->lock);
	ret = vgpu_plane_info(vgpu, &info);
	mutex_unlock(&vgpu->lock);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/**
 * vgpu_gfx_get_dmabuf() - VFIO_DEVICE_GET_GFX_DMABUF
 * @vgpu: the vGPU
 * @arg: __u32 of user space, an id that QUERY_GFX_PLANE answered
 *
 * The same id answers the same dma-buf.
 *
 * Return: a file descriptor; -EINVAL for an id that is not, or no longer, one
 * of this vGPU's; -EMFILE; -ENOMEM; -EFAULT
 */
int vgpu_gfx_get_dmabuf(struct vgpu *vgpu, void __user *arg)
{
	struct dma_buf *dmabuf = NULL;
	u32 id, i;
	int fd;

	if (get_user(id, (u32 __user *)arg))
		return -EFAULT;
	mutex_lock(&vgpu->lock);
	for (i = 0; i < VGPU_MAX_PLANES && id; i++) {
		if (vgpu->planes[i].id == id) {
			dmabuf = vgpu->planes[i].dmabuf;
			get_dma_buf(dmabuf);
			break;
		}
	}
	mutex_unlock(&vgpu->lock);
	if (!dmabuf)
		return -EINVAL;
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}
