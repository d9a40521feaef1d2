// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/pci_regs.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

#define PCI		"/sys/bus/pci/devices"
#define MDEV		"/sys/bus/mdev/devices"

static int vt_open_file(int flags, const char *path, va_list args)
{
	char full[VT_PATH];
	int fd;

	vsnprintf(full, sizeof(full), path, args);
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vt_write(const char *text, const char *path, ...)
{
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, path);
	fd = vt_open_file(O_WRONLY, path, args);
	va_end(args);
	if (fd < 0)
		return fd;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : n == (ssize_t)strlen(text) ? 0 : -EIO;
	close(fd);
	return n;
}

static int vt_vread(char *text, size_t size, const char *path, va_list args)
{
	ssize_t n;
	int fd;

	fd = vt_open_file(O_RDONLY, path, args);
	if (fd < 0)
		return fd;
	n = read(fd, text, size - 1);
	n = n < 0 ? -errno : n;
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return n < 0 ? n : 0;
}

int vt_read(char *text, size_t size, const char *path, ...)
{
	va_list args;
	int ret;

	va_start(args, path);
	ret = vt_vread(text, size, path, args);
	va_end(args);
	return ret;
}

long long vt_read_number(const char *path, ...)
{
	char text[64];
	va_list args;
	int ret;

	va_start(args, path);
	ret = vt_vread(text, sizeof(text), path, args);
	va_end(args);
	return ret ? ret : strtoll(text, NULL, 0);
}

bool vt_exists(const char *path, ...)
{
	char full[VT_PATH];
	va_list args;

	va_start(args, path);
	vsnprintf(full, sizeof(full), path, args);
	va_end(args);
	return !access(full, F_OK);
}

bool vt_finds_leaks(void)
{
	return vt_exists("/sys/kernel/debug/kmemleak");
}

long long vt_meminfo(const char *name)
{
	char line[128];
	long long kib = -1;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoll(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

/* Some always wait, in the socket of a listener that looks rarely. */
#define EVENTS_FEW 65536

long long vt_events(void)
{
	long long sum = 0, rmem;
	char line[256];
	int protocol;
	FILE *file;

	file = fopen("/proc/net/netlink", "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %d %*s %*s %lld", &protocol, &rmem) == 2 &&
		    protocol == 15)
			sum += rmem;
	if (file)
		fclose(file);
	return sum;
}

/*
 * Let the listeners work off the events, which wait in kernel memory, let RCU
 * finish and drop the caches, which are not ours, until the slab stops
 * shrinking.
 */
void vt_settle(void)
{
	long long slab = 0, last;
	int i;

	for (i = 0; i < 600 && vt_events() > EVENTS_FEW; i++)
		usleep(500000);
	for (i = 0; i < 20; i++) {
		last = slab;
		sync();
		vt_write("3", "/proc/sys/vm/drop_caches");
		usleep(700000);
		slab = vt_meminfo("Slab");
		if (i > 2 && llabs(slab - last) < 64)
			break;
	}
}

void vt_uuid(char uuid[VT_UUID])
{
	if (vt_read(uuid, VT_UUID, "/proc/sys/kernel/random/uuid"))
		abort();
}

int vt_create(const struct vt_gpu *gpu, const char *type, const char *uuid)
{
	return vt_write(uuid, "%s/mdev_supported_types/vgpu-%s/create",
			gpu->dir, type);
}

int vt_remove(const char *uuid)
{
	return vt_write("1", MDEV "/%s/remove", uuid);
}

long long vt_available(const struct vt_gpu *gpu, const char *type)
{
	return vt_read_number("%s/mdev_supported_types/vgpu-%s/available_instances",
			      gpu->dir, type);
}

int vt_find_regions(struct vt_dev *dev)
{
	unsigned int i;

	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		dev->region[i] = (struct vfio_region_info){
			.argsz = sizeof(dev->region[i]),
			.index = i,
		};
		/* Not every device has every region; VGA's is rare. */
		if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO,
			  &dev->region[i]) &&
		    i == VFIO_PCI_CONFIG_REGION_INDEX)
			return -errno;
	}
	return 0;
}

int vt_open(struct vt_dev *dev, const char *name)
{
	char path[VT_PATH], link[VT_PATH];
	int ret = 0;
	ssize_t n;

	/* The name may be the one in @dev. */
	if (name != dev->uuid)
		snprintf(dev->uuid, VT_UUID, "%s", name);
	dev->fd = -1;
	dev->group = -1;
	dev->container = -1;
	dev->ioas = 0;
	snprintf(path, sizeof(path), MDEV "/%s/iommu_group", dev->uuid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0) {
		snprintf(path, sizeof(path), PCI "/%s/iommu_group", dev->uuid);
		n = readlink(path, link, sizeof(link) - 1);
	}
	if (n < 0)
		return -errno;
	link[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(link));

	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->container < 0 || dev->group < 0 ||
	    ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container) ||
	    ioctl(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		ret = -errno;
	if (!ret) {
		dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD,
				dev->uuid);
		if (dev->fd < 0)
			ret = -errno;
	}
	if (!ret)
		ret = vt_find_regions(dev);
	if (!ret)
		ret = vt_memory(dev, true);
	if (ret)
		vt_close(dev);
	return ret;
}

