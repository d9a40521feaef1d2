// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: a virtio-gpu as a whole: its registers, its queues in guest memory,
 * and commands.  What device/exec.c does with the model is done here without its locks.
 *
 * The first byte picks a profile.  Then come operations: one byte that says what to do,
 * and what the operation takes.  Offsets are of two bytes, lengths of one, less one;
 * missing bytes are zeroes.
 *
 * COMMAND puts a request that is nearly right in guest memory and offers it in a queue
 * where the registers say that it is: the fuzzer need not find out how that is done.  Its
 * numbers are of one byte if they are small, see number().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/kernel.h>
#include <uapi/linux/virtio_gpu.h>
#include <uapi/linux/virtio_pci.h>
#include <uapi/linux/virtio_ring.h>

#include "reference.h"
#include "gpu.h"

#define MIB	(1ULL << 20)

enum {
	BAR_READ, BAR_WRITE, CONFIG_READ, CONFIG_WRITE, MEMORY, HOLE, SETUP, COMMAND,
	EXECUTE, FRAME, LOOK, RESET, NO_MEMORY, ERROR, MONITOR, LIMIT, NR_OPS
};

static const struct vgpu_profile profiles[] = {
	{ 16 * MIB, 1, 60, 1280, 800, VGPU_VIRTIO },
	{ 16 * MIB, 2, 60, 640, 480, VGPU_VIRTIO },
	{ 16 * MIB, 4, 0, 320, 200, VGPU_VIRTIO },
};

/* Where SETUP puts queues, and COMMAND the rest, in guest memory. */
#define QUEUES		(GPU_BASE + 0x0000)
#define REQUESTS	(GPU_BASE + 0x10000)
#define ANSWERS		(GPU_BASE + 0x14000)
#define ENTRIES		(GPU_BASE + 0x18000)
#define DATA		(GPU_BASE + 0x20000)

static const struct {
	u8 queue;
	u16 type;
	u8 size;
} commands[] = {
	{ 0, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, 40 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB, 56 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, 32 },
	{ 0, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, 56 },
	{ 0, VIRTIO_GPU_CMD_SET_SCANOUT, 48 },
	{ 0, VIRTIO_GPU_CMD_SET_SCANOUT_BLOB, 96 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_FLUSH, 48 },
	{ 1, VIRTIO_GPU_CMD_UPDATE_CURSOR, 56 },
	{ 1, VIRTIO_GPU_CMD_MOVE_CURSOR, 56 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_UNREF, 32 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING, 32 },
	{ 0, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, 24 },
	{ 0, VIRTIO_GPU_CMD_GET_EDID, 32 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_ASSIGN_UUID, 32 },
	{ 0, VIRTIO_GPU_CMD_RESOURCE_MAP_BLOB, 40 },
	{ 0, VIRTIO_GPU_CMD_GET_CAPSET_INFO, 32 },
};

struct input {
	const uint8_t *data;
	size_t size;
};

static struct gpu_unit *u;
static struct vgpu_model model;
static u32 era;			/* of what was executed */
static bool dirty[GPU_PAGES + 2];

