// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: config space, BAR2, BAR4 and the EDID region of one vGPU,
 * accessed as the input says.
 *
 * The first byte picks a profile.  Then come operations: one byte that says
 * what to do, two for the offset, one for the length less one, and for writes
 * the data.  Offset and length are little-endian and are cut to the region, as
 * VFIO does before it calls the model; missing bytes are zeroes.
 *
 * A few bytes that stand for a mode, a flip or a cursor that is nearly right
 * bring the fuzzer to where all of a head's registers have to fit together.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

#define MIB	(1ULL << 20)

enum {
	CONFIG_READ, CONFIG_WRITE, BAR2_READ, BAR2_WRITE, BAR4_READ, BAR4_WRITE,
	LINK_READ, LINK_WRITE, RESET, VBLANK, MODE, FLIP, CURSOR, NR_OPS
};

static const u32 sizes[NR_OPS] = {
	4096, 4096, 4096, 4096, 16384, 16384, VGPU_REGION_EDID_SIZE,
	VGPU_REGION_EDID_SIZE, 1, 1, 65536, 65536, 65536,
};

static const struct vgpu_profile profiles[] = {
	{ 16 * MIB, 1, 60, 1920, 1200 },
	{ 34 * MIB, 2, 60, 1920, 1200 },
	{ 128 * MIB, 4, 45, 2560, 1600 },
	{ 3072 * MIB, 4, 60, 7680, 4320 },
	{ 1048576 * MIB, 1, 60, 7680, 4320 },
	{ 64 * MIB, 3, 0, 1920, 1200 },
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
	const char *fault = ref_fault(model);
	u32 i;

	check(!fault, fault);
	check(!model->dispi_on || (model->dispi[REF_ENABLE] & 1),
	      "shows what is off");
	check(!model->dispi_on ||
	      !memcmp(&want, ref_target(&model->heads[0]), sizeof(want)),
	      "not the picture in the registers");
	for (i = 0; i < 4; i++)
		check(!model->heads[i].flip || model->frl_hz,
		      "a flip waits without a limit");
	check(model->profile == initial->profile, "profile changed");
	check(model->link.up ?
	      vgpu_edid_valid(model->edid, 128 * (model->edid[126] + 1)) :
	      !model->edid[1], "EDID does not fit the link");
	check(!memcmp(model->config_mask, initial->config_mask,
		      sizeof(model->config_mask)), "config mask changed");
	/* Most steps leave all of it alone; bytes are slow. */
	if (memcmp(model->config, initial->config, sizeof(model->config)))
		for (i = 0; i < sizeof(model->config); i++)
			check(!((model->config[i] ^ initial->config[i]) &
				~model->config_mask[i]),
			      "read-only bit changed");
	check(!vgpu_config_messages(model) || !vgpu_config_intx(model),
	      "messages and INTx");
	check(!(model->irq_enable >> (2 + model->profile->num_heads)),
	      "an event enabled that there is not");
	check(!(vgpu_event_pending(model) & ~model->irq_enable),
	      "a disabled event interrupts");
	check(!model->dispi[0] && !model->dispi[10],
	      "read-only dispi register changed");
}

static bool covers(u32 offset, u32 len, u32 reg)
{
	return offset <= reg && reg + 4 <= offset + len;
}

