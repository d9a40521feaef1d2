// SPDX-License-Identifier: GPL-2.0
/*
 * card NONCE [DEVICE]: draw a test card on the lower half of a framebuffer,
 * /dev/fb0 by default: colour bars, and a strip of 32 cells that show the bits
 * of a number, so that a picture taken elsewhere can be told to come from this
 * guest and this run.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CELLS 32

static const uint32_t bars[] = {
	0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
	0xff00ff, 0xff0000, 0x0000ff, 0x000000,
};

static uint32_t card_pixel(unsigned int x, unsigned int y, unsigned int width,
			   unsigned int height, uint32_t nonce)
{
	unsigned int cell = x * CELLS / width;

	/* The last eighth is the strip: white is 1, dark blue is 0. */
	if (y >= height - height / 8)
		return nonce >> (CELLS - 1 - cell) & 1 ? 0xffffff : 0x000060;
	return bars[x * 8 / width];
}

int main(int argc, char **argv)
{
	const char *device = argc > 2 ? argv[2] : "/dev/fb0";
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	unsigned int x, y, top;
	ssize_t size;
	uint32_t nonce;
	int fd, written;
	uint8_t *fb;

	nonce = argc > 1 ? strtoul(argv[1], NULL, 16) : 0;
	fd = open(device, O_RDWR);
	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) ||
	    ioctl(fd, FBIOGET_FSCREENINFO, &fix)) {
		perror(device);
		return 1;
	}
	if (var.bits_per_pixel != 32) {
		fprintf(stderr, "%u bits a pixel\n", var.bits_per_pixel);
		return 1;
	}
	/* Nobody has set a mode on a framebuffer that has no console. */
	var.activate = FB_ACTIVATE_NOW | FB_ACTIVATE_FORCE;
	if (ioctl(fd, FBIOPUT_VSCREENINFO, &var)) {
		perror("mode");
		return 1;
	}
	/*
	 * Kernels of Debian 12 and 13 never end the removal of virtio-gpu once its
	 * framebuffer was mapped: fb_defio sets page->mapping of shmem's pages,
	 * and shmem tries to remove them for ever.
	 */
	written = !strncmp(fix.id, "virtio", 6);
	fb = mmap(NULL, fix.smem_len, PROT_READ | PROT_WRITE,
		  written ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED,
		  written ? -1 : fd, 0);
	if (fb == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	top = var.yres / 2;
	for (y = top; y < var.yres; y++) {
		uint32_t *line = (uint32_t *)(fb + y * fix.line_length);

		for (x = 0; x < var.xres; x++)
			line[x] = card_pixel(x, y - top, var.xres,
					     var.yres - top, nonce);
	}
	/* At once: for a single whole line the kernel updates no pixel. */
	size = (var.yres - top) * fix.line_length;
	if (written && pwrite(fd, fb + top * fix.line_length, size,
			      top * fix.line_length) != size) {
		perror("write");
		return 1;
	}
	return 0;
}
