// SPDX-License-Identifier: GPL-2.0
/* VFIO migration: states, and a vGPU that becomes another one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_pair.h"

#define CONFIGFS	"/sys/kernel/config/vgpu-soft"

VT_PAIR_FIXTURE(migration)

/* PRE_COPY, and to ask how much there is to be sent. */
static bool kernel_from_6_2(void)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 2);
}

/* Whether the kernel has a function; a stub in a header is none. */
static bool kernel_has(const char *function)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[512], name[256], type;
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %c %255s", &type, name) == 2 &&
			(type == 't' || type == 'T') && !strcmp(name, function);
	if (symbols)
		fclose(symbols);
	return found;
}

TEST_F(migration, flags)
{
	struct vfio_device_feature_migration mig = { };

	ASSERT_EQ(0, vt_feature(&self->src, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_MIGRATION, &mig,
				sizeof(mig)));
	EXPECT_EQ(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
		  mig.flags & 3);
	EXPECT_EQ(kernel_from_6_2(), !!(mig.flags & VFIO_MIGRATION_PRE_COPY));
	EXPECT_EQ(0, mig.flags & ~7ULL);
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, vt_mig_state(&self->src));
}

/* A guest that has been moved sees what it saw before. */
TEST_F(migration, round_trip)
{
	static const unsigned int regs[] = {
		VGPU_REG_IRQ_STATUS, VGPU_REG_IRQ_ENABLE,
		VGPU_REG_ECC_CONTROL, VGPU_BAR4_MSIX_TABLE,
		VGPU_REG_HEAD(0) + VGPU_HEAD_WIDTH,
		VGPU_REG_HEAD(0) + VGPU_HEAD_OFFSET_LO,
		VGPU_REG_HEAD(0) + VGPU_HEAD_CURSOR_POSITION,
		VGPU_REG_HEAD(0) + VGPU_HEAD_SET_WIDTH,
		VGPU_REG_HEAD(0) + VGPU_HEAD_VBLANKS,
		VGPU_REG_HEAD(0) + VGPU_HEAD_STATUS,
	};
	uint32_t before[16];
	unsigned int i;

	vt_fill(self->fb, FB, 5);
	memset((char *)self->fb + FB / 2, 0, FB / 4);
	EXPECT_EQ(VGPU_HEAD_ON, vt_head_mode(&self->src, 0, 800, 600, 0x5000));
	vt_reg_set(&self->src, VGPU_REG_HEAD(0) + VGPU_HEAD_CURSOR_POSITION,
		   0x12345678);
	vt_reg_set(&self->src, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_HEAD(0));
	vt_reg_set(&self->src, VGPU_BAR4_MSIX_TABLE, 0xfee00000);
	usleep(100000);
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP, NULL));
	for (i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		before[i] = vt_reg_get(&self->src, regs[i]);
	/* Nothing happens while it is stopped. */
	usleep(100000);
	EXPECT_EQ(before[8], vt_reg_get(&self->src, regs[8]));
	EXPECT_LT(0, before[8]);

	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	TH_LOG("%zu bytes", self->stream.len);
	/* Zeroes are not sent. */
	EXPECT_LE(self->stream.len, FB * 3 / 4 + 65536);
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP_COPY, vt_mig_state(&self->src));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     65536));
	EXPECT_EQ(VFIO_DEVICE_STATE_STOP, vt_mig_state(&self->dst));
	for (i = 0; i < sizeof(regs) / sizeof(*regs); i++)
		EXPECT_EQ(before[i], vt_reg_get(&self->dst, regs[i]))
			TH_LOG("register %#x", regs[i]);
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
	ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RUNNING, NULL));
	usleep(200000);
	/* And it goes on. */
	EXPECT_LT(before[8], vt_reg_get(&self->dst, regs[8]));
	/* The source can go on, too. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RUNNING, NULL));
	usleep(200000);
	EXPECT_LT(before[8], vt_reg_get(&self->src, regs[8]));
}

/* The kernel's own table of transitions, from the text in linux/vfio.h. */
TEST_F(migration, transitions)
{
	unsigned int from, to, last;
	int fd, ret;

	last = vt_mig_precopy(&self->src) ? VFIO_DEVICE_STATE_PRE_COPY_P2P :
					    VFIO_DEVICE_STATE_RUNNING_P2P;
	for (from = 1; from <= last; from++) {
		for (to = 0; to <= last + 3; to++) {
			bool bad = to == VFIO_DEVICE_STATE_ERROR || to > last;
			bool stuck = from == VFIO_DEVICE_STATE_STOP_COPY &&
				     to >= VFIO_DEVICE_STATE_PRE_COPY;
			bool empty = from == VFIO_DEVICE_STATE_RESUMING &&
				     to != from && !bad;
			bool transfer;

			ASSERT_EQ(0, vt_reset(&self->src));
			fd = -1;
			ASSERT_EQ(0, vt_mig_set(&self->src, from, &fd))
				TH_LOG("to state %u", from);
			if (fd >= 0)
				close(fd);
			fd = -1;
			ret = vt_mig_set(&self->src, to, &fd);
			/*
			 * No way leads from STOP_COPY to PRE_COPY, and none out
			 * of RESUMING when nothing was written.
			 */
			EXPECT_EQ(bad || stuck || empty ? -EINVAL : 0, ret)
				TH_LOG("%u to %u", from, to);
			transfer = !ret && from != to &&
				   (to == VFIO_DEVICE_STATE_RESUMING ||
				    ((to == VFIO_DEVICE_STATE_STOP_COPY ||
				      to >= VFIO_DEVICE_STATE_PRE_COPY) &&
				     from < VFIO_DEVICE_STATE_PRE_COPY));
			EXPECT_EQ(transfer, fd >= 0)
				TH_LOG("%u to %u", from, to);
			EXPECT_EQ(empty ? VFIO_DEVICE_STATE_ERROR :
				  ret ? from : to, vt_mig_state(&self->src))
				TH_LOG("%u to %u", from, to);
			if (fd >= 0)
				close(fd);
		}
	}
	/* Out of ERROR nothing leads but a reset. */
	ASSERT_EQ(0, vt_reset(&self->src));
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_RESUMING, &fd));
	EXPECT_EQ(-EINVAL, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP,
				      NULL));
	for (to = 0; to <= last + 1; to++)
		EXPECT_EQ(to == VFIO_DEVICE_STATE_ERROR ? 0 : -EINVAL,
			  vt_mig_set(&self->src, to, NULL))
			TH_LOG("to %u", to);
	close(fd);
	ASSERT_EQ(0, vt_reset(&self->src));
	vt_check_clean(_metadata, &self->src);
}

