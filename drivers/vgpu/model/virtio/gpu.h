/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What executes the commands of a virtio-gpu (virtio 1.2, section 5.7): resources,
 * scanouts and cursors.
 *
 * Commands wait for guest memory, so this is apart from the registers and their lock.
 * The caller serialises all calls for one struct vgpu_gpu.
 */
#ifndef _VGPU_VIRTIO_GPU_H
#define _VGPU_VIRTIO_GPU_H

#include <linux/types.h>
#include <uapi/linux/virtio_gpu.h>

#include "model/display.h"
#include "model/monitor.h"
#include "model/profile.h"
#include "model/virtio/host.h"
#include "model/virtio/ring.h"
#include "model/virtio/virtio.h"

/* Most resources, and pieces of guest memory behind all of them. */
#define VGPU_MAX_RESOURCES	16384
#define VGPU_MAX_BACKING	(1U << 20)

/* Longest side of a resource, which is what the work of one command is bounded by. */
#define VGPU_MAX_SIDE		16384

/* Most pieces that one command names; QEMU has the same limit. */
#define VGPU_MAX_ENTRIES	16384

/* A cursor has this many pixels in each direction (section 5.7.6.10). */
#define VGPU_VIRTIO_CURSOR	64
#define VGPU_CURSOR_BYTES	(VGPU_VIRTIO_CURSOR * VGPU_VIRTIO_CURSOR * 4)

/* Pictures of a cursor that a head has room for, so that a new one is a new place. */
#define VGPU_CURSOR_SLOTS	2

/*
 * The end of the framebuffer, where no resource is: cursors, and behind them room for
 * the last line of a picture that is wider than what a head shows of it.
 */
#define VGPU_GPU_RESERVED	(256U << 10)

/* Guest memory behind a resource: up to @end bytes of it, counted from its beginning. */
struct vgpu_backing {
	u64 iova;
	u64 end;
};

/**
 * struct vgpu_resource - a resource
 * @id: chosen by the guest, not 0
 * @format: DRM fourcc; 0 for a blob
 * @width: in pixels; 0 for a blob
 * @height: in lines
 * @size: bytes
 * @offset: where in the framebuffer; of a blob, whose content is in guest memory, 0
 * @blob: it is a blob
 * @has_uuid: @uuid has been given out
 * @uuid: for other devices of the guest
 * @nr_backing: entries in @backing
 * @backing: guest memory, NULL for none
 */
struct vgpu_resource {
	u32 id;
	u32 format;
	u32 width;
	u32 height;
	u64 size;
	u64 offset;
	bool blob;
	bool has_uuid;
	u8 uuid[16];
	u32 nr_backing;
	struct vgpu_backing *backing;
};

/**
 * struct vgpu_rect - a part of a picture
 * @x: left edge in pixels
 * @y: upper edge in lines
 * @width: in pixels
 * @height: in lines
 */
struct vgpu_rect {
	u32 x, y, width, height;
};

/**
 * struct vgpu_lines - lines of a picture that are copied
 * @from: offset of the first in the resource
 * @from_pitch: bytes from one to the next there
 * @to: offset of the first in the framebuffer
 * @to_pitch: bytes from one to the next there
 * @len: bytes of each
 * @nr: how many, at least one
 */
struct vgpu_lines {
	u64 from, from_pitch;
	u64 to, to_pitch;
	u64 len;
	u32 nr;
};

/**
 * struct vgpu_gpu_scanout - what a head shows
 * @resource: this resource, or NULL for none
 * @picture: where in the framebuffer; for a blob, of the copy that is made when somebody looks
 * @copy: the framebuffer that a copy of a blob takes; NULL until the first
 * @part: which part of the resource it shows
 * @blob_offset: where in the blob the picture begins, of which that is a part
 * @blob_stride: bytes from one line to the next in the blob
 * @stale: what of the copy is older than the blob; no width for nothing
 * @slot: which of the places for a cursor's picture is shown
 * @cursor: the cursor
 */
