/* SPDX-License-Identifier: GPL-2.0 */
/* A vGPU with a framebuffer that is mapped, and errors of its memory. */
#ifndef VGPU_ECC_H
#define VGPU_ECC_H

#include <string.h>

#include "kselftest_harness.h"
#include "lib/vgpu_load.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define VRAM		(64 * VT_MIB)
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define NR_PAGES	(FB / PAGE)

FIXTURE(ecc)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint32_t *fb;
	const char *address;
};

FIXTURE_SETUP(ecc)
{
	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q"));
	self->address = strrchr(self->gpu.dir, '/') + 1;
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, "16Q"));
	self->fb = vt_mmap(&self->dev, BAR0, 0, FB);
	ASSERT_NE(NULL, self->fb);
}

FIXTURE_TEARDOWN(ecc)
{
	munmap(self->fb, FB);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

typedef FIXTURE_DATA(ecc) ecc_data;

static inline long long ecc_get(ecc_data *self, const char *name)
{
	return vt_read_number("%s/ecc/%s", self->gpu.dir, name);
}

/* An error at an address of VRAM. */
static inline int error_at(ecc_data *self, const char *kind, uint64_t address)
{
	return vt_inject(&self->gpu, kind, NULL, address);
}

/* An error in a page of a vGPU's framebuffer. */
static inline int error_in(ecc_data *self, const char *kind,
			   const struct vt_dev *dev, unsigned long page)
{
	return vt_inject(&self->gpu, kind, dev->uuid, page * PAGE);
}

static inline int bad_pages(ecc_data *self, const char *what)
{
	return vt_bad_pages(&self->gpu, what);
}

#endif /* VGPU_ECC_H */