/* What was resumed goes to any other state at once, with a file if one is due. */
TEST_F(migration, resumed)
{
	static const unsigned int states[] = {
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING,
		VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P,
	};
	struct vt_stream *s = &self->stream, again = { };
	unsigned int i, to;
	int in, out;

	/* All of it: where nothing was written a record of zeroes is there or not. */
	vt_fill(self->fb, FB, 22);
	EXPECT_EQ(0, vt_mode(&self->src, 1024, 768, 32));
	ASSERT_EQ(0, vt_save(&self->src, s));
	for (i = 0; i < sizeof(states) / sizeof(*states); i++) {
		to = states[i];
		if (to >= VFIO_DEVICE_STATE_PRE_COPY &&
		    !vt_mig_precopy(&self->dst))
			continue;
		ASSERT_EQ(0, vt_reset(&self->dst));
		ASSERT_EQ(0, vt_mig_set(&self->dst, VFIO_DEVICE_STATE_RESUMING,
					&in));
		ASSERT_EQ(s->len, write(in, s->data, s->len));
		ASSERT_EQ(0, vt_mig_set(&self->dst, to, &out)) {
			TH_LOG("to %u", to);
		}
		EXPECT_EQ(to, vt_mig_state(&self->dst));
		EXPECT_EQ(-1, write(in, s->data, 1));
		EXPECT_EQ(ENODEV, errno);
		EXPECT_EQ(to == VFIO_DEVICE_STATE_STOP_COPY ||
			  to >= VFIO_DEVICE_STATE_PRE_COPY, out >= 0)
			TH_LOG("to %u", to);
		EXPECT_EQ(1024, vt_dispi_get(&self->dst, VGPU_DISPI_XRES));
		EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
		if (out >= 0) {
			again.len = 0;
			EXPECT_EQ(to == VFIO_DEVICE_STATE_STOP_COPY ? 0 :
				  -ENOMSG, vt_drain(out, &again));
			EXPECT_LE(FB, again.len);
			close(out);
		}
		/* Nothing of it was lost or added on the way. */
		if (to == VFIO_DEVICE_STATE_STOP_COPY) {
			EXPECT_TRUE(again.len == s->len &&
				    !memcmp(again.data, s->data, s->len));
		}
		close(in);
	}
	free(again.data);
}

