// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that asks for nonsense: every ioctl with sizes, flags and indexes at
 * random, reads, writes, mappings, closes.  Nothing may hang, crash or be printed, and the vGPU works as before
 * afterwards.  VGPU_SEED=N repeats a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define ROUNDS		200000
#define NR_FDS		8

static uint64_t state;

static uint32_t random32(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL) >> 32;
}

/* Mostly small, sometimes one off a limit, sometimes anything. */
static uint32_t odd32(void)
{
	static const uint32_t limits[] = {
		0, 1, 2, 6, 7, 9, 11, 12, 13, 16, 20, 32, 56, 64, 72, 4096,
		0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	switch (random32() % 4) {
	case 0:
		return random32();
	case 1:
		return random32() % 16;
	default:
		return limits[random32() % (sizeof(limits) / sizeof(*limits))];
	}
}

static uint64_t odd_offset(void)
{
	return VT_OFFSET(random32() % 16, (uint64_t)odd32() << random32() % 9) +
	       random32() % 8;
}

FIXTURE(hostile)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	int fds[NR_FDS];
	int log;
};

FIXTURE_SETUP(hostile)
{
	const char *seed = getenv("VGPU_SEED");
	char uuid[VT_UUID];
	int i;

	state = seed ? strtoull(seed, NULL, 0) : vt_now();
	state += !state;
	TH_LOG("VGPU_SEED=%llu", (unsigned long long)state);
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "64M", NULL));
	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "64Q", uuid));
	ASSERT_EQ(0, vt_params(uuid, "console=dmabuf"));
	ASSERT_EQ(0, vt_open(&self->dev, uuid));
	/* Eventfds, some closed, and files that are none. */
	for (i = 0; i < NR_FDS; i++)
		self->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	close(self->fds[0]);
	close(self->fds[1]);
	self->fds[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
	lseek(self->log, 0, SEEK_END);
}

FIXTURE_TEARDOWN(hostile)
{
	int i;

	for (i = 1; i < NR_FDS; i++)
		close(self->fds[i]);
	close(self->log);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
	/* Also when all went well but for files that nobody has closed. */
	EXPECT_TRUE(vt_pgpu() || !vt_exists("%s", self->gpu.dir));
}

static void works(struct __test_metadata *_metadata, FIXTURE_DATA(hostile) *self)
{
	struct vfio_device_gfx_plane_info info;
	char line[4096];
	ssize_t n;

	ASSERT_EQ(0, vt_reset(&self->dev));
	ASSERT_EQ(0, vt_mode(&self->dev, 640, 480, 32));
	ASSERT_EQ(0, vt_plane(&self->dev, &info));
	EXPECT_EQ(640, info.width);
	EXPECT_EQ(VGPU_MAGIC, vt_reg_get(&self->dev, VGPU_REG_MAGIC));
	/* Nothing that a VMM can have printed over and over. */
	while ((n = read(self->log, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		EXPECT_EQ(NULL, strstr(line, "vgpu"))
			TH_LOG("%s", line);
	}
}

static int random_fd(FIXTURE_DATA(hostile) *self)
{
	return random32() % 8 ? self->fds[random32() % NR_FDS] :
	       (int)(random32() % 4) - 2;
}

static void random_irqs(FIXTURE_DATA(hostile) *self)
{
	struct {
		struct vfio_irq_set set;
		int32_t data[16];
	} irqs = {
		.set = {
			.argsz = random32() % 4 ? sizeof(irqs) : odd32(),
			.flags = 1u << random32() % 3 | 8u << random32() % 3,
			.index = random32() % 6,
			.start = random32() % 2 ? 0 : odd32(),
			.count = random32() % 2 ? random32() % 8 : odd32(),
		},
	};
	unsigned int i;

	if (random32() % 8 == 0)
		irqs.set.flags = odd32();
	for (i = 0; i < 16; i++)
		irqs.data[i] = random_fd(self);
	ioctl(self->dev.fd, VFIO_DEVICE_SET_IRQS, &irqs);
}

static void random_ioctl(FIXTURE_DATA(hostile) *self)
{
	static const unsigned long cmds[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
		VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_SET_IRQS,
		VFIO_DEVICE_QUERY_GFX_PLANE, VFIO_DEVICE_GET_GFX_DMABUF,
		VFIO_DEVICE_IOEVENTFD, VFIO_DEVICE_FEATURE,
		VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, VFIO_DEVICE_PCI_HOT_RESET,
	};
	unsigned long cmd = cmds[random32() %
				 (sizeof(cmds) / sizeof(*cmds))];
	uint32_t arg[64];
	unsigned int i;
	int fd;

	for (i = 0; i < 64; i++)
		arg[i] = odd32();
	if (random32() % 2)
		arg[0] = sizeof(arg);
	if (random32() % 64 == 0)
		cmd = _IO(VFIO_TYPE, random32() % 256);
	fd = ioctl(self->dev.fd, cmd, random32() % 32 ? arg : (void *)8);
	if (cmd == VFIO_DEVICE_GET_GFX_DMABUF && fd >= 0)
		close(fd);
	/* A state of a migration may come with a file. */
	if (cmd == VFIO_DEVICE_FEATURE && !fd &&
	    (arg[1] & VFIO_DEVICE_FEATURE_SET) &&
	    (arg[1] & VFIO_DEVICE_FEATURE_MASK) ==
	    VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
		close(arg[3]);
}

static void random_plane(FIXTURE_DATA(hostile) *self)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = random32() % 8 ? sizeof(info) : odd32(),
		.flags = random32() % 8,
		.drm_plane_type = random32() % 4,
	};
	uint32_t id;
	void *p;
	int fd;

	if (ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info))
		return;
	id = info.dmabuf_id + (random32() % 4 == 0);
	fd = ioctl(self->dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);
	if (fd < 0)
		return;
	p = mmap(NULL, odd32() % (8 * VT_MIB) + 1, random32() % 4,
		 1 + random32() % 2, fd, (uint64_t)(odd32() % 64) << 12);
	close(fd);
	if (p != MAP_FAILED)
		munmap(p, 4096);
}

