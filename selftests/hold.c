// SPDX-License-Identifier: GPL-2.0
/* hold UUID: open a vGPU, say so, and hold it until killed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/vgpu_test.h"

int main(int argc, char **argv)
{
	struct vt_dev dev;
	int ret;

	ret = argc == 2 ? vt_open(&dev, argv[1]) : -1;
	if (ret) {
		fprintf(stderr, "hold: %s\n", strerror(-ret));
		return 1;
	}
	puts("open");
	fflush(stdout);
	pause();
	return 0;
}
