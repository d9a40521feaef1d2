// SPDX-License-Identifier: GPL-2.0
/*
 * heads [DEVICE]: in a guest, draw on every head of a display device, by DRM's ioctls
 * alone.  Commands come on standard input, one a line; each is answered by lines
 * "heads: ...", the last of which is "heads: COMMAND: ok" or "heads: COMMAND: failed".
 *
 *   list                       what heads there are
 *   edid HEAD                  its EDID, in hexadecimal
 *   show HEAD SEED [WxH]       a new picture, in the preferred mode or in that one
 *   draw HEAD SEED X Y W H     a part of another picture, without telling the device
 *   dirty HEAD X Y W H         tell it
 *   off HEAD
 *   flip HEAD SEED             flip between the pictures SEED and SEED + 1 until...
 *   stop HEAD                  ...now, which leaves the picture SEED, and how many
 *   count HEAD                 how many since the last time
 *   transfer ON                new pictures are transferred to the device (1), or it may
 *                              read them (0, as from the start); virtio-gpu only
 *   cursor HEAD SEED X Y       a cursor, there
 *   move HEAD X Y              it moves
 *   circle HEAD COUNT          it moves so often
 *   hide HEAD
 *   watch SEED                 from now on show that on what is plugged in or resized
 *   suspend                    to RAM, until somebody wakes the guest up
 *   quit
 *
 * HEAD is a number, or "all" for all that are connected.  head_pixel() and
 * cursor_pixel() say what is shown; ../lib/head-picture knows it as well.
 */
#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <drm/virtgpu_drm.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADS		16
#define MODES		256
#define PROPERTIES	64
#define EDID		1024
#define CURSOR		64
/* A flip that has not ended after so long never will. */
#define PATIENCE	60000	/* ms */

/* What virtio-gpu calls XRGB8888, and gallium a 2D texture. */
#define VIRTIO_FORMAT	2
#define TARGET_2D	2

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

struct buffer {
	uint32_t handle, fb, pitch, width, height;
	uint64_t size;
	uint8_t *map;
	int transferred;
};

struct head {
	uint32_t connector, crtc, type, type_id;
	int connected;
	unsigned int nr_modes;
	struct drm_mode_modeinfo preferred;
	uint8_t edid[EDID];
	unsigned int edid_size;

	/* What it shows, if anything; the second buffer is there for flips. */
	int shown, flipping, waiting, front;
	struct drm_mode_modeinfo mode;
	struct buffer buffer[2], cursor;
	unsigned long flips;
	double since;
};

static struct head heads[HEADS];
static unsigned int nr_heads;
static int card;
static int transferring;
static int watching;
static uint32_t watch_seed;

