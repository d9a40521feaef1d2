/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters that an administrator gives a vGPU: vgpu_params. */
#ifndef _VGPU_PARAMS_H
#define _VGPU_PARAMS_H

#include <linux/types.h>

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
 */
struct vgpu_params {
	u32 frame_rate_limiter;
	u32 disable_vnc;
	u32 console;
};

/**
 * struct vgpu_params_error - what is wrong with a text
 * @at: the setting that is wrong, in the text
 * @len: how long it is
 * @why: in words
 */
struct vgpu_params_error {
	const char *at;
	size_t len;
	const char *why;
};

void vgpu_params_init(struct vgpu_params *params);
int vgpu_params_parse(struct vgpu_params *params, const char *text, size_t len,
		      struct vgpu_params_error *error);
size_t vgpu_params_print(const struct vgpu_params *params, char *buf,
			 size_t size);

#endif /* _VGPU_PARAMS_H */
