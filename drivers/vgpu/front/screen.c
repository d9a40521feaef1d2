// SPDX-License-Identifier: GPL-2.0
/*
 * The file "screen" of a vGPU: what its heads show, for the host's administrator.  VFIO
 * has planes for one head only, so heads 1 to 3 are seen nowhere else.
 *
 * Whoever reads gets a page at a time from sysfs.  Each time it is found anew where the
 * picture is, and no lock is held in between, so a guest is never waited for and never
 * held up: it may show another picture meanwhile, which the header tells.
 */
#include <linux/align.h>
#include <linux/device.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vgpu.h>

#include "device/vgpu.h"
#include "front/front.h"
#include "model/model.h"

/**
 * struct screen - what a head shows at a moment
 * @picture: the picture; no format, and no @cursor, when it shows nothing
 * @cursor: the cursor
 * @flips: how many there have been
 */
struct screen {
	struct vgpu_scanout picture;
	struct vgpu_cursor cursor;
	u32 flips;
};

static void screen_get(struct vgpu *vgpu, u32 nr, struct screen *screen)
{
	const struct vgpu_head *head;

	memset(screen, 0, sizeof(*screen));
	mutex_lock(&vgpu->lock);
	if (vgpu->model && vgpu->model->heads[nr].shown.format) {
		head = &vgpu->model->heads[nr];
		screen->picture = head->shown;
		screen->flips = head->flips;
		if (head->cursor.image.format)
			screen->cursor = head->cursor;
	}
	mutex_unlock(&vgpu->lock);
}

/* Bytes of a picture: S32_MAX at most, see vgpu_scanout_valid(). */
static u32 screen_size(const struct vgpu_scanout *picture)
{
	return picture->format ? picture->pitch * picture->height : 0;
}

/* Where the cursor's picture is; none is where the file ends. */
static u32 screen_cursor_start(const struct screen *screen)
{
	u32 end = VGPU_SCREEN_HEADER + screen_size(&screen->picture);

	return screen->cursor.image.format ? ALIGN(end, SZ_4K) : end;
}

static void screen_header(const struct vgpu *vgpu, u32 nr,
			  const struct screen *screen, struct vgpu_screen *header)
{
	const struct vgpu_scanout *picture = &screen->picture;
	const struct vgpu_cursor *cursor = &screen->cursor;

	memset(header, 0, sizeof(*header));
	header->magic = cpu_to_le32(VGPU_SCREEN_MAGIC);
	header->version = cpu_to_le32(VGPU_SCREEN_VERSION);
	header->head = cpu_to_le32(nr);
	header->num_heads = cpu_to_le32(vgpu->type->profile.num_heads);
	if (!picture->format)
		return;
	header->format = cpu_to_le32(picture->format);
	header->width = cpu_to_le32(picture->width);
	header->height = cpu_to_le32(picture->height);
	header->pitch = cpu_to_le32(picture->pitch);
	header->start = cpu_to_le32(VGPU_SCREEN_HEADER);
	header->flips = cpu_to_le32(screen->flips);
	if (!cursor->image.format)
		return;
	header->cursor_format = cpu_to_le32(cursor->image.format);
	header->cursor_width = cpu_to_le32(cursor->image.width);
	header->cursor_height = cpu_to_le32(cursor->image.height);
	header->cursor_pitch = cpu_to_le32(cursor->image.pitch);
	header->cursor_start = cpu_to_le32(screen_cursor_start(screen));
	header->cursor_x = cpu_to_le32((s32)cursor->x);
	header->cursor_y = cpu_to_le32((s32)cursor->y);
	header->cursor_hot_x = cpu_to_le32(cursor->hot_x);
	header->cursor_hot_y = cpu_to_le32(cursor->hot_y);
}

/* Copy what of a picture, which is at @start, lies in @len bytes from @pos on. */
static int screen_copy(struct vgpu *vgpu, const struct vgpu_scanout *picture,
		       u64 start, u64 pos, char *buf, size_t len)
{
	u64 first = max(pos, start);
	u64 end = min(pos + len, start + screen_size(picture));

	if (first >= end)
		return 0;
	return vgpu_fb_read(&vgpu->fb, picture->offset + (first - start),
			    buf + (first - pos), end - first);
}

static ssize_t screen_read(struct file *file, struct kobject *kobj,
			   VGPU_BIN_ATTR_CONST struct bin_attribute *attr,
			   char *buf, loff_t offset, size_t count)
{
	struct vgpu *vgpu = dev_get_drvdata(kobj_to_dev(kobj));
	u64 nr = (u64)offset >> VGPU_SCREEN_SHIFT;
	u64 pos = offset & (VGPU_SCREEN_HEAD(1) - 1);
	struct vgpu_screen header;
	struct screen screen;
	u64 cursor, end;
	int ret;

	if (nr >= vgpu->type->profile.num_heads)
		return -EINVAL;
	if (!pos)
		vgpu_exec_look(vgpu, nr);
	screen_get(vgpu, nr, &screen);
	cursor = screen_cursor_start(&screen);
	end = cursor + screen_size(&screen.cursor.image);
	if (pos >= end)
		return 0;
	count = min_t(u64, count, end - pos);
	memset(buf, 0, count);
	if (pos < sizeof(header)) {
		screen_header(vgpu, nr, &screen, &header);
		memcpy(buf, (char *)&header + pos,
		       min_t(u64, count, sizeof(header) - pos));
	}
	ret = screen_copy(vgpu, &screen.picture, VGPU_SCREEN_HEADER, pos, buf,
			  count);
	if (!ret)
		ret = screen_copy(vgpu, &screen.cursor.image, cursor, pos, buf,
				  count);
	return ret ?: count;
}

/* What a guest shows is its tenant's, so nobody but root has it. */
VGPU_BIN_ATTR_CONST struct bin_attribute vgpu_screen_attr =
	__BIN_ATTR(screen, 0400, screen_read, NULL, 0);
