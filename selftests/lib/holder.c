// SPDX-License-Identifier: GPL-2.0
/*
 * holder UUID [watch|obey]: open a vGPU, say so, and hold it until killed.
 *
 * watch: say when the driver asks for it, and what becomes of it then.
 * obey: close it when the driver asks.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

static sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, 1);
}

/* An eventfd through which the driver asks for the vGPU. */
static int open_request(struct vt_dev *dev)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return vt_set_irqs(dev, VFIO_PCI_REQ_IRQ_INDEX, VT_EVENTFD_TRIGGER, 0,
			   1, &fd) ? -1 : fd;
}

static void watch(struct vt_dev *dev)
{
	volatile uint32_t *map = vt_mmap(dev, VFIO_PCI_BAR0_REGION_INDEX, 0,
					 4096);
	uint16_t vendor = 0;
	uint32_t word = 0;

	map[0] = 42;
	while (vendor != 0xffff) {
		vt_pread(dev, VFIO_PCI_CONFIG_REGION_INDEX, 0, &vendor, 2);
		printf("config %x\n", vendor);
		usleep(500000);
	}
	vt_pread(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, &word, 4);
	printf("bar0 %x\n", word);
	signal(SIGBUS, bus_error);
	if (sigsetjmp(on_bus_error, 1))
		puts("SIGBUS");
	else
		printf("mapping %x\n", map[0]);
	printf("reset %d\n", ioctl(dev->fd, VFIO_DEVICE_RESET));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "";
	struct vt_dev dev;
	uint64_t n;
	int ret, req;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = argc >= 2 ? vt_open(&dev, argv[1]) : -EINVAL;
	if (ret) {
		fprintf(stderr, "holder: %s\n", strerror(-ret));
		return 1;
	}
	req = open_request(&dev);
	puts("open");
	if (*mode) {
		if (read(req, &n, sizeof(n)) != sizeof(n))
			return 1;
		puts("asked");
		if (!strcmp(mode, "obey"))
			return 0;
		watch(&dev);
	}
	pause();
	return 0;
}