static u8 next(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static u32 next_bytes(struct input *in, u32 nr)
{
	u32 value = 0, i;

	for (i = 0; i < nr; i++)
		value |= (u32)next(in) << 8 * i;
	return value;
}

/* Up to 0xdf by itself; then so many bytes, or one that is shifted. */
static u32 number(struct input *in)
{
	u8 first = next(in);

	if (first < 0xe0)
		return first;
	if (first < 0xf0)
		return next(in) << (first & 15);
	return first & 8 ? 0 - next_bytes(in, first & 3) :
			   next_bytes(in, 1 + (first & 3));
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* The guest's and the device's writes, so that memory can be wiped fast. */
static int fuzz_write(struct vgpu_host *host, u64 iova, const void *buf, size_t len)
{
	u64 left, i;
	u8 *p;

	for (i = 0; i < len; i += left) {
		p = gpu_memory(u, iova + i, &left);
		if (!p)
			break;
		dirty[(p - u->memory) / 4096] = true;
	}
	return gpu_write(host, iova, buf, len);
}

static void poke(u64 iova, const void *buf, size_t len)
{
	fuzz_write(&u->gpu.host, iova, buf, len);
}

static void poke_number(u64 iova, u64 value, u32 len)
{
	u8 buf[8];

	put_unaligned_le64(value, buf);
	poke(iova, buf, len);
}

static u16 peek16(u64 iova)
{
	u8 buf[2] = { };

	gpu_access(&u->gpu.host, iova, buf, 2, false);
	return get_unaligned_le16(buf);
}

/* Effects on the model, unless the device was reset meanwhile. */
static void fuzz_show(struct vgpu_gpu *gpu, u32 head,
		      const struct vgpu_scanout *picture)
{
	gpu_show(gpu, head, picture);
	if (era == model.virtio.era)
		vgpu_head_show(&model, head, picture);
}

static void fuzz_cursor(struct vgpu_gpu *gpu, u32 head,
			const struct vgpu_cursor *cursor)
{
	gpu_show_cursor(gpu, head, cursor);
	if (era != model.virtio.era)
		return;
	model.heads[head].cursor = *cursor;
	model.changed |= VGPU_CHANGED_HEADS;
}

static void fuzz_monitor(struct vgpu_gpu *gpu, u32 head,
			 struct vgpu_monitor *monitor)
{
	check(head < model.profile->num_heads, "monitor of no head");
	vgpu_monitor_get(&model, head, monitor);
}

static void exec_reset(void)
{
	struct vgpu_virtio *v = &model.virtio;
	u32 nr;

	for (nr = 0; nr < VGPU_NR_QUEUES; nr++) {
		if (!v->queues[nr].resetting)
			continue;
		u->gpu.rings[nr].size = 0;
		if (nr == VGPU_QUEUE_CONTROL)
			u->gpu.nr_held = 0;
	}
	if (era != v->era) {
		vgpu_gpu_reset(&u->gpu);
		check(!u->live, "something is left after a reset");
	}
	vgpu_virtio_reset_done(&model,
		vgpu_virtio_queues_resetting(&model));
	era = v->era;
}

static u32 exec_take_work(void)
{
	struct vgpu_virtio *v = &model.virtio;
	u32 work, nr;

	if (v->work & VGPU_WORK_RESET) {
		v->work &= ~VGPU_WORK_RESET;
		exec_reset();
		check(!v->resetting && !v->queues[0].resetting &&
		      !v->queues[1].resetting, "a reset does not end");
	}
	work = v->work;
	v->work = 0;
	if (!vgpu_virtio_runs(&model))
		work = 0;
	u->gpu.runs = vgpu_model_runs(&model);
	u->gpu.limited = model.frl_hz;
	for (nr = 0; nr < VGPU_NR_QUEUES && work; nr++) {
		const struct vgpu_virtio_queue *queue = &v->queues[nr];

		if (!queue->enabled || queue->resetting || u->gpu.rings[nr].size)
			continue;
		u->gpu.rings[nr] = (struct vgpu_ring){
			.desc = queue->desc,
			.avail = queue->avail,
			.used = queue->used,
			.size = queue->size,
			.event_idx = v->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX),
			.indirect = v->features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC),
		};
	}
	return work;
}

static int exec_queue(u32 nr, u32 most)
{
	struct vgpu_ring *ring = &u->gpu.rings[nr];
	int ret, more;

	ret = vgpu_ring_notify(ring, &u->gpu.host, false);
	if (ret < 0)
		return ret;
	more = vgpu_gpu_run(&u->gpu, nr, most);
	if (more < 0)
		return more;
	ret = vgpu_ring_interrupts(ring, &u->gpu.host);
	if (ret < 0)
		return ret;
	if (ret)
		vgpu_virtio_interrupt(&model, nr);
	return more ?: vgpu_ring_notify(ring, &u->gpu.host, true);
}

static int exec_release(void)
{
	int ret = vgpu_gpu_release(&u->gpu);

	check(!u->gpu.nr_held, "held after a release");
	if (!ret)
		ret = vgpu_ring_interrupts(&u->gpu.rings[0], &u->gpu.host);
	if (ret > 0)
		vgpu_virtio_interrupt(&model, 0);
	return ret < 0 ? ret : 0;
}

