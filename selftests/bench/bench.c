// SPDX-License-Identifier: GPL-2.0
/*
 * bench MEASURE TYPE: measure one thing on a device made from the mdev type
 * with the sysfs directory TYPE, of any driver, and print the figure.  Memory
 * of the program itself stands in for a device where TYPE is "anonymous", and
 * the memory behind a BAR where it is a resource file of a PCI device.
 *
 * Times are in nanoseconds.  What is shown is as a rule the median of several
 * rounds, after one that does not count; a round is short against the timer
 * tick where it can be, so that most rounds see none.
 *
 * Exit status: 0, 1 for an error, 4 for what the device or the kernel does not
 * have.  The reason is on standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/measures.h"

#define EXIT_MISSING	4

void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

void missing(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(EXIT_MISSING);
}

void must(int ret, const char *what)
{
	if (ret < 0)
		fail(what, -ret);
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

double median(uint64_t *values, unsigned int nr)
{
	qsort(values, nr, sizeof(*values), compare);
	return values[nr / 2];
}

void create(const char *type, char uuid[VT_UUID])
{
	vt_uuid(uuid);
	must(vt_write(uuid, "%s/create", type), "create");
}

void start(struct vt_dev *dev, const char *type)
{
	create(type, dev->uuid);
	must(vt_open(dev, dev->uuid), "open");
}

static const struct {
	const char *name;
	double (*measure)(const char *name, const char *type);
} measures[] = {
	{ "config_read32", measure_access },
	{ "bar2_read16", measure_access },
	{ "bar2_write8", measure_access },
	{ "bar4_read32", measure_access },
	{ "pread_4k", measure_access },
	{ "doorbell_ioeventfd", measure_doorbell_ioeventfd },
	{ "doorbell_mmio", measure_doorbell_mmio },
	{ "first_touch", measure_first_touch },
	{ "page_faults", measure_page_faults },
	{ "bandwidth", measure_bandwidth },
	{ "copy", measure_copy },
	{ "plane_query", measure_plane_query },
	{ "dmabuf_get", measure_dmabuf_get },
	{ "dmabuf_new", measure_dmabuf_new },
	{ "dmabuf_map", measure_dmabuf_map },
	{ "picture_map", measure_picture_map },
	{ "create_1", measure_create_beside },
	{ "create_10", measure_create_beside },
	{ "create_500", measure_create_beside },
	{ "create_1000", measure_create_1000 },
	{ "idle_bytes", measure_idle_bytes },
	{ "memcpy", measure_memcpy },
	{ "save_rate", measure_save_rate },
	{ "load_rate", measure_load_rate },
	{ "stop_idle", measure_stop },
	{ "stop_redraw", measure_stop },
	{ "stop_cold", measure_stop },
	{ "stop_cursor", measure_stop },
	{ "redraw", measure_redraw },
	{ "redraw_free", measure_redraw },
};

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 3) {
		fprintf(stderr, "usage: bench MEASURE TYPE\n");
		return EXIT_FAILURE;
	}
	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
		if (strcmp(argv[1], measures[i].name))
			continue;
		printf("%.4f\n", measures[i].measure(argv[1], argv[2]));
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "no measure \"%s\"\n", argv[1]);
	return EXIT_FAILURE;
}
