/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VMM and a guest's virtio-gpu driver in one: guest memory, virtqueues and commands of
 * a vGPU of series V.  Guest memory is at VV_IOVA; functions return 0 or a value on
 * success and a negative errno on failure.
 */
#ifndef VGPU_VIRTIO_H
#define VGPU_VIRTIO_H

#include <linux/virtio_config.h>
#include <linux/virtio_gpu.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "lib/vgpu_test.h"

#define VV_IOVA		0x100000000ULL
#define VV_CONTROL	0
#define VV_CURSOR	1
#define VV_QUEUES	2
#define VV_MAX		1024
/* Vectors, as a driver with one for each queue gives them out. */
#define VV_VECTOR_CONFIG	0
#define VV_VECTOR(queue)	(1 + (queue))
#define VV_VECTORS	3
#define VV_SECOND	1000
/* How long a command takes at most that waits for nobody, in ms. */
#define VV_TIMEOUT	(20 * VV_SECOND)

#define VV_FEATURE(bit)	(1ULL << (bit))
#define VV_VERSION_1	VV_FEATURE(VIRTIO_F_VERSION_1)
/* What Linux takes of what there is. */
#define VV_LINUX	(VV_VERSION_1 | VV_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VV_FEATURE(VIRTIO_RING_F_EVENT_IDX) | \
			 VV_FEATURE(VIRTIO_F_ACCESS_PLATFORM) | \
			 VV_FEATURE(VIRTIO_F_RING_RESET) | \
			 VV_FEATURE(VIRTIO_GPU_F_EDID) | \
			 VV_FEATURE(VIRTIO_GPU_F_RESOURCE_UUID) | \
			 VV_FEATURE(VIRTIO_GPU_F_RESOURCE_BLOB))

/* Guest memory: queues, then requests and responses, then what tests have there. */
#define VV_MEM		(32 * VT_MIB)
#define VV_RING(queue)	(0x10000UL * (queue))
#define VV_SLOT_SIZE	2048UL
#define VV_SLOT(queue, head) \
	(0x100000UL + 0x200000UL * (queue) + VV_SLOT_SIZE * (head))
#define VV_RESPONSE	512
#define VV_TABLE	1600
#define VV_FREE		(8 * VT_MIB)

struct vv_queue {
	unsigned int size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t notify_off;
	uint16_t avail_idx;
	uint16_t kicked_idx;
	uint16_t used_idx;
	/* Head of a chain of descriptors that are free, and how many. */
	uint16_t free;
	unsigned int nr_free;
	/* How many descriptors the chain of a head has. */
	uint16_t length[VV_MAX];
};

struct vv_cap {
	uint8_t bar;
	uint32_t offset;
	uint32_t length;
};

struct vv {
	struct vt_dev *dev;
	uint8_t *mem;
	/* By VIRTIO_PCI_CAP_*. */
	struct vv_cap cap[6];
	unsigned int pci_cfg;
	uint32_t notify_multiplier;
	uint64_t features;
	/* How long a command or a reset may take, in ms; VV_TIMEOUT unless changed. */
	unsigned int timeout;
	bool msix;
	int irqs[VV_VECTORS];
	struct vv_queue queues[VV_QUEUES];
	/* Of the last answer. */
	uint32_t answered;
};

struct vv_part {
	uint64_t iova;
	uint32_t len;
	bool in;
};

/*
 * vt_open() and vt_start(), but through iommufd on a kernel that looks at locks: a
 * device that unpins pages when they are unmapped, as VFIO wants, makes it report a
 * cycle of two locks of VFIO's type1 (6.12), and then it looks no longer.
 */
int vv_open(struct vt_dev *dev, const char *uuid);
int vv_begin(struct vt_dev *dev, const struct vt_gpu *gpu, const char *type);
/* Guest memory, mapped for the vGPU.  The device is open. */
int vv_init(struct vv *v, struct vt_dev *dev);
/* Opposite; the device may be closed. */
void vv_fini(struct vv *v);
int vv_map(struct vt_dev *dev, uint64_t iova, void *mem, uint64_t size,
	   uint32_t flags);