/* Heads change by a commit; the position of a cursor by itself. */
static void check_bar4_write(const struct vgpu_model *model,
			     const struct vgpu_model *before, u32 offset,
			     u32 len)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		struct vgpu_head head = model->heads[i];
		const struct vgpu_head *was = &before->heads[i];
		u32 block = 0x100 + 0x100 * i;

		check(head.vblanks == was->vblanks, "a write made a frame");
		check(head.flips - was->flips <= 1, "flips");
		check(!head.flip || was->shown.format, "a flip from nothing");
		if (covers(offset, len, block + REF_COMMIT) ||
		    covers(offset, len, block + REF_CURSOR_COMMIT))
			continue;
		if (covers(offset, len, block + REF_CURSOR_POSITION)) {
			head.cursor.x = was->cursor.x;
			head.cursor.y = was->cursor.y;
		}
		memcpy(head.regs, was->regs, sizeof(head.regs));
		check(!memcmp(&head, was, sizeof(head)),
		      "a head changed without a commit");
	}
	check(!model->dispi_on || before->dispi_on, "BAR4 gave head 0 away");
	check(before->dispi_on == model->dispi_on ||
	      covers(offset, len, 0x100 + REF_COMMIT), "head 0 taken");
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
		if (offset <= 6 && 6 < offset + len) {
			/* Of INTx, not with MSI-X, which is enabled there. */
			check(!(buf[6 - offset] & 8) ==
			      ((model->config[0x4b] & 0x80) ||
			       !(model->irq_status & model->irq_enable)),
			      "interrupt status");
			buf[6 - offset] &= ~8;
		}
		for (i = 0; i < len; i++)
			check(buf[i] == (offset + i < sizeof(model->config) ?
					 model->config[offset + i] : 0),
			      "config read");
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
		check(!memcmp(model->heads + 1, before.heads + 1,
			      3 * sizeof(*model->heads)),
		      "BAR2 changed another head");
		/* One access can turn it on and off again. */
		check(before.dispi_on || model->dispi_on ||
		      (before.dispi[VGPU_DISPI_ENABLE] & 1) ||
		      !memcmp(model->heads, before.heads,
			      sizeof(*model->heads)),
		      "a mode that is off changed head 0");
		check(!before.dispi_on || model->dispi_on ||
		      !model->heads[0].shown.format, "off, but shown");
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
		check_bar4_write(model, &before, offset, len);
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
	check(op == BAR2_WRITE || op == BAR4_WRITE ||
	      !memcmp(model->heads, before.heads, sizeof(before.heads)),
	      "a head changed");
	free(buf);
}

static void run_frame(struct vgpu_model *model)
{
	struct vgpu_model before = *model;
	u32 i;

	vgpu_heads_frame(model, 1);
	for (i = 0; i < 4; i++) {
		const struct vgpu_head *was = &before.heads[i];
		const struct vgpu_head *head = &model->heads[i];

		if (!was->shown.format) {
			check(!memcmp(head, was, sizeof(*head)),
			      "a frame of nothing");
			continue;
		}
		check(!head->flip && head->flips == was->flips + was->flip,
		      "a flip outlived the frame");
		check(!memcmp(&head->shown, ref_target(was),
			      sizeof(head->shown)), "not what waited");
		check(head->vblanks == was->vblanks + 1, "frames");
		check(model->irq_status & 4 << i, "no vblank event");
	}
}

static u8 *put32(u8 *p, u32 value)
{
	u32 i;

	for (i = 0; i < 4; i++)
		*p++ = value >> 8 * i;
	return p;
}

/* An offset for a picture of @size bytes: near one end of the framebuffer. */
static u64 pick_offset(const struct vgpu_profile *profile, u64 size, u32 how,
		       struct input *in)
{
	u64 pages = next(in);

	if (how & 1)
		return pages * 4096;
	return (profile->fb_size - size + 2 * 4096 - pages * 4096) & ~4095ULL;
}

/*
 * All registers of a mode with its commit, or the offset with that of a flip,
 * or a cursor with its own, in one write.
 */
static void run_commit(struct vgpu_model *model, u32 op, u32 how, u32 which,
		       struct input *in)
{
	static const u8 bpps[] = { 15, 16, 24, 32, 0 };
	const struct vgpu_profile *profile = model->profile;
	u32 block = 0x100 + 0x100 * (which % 4);
	const struct vgpu_scanout *shown = &model->heads[which % 4].shown;
	u32 width, height, pitch, format;
	u8 data[32], *end = data;
	struct input write;
	u64 offset;

