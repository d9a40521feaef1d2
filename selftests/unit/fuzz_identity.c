// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target: migration_version.  The input is what is written. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/stream/identity.h"

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char same[] =
		"vgpu format=1 type=64Q fb=67108864 heads=4 width=1920 height=1200 rate=60 device=";
	struct vgpu_identity target;
	struct vgpu_type_desc type;
	const char *part = "";
	char *text;
	int ret;

	check(vgpu_types_fill(&type, 1, "64Q", 1ULL << 32) == 1, "type");
	vgpu_identity_init(&target, &type, true);
	text = malloc(size ?: 1);
	if (!text)
		abort();
	memcpy(text, data, size);
	ret = vgpu_identity_check(&target, text, size, &part);
	check(!ret || ret == -EINVAL || ret == -ENODEV, "errno");
	check(!ret == !part, "part");
	/* What is taken can differ only where a target may have more. */
	check(ret || (size > sizeof(same) &&
		      !memcmp(text, same, sizeof(same) - 1)), "took another");
	check(ret || size <= VGPU_IDENTITY_MAX + 1, "took a long one");
	free(text);
	return 0;
}
