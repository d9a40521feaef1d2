// SPDX-License-Identifier: GPL-2.0
/*
 * pattern STOP RESOURCE...: in a guest, write to the memory of vGPUs and check
 * what was written before, without end, until the file STOP is there.  Each
 * RESOURCE is a resource0 in sysfs.  What must be in which part of it is known to
 * the guest's memory alone, so the two must have moved at the same time.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* After so many parts it sleeps: what moves the guest wants to run, too. */
#define BURST	16
#define PAUSE	20000	/* us */
/* Behind what a driver puts there. */
#define BEGIN	(32UL << 20)
#define SIZE	(8UL << 20)
#define PART	(16UL << 10)
#define PARTS	(SIZE / PART)
#define WORDS	(PART / 4)
#define VGPUS	4

static volatile uint32_t *map[VGPUS];
static uint32_t times[VGPUS][PARTS];

static uint32_t word(unsigned int vgpu, unsigned int part, unsigned int i)
{
	return (times[vgpu][part] * 0x9e3779b1 + part * 0x85ebca6b + vgpu) ^
	       i * 0xc2b2ae35;
}

/* Words that are not what they must be. */
static unsigned int check(unsigned int vgpu, unsigned int part)
{
	volatile uint32_t *p = map[vgpu] + part * WORDS;
	unsigned int bad = 0, i;

	for (i = 0; times[vgpu][part] && i < WORDS; i++)
		bad += p[i] != word(vgpu, part, i);
	return bad;
}

static void fill(unsigned int vgpu, unsigned int part)
{
	volatile uint32_t *p = map[vgpu] + part * WORDS;
	unsigned int i;

	times[vgpu][part]++;
	for (i = 0; i < WORDS; i++)
		p[i] = word(vgpu, part, i);
}

int main(int argc, char **argv)
{
	unsigned int nr = 0, vgpu, part, seed = 1;
	unsigned long bad = 0, fills = 0;

	for (; nr < VGPUS && (int)nr < argc - 2; nr++) {
		int fd = open(argv[nr + 2], O_RDWR);

		map[nr] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, BEGIN);
		if (fd < 0 || map[nr] == MAP_FAILED) {
			perror(argv[nr + 2]);
			return 1;
		}
	}
	if (!nr)
		return 1;
	while (access(argv[1], F_OK)) {
		vgpu = rand_r(&seed) % nr;
		part = rand_r(&seed) % PARTS;
		bad += check(vgpu, part);
		fill(vgpu, part);
		if (!(++fills % BURST))
			usleep(PAUSE);
	}
	for (vgpu = 0; vgpu < nr; vgpu++)
		for (part = 0; part < PARTS; part++)
			bad += check(vgpu, part);
	printf("pattern: %lu parts written, %lu words bad\n", fills, bad);
	return !!bad;
}
