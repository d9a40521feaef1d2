// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that asks for nonsense: every ioctl with sizes, flags and indexes at
 * random, reads, writes, mappings, closes, migration states and their files.
 * Nothing may hang, crash or be printed, and the vGPU works as before
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
#include "lib/vgpu_migrate.h"

#define ROUNDS		200000
/* Where a debug kernel makes them slow, fewer are enough; in nanoseconds. */
#define FEW_ROUNDS	20000
#define LONG		(60 * 1000000000ULL)
#define NR_FDS		8
#define NR_FILES	2
#define NR_STATES	(VFIO_DEVICE_STATE_PRE_COPY_P2P + 1)

static uint64_t state;

/* What was not refused, because nearly everything could be. */
enum reached {
	SETS, LOADS, SIZES, LOG_STARTS, LOG_STOPS, LOG_REPORTS, READS, WRITES,
	PRECOPY_INFOS, IOEVENTFDS, IOEVENTFDS_GONE, RINGS, OPENINGS,
	REGION_DMABUFS, NR_REACHED,
};

static const char *const reached_names[NR_REACHED] = {
	"states set", "streams loaded", "data sizes", "DMA logs started",
	"DMA logs stopped", "DMA logs read", "file reads", "file writes",
	"PRE_COPY infos", "ioeventfds", "ioeventfds taken away",
	"ioeventfds signalled", "openings", "dma-bufs of regions",
};

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

FIXTURE(fuzz)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	int fds[NR_FDS];
	/* Of migration states, the newest one first: others are dead. */
	int files[NR_FILES];
	int log;
	unsigned long reached[NR_REACHED];
	unsigned long states[NR_STATES];
};

FIXTURE_SETUP(fuzz)
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
	for (i = 0; i < NR_FILES; i++)
		self->files[i] = -1;
	self->log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->log);
	lseek(self->log, 0, SEEK_END);
}

FIXTURE_TEARDOWN(fuzz)
{
	int i;

	for (i = 1; i < NR_FDS; i++)
		close(self->fds[i]);
	for (i = 0; i < NR_FILES; i++)
		close(self->files[i]);
	close(self->log);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
	/* Also when all went well but for files that nobody has closed. */
	EXPECT_TRUE(vt_pgpu() || !vt_exists("%s", self->gpu.dir));
}

static void works(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	struct vfio_device_gfx_plane_info info;
	unsigned int refused = 0;
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
		if (strstr(line, "migration stream refused")) {
			refused++;
			continue;
		}
		EXPECT_EQ(NULL, strstr(line, "vgpu"))
			TH_LOG("%s", line);
	}
	/* The first one of each VMM is told. */
	EXPECT_GE(1 + self->reached[OPENINGS], refused);
}

static int random_fd(FIXTURE_DATA(fuzz) *self)
{
	return random32() % 8 ? self->fds[random32() % NR_FDS] :
	       (int)(random32() % 4) - 2;
}

static void random_irqs(FIXTURE_DATA(fuzz) *self)
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

