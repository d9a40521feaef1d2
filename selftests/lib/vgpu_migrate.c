// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/vgpu_migrate.h"

#define CHUNK VT_MIB

int vt_feature(struct vt_dev *dev, uint32_t flags, void *data, size_t len)
{
	uint64_t buf[16] = { };
	struct vfio_device_feature *feature = (void *)buf;

	feature->argsz = sizeof(*feature) + len;
	feature->flags = flags;
	if (len)
		memcpy(feature->data, data, len);
	if (ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature))
		return -errno;
	if (len)
		memcpy(data, feature->data, len);
	return 0;
}

int vt_mig_state(struct vt_dev *dev)
{
	struct vfio_device_feature_mig_state state = { };
	int ret = vt_feature(dev, VFIO_DEVICE_FEATURE_GET |
			     VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &state,
			     sizeof(state));

	return ret ? ret : (int)state.device_state;
}

int vt_mig_set(struct vt_dev *dev, unsigned int state, int *fd)
{
	struct vfio_device_feature_mig_state set = { .device_state = state };
	int ret = vt_feature(dev, VFIO_DEVICE_FEATURE_SET |
			     VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &set,
			     sizeof(set));

	if (!ret && fd)
		*fd = set.data_fd;
	else if (!ret && set.data_fd >= 0)
		close(set.data_fd);
	return ret;
}

bool vt_mig_precopy(struct vt_dev *dev)
{
	struct vfio_device_feature_migration mig = { };

	return !vt_feature(dev, VFIO_DEVICE_FEATURE_GET |
			   VFIO_DEVICE_FEATURE_MIGRATION, &mig, sizeof(mig)) &&
	       (mig.flags & VFIO_MIGRATION_PRE_COPY);
}

int vt_drain_some(int fd, struct vt_stream *stream, size_t max)
{
	size_t end = stream->len + max;
	ssize_t n;

	while (stream->len < end) {
		if (stream->room - stream->len < CHUNK) {
			stream->room = stream->room * 2 + CHUNK;
			stream->data = realloc(stream->data, stream->room);
			if (!stream->data)
				abort();
		}
		n = read(fd, stream->data + stream->len, CHUNK);
		if (n <= 0)
			return n ? -errno : 0;
		stream->len += n;
	}
	return 0;
}

int vt_drain(int fd, struct vt_stream *stream)
{
	return vt_drain_some(fd, stream, SIZE_MAX / 2);
}

int vt_save(struct vt_dev *dev, struct vt_stream *stream)
{
	int fd, ret;

	ret = vt_mig_set(dev, VFIO_DEVICE_STATE_STOP_COPY, &fd);
	if (ret)
		return ret;
	stream->len = 0;
	ret = vt_drain(fd, stream);
	close(fd);
	return ret;
}

int vt_load(struct vt_dev *dev, const void *data, size_t len, size_t step)
{
	const char *at = data;
	ssize_t n = 0;
	int fd, ret;

	ret = vt_mig_set(dev, VFIO_DEVICE_STATE_RESUMING, &fd);
	if (ret)
		return ret;
	while (len && n >= 0) {
		n = write(fd, at, len < step ? len : step);
		if (n > 0) {
			at += n;
			len -= n;
		}
	}
	if (n < 0)
		ret = -errno;
	close(fd);
	n = vt_mig_set(dev, VFIO_DEVICE_STATE_STOP, NULL);
	/* Who was refused data is refused the state, too. */
	return ret && !n ? -EPROTO : n;
}

void *vt_read_fb(struct vt_dev *dev, size_t size)
{
	void *buf = malloc(size);

	if (!buf || vt_pread(dev, VFIO_PCI_BAR0_REGION_INDEX, 0, buf, size) !=
		    (ssize_t)size)
		abort();
	return buf;
}

bool vt_same_fb(struct vt_dev *a, struct vt_dev *b, size_t size)
{
	void *x = vt_read_fb(a, size), *y = vt_read_fb(b, size);
	bool same = !memcmp(x, y, size);

	free(x);
	free(y);
	return same;
}
