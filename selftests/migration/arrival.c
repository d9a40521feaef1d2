// SPDX-License-Identifier: GPL-2.0
/* What arrives at the target besides content and registers, and what must not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_pair.h"

#define RECORDED	"unit/streams/1-64Q"
#define LINK(field)	offsetof(struct vfio_region_gfx_edid, field)

VT_PAIR_FIXTURE(arrival)

static bool arrived(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static int link_set(struct vt_dev *dev, unsigned int reg, uint32_t value)
{
	return vt_pwrite(dev, VGPU_REGION_EDID, reg, &value, 4) == 4 ? 0 : -EIO;
}

/* A VMM's monitor: the default one with another serial number. */
static int plug(struct vt_dev *dev, uint8_t edid[128])
{
	uint8_t sum = 0;
	int i;

	vt_pread(dev, VGPU_REGION_EDID, VGPU_REGION_EDID_BLOB, edid, 128);
	edid[12] = 0x42;
	for (i = 0; i < 127; i++)
		sum += edid[i];
	edid[127] = -sum;
	if (link_set(dev, LINK(link_state), VFIO_DEVICE_GFX_LINK_STATE_DOWN) ||
	    vt_pwrite(dev, VGPU_REGION_EDID, VGPU_REGION_EDID_BLOB, edid,
		      128) != 128)
		return -EIO;
	return link_set(dev, LINK(link_state), VFIO_DEVICE_GFX_LINK_STATE_UP);
}

/*
 * An event that nobody was told of before the source stopped: the target tells,
 * but not before it goes on.  Nothing else makes that event there.
 */
TEST_F(arrival, event)
{
	uint8_t edid[128], seen[128];
	int fd;

	/* What the guest has set comes with it, the VMM's eventfds do not. */
	ASSERT_EQ(0, vt_msix(&self->src, PCI_MSIX_FLAGS_ENABLE));
	vt_reg_set(&self->src, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	ASSERT_EQ(0, plug(&self->src, edid));
	ASSERT_EQ(1 << VGPU_IRQ_CONFIG, vt_reg_get(&self->src,
						   VGPU_REG_IRQ_STATUS));
	fd = vt_eventfd(&self->dst, VFIO_PCI_MSIX_IRQ_INDEX, VGPU_IRQ_CONFIG);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     4096));
	EXPECT_EQ(1 << VGPU_IRQ_CONFIG, vt_reg_get(&self->dst,
						   VGPU_REG_IRQ_STATUS));
	EXPECT_FALSE(arrived(fd, 100));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	EXPECT_TRUE(arrived(fd, 5000));

	/* What made it is there, too: for the guest, and for the next VMM. */
	vt_pread(&self->dst, VFIO_PCI_BAR2_REGION_INDEX, VGPU_BAR2_EDID, seen,
		 128);
	EXPECT_EQ(0, memcmp(edid, seen, 128));
	vt_pread(&self->dst, VGPU_REGION_EDID, VGPU_REGION_EDID_BLOB, seen,
		 128);
	EXPECT_EQ(0, memcmp(edid, seen, 128));
	close(fd);
}

/* One that waits because messages are off goes on waiting, and is not lost. */
TEST_F(arrival, waiting_event)
{
	uint8_t edid[128];
	int fd;

	ASSERT_EQ(0, vt_msix(&self->src, PCI_MSIX_FLAGS_ENABLE |
			     PCI_MSIX_FLAGS_MASKALL));
	vt_reg_set(&self->src, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	ASSERT_EQ(0, plug(&self->src, edid));
	fd = vt_eventfd(&self->dst, VFIO_PCI_MSIX_IRQ_INDEX, VGPU_IRQ_CONFIG);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     4096));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	EXPECT_FALSE(arrived(fd, 200));
	EXPECT_EQ(1 << VGPU_IRQ_CONFIG,
		  vt_reg_get(&self->dst, VGPU_BAR4_MSIX_PBA));
	ASSERT_EQ(0, vt_msix(&self->dst, PCI_MSIX_FLAGS_ENABLE));
	EXPECT_TRUE(arrived(fd, 5000));
	close(fd);
}

static bool current_params(struct vt_dev *dev, const char *what)
{
	char text[4096], *end;

	if (vt_read(text, sizeof(text),
		    "/sys/bus/mdev/devices/%s/vgpu/vgpu_params", dev->uuid))
		return false;
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	return strstr(text, what);
}

static uint32_t limit(struct vt_dev *dev)
{
	return vt_reg_get(dev, VGPU_REG_HEAD(0) + VGPU_HEAD_FRAME_LIMIT);
}

/*
 * Settings are those of the target or, where the source's are, stricter.  Which
 * console there is the target's VMM has found out.
 */
