// SPDX-License-Identifier: GPL-2.0
/*
 * irqs ADDRESS: in a guest, count the vertical blanking interrupts of a vGPU
 * that is bound to vfio-pci, for two seconds, and compare with what
 * /proc/interrupts has counted and with the device's own counter.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

#define VBLANK VGPU_IRQ_HEAD(0)

/* What the guest's kernel has counted, on all processors. */
static unsigned long kernel_count(const char *address)
{
	char name[64], line[1024], *p, *end;
	unsigned long sum = 0, n;
	FILE *file;

	snprintf(name, sizeof(name), "vfio-msix[%u](%s)", VBLANK, address);
	file = fopen("/proc/interrupts", "r");
	while (file && fgets(line, sizeof(line), file)) {
		p = strchr(line, ':');
		if (!p || !strstr(line, name))
			continue;
		for (p++; n = strtoul(p, &end, 10), end != p; p = end)
			sum += n;
	}
	if (file)
		fclose(file);
	return sum;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	unsigned long seen = 0, kernel;
	struct vt_dev dev;
	struct pollfd poll_fd;
	long long end, left;
	uint32_t frames;
	uint64_t n;
	int ret;

	ret = argc == 2 ? vt_open(&dev, argv[1]) : -1;
	if (ret) {
		fprintf(stderr, "irqs: open: %s\n", strerror(-ret));
		return 1;
	}
	poll_fd = (struct pollfd){
		.fd = vt_eventfd(&dev, VFIO_PCI_MSIX_IRQ_INDEX, VBLANK),
		.events = POLLIN,
	};
	if (poll_fd.fd < 0) {
		fprintf(stderr, "irqs: MSI-X: %s\n", strerror(-poll_fd.fd));
		return 1;
	}
	vt_mode(&dev, 640, 480, 32);
	vt_reg_set(&dev, VGPU_REG_IRQ_STATUS, ~0);
	kernel = kernel_count(argv[1]);
	frames = vt_reg_get(&dev, VGPU_REG_HEAD(0) + VGPU_HEAD_VBLANKS);
	vt_reg_set(&dev, VGPU_REG_IRQ_ENABLE, 1 << VBLANK);
	end = now_ms() + 2000;
	while ((left = end - now_ms()) > 0) {
		if (poll(&poll_fd, 1, left) != 1)
			continue;
		if (read(poll_fd.fd, &n, sizeof(n)) != sizeof(n))
			break;
		seen += n;
		vt_reg_set(&dev, VGPU_REG_IRQ_STATUS, 1 << VBLANK);
	}
	vt_reg_set(&dev, VGPU_REG_IRQ_ENABLE, 0);
	frames = vt_reg_get(&dev, VGPU_REG_HEAD(0) + VGPU_HEAD_VBLANKS) - frames;
	/* The last one may have come after the last look. */
	if (poll(&poll_fd, 1, 100) == 1 &&
	    read(poll_fd.fd, &n, sizeof(n)) == sizeof(n))
		seen += n;
	kernel = kernel_count(argv[1]) - kernel;
	printf("irqs: %lu seen, %lu in /proc/interrupts, %u frames\n", seen,
	       kernel, frames);
	vt_close(&dev);
	return seen && seen == kernel ? 0 : 1;
}
