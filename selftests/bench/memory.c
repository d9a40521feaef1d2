// SPDX-License-Identifier: GPL-2.0
/* Mappings of BAR0, and anonymous memory to compare them with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/measures.h"

#define BLOCKS		(SIZE / BLOCK)
#define FULL		(256 * VT_MIB)

uint8_t *map_aligned(int fd, int flags, uint64_t offset, size_t len)
{
	uint8_t *p = mmap(NULL, len + BLOCK, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *aligned;

	if (p == MAP_FAILED)
		fail("mmap", errno);
	aligned = (uint8_t *)(((uintptr_t)p + BLOCK - 1) & ~(BLOCK - 1));
	aligned = mmap(aligned, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
		       fd, offset);
	if (aligned == MAP_FAILED)
		fail("mmap", errno);
	return aligned;
}

/* A device's memory without any driver, as the PCI core has it in sysfs. */
static void memory_get_file(struct memory *memory, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(path, errno);
	memory->map = map_aligned(fd, MAP_SHARED, 0, memory->len);
	close(fd);
}

static void memory_get(struct memory *memory, const char *type, size_t len)
{
	memory->anonymous = !strcmp(type, "anonymous");
	memory->len = len;
	if (memory->anonymous) {
		memory->map = map_aligned(-1, MAP_PRIVATE | MAP_ANONYMOUS, 0,
					  len);
		if (madvise(memory->map, len, MADV_HUGEPAGE))
			missing("no transparent huge pages");
		return;
	}
	memory->file = !!strstr(type, "/resource");
	if (memory->file) {
		memory_get_file(memory, type);
		return;
	}
	start(&memory->dev, type);
	if (!len)
		memory->len = memory->dev.region[BAR0].size;
	memory->map = map_aligned(memory->dev.fd, MAP_SHARED,
				  vt_offset(&memory->dev, BAR0, 0),
				  memory->len);
}

void memory_put(struct memory *memory)
{
	munmap(memory->map, memory->len);
	if (!memory->anonymous && !memory->file)
		vt_end(&memory->dev);
}

void touch(uint8_t *map, size_t len)
{
	volatile uint8_t *p;

	for (p = map; p < map + len; p += PAGE)
		*p = 1;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* What is compared with huge pages must have been given them. */
static void check_huge(const struct memory *memory, long seen)
{
	if (memory->anonymous && seen > (long)(2 * memory->len / BLOCK))
		missing("anonymous memory did not get huge pages");
}

/*
 * The time to do something to SIZE bytes, put together from the medians of
 * every block, so that a tick in one of them does not show.
 */
static double sum_blocks(uint64_t times[BLOCKS][FEW_ROUNDS])
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		sum += median(times[i], FEW_ROUNDS);
	return sum;
}

double measure_first_touch(const char *name, const char *type)
{
	static uint64_t times[BLOCKS][FEW_ROUNDS];
	struct memory memory;
	unsigned int i;
	uint64_t begin;
	int round;
	long seen;

	for (round = -1; round < FEW_ROUNDS; round++) {
		memory_get(&memory, type, SIZE);
		seen = faults();
		for (i = 0; i < BLOCKS; i++) {
			begin = now();
			touch(memory.map + i * BLOCK, BLOCK);
			if (round >= 0)
				times[i][round] = now() - begin;
		}
		check_huge(&memory, faults() - seen);
		memory_put(&memory);
	}
	return sum_blocks(times);
}

/* All of BAR0, counted as if it were FULL bytes. */
double measure_page_faults(const char *name, const char *type)
{
	struct memory memory;
	long before;
	double nr;

	memory_get(&memory, type, 0);
	before = faults();
	touch(memory.map, memory.len);
	nr = faults() - before;
	memory_put(&memory);
	return nr * FULL / memory.len;
}

/* Copies into it, in MiB a second. */
double measure_copy(const char *name, const char *type)
{
	static uint64_t times[BLOCKS][FEW_ROUNDS];
	static uint8_t source[BLOCK];
	struct memory memory;
	unsigned int i;
	uint64_t begin;
	int round;

	memory_get(&memory, type, SIZE);
	touch(memory.map, SIZE);
	memset(source, 1, BLOCK);
	for (round = -1; round < FEW_ROUNDS; round++) {
		for (i = 0; i < BLOCKS; i++) {
			begin = now();
			memcpy(memory.map + i * BLOCK, source, BLOCK);
			if (round >= 0)
				times[i][round] = now() - begin;
		}
	}
	memory_put(&memory);
	return SIZE / VT_MIB * 1e9 / sum_blocks(times);
}

/* In MiB a second. */
double measure_bandwidth(const char *name, const char *type)
{
	static uint64_t times[BLOCKS][FEW_ROUNDS];
	volatile uint64_t *p, *end;
	struct memory memory;
	unsigned int i;
	uint64_t begin;
	int round;
	long seen;

	memory_get(&memory, type, SIZE);
	seen = faults();
	touch(memory.map, SIZE);
	check_huge(&memory, faults() - seen);
	for (round = -1; round < FEW_ROUNDS; round++) {
		for (i = 0; i < BLOCKS; i++) {
			p = (uint64_t *)(memory.map + i * BLOCK);
			end = p + BLOCK / sizeof(*p);
			begin = now();
			while (p < end)
				*p++ = round;
			if (round >= 0)
				times[i][round] = now() - begin;
		}
	}
	memory_put(&memory);
	return SIZE / VT_MIB * 1e9 / sum_blocks(times);
}
