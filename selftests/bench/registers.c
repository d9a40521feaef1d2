// SPDX-License-Identifier: GPL-2.0
/* Accesses to registers and regions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measures.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

struct access {
	const char *name;
	unsigned int region;
	uint64_t pos;
	size_t len;
	bool write;
	uint32_t value;
};

static const struct access accesses[] = {
	{ "config_read32", CONFIG, 0, 4 },
	{ "bar2_read16", BAR2, VGPU_BAR2_DISPI + 2 * VGPU_DISPI_ID, 2 },
	/* What bochs-drm does to show the picture. */
	{ "bar2_write8", BAR2, VGPU_VGA_ATT, 1, true, VGPU_VGA_ATT_ENABLE },
	{ "bar4_read32", BAR4, VGPU_REG_MAGIC, 4 },
	{ "pread_4k", BAR0, 0, PAGE },
};

static double access_time(const struct access *access, const char *type)
{
	uint64_t begin, times[ROUNDS], pos;
	static char buf[PAGE];
	struct vt_dev dev;
	ssize_t n = 0;
	int i, round;

	start(&dev, type);
	pos = vt_offset(&dev, access->region, access->pos);
	memcpy(buf, &access->value, sizeof(access->value));
	/* Memory that was never written to is not there to be read. */
	if (access->region == BAR0)
		vt_pwrite(&dev, BAR0, 0, buf, sizeof(buf));
	for (round = -1; round < ROUNDS; round++) {
		begin = now();
		for (i = 0; i < BATCH; i++) {
			if (access->write)
				n = pwrite(dev.fd, buf, access->len, pos);
			else
				n = pread(dev.fd, buf, access->len, pos);
			if (n != (ssize_t)access->len)
				fail(access->name, n < 0 ? errno : EIO);
		}
		if (round >= 0)
			times[round] = now() - begin;
	}
	vt_end(&dev);
	return median(times, ROUNDS) / BATCH;
}

double measure_access(const char *name, const char *type)
{
	unsigned int i;

	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		if (!strcmp(name, accesses[i].name))
			return access_time(&accesses[i], type);
	fprintf(stderr, "no access \"%s\"\n", name);
	exit(EXIT_FAILURE);
}
