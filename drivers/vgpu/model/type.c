// SPDX-License-Identifier: GPL-2.0
/*
 * The type table: generated from the size of VRAM, or from a list that the
 * administrator gave.
 *
 * Series: Q for workstations (all heads, 60 frames a second), B for business
 * desktops (all heads, 45), C for compute (one head, 60), V for guests with nothing but
 * the drivers of their distribution: a virtio-gpu (all heads, 60).
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "model/number.h"
#include "model/type.h"

static const struct vgpu_series {
	char letter;
	u32 max_heads;
	u32 frl_hz;
	enum vgpu_personality_nr personality;
} vgpu_series[] = {
	{ 'Q', VGPU_MAX_HEADS, 60, VGPU_BOCHS },
	{ 'B', VGPU_MAX_HEADS, 45, VGPU_BOCHS },
	{ 'C', 1, 60, VGPU_BOCHS },
	{ 'V', VGPU_MAX_HEADS, 60, VGPU_VIRTIO },
};

struct vgpu_limit {
	u64 fb_size;
	u32 heads, width, height;
};

/*
 * Resolution and heads by framebuffer: all heads at their largest mode, 32
 * bits a pixel, fit in it at the same time.
 */
static const struct vgpu_limit bochs_limits[] = {
	{ SZ_1G, 4, 7680, 4320 },
	{ SZ_256M, 4, 4096, 2160 },
	{ SZ_128M, 4, 2560, 1600 },
	{ SZ_64M, 4, 1920, 1200 },
	{ SZ_32M, 2, 1920, 1200 },
	{ 0, 1, 1920, 1200 },
};

/*
 * The same, for four pictures a head: drivers of virtio-gpu only log that there is no
 * room for a picture, and the screen stays black.
 */
static const struct vgpu_limit virtio_limits[] = {
	{ SZ_4G, 4, 7680, 4320 },
	{ SZ_1G, 4, 4096, 2160 },
	{ SZ_256M, 4, 2560, 1600 },
	{ SZ_128M, 4, 1920, 1080 },
	{ SZ_64M, 4, 1280, 800 },
	{ SZ_32M, 2, 1280, 800 },
	{ 0, 1, 1280, 800 },
};

static const struct vgpu_limit *const vgpu_limits[VGPU_NR_PERSONALITIES] = {
	[VGPU_BOCHS] = bochs_limits,
	[VGPU_VIRTIO] = virtio_limits,
};

static int vgpu_type_fill(struct vgpu_type_desc *type,
			  const struct vgpu_series *series, u64 fb_size,
			  u64 vram_size)
{
	const struct vgpu_limit *limit = vgpu_limits[series->personality];

	if (fb_size < VGPU_FB_MIN || fb_size > VGPU_FB_MAX ||
	    fb_size > vram_size || fb_size % SZ_2M)
		return -ERANGE;

	while (fb_size < limit->fb_size)
		limit++;
	memset(type, 0, sizeof(*type));
	snprintf(type->id, sizeof(type->id), "%llu%c", fb_size / SZ_1M,
		 series->letter);
	type->profile.fb_size = fb_size;
	type->profile.num_heads = min(limit->heads, series->max_heads);
	type->profile.frl_hz = series->frl_hz;
	type->profile.max_width = limit->width;
	type->profile.max_height = limit->height;
	type->profile.personality = series->personality;
	type->max_instance = div64_u64(vram_size, fb_size);
	return 0;
}

/* One element of a list: MiB and a letter. */
static int vgpu_type_parse(struct vgpu_type_desc *type, const char *id,
			   size_t len, u64 vram_size)
{
	u64 mib;
	u32 s;

	/* Seven digits are more than VGPU_FB_MAX needs and cannot overflow. */
	if (!len || !vgpu_number_parse(id, len - 1, 7, &mib) || !mib)
		return -EINVAL;
	for (s = 0; s < ARRAY_SIZE(vgpu_series); s++)
		if (vgpu_series[s].letter == id[len - 1])
			return vgpu_type_fill(type, &vgpu_series[s],
					      mib * SZ_1M, vram_size);
	return -EINVAL;
}

static int vgpu_types_parse(struct vgpu_type_desc *types, u32 max,
			    const char *list, u64 vram_size)
{
	u32 nr = 0, i;
	int ret;

	for (;;) {
		size_t len = strcspn(list, ",");

		if (nr == max)
			return -E2BIG;
		ret = vgpu_type_parse(&types[nr], list, len, vram_size);
		if (ret)
			return ret;
		for (i = 0; i < nr; i++)
			if (!strcmp(types[i].id, types[nr].id))
				return -EEXIST;
		nr++;
		list += len;
		if (!*list)
			return nr;
		list++;
	}
}

/**
 * vgpu_types_fill() - make the type table of a pGPU
 * @types: where to
 * @max: room in @types
 * @list: comma-separated type ids, or NULL or "" for the generated table:
 *	VRAM / 1, / 2, / 4 and so on, rounded down to 2 MiB, in each series
 * @vram_size: in bytes
 *
 * Return: the number of types, at least 1; -EINVAL for an id that is not a
 * number of MiB and a series letter; -ERANGE for a size below 16 MiB, above
 * VRAM or not a multiple of 2 MiB; -EEXIST for an id that is twice in the
 * list; -E2BIG for more than @max.
 */
int vgpu_types_fill(struct vgpu_type_desc *types, u32 max, const char *list,
		    u64 vram_size)
{
	u32 nr = 0, s;
	u64 fb_size;

	if (list && *list)
		return vgpu_types_parse(types, max, list, vram_size);

	for (s = 0; s < ARRAY_SIZE(vgpu_series); s++) {
		for (fb_size = min(round_down(vram_size, SZ_2M), VGPU_FB_MAX);
		     fb_size >= VGPU_FB_MIN;
		     fb_size = round_down(fb_size / 2, SZ_2M)) {
			if (nr == max)
				return -E2BIG;
			vgpu_type_fill(&types[nr++], &vgpu_series[s], fb_size,
				       vram_size);
		}
	}
	return nr ? nr : -ERANGE;
}
