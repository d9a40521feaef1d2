// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/vgpu_virtio.h"

#define barrier_full()	__atomic_thread_fence(__ATOMIC_SEQ_CST)

/* What the device writes meanwhile, also where the header has another type. */
typedef volatile uint16_t __attribute__((may_alias)) shared_u16;

static int open_iommufd(struct vt_dev *dev, const char *uuid)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
	};
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret = 0;

	if (uuid != dev->uuid)
		snprintf(dev->uuid, VT_UUID, "%s", uuid);
	dev->group = -1;
	dev->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	dev->fd = vt_open_cdev(uuid);
	bind.iommufd = dev->container;
	if (dev->fd < 0)
		ret = dev->fd;
	else if (dev->container < 0 ||
		 ioctl(dev->container, IOMMU_IOAS_ALLOC, &alloc) ||
		 ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		ret = -errno;
	dev->ioas = alloc.out_ioas_id;
	attach.pt_id = dev->ioas;
	if (!ret && ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
		ret = -errno;
	ret = ret ?: vt_find_regions(dev);
	ret = ret ?: vt_memory(dev, true);
	if (ret)
		vt_close(dev);
	return ret;
}

int vv_open(struct vt_dev *dev, const char *uuid)
{
	return vt_exists("/proc/lockdep") && vt_exists("/dev/iommu") ?
	       open_iommufd(dev, uuid) : vt_open(dev, uuid);
}

int vv_begin(struct vt_dev *dev, const struct vt_gpu *gpu, const char *type)
{
	char uuid[VT_UUID];
	int ret;

	vt_uuid(uuid);
	ret = vt_create(gpu, type, uuid);
	if (ret)
		return ret;
	ret = vv_open(dev, uuid);
	if (ret)
		vt_remove(uuid);
	return ret;
}

static int map_ioas(struct vt_dev *dev, uint64_t iova, void *mem, uint64_t size,
		    uint32_t flags)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA |
			 (flags & VFIO_DMA_MAP_FLAG_READ ?
			  IOMMU_IOAS_MAP_READABLE : 0) |
			 (flags & VFIO_DMA_MAP_FLAG_WRITE ?
			  IOMMU_IOAS_MAP_WRITEABLE : 0),
		.ioas_id = dev->ioas,
		.user_va = (uintptr_t)mem,
		.length = size,
		.iova = iova,
	};

	return ioctl(dev->container, IOMMU_IOAS_MAP, &map) ? -errno : 0;
}