static void random_ioctl(FIXTURE_DATA(fuzz) *self)
{
	static const unsigned long cmds[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
		VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_SET_IRQS,
		VFIO_DEVICE_QUERY_GFX_PLANE, VFIO_DEVICE_GET_GFX_DMABUF,
		VFIO_DEVICE_IOEVENTFD,
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
}

/* One doorbell of a few, so that some are met again and taken away. */
static void random_ioeventfd(FIXTURE_DATA(fuzz) *self)
{
	struct vfio_device_ioeventfd args = {
		.argsz = random32() % 8 ? sizeof(args) : odd32(),
		.flags = random32() % 8 ? VFIO_DEVICE_IOEVENTFD_32 : odd32(),
		.offset = random32() % 8 ?
			  VT_OFFSET(VFIO_PCI_BAR4_REGION_INDEX,
				    VGPU_DOORBELL(random32() % 16)) :
			  odd_offset(),
		.data = random32() % 8 ? random32() % 2 : odd32(),
		.fd = random32() % 2 ? random_fd(self) : -1,
	};
	uint64_t one = 1;

	if (!ioctl(self->dev.fd, VFIO_DEVICE_IOEVENTFD, &args))
		self->reached[args.fd < 0 ? IOEVENTFDS_GONE : IOEVENTFDS]++;
	if (write(self->fds[2 + random32() % (NR_FDS - 2)], &one,
		  sizeof(one)) == sizeof(one))
		self->reached[RINGS]++;
}

/* Valid data for the features that need it, in place of what is odd. */
static void feature_data(uint32_t feature, uint32_t *data)
{
	static uint64_t bitmap[VT_MIB / 4096 / 64];
	static struct vfio_device_feature_dma_logging_range range = {
		.length = VT_MIB,
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = 4096, .num_ranges = 1,
		.ranges = (uintptr_t)&range,
	};
	struct vfio_device_feature_dma_logging_report report = {
		.length = VT_MIB, .page_size = 4096,
		.bitmap = (uintptr_t)bitmap,
	};
	struct vfio_device_feature_dma_buf dma_buf = {
		.region_index = random32() % 12, .open_flags = random32() % 4,
		.nr_ranges = 1,
	};
	struct vfio_region_dma_range part = {
		.offset = (random32() % 4 ? (uint64_t)(random32() % 16384) << 12 :
			   (uint64_t)odd32() << random32() % 33) & -4096ULL,
		.length = (uint64_t)(random32() % 20000) << 12,
	};

	if (feature == VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
		data[0] = random32() % 4 ? random32() % (NR_STATES + 1) :
					   VFIO_DEVICE_STATE_RESUMING;
	else if (feature == VFIO_DEVICE_FEATURE_DMA_LOGGING_START)
		memcpy(data, &control, sizeof(control));
	else if (feature == VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT)
		memcpy(data, &report, sizeof(report));
	else if (feature == VFIO_DEVICE_FEATURE_DMA_BUF) {
		memcpy(data, &dma_buf, sizeof(dma_buf));
		memcpy(data + sizeof(dma_buf) / 4, &part, sizeof(part));
	}
}

/* A feature was got or set: count it, and keep the file of a state. */
static void feature_reached(FIXTURE_DATA(fuzz) *self, uint32_t flags,
			    const uint32_t *data)
{
	int *files = self->files;

	switch (flags) {
	case VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		if (data[0] < NR_STATES)
			self->states[data[0]]++;
		break;
	case VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		self->reached[SETS]++;
		if ((int)data[1] < 0)
			break;
		if (files[1] >= 0)
			close(files[1]);
		files[1] = files[0];
		files[0] = data[1];
		break;
	case VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MIG_DATA_SIZE:
		self->reached[SIZES]++;
		break;
	case VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
		self->reached[LOG_STARTS]++;
		break;
	case VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP:
		self->reached[LOG_STOPS]++;
		break;
	case VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		self->reached[LOG_REPORTS]++;
	}
}

/* Some part of a dma-buf, which is closed. */
static void map_at_random(int fd)
{
	void *p = mmap(NULL, odd32() % (8 * VT_MIB) + 1, random32() % 4,
		       1 + random32() % 2, fd, (uint64_t)(odd32() % 64) << 12);

	close(fd);
	if (p != MAP_FAILED)
		munmap(p, 4096);
}

/* A flag at random would never be one that there is. */
static void random_feature(FIXTURE_DATA(fuzz) *self)
{
	uint32_t feature = random32() % 2 ?
			   VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE :
			   random32() % 12;
	uint32_t arg[64];
	int i, ret;

	for (i = 0; i < 64; i++)
		arg[i] = odd32();
	if (random32() % 8)
		arg[0] = sizeof(arg);
	if (random32() % 16)
		arg[1] = feature | VFIO_DEVICE_FEATURE_GET << random32() % 3;
	if (random32() % 8)
		feature_data(feature, arg + 2);
	ret = ioctl(self->dev.fd, VFIO_DEVICE_FEATURE,
		    random32() % 32 ? arg : (void *)8);
	if (!ret) {
		feature_reached(self, arg[1], arg + 2);
	} else if (ret > 0) {
		self->reached[REGION_DMABUFS]++;
		map_at_random(ret);
	}
	/* ERROR would be the end, and little is done in any but RUNNING. */
	if (random32() % 8 == 0)
		ioctl(self->dev.fd, VFIO_DEVICE_RESET);
}

/* Something, or what a vGPU has said of itself, sometimes with a bit flipped. */
static void random_stream(FIXTURE_DATA(fuzz) *self, int file,
			  const uint8_t *said, size_t len)
{
	static uint8_t buf[65536];

	if (random32() % 4 == 0)
		len = odd32() % sizeof(buf);
	memcpy(buf, said, sizeof(buf));
	if (random32() % 2)
		buf[random32() % sizeof(buf)] ^= 1 << random32() % 8;
	if (write(file, random32() % 16 ? buf : (void *)8, len) <= 0)
		return;
	self->reached[WRITES]++;
	if (random32() % 2 &&
	    !vt_mig_set(&self->dev, VFIO_DEVICE_STATE_STOP, NULL))
		self->reached[LOADS]++;
}

static void random_file(FIXTURE_DATA(fuzz) *self)
{
	static uint8_t buf[65536], said[sizeof(buf)];
	static size_t nr_said;
	int *file = &self->files[random32() % 8 == 0];
	struct vfio_precopy_info info = {
		.argsz = random32() % 4 ? sizeof(info) : odd32(),
	};
	size_t len = random32() % 2 ? sizeof(buf) : odd32() % sizeof(buf);
	ssize_t n;

	if (*file < 0)
		return;
	switch (random32() % 16) {
	case 0:
		close(*file);
		*file = -1;
		break;
	case 1:
	case 2:
		if (!ioctl(*file, VFIO_MIG_GET_PRECOPY_INFO, &info))
			self->reached[PRECOPY_INFOS]++;
		break;
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		n = read(*file, random32() % 16 ? buf : (void *)8, len);
		if (n <= 0)
			break;
		self->reached[READS]++;
		/* Of an empty framebuffer it is all that there is. */
		if (len == sizeof(buf)) {
			memcpy(said, buf, n);
			nr_said = n;
		}
		break;
	default:
		random_stream(self, *file, said, nr_said);
	}
}

static void random_plane(FIXTURE_DATA(fuzz) *self)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = random32() % 8 ? sizeof(info) : odd32(),
		.flags = random32() % 8,
		.drm_plane_type = random32() % 4,
	};
	uint32_t id;
	int fd;

	if (ioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info))
		return;
	id = info.dmabuf_id + (random32() % 4 == 0);
	fd = ioctl(self->dev.fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);
	if (fd >= 0)
		map_at_random(fd);
}

