/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fixture of two vGPUs, to migrate from one to the other, and checks that come
 * with it.  After kselftest_harness.h.
 */
#ifndef VGPU_PAIR_H
#define VGPU_PAIR_H

#include <errno.h>
#include <stdlib.h>

#include "lib/vgpu_migrate.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FB		(16 * VT_MIB)
#define PAGE		4096UL
#define NR_PAGES	(FB / PAGE)

/* The first one's framebuffer is mapped. */
#define VT_PAIR_FIXTURE(name)						\
FIXTURE(name)								\
{									\
	struct vt_gpu gpu;						\
	struct vt_dev src;						\
	struct vt_dev dst;						\
	uint32_t *fb;							\
	struct vt_stream stream;					\
};									\
									\
FIXTURE_SETUP(name)							\
{									\
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", "16Q,16B"));		\
	ASSERT_EQ(0, vt_start(&self->src, &self->gpu, "16Q"));		\
	ASSERT_EQ(0, vt_start(&self->dst, &self->gpu, "16Q"));		\
	self->fb = vt_mmap(&self->src, BAR0, 0, FB);			\
	ASSERT_NE(NULL, self->fb);					\
}									\
									\
FIXTURE_TEARDOWN(name)							\
{									\
	free(self->stream.data);					\
	munmap(self->fb, FB);						\
	vt_end(&self->src);						\
	vt_end(&self->dst);						\
	vt_gpu_del(&self->gpu);						\
}

/* Close the first one and open it again with these vgpu_params. */
static inline int vt_restart(struct vt_dev *dev, uint32_t **fb,
			     const char *params)
{
	int ret;

	munmap(*fb, FB);
	*fb = NULL;
	vt_close(dev);
	ret = vt_params(dev->uuid, params);
	if (!ret)
		ret = vt_open(dev, dev->uuid);
	if (!ret)
		*fb = vt_mmap(dev, BAR0, 0, FB);
	return ret ?: *fb ? 0 : -errno;
}

/* What a vGPU is after it was reset: nothing in it, and in use again. */
static inline void vt_check_clean(struct __test_metadata *_metadata,
				  struct vt_dev *dev)
{
	static uint32_t buf[65536 / 4];
	uint64_t pos;

	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vt_mig_state(dev));
	for (pos = 0; pos < FB; pos += sizeof(buf)) {
		ASSERT_EQ(sizeof(buf), vt_pread(dev, BAR0, pos, buf,
						sizeof(buf)));
		ASSERT_TRUE(vt_is_zero(buf, sizeof(buf)))
			TH_LOG("at %#llx", (unsigned long long)pos);
	}
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_HEAD(0) + VGPU_HEAD_STATUS));
	EXPECT_EQ(0, vt_dispi_get(dev, VGPU_DISPI_XRES));
	EXPECT_EQ(0, vt_mode(dev, 640, 480, 32));
	EXPECT_EQ(VGPU_HEAD_ON,
		  vt_reg_get(dev, VGPU_REG_HEAD(0) + VGPU_HEAD_STATUS));
}

static inline void vt_check_fb(struct __test_metadata *_metadata,
			       struct vt_dev *dev, uint32_t seed)
{
	void *buf = vt_read_fb(dev, FB);

	EXPECT_EQ(-1, vt_differs(buf, FB, seed));
	free(buf);
}

#endif /* VGPU_PAIR_H */
