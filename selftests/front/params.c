// SPDX-License-Identifier: GPL-2.0
/* vgpu_params: what is taken, when it is in force, what it does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define DEFAULTS "frame_rate_limiter=1,disable_vnc=0,console=region"

FIXTURE(params)
{
	struct vt_gpu gpu;
	char uuid[VT_UUID];
	char text[4096];
};

FIXTURE_SETUP(params)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", NULL));
	vt_uuid(self->uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "16Q", self->uuid));
}

FIXTURE_TEARDOWN(params)
{
	vt_remove(self->uuid);
	vt_gpu_del(&self->gpu);
}

static void reads(struct __test_metadata *_metadata,
		  FIXTURE_DATA(params) *self, const char *now, const char *next)
{
	char want[1024];

	snprintf(want, sizeof(want), "current: %s\npending: %s\n", now, next);
	ASSERT_EQ(0, vt_read(self->text, sizeof(self->text),
			     "/sys/bus/mdev/devices/%s/vgpu/vgpu_params",
			     self->uuid));
	EXPECT_STREQ(want, self->text);
}

TEST_F(params, next_start)
{
	struct vt_dev dev;

	reads(_metadata, self, DEFAULTS, DEFAULTS);
	ASSERT_EQ(0, vt_params(self->uuid, "disable_vnc=1\n"));
	reads(_metadata, self, DEFAULTS,
	      "frame_rate_limiter=1,disable_vnc=1,console=region");
	ASSERT_EQ(0, vt_open(&dev, self->uuid));
	reads(_metadata, self,
	      "frame_rate_limiter=1,disable_vnc=1,console=region",
	      "frame_rate_limiter=1,disable_vnc=1,console=region");
	/* Another write replaces all of it; a VM that runs keeps what it has. */
	ASSERT_EQ(0, vt_params(self->uuid, "console=dmabuf,frame_rate_limiter=0"));
	reads(_metadata, self,
	      "frame_rate_limiter=1,disable_vnc=1,console=region",
	      "frame_rate_limiter=0,disable_vnc=0,console=dmabuf");
	/* Not with a reset of the VM either. */
	ASSERT_EQ(0, vt_reset(&dev));
	EXPECT_EQ(60, vt_reg_get(&dev, VGPU_REG_HEAD(0) +
				 VGPU_HEAD_FRAME_LIMIT));
	vt_close(&dev);
	ASSERT_EQ(0, vt_open(&dev, self->uuid));
	EXPECT_EQ(0, vt_reg_get(&dev, VGPU_REG_HEAD(0) +
				VGPU_HEAD_FRAME_LIMIT));
	vt_close(&dev);
	ASSERT_EQ(0, vt_params(self->uuid, " "));
	ASSERT_EQ(0, vt_open(&dev, self->uuid));
	reads(_metadata, self, DEFAULTS, DEFAULTS);
	vt_close(&dev);
}

/* As scripts for another driver write it. */
TEST_F(params, other_name)
{
	ASSERT_EQ(0, vt_write("frame_rate_limiter=0",
			      "/sys/bus/mdev/devices/%s/nvidia/vgpu_params",
			      self->uuid));
	reads(_metadata, self, DEFAULTS,
	      "frame_rate_limiter=0,disable_vnc=0,console=region");
}

/* The kernel's log from now on, read by said(). */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

static bool said(int fd, const char *what)
{
	char line[2048];
	ssize_t n;

	while ((n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (strstr(line, what))
			return true;
	}
	return false;
}

TEST_F(params, refused)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "nonsense=1", "\"nonsense=1\": unknown key" },
		{ "disable_vnc=1,frame_rate_limit=0",
		  "\"frame_rate_limit=0\": unknown key" },
		{ "disable_vnc=2", "\"disable_vnc=2\": bad value" },
		{ "disable_vnc=", "\"disable_vnc=\": bad value" },
		{ "disable_vnc", "\"disable_vnc\": no value" },
		{ "console=vnc,disable_vnc=1", "\"console=vnc\": bad value" },
		{ "console=region,console=dmabuf",
		  "\"console=dmabuf\": key given twice" },
		{ "disable_vnc=1,", "\"\": unknown key" },
		{ "\n", "\"\": unknown key" },
		{ "disable_vnc=1, console = vnc ,x=1",
		  "\"console = vnc\": bad value" },
		{ "enable_uvm=2", "\"enable_uvm=2\": bad value" },
		{ "resolution=1920x", "\"resolution=1920x\": bad value" },
		{ "resolution=320x200",
		  "\"resolution=320x200\": smaller than 640x480" },
		{ "disable_vnc=1,resolution=1920x1201",
		  "\"resolution=1920x1201\": larger than the type allows" },
	};
	char text[1026];
	int fd = log_open();
	unsigned int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vt_params(self->uuid, "disable_vnc=1"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-EINVAL, vt_params(self->uuid, bad[i].text))
			TH_LOG("\"%s\"", bad[i].text);
		EXPECT_TRUE(said(fd, bad[i].said))
			TH_LOG("not in the log: %s", bad[i].said);
	}
	memset(text, 'x', 1025);
	text[1025] = '\0';
	EXPECT_EQ(-EINVAL, vt_params(self->uuid, text));
	EXPECT_TRUE(said(fd, "too long"));
	text[1024] = '\0';
	EXPECT_EQ(-EINVAL, vt_params(self->uuid, text));
	EXPECT_TRUE(said(fd, "unknown key"));
	/* Nothing was lost. */
	reads(_metadata, self, DEFAULTS,
	      "frame_rate_limiter=1,disable_vnc=1,console=region");
	close(fd);
}

