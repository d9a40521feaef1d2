// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: config space, BAR2, BAR4 and the EDID region of one vGPU,
 * accessed as the input says.
 *
 * The first byte picks a profile.  Then come operations: one byte that says
 * what to do, two for the offset, one for the length less one, and for writes
 * the data.  Offset and length are little-endian and are cut to the region, as
 * VFIO does before it calls the model; missing bytes are zeroes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

#define MIB	(1ULL << 20)

enum {
	CONFIG_READ, CONFIG_WRITE, BAR2_READ, BAR2_WRITE, BAR4_READ, BAR4_WRITE,
	LINK_READ, LINK_WRITE, RESET, VBLANK, NR_OPS
};

static const u32 sizes[NR_OPS] = {
	4096, 4096, 4096, 4096, 16384, 16384, VGPU_REGION_EDID_SIZE,
	VGPU_REGION_EDID_SIZE, 1, 1,
};

static const struct vgpu_profile profiles[] = {
	{ 16 * MIB, 1, 60, 1920, 1200 },
	{ 34 * MIB, 2, 60, 1920, 1200 },
	{ 128 * MIB, 4, 45, 2560, 1600 },
	{ 3072 * MIB, 4, 60, 7680, 4320 },
	{ 1048576 * MIB, 1, 60, 7680, 4320 },
};

struct input {
	const uint8_t *data;
	size_t size;
};

static u8 next(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_model(const struct vgpu_model *model,
			const struct vgpu_model *initial)
{
	struct vgpu_scanout want = ref_scanout(model);
	const struct vgpu_scanout *s = &model->scanout;
	const char *fault = ref_scanout_fault(model);
	u32 i;

	check(!fault, fault);
	check(s->format == want.format && s->width == want.width &&
	      s->height == want.height && s->pitch == want.pitch &&
	      s->offset == want.offset, "not the picture in the registers");
	check(model->profile == initial->profile, "profile changed");
	check(model->link.up ?
	      vgpu_edid_valid(model->edid, 128 * (model->edid[126] + 1)) :
	      !model->edid[1], "EDID does not fit the link");
	check(!memcmp(model->config_mask, initial->config_mask,
		      sizeof(model->config_mask)), "config mask changed");
	for (i = 0; i < sizeof(model->config); i++)
		check(!((model->config[i] ^ initial->config[i]) &
			~model->config_mask[i]), "read-only bit changed");
	check(!(model->irq_enable >> (2 + model->profile->num_heads)),
	      "an event enabled that there is not");
	check(!(vgpu_native_pending(model) & ~model->irq_enable),
	      "a disabled event interrupts");
	check(!model->dispi[0] && !model->dispi[10],
	      "read-only dispi register changed");
}

static void run(struct vgpu_model *model, u32 op, u32 offset, u32 len,
		struct input *in)
{
	struct vgpu_model before = *model;
	u8 *buf = malloc(len);
	u32 i;

	if (!buf)
		abort();
	for (i = 0; i < len; i++)
		buf[i] = op & 1 ? next(in) : 0xa5;
	switch (op) {
	case CONFIG_READ:
		vgpu_config_read(model, offset, buf, len);
		check(!memcmp(buf, model->config + offset, len), "config read");
		break;
	case CONFIG_WRITE:
		vgpu_config_write(model, offset, buf, len);
		for (i = 0; i < sizeof(model->config); i++)
			check(model->config[i] == before.config[i] ||
			      i - offset < len, "neighbour changed");
		break;
	case BAR2_READ:
		vgpu_bar2_read(model, offset, buf, len);
		check(!memcmp(model->dispi, before.dispi, sizeof(before.dispi)),
		      "a read changed registers");
		break;
	case BAR2_WRITE:
		vgpu_bar2_write(model, offset, buf, len);
		for (i = 0; i < VGPU_DISPI_NR; i++)
			check(model->dispi[i] == before.dispi[i] ||
			      (0x500 + 2 * i >= offset &&
			       0x502 + 2 * i <= offset + len),
			      "neighbour changed");
		break;
	case BAR4_READ:
		vgpu_bar4_read(model, offset, buf, len);
		before.bad_access = model->bad_access;
		check(!memcmp(model, &before, sizeof(before)),
		      "a read changed something");
		break;
	case BAR4_WRITE:
		vgpu_bar4_write(model, offset, buf, len);
		check(!(model->irq_status & ~before.irq_status),
		      "a write made an event");
		check(!memcmp(model->dispi, before.dispi, sizeof(before.dispi)),
		      "BAR4 changed BAR2");
		break;
	case LINK_READ:
		vgpu_link_read(model, offset, buf, len);
		break;
	case LINK_WRITE:
		if (vgpu_link_write(model, offset, buf, len))
			check(!memcmp(model, &before, sizeof(before)),
			      "a refused write changed something");
		break;
	}
	check(model->bad_access - before.bad_access <= len, "bad accesses");
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vgpu_model model, initial;
	struct input in = { data, size };
	const struct vgpu_profile *profile;

	profile = &profiles[next(&in) % (sizeof(profiles) / sizeof(*profiles))];
	vgpu_model_init(&model, profile);
	initial = model;
	check_model(&model, &initial);
	while (in.size) {
		u32 op = next(&in) % NR_OPS;
		u32 region = sizes[op];
		u32 offset = next(&in), len;

		offset = (offset | next(&in) << 8) % region;
		len = next(&in) + 1;
		if (len > region - offset)
			len = region - offset;
		if (op == RESET) {
			vgpu_model_reset(&model);
			check(!memcmp(model.config, initial.config,
				      sizeof(model.config)),
			      "config space after reset");
			check(!model.scanout.format, "picture after reset");
			check(!model.irq_status && !model.irq_enable,
			      "interrupts after reset");
		} else if (op == VBLANK) {
			vgpu_native_vblank(&model, 0);
			check(model.irq_status & 4, "no vblank event");
		} else {
			run(&model, op, offset, len, &in);
		}
		check_model(&model, &initial);
	}
	return 0;
}
