// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO migration, version 2: the states of a vGPU, and what happens on the way
 * from one to the next.
 *
 * The vGPU reads and writes the guest's memory in the VMM only, so it has no
 * peer-to-peer DMA to stop: RUNNING_P2P is RUNNING, and PRE_COPY_P2P is PRE_COPY.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/vfio.h>

#include "compat/vfio.h"
#include "device/vgpu.h"
#include "migration/file.h"
#include "migration/migration.h"

/* The transfer of data ends, whoever has the file. */
static void migration_end(struct vgpu *vgpu)
{
	struct vgpu_migration *migration = &vgpu->migration;

	lockdep_assert_held(&migration->lock);
	vgpu_fb_untrack(&vgpu->fb);
	if (!migration->file)
		return;
	vgpu_migration_end(migration->file);
	fput(migration->file);
	migration->file = NULL;
}

/* With a reference that stays, because a VMM may close the file early. */
static struct file *migration_begin(struct vgpu *vgpu, struct file *file)
{
	if (!IS_ERR(file))
		vgpu->migration.file = get_file(file);
	return file;
}

/* Begin to track writes, and to send what was written. */
static struct file *migration_begin_saving(struct vgpu *vgpu)
{
	struct file *file;
	int ret;

	ret = vgpu_fb_track(&vgpu->fb);
	if (ret)
		return ERR_PTR(ret);
	file = migration_begin(vgpu, vgpu_migration_save(vgpu));
	if (IS_ERR(file))
		vgpu_fb_untrack(&vgpu->fb);
	return file;
}

/*
 * The target is empty, so that what is zero need not be sent.  Pages that have
 * failed until then are replaced with that.
 */
static struct file *migration_begin_resuming(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	vgpu_deferred_run(vgpu);
	vgpu->errors = (struct vgpu_errors){ };
	mutex_unlock(&vgpu->lock);
	vgpu_fb_clear(&vgpu->fb);
	return migration_begin(vgpu, vgpu_migration_resume(vgpu));
}

static int migration_finish_resuming(struct vgpu *vgpu)
{
	int ret = vgpu_migration_load(vgpu->migration.file);

	migration_end(vgpu);
	if (ret)
		vgpu->migration.state = VFIO_DEVICE_STATE_ERROR;
	return ret;
}

#define ARC(from, to)	((from) << 8 | (to))

/* One of the arcs that there are; NULL, a file to transfer data, or an error. */
static struct file *migration_step(struct vgpu *vgpu, u32 from, u32 to)
{
	struct file *file = NULL;
	int ret;

	switch (ARC(from, to)) {
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_RUNNING_P2P):
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_RUNNING):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_PRE_COPY_P2P):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_PRE_COPY):
		return NULL;
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_STOP):
		return ERR_PTR(vgpu_set_stopped(vgpu, true));
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RUNNING_P2P):
		vgpu_set_stopped(vgpu, false);
		return NULL;
	case ARC(VFIO_DEVICE_STATE_RUNNING, VFIO_DEVICE_STATE_PRE_COPY):
	case ARC(VFIO_DEVICE_STATE_RUNNING_P2P, VFIO_DEVICE_STATE_PRE_COPY_P2P):
		return migration_begin_saving(vgpu);
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_STOP_COPY):
		file = migration_begin_saving(vgpu);
		if (!IS_ERR(file))
			vgpu_migration_final(file);
		return file;
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_STOP_COPY):
		ret = vgpu_set_stopped(vgpu, true);
		if (ret)
			return ERR_PTR(ret);
		vgpu_fb_mark_importers(&vgpu->fb);
		vgpu_migration_final(vgpu->migration.file);
		return NULL;
	case ARC(VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_RUNNING):
	case ARC(VFIO_DEVICE_STATE_PRE_COPY_P2P, VFIO_DEVICE_STATE_RUNNING_P2P):
	case ARC(VFIO_DEVICE_STATE_STOP_COPY, VFIO_DEVICE_STATE_STOP):
		migration_end(vgpu);
		return NULL;
	case ARC(VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING):
		return migration_begin_resuming(vgpu);
	case ARC(VFIO_DEVICE_STATE_RESUMING, VFIO_DEVICE_STATE_STOP):
		ret = migration_finish_resuming(vgpu);
		return ret ? ERR_PTR(ret) : NULL;
	default:
		return ERR_PTR(-EINVAL);
	}
}