static int unmap_ioas(struct vt_dev *dev, uint64_t iova, uint64_t size)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = dev->ioas,
		.iova = iova,
		.length = size,
	};

	return ioctl(dev->container, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

int vv_map(struct vt_dev *dev, uint64_t iova, void *mem, uint64_t size,
	   uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	if (dev->ioas)
		return map_ioas(dev, iova, mem, size, flags);
	return ioctl(dev->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

int vv_unmap(struct vt_dev *dev, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = size,
	};

	if (dev->ioas)
		return unmap_ioas(dev, iova, size);
	return ioctl(dev->container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

int vv_init(struct vv *v, struct vt_dev *dev)
{
	unsigned int i;
	int ret;

	memset(v, 0, sizeof(*v));
	v->dev = dev;
	v->timeout = VV_TIMEOUT;
	for (i = 0; i < VV_VECTORS; i++)
		v->irqs[i] = -1;
	v->mem = mmap(NULL, VV_MEM, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (v->mem == MAP_FAILED)
		return -errno;
	ret = vv_map(dev, VV_IOVA, v->mem, VV_MEM,
		     VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	return ret ?: vv_probe(v);
}

void vv_fini(struct vv *v)
{
	unsigned int i;

	if (v->dev->fd >= 0)
		vv_unmap(v->dev, VV_IOVA, VV_MEM);
	for (i = 0; i < VV_VECTORS; i++)
		if (v->irqs[i] >= 0)
			close(v->irqs[i]);
	munmap(v->mem, VV_MEM);
}

int vv_probe(struct vv *v)
{
	struct vt_dev *dev = v->dev;
	unsigned int pos, n;
	uint8_t type;

	memset(v->cap, 0, sizeof(v->cap));
	if (vt_config_get(dev, PCI_VENDOR_ID, 2) != 0x1af4 ||
	    vt_config_get(dev, PCI_DEVICE_ID, 2) != 0x1050 ||
	    !(vt_config_get(dev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return -ENODEV;
	pos = vt_config_get(dev, PCI_CAPABILITY_LIST, 1);
	for (n = 0; pos && n < 48; n++, pos = vt_config_get(dev, pos + 1, 1)) {
		if (vt_config_get(dev, pos, 1) != PCI_CAP_ID_VNDR)
			continue;
		type = vt_config_get(dev, pos + VIRTIO_PCI_CAP_CFG_TYPE, 1);
		if (type >= sizeof(v->cap) / sizeof(v->cap[0]))
			continue;
		v->cap[type] = (struct vv_cap){
			.bar = vt_config_get(dev, pos + VIRTIO_PCI_CAP_BAR, 1),
			.offset = vt_config_get(dev, pos + VIRTIO_PCI_CAP_OFFSET,
						4),
			.length = vt_config_get(dev, pos + VIRTIO_PCI_CAP_LENGTH,
						4),
		};
		if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
			v->notify_multiplier =
				vt_config_get(dev,
					      pos + VIRTIO_PCI_NOTIFY_CAP_MULT,
					      4);
		if (type == VIRTIO_PCI_CAP_PCI_CFG)
			v->pci_cfg = pos;
	}
	for (n = VIRTIO_PCI_CAP_COMMON_CFG; n <= VIRTIO_PCI_CAP_DEVICE_CFG; n++)
		if (!v->cap[n].length || v->cap[n].bar > 5)
			return -ENODEV;
	return 0;
}

uint32_t vv_get(struct vv *v, unsigned int cap, unsigned int offset, size_t len)
{
	uint32_t value = 0;

	if (vt_pread(v->dev, v->cap[cap].bar, v->cap[cap].offset + offset, &value,
		     len) != (ssize_t)len)
		return ~0u;
	return value;
}

void vv_set(struct vv *v, unsigned int cap, unsigned int offset, uint64_t value,
	    size_t len)
{
	/* Of 64 bits in halves, as Linux does. */
	vt_pwrite(v->dev, v->cap[cap].bar, v->cap[cap].offset + offset, &value,
		  len > 4 ? 4 : len);
	if (len > 4)
		vv_set(v, cap, offset + 4, value >> 32, len - 4);
}

uint32_t vv_common_get(struct vv *v, unsigned int offset, size_t len)
{
	return vv_get(v, VIRTIO_PCI_CAP_COMMON_CFG, offset, len);
}

void vv_common_set(struct vv *v, unsigned int offset, uint64_t value, size_t len)
{
	vv_set(v, VIRTIO_PCI_CAP_COMMON_CFG, offset, value, len);
}

uint8_t vv_status(struct vv *v)
{
	return vv_common_get(v, VIRTIO_PCI_COMMON_STATUS, 1);
}

void vv_set_status(struct vv *v, uint8_t bits)
{
	vv_common_set(v, VIRTIO_PCI_COMMON_STATUS, vv_status(v) | bits, 1);
}

int vv_reset(struct vv *v)
{
	uint64_t end = vt_now() + v->timeout * 1000000ULL;

	vv_common_set(v, VIRTIO_PCI_COMMON_STATUS, 0, 1);
	while (vv_status(v)) {
		if (vt_now() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

uint64_t vv_device_features(struct vv *v)
{
	uint64_t low;

	vv_common_set(v, VIRTIO_PCI_COMMON_DFSELECT, 0, 4);
	low = vv_common_get(v, VIRTIO_PCI_COMMON_DF, 4);
	vv_common_set(v, VIRTIO_PCI_COMMON_DFSELECT, 1, 4);
	return low | (uint64_t)vv_common_get(v, VIRTIO_PCI_COMMON_DF, 4) << 32;
}

int vv_negotiate(struct vv *v, uint64_t features)
{
	vv_set_status(v, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vv_set_status(v, VIRTIO_CONFIG_S_DRIVER);
	vv_common_set(v, VIRTIO_PCI_COMMON_GFSELECT, 0, 4);
	vv_common_set(v, VIRTIO_PCI_COMMON_GF, (uint32_t)features, 4);
	vv_common_set(v, VIRTIO_PCI_COMMON_GFSELECT, 1, 4);
	vv_common_set(v, VIRTIO_PCI_COMMON_GF, features >> 32, 4);
	vv_set_status(v, VIRTIO_CONFIG_S_FEATURES_OK);
	v->features = features;
	return vv_status(v) & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -EOPNOTSUPP;
}

int vv_irqs(struct vv *v)
{
	int ret, i;

	for (i = 0; i < VV_VECTORS; i++) {
		v->irqs[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (v->irqs[i] < 0)
			return -errno;
	}
	ret = vt_set_irqs(v->dev, VFIO_PCI_MSIX_IRQ_INDEX, VT_EVENTFD_TRIGGER, 0,
			  VV_VECTORS, v->irqs);
	v->msix = true;
	return ret ?: vt_msix(v->dev, PCI_MSIX_FLAGS_ENABLE);
}

long vv_irq(int fd, int ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t n = 0;

	poll(&poll_fd, 1, ms);
	if (read(fd, &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

int vv_queue(struct vv *v, unsigned int nr, unsigned int size)
{
	struct vv_queue *q = &v->queues[nr];
	uint8_t *ring = v->mem + VV_RING(nr);
	unsigned int i, most;

	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SELECT, nr, 2);
	most = vv_common_get(v, VIRTIO_PCI_COMMON_Q_SIZE, 2);
	if (!most || most > VV_MAX)
		return -ENOENT;
	if (!size)
		size = most;
	memset(ring, 0, 0x10000);
	*q = (struct vv_queue){
		.size = size,
		.desc = (void *)ring,
		.avail = (void *)(ring + 0x4000),
		.used = (void *)(ring + 0x8000),
		.nr_free = size,
		.notify_off = vv_common_get(v, VIRTIO_PCI_COMMON_Q_NOFF, 2),
	};
	for (i = 0; i < size; i++)
		q->desc[i].next = i + 1;
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_SIZE, size, 2);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_DESCLO, vv_iova(v, q->desc), 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_AVAILLO, vv_iova(v, q->avail), 8);
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_USEDLO, vv_iova(v, q->used), 8);
	if (v->msix) {
		vv_common_set(v, VIRTIO_PCI_COMMON_Q_MSIX, VV_VECTOR(nr), 2);
		if (vv_common_get(v, VIRTIO_PCI_COMMON_Q_MSIX, 2) != VV_VECTOR(nr))
			return -EBUSY;
	}
	vv_common_set(v, VIRTIO_PCI_COMMON_Q_ENABLE, 1, 2);
	return vv_common_get(v, VIRTIO_PCI_COMMON_Q_SIZE, 2) == size ? 0 : -EINVAL;
}

int vv_start_sized(struct vv *v, uint64_t features, unsigned int size)
{
	int ret = vv_reset(v);
	unsigned int i;

	if (!ret)
		ret = vv_negotiate(v, features);
	if (!ret && v->msix)
		vv_common_set(v, VIRTIO_PCI_COMMON_MSIX, VV_VECTOR_CONFIG, 2);
	for (i = 0; i < VV_QUEUES && !ret; i++)
		ret = vv_queue(v, i, size);
	if (!ret)
		vv_set_status(v, VIRTIO_CONFIG_S_DRIVER_OK);
	return ret;
}

int vv_start(struct vv *v, uint64_t features)
{
	return vv_start_sized(v, features, 0);
}

static void fill_desc(struct vring_desc *desc, const struct vv_part *part,
		      bool next)
{
	desc->addr = part->iova;
	desc->len = part->len;
	desc->flags = (part->in ? VRING_DESC_F_WRITE : 0) |
		      (next ? VRING_DESC_F_NEXT : 0);
}

int vv_add(struct vv *v, unsigned int nr, const struct vv_part *parts,
	   unsigned int n)
{
	bool indirect = v->features & VV_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) &&
			n > 1 && n <= 28;
	struct vv_queue *q = &v->queues[nr];
	unsigned int need = indirect ? 1 : n, i, at = q->free;
	uint16_t head = q->free;
	struct vring_desc *table;

	if (q->nr_free < need)
		return -ENOSPC;
	if (indirect) {
		table = (void *)(v->mem + VV_SLOT(nr, head) + VV_TABLE);
		for (i = 0; i < n; i++) {
			fill_desc(&table[i], &parts[i], i + 1 < n);
			table[i].next = i + 1;
		}
		q->free = q->desc[head].next;
		q->desc[head].addr = vv_iova(v, table);
		q->desc[head].len = n * sizeof(*table);
		q->desc[head].flags = VRING_DESC_F_INDIRECT;
	} else {
		for (i = 0; i < n; i++) {
			fill_desc(&q->desc[at], &parts[i], i + 1 < n);
			at = q->desc[at].next;
		}
		q->free = at;
	}
	q->length[head] = need;
	q->nr_free -= need;
	q->avail->ring[q->avail_idx % q->size] = head;
	q->avail_idx++;
	__atomic_store_n(&q->avail->idx, q->avail_idx, __ATOMIC_RELEASE);
	return head;
}

void vv_notify(struct vv *v, unsigned int nr)
{
	vv_set(v, VIRTIO_PCI_CAP_NOTIFY_CFG,
	       v->queues[nr].notify_off * v->notify_multiplier, nr, 2);
}

/* Whether the device wanted it. */
bool vv_kick(struct vv *v, unsigned int nr)
{
	struct vv_queue *q = &v->queues[nr];
	uint16_t event, from = q->kicked_idx;
	bool wanted;

	barrier_full();
	q->kicked_idx = q->avail_idx;
	if (v->features & VV_FEATURE(VIRTIO_RING_F_EVENT_IDX)) {
		event = *(shared_u16 *)&q->used->ring[q->size];
		wanted = (uint16_t)(q->avail_idx - event - 1) <
			 (uint16_t)(q->avail_idx - from);
	} else {
		wanted = !(*(shared_u16 *)&q->used->flags &
			   VRING_USED_F_NO_NOTIFY);
	}
	if (wanted)
		vv_notify(v, nr);
	return wanted;
}

int vv_used(struct vv *v, unsigned int nr, uint32_t *len, int ms)
{
	struct vv_queue *q = &v->queues[nr];
	uint64_t end = vt_now() + ms * 1000000ULL;
	struct vring_used_elem *elem;
	unsigned int tries = 0, i, at;

	while (__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) == q->used_idx) {
		if (vt_now() >= end)
			return -ETIMEDOUT;
		usleep(++tries < 100 ? 20 : 1000);
	}
	elem = &q->used->ring[q->used_idx % q->size];
	q->used_idx++;
	/* An interrupt for the next one. */
	if (v->features & VV_FEATURE(VIRTIO_RING_F_EVENT_IDX))
		*(shared_u16 *)&q->avail->ring[q->size] = q->used_idx;
	if (elem->id >= q->size || !q->length[elem->id])
		return -EPROTO;
	for (at = elem->id, i = 1; i < q->length[elem->id]; i++)
		at = q->desc[at].next;
	q->desc[at].next = q->free;
	q->free = elem->id;
	q->nr_free += q->length[elem->id];
	q->length[elem->id] = 0;
	if (len)
		*len = elem->len;
	return elem->id;
}

void *vv_response(struct vv *v, unsigned int nr, int head)
{
	return v->mem + VV_SLOT(nr, head) + VV_RESPONSE;
}

int vv_submit(struct vv *v, unsigned int nr, const void *req, size_t len,
	      uint64_t more, uint32_t more_len, size_t resp_len)
{
	uint16_t head = v->queues[nr].free;
	uint8_t *slot = v->mem + VV_SLOT(nr, head);
	struct vv_part parts[3];
	unsigned int n = 0;

	if (len > VV_RESPONSE || resp_len > VV_TABLE - VV_RESPONSE)
		return -EINVAL;
	if (!v->queues[nr].nr_free)
		return -ENOSPC;
	memcpy(slot, req, len);
	memset(slot + VV_RESPONSE, 0xa5, VV_TABLE - VV_RESPONSE);
	parts[n++] = (struct vv_part){ vv_iova(v, slot), len, false };
	if (more_len)
		parts[n++] = (struct vv_part){ more, more_len, false };
	if (resp_len)
		parts[n++] = (struct vv_part){
			vv_iova(v, slot + VV_RESPONSE), resp_len, true };
	return vv_add(v, nr, parts, n);
}

int vv_wait(struct vv *v, unsigned int nr, int head, int ms)
{
	int ret = vv_used(v, nr, &v->answered, ms);

	if (ret < 0)
		return ret;
	if (ret != head)
		return -EPROTO;
	return v->answered < sizeof(struct virtio_gpu_ctrl_hdr) ? 0 :
	       ((struct virtio_gpu_ctrl_hdr *)vv_response(v, nr, head))->type;
}

int vv_command_more(struct vv *v, const void *req, size_t len, uint64_t more,
		    uint32_t more_len, void *resp, size_t resp_len)
{
	int head = vv_submit(v, VV_CONTROL, req, len, more, more_len, resp_len);
	int ret;

	if (head < 0)
		return head;
	vv_kick(v, VV_CONTROL);
	ret = vv_wait(v, VV_CONTROL, head, v->timeout);
	if (resp && ret >= 0)
		memcpy(resp, vv_response(v, VV_CONTROL, head), resp_len);
	return ret;
}

int vv_command(struct vv *v, const void *req, size_t len, void *resp,
	       size_t resp_len)
{
	return vv_command_more(v, req, len, 0, 0, resp, resp_len);
}

/* One that is answered with a header. */
static int simple(struct vv *v, const void *req, size_t len)
{
	return vv_command(v, req, len, NULL, sizeof(struct virtio_gpu_ctrl_hdr));
}

int vv_display_info(struct vv *v, struct virtio_gpu_resp_display_info *info)
{
	struct virtio_gpu_ctrl_hdr req = {
		.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO,
	};

	return vv_command(v, &req, sizeof(req), info, sizeof(*info));
}

int vv_create_2d(struct vv *v, uint32_t id, uint32_t format, uint32_t width,
		 uint32_t height)
{
	struct virtio_gpu_resource_create_2d req = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id,
		.format = format,
		.width = width,
		.height = height,
	};

	return simple(v, &req, sizeof(req));
}

/* Of one piece at this offset of guest memory. */
int vv_create_blob(struct vv *v, uint32_t id, uint64_t at, uint32_t size)
{
	struct {
		struct virtio_gpu_resource_create_blob create;
		struct virtio_gpu_mem_entry entry;
	} req = {
		.create.hdr.type = VIRTIO_GPU_CMD_RESOURCE_CREATE_BLOB,
		.create.resource_id = id,
		.create.blob_mem = VIRTIO_GPU_BLOB_MEM_GUEST,
		.create.blob_flags = VIRTIO_GPU_BLOB_FLAG_USE_SHAREABLE,
		.create.nr_entries = 1,
		.create.size = size,
		.entry.addr = VV_IOVA + at,
		.entry.length = size,
	};

	return simple(v, &req, sizeof(req));
}

int vv_unref(struct vv *v, uint32_t id)
{
	struct virtio_gpu_resource_unref req = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_UNREF,
		.resource_id = id,
	};

	return simple(v, &req, sizeof(req));
}

int vv_attach(struct vv *v, uint32_t id, uint64_t iova, uint32_t size)
{
	struct {
		struct virtio_gpu_resource_attach_backing attach;
		struct virtio_gpu_mem_entry entry;
	} req = {
		.attach.hdr.type = VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING,
		.attach.resource_id = id,
		.attach.nr_entries = 1,
		.entry.addr = iova,
		.entry.length = size,
	};

	return simple(v, &req, sizeof(req));
}

int vv_detach(struct vv *v, uint32_t id)
{
	struct virtio_gpu_resource_detach_backing req = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING,
		.resource_id = id,
	};

	return simple(v, &req, sizeof(req));
}

int vv_transfer(struct vv *v, uint32_t id, uint32_t x, uint32_t y,
		uint32_t width, uint32_t height, uint64_t offset)
{
	struct virtio_gpu_transfer_to_host_2d req = {
		.hdr.type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D,
		.r = { .x = x, .y = y, .width = width, .height = height },
		.offset = offset,
		.resource_id = id,
	};

	return simple(v, &req, sizeof(req));
}

int vv_scanout(struct vv *v, uint32_t head, uint32_t id, uint32_t x, uint32_t y,
	       uint32_t width, uint32_t height)
{
	struct virtio_gpu_set_scanout req = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.r = { .x = x, .y = y, .width = width, .height = height },
		.scanout_id = head,
		.resource_id = id,
	};

	return simple(v, &req, sizeof(req));
}

int vv_scanout_blob(struct vv *v, uint32_t head, uint32_t id, uint32_t width,
		    uint32_t height, uint32_t stride, uint32_t offset)
{
	struct virtio_gpu_set_scanout_blob req = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT_BLOB,
		.r = { .width = width, .height = height },
		.scanout_id = head,
		.resource_id = id,
		.width = width,
		.height = height,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.strides = { stride },
		.offsets = { offset },
	};

	return simple(v, &req, sizeof(req));
}

int vv_flush(struct vv *v, uint32_t id, uint32_t x, uint32_t y, uint32_t width,
	     uint32_t height)
{
	struct virtio_gpu_resource_flush req = {
		.hdr.type = VIRTIO_GPU_CMD_RESOURCE_FLUSH,
		.r = { .x = x, .y = y, .width = width, .height = height },
		.resource_id = id,
	};

	return simple(v, &req, sizeof(req));
}

/* On the cursor queue, with room for an answer, which Linux does not give. */
int vv_cursor(struct vv *v, uint32_t type, uint32_t head, uint32_t id,
	      uint32_t x, uint32_t y, uint32_t hot_x, uint32_t hot_y)
{
	struct virtio_gpu_update_cursor req = {
		.hdr.type = type,
		.pos = { .scanout_id = head, .x = x, .y = y },
		.resource_id = id,
		.hot_x = hot_x,
		.hot_y = hot_y,
	};
	int at = vv_submit(v, VV_CURSOR, &req, sizeof(req), 0, 0,
			   sizeof(struct virtio_gpu_ctrl_hdr));

	if (at < 0)
		return at;
	vv_kick(v, VV_CURSOR);
	return vv_wait(v, VV_CURSOR, at, v->timeout);
}

bool vv_well(struct vv *v)
{
	struct virtio_gpu_resp_display_info info;
	int start = vv_start(v, VV_LINUX);
	int ret = start ?: vv_display_info(v, &info);

	if (ret == VIRTIO_GPU_RESP_OK_DISPLAY_INFO && info.pmodes[0].enabled)
		return true;
	printf("# no %s: %d, status %#x, used %u\n",
	       start ? "reset" : "display info", ret, vv_status(v),
	       v->queues[VV_CONTROL].used->idx);
	return false;
}

bool vv_draws(struct vv *v)
{
	const uint32_t width = 64, height = 64, size = 4 * width * height;
	struct vfio_device_gfx_plane_info info;
	uint8_t *picture = v->mem + VV_FREE;
	uint8_t *seen = malloc(size);
	bool ok;

	ok = seen && vv_well(v);
	/* Until the reset what was sent before may still be answered, to there. */
	vt_fill(picture, size, 0x77);
	ok = ok &&
	     vv_create_2d(v, 7, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, width,
			  height) == VIRTIO_GPU_RESP_OK_NODATA &&
	     vv_attach(v, 7, vv_iova(v, picture), size) ==
	     VIRTIO_GPU_RESP_OK_NODATA &&
	     vv_transfer(v, 7, 0, 0, width, height, 0) ==
	     VIRTIO_GPU_RESP_OK_NODATA &&
	     vv_scanout(v, 0, 7, 0, 0, width, height) ==
	     VIRTIO_GPU_RESP_OK_NODATA &&
	     vv_flush(v, 7, 0, 0, width, height) == VIRTIO_GPU_RESP_OK_NODATA &&
	     !vt_plane(v->dev, &info) && info.width == width &&
	     info.height == height &&
	     vt_pread(v->dev, VGPU_REGION_CONSOLE, 0, seen, size) == size &&
	     vt_differs(seen, size, 0x77) == -1;
	free(seen);
	if (!ok)
		printf("# it does not draw\n");
	return ok && !vv_reset(v);
}
