// SPDX-License-Identifier: GPL-2.0
/*
 * frames: a guest that is nothing but firmware, and that does with a virtio-gpu what
 * Linux's driver does to show frames.  Linux itself does not get far on a processor that
 * is emulated and counts instructions, see Documentation/emulator.md.
 *
 * The device is on bus 0 of a q35.  Pictures are 1920x1080, in guest memory of which no two
 * pages lie side by side.  Where there are blobs, a flip is SET_SCANOUT_BLOB and a
 * RESOURCE_FLUSH with a fence, and otherwise TRANSFER_TO_HOST_2D, SET_SCANOUT and
 * RESOURCE_FLUSH.  Commands are in indirect tables, a frame ends with a notification if the
 * device wants one, and the guest halts until an interrupt comes.
 *
 * Each kind of frame is done FRAMES times between two writes to port 0x80: what it is, and
 * the same with 0x80.  Port 0xe9 tells what was counted, and what went wrong.
 */
#include <stddef.h>
#include <stdint.h>
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define WIDTH		1920
#define HEIGHT		1080
#define DAMAGE		64
#define CURSOR		64
#define FRAMES		100
#define WARM_UP		4

#define PAGE		4096
#define PAGES		((WIDTH * HEIGHT * 4 + PAGE - 1) / PAGE)
#define PICTURES	0x01000000	/* where they are, PICTURE bytes each */
#define PICTURE		0x01000000
#define BARS		0xe0000000	/* BARs, BAR bytes each at most */
#define BAR		0x01000000
#define APIC		0xfee00000
#define VECTOR		0x40

#define QUEUES		2
#define ENTRIES		256

enum kind { FLIP = 1, DAMAGED, CLASSIC, CLASSIC_DAMAGED, MOVE, FAST, KINDS };

/* Resources: two that are flipped, one of the classic kind, and a cursor. */
enum { FRONT = 1, BACK, CLASSIC_ID, CURSOR_ID };

/* A buffer of a queue: a request, what follows it, an answer. */
struct slot {
	struct vring_desc table[3];
	uint8_t request[128], answer[1024];
};

struct queue {
	struct vring_desc desc[ENTRIES] __attribute__((aligned(PAGE)));
	uint8_t avail_ring[PAGE] __attribute__((aligned(PAGE)));
	uint8_t used_ring[PAGE] __attribute__((aligned(PAGE)));
	struct slot slots[ENTRIES];
	uint16_t free[ENTRIES];
	unsigned int nr, number, nr_free;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	uint16_t seen, notified;
	volatile uint16_t *bell;
};

static struct queue queues[QUEUES];
static struct virtio_gpu_mem_entry pieces[PAGES];
static volatile struct virtio_pci_common_cfg *common;
static volatile uint8_t *notify;
static uint32_t device, notify_step;
static int blobs;
static volatile unsigned int kicks, interrupts;

static struct { uint16_t low, selector, flags, high; } idt[256];

asm(".section .start, \"ax\"\n"
    "gdt_pointer:	.word 23; .long gdt\n"
    "	.balign 8\n"
    "gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
    "	.code16\n"
    "	.globl start16\n"
    "start16:	cli\n"
    "	lgdtl %cs:0\n"
    "	movl %cr0, %eax\n"
    "	orb $1, %al\n"
    "	movl %eax, %cr0\n"
    "	ljmpl $8, $start32\n"
    "	.code32\n"
    "start32:	movw $16, %ax\n"
    "	movw %ax, %ds\n"
    "	movw %ax, %es\n"
    "	movw %ax, %ss\n"
    "	movl $0x80000, %esp\n"
    "	jmp begin\n"
    "	.globl interrupt\n"
    "interrupt:	pusha\n"
    "	call interrupted\n"
    "	popa\n"
    "	iretl\n"
    "	.section .reset, \"ax\"\n"
    "	.code16\n"
    "	jmp start16\n"
    "	.balign 16\n"
    "	.code32\n"
    "	.text\n");