struct vgpu_gpu_scanout {
	struct vgpu_resource *resource;
	struct vgpu_scanout picture;
	struct vgpu_resource *copy;
	struct vgpu_rect part;
	u64 blob_offset;
	u32 blob_stride;
	struct vgpu_rect stale;
	u32 slot;
	struct vgpu_cursor cursor;
};

struct vgpu_gpu;

/**
 * struct vgpu_gpu_ops - what executing commands asks of the device
 * @alloc: zeroed memory, charged to the VMM, or NULL
 * @free: the opposite; NULL is ignored
 * @uuid: a random UUID, 16 bytes
 * @fb_read: copy from the framebuffer; 0 or a negative errno
 * @fb_write: copy lines of @len bytes, which are side by side in @buf and @pitch bytes
 *	apart in the framebuffer; the same
 * @fb_zero: clear whole pages of 4 KiB; the same
 * @monitor: what is plugged into a head
 * @show: a head shows a picture from now on, or nothing without a format
 * @cursor: the same for its cursor
 * @flipped: a head shows another picture in the same place
 * @gone: a reset waits for the command that is being executed, which may end early
 *
 * None of these has an effect on the guest after the device was reset.
 */
struct vgpu_gpu_ops {
	void *(*alloc)(struct vgpu_gpu *gpu, size_t size);
	void (*free)(struct vgpu_gpu *gpu, void *memory);
	void (*uuid)(struct vgpu_gpu *gpu, u8 *uuid);
	int (*fb_read)(struct vgpu_gpu *gpu, u64 offset, void *buf, size_t len);
	int (*fb_write)(struct vgpu_gpu *gpu, u64 offset, u64 pitch,
			const void *buf, size_t len, u32 nr);
	int (*fb_zero)(struct vgpu_gpu *gpu, u64 offset, u64 len);
	void (*monitor)(struct vgpu_gpu *gpu, u32 head,
			struct vgpu_monitor *monitor);
	void (*show)(struct vgpu_gpu *gpu, u32 head,
		     const struct vgpu_scanout *picture);
	void (*cursor)(struct vgpu_gpu *gpu, u32 head,
		       const struct vgpu_cursor *cursor);
	void (*flipped)(struct vgpu_gpu *gpu, u32 head);
	bool (*gone)(struct vgpu_gpu *gpu);
};

/* A buffer that has been executed, and is given back when the frame ends. */
struct vgpu_held {
	u16 head;
	u32 len;
};

/* Answers to commands. */
union vgpu_gpu_answer {
	struct virtio_gpu_ctrl_hdr hdr;
	struct virtio_gpu_resp_display_info display_info;
	struct virtio_gpu_resp_edid edid;
	struct virtio_gpu_resp_resource_uuid uuid;
};

/* What is copied at a time between guest memory and the framebuffer. */
#define VGPU_GPU_BOUNCE		(64U << 10)

/**
 * struct vgpu_gpu - what executes the commands of one vGPU
 * @host: guest memory
 * @ops: the device
 * @profile: the type's properties
 * @rings: the queues
 * @limited: pictures keep to the frame rate
 * @runs: commands are executed; otherwise they get an error
 * @resources: by rising id; pointers, so that a resource stays where it is
 * @placed: what takes framebuffer, by rising offset: resources and copies of blobs
 * @nr_resources: how many are in @resources
 * @nr_placed: how many are in @placed
 * @nr_packed: how many of the first of these are known to leave no room before or
 *             between them, so that who fills the framebuffer does not make each search
 *             longer
 * @room: for how many there is room in each
 * @nr_backing: pieces of guest memory behind all of them
 * @loading: pieces of guest memory that the resource that is being loaded still lacks
 * @no_memory: an allocation has failed, which is not what is wrong with a stream
 * @scanouts: what the heads show
 * @held: buffers of the control queue that wait for the end of a frame, oldest first
 * @nr_held: how many
 * @hold: the buffer that is being executed waits for the end of a frame
 * @answer: to it
 * @chain: it
 * @bounce: VGPU_GPU_BOUNCE bytes
 */
