// SPDX-License-Identifier: GPL-2.0
/* MSI-X, INTx with mask and unmask, REQ and ERR; vblank is the source. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define BAR4 VFIO_PCI_BAR4_REGION_INDEX
#define VBLANK VGPU_IRQ_HEAD(0)

FIXTURE(interrupts)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	int fd[VGPU_NR_IRQS];
	uint32_t nr;
};

FIXTURE_VARIANT(interrupts)
{
	const char *type;
	unsigned int hz;
};

FIXTURE_VARIANT_ADD(interrupts, q)
{
	.type = "16Q",
	.hz = 60,
};

FIXTURE_VARIANT_ADD(interrupts, b)
{
	.type = "16B",
	.hz = 45,
};

FIXTURE_SETUP(interrupts)
{
	int i;

	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "16M", NULL));
	ASSERT_EQ(0, vt_start(&self->dev, &self->gpu, variant->type));
	for (i = 0; i < VGPU_NR_IRQS; i++) {
		self->fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		ASSERT_LE(0, self->fd[i]);
	}
	self->nr = VGPU_IRQ_HEAD(1);
}

FIXTURE_TEARDOWN(interrupts)
{
	int i;

	for (i = 0; i < VGPU_NR_IRQS; i++)
		close(self->fd[i]);
	vt_end(&self->dev);
	vt_gpu_del(&self->gpu);
}

static int trigger_by(struct vt_dev *dev, uint32_t index, uint32_t start,
		      uint32_t count, const int *fds)
{
	return vt_set_irqs(dev, index, VT_EVENTFD_TRIGGER, start, count, fds);
}

/* Events within @ms, or 0. */
static uint64_t wait_for(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n = 0;

	if (poll(&p, 1, ms) == 1 && read(fd, &n, sizeof(n)) != sizeof(n))
		n = 0;
	return n;
}

static void ack(struct vt_dev *dev)
{
	vt_reg_set(dev, VGPU_REG_IRQ_STATUS, ~0u);
}

static void vblank_on(struct __test_metadata *_metadata, struct vt_dev *dev)
{
	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VBLANK);
}

TEST_F(interrupts, identification)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(VGPU_MAGIC, vt_reg_get(dev, VGPU_REG_MAGIC));
	EXPECT_EQ(VGPU_VERSION, vt_reg_get(dev, VGPU_REG_VERSION));
	EXPECT_EQ(1, vt_reg_get(dev, VGPU_REG_NUM_HEADS));
	EXPECT_EQ(16 * VT_MIB, vt_reg_get(dev, VGPU_REG_FB_SIZE_LO));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_FB_SIZE_HI));
	EXPECT_EQ(1920, vt_reg_get(dev, VGPU_REG_MAX_WIDTH));
	EXPECT_EQ(1200, vt_reg_get(dev, VGPU_REG_MAX_HEIGHT));
	EXPECT_EQ(self->nr, vt_reg_get(dev, VGPU_REG_NUM_VECTORS));
	vt_reg_set(dev, VGPU_REG_MAGIC, 0);
	EXPECT_EQ(VGPU_MAGIC, vt_reg_get(dev, VGPU_REG_MAGIC));
	/* Only events that the vGPU has can be enabled. */
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, ~0u);
	EXPECT_EQ((1u << self->nr) - 1, vt_reg_get(dev, VGPU_REG_IRQ_ENABLE));
}

TEST_F(interrupts, head_block)
{
	struct vt_dev *dev = &self->dev;
	uint32_t head = VGPU_REG_HEAD(0);

	EXPECT_EQ(0, vt_reg_get(dev, head + VGPU_HEAD_WIDTH));
	ASSERT_EQ(0, vt_mode(dev, 800, 600, 32));
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, 10));
	ASSERT_EQ(0, vt_flipped(dev, 0));
	EXPECT_EQ(800, vt_reg_get(dev, head + VGPU_HEAD_WIDTH));
	EXPECT_EQ(600, vt_reg_get(dev, head + VGPU_HEAD_HEIGHT));
	EXPECT_EQ(3200, vt_reg_get(dev, head + VGPU_HEAD_PITCH));
	EXPECT_EQ(32000, vt_reg_get(dev, head + VGPU_HEAD_OFFSET_LO));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_REG_HEAD(1) + VGPU_HEAD_WIDTH));
}

