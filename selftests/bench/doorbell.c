// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells as a guest rings them: a guest that only writes to one, and the
 * VMM that goes with it.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/vgpu_guest.h"
#include "bench/measures.h"

/* Where the guest has the register: no memory, but in reach of real mode. */
#define REGISTER	0xd0000

/* Writes to the register as often as %cx says. */
static const uint8_t code[] = {
	0x66, 0x26, 0xa3, 0x00, 0x00,	/* 1: mov %eax, %es:0 */
	0xe2, 0xf9,			/* loop 1b */
	0xf4,				/* hlt */
};

static void guest_start(struct vt_guest *guest)
{
	int ret = vt_guest_start(guest, code, sizeof(code));

	if (ret == -ENOENT || ret == -ENODEV)
		missing("no /dev/kvm");
	must(ret, "KVM");
	must(vt_guest_es(guest, REGISTER), "KVM_SET_SREGS");
}

/*
 * Let the guest run until it halts, and pass on to the device @fd at @pos what
 * KVM does not take care of: 16 bits, because the peer has no larger register.
 * With no device there must be nothing to pass on.
 */
static void guest_run(struct vt_guest *guest, int fd, uint64_t pos)
{
	const struct kvm_run *run = guest->run;

	for (;;) {
		must(vt_guest_run(guest), "KVM_RUN");
		if (run->exit_reason == KVM_EXIT_HLT)
			return;
		if (fd < 0 || run->exit_reason != KVM_EXIT_MMIO ||
		    !run->mmio.is_write || run->mmio.phys_addr != REGISTER ||
		    run->mmio.len != 4)
			fail("unexpected exit of the guest", EIO);
		if (pwrite(fd, run->mmio.data, 2, pos) != 2)
			fail("pwrite", errno);
	}
}

/* The time of one write of the guest. */
static double guest_time(struct vt_guest *guest, int fd, uint64_t pos)
{
	struct kvm_regs regs = { .rcx = BATCH };
	uint64_t begin, times[ROUNDS];
	int round;

	for (round = -1; round < ROUNDS; round++) {
		must(vt_guest_regs(guest, &regs), "KVM_SET_REGS");
		begin = now();
		guest_run(guest, fd, pos);
		if (round >= 0)
			times[round] = now() - begin;
	}
	return median(times, ROUNDS) / BATCH;
}

/* KVM and the driver are the only ones to see the write. */
double measure_doorbell_ioeventfd(const char *name, const char *type)
{
	struct vfio_device_ioeventfd bell = {
		.argsz = sizeof(bell),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
	};
	struct kvm_ioeventfd write = { .addr = REGISTER, .len = 4 };
	struct vt_guest guest;
	struct vt_dev dev;
	double time;

	start(&dev, type);
	bell.fd = eventfd(0, EFD_CLOEXEC);
	bell.offset = vt_offset(&dev, BAR4, VGPU_BAR4_DOORBELL);
	if (bell.fd < 0)
		fail("eventfd", errno);
	if (ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &bell)) {
		if (errno == ENOTTY)
			missing("no VFIO_DEVICE_IOEVENTFD");
		fail("VFIO_DEVICE_IOEVENTFD", errno);
	}
	guest_start(&guest);
	write.fd = bell.fd;
	if (ioctl(guest.vm, KVM_IOEVENTFD, &write))
		fail("KVM_IOEVENTFD", errno);
	time = guest_time(&guest, -1, 0);
	/* None is lost: the driver has its turn within the signal. */
	if (vt_reg_get(&dev, VGPU_REG_DOORBELLS) != (ROUNDS + 1) * BATCH)
		fail("doorbells that did not ring", EIO);
	vt_guest_end(&guest);
	close(bell.fd);
	vt_end(&dev);
	return time;
}

/* Without ioeventfd the VMM passes the write on. */
double measure_doorbell_mmio(const char *name, const char *type)
{
	struct vt_guest guest;
	struct vt_dev dev;
	double time;

	start(&dev, type);
	guest_start(&guest);
	time = guest_time(&guest, dev.fd,
			  vt_offset(&dev, BAR2,
				    VGPU_BAR2_DISPI + 2 * VGPU_DISPI_BANK));
	vt_guest_end(&guest);
	vt_end(&dev);
	return time;
}
