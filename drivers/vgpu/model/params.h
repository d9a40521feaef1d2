/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters that an administrator gives a vGPU: vgpu_params. */
#ifndef _VGPU_PARAMS_H
#define _VGPU_PARAMS_H

#include <linux/types.h>

struct vgpu_profile;

/* Longest text, without the newline at its end. */
#define VGPU_PARAMS_MAX		1024

enum vgpu_console {
	VGPU_CONSOLE_REGION,
	VGPU_CONSOLE_DMABUF,
};

/**
 * struct vgpu_params - what can be set for one vGPU
 * @frame_rate_limiter: flips and vertical blanking keep to the type's rate
 * @disable_vnc: the VMM is shown nothing
 * @console: how the VMM gets at the picture, enum vgpu_console
 * @width: resolution that monitors prefer, in pixels; 0 for the default
 * @height: the same in lines
 * @heads: heads with a monitor plugged in; 0 for the default
 */
struct vgpu_params {
	u32 frame_rate_limiter;
	u32 disable_vnc;
	u32 console;
	u32 width;
	u32 height;
	u32 heads;
};

/**
 * struct vgpu_params_remark - what there is to say of a text
 * @at: the setting that is wrong, in the text
 * @len: how long it is
 * @why: in words
 * @ignored: nothing is wrong, but settings are there that have no effect
 */
struct vgpu_params_remark {
	const char *at;
	size_t len;
	const char *why;
	bool ignored;
};

void vgpu_params_init(struct vgpu_params *params);
int vgpu_params_parse(struct vgpu_params *params,
		      const struct vgpu_profile *profile, const char *text,
		      size_t len, struct vgpu_params_remark *remark);
size_t vgpu_params_print(const struct vgpu_params *params, char *buf,
			 size_t size);

#endif /* _VGPU_PARAMS_H */