TEST_F(interrupts, msix)
{
	struct vt_dev *dev = &self->dev;

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, self->nr,
				self->fd));
	ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
	vblank_on(_metadata, dev);
	EXPECT_EQ(1, wait_for(self->fd[VBLANK], 2000));
	EXPECT_EQ(1 << VBLANK, vt_reg_get(dev, VGPU_REG_IRQ_STATUS));
	/* Not again before the guest has looked. */
	EXPECT_EQ(0, wait_for(self->fd[VBLANK], 200));
	ack(dev);
	EXPECT_EQ(1, wait_for(self->fd[VBLANK], 2000));
	EXPECT_EQ(0, wait_for(self->fd[VGPU_IRQ_CONFIG], 0));
	/* Disabled in the device. */
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 0);
	ack(dev);
	wait_for(self->fd[VBLANK], 0);
	EXPECT_EQ(0, wait_for(self->fd[VBLANK], 200));
	/* Enabling what is pending interrupts at once. */
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VBLANK);
	EXPECT_EQ(1, wait_for(self->fd[VBLANK], 2000));
	/* Taken away by the VMM. */
	ASSERT_EQ(0, vt_set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX,
				 VFIO_IRQ_SET_DATA_NONE |
				 VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL));
	ack(dev);
	EXPECT_EQ(0, wait_for(self->fd[VBLANK], 200));
}

/* What keeps a device from sending messages; each alone. */
enum { MASTER_OFF, MSIX_OFF, MSIX_MASKED, D3HOT, NR_GATES };

static int close_gate(struct vt_dev *dev, unsigned int gate, bool close)
{
	unsigned int pm = vt_cap(dev, PCI_CAP_ID_PM);

	switch (gate) {
	case MASTER_OFF:
		return vt_config_set(dev, PCI_COMMAND, PCI_COMMAND_MEMORY |
				     (close ? 0 : PCI_COMMAND_MASTER), 2);
	case MSIX_OFF:
		return vt_msix(dev, close ? 0 : PCI_MSIX_FLAGS_ENABLE);
	case MSIX_MASKED:
		return vt_msix(dev, PCI_MSIX_FLAGS_ENABLE |
			       (close ? PCI_MSIX_FLAGS_MASKALL : 0));
	default:
		return vt_config_set(dev, pm + PCI_PM_CTRL, close ? 3 : 0, 2);
	}
}

/* An event that takes no register: the VMM unplugs the monitor. */
static int unplug(struct vt_dev *dev)
{
	uint32_t down = VFIO_DEVICE_GFX_LINK_STATE_DOWN;
	ssize_t n;

	n = vt_pwrite(dev, VGPU_REGION_EDID,
		      offsetof(struct vfio_region_gfx_edid, link_state), &down,
		      sizeof(down));
	return n == sizeof(down) ? 0 : n < 0 ? n : -EIO;
}

/* While a device may send no message an event waits, and goes out once then. */
TEST_F(interrupts, messages)
{
	struct vt_dev *dev = &self->dev;
	int fd = self->fd[VGPU_IRQ_CONFIG];
	unsigned int gate;

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, self->nr,
				self->fd));
	ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	for (gate = 0; gate < NR_GATES; gate++) {
		ASSERT_EQ(0, close_gate(dev, gate, true));
		ASSERT_EQ(0, unplug(dev));
		EXPECT_EQ(0, wait_for(fd, 200))
			TH_LOG("gate %u", gate);
		/* In D3hot registers are not there. */
		EXPECT_EQ(gate == D3HOT ? ~0u : 1 << VGPU_IRQ_CONFIG,
			  vt_reg_get(dev, VGPU_BAR4_MSIX_PBA))
			TH_LOG("gate %u", gate);
		ASSERT_EQ(0, close_gate(dev, gate, false));
		EXPECT_EQ(1, wait_for(fd, 2000))
			TH_LOG("gate %u", gate);
		EXPECT_EQ(0, vt_reg_get(dev, VGPU_BAR4_MSIX_PBA));
		/* Not again for the same event. */
		ASSERT_EQ(0, close_gate(dev, gate, true));
		ASSERT_EQ(0, close_gate(dev, gate, false));
		EXPECT_EQ(0, wait_for(fd, 200))
			TH_LOG("gate %u", gate);
		ack(dev);
	}
	EXPECT_EQ(0, wait_for(self->fd[VBLANK], 0));
}

