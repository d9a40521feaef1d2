/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-gpu as a PCI device: the registers of virtio 1.2, section 4.1, and the device
 * configuration of section 5.7.
 */
#ifndef _VGPU_VIRTIO_H
#define _VGPU_VIRTIO_H

#include <linux/types.h>
#include <linux/vgpu.h>

struct vgpu_model;
struct vgpu_ring;

/* BAR1 has the MSI-X table and pending bits. */
#define VGPU_VIRTIO_MSIX_BAR	1
#define VGPU_VIRTIO_MSIX_SIZE	0x1000
#define VGPU_VIRTIO_MSIX_PBA	0x800

/* BAR2 has the registers; BAR4 is for memory that guest and host share. */
#define VGPU_VIRTIO_BAR		2
#define VGPU_VIRTIO_BAR_SIZE	0x4000
#define VGPU_VIRTIO_COMMON	0x0000
#define VGPU_VIRTIO_ISR		0x1000
#define VGPU_VIRTIO_CONFIG	0x2000
#define VGPU_VIRTIO_NOTIFY	0x3000

/* Bytes from one queue's notification register to the next. */
#define VGPU_VIRTIO_NOTIFY_STEP	4

enum vgpu_virtio_queue_nr {
	VGPU_QUEUE_CONTROL,
	VGPU_QUEUE_CURSOR,
	VGPU_NR_QUEUES
};

/* A vector for changes of the configuration, and one for each queue. */
#define VGPU_VIRTIO_VECTORS	(1 + VGPU_NR_QUEUES)

/* What there is to do for who executes commands. */
#define VGPU_WORK_QUEUE(q)	(1U << (q))	/* a queue was notified */
#define VGPU_WORK_RESET		0x10	/* the device is to be reset */
#define VGPU_WORK_FRAME		0x20	/* a frame has ended */
#define VGPU_WORK_WAKE		0x40	/* heads show what they did before a reset */

#define VGPU_WORK_ALL	(VGPU_WORK_RESET | VGPU_WORK_QUEUE(VGPU_QUEUE_CONTROL) | \
			 VGPU_WORK_QUEUE(VGPU_QUEUE_CURSOR))

/**
 * struct vgpu_virtio_queue - a virtqueue as the guest has set it up
 * @size: entries, a power of two
 * @vector: MSI-X vector of its interrupts, VIRTIO_MSI_NO_VECTOR for none
 * @enabled: what follows does not change any more, until a reset
 * @resetting: the guest resets this queue, which is done by who executes commands
 * @desc: where in guest memory the descriptors are
 * @avail: where the driver area is
 * @used: where the device area is
 */
struct vgpu_virtio_queue {
	u16 size;
	u16 vector;
	bool enabled;
	bool resetting;
	u64 desc;
	u64 avail;
	u64 used;
};

/**
 * struct vgpu_virtio_kept - what a guest had set up when it was reset in its sleep
 * @valid: there is something; what executes commands has forgotten nothing either
 * @status: VIRTIO_CONFIG_S_*
 * @features: those that the guest had accepted
 * @config_vector: MSI-X vector of changes of the configuration
 * @events: VIRTIO_GPU_EVENT_*
 * @queues: the queues
 */
struct vgpu_virtio_kept {
	bool valid;
	u8 status;
	u64 features;
	u16 config_vector;
	u32 events;
	struct vgpu_virtio_queue queues[VGPU_NR_QUEUES];
};

/**
 * struct vgpu_virtio - registers of a virtio-gpu
 * @device_select: which 32 bits of the features the guest reads
 * @driver_select: which ones it writes
 * @features: those that the guest has accepted
 * @status: VIRTIO_CONFIG_S_*
 * @resetting: the guest wrote a status of 0, which it reads when commands have stopped
 * @generation: of the device configuration
 * @isr: VIRTIO_PCI_ISR_*; the INTx pin is asserted while it is not 0
 * @config_vector: MSI-X vector of changes of the configuration
 * @queue_select: which queue the guest sets up
 * @queues: the queues
 * @events: VIRTIO_GPU_EVENT_* that the guest has not cleared
 * @work: VGPU_WORK_* for who executes commands
 * @frames_wanted: that one waits for the end of a frame
 * @era: counts resets, so that nothing of before one has an effect after it
 * @asleep: the guest has put the device into D3hot, and has written no register since
 * @kept: of before a reset that the guest may not know of
 */
struct vgpu_virtio {
	u32 device_select;
	u32 driver_select;
	u64 features;
	u8 status;
	bool resetting;
	u8 generation;
	u8 isr;
	u16 config_vector;
	u16 queue_select;
	struct vgpu_virtio_queue queues[VGPU_NR_QUEUES];
	u32 events;
	u32 work;
	bool frames_wanted;
	u32 era;
	bool asleep;
	struct vgpu_virtio_kept kept;
};

/* pci.c */
void vgpu_virtio_msix_read(struct vgpu_model *model, u32 offset, void *buf,
			   u32 len);
void vgpu_virtio_msix_write(struct vgpu_model *model, u32 offset,
			    const void *buf, u32 len);
void vgpu_virtio_init(struct vgpu_model *model);
void vgpu_virtio_config_read(struct vgpu_model *model, u32 offset, void *buf,
			     u32 len);
bool vgpu_virtio_config_write(struct vgpu_model *model, u32 offset,
			      const void *buf, u32 len);

/* virtio.c */
void vgpu_virtio_bar_read(struct vgpu_model *model, u32 offset, void *buf,
			  u32 len);
void vgpu_virtio_bar_write(struct vgpu_model *model, u32 offset,
			   const void *buf, u32 len);
bool vgpu_virtio_runs(const struct vgpu_model *model);
u32 vgpu_virtio_queues_resetting(const struct vgpu_model *model);
void vgpu_virtio_reset_done(struct vgpu_model *model, u32 queues);
void vgpu_virtio_ring(const struct vgpu_model *model, u32 nr,
		      struct vgpu_ring *ring);
bool vgpu_virtio_valid(const struct vgpu_model *model);
void vgpu_virtio_interrupt(struct vgpu_model *model, u32 queue);
void vgpu_virtio_broken(struct vgpu_model *model);

/* sleep.c */
bool vgpu_virtio_asleep(const struct vgpu_model *model);
void vgpu_virtio_keep(struct vgpu_model *model, const struct vgpu_virtio *was);
void vgpu_virtio_wake(struct vgpu_model *model, bool used);
void vgpu_virtio_drive(struct vgpu_model *model);
void vgpu_virtio_begin(struct vgpu_model *model);
bool vgpu_virtio_settle(struct vgpu_model *model);

#endif /* _VGPU_VIRTIO_H */
