// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: the parser for lists of types.
 *
 * The input is VRAM in MiB and a list, with a colon between ("4096:16Q,32B").
 * Without a number there are 4 GiB.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/type.h"

#define MIB	(1ULL << 20)

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_type(const struct vgpu_type_desc *type, u64 vram_size)
{
	const struct vgpu_profile *p = &type->profile;
	char id[VGPU_TYPE_ID_LEN], letter = type->id[strlen(type->id) - 1];
	/* Four of each head, and cursors. */
	u64 pictures = letter == 'V' ? 4 : 1, reserved = letter == 'V' ? 256 << 10 : 0;

	check(p->fb_size >= 16 * MIB && p->fb_size <= 1048576 * MIB &&
	      p->fb_size <= vram_size && !(p->fb_size % (2 * MIB)),
	      "framebuffer size");
	check(p->num_heads >= 1 && p->num_heads <= 4, "heads");
	check((u64)p->max_width * p->max_height * 4 * p->num_heads * pictures <=
	      p->fb_size - reserved, "pictures larger than the framebuffer");
	check(type->max_instance == vram_size / p->fb_size, "instances");
	snprintf(id, sizeof(id), "%llu%c", p->fb_size / MIB,
		 p->frl_hz == 45 ? 'B' : letter);
	check(!strcmp(id, type->id), "id");
	check(p->personality == (letter == 'V' ? VGPU_VIRTIO : VGPU_BOCHS),
	      "personality");
}

/* Everything that was parsed is in the table, in order and literally. */
static void check_table(const struct vgpu_type_desc *types, int nr,
			const char *list, u64 vram_size)
{
	int i, j;

	for (i = 0; i < nr; i++) {
		size_t len = strlen(types[i].id);

		check_type(&types[i], vram_size);
		for (j = 0; j < i; j++)
			check(strcmp(types[i].id, types[j].id), "id twice");
		if (!*list)
			continue;
		check(!strncmp(list, types[i].id, len), "not in the list");
		list += len;
		check(*list == (i + 1 < nr ? ',' : '\0'), "separator");
		list += i + 1 < nr;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *colon = memchr(data, ':', size);
	u64 vram_size = 4096;
	struct vgpu_type_desc *types;
	char *list;
	u32 max;
	int ret;

	if (colon) {
		/* 64 TiB are enough for anybody, and do not overflow. */
		for (vram_size = 0; data < colon; data++, size--)
			vram_size = (vram_size * 10 + (*data - '0') % 10U) %
				    (64 << 20);
		data++;
		size--;
	}
	vram_size *= MIB;
	list = malloc(size + 1);
	if (!list)
		abort();
	memcpy(list, data, size);
	list[size] = 0;

	/* Room for as many as it takes, and for too few. */
	for (max = VGPU_MAX_TYPES; max; max /= 4) {
		types = malloc(max * sizeof(*types));
		if (!types)
			abort();
		ret = vgpu_types_fill(types, max, list, vram_size);
		if (ret > 0) {
			check(ret <= max, "more than there is room for");
			check_table(types, ret, list, vram_size);
		} else {
			check(ret == -EINVAL || ret == -ERANGE ||
			      ret == -EEXIST || ret == -E2BIG, "error code");
		}
		free(types);
	}
	free(list);
	return 0;
}