void interrupt(void);

static void outb(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static void outl(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" : : "a"(value), "d"(port));
}

static uint32_t inl(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}

void *memset(void *to, int c, size_t len)
{
	void *end = to;

	asm volatile("rep stosb" : "+D"(end), "+c"(len) : "a"(c) : "memory");
	return to;
}

static void barrier(void)
{
	asm volatile("lock; addl $0, (%%esp)" : : : "memory", "cc");
}

static void print(const char *text)
{
	while (*text)
		outb(0xe9, *text++);
}

static void print_number(unsigned int n)
{
	if (n > 9)
		print_number(n / 10);
	outb(0xe9, '0' + n % 10);
}

/* Out of the machine: a reset. */
static void __attribute__((noreturn)) end(const char *why)
{
	print(why);
	print("\n");
	outb(0xcf9, 6);
	for (;;)
		asm volatile("cli; hlt");
}

static uint32_t config_read(uint32_t reg)
{
	outl(0xcf8, 0x80000000 | device << 11 | (reg & 0xfc));
	return inl(0xcfc) >> reg % 4 * 8;
}

static void config_write(uint32_t reg, uint32_t value)
{
	outl(0xcf8, 0x80000000 | device << 11 | (reg & 0xfc));
	outl(0xcfc, value);
}

static void find_device(void)
{
	unsigned int i;

	for (device = 0; device < 32; device++)
		if (config_read(PCI_VENDOR_ID) == 0x10501af4)
			break;
	if (device == 32)
		end("no virtio-gpu on bus 0");
	for (i = 0; i < 6; i++)
		config_write(PCI_BASE_ADDRESS_0 + 4 * i,
			     i && config_read(PCI_BASE_ADDRESS_0 + 4 * i - 4) % 8 == 4 ?
				     0 : BARS + BAR * i);
	config_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Interrupts: a vector for each of the device's. */
static void msix_begin(uint32_t cap)
{
	uint32_t table = config_read(cap + PCI_MSIX_TABLE);
	volatile uint32_t *entry = (void *)(BARS + BAR * (table & 7) +
					    (table & ~7));
	unsigned int i;

	config_write(cap, config_read(cap) | PCI_MSIX_FLAGS_ENABLE << 16);
	for (i = 0; i < 3; i++, entry += 4) {
		entry[0] = APIC;
		entry[1] = 0;
		entry[2] = VECTOR + i;
		entry[3] = 0;
	}
}

static void find_capabilities(void)
{
	uint32_t cap = config_read(PCI_CAPABILITY_LIST) & 0xff;

	for (; cap; cap = config_read(cap + 1) & 0xff) {
		uint32_t id = config_read(cap) & 0xff;
		uint32_t bar = config_read(cap + 4) & 0xff;
		void *at = (void *)(BARS + BAR * bar + config_read(cap + 8));

		if (id == PCI_CAP_ID_MSIX)
			msix_begin(cap);
		if (id != PCI_CAP_ID_VNDR)
			continue;
		switch (config_read(cap) >> 24) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			common = at;
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			notify = at;
			notify_step = config_read(cap + 16);
			break;
		}
	}
	if (!common || !notify)
		end("no registers of virtio");
}

void interrupted(void)
{
	interrupts++;
	*(volatile uint32_t *)(APIC + 0xb0) = 0;
}

static void interrupts_begin(void)
{
	struct { uint16_t size; uint32_t base; } __attribute__((packed)) pointer = {
		sizeof(idt) - 1, (uint32_t)idt,
	};
	unsigned int i;

	for (i = VECTOR; i < VECTOR + 3; i++) {
		idt[i].low = (uint32_t)interrupt;
		idt[i].selector = 8;
		idt[i].flags = 0x8e00;
		idt[i].high = (uint32_t)interrupt >> 16;
	}
	asm volatile("lidt %0" : : "m"(pointer));
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	*(volatile uint32_t *)(APIC + 0x350) = 0x10000;
	*(volatile uint32_t *)(APIC + 0xf0) = 0x1ff;
}

static void queue_begin(unsigned int nr)
{
	struct queue *q = &queues[nr];
	unsigned int i;

	common->queue_select = nr;
	q->nr = nr;
	q->number = common->queue_size;
	if (q->number > ENTRIES)
		q->number = ENTRIES;
	q->avail = (void *)q->avail_ring;
	q->used = (void *)q->used_ring;
	q->bell = (void *)(notify + common->queue_notify_off * notify_step);
	for (i = 0; i < q->number; i++)
		q->free[q->nr_free++] = i;
	common->queue_size = q->number;
	common->queue_msix_vector = 1 + nr;
	common->queue_desc_lo = (uint32_t)q->desc;
	common->queue_desc_hi = 0;
	common->queue_avail_lo = (uint32_t)q->avail;
	common->queue_avail_hi = 0;
	common->queue_used_lo = (uint32_t)q->used;
	common->queue_used_hi = 0;
	common->queue_enable = 1;
}

static void virtio_begin(void)
{
	const uint8_t driver = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
	uint32_t features;

	common->device_status = 0;
	while (common->device_status)
		;
	common->device_status = driver;
	common->device_feature_select = 0;
	features = common->device_feature &
		   (1 << VIRTIO_GPU_F_RESOURCE_BLOB | 1 << VIRTIO_RING_F_INDIRECT_DESC |
		    1 << VIRTIO_RING_F_EVENT_IDX);
	blobs = features >> VIRTIO_GPU_F_RESOURCE_BLOB & 1;
	common->guest_feature_select = 0;
	common->guest_feature = features;
	common->guest_feature_select = 1;
	common->guest_feature = 1 << (VIRTIO_F_VERSION_1 - 32);
	common->device_status = driver | VIRTIO_CONFIG_S_FEATURES_OK;
	if (!(common->device_status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    !(features & 1 << VIRTIO_RING_F_EVENT_IDX) ||
	    !(features & 1 << VIRTIO_RING_F_INDIRECT_DESC))
		end("features");
	common->msix_config = 0;
	queue_begin(0);
	queue_begin(1);
	common->device_status = driver | VIRTIO_CONFIG_S_FEATURES_OK |
				VIRTIO_CONFIG_S_DRIVER_OK;
}

/* Take buffers back, and want an interrupt for the next. */
static void reclaim(struct queue *q)
{
	volatile uint16_t *event = &q->avail->ring[q->number];

	do {
		while (q->seen != q->used->idx) {
			uint16_t slot = q->used->ring[q->seen++ % q->number].id;
			uint32_t *answer = (void *)q->slots[slot].answer;

			/* Nothing else answers MOVE_CURSOR. */
			if (*answer >= VIRTIO_GPU_RESP_ERR_UNSPEC)
				end("a command has failed");
			q->free[q->nr_free++] = slot;
		}
		*event = q->seen;
		barrier();
	} while (q->seen != q->used->idx);
}

/* Halt until so many buffers are free. */
static void wait(struct queue *q, unsigned int nr_free)
{
	for (;;) {
		reclaim(q);
		if (q->nr_free >= nr_free)
			return;
		asm volatile("sti; hlt; cli" : : : "memory");
	}
}

static void wait_all(struct queue *q)
{
	wait(q, q->number);
}

/* A request of a command, which is sent by submit(). */
static void *request(struct queue *q, uint32_t type)
{
	struct virtio_gpu_ctrl_hdr *hdr;

	if (!q->nr_free)
		wait(q, 1);
	hdr = (void *)q->slots[q->free[q->nr_free - 1]].request;
	memset(hdr, 0, sizeof(q->slots[0].request));
	hdr->type = type;
	return hdr;
}

static void submit(struct queue *q, size_t size, const void *more, size_t more_size)
{
	uint16_t nr = q->free[--q->nr_free];
	struct slot *slot = &q->slots[nr];
	struct vring_desc *desc = slot->table;

	*desc = (struct vring_desc){ (uint32_t)slot->request, size,
				     VRING_DESC_F_NEXT, 1 };
	if (more)
		*++desc = (struct vring_desc){ (uint32_t)more, more_size,
					       VRING_DESC_F_NEXT, 2 };
	/* The cursor's commands have no answer with Linux. */
	if (q->nr)
		desc->flags = 0;
	else
		*++desc = (struct vring_desc){ (uint32_t)slot->answer,
					       sizeof(struct virtio_gpu_ctrl_hdr),
					       VRING_DESC_F_WRITE, 0 };
	desc++;
	q->desc[nr] = (struct vring_desc){ (uint32_t)slot->table,
					   (uint32_t)desc - (uint32_t)slot->table,
					   VRING_DESC_F_INDIRECT, 0 };
	q->avail->ring[q->avail->idx % q->number] = nr;
	barrier();
	q->avail->idx++;
}

static void kick(struct queue *q)
{
	volatile uint16_t *event = (void *)&q->used->ring[q->number];
	uint16_t new = q->avail->idx;

	barrier();
	if (vring_need_event(*event, new, q->notified)) {
		kicks++;
		*q->bell = q->nr;
	}
	q->notified = new;
}

/* Whose pages lie in memory from the last to the first. */
static unsigned int scatter(unsigned int picture, unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		pieces[i] = (struct virtio_gpu_mem_entry){
			PICTURES + PICTURE * picture + PAGE * (pages - 1 - i), PAGE, 0,
		};
	return pages;
}

static void create(uint32_t id, int blob, uint32_t width, uint32_t height)
{
	struct queue *q = &queues[0];
	unsigned int pages = scatter(id, (width * height * 4 + PAGE - 1) / PAGE);
	struct virtio_gpu_resource_create_blob *create_blob;
	struct virtio_gpu_resource_create_2d *create_2d;
	struct virtio_gpu_resource_attach_backing *attach;

	memset((void *)(PICTURES + PICTURE * id), 16 * id, pages * PAGE);
	if (blob) {
		create_blob = request(q, VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB);
		create_blob->resource_id = id;
		create_blob->blob_mem = VIRTIO_GPU_BLOB_MEM_GUEST;
		create_blob->blob_flags = VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE;
		create_blob->size = pages * PAGE;
		create_blob->nr_entries = pages;
		submit(q, sizeof(*create_blob), pieces, sizeof(*pieces) * pages);
	} else {
		create_2d = request(q, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D);
		create_2d->resource_id = id;
		create_2d->format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
		create_2d->width = width;
		create_2d->height = height;
		submit(q, sizeof(*create_2d), NULL, 0);
		attach = request(q, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING);
		attach->resource_id = id;
		attach->nr_entries = pages;
		submit(q, sizeof(*attach), pieces, sizeof(*pieces) * pages);
	}
	kick(q);
	wait_all(q);
}

static void transfer(uint32_t id, uint32_t x, uint32_t y, uint32_t width,
		     uint32_t height)
{
	struct virtio_gpu_transfer_to_host_2d *transfer =
		request(&queues[0], VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D);

	transfer->resource_id = id;
	transfer->offset = (y * WIDTH + x) * 4;
	transfer->r = (struct virtio_gpu_rect){ x, y, width, height };
	submit(&queues[0], sizeof(*transfer), NULL, 0);
}

static void flush(uint32_t id, uint32_t x, uint32_t y, uint32_t width,
		  uint32_t height)
{
	struct virtio_gpu_resource_flush *flush =
		request(&queues[0], VIRTIO_GPU_CMD_RESOURCE_FLUSH);

	/* As Linux, which waits for those of blobs. */
	if (blobs && id != CLASSIC_ID)
		flush->hdr.flags = VIRTIO_GPU_FLAG_FENCE;
	flush->resource_id = id;
	flush->r = (struct virtio_gpu_rect){ x, y, width, height };
	submit(&queues[0], sizeof(*flush), NULL, 0);
}

static void show(uint32_t id)
{
	const struct virtio_gpu_rect all = { 0, 0, WIDTH, HEIGHT };
	struct virtio_gpu_set_scanout_blob *blob;
	struct virtio_gpu_set_scanout *set;

	if (blobs && id != CLASSIC_ID) {
		blob = request(&queues[0], VIRTIO_GPU_CMD_SET_SCANOUT_BLOB);
		blob->r = all;
		blob->resource_id = id;
		blob->width = WIDTH;
		blob->height = HEIGHT;
		blob->format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
		blob->strides[0] = WIDTH * 4;
		submit(&queues[0], sizeof(*blob), NULL, 0);
	} else {
		set = request(&queues[0], VIRTIO_GPU_CMD_SET_SCANOUT);
		set->r = all;
		set->resource_id = id;
		submit(&queues[0], sizeof(*set), NULL, 0);
	}
}

static void cursor(uint32_t type, uint32_t x)
{
	struct virtio_gpu_update_cursor *update = request(&queues[1], type);

	update->pos.x = x;
	update->resource_id = CURSOR_ID;
	submit(&queues[1], sizeof(*update), NULL, 0);
	kick(&queues[1]);
	wait_all(&queues[1]);
}

static void frame(enum kind kind, unsigned int n)
{
	uint32_t id = n % 2 ? BACK : FRONT;

	switch (kind) {
	case FLIP:
	case FAST:
		if (!blobs)
			transfer(id, 0, 0, WIDTH, HEIGHT);
		show(id);
		flush(id, 0, 0, WIDTH, HEIGHT);
		break;
	case DAMAGED:
		/* Where the last flip was. */
		if (!blobs)
			transfer(BACK, 320, 128, DAMAGE, DAMAGE);
		flush(BACK, 320, 128, DAMAGE, DAMAGE);
		break;
	case CLASSIC:
		transfer(CLASSIC_ID, 0, 0, WIDTH, HEIGHT);
		flush(CLASSIC_ID, 0, 0, WIDTH, HEIGHT);
		break;
	case CLASSIC_DAMAGED:
		transfer(CLASSIC_ID, 320, 128, DAMAGE, DAMAGE);
		flush(CLASSIC_ID, 320, 128, DAMAGE, DAMAGE);
		break;
	default:
		cursor(VIRTIO_GPU_CMD_MOVE_CURSOR, n);
		return;
	}
	kick(&queues[0]);
	/* Without a fence Linux waits for room alone. */
	if (kind == FAST && !blobs)
		wait(&queues[0], 3);
	else
		wait_all(&queues[0]);
}

static void frames(enum kind kind)
{
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		frame(kind, i);
	kicks = interrupts = 0;
	outb(0x80, kind);
	for (i = 0; i < FRAMES; i++)
		frame(kind, i);
	wait_all(&queues[0]);
	outb(0x80, kind | 0x80);
	print_number(kind);
	print(" kicks ");
	print_number(kicks);
	print(" interrupts ");
	print_number(interrupts);
	print("\n");
}

void begin(void)
{
	find_device();
	interrupts_begin();
	find_capabilities();
	virtio_begin();
	create(FRONT, blobs, WIDTH, HEIGHT);
	create(BACK, blobs, WIDTH, HEIGHT);
	create(CLASSIC_ID, 0, WIDTH, HEIGHT);
	create(CURSOR_ID, 0, CURSOR, CURSOR);
	frames(FLIP);
	frames(DAMAGED);
	frames(FAST);
	cursor(VIRTIO_GPU_CMD_UPDATE_CURSOR, 0);
	frames(MOVE);
	show(CLASSIC_ID);
	frames(CLASSIC);
	frames(CLASSIC_DAMAGED);
	end("done");
}