/* In every state, with the file open and in the middle of it. */
TEST_F(migration, reset)
{
	struct vt_stream *s = &self->stream;
	unsigned int state, last;
	char buf[8192];
	ssize_t n;
	int fd;

	vt_fill(self->fb, FB, 19);
	ASSERT_EQ(0, vt_save(&self->src, s));
	ASSERT_EQ(0, vt_reset(&self->src));
	last = vt_mig_precopy(&self->src) ? VFIO_DEVICE_STATE_PRE_COPY_P2P :
					    VFIO_DEVICE_STATE_RUNNING_P2P;
	for (state = 1; state <= last; state++) {
		vt_fill(self->fb, FB, state);
		fd = -1;
		ASSERT_EQ(0, vt_mig_set(&self->src, state, &fd));
		if (state == VFIO_DEVICE_STATE_RESUMING)
			n = write(fd, s->data, s->len / 2);
		else
			n = fd < 0 ? 0 : read(fd, buf, sizeof(buf));
		if (fd >= 0)
			EXPECT_EQ(state == VFIO_DEVICE_STATE_RESUMING ?
					  s->len / 2 : sizeof(buf), n);
		ASSERT_EQ(0, vt_reset(&self->src));
		if (fd >= 0) {
			EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
			EXPECT_EQ(state == VFIO_DEVICE_STATE_RESUMING ?
					  EBADF : ENODEV, errno);
			EXPECT_EQ(-1, write(fd, buf, sizeof(buf)));
			EXPECT_EQ(state == VFIO_DEVICE_STATE_RESUMING ?
					  ENODEV : EBADF, errno);
			close(fd);
		}
		vt_check_clean(_metadata, &self->src);
	}
}

/* From one kind of GPU to another, and back. */
TEST_F(migration, other_gpu)
{
	bool loaded = !vt_exists(CONFIGFS);
	char pgpu[64];
	struct vt_gpu soft;
	struct vt_dev dev;

	if (!vt_pgpu())
		SKIP(return, "there is one kind of GPU");
	if (loaded && system("modprobe vgpu-soft nr_gpus=0"))
		SKIP(return, "no software GPU");
	snprintf(pgpu, sizeof(pgpu), "%s", vt_pgpu());
	unsetenv("VGPU_PGPU");
	ASSERT_EQ(0, vt_gpu_add(&soft, "32M", "16Q"));
	setenv("VGPU_PGPU", pgpu, 1);
	ASSERT_EQ(0, vt_start(&dev, &soft, "16Q"));
	vt_fill(self->fb, FB / 2, 20);
	ASSERT_EQ(0, vt_save(&self->src, &self->stream));
	ASSERT_EQ(0, vt_load(&dev, self->stream.data, self->stream.len,
			     1 << 20));
	EXPECT_TRUE(vt_same_fb(&self->src, &dev, FB));
	ASSERT_EQ(0, vt_save(&dev, &self->stream));
	ASSERT_EQ(0, vt_load(&self->dst, self->stream.data, self->stream.len,
			     1 << 20));
	EXPECT_TRUE(vt_same_fb(&self->src, &self->dst, FB));
	vt_end(&dev);
	vt_gpu_del(&soft);
	/* Others load it with GPUs of their own. */
	EXPECT_TRUE(!loaded || !system("rmmod vgpu_soft"));
}