static void random_access(FIXTURE_DATA(hostile) *self)
{
	static uint8_t buf[8192];
	uint32_t i, len = random32() % 4 ? 1u << random32() % 4 :
					   random32() % sizeof(buf);
	uint64_t offset = odd_offset();

	if (random32() % 2) {
		i = pread(self->dev.fd, buf, len, offset);
		return;
	}
	for (i = 0; i < len; i++)
		buf[i] = random32();
	i = pwrite(self->dev.fd, buf, len, offset);
}

static void random_mmap(FIXTURE_DATA(hostile) *self)
{
	size_t len = (uint64_t)(random32() % 70) * VT_MIB + random32() % 2;
	uint8_t *p = mmap(NULL, len, random32() % 4, 1 + random32() % 2,
			  self->dev.fd, odd_offset() & ~4095ULL);
	size_t at = len ? random32() % len : 0, n = random32() % 8192;
	ssize_t ret;

	if (p == MAP_FAILED)
		return;
	/* What lies behind the mapping is this program's own. */
	if (n > len - at)
		n = len - at;
	/* The vGPU reads into, and writes from, a mapping of itself. */
	ret = pread(self->dev.fd, p + at, n, odd_offset());
	ret = pwrite(self->dev.fd, p + at, n, odd_offset());
	(void)ret;
	munmap(p, len);
}

/* Sometimes with a mapping that keeps it open. */
static int random_close(FIXTURE_DATA(hostile) *self)
{
	void *p = vt_mmap(&self->dev, VFIO_PCI_BAR0_REGION_INDEX, 0, VT_MIB);

	if (p && random32() % 2) {
		munmap(p, VT_MIB);
		p = NULL;
	}
	vt_close(&self->dev);
	if (p)
		munmap(p, VT_MIB);
	return vt_open(&self->dev, self->dev.uuid);
}

TEST_F_TIMEOUT(hostile, ioctls, 600)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		switch (random32() % 8) {
		case 0:
			random_irqs(self);
			break;
		case 1:
			random_plane(self);
			break;
		case 2:
			random_mmap(self);
			break;
		case 3:
		case 4:
			random_access(self);
			break;
		case 5:
			if (random32() % 512 == 0)
				ioctl(self->dev.fd, VFIO_DEVICE_RESET);
			else if (random32() % 512 == 0)
				ASSERT_EQ(0, random_close(self));
			break;
		default:
			random_ioctl(self);
		}
	}
	works(_metadata, self);
}

/* What a guest can have printed, it will. */
TEST_F_TIMEOUT(hostile, guest, 600)
{
	const uint32_t bars[] = { VFIO_PCI_BAR2_REGION_INDEX,
				  VFIO_PCI_BAR4_REGION_INDEX,
				  VFIO_PCI_CONFIG_REGION_INDEX };
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		uint32_t bar = bars[random32() % 3];
		uint64_t value = (uint64_t)odd32() << 32 | odd32();
		uint32_t len = 1u << random32() % 4;

		/* Where the registers are rather than where none is. */
		vt_pwrite(&self->dev, bar, (random32() % 4 ?
			  random32() % 0x600 : random32() % 0x4000) & -len,
			  &value, len);
		if (i % 64 == 0)
			vt_memory(&self->dev, true);
	}
	works(_metadata, self);
}

TEST_HARNESS_MAIN