	switch (op) {
	case MODE:
		format = ref_format(bpps[next(in) % sizeof(bpps)]);
		width = profile->max_width + 1 - 8 * next(in);
		height = profile->max_height + 1 - 8 * next(in);
		pitch = (width * ref_bytes(format) + 3) / 4 * 4;
		pitch += 4 * next(in);
		if (how & 2)
			pitch <<= next(in) % 32;
		offset = pick_offset(profile, (u64)height * pitch, how, in);
		end = put32(end, width);
		end = put32(end, height);
		end = put32(end, pitch);
		end = put32(end, format);
		block += REF_SET;
		break;
	case FLIP:
		offset = pick_offset(profile, (u64)shown->pitch * shown->height,
				     how, in);
		block += REF_SET_OFFSET;
		break;
	default:
		width = next(in) + 1;
		height = next(in) + 1;
		offset = pick_offset(profile, width * height * 4, how, in);
		end = put32(end, width | height << 16);
		block += REF_CURSOR_SIZE;
		break;
	}
	end = put32(end, offset + (how & 4));
	end = put32(end, offset >> 32);
	if (op == CURSOR) {
		end = put32(end, next(in) * 0x10001U);
		end = put32(end, next(in) * 0x01010101U);
		end = put32(end, !(how & 8));
	} else {
		end = put32(end, op == FLIP ? REF_FLIP : REF_MODE);
	}
	write = (struct input) { data, end - data };
	run(model, BAR4_WRITE, block, end - data, &write);
}

/* What others than the guest act on, as they see it. */
struct seen {
	struct vgpu_scanout shown[VGPU_MAX_HEADS], cursor[VGPU_MAX_HEADS];
	u32 pending;
	bool intx, messages, memory, runs;
};

static struct seen look(const struct vgpu_model *model)
{
	struct seen seen;
	u32 i;

	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < VGPU_MAX_HEADS; i++) {
		seen.shown[i] = model->heads[i].shown;
		seen.cursor[i] = model->heads[i].cursor.image;
	}
	seen.pending = vgpu_event_pending(model);
	seen.intx = vgpu_config_intx(model);
	seen.messages = vgpu_config_messages(model);
	seen.memory = vgpu_config_memory(model);
	seen.runs = vgpu_model_runs(model);
	return seen;
}

/* Whoever acts on changes alone has missed none. */
static void check_changed(struct vgpu_model *model, const struct seen *was)
{
	struct seen is = look(model);

	check(model->changed & VGPU_CHANGED_HEADS ||
	      !(memcmp(is.shown, was->shown, sizeof(is.shown)) ||
		memcmp(is.cursor, was->cursor, sizeof(is.cursor))),
	      "a picture has changed unnoticed");
	check(model->changed & VGPU_CHANGED_EVENTS ||
	      (is.pending == was->pending && is.intx == was->intx &&
	       is.messages == was->messages),
	      "an interrupt has changed unnoticed");
	check(model->changed & VGPU_CHANGED_BARS ||
	      (is.memory == was->memory && is.runs == was->runs),
	      "a BAR has changed unnoticed");
	model->changed = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vgpu_model model, initial;
	struct input in = { data, size };
	const struct vgpu_profile *profile;
	struct seen seen;

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
		seen = look(&model);
		if (op == RESET) {
			vgpu_model_reset(&model);
			check(!memcmp(model.config, initial.config,
				      sizeof(model.config)),
			      "config space after reset");
			check(!vgpu_heads_shown(&model),
			      "picture after reset");
			check(!model.irq_status && !model.irq_enable,
			      "interrupts after reset");
		} else if (op == VBLANK) {
			run_frame(&model);
		} else if (op >= MODE) {
			run_commit(&model, op, offset, len, &in);
		} else {
			run(&model, op, offset, len, &in);
		}
		check_model(&model, &initial);
		check_changed(&model, &seen);
	}
	return 0;
}
