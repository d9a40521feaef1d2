// SPDX-License-Identifier: GPL-2.0
/* How fast a vGPU's state leaves and arrives, and for how long it stands still. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vgpu_migrate.h"
#include "bench/measures.h"

/* What a VMM reads and writes at a time. */
#define STEP		VT_MIB
/* What a guest redraws in a second. */
#define REDRAWN		(8 * VT_MIB)
/* What a blinking cursor changes: so many lines of that many bytes. */
#define CURSOR_LINES	16
#define CURSOR_BYTES	32
#define PITCH		4096

static uint8_t buf[STEP];

static void must_set(struct vt_dev *dev, unsigned int state, int *fd)
{
	must(vt_mig_set(dev, state, fd), "state");
}

/* All that can be read now, not to be kept; in bytes. */
static uint64_t drain(int fd)
{
	uint64_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += n;
	if (n < 0 && errno != ENOMSG)
		fail("read", errno);
	return sum;
}

/* A device of which no page is zero, and if need be one that has PRE_COPY. */
static uint8_t *start_full(struct vt_dev *dev, const char *type, size_t *len,
			   bool precopy)
{
	uint8_t *map;

	start(dev, type);
	if (precopy && !vt_mig_precopy(dev))
		missing("no PRE_COPY");
	*len = dev->region[BAR0].size;
	map = map_aligned(dev->fd, MAP_SHARED, vt_offset(dev, BAR0, 0), *len);
	touch(map, *len);
	return map;
}

/* In MiB a second, of memory that is there already. */
double measure_memcpy(const char *name, const char *type)
{
	uint64_t times[FEW_ROUNDS], begin;
	uint8_t *source = map_aligned(-1, MAP_PRIVATE | MAP_ANONYMOUS, 0, SIZE);
	unsigned int i;
	int round;

	touch(source, SIZE);
	touch(buf, sizeof(buf));
	for (round = -1; round < FEW_ROUNDS; round++) {
		begin = now();
		for (i = 0; i < SIZE / STEP; i++)
			memcpy(buf, source + i * STEP, STEP);
		if (round >= 0)
			times[round] = now() - begin;
	}
	munmap(source, SIZE);
	return SIZE / VT_MIB * 1e9 / median(times, FEW_ROUNDS);
}

/* Reads of all of a framebuffer, in MiB a second. */
double measure_save_rate(const char *name, const char *type)
{
	uint64_t times[FEW_ROUNDS], begin;
	struct vt_dev dev;
	uint8_t *map;
	size_t len;
	int round, fd;

	map = start_full(&dev, type, &len, false);
	for (round = -1; round < FEW_ROUNDS; round++) {
		must_set(&dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
		begin = now();
		if (drain(fd) < len)
			fail("stream", EIO);
		if (round >= 0)
			times[round] = now() - begin;
		close(fd);
		must_set(&dev, VFIO_DEVICE_STATE_RUNNING, NULL);
	}
	munmap(map, len);
	vt_end(&dev);
	return len / VT_MIB * 1e9 / median(times, FEW_ROUNDS);
}

/* Writes of the same. */
double measure_load_rate(const char *name, const char *type)
{
	uint64_t times[FEW_ROUNDS], begin;
	struct vt_stream stream = { };
	struct vt_dev dev;
	uint8_t *map;
	size_t len, at, n;
	int round, fd;

	map = start_full(&dev, type, &len, false);
	must(vt_save(&dev, &stream), "save");
	for (round = -1; round < FEW_ROUNDS; round++) {
		must_set(&dev, VFIO_DEVICE_STATE_RESUMING, &fd);
		/* Memory that is there already, as that of the reference is. */
		touch(map, len);
		begin = now();
		for (at = 0; at < stream.len; at += n) {
			n = stream.len - at < STEP ? stream.len - at : STEP;
			if (write(fd, stream.data + at, n) != (ssize_t)n)
				fail("write", errno);
		}
		if (round >= 0)
			times[round] = now() - begin;
		close(fd);
		must_set(&dev, VFIO_DEVICE_STATE_RUNNING, NULL);
	}
	free(stream.data);
	munmap(map, len);
	vt_end(&dev);
	return len / VT_MIB * 1e9 / median(times, FEW_ROUNDS);
}

/*
 * From the moment that a device is asked to stop until all of it is sent: idle,
 * with a second of drawing or a blink since it was sent last, or never sent before
 * (cold).
 */
double measure_stop(const char *name, const char *type)
{
	bool cold = !strcmp(name, "stop_cold");
	bool redraw = !strcmp(name, "stop_redraw");
	bool cursor = !strcmp(name, "stop_cursor");
	uint64_t times[FEW_ROUNDS], begin;
	struct vt_dev dev;
	uint8_t *map;
	size_t len;
	int round, line, fd;

	map = start_full(&dev, type, &len, !cold);
	for (round = -1; round < FEW_ROUNDS; round++) {
		if (!cold) {
			must_set(&dev, VFIO_DEVICE_STATE_PRE_COPY, &fd);
			drain(fd);
		}
		if (redraw)
			touch(map, REDRAWN);
		for (line = 0; cursor && line < CURSOR_LINES; line++)
			memset(map + REDRAWN + line * PITCH, round + 2,
			       CURSOR_BYTES);
		begin = now();
		must_set(&dev, VFIO_DEVICE_STATE_STOP_COPY, cold ? &fd : NULL);
		drain(fd);
		if (round >= 0)
			times[round] = now() - begin;
		close(fd);
		must_set(&dev, VFIO_DEVICE_STATE_RUNNING, NULL);
	}
	munmap(map, len);
	vt_end(&dev);
	return median(times, FEW_ROUNDS);
}

/* How long a guest draws for a second: while that is noticed, or not (free). */
double measure_redraw(const char *name, const char *type)
{
	bool noticed = strcmp(name, "redraw_free");
	uint64_t times[FEW_ROUNDS], begin;
	struct vt_dev dev;
	uint8_t *map;
	size_t len;
	int round, fd;

	map = start_full(&dev, type, &len, noticed);
	if (noticed)
		must_set(&dev, VFIO_DEVICE_STATE_PRE_COPY, &fd);
	for (round = -1; round < FEW_ROUNDS; round++) {
		if (noticed)
			drain(fd);
		begin = now();
		memset(map, round + 2, REDRAWN);
		if (round >= 0)
			times[round] = now() - begin;
	}
	if (noticed)
		close(fd);
	munmap(map, len);
	vt_end(&dev);
	return median(times, FEW_ROUNDS);
}