/* The file outlives whatever it belongs to. */
TEST_F(migration, lifetimes)
{
	struct vt_dev dev;
	char buf[4096];
	int fd[3];

	ASSERT_EQ(0, vt_start(&dev, &self->gpu, "16B"));
	/* Closed in the middle, and the vGPU goes on. */
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_STOP_COPY, &fd[0]));
	EXPECT_LT(0, read(fd[0], buf, 10));
	close(fd[0]);
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_STOP, NULL));
	/* Left, and entered again: another file. */
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_STOP_COPY, &fd[0]));
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_STOP, NULL));
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_STOP_COPY, &fd[1]));
	EXPECT_EQ(-1, read(fd[0], buf, 10));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_LT(0, read(fd[1], buf, 10));
	EXPECT_EQ(-1, pread(fd[1], buf, 10, 0));
	EXPECT_EQ(ESPIPE, errno);
	ASSERT_EQ(0, vt_reset(&dev));
	ASSERT_EQ(0, vt_mig_set(&dev, VFIO_DEVICE_STATE_RESUMING, &fd[2]));
	/* The vGPU is closed and removed, and then the GPU. */
	vt_end(&dev);
	EXPECT_EQ(-1, read(fd[1], buf, 10));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, write(fd[2], buf, 10));
	EXPECT_EQ(ENODEV, errno);
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
}

/* What would be sent if it were stopped now, or the errno as all ones. */
static uint64_t data_size(struct vt_dev *dev)
{
	struct vfio_device_feature_mig_data_size size = { };
	int ret;

	ret = vt_feature(dev, VFIO_DEVICE_FEATURE_GET |
			 VFIO_DEVICE_FEATURE_MIG_DATA_SIZE, &size, sizeof(size));
	return ret ? (uint64_t)ret : size.stop_copy_length;
}

TEST_F(migration, data_size)
{
	uint64_t idle;
	int fd;

	if (!kernel_from_6_2()) {
		EXPECT_EQ((uint64_t)-ENOTTY, data_size(&self->src));
		SKIP(return, "this kernel does not ask");
	}
	if (!vt_pgpu())
		EXPECT_GT(3 * VT_MIB, data_size(&self->src));
	vt_fill(self->fb, FB, 13);
	EXPECT_LE(FB, data_size(&self->src));
	EXPECT_GT(FB + 65536, data_size(&self->src));

	/* In PRE_COPY what was sent no longer counts. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_PRE_COPY, &fd));
	EXPECT_LE(FB, data_size(&self->src));
	EXPECT_EQ(0, vt_drain_some(fd, &self->stream, FB / 2));
	EXPECT_GT(FB / 2 + 2 * 65536, data_size(&self->src));
	EXPECT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	idle = data_size(&self->src);
	EXPECT_GT(65536, idle);
	self->fb[FB / 8] ^= 1;
	EXPECT_EQ(idle + 65536, data_size(&self->src));
	/* And it is enough for what then comes. */
	ASSERT_EQ(0, vt_mig_set(&self->src, VFIO_DEVICE_STATE_STOP_COPY, NULL));
	EXPECT_EQ(idle + 65536, data_size(&self->src));
	self->stream.len = 0;
	EXPECT_EQ(0, vt_drain(fd, &self->stream));
	EXPECT_GE(idle + 65536, self->stream.len);
	EXPECT_LT(65536, self->stream.len);
	close(fd);
}

