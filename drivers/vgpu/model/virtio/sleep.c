// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-gpu: a guest that sleeps.
 *
 * For suspend to RAM the guest puts the device into D3hot.  The device says that it
 * forgets nothing there (No_Soft_Reset), and Linux goes on as if it had not slept.  But a
 * VMM resets its devices when a VM wakes up.  So what the guest had set up is put aside in
 * such a reset, and comes back when a driver does what only one does that knows nothing of
 * the reset:
 *
 * - It has messages on, or notifies a queue, without a status (Linux 6.12 and 7.3, where
 *   virtio-pci leaves a device alone that forgets nothing).
 * - It sets DRIVER_OK without a queue (Linux 6.1, where the virtio core resets the device
 *   and virtio-gpu does not set up queues again).
 *
 * A driver that begins anew enables a queue before.  Then nothing comes back.
 */
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>

#include "model/event.h"
#include "model/pci_config.h"

static void sleep_work(struct vgpu_model *model, u32 work)
{
	model->virtio.work |= work;
	model->changed |= VGPU_CHANGED_WORK;
}

/**
 * vgpu_virtio_asleep() - whether a reset that comes now is one that the guest sleeps through
 * @model: the model
 *
 * Return: true if the driver was at work, is in D3hot, and has used nothing since
 */
bool vgpu_virtio_asleep(const struct vgpu_model *model)
{
	return model->virtio.asleep && vgpu_virtio_runs(model) &&
	       vgpu_model_runs(model) && !vgpu_virtio_queues_resetting(model);
}

/**
 * vgpu_virtio_keep() - put aside what a reset has ended
 * @model: the model, after the reset
 * @was: registers before it
 */
void vgpu_virtio_keep(struct vgpu_model *model, const struct vgpu_virtio *was)
{
	struct vgpu_virtio_kept *kept = &model->virtio.kept;

	/* No command is being executed, and who does that goes on. */
	model->virtio.era = was->era;
	kept->valid = true;
	kept->status = was->status;
	kept->features = was->features;
	kept->config_vector = was->config_vector;
	kept->events = was->events;
	memcpy(kept->queues, was->queues, sizeof(kept->queues));
}

/* A driver begins anew: what executes commands forgets all, as after a reset. */
static void sleep_drop(struct vgpu_model *model)
{
	model->virtio.kept.valid = false;
	model->virtio.era++;
	sleep_work(model, VGPU_WORK_RESET);
}

/* Registers are as they were. */
static void sleep_end(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;
	u32 nr;

	v->status = v->kept.status;
	v->features = v->kept.features;
	v->config_vector = v->kept.config_vector;
	memcpy(v->queues, v->kept.queues, sizeof(v->queues));
	/* Heads show what they did, and commands go on. */
	sleep_work(model, VGPU_WORK_WAKE | VGPU_WORK_FRAME |
			  VGPU_WORK_QUEUE(VGPU_QUEUE_CONTROL) |
			  VGPU_WORK_QUEUE(VGPU_QUEUE_CURSOR));
	/* Interrupts of before may be lost: that of a driver that waits is not to be. */
	for (nr = 0; nr < VGPU_NR_QUEUES; nr++)
		vgpu_virtio_interrupt(model, nr);
	v->events |= v->kept.events;
	if (v->events)
		vgpu_event_raise(model, VGPU_EVENT_MONITOR);
}

/**
 * vgpu_virtio_wake() - what shows that the driver knows nothing of a reset
 * @model: the model
 * @used: it has notified a queue; what is kept is not needed for another reset
 */
void vgpu_virtio_wake(struct vgpu_model *model, bool used)
{
	struct vgpu_virtio *v = &model->virtio;

	if (!v->kept.valid)
		return;
	if (!v->status)
		sleep_end(model);
	if (used && (v->status & VIRTIO_CONFIG_S_DRIVER_OK))
		v->kept.valid = false;
}

/**
 * vgpu_virtio_drive() - the driver sets DRIVER_OK
 * @model: the model; DRIVER_OK is not in its status
 */
void vgpu_virtio_drive(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;

	if (!v->kept.valid)
		return;
	if (v->features != v->kept.features) {
		sleep_drop(model);
		return;
	}
	sleep_end(model);
	v->kept.valid = false;
}

/**
 * vgpu_virtio_begin() - the driver is about to enable a queue
 * @model: the model
 */
void vgpu_virtio_begin(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;

	if (v->kept.valid && !(v->status & VIRTIO_CONFIG_S_DRIVER_OK))
		sleep_drop(model);
}

/**
 * vgpu_virtio_settle() - before a migration, for which nothing is put aside
 * @model: the model
 *
 * A driver that has not been heard of is taken for one that goes on.
 *
 * Return: whether what executes commands is to forget all
 */
bool vgpu_virtio_settle(struct vgpu_model *model)
{
	struct vgpu_virtio *v = &model->virtio;

	vgpu_virtio_wake(model, true);
	if (!v->kept.valid)
		return false;
	sleep_drop(model);
	return true;
}