static void random_access(FIXTURE_DATA(fuzz) *self)
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

static void random_mmap(FIXTURE_DATA(fuzz) *self)
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
static int random_close(FIXTURE_DATA(fuzz) *self)
{
	void *p = vt_mmap(&self->dev, VFIO_PCI_BAR0_REGION_INDEX, 0, VT_MIB);

	if (p && random32() % 2) {
		munmap(p, VT_MIB);
		p = NULL;
	}
	vt_close(&self->dev);
	if (p)
		munmap(p, VT_MIB);
	self->reached[OPENINGS]++;
	return vt_open(&self->dev, self->dev.uuid);
}

static bool has_feature(FIXTURE_DATA(fuzz) *self, uint32_t feature)
{
	return !vt_feature(&self->dev, VFIO_DEVICE_FEATURE_PROBE | feature,
			   NULL, 0);
}

/* What this kernel has was not only refused. */
static void all_reached(struct __test_metadata *_metadata,
			FIXTURE_DATA(fuzz) *self)
{
	bool precopy = vt_mig_precopy(&self->dev);
	bool size = has_feature(self, VFIO_DEVICE_FEATURE_MIG_DATA_SIZE);
	bool log = has_feature(self, VFIO_DEVICE_FEATURE_DMA_LOGGING_START);
	bool dma_buf = has_feature(self, VFIO_DEVICE_FEATURE_DMA_BUF);
	const bool lacks[NR_REACHED] = {
		[SIZES] = !size, [LOG_STARTS] = !log, [LOG_STOPS] = !log,
		[LOG_REPORTS] = !log, [PRECOPY_INFOS] = !precopy,
		[REGION_DMABUFS] = !dma_buf,
	};
	int i, last = precopy ? VFIO_DEVICE_STATE_PRE_COPY_P2P :
				VFIO_DEVICE_STATE_RUNNING_P2P;

	for (i = 0; i < NR_REACHED; i++) {
		TH_LOG("%s: %lu", reached_names[i], self->reached[i]);
		EXPECT_TRUE(lacks[i] || self->reached[i])
			TH_LOG("no %s", reached_names[i]);
	}
	for (i = 0; i <= last; i++) {
		TH_LOG("in state %d: %lu", i, self->states[i]);
		EXPECT_LT(0, self->states[i]);
	}
}

/* Whether there is another round. */
static bool goes_on(uint32_t round, uint64_t began)
{
	if (round < FEW_ROUNDS)
		return true;
	return round < ROUNDS && (round % 64 || vt_now() - began < LONG);
}

TEST_F_TIMEOUT(fuzz, ioctls, 900)
{
	uint64_t began = vt_now();
	uint32_t i;

	for (i = 0; goes_on(i, began); i++) {
		switch (random32() % 12) {
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
		case 6:
			random_ioeventfd(self);
			break;
		case 7:
			random_feature(self);
			break;
		case 8:
		case 9:
			random_file(self);
			break;
		default:
			random_ioctl(self);
		}
	}
	TH_LOG("%u rounds", i);
	works(_metadata, self);
	all_reached(_metadata, self);
}

/* What a guest can have printed, it will. */
TEST_F_TIMEOUT(fuzz, guest, 900)
{
	const uint32_t bars[] = { VFIO_PCI_BAR2_REGION_INDEX,
				  VFIO_PCI_BAR3_REGION_INDEX,
				  VFIO_PCI_BAR4_REGION_INDEX,
				  VFIO_PCI_CONFIG_REGION_INDEX };
	uint64_t began = vt_now();
	uint32_t i;

	for (i = 0; goes_on(i, began); i++) {
		uint32_t bar = bars[random32() % 4];
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