static void say(const char *format, ...)
{
	va_list args;

	printf("heads: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static int fail(const char *what)
{
	say("%s: %s", what, strerror(errno));
	return -1;
}

static int call(unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(card, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

/* The picture: tiles, in each of which the colours change with x and y. */
static uint32_t tile(uint32_t seed, uint32_t head, uint32_t x, uint32_t y)
{
	uint32_t h = seed * 0x9e3779b1 + head * 0x85ebca6b + x * 0xc2b2ae35 +
		     y * 0x27d4eb2f;

	h = (h ^ h >> 15) * 0x2c1b3c6d;
	h = (h ^ h >> 12) * 0x297a2d39;
	return h ^ h >> 15;
}

static uint32_t head_pixel(uint32_t seed, uint32_t head, uint32_t x, uint32_t y)
{
	return (tile(seed, head, x / 16, y / 16) ^ x * 0x000103 ^ y * 0x030100) &
	       0xffffff;
}

/* Transparent at the edge. */
static uint32_t cursor_pixel(uint32_t seed, uint32_t head, uint32_t x, uint32_t y)
{
	if (x < 4 || y < 4 || x >= CURSOR - 4 || y >= CURSOR - 4)
		return 0;
	return 0xff000000 | head_pixel(seed, head, x, y);
}

static int buffer_new(struct buffer *buffer, uint32_t width, uint32_t height,
		      int transferred)
{
	struct drm_mode_create_dumb create = {
		.width = width, .height = height, .bpp = 32,
	};
	struct drm_virtgpu_resource_create resource = {
		.target = TARGET_2D, .format = VIRTIO_FORMAT, .width = width,
		.height = height, .depth = 1, .array_size = 1,
		.size = width * height * 4,
	};
	struct drm_mode_map_dumb map = { 0 };

	*buffer = (struct buffer) {
		.pitch = width * 4, .width = width, .height = height,
		.size = resource.size, .transferred = transferred,
	};
	if (transferred) {
		if (call(DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &resource))
			return fail("create a resource");
		buffer->handle = resource.bo_handle;
	} else {
		if (call(DRM_IOCTL_MODE_CREATE_DUMB, &create))
			return fail("create a buffer");
		buffer->handle = create.handle;
		buffer->pitch = create.pitch;
		buffer->size = create.size;
	}
	map.handle = buffer->handle;
	if (call(DRM_IOCTL_MODE_MAP_DUMB, &map))
		return fail("map a buffer");
	buffer->map = mmap(NULL, buffer->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   card, map.offset);
	if (buffer->map == MAP_FAILED)
		return fail("mmap");
	return 0;
}

static int buffer_add(struct buffer *buffer)
{
	struct drm_mode_fb_cmd2 add = {
		.width = buffer->width, .height = buffer->height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { buffer->handle }, .pitches = { buffer->pitch },
	};

	if (call(DRM_IOCTL_MODE_ADDFB2, &add))
		return fail("add a framebuffer");
	buffer->fb = add.fb_id;
	return 0;
}

static void buffer_free(struct buffer *buffer)
{
	struct drm_mode_destroy_dumb destroy = { .handle = buffer->handle };

	if (buffer->fb && call(DRM_IOCTL_MODE_RMFB, &buffer->fb))
		fail("remove a framebuffer");
	if (buffer->map)
		munmap(buffer->map, buffer->size);
	if (buffer->handle && call(DRM_IOCTL_MODE_DESTROY_DUMB, &destroy))
		fail("destroy a buffer");
	*buffer = (struct buffer) { 0 };
}

static void draw(struct buffer *buffer, uint32_t seed, uint32_t head, uint32_t left,
		 uint32_t top, uint32_t width, uint32_t height)
{
	uint32_t x, y;

	for (y = top; y < top + height && y < buffer->height; y++) {
		uint32_t *line = (uint32_t *)(buffer->map + y * buffer->pitch);

		for (x = left; x < left + width && x < buffer->width; x++)
			line[x] = head_pixel(seed, head, x, y);
	}
}

/* Transfer a part of it, if the device does not read it by itself. */
static int transfer(const struct buffer *buffer, uint32_t x, uint32_t y,
		    uint32_t width, uint32_t height)
{
	struct drm_virtgpu_3d_transfer_to_host to_host = {
		.bo_handle = buffer->handle,
		.box = { .x = x, .y = y, .w = width, .h = height, .d = 1 },
		.offset = y * buffer->pitch + x * 4,
	};

	return buffer->transferred &&
	       call(DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &to_host) ?
		       fail("transfer") : 0;
}

static int transfer_all(const struct buffer *buffer)
{
	return transfer(buffer, 0, 0, buffer->width, buffer->height);
}

static void read_edid(struct head *head, uint32_t blob)
{
	struct drm_mode_get_blob get = { .blob_id = blob };

	/* It comes only if the length is right. */
	if (!blob || call(DRM_IOCTL_MODE_GETPROPBLOB, &get) || get.length > EDID)
		return;
	get.data = (uintptr_t)head->edid;
	if (!call(DRM_IOCTL_MODE_GETPROPBLOB, &get))
		head->edid_size = get.length;
}

/* Ask the device about a connector anew. */
static int probe(struct head *head)
{
	static struct drm_mode_modeinfo modes[MODES];
	uint32_t properties[PROPERTIES], encoders[HEADS];
	uint64_t values[PROPERTIES];
	struct drm_mode_get_connector get = { .connector_id = head->connector };
	struct drm_mode_get_encoder encoder;
	unsigned int i;

	/* Without room for modes the driver asks the device. */
	if (call(DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return fail("get a connector");
	if (get.count_modes > MODES)
		get.count_modes = MODES;
	if (get.count_props > PROPERTIES)
		get.count_props = PROPERTIES;
	if (get.count_encoders > HEADS)
		get.count_encoders = HEADS;
	get.modes_ptr = (uintptr_t)modes;
	get.props_ptr = (uintptr_t)properties;
	get.prop_values_ptr = (uintptr_t)values;
	get.encoders_ptr = (uintptr_t)encoders;
	if (!get.count_modes)
		get.count_modes = 1;
	if (call(DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return fail("get a connector");
	head->connected = get.connection == 1;
	head->type = get.connector_type;
	head->type_id = get.connector_type_id;
	head->nr_modes = head->connected ? get.count_modes : 0;
	for (i = 0; i < head->nr_modes; i++)
		if (modes[i].type & DRM_MODE_TYPE_PREFERRED)
			break;
	if (head->nr_modes)
		head->preferred = modes[i < head->nr_modes ? i : 0];
	head->edid_size = 0;
	for (i = 0; i < get.count_props; i++) {
		struct drm_mode_get_property property = {
			.prop_id = properties[i],
		};

		if (!call(DRM_IOCTL_MODE_GETPROPERTY, &property) &&
		    !strcmp(property.name, "EDID"))
			read_edid(head, values[i]);
	}
	if (head->crtc || !get.count_encoders)
		return 0;
	encoder = (struct drm_mode_get_encoder) { .encoder_id = encoders[0] };
	if (call(DRM_IOCTL_MODE_GETENCODER, &encoder))
		return fail("get an encoder");
	head->crtc = encoder.possible_crtcs;
	return 0;
}

/* Find a mode; what is not in the list is made up. */
static void find_mode(struct head *head, struct drm_mode_modeinfo *mode,
		      unsigned int width, unsigned int height)
{
	static struct drm_mode_modeinfo modes[MODES];
	struct drm_mode_get_connector get = {
		.connector_id = head->connector, .count_modes = MODES,
		.modes_ptr = (uintptr_t)modes,
	};
	unsigned int i;

	if (!call(DRM_IOCTL_MODE_GETCONNECTOR, &get))
		for (i = 0; i < get.count_modes && i < MODES; i++)
			if (modes[i].hdisplay == width &&
			    modes[i].vdisplay == height) {
				*mode = modes[i];
				return;
			}
	*mode = (struct drm_mode_modeinfo) {
		.hdisplay = width, .hsync_start = width + 48,
		.hsync_end = width + 80, .htotal = width + 160,
		.vdisplay = height, .vsync_start = height + 3,
		.vsync_end = height + 7, .vtotal = height + 30, .vrefresh = 60,
		.type = DRM_MODE_TYPE_USERDEF,
	};
	mode->clock = mode->htotal * mode->vtotal * 60 / 1000;
	snprintf(mode->name, sizeof(mode->name), "%ux%u", width, height);
}

static void describe(const struct head *head)
{
	static const char * const names[] = {
		[DRM_MODE_CONNECTOR_VGA] = "VGA",
		[DRM_MODE_CONNECTOR_VIRTUAL] = "Virtual",
	};
	const char *name = head->type < ARRAY_SIZE(names) ? names[head->type] : NULL;
	unsigned int i, bad = 0;
	uint32_t hash = 2166136261u;
	uint8_t sum = 0;

	for (i = 0; i < head->edid_size; i++) {
		hash = (hash ^ head->edid[i]) * 16777619;
		sum += head->edid[i];
		if (i % 128 == 127) {
			bad += !!sum;
			sum = 0;
		}
	}
	if (!head->connected) {
		say("head %d %s-%u disconnected", (int)(head - heads),
		    name ? name : "other", head->type_id);
		return;
	}
	say("head %d %s-%u connected, preferred %ux%u, %u modes, edid %u bytes %08x sum %s",
	    (int)(head - heads), name ? name : "other", head->type_id,
	    head->preferred.hdisplay, head->preferred.vdisplay, head->nr_modes,
	    head->edid_size, hash, bad || head->edid_size % 128 ? "bad" : "good");
}

/* Which CRTC each connector gets, and which connectors there are. */
static int find_heads(void)
{
	uint32_t connectors[HEADS], crtcs[32], used = 0;
	struct drm_mode_card_res get = {
		.count_connectors = HEADS, .connector_id_ptr = (uintptr_t)connectors,
		.count_crtcs = 32, .crtc_id_ptr = (uintptr_t)crtcs,
	};
	unsigned int i, crtc;

	if (call(DRM_IOCTL_MODE_GETRESOURCES, &get))
		return fail("get resources");
	for (i = 0; i < get.count_connectors && i < HEADS; i++) {
		struct head *head = &heads[i];

		head->connector = connectors[i];
		if (probe(head))
			return -1;
		/* It is the mask of all that could be. */
		for (crtc = 0; crtc < get.count_crtcs && crtc < 32; crtc++)
			if (head->crtc & ~used & 1u << crtc)
				break;
		if (crtc >= get.count_crtcs || crtc >= 32) {
			say("head %u has no CRTC", i);
			return -1;
		}
		used |= 1u << crtc;
		head->crtc = crtcs[crtc];
	}
	nr_heads = i;
	return 0;
}

static int do_list(void)
{
	unsigned int i, connected = 0;

	for (i = 0; i < nr_heads; i++) {
		if (probe(&heads[i]))
			return -1;
		describe(&heads[i]);
		connected += heads[i].connected;
	}
	say("%u heads, %u connected", nr_heads, connected);
	return 0;
}

static int do_edid(struct head *head)
{
	unsigned int i;

	printf("heads: edid %d ", (int)(head - heads));
	for (i = 0; i < head->edid_size; i++)
		printf("%02x", head->edid[i]);
	putchar('\n');
	return head->edid_size ? 0 : -1;
}

static int set_crtc(struct head *head, uint32_t fb)
{
	struct drm_mode_crtc set = {
		.crtc_id = head->crtc, .fb_id = fb,
	};

	if (fb) {
		set.set_connectors_ptr = (uintptr_t)&head->connector;
		set.count_connectors = 1;
		set.mode = head->mode;
		set.mode_valid = 1;
	}
	return call(DRM_IOCTL_MODE_SETCRTC, &set) ? fail("set a mode") : 0;
}

static int flip_end(struct head *head);

static int do_show(struct head *head, uint32_t seed, unsigned int width,
		   unsigned int height)
{
	struct buffer old[2] = { head->buffer[0], head->buffer[1] }, new;
	int nr = head - heads;

	if (flip_end(head) || probe(head))
		return -1;
	if (!head->connected) {
		say("head %d is not connected", nr);
		return -1;
	}
	if (width)
		find_mode(head, &head->mode, width, height);
	else
		head->mode = head->preferred;
	width = head->mode.hdisplay;
	height = head->mode.vdisplay;
	if (buffer_new(&new, width, height, transferring) || buffer_add(&new))
		return -1;
	draw(&new, seed, nr, 0, 0, width, height);
	if (transfer_all(&new) || set_crtc(head, new.fb)) {
		buffer_free(&new);
		return -1;
	}
	head->buffer[0] = new;
	head->buffer[1] = (struct buffer) { 0 };
	head->front = 0;
	head->shown = 1;
	/* Only now: a framebuffer that is shown takes its mode with it. */
	buffer_free(&old[0]);
	buffer_free(&old[1]);
	say("head %d shows %u at %ux%u", nr, seed, width, height);
	return 0;
}

static int do_off(struct head *head)
{
	if (flip_end(head) || set_crtc(head, 0))
		return -1;
	buffer_free(&head->buffer[0]);
	buffer_free(&head->buffer[1]);
	head->shown = 0;
	return 0;
}

static int do_dirty(struct head *head, unsigned int x, unsigned int y,
		    unsigned int width, unsigned int height)
{
	struct drm_clip_rect clip = {
		.x1 = x, .y1 = y, .x2 = x + width, .y2 = y + height,
	};
	const struct buffer *buffer = &head->buffer[head->front];
	struct drm_mode_fb_dirty_cmd dirty = {
		.fb_id = buffer->fb, .num_clips = 1, .clips_ptr = (uintptr_t)&clip,
	};

	if (transfer(buffer, x, y, width, height))
		return -1;
	return call(DRM_IOCTL_MODE_DIRTYFB, &dirty) ? fail("dirty") : 0;
}

static int cursor(struct head *head, uint32_t flags, int x, int y, uint32_t handle)
{
	struct drm_mode_cursor2 arg = {
		.flags = flags, .crtc_id = head->crtc, .x = x, .y = y,
		.width = CURSOR, .height = CURSOR, .handle = handle,
	};

	return call(DRM_IOCTL_MODE_CURSOR2, &arg) ? fail("cursor") : 0;
}

/* With all that a picture may need, and the cursor moves. */
static int flip(struct head *head)
{
	const struct buffer *buffer = &head->buffer[!head->front];
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = head->crtc, .fb_id = buffer->fb,
		.flags = DRM_MODE_PAGE_FLIP_EVENT, .user_data = head - heads,
	};

	if (transfer_all(buffer) ||
	    (head->cursor.handle &&
	     cursor(head, DRM_MODE_CURSOR_MOVE, head->flips % 400,
		    head->flips % 300, 0)) ||
	    call(DRM_IOCTL_MODE_PAGE_FLIP, &flip)) {
		head->flipping = 0;
		return fail("flip");
	}
	head->waiting = 1;
	return 0;
}

/* Flips that have ended; with flips that go on. */
static int events(void)
{
	char data[4096];
	ssize_t size = read(card, data, sizeof(data)), at;
	int ret = 0;

	for (at = 0; at + (ssize_t)sizeof(struct drm_event) <= size;) {
		struct drm_event_vblank *event = (void *)(data + at);
		struct head *head;

		if (!event->base.length)
			break;
		at += event->base.length;
		if (event->base.type != DRM_EVENT_FLIP_COMPLETE ||
		    event->user_data >= nr_heads)
			continue;
		head = &heads[event->user_data];
		head->waiting = 0;
		head->flips++;
		head->front = !head->front;
		if (head->flipping)
			ret |= flip(head);
	}
	return ret;
}

static int wait_for_flip(struct head *head)
{
	while (head->waiting) {
		struct pollfd pollfd = { .fd = card, .events = POLLIN };

		if (poll(&pollfd, 1, PATIENCE) != 1) {
			say("head %d: a flip does not end", (int)(head - heads));
			return -1;
		}
		events();
	}
	return 0;
}

static int flip_end(struct head *head)
{
	head->flipping = 0;
	return wait_for_flip(head);
}

static int do_flip(struct head *head, uint32_t seed)
{
	struct buffer *buffer = head->buffer;
	int nr = head - heads;

	if (!head->shown || head->flipping) {
		say("head %d %s", nr, head->shown ? "flips" : "shows nothing");
		return -1;
	}
	if (head->front) {
		struct buffer swap = buffer[0];

		buffer[0] = buffer[1];
		buffer[1] = swap;
		head->front = 0;
	}
	if (!buffer[1].handle &&
	    (buffer_new(&buffer[1], buffer->width, buffer->height,
			buffer->transferred) ||
	     buffer_add(&buffer[1])))
		return -1;
	draw(&buffer[0], seed, nr, 0, 0, buffer->width, buffer->height);
	draw(&buffer[1], seed + 1, nr, 0, 0, buffer->width, buffer->height);
	head->flips = 0;
	head->since = now();
	head->flipping = 1;
	return flip(head);
}

static int do_count(struct head *head)
{
	double seconds = now() - head->since;

	if (!head->flipping) {
		say("head %d does not flip", (int)(head - heads));
		return -1;
	}
	say("head %d: %lu flips in %.2f s, %.1f/s", (int)(head - heads),
	    head->flips, seconds, head->flips / seconds);
	head->flips = 0;
	head->since += seconds;
	return 0;
}

static int do_stop(struct head *head)
{
	if (do_count(head) || flip_end(head))
		return -1;
	/* One more, if the other picture is in front. */
	return head->front && (flip(head) || wait_for_flip(head)) ? -1 : 0;
}

static int do_cursor(struct head *head, uint32_t seed, int x, int y)
{
	struct buffer new, old = head->cursor;
	int nr = head - heads;
	unsigned int i;

	/*
	 * A new one, as drivers may look only at the first picture of each.  Not
	 * transferred: the driver would not wait for that.
	 */
	if (buffer_new(&new, CURSOR, CURSOR, 0))
		return -1;
	for (i = 0; i < CURSOR * CURSOR; i++) {
		uint32_t *line = (uint32_t *)(new.map + i / CURSOR * new.pitch);

		line[i % CURSOR] = cursor_pixel(seed, nr, i % CURSOR, i / CURSOR);
	}
	head->cursor = new;
	if (cursor(head, DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE, x, y,
		   new.handle))
		return -1;
	buffer_free(&old);
	return 0;
}

static int do_circle(struct head *head, unsigned int count)
{
	double began = now();
	unsigned int i;

	for (i = 0; i < count; i++)
		if (cursor(head, DRM_MODE_CURSOR_MOVE, i % 400, i % 300, 0))
			return -1;
	say("head %d: %u moves in %.2f s", (int)(head - heads), count,
	    now() - began);
	return 0;
}

static int do_hide(struct head *head)
{
	if (cursor(head, DRM_MODE_CURSOR_BO, 0, 0, 0))
		return -1;
	buffer_free(&head->cursor);
	return 0;
}

static int do_suspend(void)
{
	int fd = open("/sys/power/state", O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, "mem", 3) != 3 ? fail("suspend") : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static int plugged(int socket)
{
	char text[8192];
	ssize_t size = recv(socket, text, sizeof(text) - 1, MSG_DONTWAIT), at;
	unsigned int i;

	if (size <= 0 || !watching)
		return 0;
	text[size] = '\0';
	for (at = 0; at < size; at += strlen(text + at) + 1)
		if (!strcmp(text + at, "HOTPLUG=1"))
			break;
	if (at >= size)
		return 0;
	say("hotplug");
	for (i = 0; i < nr_heads; i++) {
		struct head *head = &heads[i];

		if (probe(head))
			return -1;
		if (!head->connected) {
			if (head->shown && !do_off(head))
				say("head %u is off", i);
		} else if (!head->shown ||
			   head->mode.hdisplay != head->preferred.hdisplay ||
			   head->mode.vdisplay != head->preferred.vdisplay) {
			do_show(head, watch_seed, 0, 0);
		}
	}
	return 0;
}

enum { LIST, EDID_OF, SHOW, DRAW, DIRTY, OFF, FLIP, STOP, COUNT, TRANSFER, CURSOR_AT,
	MOVE, CIRCLE, HIDE, WATCH, SUSPEND, QUIT };

/* Each with the least number of words it takes. */
static const struct {
	const char *name;
	int words, head;
} commands[] = {
	[LIST] = { "list", 1, 0 },
	[EDID_OF] = { "edid", 2, 1 },
	[SHOW] = { "show", 3, 1 },
	[DRAW] = { "draw", 7, 1 },
	[DIRTY] = { "dirty", 6, 1 },
	[OFF] = { "off", 2, 1 },
	[FLIP] = { "flip", 3, 1 },
	[STOP] = { "stop", 2, 1 },
	[COUNT] = { "count", 2, 1 },
	[TRANSFER] = { "transfer", 2, 0 },
	[CURSOR_AT] = { "cursor", 5, 1 },
	[MOVE] = { "move", 4, 1 },
	[CIRCLE] = { "circle", 3, 1 },
	[HIDE] = { "hide", 2, 1 },
	[WATCH] = { "watch", 2, 0 },
	[SUSPEND] = { "suspend", 1, 0 },
	[QUIT] = { "quit", 1, 0 },
};

static int one(unsigned int command, struct head *head, int words, char **word)
{
	unsigned int width = 0, height = 0;
	long n[7] = { 0 };
	int i;

	for (i = 2; i < words && i < 7; i++)
		n[i] = strtol(word[i], NULL, 0);
	switch (command) {
	case EDID_OF:
		return do_edid(head);
	case SHOW:
		if (words > 3 && sscanf(word[3], "%ux%u", &width, &height) != 2)
			return -1;
		return do_show(head, n[2], width, height);
	case OFF:
		return do_off(head);
	case STOP:
		return do_stop(head);
	case COUNT:
		return do_count(head);
	case CURSOR_AT:
		return do_cursor(head, n[2], n[3], n[4]);
	case MOVE:
		return cursor(head, DRM_MODE_CURSOR_MOVE, n[2], n[3], 0);
	case CIRCLE:
		return do_circle(head, n[2]);
	case HIDE:
		return do_hide(head);
	case FLIP:
		return do_flip(head, n[2]);
	}
	if (!head->shown) {
		say("head %d shows nothing", (int)(head - heads));
		return -1;
	}
	if (command == DIRTY)
		return do_dirty(head, n[2], n[3], n[4], n[5]);
	draw(&head->buffer[head->front], n[2], head - heads, n[3], n[4], n[5], n[6]);
	return 0;
}

static int run(unsigned int command, int words, char **word)
{
	unsigned int i;
	int ret = 0;

	if (words < commands[command].words) {
		say("%s takes more", word[0]);
		return -1;
	}
	if (command == LIST)
		return do_list();
	if (command == WATCH) {
		watch_seed = strtoul(word[1], NULL, 0);
		watching = 1;
		return 0;
	}
	if (command == SUSPEND)
		return do_suspend();
	if (command == TRANSFER)
		transferring = strtoul(word[1], NULL, 0);
	if (!commands[command].head)
		return 0;
	if (strcmp(word[1], "all")) {
		i = strtoul(word[1], NULL, 0);
		if (i >= nr_heads) {
			say("no head %u", i);
			return -1;
		}
		return one(command, &heads[i], words, word);
	}
	for (i = 0; i < nr_heads; i++)
		if (heads[i].connected)
			ret |= one(command, &heads[i], words, word);
	return ret;
}

/* Return whether to go on. */
static int line(char *text)
{
	char *word[8];
	unsigned int i;
	int words = 0;

	for (text = strtok(text, " \t\r\n"); text && words < 8;
	     text = strtok(NULL, " \t\r\n"))
		word[words++] = text;
	if (!words)
		return 1;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word[0], commands[i].name))
			break;
	say("%s: %s", word[0], i < ARRAY_SIZE(commands) &&
	    !run(i, words, word) ? "ok" : "failed");
	return i != QUIT;
}

static int open_card(const char *path)
{
	static char name[64];
	struct drm_version version = { .name = name, .name_len = sizeof(name) - 1 };

	card = open(path, O_RDWR | O_CLOEXEC);
	if (card < 0)
		return fail(path);
	if (call(DRM_IOCTL_VERSION, &version))
		return fail("version");
	if (call(DRM_IOCTL_SET_MASTER, NULL))
		return fail("master");
	say("%s is %s %d.%d.%d", path, name, version.version_major,
	    version.version_minor, version.version_patchlevel);
	return 0;
}

static int open_uevents(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (void *)&address, sizeof(address)))
		return fail("uevents");
	return fd;
}

int main(int argc, char **argv)
{
	char text[256];
	unsigned int used = 0;
	int uevents;

	if (open_card(argc > 1 ? argv[1] : "/dev/dri/card0"))
		return 1;
	uevents = open_uevents();
	if (uevents < 0 || find_heads() || do_list())
		return 1;
	say("ready");
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = 0, .events = POLLIN },
			{ .fd = card, .events = POLLIN },
			{ .fd = uevents, .events = POLLIN },
		};
		char *end;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return 1;
		if (fds[1].revents & POLLIN)
			events();
		if (fds[2].revents & POLLIN)
			plugged(uevents);
		if (!fds[0].revents)
			continue;
		/* One at a time: what comes after "quit" is for somebody else. */
		if (read(0, text + used, 1) != 1)
			return 0;
		end = text + used++;
		if (*end != '\n' && used < sizeof(text) - 1)
			continue;
		*(end + (*end != '\n')) = '\0';
		used = 0;
		if (!line(text))
			return 0;
	}
}