uint32_t vt_config_get(struct vt_dev *dev, unsigned int pos, size_t len)
{
	uint32_t value = 0;

	return vt_pread(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, &value, len) ==
	       (ssize_t)len ? value : ~0u;
}

int vt_config_set(struct vt_dev *dev, unsigned int pos, uint32_t value,
		  size_t len)
{
	ssize_t n = vt_pwrite(dev, VFIO_PCI_CONFIG_REGION_INDEX, pos, &value,
			      len);

	return n == (ssize_t)len ? 0 : n < 0 ? n : -EIO;
}

unsigned int vt_cap(struct vt_dev *dev, uint8_t id)
{
	unsigned int pos, n;

	if (!(vt_config_get(dev, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	pos = vt_config_get(dev, PCI_CAPABILITY_LIST, 1);
	for (n = 0; pos && n < 48; n++) {
		if (vt_config_get(dev, pos, 1) == id)
			return pos;
		pos = vt_config_get(dev, pos + 1, 1);
	}
	return 0;
}

int vt_msix(struct vt_dev *dev, uint16_t flags)
{
	unsigned int pos = vt_cap(dev, PCI_CAP_ID_MSIX);

	return pos ? vt_config_set(dev, pos + PCI_MSIX_FLAGS, flags, 2) :
		     -ENOENT;
}

int vt_memory(struct vt_dev *dev, bool on)
{
	return vt_config_set(dev, PCI_COMMAND,
			     on ? PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER : 0,
			     2);
}

int vt_reset(struct vt_dev *dev)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET) ? -errno :
	       vt_memory(dev, true);
}

void vt_close(struct vt_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	dev->fd = -1;
	dev->group = -1;
	dev->container = -1;
}

int vt_open_cdev(const char *uuid)
{
	char path[VT_PATH], node[VT_PATH + 32];
	struct dirent *entry;
	int fd = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/vfio-dev", uuid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(node, sizeof(node), "/dev/vfio/devices/%s",
			 entry->d_name);
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	closedir(dir);
	return fd;
}

int vt_start(struct vt_dev *dev, const struct vt_gpu *gpu, const char *type)
{
	char uuid[VT_UUID];
	int ret;

	vt_uuid(uuid);
	ret = vt_create(gpu, type, uuid);
	if (ret)
		return ret;
	ret = vt_open(dev, uuid);
	if (ret)
		vt_remove(uuid);
	return ret;
}

void vt_end(struct vt_dev *dev)
{
	int ret;

	vt_close(dev);
	ret = vt_remove(dev->uuid);
	/* A test may have removed it itself. */
	if (ret && ret != -ENOENT)
		fprintf(stderr, "# removing a vGPU: %s\n", strerror(-ret));
}

uint64_t vt_offset(const struct vt_dev *dev, unsigned int region, uint64_t pos)
{
	return region < VFIO_PCI_NUM_REGIONS ?
	       dev->region[region].offset + pos : VT_OFFSET(region, pos);
}

ssize_t vt_pread(struct vt_dev *dev, unsigned int region, uint64_t pos,
		 void *buf, size_t len)
{
	ssize_t n = pread(dev->fd, buf, len, vt_offset(dev, region, pos));

	return n < 0 ? -errno : n;
}

ssize_t vt_pwrite(struct vt_dev *dev, unsigned int region, uint64_t pos,
		  const void *buf, size_t len)
{
	ssize_t n = pwrite(dev->fd, buf, len, vt_offset(dev, region, pos));

	return n < 0 ? -errno : n;
}

void *vt_mmap(struct vt_dev *dev, unsigned int region, uint64_t pos, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
		       vt_offset(dev, region, pos));

	return p == MAP_FAILED ? NULL : p;
}

uint16_t vt_dispi_get(struct vt_dev *dev, unsigned int reg)
{
	uint16_t value = 0xffff;

	vt_pread(dev, VFIO_PCI_BAR2_REGION_INDEX, VGPU_BAR2_DISPI + 2 * reg,
		 &value, sizeof(value));
	return value;
}

int vt_dispi_set(struct vt_dev *dev, unsigned int reg, uint16_t value)
{
	ssize_t n = vt_pwrite(dev, VFIO_PCI_BAR2_REGION_INDEX,
			      VGPU_BAR2_DISPI + 2 * reg, &value, sizeof(value));

	return n == sizeof(value) ? 0 : n < 0 ? n : -EIO;
}

