// SPDX-License-Identifier: GPL-2.0
/* The file "screen": what heads show, as the host's administrator sees it. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/vgpu_test.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define XRGB8888	('X' | 'R' << 8 | '2' << 16 | '4' << 24)
#define ARGB8888	('A' | 'R' << 8 | '2' << 16 | '4' << 24)
#define RGB565		('R' | 'G' << 8 | '1' << 16 | '6' << 24)
#define RGB888		('R' | 'G' << 8 | '2' << 16 | '4' << 24)
#define XRGB1555	('X' | 'R' << 8 | '1' << 16 | '5' << 24)
/* No wait is longer, in nanoseconds; with time for an emulated host. */
#define LONG		5000000000ULL

FIXTURE(screen)
{
	struct vt_gpu gpu;
	struct vt_dev dev;
	char uuid[VT_UUID];
	char path[VT_PATH];
	int fd;
	uint8_t *buf;
};

FIXTURE_SETUP(screen)
{
	ASSERT_EQ(0, vt_gpu_add(&self->gpu, "128M", "64Q,64V"));
	vt_uuid(self->uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "64Q", self->uuid));
	snprintf(self->path, sizeof(self->path),
		 "/sys/bus/mdev/devices/%s/vgpu/screen", self->uuid);
	self->fd = open(self->path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	self->buf = malloc(16 * VT_MIB);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(screen)
{
	free(self->buf);
	close(self->fd);
	vt_remove(self->uuid);
	vt_gpu_del(&self->gpu);
}

/* The header of a head, in the CPU's byte order; 0 or a negative errno. */
static int get_header(int fd, uint32_t head, struct vgpu_screen *header)
{
	uint8_t page[VGPU_SCREEN_HEADER];
	uint32_t *word = (uint32_t *)header;
	ssize_t ret = pread(fd, page, sizeof(page), VGPU_SCREEN_HEAD(head));
	size_t i;

	if (ret != sizeof(page))
		return ret < 0 ? -errno : -ENODATA;
	if (!vt_is_zero(page + sizeof(*header), sizeof(page) - sizeof(*header)))
		return -EBADMSG;
	memcpy(header, page, sizeof(*header));
	for (i = 0; i < sizeof(*header) / 4; i++)
		word[i] = le32toh(word[i]);
	if (header->magic != VGPU_SCREEN_MAGIC ||
	    header->version != VGPU_SCREEN_VERSION || header->head != head)
		return -EBADMSG;
	return 0;
}

/* Up to @len bytes of a head's part of the file; how many, or a negative errno. */
static ssize_t get(int fd, uint32_t head, uint64_t pos, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t ret = 1;

	while (done < len && ret) {
		ret = pread(fd, buf + done, len - done,
			    VGPU_SCREEN_HEAD(head) + pos + done);
		if (ret < 0)
			return -errno;
		done += ret;
	}
	return done;
}

static void dark(struct __test_metadata *_metadata, int fd, uint32_t head)
{
	struct vgpu_screen header, want = {
		.magic = VGPU_SCREEN_MAGIC,
		.version = VGPU_SCREEN_VERSION,
		.head = head,
		.num_heads = 4,
	};
	uint8_t byte;

	ASSERT_EQ(0, get_header(fd, head, &header));
	EXPECT_EQ(0, memcmp(&header, &want, sizeof(want)));
	EXPECT_EQ(0, get(fd, head, VGPU_SCREEN_HEADER, &byte, 1));
}

TEST_F(screen, shows_nothing)
{
	struct vt_dev *dev = &self->dev;
	struct vgpu_screen header;
	uint32_t head;

	for (head = 0; head < 4; head++)
		dark(_metadata, self->fd, head);
	EXPECT_EQ(-EINVAL, get_header(self->fd, 4, &header));
	EXPECT_EQ(-EINVAL, get_header(self->fd, 1 << 20, &header));
	ASSERT_EQ(0, vt_open(dev, self->uuid));
	for (head = 0; head < 4; head++)
		dark(_metadata, self->fd, head);
	EXPECT_EQ(-EINVAL, get_header(self->fd, 4, &header));

	/* A cursor alone is not looked at, either. */
	vt_reg_set(dev, VGPU_REG_HEAD(1) + VGPU_HEAD_CURSOR_SIZE, 64 | 64 << 16);
	vt_reg_set(dev, VGPU_REG_HEAD(1) + VGPU_HEAD_CURSOR_COMMIT, 1);
	dark(_metadata, self->fd, 1);

	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 2, 640, 480, 0));
	ASSERT_EQ(0, get_header(self->fd, 2, &header));
	EXPECT_EQ(640, header.width);
	ASSERT_EQ(0, vt_reset(dev));
	dark(_metadata, self->fd, 2);
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 2, 640, 480, 0));
	vt_close(dev);
	dark(_metadata, self->fd, 2);
}

