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

/*
 * A software GPU of a test's own, made through configfs, so that a test knows
 * its size and shares it with nobody.  @dir is its sysfs directory.
 */
struct vt_gpu {
	char name[64];
	char dir[VT_PATH];
};

int vt_gpu_add(struct vt_gpu *gpu, const char *vram_size, const char *types);
void vt_gpu_del(struct vt_gpu *gpu);

/* vGPUs. */
void vt_uuid(char uuid[VT_UUID]);
int vt_create(const struct vt_gpu *gpu, const char *type, const char *uuid);
int vt_remove(const char *uuid);
long long vt_available(const struct vt_gpu *gpu, const char *type);

/* A vGPU that is open through a container and its group. */
struct vt_dev {
	char uuid[VT_UUID];
	int container;
	int group;
	int fd;
};

/* Memory space is on afterwards, as a guest's firmware leaves it. */
int vt_open(struct vt_dev *dev, const char *uuid);
int vt_memory(struct vt_dev *dev, bool on);
int vt_reset(struct vt_dev *dev);
void vt_close(struct vt_dev *dev);
/* Create a vGPU and open it; vt_end() closes and removes it. */
int vt_start(struct vt_dev *dev, const struct vt_gpu *gpu, const char *type);
void vt_end(struct vt_dev *dev);

#define VT_OFFSET(region, pos) ((uint64_t)(region) << 40 | (pos))

/* Bytes moved or a negative errno. */
ssize_t vt_pread(struct vt_dev *dev, unsigned int region, uint64_t pos,
		 void *buf, size_t len);
ssize_t vt_pwrite(struct vt_dev *dev, unsigned int region, uint64_t pos,
		  const void *buf, size_t len);
/* An address or NULL with errno set. */
void *vt_mmap(struct vt_dev *dev, unsigned int region, uint64_t pos,
	      size_t len);

/* Registers; reads that fail return all ones. */
uint16_t vt_dispi_get(struct vt_dev *dev, unsigned int reg);
int vt_dispi_set(struct vt_dev *dev, unsigned int reg, uint16_t value);
/* Set a mode as bochs-drm does. */
int vt_mode(struct vt_dev *dev, uint16_t width, uint16_t height, uint16_t bpp);

int vt_plane(struct vt_dev *dev, struct vfio_device_gfx_plane_info *info);

/* Fill with, and look for, a pattern that depends on seed and position. */
void vt_fill(void *buf, size_t len, uint32_t seed);
/* Offset of the first byte that differs, or -1. */
long long vt_differs(const void *buf, size_t len, uint32_t seed);
bool vt_is_zero(const void *buf, size_t len);

#endif /* VGPU_TEST_H */
