// SPDX-License-Identifier: GPL-2.0
/*
 * holder UUID [watch|obey|show]: open a vGPU, say so, and hold it until killed.
 *
 * watch: say when the driver asks for it, and what becomes of it then.
 * obey: close it when the driver asks.
 * show: have heads 1 to 3 show pictures, of which smi.sh knows each pixel, and head 3 a
 *       cursor.
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

static int show(struct vt_dev *dev)
{
	const unsigned int cursor = VGPU_REG_HEAD(3);
	static uint32_t pixels[480][643];
	uint32_t head, x, y, *at;
	size_t len;

	for (head = 1; head < 4; head++) {
		at = pixels[0];
		for (y = 0; y < 480; y++)
			for (x = 0; x < 640 + head; x++)
				*at++ = 85 * head << 16 | (y & 255) << 8 |
					(x & 255);
		len = (char *)at - (char *)pixels;
		if (vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX,
			      head * 4 * VT_MIB, pixels, len) != (ssize_t)len ||
		    vt_head_mode(dev, head, 640 + head, 480,
				 head * 4 * VT_MIB) != VGPU_HEAD_ON)
			return -EIO;
	}
	memset(pixels, 0xff, 16 * 16 * 4);
	vt_pwrite(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, pixels, 16 * 16 * 4);
	vt_reg_set(dev, cursor + VGPU_HEAD_CURSOR_SIZE, 16 | 16 << 16);
	vt_reg_set(dev, cursor + VGPU_HEAD_CURSOR_POSITION, 100 | 200 << 16);
	vt_reg_set(dev, cursor + VGPU_HEAD_CURSOR_COMMIT, 1);
	return 0;
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
	if (!strcmp(mode, "show")) {
		ret = show(&dev);
		if (ret)
			return 1;
		mode = "";
	}
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