TEST_F(screen, private)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, stat(self->path, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	ASSERT_EQ(0, seteuid(65534));
	fd = open(self->path, O_RDONLY);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, seteuid(0));
}

TEST_F(screen, heads)
{
	struct vt_dev *dev = &self->dev;
	struct vgpu_screen header;
	uint8_t part[200];
	uint32_t head;
	size_t len;

	ASSERT_EQ(0, vt_open(dev, self->uuid));
	for (head = 0; head < 4; head++) {
		len = (1000 + head) * 4 * (700 - head);
		vt_fill(self->buf, len, head + 1);
		ASSERT_EQ(len, vt_pwrite(dev, BAR0, head * 8 * VT_MIB,
					 self->buf, len));
		ASSERT_EQ(VGPU_HEAD_ON,
			  vt_head_mode(dev, head, 1000 + head, 700 - head,
				       head * 8 * VT_MIB));
	}
	for (head = 0; head < 4; head++) {
		ASSERT_EQ(0, get_header(self->fd, head, &header));
		EXPECT_EQ(4, header.num_heads);
		EXPECT_EQ(XRGB8888, header.format);
		EXPECT_EQ(1000 + head, header.width);
		EXPECT_EQ(700 - head, header.height);
		EXPECT_EQ((1000 + head) * 4, header.pitch);
		EXPECT_EQ(VGPU_SCREEN_HEADER, header.start);
		EXPECT_EQ(0, header.cursor_format);
		EXPECT_EQ(0, header.cursor_start);
		/* No more than the picture is there. */
		len = header.pitch * header.height;
		ASSERT_EQ(len, get(self->fd, head, header.start, self->buf,
				   len + 4096));
		EXPECT_EQ(-1, vt_differs(self->buf, len, head + 1));
		EXPECT_EQ(0, get(self->fd, head, header.start + len, part, 1));
		EXPECT_EQ(0, get(self->fd, head, VGPU_SCREEN_HEAD(1) - 1, part,
				 1));
		/* From the middle of the header into the picture. */
		memset(part, 0xa5, sizeof(part));
		ASSERT_EQ(sizeof(part), get(self->fd, head, header.start - 100,
					    part, sizeof(part)));
		EXPECT_TRUE(vt_is_zero(part, 100));
		EXPECT_EQ(0, memcmp(part + 100, self->buf, 100));
		/* And a part of what the header says. */
		ASSERT_EQ(8, get(self->fd, head,
				 offsetof(struct vgpu_screen, width), part, 8));
		EXPECT_EQ(0, memcmp(part, &header.width, 8));
	}
	vt_close(dev);
}

TEST_F(screen, cursor)
{
	const uint32_t head = VGPU_REG_HEAD(3), picture = 801 * 4 * 600;
	struct vt_dev *dev = &self->dev;
	struct vgpu_screen header;
	size_t len;

	ASSERT_EQ(0, vt_open(dev, self->uuid));
	vt_fill(self->buf, 64 * 32 * 4, 9);
	ASSERT_EQ(64 * 32 * 4, vt_pwrite(dev, BAR0, 16 * VT_MIB, self->buf,
					 64 * 32 * 4));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 3, 801, 600, 0));
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_SIZE, 64 | 32 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_OFFSET_LO, 16 * VT_MIB);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_HOTSPOT, 3 | 5 << 16);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 1);
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_POSITION,
		   100 | (uint32_t)-7 << 16);
	ASSERT_EQ(0, get_header(self->fd, 3, &header));
	EXPECT_EQ(ARGB8888, header.cursor_format);
	EXPECT_EQ(64, header.cursor_width);
	EXPECT_EQ(32, header.cursor_height);
	EXPECT_EQ(256, header.cursor_pitch);
	EXPECT_EQ(100, header.cursor_x);
	EXPECT_EQ(-7, (int32_t)header.cursor_y);
	EXPECT_EQ(3, header.cursor_hot_x);
	EXPECT_EQ(5, header.cursor_hot_y);
	EXPECT_EQ(0, header.cursor_start % 4096);
	EXPECT_LE(header.start + picture, header.cursor_start);
	EXPECT_GT(header.start + picture + 4096, header.cursor_start);
	/* The picture, zeroes, the cursor, and no more. */
	len = header.cursor_start + 64 * 32 * 4;
	ASSERT_EQ(len - header.start, get(self->fd, 3, header.start, self->buf,
					  len));
	EXPECT_TRUE(vt_is_zero(self->buf, header.cursor_start - header.start));
	EXPECT_EQ(-1, vt_differs(self->buf + header.cursor_start - header.start,
				 64 * 32 * 4, 9));
	vt_reg_set(dev, head + VGPU_HEAD_CURSOR_COMMIT, 0);
	ASSERT_EQ(0, get_header(self->fd, 3, &header));
	EXPECT_EQ(0, header.cursor_format);
	EXPECT_EQ(0, header.cursor_x);
	vt_close(dev);
}