/* There and back, many times, with a guest that looks. */
TEST_F_TIMEOUT(migration, again_and_again, 600)
{
	struct vt_stream *s = &self->stream;
	struct vt_dev *from = &self->src, *to = &self->dst;
	const char *times = getenv("VGPU_TEST_MIGRATIONS");
	long long before;
	int i, nr = times ? atoi(times) : 20;
	uint32_t x, *buf;

	vt_fill(self->fb, FB / 16, 17);
	vt_settle();
	before = vt_meminfo("Slab");
	for (i = 0; i < nr; i++) {
		struct vt_dev *last = from;

		x = i;
		ASSERT_EQ(4, vt_pwrite(from, BAR0, FB / 2, &x, 4));
		s->len = 0;
		ASSERT_EQ(0, vt_save(from, s));
		ASSERT_EQ(0, vt_load(to, s->data, s->len, 1 << 20));
		ASSERT_EQ(0, vt_mig_set(to, VFIO_DEVICE_STATE_RUNNING, NULL));
		ASSERT_EQ(0, vt_reset(from));
		from = to;
		to = last;
		ASSERT_EQ(4, vt_pread(from, BAR0, FB / 2, &x, 4));
		ASSERT_EQ(i, x);
	}
	vt_settle();
	TH_LOG("%d migrations, slab grew %lld KiB", nr,
	       vt_meminfo("Slab") - before);
	EXPECT_GT(2048, vt_meminfo("Slab") - before);
	buf = vt_read_fb(from, FB);
	EXPECT_EQ(-1, vt_differs(buf, FB / 16, 17));
	free(buf);
}

/* The VMM asks for the log only where the kernel has one. */
TEST_F(migration, dma_logging)
{
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = PAGE,
	};
	struct vfio_device_feature_dma_logging_range range = {
		.length = VT_MIB,
	};
	struct vfio_device_feature_dma_logging_report report = {
		.length = VT_MIB, .page_size = PAGE,
	};
	uint64_t bitmap[VT_MIB / PAGE / 64] = { };
	unsigned int i;
	int ret;

	control.num_ranges = 1;
	control.ranges = (uintptr_t)&range;
	ret = vt_feature(&self->src, VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_DMA_LOGGING_START, &control,
			 sizeof(control));
	if (!kernel_has("iova_bitmap_alloc")) {
		EXPECT_EQ(-ENOTTY, ret);
		SKIP(return, "this kernel's bitmap is a stub");
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-EINVAL, vt_feature(&self->src, VFIO_DEVICE_FEATURE_SET |
				      VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
				      &control, sizeof(control)));
	report.bitmap = (uintptr_t)bitmap;
	vt_fill(self->fb, FB, 18);
	EXPECT_EQ(0, vt_feature(&self->src, VFIO_DEVICE_FEATURE_GET |
				VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
				sizeof(report)));
	for (i = 0; i < VT_MIB / PAGE / 64; i++)
		EXPECT_EQ(0, bitmap[i]);
	EXPECT_EQ(0, vt_feature(&self->src, VFIO_DEVICE_FEATURE_SET |
				VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0));
	EXPECT_EQ(-EINVAL, vt_feature(&self->src, VFIO_DEVICE_FEATURE_SET |
				      VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
				      NULL, 0));
}

#define IOVA	VT_MIB
#define BITMAP	(VT_MIB / PAGE / 8)

/* What the container tracks; START, STOP or, into @bitmap, all of the mapping. */
static int type1_dirty(struct vt_dev *dev, uint32_t flags, void *bitmap)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} arg = {
		.head.argsz = bitmap ? sizeof(arg) : sizeof(arg.head),
		.head.flags = flags,
		.get.iova = IOVA,
		.get.size = VT_MIB,
		.get.bitmap.pgsize = PAGE,
		.get.bitmap.size = BITMAP,
		.get.bitmap.data = bitmap,
	};

	return ioctl(dev->container, VFIO_IOMMU_DIRTY_PAGES, &arg) ? -errno : 0;
}