/* As people write it, and with what another driver has besides. */
TEST_F(params, taken)
{
	int fd = log_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, vt_params(self->uuid,
			       " frame_rate_limiter = 0, disable_vnc=1 ,console =dmabuf \n"));
	reads(_metadata, self, DEFAULTS,
	      "frame_rate_limiter=0,disable_vnc=1,console=dmabuf");
	EXPECT_FALSE(said(fd, "no effect"));
	ASSERT_EQ(0, vt_params(self->uuid,
			       "enable_uvm=1,disable_vnc=1,enable_debugging=0,enable_profiling=1"));
	reads(_metadata, self, DEFAULTS,
	      "frame_rate_limiter=1,disable_vnc=1,console=region");
	/* In one line. */
	EXPECT_TRUE(said(fd, "have no effect here"));
	EXPECT_FALSE(said(fd, "have no effect here"));
	close(fd);
}

/* The first detailed timing in an EDID is what the monitor prefers. */
static void prefers(struct __test_metadata *_metadata, struct vt_dev *dev,
		    unsigned int width, unsigned int height)
{
	const unsigned int head1 = VGPU_REG_HEAD(1);
	uint8_t edid[128];
	unsigned int i;

	vt_pread(dev, VFIO_PCI_BAR2_REGION_INDEX, VGPU_BAR2_EDID, edid, 128);
	EXPECT_EQ(width, edid[56] | (edid[58] >> 4) << 8);
	EXPECT_EQ(height, edid[59] | (edid[61] >> 4) << 8);
	/* All heads have such a monitor. */
	for (i = 0; i < 128; i += 4) {
		uint32_t word;

		vt_reg_set(dev, head1 + VGPU_HEAD_EDID_INDEX, i);
		word = vt_reg_get(dev, head1 + VGPU_HEAD_EDID_DATA);
		EXPECT_EQ(0, memcmp(&word, edid + i, 4));
	}
}

TEST_F(params, resolution)
{
	static const char set[] =
		"frame_rate_limiter=1,disable_vnc=0,console=region,resolution=1920x1080";
	char other[VT_UUID];
	struct vt_dev dev;

	vt_uuid(other);
	ASSERT_EQ(0, vt_create(&self->gpu, "32Q", other));
	ASSERT_EQ(0, vt_open(&dev, other));
	prefers(_metadata, &dev, 1280, 800);
	/* From the next VMM on. */
	ASSERT_EQ(0, vt_params(other, "resolution=1920x1080"));
	prefers(_metadata, &dev, 1280, 800);
	ASSERT_EQ(0, vt_reset(&dev));
	prefers(_metadata, &dev, 1280, 800);
	vt_close(&dev);
	ASSERT_EQ(0, vt_open(&dev, other));
	prefers(_metadata, &dev, 1920, 1080);
	ASSERT_EQ(0, vt_reset(&dev));
	prefers(_metadata, &dev, 1920, 1080);
	ASSERT_EQ(0, vt_read(self->text, sizeof(self->text),
			     "/sys/bus/mdev/devices/%s/vgpu/vgpu_params",
			     other));
	EXPECT_NE(NULL, strstr(self->text, set));
	/* And what is not set is gone. */
	vt_close(&dev);
	ASSERT_EQ(0, vt_params(other, " "));
	ASSERT_EQ(0, vt_open(&dev, other));
	prefers(_metadata, &dev, 1280, 800);
	vt_end(&dev);
}

/* The picture is there for the guest and not for the VMM. */
TEST_F(params, disable_vnc)
{
	struct vfio_device_gfx_plane_info info;
	struct vt_dev dev;

	ASSERT_EQ(0, vt_params(self->uuid, "disable_vnc=1"));
	ASSERT_EQ(0, vt_open(&dev, self->uuid));
	ASSERT_EQ(0, vt_mode(&dev, 640, 480, 32));
	EXPECT_EQ(640, vt_reg_get(&dev, VGPU_REG_HEAD(0) + VGPU_HEAD_WIDTH));
	ASSERT_EQ(0, vt_plane(&dev, &info));
	EXPECT_EQ(0, info.drm_format);
	EXPECT_EQ(0, info.size);
	vt_close(&dev);
}

/* The attributes are there until the vGPU is gone. */
TEST_F(params, group)
{
	static const char *const files[] = {
		"busy", "request", "vgpu_params", "frame_rate",
		"frame_rate_limit",
	};
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		EXPECT_TRUE(vt_exists("/sys/bus/mdev/devices/%s/vgpu/%s",
				      self->uuid, files[i]));
	EXPECT_EQ(0, vt_remove(self->uuid));
	EXPECT_FALSE(vt_exists("/sys/bus/mdev/devices/%s/vgpu", self->uuid));
}

TEST_HARNESS_MAIN