/* What the guest has cleared while it waited is not sent, but the next one is. */
TEST_F(interrupts, messages_cleared)
{
	struct vt_dev *dev = &self->dev;
	int fd = self->fd[VGPU_IRQ_CONFIG];

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, self->nr,
				self->fd));
	ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	ASSERT_EQ(0, unplug(dev));
	EXPECT_EQ(1, wait_for(fd, 2000));
	ASSERT_EQ(0, close_gate(dev, MSIX_MASKED, true));
	/* It was sent before. */
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_BAR4_MSIX_PBA));
	ack(dev);
	ASSERT_EQ(0, unplug(dev));
	EXPECT_EQ(1 << VGPU_IRQ_CONFIG, vt_reg_get(dev, VGPU_BAR4_MSIX_PBA));
	ack(dev);
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_BAR4_MSIX_PBA));
	ASSERT_EQ(0, close_gate(dev, MSIX_MASKED, false));
	EXPECT_EQ(0, wait_for(fd, 200));
	ASSERT_EQ(0, unplug(dev));
	EXPECT_EQ(1, wait_for(fd, 2000));
	/* A reset leaves none. */
	ack(dev);
	ASSERT_EQ(0, close_gate(dev, MSIX_MASKED, true));
	ASSERT_EQ(0, unplug(dev));
	ASSERT_EQ(0, vt_reset(dev));
	EXPECT_EQ(0, vt_reg_get(dev, VGPU_BAR4_MSIX_PBA));
	ASSERT_EQ(0, vt_msix(dev, PCI_MSIX_FLAGS_ENABLE));
	EXPECT_EQ(0, wait_for(fd, 200));
}

static int unmask_intx(struct vt_dev *dev)
{
	return vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
			   VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
			   0, 1, NULL);
}

/* Without power there is no INTx either; it is asserted when there is. */
TEST_F(interrupts, intx_d3hot)
{
	struct vt_dev *dev = &self->dev;

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, self->fd));
	vt_reg_set(dev, VGPU_REG_IRQ_ENABLE, 1 << VGPU_IRQ_CONFIG);
	ASSERT_EQ(0, close_gate(dev, D3HOT, true));
	ASSERT_EQ(0, unplug(dev));
	EXPECT_EQ(0, wait_for(self->fd[0], 200));
	ASSERT_EQ(0, close_gate(dev, D3HOT, false));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	/* Nor when it is unmasked there. */
	ASSERT_EQ(0, close_gate(dev, D3HOT, true));
	ASSERT_EQ(0, unmask_intx(dev));
	EXPECT_EQ(0, wait_for(self->fd[0], 200));
	ASSERT_EQ(0, close_gate(dev, D3HOT, false));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	/* It is no message, so bus mastering is nothing to it. */
	ASSERT_EQ(0, close_gate(dev, MASTER_OFF, true));
	ASSERT_EQ(0, unmask_intx(dev));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
}

TEST_F(interrupts, intx)
{
	struct vt_dev *dev = &self->dev;
	int unmask = self->fd[1];
	uint64_t one = 1;

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, self->fd));
	ASSERT_EQ(0, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
				 VT_EVENTFD_UNMASK, 0, 1, &unmask));
	vblank_on(_metadata, dev);
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	/* Masked by itself, even when the guest acknowledges. */
	ack(dev);
	EXPECT_EQ(0, wait_for(self->fd[0], 200));
	/* The resample eventfd: pending again, so it comes again. */
	ASSERT_EQ(8, write(unmask, &one, 8));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	/* By ioctl. */
	ack(dev);
	ASSERT_EQ(0, unmask_intx(dev));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	/* Masked by ioctl. */
	ASSERT_EQ(0, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_SET_DATA_NONE |
				 VFIO_IRQ_SET_ACTION_MASK, 0, 1, NULL));
	ack(dev);
	EXPECT_EQ(0, wait_for(self->fd[0], 200));
	/* INTx disabled in COMMAND. */
	EXPECT_EQ(0, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
				 VFIO_IRQ_SET_DATA_NONE |
				 VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL));
}

