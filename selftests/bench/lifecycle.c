// SPDX-License-Identifier: GPL-2.0
/* Making devices, and what they take while nobody uses them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measures.h"

#define MANY		1000
#define WARM_UP		200
#define MANY_ROUNDS	255

static uint64_t create_time(int fd, const char *uuid)
{
	uint64_t begin = now();

	if (pwrite(fd, uuid, VT_UUID - 1, 0) != VT_UUID - 1)
		fail("create", errno);
	return now() - begin;
}

static int create_open(const char *type)
{
	char path[VT_PATH];
	int fd;

	snprintf(path, sizeof(path), "%s/create", type);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path, errno);
	return fd;
}

/* Free memory in bytes, with what processors keep at hand. */
static long long free_memory(void)
{
	long long pages = 0, count;
	char line[128];
	FILE *file;

	file = fopen("/proc/zoneinfo", "r");
	if (!file)
		fail("/proc/zoneinfo", errno);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %lld", &count) == 1)
			pages += count;
	fclose(file);
	return vt_meminfo("MemFree") * 1024 + pages * PAGE;
}

static char uuids[MANY][VT_UUID];

static void make_uuids(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		vt_uuid(uuids[i]);
}

/* The sum of @nr in a row. */
static double create_row(int fd, unsigned int nr)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		sum += create_time(fd, uuids[i]);
	return sum;
}

static void remove_row(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		must(vt_remove(uuids[i]), "remove");
}

/* The kernel's caches are in another state once there were many, or a few. */
static int create_start(const char *type)
{
	long long nr = vt_read_number("%s/available_instances", type);
	int fd = create_open(type);

	must(nr, "available_instances");
	if (nr > WARM_UP)
		nr = WARM_UP;
	make_uuids(nr);
	create_row(fd, nr);
	remove_row(nr);
	vt_settle();
	return fd;
}

/*
 * Beside as many others as the name says, itself not counted when that is 1.
 * The mean: creating comes in two lengths some 3 % apart, and a median would
 * jump from one to the other.
 */
double measure_create_beside(const char *name, const char *type)
{
	unsigned int others = atoi(name + strlen("create_"));
	int fd = create_start(type);
	char uuid[VT_UUID];
	double sum = 0;
	int round;

	if (others == 1)
		others = 0;
	make_uuids(others);
	create_row(fd, others);
	for (round = 0; round < MANY_ROUNDS; round++) {
		vt_uuid(uuid);
		sum += create_time(fd, uuid);
		must(vt_remove(uuid), "remove");
		/*
		 * What is freed later is not to be in the next round, and
		 * rounds are not to keep step with the timer tick.
		 */
		usleep(20000 + 61 * (round % 64));
	}
	remove_row(others);
	close(fd);
	return sum / MANY_ROUNDS;
}

static void create_many(const char *type, double *time, double *bytes)
{
	int fd = create_start(type);
	long long before;

	make_uuids(MANY);
	before = free_memory();
	*time = create_row(fd, MANY) / MANY;
	vt_settle();
	*bytes = (double)(before - free_memory()) / MANY;
	remove_row(MANY);
	close(fd);
}

double measure_create_1000(const char *name, const char *type)
{
	double time, bytes;

	create_many(type, &time, &bytes);
	return time;
}

double measure_idle_bytes(const char *name, const char *type)
{
	double time, bytes;

	create_many(type, &time, &bytes);
	return bytes;
}