TEST_F(arrival, params)
{
	char uuid[VT_UUID];

	ASSERT_EQ(0, vt_restart(&self->src, &self->fb,
				"frame_rate_limiter=0,disable_vnc=1,console=dmabuf"));
	EXPECT_EQ(0, limit(&self->src));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     4096));
	EXPECT_EQ(60, limit(&self->dst));
	EXPECT_TRUE(current_params(&self->dst,
				   "frame_rate_limiter=1,disable_vnc=1,console=region"));

	/* Where both administrators lift the limit there is none. */
	strcpy(uuid, self->dst.uuid);
	vt_close(&self->dst);
	ASSERT_EQ(0, vt_params(uuid, "frame_rate_limiter=0"));
	ASSERT_EQ(0, vt_open(&self->dst, uuid));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     4096));
	EXPECT_EQ(0, limit(&self->dst));
	EXPECT_TRUE(current_params(&self->dst,
				   "frame_rate_limiter=0,disable_vnc=1,console=region"));
}

/* The body of the only record with a tag, or NULL. */
static uint32_t *record(struct vt_stream *s, uint32_t tag)
{
	char *at = s->data, *end = s->data + s->len;
	uint32_t head[4];

	for (; at < end; at += 16 + head[2]) {
		memcpy(head, at, 16);
		if (head[0] == tag)
			return (uint32_t *)(at + 16);
	}
	return NULL;
}

/* A VMM writes to itself a stream with other settings than it has been given. */
TEST_F(arrival, params_edited)
{
	static const char set[] =
		"frame_rate_limiter=1,disable_vnc=1,console=region";
	struct vfio_device_gfx_plane_info info;
	struct vt_dev *dev = &self->src;
	uint32_t params[2] = { }, *at;

	ASSERT_EQ(0, vt_restart(dev, &self->fb, "disable_vnc=1"));
	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	ASSERT_EQ(0, vt_save(dev, &self->stream));
	at = record(&self->stream, 8);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(1, at[0]);
	EXPECT_EQ(1, at[1]);
	memcpy(at, params, sizeof(params));
	ASSERT_EQ(0, vt_load(dev, self->stream.data, self->stream.len, 4096));
	ASSERT_EQ(0, vt_mig_set(dev, VFIO_DEVICE_STATE_RUNNING, NULL));
	EXPECT_TRUE(current_params(dev, set));
	EXPECT_EQ(60, limit(dev));
	EXPECT_EQ(60, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/frame_rate_limit",
				     dev->uuid));
	EXPECT_EQ(640, vt_dispi_get(dev, VGPU_DISPI_XRES));
	ASSERT_EQ(0, vt_plane(dev, &info));
	EXPECT_EQ(0, info.drm_format);
}

/* What version 1 has recorded becomes a vGPU; selftests/unit made it. */
TEST_F(arrival, recorded)
{
	struct vt_stream *s = &self->stream;
	char path[VT_PATH];
	struct vt_gpu gpu;
	struct vt_dev dev;
	uint8_t *fb;
	int fd, i;

	vt_path(path, RECORDED);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		SKIP(return, "no " RECORDED);
	ASSERT_EQ(0, vt_drain(fd, s));
	close(fd);
	if (vt_pgpu())
		SKIP(return, "the pair's GPU is the only one");
	ASSERT_EQ(0, vt_gpu_add(&gpu, "64M", "64Q"));
	ASSERT_EQ(0, vt_start(&dev, &gpu, "64Q"));
	ASSERT_EQ(0, vt_load(&dev, s->data, s->len, 4096));
	EXPECT_EQ(640, vt_dispi_get(&dev, VGPU_DISPI_XRES));
	EXPECT_EQ(480, vt_dispi_get(&dev, VGPU_DISPI_YRES));
	EXPECT_EQ(16, vt_dispi_get(&dev, VGPU_DISPI_BPP));
	EXPECT_TRUE(current_params(&dev, "disable_vnc=1"));
	fb = vt_read_fb(&dev, 4 * PAGE);
	EXPECT_TRUE(vt_is_zero(fb, PAGE));
	EXPECT_TRUE(vt_is_zero(fb + 2 * PAGE, 2 * PAGE));
	for (i = 0; i < (int)PAGE; i++)
		ASSERT_EQ((uint8_t)(i * 7), fb[PAGE + i]);
	free(fb);
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_RUNNING, NULL));
	vt_end(&dev);
	vt_gpu_del(&gpu);
}

/* Bad pages stay where they are, on either side. */
TEST_F(arrival, retired_pages)
{
	long long before = vt_read_number("%s/ecc/retired_pages",
					  self->gpu.dir);
	unsigned int i;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	vt_fill(self->fb, FB, 12);
	ASSERT_EQ(VGPU_ECC_ON, vt_reg_get(&self->src, VGPU_REG_ECC_STATUS));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->src.uuid,
				       7 * PAGE));
		ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->dst.uuid,
				       9 * PAGE));
		ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->dst.uuid, 0));
	}
	ASSERT_LE(0, before);
	EXPECT_EQ(before + 3, vt_read_number("%s/ecc/retired_pages",
					     self->gpu.dir));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     100000));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	vt_check_fb(_metadata, &self->src, 12);
	vt_check_fb(_metadata, &self->dst, 12);
	EXPECT_EQ(before + 3, vt_read_number("%s/ecc/retired_pages",
					     self->gpu.dir));
	/* The guest's counts came with it. */
	EXPECT_EQ(2, vt_reg_get(&self->dst, VGPU_REG_ECC_SBE));
	EXPECT_EQ(0, vt_reg_get(&self->dst, VGPU_REG_ECC_DBE));
}

