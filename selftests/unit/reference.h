/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What head 0 must show, worked out a second time from the raw registers, and
 * what must hold for every head.  Shared by the unit tests and the fuzz
 * targets.
 *
 * Written from QEMU's bochs-display and from what VMMs accept, with numbers of
 * its own where the driver has names: a wrong constant in a header that both
 * sides include would stay hidden otherwise.
 */
#ifndef _UNIT_REFERENCE_H
#define _UNIT_REFERENCE_H

#include <string.h>

#include "model/bochs/bochs.h"
#include "model/event.h"
#include "model/model.h"
#include "model/pci_config.h"

#define REF_FOURCC(a, b, c, d) \
	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/*
 * QEMU hands the pitch to pixman, which takes whole 32-bit words only; on any
 * other value QEMU's console ends in an assertion, and with it the VM.
 */
#define REF_PITCH_ALIGN 4

/*
 * It keeps the pitch in an int, too, and finds lines with int arithmetic
 * (ui/vnc.c); the kernel's answer to it has 32 bits for the size.
 */
#define REF_PICTURE_MAX 0x7fffffffULL

/* Offsets that are set in BAR4 are those of pages. */
#define REF_OFFSET_ALIGN 4096

#define REF_CURSOR_MAX 256

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

/* Registers of a head, from 0x100 + 0x100 * head on. */
enum {
	REF_SHOWN = 0x00,	/* width, height, pitch, format, offset */
	REF_VBLANKS = 0x18,
	REF_FLIPS = 0x1c,
	REF_STATUS = 0x20,
	REF_FRAME_LIMIT = 0x24,
	REF_SET = 0x40,		/* in the order of REF_SHOWN */
	REF_SET_OFFSET = 0x50,
	REF_COMMIT = 0x58,
	REF_CURSOR_SIZE = 0x80,
	REF_CURSOR_OFFSET = 0x84,
	REF_CURSOR_HOTSPOT = 0x8c,
	REF_CURSOR_POSITION = 0x90,
	REF_CURSOR_COMMIT = 0x94,
	REF_EDID_SIZE = 0xc0,
	REF_EDID_INDEX = 0xc4,
	REF_EDID_DATA = 0xc8,
};

/* Bits of REF_STATUS, and what can be written to REF_COMMIT. */
enum {
	REF_ON = 0x1,
	REF_PENDING = 0x2,
	REF_REFUSED = 0x4,
	REF_CURSOR_ON = 0x8,
};

enum {
	REF_OFF,
	REF_MODE,
	REF_FLIP,
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

static inline const char *ref_end_fault(const struct vgpu_profile *profile,
					const struct vgpu_scanout *s)
{
	u64 size = (u64)s->pitch * s->height;

	if (size > REF_PICTURE_MAX)
		return "picture is too large for a VMM's int";
	if (size > profile->fb_size || s->offset > profile->fb_size - size)
		return "ends beyond the framebuffer";
	return NULL;
}

/*
 * What must hold for any scanout, however it came about: a VMM reads the
 * picture without a check of its own.  Returns what is wrong, or NULL.
 */
static inline const char *ref_scanout_fault(const struct vgpu_profile *profile,
					    const struct vgpu_scanout *s)
{
	u32 bytes = ref_bytes(s->format);

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
	return ref_end_fault(profile, s);
}

static inline const char *ref_cursor_fault(const struct vgpu_profile *profile,
					   const struct vgpu_cursor *cursor)
{
	const struct vgpu_scanout *s = &cursor->image;

	if (!s->format)
		return s->width || s->height || s->pitch || s->offset ?
			"no cursor, but not all zero" : NULL;
	if (s->format != REF_FOURCC('A', 'R', '2', '4'))
		return "cursor's format";
	if (!s->width || s->width > REF_CURSOR_MAX ||
	    !s->height || s->height > REF_CURSOR_MAX)
		return "cursor's size";
	if (s->pitch != 4 * s->width)
		return "cursor's pitch";
	if (s->offset % REF_OFFSET_ALIGN)
		return "cursor's offset is not that of a page";
	if (cursor->hot_x >= s->width || cursor->hot_y >= s->height)
		return "hotspot is not in the cursor";
	return ref_end_fault(profile, s);
}

/* What a head shows when no flip waits any more. */
static inline const struct vgpu_scanout *
ref_target(const struct vgpu_head *head)
{
	return head->flip ? &head->next : &head->shown;
}

static inline const char *ref_flip_fault(const struct vgpu_head *head)
{
	const struct vgpu_scanout *a = &head->shown, *b = &head->next;

	if (!head->flip)
		return NULL;
	if (!a->format || a->format != b->format || a->width != b->width ||
	    a->height != b->height || a->pitch != b->pitch)
		return "what waits is no flip";
	if (a->offset == b->offset)
		return "a flip to what is shown waits";
	return NULL;
}

/* What is wrong with any head, or NULL. */
static inline const char *ref_fault(const struct vgpu_model *model)
{
	static const struct vgpu_head none;
	const char *fault = NULL;
	u32 i;

	for (i = 0; i < 4 && !fault; i++) {
		const struct vgpu_head *head = &model->heads[i];

		if (i >= model->profile->num_heads) {
			if (memcmp(head, &none, sizeof(none)))
				fault = "a head that the type lacks";
			continue;
		}
		fault = ref_scanout_fault(model->profile, &head->shown);
		if (!fault && head->flip)
			fault = ref_scanout_fault(model->profile, &head->next);
		if (!fault)
			fault = ref_flip_fault(head);
		if (!fault)
			fault = ref_cursor_fault(model->profile, &head->cursor);
		if (!fault && (i || !model->dispi_on) &&
		    ref_target(head)->offset % REF_OFFSET_ALIGN)
			fault = "offset is not that of a page";
	}
	return fault;
}

#endif /* _UNIT_REFERENCE_H */
