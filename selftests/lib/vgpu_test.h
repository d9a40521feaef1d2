/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share: sysfs and configfs files, vGPUs, VFIO.
 *
 * Functions return 0 or a value on success and a negative errno on failure, so
 * that a test can ask for the exact one.
 */
#ifndef VGPU_TEST_H
#define VGPU_TEST_H

#include <linux/types.h>
#include <linux/vfio.h>
#include <linux/vgpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>

#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
/* Linux 6.19. */
#define VFIO_DEVICE_FEATURE_DMA_BUF	11

struct vfio_region_dma_range {
	__u64 offset;
	__u64 length;
};

struct vfio_device_feature_dma_buf {
	__u32 region_index;
	__u32 open_flags;
	__u32 flags;
	__u32 nr_ranges;
	struct vfio_region_dma_range dma_ranges[];
};
#endif

#define VT_PATH		512
#define VT_UUID		37
#define VT_MIB		(1024ULL * 1024)

/* Files; the path is a printf format. */
int vt_write(const char *text, const char *path, ...)
	__attribute__((format(printf, 2, 3)));
int vt_read(char *text, size_t size, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
long long vt_read_number(const char *path, ...)
	__attribute__((format(printf, 1, 2)));
bool vt_exists(const char *path, ...) __attribute__((format(printf, 1, 2)));

/* A line of /proc/meminfo in KiB, or -1. */
long long vt_meminfo(const char *name);
/* Bytes of events that wait in the sockets of udev and whoever else listens. */
long long vt_events(void);
/* Wait until memory is back with the kernel: events, RCU, caches. */
void vt_settle(void);
/* Whether the kernel finds leaks, be they ever so small, and is slow. */
bool vt_finds_leaks(void);

/* A file of the tests, by its path in the directory that has all of them. */
void vt_path(char path[VT_PATH], const char *name);
/*
 * Load a module for tests from the directory VGPU_TEST_MODULES, or from modules/
 * of the tests; an error is a reason to skip what needs it.
 */
int vt_insmod(const char *name);

/*
 * A GPU of a test's own, so that a test knows its size and shares it with
 * nobody: a software GPU made through configfs or, where the environment has the
 * address of one in VGPU_PGPU, that PCI device with that much of its memory.
 * @dir is its sysfs directory.  Without the module for that the test is skipped.
 */
struct vt_gpu {
	char name[64];
	char dir[VT_PATH];
};

/* The address of the PCI device that stands for all GPUs, or NULL. */
const char *vt_pgpu(void);
/* How large a GPU can be asked for: the PCI device's memory, else 4 GiB. */
unsigned long long vt_pgpu_mib(void);

int vt_gpu_add(struct vt_gpu *gpu, const char *vram_size, const char *types);
void vt_gpu_del(struct vt_gpu *gpu);

/* vGPUs. */
void vt_uuid(char uuid[VT_UUID]);
int vt_create(const struct vt_gpu *gpu, const char *type, const char *uuid);
int vt_remove(const char *uuid);
long long vt_available(const struct vt_gpu *gpu, const char *type);

/*
 * debugfs.  Mount it where it belongs unless it is there, with our directory; an
 * error in the memory, and the page frame, behind an offset of a vGPU, or an error
 * at an address of VRAM; how many lines of the list of pages with errors have that in
 * them, or -1; give a page of a vGPU other memory.
 */
#define VT_DEBUGFS	"/sys/kernel/debug"
int vt_debugfs(void);
int vt_inject(const struct vt_gpu *gpu, const char *kind, const char *uuid,
	      unsigned long offset);
long long vt_pfn(const struct vt_gpu *gpu, const char *uuid,
		 unsigned long offset);
int vt_bad_pages(const struct vt_gpu *gpu, const char *what);
int vt_move(const struct vt_gpu *gpu, const char *uuid, unsigned long page);

/*
 * A vGPU that is open through a container and its group, or through an iommufd, which is
 * @container then, with guest memory in @ioas.  @region tells where the standard regions
 * lie in the file, which other drivers arrange otherwise.
 */
struct vt_dev {
	char uuid[VT_UUID];
	int container;
	int group;
	int fd;
	uint32_t ioas;
	struct vfio_region_info region[VFIO_PCI_NUM_REGIONS];
};

/*
 * By UUID, or in a guest by the address of a PCI device bound to vfio-pci.
 * Memory space is on afterwards, as a guest's firmware leaves it.
 */
int vt_open(struct vt_dev *dev, const char *name);
/* The character device of a vGPU, /dev/vfio/devices/vfioN: a file descriptor. */
int vt_open_cdev(const char *uuid);
/* Part of vt_open(), for a device that was opened in another way. */
int vt_find_regions(struct vt_dev *dev);
int vt_memory(struct vt_dev *dev, bool on);
int vt_reset(struct vt_dev *dev);
void vt_close(struct vt_dev *dev);
/* Create a vGPU and open it; vt_end() closes and removes it. */
int vt_start(struct vt_dev *dev, const struct vt_gpu *gpu, const char *type);
void vt_end(struct vt_dev *dev);

#define VT_OFFSET(region, pos) ((uint64_t)(region) << 40 | (pos))
/* Where a position in a region is in the file, whoever the driver is. */
uint64_t vt_offset(const struct vt_dev *dev, unsigned int region, uint64_t pos);

/* Bytes moved or a negative errno. */
ssize_t vt_pread(struct vt_dev *dev, unsigned int region, uint64_t pos,
		 void *buf, size_t len);
ssize_t vt_pwrite(struct vt_dev *dev, unsigned int region, uint64_t pos,
		  const void *buf, size_t len);
/* An address or NULL with errno set. */
void *vt_mmap(struct vt_dev *dev, unsigned int region, uint64_t pos,
	      size_t len);

/* Registers; reads that fail return all ones.  vt_reg_* are those of BAR4. */
uint32_t vt_reg_get(struct vt_dev *dev, unsigned int reg);
void vt_reg_set(struct vt_dev *dev, unsigned int reg, uint32_t value);
uint16_t vt_dispi_get(struct vt_dev *dev, unsigned int reg);
int vt_dispi_set(struct vt_dev *dev, unsigned int reg, uint16_t value);
/* Set a mode as bochs-drm does. */
int vt_mode(struct vt_dev *dev, uint16_t width, uint16_t height, uint16_t bpp);

/*
 * Set a mode of 32 bits a pixel through BAR4; returns the head's status.
 */
uint32_t vt_head_mode(struct vt_dev *dev, unsigned int head, uint32_t width,
		      uint32_t height, uint64_t offset);
uint32_t vt_head_flip(struct vt_dev *dev, unsigned int head, uint64_t offset);
/* Wait until flips that wait for their frame have been carried out. */
int vt_flipped(struct vt_dev *dev, unsigned int head);

int vt_plane(struct vt_dev *dev, struct vfio_device_gfx_plane_info *info);
/* The dma-buf of the picture of head 0: a descriptor or a negative errno. */
int vt_dmabuf(struct vt_dev *dev);
/* Bytes of config space; all ones if they cannot be read. */
uint32_t vt_config_get(struct vt_dev *dev, unsigned int pos, size_t len);
int vt_config_set(struct vt_dev *dev, unsigned int pos, uint32_t value,
		  size_t len);
/* Position of a capability, or 0. */
unsigned int vt_cap(struct vt_dev *dev, uint8_t id);
/* What is in MSI-X message control, as a guest's driver does it: PCI_MSIX_FLAGS_*. */
int vt_msix(struct vt_dev *dev, uint16_t flags);
/*
 * VFIO_DEVICE_SET_IRQS for @count vectors from @start on, with an eventfd for each,
 * or without data where @fds is NULL; 0 or a negative errno.
 */
#define VT_EVENTFD_TRIGGER \
	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define VT_EVENTFD_UNMASK \
	(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK)
int vt_set_irqs(struct vt_dev *dev, uint32_t index, uint32_t flags,
		uint32_t start, uint32_t count, const int32_t *fds);
/*
 * A new eventfd for one vector of an interrupt: a descriptor or a negative
 * errno.  It does not block.  For one of MSI-X that is on afterwards.
 */
int vt_eventfd(struct vt_dev *dev, unsigned int index, unsigned int vector);

/* vgpu_params of a vGPU; in force after vt_open(). */
int vt_params(const char *uuid, const char *params);
/* Nanoseconds of a clock that only runs forward. */
uint64_t vt_now(void);

/* Fill with, and look for, a pattern that depends on seed and position. */
void vt_fill(void *buf, size_t len, uint32_t seed);
/* Offset of the first byte that differs, or -1. */
long long vt_differs(const void *buf, size_t len, uint32_t seed);
bool vt_is_zero(const void *buf, size_t len);
/* Whether reading there ends in SIGBUS. */
bool vt_faults(volatile uint8_t *p);
/* The signal that a child dies of that reads there, 0 if none, -1 if it cannot be. */
int vt_child_faults(volatile uint8_t *p);

#endif /* VGPU_TEST_H */