/* Modes of bochs-drm, which pans as well. */
TEST_F(screen, formats)
{
	static const struct {
		uint16_t bpp;
		uint32_t format;
	} formats[] = {
		{ 15, XRGB1555 }, { 16, RGB565 }, { 24, RGB888 },
		{ 32, XRGB8888 },
	};
	struct vt_dev *dev = &self->dev;
	struct vgpu_screen header;
	uint32_t i, line, pos;
	size_t len;

	/* To pan at once, and not with the next frame. */
	ASSERT_EQ(0, vt_params(self->uuid, "frame_rate_limiter=0"));
	ASSERT_EQ(0, vt_open(dev, self->uuid));
	vt_fill(self->buf, 8 * VT_MIB, 3);
	ASSERT_EQ(8 * VT_MIB, vt_pwrite(dev, BAR0, 0, self->buf, 8 * VT_MIB));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, vt_mode(dev, 640, 480, formats[i].bpp));
		vt_dispi_set(dev, VGPU_DISPI_VIRT_WIDTH, 1024);
		vt_dispi_set(dev, VGPU_DISPI_Y_OFFSET, 7);
		vt_dispi_set(dev, VGPU_DISPI_X_OFFSET, 4);
		ASSERT_EQ(0, get_header(self->fd, 0, &header));
		EXPECT_EQ(formats[i].format, header.format);
		EXPECT_EQ(640, header.width);
		EXPECT_EQ(480, header.height);
		line = (formats[i].bpp + 7) / 8 * 1024;
		EXPECT_EQ(line, header.pitch);
		len = header.pitch * header.height;
		ASSERT_EQ(len, get(self->fd, 0, header.start, self->buf,
				   len + 1));
		pos = 7 * line + line / 256;
		ASSERT_EQ(len, vt_pread(dev, BAR0, pos, self->buf + 8 * VT_MIB,
					len));
		EXPECT_EQ(0, memcmp(self->buf, self->buf + 8 * VT_MIB, len));
	}
	vt_close(dev);
}

/* What a VMM is not told is the administrator's nevertheless. */
TEST_F(screen, disable_vnc)
{
	struct vfio_device_gfx_plane_info info = {
		.argsz = sizeof(info),
		.flags = VFIO_GFX_PLANE_TYPE_REGION,
		.drm_plane_type = 1,
	};
	struct vt_dev *dev = &self->dev;
	struct vgpu_screen header;

	ASSERT_EQ(0, vt_params(self->uuid, "disable_vnc=1"));
	ASSERT_EQ(0, vt_open(dev, self->uuid));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(dev, 0, 640, 480, 0));
	ASSERT_EQ(0, ioctl(dev->fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ(0, info.drm_format);
	ASSERT_EQ(0, get_header(self->fd, 0, &header));
	EXPECT_EQ(XRGB8888, header.format);
	vt_close(dev);
}

struct changer {
	struct vt_dev *dev;
	const char *uuid;
	volatile bool stop;
	volatile uint32_t rounds;
	int ret;
};

static void *flip(void *arg)
{
	struct changer *c = arg;

	for (; !c->stop; c->rounds++) {
		vt_head_flip(c->dev, 1, (c->rounds & 1) * 8 * VT_MIB);
		/* Now and then long enough for a whole picture to be read, however slowly. */
		usleep(c->rounds % 8 * (1 + c->rounds / 8) * 10000);
	}
	return NULL;
}

/* A picture whose header is the same before and after is one picture. */
TEST_F(screen, flips)
{
	const size_t len = 1024 * 4 * 768;
	struct changer c = { .dev = &self->dev };
	struct vgpu_screen before, after;
	uint32_t round, good = 0;
	uint64_t end;
	pthread_t thread;

	ASSERT_EQ(0, vt_params(self->uuid, "frame_rate_limiter=0"));
	ASSERT_EQ(0, vt_open(c.dev, self->uuid));
	for (round = 0; round < 2; round++) {
		vt_fill(self->buf, len, round);
		ASSERT_EQ(len, vt_pwrite(c.dev, BAR0, round * 8 * VT_MIB,
					 self->buf, len));
	}
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(c.dev, 1, 1024, 768, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, &c));
	end = vt_now() + 4 * LONG;
	for (round = 0; good < 20 && vt_now() < end; round++) {
		ASSERT_EQ(0, get_header(self->fd, 1, &before));
		ASSERT_EQ(len, get(self->fd, 1, before.start, self->buf, len));
		ASSERT_EQ(0, get_header(self->fd, 1, &after));
		if (before.flips != after.flips)
			continue;
		good++;
		EXPECT_TRUE(vt_differs(self->buf, len, 0) == -1 ||
			    vt_differs(self->buf, len, 1) == -1);
	}
	c.stop = true;
	pthread_join(thread, NULL);
	TH_LOG("%u of %u, %u flips", good, round, c.rounds);
	EXPECT_LT(0, good);
	EXPECT_LT(1, c.rounds);
	vt_close(c.dev);
}

