/* SPDX-License-Identifier: GPL-2.0 */
/* VFIO migration for tests: states, and streams in memory. */
#ifndef VGPU_MIGRATE_H
#define VGPU_MIGRATE_H

#include "lib/vgpu_test.h"

struct vt_stream {
	char *data;
	size_t len;
	size_t room;
};

/* VFIO_DEVICE_FEATURE; 0 or a negative errno. */
int vt_feature(struct vt_dev *dev, uint32_t flags, void *data, size_t len);
/* The state, or a negative errno. */
int vt_mig_state(struct vt_dev *dev);
/* Set it; the file that comes with it, or -1, goes to @fd, if that is wanted. */
int vt_mig_set(struct vt_dev *dev, unsigned int state, int *fd);
bool vt_mig_precopy(struct vt_dev *dev);

/*
 * Read until there is no more, behind what is in @stream: 0 at the end of the
 * stream, or a negative errno, of which -ENOMSG is none in PRE_COPY.
 */
int vt_drain(int fd, struct vt_stream *stream);
/* The same, but no more than about @max bytes. */
int vt_drain_some(int fd, struct vt_stream *stream, size_t max);
/* Stop a vGPU and read all that there is, in place of what is in @stream. */
int vt_save(struct vt_dev *dev, struct vt_stream *stream);
/* RESUMING, all of the data in pieces of @step bytes, and STOP. */
int vt_load(struct vt_dev *dev, const void *data, size_t len, size_t step);

/* The first @size bytes of BAR0, to be freed. */
void *vt_read_fb(struct vt_dev *dev, size_t size);
bool vt_same_fb(struct vt_dev *a, struct vt_dev *b, size_t size);

#endif /* VGPU_MIGRATE_H */
