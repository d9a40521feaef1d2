// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-gpu as a PCI device: registers.
 *
 * Commands are executed elsewhere, without the lock that protects registers, because
 * they wait for guest memory.  So a reset is begun here and ends when that has stopped:
 * a driver reads the status until it is 0 (virtio 1.2, section 4.1.4.3.2).
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <drm/drm_fourcc.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_gpu.h>
#include <uapi/linux/virtio_pci.h>
#include <uapi/linux/virtio_ring.h>

#include "model/event.h"
#include "model/mmio.h"
#include "model/virtio/ring.h"

/* The bit of the ISR status that has no name in the kernel (section 4.1.4.5). */
#define ISR_QUEUE	0x1

#define VIRTIO_FEATURES	(BIT_ULL(VIRTIO_GPU_F_EDID) | \
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_UUID) | \
			 BIT_ULL(VIRTIO_GPU_F_RESOURCE_BLOB) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT_ULL(VIRTIO_F_VERSION_1) | \
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			 BIT_ULL(VIRTIO_F_RING_RESET))

/* As QEMU's.  A guest can choose a smaller one. */
static const u16 virtio_queue_sizes[VGPU_NR_QUEUES] = {
	[VGPU_QUEUE_CONTROL] = 256,
	[VGPU_QUEUE_CURSOR] = 16,
};

static bool virtio_has(const struct vgpu_virtio *v, u32 feature)
{
	return v->features & BIT_ULL(feature);
}

/* A message of a vector, or the pin; nothing without either. */
static void virtio_raise(struct vgpu_model *model, u16 vector, u8 isr)
{
	struct vgpu_virtio *v = &model->virtio;

	if (vector < VGPU_VIRTIO_VECTORS)
		model->irq_status |= 1U << vector;
	v->isr |= isr;
	model->changed |= VGPU_CHANGED_EVENTS;
}