static void execute(u32 most)
{
	u32 work = exec_take_work(), nr;
	int ret = 0;

	if (!work)
		return;
	if (work & VGPU_WORK_FRAME)
		ret = exec_release();
	for (nr = 0; nr < VGPU_NR_QUEUES && ret >= 0; nr++) {
		if (!(work & VGPU_WORK_QUEUE(nr)) || !u->gpu.rings[nr].size)
			continue;
		ret = exec_queue(nr, most);
		if (ret > 0)
			model.virtio.work |= VGPU_WORK_QUEUE(nr);
	}
	if (ret >= 0 && u->gpu.nr_held) {
		if (vgpu_gpu_shows(&u->gpu))
			model.virtio.frames_wanted = true;
		else
			ret = exec_release();
	}
	if (ret < 0)
		vgpu_virtio_broken(&model);
}

static void bar_write(u32 offset, u32 len, u32 value)
{
	u8 buf[4];

	put_unaligned_le32(value, buf);
	vgpu_virtio_bar_write(&model, offset, buf, len);
}

/* As a driver does, with features and sizes that the input gives. */
static void setup(struct input *in)
{
	u8 how = next(in);
	u32 nr;

	bar_write(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	execute(16);
	bar_write(VIRTIO_PCI_COMMON_STATUS, 1, 3);
	bar_write(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	bar_write(VIRTIO_PCI_COMMON_GF, 4, how & 1 ? 0x3000000e : 0x1000000e);
	bar_write(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	bar_write(VIRTIO_PCI_COMMON_GF, 4, 0x101);
	bar_write(VIRTIO_PCI_COMMON_STATUS, 1, 11);
	for (nr = 0; nr < VGPU_NR_QUEUES; nr++) {
		u32 base = (QUEUES & U32_MAX) + nr * 0x8000;

		bar_write(VIRTIO_PCI_COMMON_Q_SELECT, 2, nr);
		bar_write(VIRTIO_PCI_COMMON_Q_SIZE, 2, 1 << (how >> 4) % 12);
		bar_write(VIRTIO_PCI_COMMON_Q_MSIX, 2, how & 2 ? 1 + nr : 0);
		bar_write(VIRTIO_PCI_COMMON_Q_DESCLO, 4, base);
		bar_write(VIRTIO_PCI_COMMON_Q_DESCHI, 4, QUEUES >> 32);
		bar_write(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, base + 0x4000);
		bar_write(VIRTIO_PCI_COMMON_Q_AVAILHI, 4, QUEUES >> 32);
		bar_write(VIRTIO_PCI_COMMON_Q_USEDLO, 4, base + 0x5000);
		bar_write(VIRTIO_PCI_COMMON_Q_USEDHI, 4, QUEUES >> 32);
		bar_write(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
		poke_number(base + 0x4002 + (QUEUES >> 32 << 32), 0, 2);
	}
	bar_write(VIRTIO_PCI_COMMON_STATUS, 1, 15);
	execute(16);
}

/* Entries of a resource's memory, which begin anywhere and are of any length. */
static u32 put_entries(struct input *in)
{
	u32 nr = next(in) % 17, i;

	for (i = 0; i < nr; i++) {
		u32 where = number(in), len = number(in);
		u64 iova = DATA + 4096ULL * where;

		if (where == 0xdf)
			iova = GPU_LAST;
		if (where == 0xde)
			iova = 0;
		poke_number(ENTRIES + 16 * i, iova, 8);
		/* Pages, or bytes from 128 on. */
		poke_number(ENTRIES + 16 * i + 8, len < 128 ? 4096 * len : len, 4);
	}
	return 16 * nr;
}

static void put_desc(u64 table, u32 i, u64 iova, u32 len, u16 flags)
{
	u8 p[16];

	put_unaligned_le64(iova, p);
	put_unaligned_le32(len, p + 8);
	put_unaligned_le16(flags, p + 12);
	put_unaligned_le16(i + 1, p + 14);
	poke(table + 16 * i, p, sizeof(p));
}

static void command(struct input *in)
{
	u8 kind = next(in) % (sizeof(commands) / sizeof(*commands));
	u8 how = next(in);
	u32 nr = commands[kind].queue, size = commands[kind].size, i = 0, at;
	struct vgpu_virtio_queue *queue = &model.virtio.queues[nr];
	u32 entries = 0, room = how & 1 ? 2048 : number(in);
	u16 avail;

	if (!queue->enabled || !queue->size)
		return;
	avail = peek16(queue->avail + 2);
	/* Four descriptors for each, of which the next four commands know nothing. */
	i = 4 * (avail % 4) % queue->size;
	at = REQUESTS - GPU_BASE + 0x100 * (avail % 4) + 0x1000 * nr;
	poke_number(GPU_BASE + at, commands[kind].type, 4);
	poke_number(GPU_BASE + at + 4, how >> 1, 4);
	poke_number(GPU_BASE + at + 8, avail, 8);
	for (; size > 24; size -= 4)
		poke_number(GPU_BASE + at + 24 + commands[kind].size - size,
			    number(in), 4);
	size = commands[kind].size;
	if (commands[kind].type == VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING ||
	    commands[kind].type == VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB)
		entries = put_entries(in);
	poke_number(queue->avail + 4 + 2 * (avail & (queue->size - 1)), i, 2);
	put_desc(queue->desc, i, GPU_BASE + at, size, 1);
	if (entries)
		put_desc(queue->desc, ++i, ENTRIES, entries, 1);
	put_desc(queue->desc, i + 1, ANSWERS + 0x800 * (avail % 4), room, 2);
	poke_number(queue->avail + 2, avail + 1, 2);
	bar_write(VGPU_VIRTIO_NOTIFY + 4 * nr, 2, nr);
	if (!(how & 0x80))
		execute(16);
}

static void access_bar(u32 op, struct input *in)
{
	u32 size = op < CONFIG_READ ? VGPU_VIRTIO_BAR_SIZE : VGPU_CONFIG_SIZE;
	u32 offset = next_bytes(in, 2) % size, len = next(in) % 16 + 1, i;
	u8 *buf;

	if (len > size - offset)
		len = size - offset;
	buf = malloc(len);
	if (!buf)
		abort();
	for (i = 0; i < len; i++)
		buf[i] = op & 1 ? next(in) : 0xa5;
	switch (op) {
	case BAR_READ:
		vgpu_virtio_bar_read(&model, offset, buf, len);
		break;
	case BAR_WRITE:
		vgpu_virtio_bar_write(&model, offset, buf, len);
		break;
	case CONFIG_READ:
		vgpu_virtio_config_read(&model, offset, buf, len);
		break;
	default:
		vgpu_virtio_config_write(&model, offset, buf, len);
	}
	free(buf);
}

static void memory(struct input *in)
{
	u64 iova = GPU_BASE + next_bytes(in, 2);
	u32 len = next(in) % 32 + 1, i;
	u8 buf[32];

	for (i = 0; i < len; i++)
		buf[i] = next(in);
	poke(iova, buf, len);
}

static void run(u32 op, struct input *in)
{
	static const u32 down = 2, up = 1;

	switch (op) {
	case MEMORY:
		memory(in);
		break;
	case HOLE:
		op = next_bytes(in, 2) % (GPU_PAGES + 2);
		u->gone[op] = !u->gone[op];
		break;
	case SETUP:
		setup(in);
		break;
	case COMMAND:
		command(in);
		break;
	case EXECUTE:
		execute(next(in) % 32);
		break;
	case FRAME:
		vgpu_heads_frame(&model, 1);
		break;
	case LOOK:
		vgpu_gpu_refresh(&u->gpu, next(in) % model.profile->num_heads);
		break;
	case RESET:
		/* As vgpu_reset() does. */
		if (next(in) & 1)
			vgpu_gpu_reset(&u->gpu);
		vgpu_model_reset(&model);
		break;
	case NO_MEMORY:
		op = next(in);
		u->fail = op & 0x80 ? 0 : u->allocs + 1 + op % 8;
		u->fb_broken = op == 0x7f;
		break;
	case ERROR:
		model.ecc.on = true;
		vgpu_model_ecc(&model, next(in) & 1, 0);
		break;
	case MONITOR:
		vgpu_link_write(&model, 20, next(in) & 1 ? &up : &down, 4);
		break;
	case LIMIT:
		model.frl_hz = next(in) & 1 ? 60 : 0;
		break;
	default:
		access_bar(op, in);
	}
}

static void check_heads(void)
{
	u32 i;

	for (i = 0; i < VGPU_MAX_HEADS; i++) {
		const struct vgpu_head *head = &model.heads[i];
		const struct vgpu_gpu_scanout *s = &u->gpu.scanouts[i];
		const char *fault = gpu_picture_fault(model.profile, &head->shown);

		check(!fault, fault);
		fault = gpu_picture_fault(model.profile, &head->next);
		check(!fault, fault);
		check(vgpu_head_valid(model.profile, head), "not a head");
		if (era != model.virtio.era)
			continue;
		check(!memcmp(ref_target(head), &s->picture, sizeof(s->picture)),
		      "a head does not show what it was told");
		check(!memcmp(&head->cursor, &s->cursor, sizeof(s->cursor)),
		      "nor a cursor");
	}
}

static void check_all(const struct vgpu_model *initial,
		      const struct vgpu_model *before)
{
	const struct vgpu_virtio *v = &model.virtio;
	const char *fault = gpu_unit_fault(u);
	u32 i;

	check(!fault, fault);
	check_heads();
	check(!memcmp(model.config_mask, initial->config_mask,
		      sizeof(model.config_mask)), "config mask changed");
	for (i = 0; i < sizeof(model.config); i++)
		check(!((model.config[i] ^ initial->config[i]) &
			~model.config_mask[i]), "read-only bit changed");
	check(vgpu_event_valid(&model), "an event that there is not");
	for (i = 0; i < VGPU_NR_QUEUES; i++) {
		const struct vgpu_virtio_queue *q = &v->queues[i];

		check(q->size && q->size <= 1024 && !(q->size & (q->size - 1)),
		      "size of a queue");
		check(q->vector < 3 || q->vector == 0xffff, "vector of a queue");
		check(!q->resetting || (v->work & VGPU_WORK_RESET),
		      "a queue's reset that nobody ends");
	}
	check(!v->resetting || (v->work & VGPU_WORK_RESET),
	      "a reset that nobody ends");
	check(!v->resetting || v->status, "a reset that nobody awaits");
	check(era == v->era || (v->work & VGPU_WORK_RESET),
	      "what was executed is not forgotten");
	/* Whoever acts on changes alone has missed none. */
	check(model.changed & VGPU_CHANGED_WORK || !(v->work & ~before->virtio.work),
	      "work unnoticed");
	check(model.changed & VGPU_CHANGED_EVENTS ||
	      (vgpu_event_pending(&model) == vgpu_event_pending(before) &&
	       vgpu_event_line(&model) == vgpu_event_line(before)),
	      "an interrupt has changed unnoticed");
	check(model.changed & VGPU_CHANGED_HEADS ||
	      !memcmp(&model.heads, &before->heads, sizeof(model.heads)) ||
	      model.heads[0].vblanks != before->heads[0].vblanks ||
	      model.heads[1].vblanks != before->heads[1].vblanks ||
	      model.heads[2].vblanks != before->heads[2].vblanks ||
	      model.heads[3].vblanks != before->heads[3].vblanks,
	      "a picture has changed unnoticed");
	model.changed = 0;
}

static void start(const struct vgpu_profile *profile)
{
	static struct vgpu_gpu_ops ops;
	u32 i;

	if (!u) {
		u = gpu_unit_new(profile);
		ops = gpu_unit_ops;
		ops.show = fuzz_show;
		ops.cursor = fuzz_cursor;
		ops.monitor = fuzz_monitor;
	}
	for (i = 0; i < GPU_PAGES + 2; i++)
		if (dirty[i])
			memset(u->memory + 4096 * i, 0, 4096);
	memset(dirty, 0, sizeof(dirty));
	memset(&u->gpu, 0, sizeof(u->gpu));
	memset(u->gone, 0, sizeof(u->gone));
	memset(&u->fault, 0, sizeof(*u) - offsetof(struct gpu_unit, fault));
	u->profile = *profile;
	u->gpu.host.read = gpu_read;
	u->gpu.host.write = fuzz_write;
	u->gpu.ops = &ops;
	u->gpu.profile = &u->profile;
	vgpu_model_init(&model, &u->profile);
	era = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vgpu_model initial, before;
	struct input in = { data, size };

	start(&profiles[next(&in) % (sizeof(profiles) / sizeof(*profiles))]);
	initial = model;
	before = model;
	check_all(&initial, &before);
	while (in.size) {
		before = model;
		run(next(&in) % NR_OPS, &in);
		check_all(&initial, &before);
		/* Guests can be slow; a fuzzer need not be. */
		if (u->reads > 100000)
			break;
	}
	vgpu_gpu_reset(&u->gpu);
	check(!u->fault, u->fault);
	check(!u->live, "allocated for ever");
	return 0;
}