int vv_unmap(struct vt_dev *dev, uint64_t iova, uint64_t size);
static inline uint64_t vv_iova(struct vv *v, const void *p)
{
	return VV_IOVA + ((const uint8_t *)p - v->mem);
}

/* Find the structures as a driver does. */
int vv_probe(struct vv *v);
uint32_t vv_get(struct vv *v, unsigned int cap, unsigned int offset,
		size_t len);
void vv_set(struct vv *v, unsigned int cap, unsigned int offset, uint64_t value,
	    size_t len);
uint32_t vv_common_get(struct vv *v, unsigned int offset, size_t len);
void vv_common_set(struct vv *v, unsigned int offset, uint64_t value,
		   size_t len);
uint8_t vv_status(struct vv *v);
void vv_set_status(struct vv *v, uint8_t bits);
/* Wait until the device answers a status of 0. */
int vv_reset(struct vv *v);
uint64_t vv_device_features(struct vv *v);
int vv_negotiate(struct vv *v, uint64_t features);
/* Have an eventfd for each vector, and use them. */
int vv_irqs(struct vv *v);
/* How often since; waits up to @ms for the first. */
long vv_irq(int fd, int ms);
int vv_queue(struct vv *v, unsigned int nr, unsigned int size);
/* Reset, features, both queues of the device's size, DRIVER_OK. */
int vv_start(struct vv *v, uint64_t features);
int vv_start_sized(struct vv *v, uint64_t features, unsigned int size);

/* Make a chain available: its head, or -ENOSPC. */
int vv_add(struct vv *v, unsigned int nr, const struct vv_part *parts,
	   unsigned int n);
bool vv_kick(struct vv *v, unsigned int nr);
void vv_notify(struct vv *v, unsigned int nr);
/* The head of the next used chain, and how much was written; -ETIMEDOUT. */
int vv_used(struct vv *v, unsigned int nr, uint32_t *len, int ms);

/* A request with up to two parts and room for a response; its head. */
int vv_submit(struct vv *v, unsigned int nr, const void *req, size_t len,
	      uint64_t more, uint32_t more_len, size_t resp_len);
void *vv_response(struct vv *v, unsigned int nr, int head);
/* Submit, kick, wait: the type of the answer or a negative errno. */
int vv_command(struct vv *v, const void *req, size_t len, void *resp,
	       size_t resp_len);
int vv_command_more(struct vv *v, const void *req, size_t len, uint64_t more,
		    uint32_t more_len, void *resp, size_t resp_len);
/* Wait for it, after vv_submit() and a kick. */
int vv_wait(struct vv *v, unsigned int nr, int head, int ms);

/* Commands; the answer's type or a negative errno. */
int vv_display_info(struct vv *v, struct virtio_gpu_resp_display_info *info);
int vv_create_2d(struct vv *v, uint32_t id, uint32_t format, uint32_t width,
		 uint32_t height);
int vv_create_blob(struct vv *v, uint32_t id, uint64_t at, uint32_t size);
int vv_unref(struct vv *v, uint32_t id);
int vv_attach(struct vv *v, uint32_t id, uint64_t iova, uint32_t size);
int vv_detach(struct vv *v, uint32_t id);
int vv_transfer(struct vv *v, uint32_t id, uint32_t x, uint32_t y,
		uint32_t width, uint32_t height, uint64_t offset);
int vv_scanout(struct vv *v, uint32_t head, uint32_t id, uint32_t x, uint32_t y,
	       uint32_t width, uint32_t height);
int vv_scanout_blob(struct vv *v, uint32_t head, uint32_t id, uint32_t width,
		    uint32_t height, uint32_t stride, uint32_t offset);
int vv_flush(struct vv *v, uint32_t id, uint32_t x, uint32_t y, uint32_t width,
	     uint32_t height);
int vv_cursor(struct vv *v, uint32_t type, uint32_t head, uint32_t id,
	      uint32_t x, uint32_t y, uint32_t hot_x, uint32_t hot_y);
/* Whether a reset works, and commands after it. */
bool vv_well(struct vv *v);
/* The same with a picture that goes all the way. */
bool vv_draws(struct vv *v);

#endif /* VGPU_VIRTIO_H */
