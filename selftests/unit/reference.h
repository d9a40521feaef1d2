/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What head 0 must show, worked out a second time from the raw registers.
 * Shared by the unit tests and the fuzz targets.
 *
 * Written from QEMU's bochs-display and from what VMMs accept, with numbers of
 * its own where the driver has names: a wrong constant in a header that both
 * sides include would stay hidden otherwise.
 */
#ifndef _UNIT_REFERENCE_H
#define _UNIT_REFERENCE_H

#include <string.h>

#include "model.h"

#define REF_FOURCC(a, b, c, d) \
	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/*
 * QEMU hands the pitch to pixman, which takes whole 32-bit words only; on any
 * other value QEMU's console ends in an assertion, and with it the VM.
 */
#define REF_PITCH_ALIGN 4

/* Indexes of the registers. */
enum {
	REF_XRES = 1,
	REF_YRES,
	REF_BPP,
	REF_ENABLE,
	REF_VIRT_WIDTH = 6,
	REF_X_OFFSET = 8,
	REF_Y_OFFSET,
};

static inline u32 ref_bytes(u32 format)
{
	switch (format) {
	case REF_FOURCC('X', 'R', '1', '5'):
	case REF_FOURCC('R', 'G', '1', '6'):
		return 2;
	case REF_FOURCC('R', 'G', '2', '4'):
		return 3;
	case REF_FOURCC('X', 'R', '2', '4'):
		return 4;
	default:
		return 0;
	}
}

static inline u32 ref_format(u16 bpp)
{
	switch (bpp) {
	case 15:
		return REF_FOURCC('X', 'R', '1', '5');
	case 16:
		return REF_FOURCC('R', 'G', '1', '6');
	case 24:
		return REF_FOURCC('R', 'G', '2', '4');
	case 32:
		return REF_FOURCC('X', 'R', '2', '4');
	default:
		return 0;
	}
}

/* Counts in pixels where the driver counts in bytes. */
static inline struct vgpu_scanout ref_scanout(const struct vgpu_model *model)
{
	const struct vgpu_profile *profile = model->profile;
	struct vgpu_scanout none, want;
	const u16 *reg = model->dispi;
	u64 line, first, end;
	u32 bytes;

	memset(&none, 0, sizeof(none));
	memset(&want, 0, sizeof(want));
	want.format = ref_format(reg[REF_BPP]);
	want.width = reg[REF_XRES];
	want.height = reg[REF_YRES];
	bytes = ref_bytes(want.format);
	if (model->blanked || !(reg[REF_ENABLE] & 1) || !bytes ||
	    !want.width || !want.height ||
	    want.width > profile->max_width ||
	    want.height > profile->max_height)
		return none;

	line = reg[REF_VIRT_WIDTH];
	if (line < want.width)
		line = want.width;
	first = reg[REF_Y_OFFSET] * line + reg[REF_X_OFFSET];
	end = first + want.height * line;
	if (end > profile->fb_size / bytes || line * bytes % REF_PITCH_ALIGN)
		return none;
	want.pitch = line * bytes;
	want.offset = first * bytes;
	return want;
}

/*
 * What must hold for any scanout, however it came about: a VMM reads the
 * picture without a check of its own.  Returns what is wrong, or NULL.
 */
static inline const char *ref_scanout_fault(const struct vgpu_model *model)
{
	const struct vgpu_profile *profile = model->profile;
	const struct vgpu_scanout *s = &model->scanout;
	u32 bytes = ref_bytes(s->format);
	u64 end;

	if (!s->format)
		return s->width || s->height || s->pitch || s->offset ?
			"no format, but not all zero" : NULL;
	if (!bytes)
		return "unknown format";
	if (!s->width || s->width > profile->max_width)
		return "bad width";
	if (!s->height || s->height > profile->max_height)
		return "bad height";
	if (s->pitch < (u64)s->width * bytes)
		return "lines overlap";
	if (s->pitch % REF_PITCH_ALIGN)
		return "pitch is not a multiple of 32 bits";
	end = (u64)s->pitch * s->height;
	if (end > profile->fb_size || s->offset > profile->fb_size - end)
		return "ends beyond the framebuffer";
	return NULL;
}

#endif /* _UNIT_REFERENCE_H */
