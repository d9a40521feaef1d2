/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests have in common. */
#ifndef _UNIT_H
#define _UNIT_H

#include "kselftest_harness.h"

#include "reference.h"
#include "type.h"

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