TEST_F(interrupts, intx_disabled)
{
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE;
	struct vt_dev *dev = &self->dev;

	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, self->fd));
	ASSERT_EQ(2, vt_pwrite(dev, VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND,
			       &command, 2));
	vblank_on(_metadata, dev);
	EXPECT_EQ(0, wait_for(self->fd[0], 200));
	ASSERT_EQ(0, vt_memory(dev, true));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
}

/* Frames come at the rate of the type, and count while a mode is set. */
TEST_F(interrupts, rate)
{
	const uint32_t reg = VGPU_REG_HEAD(0) + VGPU_HEAD_VBLANKS;
	struct vt_dev *dev = &self->dev;
	uint64_t around, between;
	uint32_t before, frames;

	EXPECT_EQ(0, vt_reg_get(dev, reg));
	ASSERT_EQ(0, vt_mode(dev, 640, 480, 32));
	usleep(100000);
	/* Each read may take long, and nobody knows when in that it is. */
	around = vt_now();
	before = vt_reg_get(dev, reg);
	between = vt_now();
	usleep(2000000);
	between = vt_now() - between;
	frames = vt_reg_get(dev, reg) - before;
	around = vt_now() - around;
	TH_LOG("%.1f frames a second of %u", frames * 1e9 / around, variant->hz);
	EXPECT_GT(frames * 1e9 / between, variant->hz * 0.9);
	EXPECT_LT(frames * 1e9 / around, variant->hz * 1.05);
	ASSERT_EQ(0, vt_dispi_set(dev, VGPU_DISPI_ENABLE, 0));
	before = vt_reg_get(dev, reg);
	usleep(200000);
	EXPECT_EQ(before, vt_reg_get(dev, reg));
}

TEST_F(interrupts, request)
{
	struct vt_dev *dev = &self->dev;

	EXPECT_EQ(1, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/busy",
				    dev->uuid));
	EXPECT_EQ(-EOPNOTSUPP, vt_write("1", "/sys/bus/mdev/devices/%s/vgpu/request",
					dev->uuid));
	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, self->fd));
	ASSERT_EQ(0, trigger_by(dev, VFIO_PCI_ERR_IRQ_INDEX, 0, 1,
				self->fd + 1));
	EXPECT_EQ(0, vt_write("1", "/sys/bus/mdev/devices/%s/vgpu/request",
			      dev->uuid));
	EXPECT_EQ(1, wait_for(self->fd[0], 2000));
	EXPECT_EQ(0, wait_for(self->fd[1], 0));
	vt_close(dev);
	EXPECT_EQ(0, vt_read_number("/sys/bus/mdev/devices/%s/vgpu/busy",
				    dev->uuid));
	EXPECT_EQ(-EINVAL, vt_write("x", "/sys/bus/mdev/devices/%s/vgpu/request",
				    dev->uuid));
}

TEST_F(interrupts, bad_input)
{
	struct vt_dev *dev = &self->dev;
	int bad[2] = { self->fd[0], 12345 };
	int closed = -1, file = dev->fd;
	uint32_t flags;

	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_NUM_IRQS, 0, 1, self->fd));
	EXPECT_EQ(-EINVAL, trigger_by(dev, ~0u, 0, 1, self->fd));
	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1,
				      self->fd));
	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0,
				      self->nr + 1, self->fd));
	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, self->nr, 1,
				      self->fd));
	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, ~0u, 1,
				      self->fd));
	EXPECT_EQ(-EBADF, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, 2, bad));
	EXPECT_EQ(-EINVAL, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1,
				      &file));
	EXPECT_EQ(0, trigger_by(dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &closed));
	EXPECT_EQ(-ENOTTY, vt_set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX,
				       VFIO_IRQ_SET_DATA_NONE |
				       VFIO_IRQ_SET_ACTION_MASK, 0, 1, NULL));
	/* Every combination of flags, with too little data for most. */
	for (flags = 0; flags < 128; flags++)
		vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX, flags, 0, 1, NULL);
	EXPECT_EQ(-EINVAL, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
				       VT_EVENTFD_TRIGGER, 0, 1, NULL));
	EXPECT_EQ(-EINVAL, vt_set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX, ~0u, 0, 1,
				       NULL));
}

TEST_HARNESS_MAIN