static void *change_mode(void *arg)
{
	struct changer *c = arg;

	for (; !c->stop; c->rounds++) {
		switch (c->rounds % 3) {
		case 0:
			vt_head_mode(c->dev, 1, 1920, 1200, 0);
			break;
		case 1:
			vt_head_mode(c->dev, 1, 640, 480, 54 * VT_MIB);
			break;
		default:
			vt_reg_set(c->dev, VGPU_REG_HEAD(1) + VGPU_HEAD_COMMIT,
				   VGPU_COMMIT_OFF);
		}
	}
	return NULL;
}

static void *reopen(void *arg)
{
	struct changer *c = arg;

	for (; !c->stop && !c->ret; c->rounds++) {
		c->ret = vt_open(c->dev, c->uuid);
		if (c->ret)
			break;
		vt_head_mode(c->dev, 1, 1920, 1200, 0);
		vt_close(c->dev);
	}
	return NULL;
}

/* Whatever happens, each read gets some bytes or none, and does not wait for long. */
static void look(struct __test_metadata *_metadata, int fd, struct changer *c,
		 void *(*change)(void *))
{
	uint64_t end, began, longest = 0;
	struct vgpu_screen header;
	uint8_t page[4096];
	uint32_t round, shown = 0;
	pthread_t thread;
	ssize_t ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, change, c));
	end = vt_now() + LONG;
	for (round = 0; vt_now() < end; round++) {
		began = vt_now();
		ret = get_header(fd, 1, &header);
		longest = vt_now() - began > longest ? vt_now() - began : longest;
		EXPECT_EQ(0, ret);
		if (ret)
			break;
		shown += header.format != 0;
		EXPECT_TRUE(!header.format ||
			    (header.width == 640 && header.height == 480) ||
			    (header.width == 1920 && header.height == 1200));
		ret = pread(fd, page, sizeof(page), VGPU_SCREEN_HEAD(1) +
			    header.start + round % 2100 * sizeof(page));
		EXPECT_LE(0, ret);
		if (ret < 0)
			break;
	}
	c->stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, c->ret);
	EXPECT_LT(3, c->rounds);
	EXPECT_GT(LONG, longest);
	TH_LOG("%u headers, %u with a picture; %u changes; %llu ms at most",
	       round, shown, c->rounds, (unsigned long long)longest / 1000000);
}

TEST_F(screen, mode_changes)
{
	struct changer c = { .dev = &self->dev };

	ASSERT_EQ(0, vt_open(c.dev, self->uuid));
	look(_metadata, self->fd, &c, change_mode);
	vt_close(c.dev);
}

TEST_F(screen, closed_meanwhile)
{
	struct changer c = { .dev = &self->dev, .uuid = self->uuid };

	look(_metadata, self->fd, &c, reopen);
}

/* A virtio-gpu that no guest drives has heads, too, and somebody who answers. */
TEST_F(screen, virtio)
{
	struct vt_dev *dev = &self->dev;
	struct changer c = { .dev = dev };
	char uuid[VT_UUID], path[VT_PATH];
	struct vgpu_screen header;
	uint32_t head, i;
	uint64_t began;
	int fd;

	vt_uuid(uuid);
	ASSERT_EQ(0, vt_create(&self->gpu, "64V", uuid));
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/vgpu/screen",
		 uuid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (head = 0; head < 4; head++)
		dark(_metadata, fd, head);
	ASSERT_EQ(0, vt_open(dev, uuid));
	began = vt_now();
	for (i = 0; i < 400; i++)
		dark(_metadata, fd, i % 4);
	/* Were it not answered, each would take a second. */
	EXPECT_GT(40 * LONG, vt_now() - began);
	EXPECT_EQ(-EINVAL, get_header(fd, 4, &header));
	vt_close(dev);
	c.uuid = uuid;
	look(_metadata, fd, &c, reopen);
	close(fd);
	EXPECT_EQ(0, vt_remove(uuid));
}

/* Whoever has the file open keeps no vGPU from going. */
TEST_F(screen, removed)
{
	struct vgpu_screen header;

	ASSERT_EQ(0, vt_open(&self->dev, self->uuid));
	ASSERT_EQ(VGPU_HEAD_ON, vt_head_mode(&self->dev, 1, 640, 480, 0));
	vt_end(&self->dev);
	EXPECT_EQ(-ENODEV, get_header(self->fd, 1, &header));
}

TEST_HARNESS_MAIN