struct vgpu_gpu {
	struct vgpu_host host;
	const struct vgpu_gpu_ops *ops;
	const struct vgpu_profile *profile;
	struct vgpu_ring rings[VGPU_NR_QUEUES];
	bool limited;
	bool runs;
	struct vgpu_resource **resources;
	struct vgpu_resource **placed;
	u32 nr_resources;
	u32 nr_placed;
	u32 nr_packed;
	u32 room;
	u32 nr_backing;
	u32 loading;
	bool no_memory;
	struct vgpu_gpu_scanout scanouts[VGPU_MAX_HEADS];
	struct vgpu_held held[VGPU_RING_MAX];
	u32 nr_held;
	bool hold;
	union vgpu_gpu_answer answer;
	struct vgpu_chain chain;
	u8 bounce[VGPU_GPU_BOUNCE];
};

/* vgpu_gpu_ops.alloc, of which is remembered that it has failed. */
static inline void *vgpu_gpu_alloc(struct vgpu_gpu *gpu, size_t size)
{
	void *memory = gpu->ops->alloc(gpu, size);

	if (!memory)
		gpu->no_memory = true;
	return memory;
}

/* gpu.c */
int vgpu_gpu_run(struct vgpu_gpu *gpu, u32 queue, u32 most);
int vgpu_gpu_release(struct vgpu_gpu *gpu);
void vgpu_gpu_reset(struct vgpu_gpu *gpu);

/* resource.c */
struct vgpu_resource *vgpu_resource_find(struct vgpu_gpu *gpu, u32 id);
u32 vgpu_resource_create(struct vgpu_gpu *gpu,
			 const struct vgpu_resource *want,
			 struct vgpu_resource **made);
void vgpu_resource_destroy(struct vgpu_gpu *gpu, struct vgpu_resource *res);
u32 vgpu_resource_attach(struct vgpu_gpu *gpu, struct vgpu_resource *res,
			 u64 at, u32 nr);
void vgpu_resource_detach(struct vgpu_gpu *gpu, struct vgpu_resource *res);
int vgpu_resource_read(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
		       u64 offset, void *buf, size_t len);
int vgpu_resource_upload(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
			 const struct vgpu_lines *lines);
u32 vgpu_resource_place(struct vgpu_gpu *gpu, struct vgpu_resource *res);
void vgpu_resource_unplace(struct vgpu_gpu *gpu, struct vgpu_resource *res);
struct vgpu_resource *vgpu_resource_load(struct vgpu_gpu *gpu,
					 const struct vgpu_resource *want);
bool vgpu_resource_place_at(struct vgpu_gpu *gpu, struct vgpu_resource *res,
			    u64 offset);
void vgpu_resources_reset(struct vgpu_gpu *gpu);

/* scanout.c */
u32 vgpu_virtio_format(u32 format);
u32 vgpu_gpu_set_scanout(struct vgpu_gpu *gpu, u32 head,
			 struct vgpu_resource *res,
			 const struct vgpu_rect *rect);
u32 vgpu_gpu_set_blob(struct vgpu_gpu *gpu, u32 head,
		      struct vgpu_resource *res, const struct vgpu_rect *rect,
		      u32 format, u64 offset, u32 stride);
void vgpu_gpu_scanout_off(struct vgpu_gpu *gpu, u32 head);
bool vgpu_gpu_flush(struct vgpu_gpu *gpu, const struct vgpu_resource *res,
		    const struct vgpu_rect *rect);
bool vgpu_gpu_load_copy(struct vgpu_gpu *gpu, u32 head, u64 size, u64 offset);
u64 vgpu_gpu_cursor_offset(const struct vgpu_gpu *gpu, u32 head, u32 slot);
bool vgpu_gpu_shows(const struct vgpu_gpu *gpu);
void vgpu_gpu_refresh(struct vgpu_gpu *gpu, u32 head);
void vgpu_gpu_update_cursor(struct vgpu_gpu *gpu, u32 head, u32 id, s32 x,
			    s32 y, u32 hot_x, u32 hot_y);
void vgpu_gpu_move_cursor(struct vgpu_gpu *gpu, u32 head, s32 x, s32 y);

#endif /* _VGPU_VIRTIO_GPU_H */
