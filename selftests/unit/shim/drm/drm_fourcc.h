/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's header where the distribution ships it, else what it says. */
#ifndef _SHIM_DRM_FOURCC_H
#define _SHIM_DRM_FOURCC_H

#if __has_include_next("drm/drm_fourcc.h")
#include_next <drm/drm_fourcc.h>
#else
#include <linux/types.h>

#define fourcc_code(a, b, c, d) ((__u32)(a) | ((__u32)(b) << 8) | \
				 ((__u32)(c) << 16) | ((__u32)(d) << 24))

#define DRM_FORMAT_XRGB1555	fourcc_code('X', 'R', '1', '5')
#define DRM_FORMAT_RGB565	fourcc_code('R', 'G', '1', '6')
#define DRM_FORMAT_RGB888	fourcc_code('R', 'G', '2', '4')
#define DRM_FORMAT_XRGB8888	fourcc_code('X', 'R', '2', '4')
#define DRM_FORMAT_BGRX8888	fourcc_code('B', 'X', '2', '4')
#define DRM_FORMAT_RGBX8888	fourcc_code('R', 'X', '2', '4')
#define DRM_FORMAT_XBGR8888	fourcc_code('X', 'B', '2', '4')
#define DRM_FORMAT_ARGB8888	fourcc_code('A', 'R', '2', '4')
#endif

#endif
