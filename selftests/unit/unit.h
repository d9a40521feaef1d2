/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests have in common. */
#ifndef _UNIT_H
#define _UNIT_H

#include "kselftest_harness.h"

#include "reference.h"
#include "model/bochs/bochs.h"
#include "model/pci_config.h"
#include "model/type.h"

#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define TIB	(1ULL << 40)

/*
 * A buffer that ends where its memory ends and begins at an odd address: the
 * sanitizers then see an access beyond it, or one that assumes alignment.
 */
struct unit_buf {
	void *memory;
	u8 *data;
};

static inline struct unit_buf unit_buf(size_t len, int fill)
{
	struct unit_buf buf = { .memory = malloc(len + 1) };

	if (!buf.memory)
		abort();
	buf.data = (u8 *)buf.memory + 1;
	memset(buf.data, fill, len);
	return buf;
}

/* The same with something in it. */
static inline struct unit_buf unit_copy(const void *data, size_t len)
{
	struct unit_buf buf = unit_buf(len, 0);

	memcpy(buf.data, data, len);
	return buf;
}

/* A guest's readb() to readl() and writeb() to writel() in BAR2. */
static inline u32 unit_in(struct vgpu_model *model, u32 offset, u32 len)
{
	struct unit_buf buf = unit_buf(len, 0xa5);
	u32 i, value = 0;

	vgpu_bar2_read(model, offset, buf.data, len);
	for (i = 0; i < len; i++)
		value |= (u32)buf.data[i] << 8 * i;
	free(buf.memory);
	return value;
}

static inline void unit_out(struct vgpu_model *model, u32 offset, u32 len,
			    u32 value)
{
	struct unit_buf buf = unit_buf(len, 0);
	u32 i;

	for (i = 0; i < len; i++)
		buf.data[i] = value >> 8 * i;
	vgpu_bar2_write(model, offset, buf.data, len);
	free(buf.memory);
}

/* Dispi registers, as bochs-drm gets at them. */
static inline u16 unit_dispi_in(struct vgpu_model *model, u32 reg)
{
	return unit_in(model, 0x500 + (reg << 1), 2);
}

static inline void unit_dispi_out(struct vgpu_model *model, u32 reg, u16 value)
{
	unit_out(model, 0x500 + (reg << 1), 2, value);
}

/* A mode in one go, ENABLE last. */
static inline void unit_mode(struct vgpu_model *model, u16 width, u16 height,
			     u16 bpp, u16 virt_width, u16 x, u16 y)
{
	unit_dispi_out(model, REF_ENABLE, 0);
	unit_dispi_out(model, REF_BPP, bpp);
	unit_dispi_out(model, REF_XRES, width);
	unit_dispi_out(model, REF_YRES, height);
	unit_dispi_out(model, REF_VIRT_WIDTH, virt_width);
	unit_dispi_out(model, REF_X_OFFSET, x);
	unit_dispi_out(model, REF_Y_OFFSET, y);
	unit_dispi_out(model, REF_ENABLE, 0x41);
}

/* A guest's readl() and writel() in BAR4. */
static inline u32 unit_reg_in(struct vgpu_model *model, u32 offset)
{
	struct unit_buf buf = unit_buf(4, 0xa5);
	u32 value;

	vgpu_bar4_read(model, offset, buf.data, 4);
	value = buf.data[0] | buf.data[1] << 8 | buf.data[2] << 16 |
		(u32)buf.data[3] << 24;
	free(buf.memory);
	return value;
}

static inline void unit_reg_out(struct vgpu_model *model, u32 offset, u32 value)
{
	struct unit_buf buf = unit_buf(4, 0);
	u32 i;

	for (i = 0; i < 4; i++)
		buf.data[i] = value >> 8 * i;
	vgpu_bar4_write(model, offset, buf.data, 4);
	free(buf.memory);
}

static inline u32 unit_head_in(struct vgpu_model *model, u32 head, u32 reg)
{
	return unit_reg_in(model, 0x100 + 0x100 * head + reg);
}

static inline void unit_head_out(struct vgpu_model *model, u32 head, u32 reg,
				 u32 value)
{
	unit_reg_out(model, 0x100 + 0x100 * head + reg, value);
}

/* Set all of a mode and commit it, or its offset alone as a flip. */
static inline void unit_commit(struct vgpu_model *model, u32 head, u32 what,
			       const struct vgpu_scanout *s)
{
	const u32 values[] = { s->width, s->height, s->pitch, s->format,
			       s->offset, s->offset >> 32 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		unit_head_out(model, head, REF_SET + 4 * i, values[i]);
	unit_head_out(model, head, REF_COMMIT, what);
}

static inline bool unit_same_scanout(const struct vgpu_scanout *a,
				     const struct vgpu_scanout *b)
{
	return a->format == b->format && a->width == b->width &&
	       a->height == b->height && a->pitch == b->pitch &&
	       a->offset == b->offset;
}

/* xorshift64*: the same numbers in every run, so that failures come again. */
static inline u32 unit_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 32;
}

#endif /* _UNIT_H */