int vt_mode(struct vt_dev *dev, uint16_t width, uint16_t height, uint16_t bpp)
{
	const uint16_t mode[][2] = {
		{ VGPU_DISPI_ENABLE, 0 },
		{ VGPU_DISPI_BPP, bpp },
		{ VGPU_DISPI_XRES, width },
		{ VGPU_DISPI_YRES, height },
		{ VGPU_DISPI_BANK, 0 },
		{ VGPU_DISPI_VIRT_WIDTH, width },
		{ VGPU_DISPI_VIRT_HEIGHT, height },
		{ VGPU_DISPI_X_OFFSET, 0 },
		{ VGPU_DISPI_Y_OFFSET, 0 },
		{ VGPU_DISPI_ENABLE, VGPU_DISPI_ENABLED | VGPU_DISPI_LFB },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < sizeof(mode) / sizeof(mode[0]) && !ret; i++)
		ret = vt_dispi_set(dev, mode[i][0], mode[i][1]);
	return ret;
}

uint32_t vt_reg_get(struct vt_dev *dev, unsigned int reg)
{
	uint32_t value = ~0u;

	vt_pread(dev, VFIO_PCI_BAR4_REGION_INDEX, reg, &value, sizeof(value));
	return value;
}

void vt_reg_set(struct vt_dev *dev, unsigned int reg, uint32_t value)
{
	vt_pwrite(dev, VFIO_PCI_BAR4_REGION_INDEX, reg, &value, sizeof(value));
}

static uint32_t vt_head_commit(struct vt_dev *dev, unsigned int head,
			       uint64_t offset, uint32_t what)
{
	unsigned int base = VGPU_REG_HEAD(head);

	vt_reg_set(dev, base + VGPU_HEAD_SET_OFFSET_LO, offset);
	vt_reg_set(dev, base + VGPU_HEAD_SET_OFFSET_HI, offset >> 32);
	vt_reg_set(dev, base + VGPU_HEAD_COMMIT, what);
	return vt_reg_get(dev, base + VGPU_HEAD_STATUS);
}

uint32_t vt_head_mode(struct vt_dev *dev, unsigned int head, uint32_t width,
		      uint32_t height, uint64_t offset)
{
	unsigned int base = VGPU_REG_HEAD(head);

	vt_reg_set(dev, base + VGPU_HEAD_SET_WIDTH, width);
	vt_reg_set(dev, base + VGPU_HEAD_SET_HEIGHT, height);
	vt_reg_set(dev, base + VGPU_HEAD_SET_PITCH, width * 4);
	vt_reg_set(dev, base + VGPU_HEAD_SET_FORMAT, 'X' | 'R' << 8 |
		   '2' << 16 | '4' << 24);
	return vt_head_commit(dev, head, offset, VGPU_COMMIT_MODE);
}

uint32_t vt_head_flip(struct vt_dev *dev, unsigned int head, uint64_t offset)
{
	return vt_head_commit(dev, head, offset, VGPU_COMMIT_FLIP);
}

int vt_flipped(struct vt_dev *dev, unsigned int head)
{
	unsigned int reg = VGPU_REG_HEAD(head) + VGPU_HEAD_STATUS, i;

	for (i = 0; i < 5000; i++) {
		if (!(vt_reg_get(dev, reg) & VGPU_HEAD_FLIP_PENDING))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

int vt_params(const char *uuid, const char *params)
{
	return vt_write(params, MDEV "/%s/vgpu/vgpu_params", uuid);
}

uint64_t vt_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int vt_plane(struct vt_dev *dev, struct vfio_device_gfx_plane_info *info)
{
	*info = (struct vfio_device_gfx_plane_info){
		.argsz = sizeof(*info),
		.flags = VFIO_GFX_PLANE_TYPE_REGION,
	};
	return ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, info) ? -errno : 0;
}

int vt_dmabuf(struct vt_dev *dev)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_GFX_PLANE_TYPE_DMABUF,
		.drm_plane_type = 1,
	};
	int fd;

	if (ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info))
		return -errno;
	fd = ioctl(dev->fd, VFIO_DEVICE_GET_GFX_DMABUF, &info.dmabuf_id);
	return fd < 0 ? -errno : fd;
}

int vt_set_irqs(struct vt_dev *dev, uint32_t index, uint32_t flags,
		uint32_t start, uint32_t count, const int32_t *fds)
{
	size_t size = fds ? count * sizeof(*fds) : 0;
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + size);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = sizeof(*set) + size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (size)
		memcpy(set->data, fds, size);
	ret = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
	free(set);
	return ret;
}

int vt_eventfd(struct vt_dev *dev, unsigned int index, unsigned int vector)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int ret;

	if (fd < 0)
		return -errno;
	ret = vt_set_irqs(dev, index, VT_EVENTFD_TRIGGER, vector, 1, &fd);
	if (!ret && index == VFIO_PCI_MSIX_IRQ_INDEX)
		ret = vt_msix(dev, PCI_MSIX_FLAGS_ENABLE);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}