/*
 * The guest was told of a double-bit error, and stays so.  The page has what the
 * memory gives for it; only one that cannot be read any more is zero.
 */
TEST_F(arrival, double_bit_error)
{
	if (vt_debugfs())
		SKIP(return, "no debugfs");
	vt_fill(self->fb, FB, 32);
	ASSERT_EQ(0, vt_inject(&self->gpu, "dbe", self->src.uuid, 5 * PAGE));
	ASSERT_EQ(1, vt_reg_get(&self->src, VGPU_REG_ECC_DBE));
	EXPECT_EQ(0, vt_reg_get(&self->dst, VGPU_REG_ECC_DBE));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     100000));
	EXPECT_EQ(1, vt_reg_get(&self->dst, VGPU_REG_ECC_DBE));
	EXPECT_EQ(5, vt_reg_get(&self->dst, VGPU_REG_ECC_PAGE));
	EXPECT_EQ(VGPU_ECC_ON | VGPU_ECC_ERROR,
		  vt_reg_get(&self->dst, VGPU_REG_ECC_STATUS));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
}

/* A guest that is told of errors stays where it is told. */
TEST_F(arrival, ecc_off)
{
	struct vt_gpu off;
	struct vt_dev dev;

	if (vt_pgpu())
		SKIP(return, "there is one GPU");
	ASSERT_EQ(0, vt_gpu_add(&off, "64M", "16Q"));
	ASSERT_EQ(0, vt_write("0", "%s/ecc/enabled_pending", off.dir));
	ASSERT_EQ(0, vt_write("1", "%s/ecc/reset", off.dir));
	ASSERT_EQ(0, vt_start(&dev, &off, "16Q"));
	ASSERT_EQ(0, vt_reg_get(&dev, VGPU_REG_ECC_STATUS));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	EXPECT_EQ(-ENODEV, vt_load(&dev, self->stream.data, self->stream.len,
				   4096));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&dev));
	/* The other way it may go, and then is told. */
	ASSERT_EQ(0, vt_reset(&dev));
	ASSERT_EQ(0, vt_save(&dev, &self->stream));
	EXPECT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     4096));
	EXPECT_EQ(VGPU_ECC_ON, vt_reg_get(&self->dst, VGPU_REG_ECC_STATUS));
	vt_end(&dev);
	vt_gpu_del(&off);
}

/* Memory of the target that fails while it is written. */
TEST_F(arrival, target_fails)
{
	int fd;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, vt_inject(&self->gpu, "dbe", self->dst.uuid, 7 * PAGE));
	EXPECT_EQ(self->stream.len,
		  write(fd, self->stream.data, self->stream.len));
	EXPECT_EQ(-EIO, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_ERROR, vt_mig_state(&self->dst));
	close(fd);
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);

	/* It is noticed also when what was there before did not want to know. */
	vt_reg_set(&self->dst, VGPU_REG_ECC_CONTROL, VGPU_ECC_OPT_OUT);
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	EXPECT_EQ(self->stream.len,
		  write(fd, self->stream.data, self->stream.len));
	ASSERT_EQ(0, vt_inject(&self->gpu, "dbe", self->dst.uuid, 9 * PAGE));
	EXPECT_EQ(-EIO, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	close(fd);
	ASSERT_EQ(0, vt_reset(&self->dst));
	vt_check_clean(_metadata, &self->dst);
}

/* Errors that were corrected there meanwhile are counted with the guest's own. */
TEST_F(arrival, target_corrects)
{
	int fd;

	if (vt_debugfs())
		SKIP(return, "no debugfs");
	ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->src.uuid, 3 * PAGE));
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	/* Not those of the guest that was there before. */
	ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->dst.uuid, 5 * PAGE));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING, &fd));
	ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->dst.uuid, 7 * PAGE));
	EXPECT_EQ(self->stream.len,
		  write(fd, self->stream.data, self->stream.len));
	ASSERT_EQ(0, vt_inject(&self->gpu, "sbe", self->dst.uuid, 8 * PAGE));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_STOP, NULL));
	close(fd);
	EXPECT_EQ(3, vt_reg_get(&self->dst, VGPU_REG_ECC_SBE));
	EXPECT_EQ(0, vt_reg_get(&self->dst, VGPU_REG_ECC_DBE));
}

TEST_HARNESS_MAIN