static struct file *migration_set_state(struct vfio_device *vdev,
					enum vfio_device_mig_state state)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct vgpu_migration *migration = &vgpu->migration;
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	mutex_lock(&migration->lock);
	while (migration->state != state) {
		/* Only a reset leads out of it; the VFIO core warns. */
		ret = -EINVAL;
		if (migration->state != VFIO_DEVICE_STATE_ERROR)
			ret = vfio_mig_get_next_state(vdev, migration->state,
						      state, &next);
		file = ret ? ERR_PTR(ret) :
			     migration_step(vgpu, migration->state, next);
		if (IS_ERR(file))
			break;
		migration->state = next;
	}
	mutex_unlock(&migration->lock);
	return file;
}

static int migration_get_state(struct vfio_device *vdev,
			       enum vfio_device_mig_state *state)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);

	mutex_lock(&vgpu->migration.lock);
	*state = vgpu->migration.state;
	mutex_unlock(&vgpu->migration.lock);
	return 0;
}

/* What would be sent if it were stopped now. */
static int __maybe_unused migration_get_data_size(struct vfio_device *vdev,
						  unsigned long *size)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	struct vgpu_migration *migration = &vgpu->migration;

	mutex_lock(&migration->lock);
	*size = VGPU_STREAM_STATE;
	if (vgpu->fb.dirty)
		*size += vgpu_migration_left(migration->file);
	else
		*size += vgpu_fb_used(&vgpu->fb);
	mutex_unlock(&migration->lock);
	return 0;
}

static const struct vfio_migration_ops migration_ops = {
	.migration_set_state = migration_set_state,
	.migration_get_state = migration_get_state,
	VGPU_MIG_DATA_SIZE_OP(migration_get_data_size)
};

static int migration_set_logging(struct vfio_device *vdev, bool from, bool to)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	int ret = -EINVAL;

	mutex_lock(&vgpu->migration.lock);
	if (vgpu->migration.logging == from) {
		vgpu->migration.logging = to;
		if (from != to)
			vgpu_dma_log(vgpu, to);
		ret = 0;
	}
	mutex_unlock(&vgpu->migration.lock);
	return ret;
}

static int migration_log_start(struct vfio_device *vdev,
			       struct rb_root_cached *ranges, u32 nr,
			       u64 *page_size)
{
	return migration_set_logging(vdev, false, true);
}

static int migration_log_stop(struct vfio_device *vdev)
{
	return migration_set_logging(vdev, true, false);
}

static int migration_log_read(struct vfio_device *vdev, unsigned long iova,
			      unsigned long length, struct iova_bitmap *dirty)
{
	int ret = migration_set_logging(vdev, true, true);

	if (!ret)
		vgpu_dma_log_report(vdev_to_vgpu(vdev), iova, length, dirty);
	return ret;
}

static const struct vfio_log_ops migration_log_ops = {
	.log_start = migration_log_start,
	.log_stop = migration_log_stop,
	.log_read_and_clear = migration_log_read,
};

/**
 * vgpu_migration_init() - declare to the VFIO core what a vGPU can do
 * @vgpu: not registered yet
 */
void vgpu_migration_init(struct vgpu *vgpu)
{
	struct vfio_device *vdev = &vgpu->vdev;

	mutex_init(&vgpu->migration.lock);
	vgpu->migration.state = VFIO_DEVICE_STATE_RUNNING;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				VFIO_MIGRATION_PRE_COPY;
	vdev->mig_ops = &migration_ops;
	vgpu_vfio_set_log_ops(vdev, &migration_log_ops);
}

/**
 * vgpu_migration_fini() - opposite of vgpu_migration_init()
 * @vgpu: nobody has a reference on it any more
 */
void vgpu_migration_fini(struct vgpu *vgpu)
{
	mutex_destroy(&vgpu->migration.lock);
}

static void migration_leave(struct vgpu *vgpu)
{
	migration_end(vgpu);
	vgpu->migration.state = VFIO_DEVICE_STATE_RUNNING;
	vgpu_set_stopped(vgpu, false);
}

/**
 * vgpu_migration_reset() - VFIO_DEVICE_RESET
 * @vgpu: RUNNING afterwards, whatever it was before
 *
 * A function-level reset that the guest asks for is not one: the vGPU is reset
 * and the migration goes on.
 */
void vgpu_migration_reset(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->migration.lock);
	vgpu_reset(vgpu);
	migration_leave(vgpu);
	mutex_unlock(&vgpu->migration.lock);
}

/**
 * vgpu_migration_close() - the VMM has closed the vGPU
 * @vgpu: as it is for the next one, as far as migration is concerned
 */
void vgpu_migration_close(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->migration.lock);
	migration_leave(vgpu);
	vgpu->migration.logging = false;
	vgpu_dma_log(vgpu, false);
	vgpu->migration.told = false;
	mutex_unlock(&vgpu->migration.lock);
}