static void virtio_config_changed(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;

	v->generation++;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_raise(model, v->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

static void virtio_work(struct vgpu_model *model, u32 work)
{
	model->virtio.work |= work;
	model->changed |= VGPU_CHANGED_WORK;
}

/* Registers and heads as after power on, but for what counts on or is put aside. */
static void virtio_registers_reset(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;
	struct vgpu_virtio_kept kept = v->kept;
	u32 era = v->era;
	u32 i;

	memset(v, 0, sizeof(*v));
	v->era = era;
	v->kept = kept;
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (i = 0; i < VGPU_NR_QUEUES; i++) {
		v->queues[i].size = virtio_queue_sizes[i];
		v->queues[i].vector = VIRTIO_MSI_NO_VECTOR;
	}
	model->irq_status = 0;
	model->irq_enable = (1U << VGPU_VIRTIO_VECTORS) - 1;
	/* Who executes commands has no effect on heads any more. */
	vgpu_heads_reset(model);
	model->changed |= VGPU_CHANGED_EVENTS | VGPU_CHANGED_HEADS;
}

/* Power on, and a function-level reset: a status of 0 need not be awaited after these. */
static void virtio_reset(struct vgpu_model *model)
{
	model->virtio.era++;
	model->virtio.kept.valid = false;
	virtio_registers_reset(model);
	virtio_work(model, VGPU_WORK_RESET);
}

static void virtio_begin_reset(struct vgpu_model *model)
{
	model->virtio.era++;
	model->virtio.resetting = true;
	virtio_work(model, VGPU_WORK_RESET);
}

/* What a driver does with features, it does before FEATURES_OK. */
static void virtio_set_status(struct vgpu_model *model, u8 status)
{
	struct vgpu_virtio *v = &model->virtio;

	/*
	 * Drivers begin with a reset, and do not wait for a status of 0 that there is
	 * already.  What they write next is to count, and there is nothing to stop.
	 */
	if (!status && !v->status) {
		virtio_registers_reset(model);
		virtio_work(model, VGPU_WORK_RESET);
		return;
	}
	if (!status) {
		virtio_begin_reset(model);
		return;
	}
	if ((status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    (v->features & ~VIRTIO_FEATURES ||
	     !virtio_has(v, VIRTIO_F_VERSION_1)))
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (status & ~v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		vgpu_virtio_drive(model);
	v->status = status | (v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
	/* What was notified too early is looked at now. */
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_work(model, VGPU_WORK_QUEUE(VGPU_QUEUE_CONTROL) |
				   VGPU_WORK_QUEUE(VGPU_QUEUE_CURSOR));
}

static void virtio_set_features(struct vgpu_virtio *v, u32 value)
{
	if (v->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (v->driver_select == 0)
		v->features = (v->features & ~(u64)U32_MAX) | value;
	else if (v->driver_select == 1)
		v->features = (v->features & U32_MAX) | (u64)value << 32;
}

/* Features, by 32 bits: offsets 0x00 to 0x0f of the common configuration. */
static u32 virtio_features_read(struct vgpu_model *model, u32 reg)
{
	const struct vgpu_virtio *v = &model->virtio;

	switch (reg * 4) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return v->device_select;
	case VIRTIO_PCI_COMMON_DF:
		return v->device_select < 2 ?
		       VIRTIO_FEATURES >> 32 * v->device_select : 0;
	case VIRTIO_PCI_COMMON_GFSELECT:
		return v->driver_select;
	default:
		return v->driver_select < 2 ?
		       v->features >> 32 * v->driver_select : 0;
	}
}

static void virtio_features_write(struct vgpu_model *model, u32 reg, u32 value)
{
	struct vgpu_virtio *v = &model->virtio;

	switch (reg * 4) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		v->device_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		v->driver_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_set_features(v, value);
		break;
	}
}

/* A vector that there is not reads as none; so drivers detect it. */
static u16 virtio_vector(u32 value)
{
	return value < VGPU_VIRTIO_VECTORS ? value : VIRTIO_MSI_NO_VECTOR;
}

/* The vector of configuration changes and the number of queues. */
static u32 virtio_device_read(struct vgpu_model *model, u32 reg)
{
	return reg ? VGPU_NR_QUEUES : model->virtio.config_vector;
}

static void virtio_device_write(struct vgpu_model *model, u32 reg, u32 value)
{
	if (!reg)
		model->virtio.config_vector = virtio_vector(value);
}

static u32 virtio_status_read(struct vgpu_model *model, u32 reg)
{
	return reg ? model->virtio.generation : model->virtio.status;
}

static void virtio_status_write(struct vgpu_model *model, u32 reg, u32 value)
{
	if (!reg && !model->virtio.resetting)
		virtio_set_status(model, value);
}

static struct vgpu_virtio_queue *virtio_queue(struct vgpu_model *model)
{
	u16 nr = model->virtio.queue_select;

	return nr < VGPU_NR_QUEUES ? &model->virtio.queues[nr] : NULL;
}

/* Of the selected queue, from VIRTIO_PCI_COMMON_Q_SELECT on; 0 for one there is not. */
static u32 virtio_queue_read(struct vgpu_model *model, u32 reg)
{
	const struct vgpu_virtio_queue *queue = virtio_queue(model);
	u32 offset = VIRTIO_PCI_COMMON_Q_SELECT + 2 * reg;

	if (offset == VIRTIO_PCI_COMMON_Q_SELECT)
		return model->virtio.queue_select;
	if (!queue)
		return 0;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return queue->size;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return queue->vector;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return queue->enabled;
	default:
		/* VIRTIO_PCI_COMMON_Q_NOFF: a register for each. */
		return model->virtio.queue_select;
	}
}

static void virtio_queue_write(struct vgpu_model *model, u32 reg, u32 value)
{
	struct vgpu_virtio_queue *queue = virtio_queue(model);
	u32 offset = VIRTIO_PCI_COMMON_Q_SELECT + 2 * reg;

	if (model->virtio.resetting)
		return;
	if (offset == VIRTIO_PCI_COMMON_Q_SELECT)
		model->virtio.queue_select = value;
	if (!queue)
		return;
	switch (offset) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		if (!queue->enabled && is_power_of_2(value) &&
		    value <= VGPU_RING_MAX)
			queue->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		queue->vector = virtio_vector(value);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		/* Only a reset turns it off. */
		if (value != 1 || queue->resetting)
			break;
		vgpu_virtio_begin(model);
		queue->enabled = true;
		break;
	}
}

/* The addresses of the selected queue, by 32 bits. */
static u64 *virtio_area(struct vgpu_virtio_queue *queue, u32 reg)
{
	return reg / 2 == 0 ? &queue->desc :
	       reg / 2 == 1 ? &queue->avail : &queue->used;
}

static u32 virtio_address_read(struct vgpu_model *model, u32 reg)
{
	struct vgpu_virtio_queue *queue = virtio_queue(model);

	return queue ? *virtio_area(queue, reg) >> 32 * (reg % 2) : 0;
}

static void virtio_address_write(struct vgpu_model *model, u32 reg, u32 value)
{
	struct vgpu_virtio_queue *queue = virtio_queue(model);
	u32 shift = 32 * (reg % 2);
	u64 *area;

	if (!queue || queue->enabled || model->virtio.resetting)
		return;
	area = virtio_area(queue, reg);
	*area = (*area & ~((u64)U32_MAX << shift)) | (u64)value << shift;
}

/* Notification data, which is not used, and the reset of the selected queue. */
static u32 virtio_queue_reset_read(struct vgpu_model *model, u32 reg)
{
	const struct vgpu_virtio_queue *queue = virtio_queue(model);

	return reg && queue ? queue->resetting : 0;
}

static void virtio_queue_reset_write(struct vgpu_model *model, u32 reg,
				     u32 value)
{
	struct vgpu_virtio_queue *queue = virtio_queue(model);

	if (!reg || !queue || value != 1 || !queue->enabled ||
	    !virtio_has(&model->virtio, VIRTIO_F_RING_RESET))
		return;
	queue->resetting = true;
	virtio_work(model, VGPU_WORK_RESET);
}

/* Reading the ISR status clears it, and with it the pin. */
static u32 virtio_isr_read(struct vgpu_model *model, u32 reg)
{
	u8 isr = model->virtio.isr;

	model->virtio.isr = 0;
	if (isr)
		model->changed |= VGPU_CHANGED_EVENTS;
	return isr;
}

static u32 virtio_config_field(struct vgpu_model *model, u32 reg)
{
	switch (reg * 4) {
	case offsetof(struct virtio_gpu_config, events_read):
		return model->virtio.events;
	case offsetof(struct virtio_gpu_config, num_scanouts):
		return model->profile->num_heads;
	default:
		return 0;
	}
}

static void virtio_config_field_write(struct vgpu_model *model, u32 reg,
				      u32 value)
{
	if (reg * 4 == offsetof(struct virtio_gpu_config, events_clear))
		model->virtio.events &= ~value;
}

static u32 virtio_notify_read(struct vgpu_model *model, u32 reg)
{
	return 0;
}

static void virtio_notify_write(struct vgpu_model *model, u32 reg, u32 value)
{
	u32 queue = reg * 2 / VGPU_VIRTIO_NOTIFY_STEP;

	if (reg * 2 % VGPU_VIRTIO_NOTIFY_STEP)
		return;
	vgpu_virtio_wake(model, true);
	virtio_work(model, VGPU_WORK_QUEUE(queue));
}

static const struct vgpu_mmio_block virtio_blocks[] = {
	{ VGPU_VIRTIO_COMMON, 16, 4, virtio_features_read,
	  virtio_features_write },
	{ VGPU_VIRTIO_COMMON + VIRTIO_PCI_COMMON_MSIX, 4, 2,
	  virtio_device_read, virtio_device_write },
	{ VGPU_VIRTIO_COMMON + VIRTIO_PCI_COMMON_STATUS, 2, 1,
	  virtio_status_read, virtio_status_write },
	{ VGPU_VIRTIO_COMMON + VIRTIO_PCI_COMMON_Q_SELECT, 10, 2,
	  virtio_queue_read, virtio_queue_write },
	{ VGPU_VIRTIO_COMMON + VIRTIO_PCI_COMMON_Q_DESCLO, 24, 4,
	  virtio_address_read, virtio_address_write },
	{ VGPU_VIRTIO_COMMON + VIRTIO_PCI_COMMON_Q_NDATA, 4, 2,
	  virtio_queue_reset_read, virtio_queue_reset_write },
	{ VGPU_VIRTIO_ISR, 1, 1, virtio_isr_read, NULL },
	{ VGPU_VIRTIO_CONFIG, sizeof(struct virtio_gpu_config), 4,
	  virtio_config_field, virtio_config_field_write },
	{ VGPU_VIRTIO_NOTIFY, VGPU_NR_QUEUES * VGPU_VIRTIO_NOTIFY_STEP, 2,
	  virtio_notify_read, virtio_notify_write },
};

static const struct vgpu_mmio_bar virtio_bar = {
	virtio_blocks, ARRAY_SIZE(virtio_blocks), VGPU_VIRTIO_BAR_SIZE,
};

/**
 * vgpu_virtio_bar_read() - read registers
 * @model: the model
 * @offset: first byte
 * @buf: where to
 * @len: bytes; @offset + @len is at most VGPU_VIRTIO_BAR_SIZE
 */
void vgpu_virtio_bar_read(struct vgpu_model *model, u32 offset, void *buf,
			  u32 len)
{
	vgpu_mmio_read(model, &virtio_bar, offset, buf, len);
}

/**
 * vgpu_virtio_bar_write() - write registers
 * @model: the model
 * @offset: first byte
 * @buf: where from
 * @len: bytes; @offset + @len is at most VGPU_VIRTIO_BAR_SIZE
 */
void vgpu_virtio_bar_write(struct vgpu_model *model, u32 offset,
			   const void *buf, u32 len)
{
	model->virtio.asleep = false;
	vgpu_mmio_write(model, &virtio_bar, offset, buf, len);
}

/**
 * vgpu_virtio_runs() - whether commands are executed
 * @model: the model
 *
 * Return: true from DRIVER_OK on, until a reset or until the device needs one
 */
bool vgpu_virtio_runs(const struct vgpu_model *model)
{
	const struct vgpu_virtio *v = &model->virtio;

	return !v->resetting &&
	       (v->status & (VIRTIO_CONFIG_S_DRIVER_OK |
			     VIRTIO_CONFIG_S_NEEDS_RESET)) ==
	       VIRTIO_CONFIG_S_DRIVER_OK;
}

/**
 * vgpu_virtio_queues_resetting() - queues that the guest resets
 * @model: the model
 *
 * Return: a bit for each
 */
u32 vgpu_virtio_queues_resetting(const struct vgpu_model *model)
{
	u32 queues = 0, i;

	for (i = 0; i < VGPU_NR_QUEUES; i++)
		if (model->virtio.queues[i].resetting)
			queues |= 1U << i;
	return queues;
}

/**
 * vgpu_virtio_reset_done() - end the reset of the device, or of queues
 * @model: the model; commands that were being executed have stopped
 * @queues: of these queues, by bit
 */
void vgpu_virtio_reset_done(struct vgpu_model *model, u32 queues)
{
	struct vgpu_virtio *v = &model->virtio;
	u32 i;

	if (v->resetting) {
		virtio_registers_reset(model);
		return;
	}
	for (i = 0; i < VGPU_NR_QUEUES; i++)
		if (queues & 1U << i)
			v->queues[i] = (struct vgpu_virtio_queue){
				.size = virtio_queue_sizes[i],
				.vector = VIRTIO_MSI_NO_VECTOR,
			};
}

/**
 * vgpu_virtio_ring() - a queue as the guest has set it up, from its beginning on
 * @model: the model
 * @nr: which queue
 * @ring: where to
 */
void vgpu_virtio_ring(const struct vgpu_model *model, u32 nr,
		      struct vgpu_ring *ring)
{
	const struct vgpu_virtio_queue *queue = &model->virtio.queues[nr];

	*ring = (struct vgpu_ring){
		.desc = queue->desc,
		.avail = queue->avail,
		.used = queue->used,
		.size = queue->size,
		.event_idx = virtio_has(&model->virtio, VIRTIO_RING_F_EVENT_IDX),
		.indirect = virtio_has(&model->virtio,
				       VIRTIO_RING_F_INDIRECT_DESC),
	};
}

/**
 * vgpu_virtio_valid() - whether registers can be as they are
 * @model: the model
 *
 * Return: true if a guest can bring them to it
 */
bool vgpu_virtio_valid(const struct vgpu_model *model)
{
	const struct vgpu_virtio *v = &model->virtio;
	u32 i;

	for (i = 0; i < VGPU_NR_QUEUES; i++) {
		const struct vgpu_virtio_queue *queue = &v->queues[i];

		if (!is_power_of_2(queue->size) || queue->size > VGPU_RING_MAX ||
		    queue->vector != virtio_vector(queue->vector))
			return false;
	}
	if ((v->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    (v->features & ~VIRTIO_FEATURES || !virtio_has(v, VIRTIO_F_VERSION_1)))
		return false;
	return v->config_vector == virtio_vector(v->config_vector) &&
	       model->plugged >= 1 && model->plugged <= model->profile->num_heads;
}

/**
 * vgpu_virtio_interrupt() - buffers have been used
 * @model: the model
 * @queue: of this queue
 */
void vgpu_virtio_interrupt(struct vgpu_model *model, u32 queue)
{
	virtio_raise(model, model->virtio.queues[queue].vector,
		     ISR_QUEUE);
}

/**
 * vgpu_virtio_broken() - the driver broke the rules, or a queue cannot be reached
 * @model: the model; it does nothing until the driver resets it
 */
void vgpu_virtio_broken(struct vgpu_model *model)
{
	model->virtio.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	virtio_config_changed(model);
}

static u32 virtio_vectors(const struct vgpu_profile *profile)
{
	return VGPU_VIRTIO_VECTORS;
}

static void virtio_event(struct vgpu_model *model, u32 event)
{
	struct vgpu_virtio *v = &model->virtio;

	switch (event) {
	case VGPU_EVENT_MONITOR:
		v->events |= VIRTIO_GPU_EVENT_DISPLAY;
		virtio_config_changed(model);
		break;
	case VGPU_EVENT_ECC:
		break;
	default:
		if (!v->frames_wanted)
			break;
		v->frames_wanted = false;
		virtio_work(model, VGPU_WORK_FRAME);
	}
}

/* See vgpu_virtio_format(). */
static u32 virtio_format_bytes(u32 format)
{
	switch (format) {
	case DRM_FORMAT_XRGB8888:
	case DRM_FORMAT_BGRX8888:
	case DRM_FORMAT_XBGR8888:
	case DRM_FORMAT_RGBX8888:
		return 4;
	default:
		return 0;
	}
}

static bool virtio_line(const struct vgpu_model *model)
{
	return model->virtio.isr;
}

static void virtio_sent(struct vgpu_model *model, u32 vectors)
{
	model->irq_status &= ~vectors;
}

const struct vgpu_personality vgpu_virtio = {
	.version = 0x00010000,
	.features = VIRTIO_FEATURES,
	.executes = true,
	.plugs = true,
	.vectors = virtio_vectors,
	.init = vgpu_virtio_init,
	.reset = virtio_reset,
	.raise = virtio_event,
	.format_bytes = virtio_format_bytes,
	.line = virtio_line,
	.sent = virtio_sent,
};