/* What may make a device write to the guest's memory, of which it knows. */
static void use(struct __test_metadata *_metadata, struct vt_dev *dev,
		uint32_t *fb)
{
	uint32_t vector[4] = { IOVA, 0, 0x4041, 0 };
	unsigned int i;
	int fd;

	fd = vt_eventfd(dev, VFIO_PCI_MSIX_IRQ_INDEX, VGPU_IRQ_HEAD(0));
	ASSERT_LE(0, fd);
	vt_fill(fb, FB / 4, 23);
	EXPECT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 800, 600, 0));
	for (i = 0; i < 4 * VGPU_NR_IRQS; i++)
		vt_reg_set(dev, VGPU_BAR4_MSIX_TABLE + 4 * i, vector[i % 4]);
	for (i = 0; i < 0x500; i += 4)
		vt_reg_set(dev, i, IOVA);
	EXPECT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 800, 600, 0));
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_HEAD(0));
	vt_head_flip(dev, 0, 4096);
	EXPECT_EQ(0, vt_flipped(dev, 0));
	for (i = 0; i < 64; i++)
		vt_reg_set(dev, VGPU_DOORBELL(i), IOVA);
	EXPECT_EQ(0, vt_mode(dev, 640, 480, 32));
	usleep(100000);
	EXPECT_LT(0, vt_reg_get(dev, VGPU_REG_HEAD(0) + VGPU_HEAD_VBLANKS));
	close(fd);
}

/* A vGPU writes to none of the guest's memory, and the container says so. */
TEST_F(migration, type1_tracking)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA, .size = VT_MIB,
	};
	struct {
		struct vfio_iommu_type1_dma_unmap unmap;
		struct vfio_bitmap bitmap;
	} arg = {
		.unmap.argsz = sizeof(arg),
		.unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.unmap.iova = IOVA, .unmap.size = VT_MIB,
		.bitmap.pgsize = PAGE, .bitmap.size = BITMAP,
	};
	struct vt_dev *dev = &self->src;
	uint8_t bitmap[BITMAP];
	void *memory;
	int fd = -1;

	memory = mmap(NULL, VT_MIB, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	vt_fill(memory, VT_MIB, 24);
	map.vaddr = (uintptr_t)memory;
	ASSERT_EQ(0, ioctl(dev->container, VFIO_IOMMU_MAP_DMA, &map));
	EXPECT_EQ(-EINVAL, type1_dirty(dev,
				       VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
				       bitmap));
	ASSERT_EQ(0, type1_dirty(dev, VFIO_IOMMU_DIRTY_PAGES_FLAG_START, NULL));
	use(_metadata, dev, self->fb);
	ASSERT_EQ(0, vt_reset(dev));
	use(_metadata, dev, self->fb);
	/* Filled, so that who leaves it alone is found out. */
	memset(bitmap, 0xff, sizeof(bitmap));
	ASSERT_EQ(0, type1_dirty(dev, VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
				 bitmap));
	EXPECT_TRUE(vt_is_zero(bitmap, sizeof(bitmap)));

	if (vt_mig_precopy(dev)) {
		ASSERT_EQ(0, vt_mig_set(dev, VFIO_DEVICE_STATE_PRE_COPY, &fd));
		EXPECT_EQ(-ENOMSG, vt_drain(fd, &self->stream));
	}
	self->fb[1] ^= 1;
	ASSERT_EQ(0, vt_mig_set(dev, VFIO_DEVICE_STATE_STOP_COPY,
				fd < 0 ? &fd : NULL));
	EXPECT_EQ(0, vt_drain(fd, &self->stream));
	close(fd);
	memset(bitmap, 0xff, sizeof(bitmap));
	arg.bitmap.data = (void *)bitmap;
	ASSERT_EQ(0, ioctl(dev->container, VFIO_IOMMU_UNMAP_DMA, &arg));
	EXPECT_EQ(VT_MIB, arg.unmap.size);
	EXPECT_TRUE(vt_is_zero(bitmap, sizeof(bitmap)));
	EXPECT_EQ(0, type1_dirty(dev, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP, NULL));
	EXPECT_EQ(-1, vt_differs(memory, VT_MIB, 24));
	munmap(memory, VT_MIB);
}

TEST_HARNESS_MAIN
