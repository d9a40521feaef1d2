// SPDX-License-Identifier: GPL-2.0
/*
 * Executing the commands of a guest.
 *
 * A thread of each vGPU does it while a VMM has that open, with the VMM's memory as its
 * own.  The guest's memory may take the VMM as long as it likes, so vgpu.lock is not held
 * meanwhile: it is taken to look at registers, and for each effect on them and on heads
 * (exec_ops.c).  A VMM that is killed waits for none of that: its threads stop waiting, and
 * when the vGPU is closed the thread is killed, so that an access to memory that nobody
 * provides fails.
 */
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "device/exec.h"
#include "device/vgpu.h"
#include "model/personality.h"
#include "model/type.h"
#include "model/virtio/gpu.h"
#include "model/virtio/state.h"

/* Buffers that are executed before registers are looked at again, and in all. */
#define EXEC_BATCH	16
#define EXEC_MOST	1024

/* How long somebody who looks waits for a picture, in jiffies. */
#define EXEC_LOOK	HZ

/* The ring of a queue that the guest has enabled since; the lock of registers is held. */
static void exec_take_ring(struct vgpu *vgpu, u32 nr)
{
	const struct vgpu_virtio_queue *queue = &vgpu->model->virtio.queues[nr];
	struct vgpu_ring *ring = &vgpu->exec.gpu->rings[nr];

	lockdep_assert_held(&vgpu->lock);
	if (queue->enabled && !queue->resetting && !ring->size)
		vgpu_virtio_ring(vgpu->model, nr, ring);
}

static void exec_unpin_ring(struct vgpu *vgpu, u32 nr)
{
	u32 i;

	vgpu->exec.pinned &= ~BIT(nr);
	for (i = 0; i < 3; i++)
		vgpu_dma_unpin(vgpu, 3 * nr + i);
}

/* Sizes of the areas of a split virtqueue: virtio 1.2, section 2.7. */
static void exec_pin_ring(struct vgpu *vgpu, u32 nr)
{
	const struct vgpu_ring *ring = &vgpu->exec.gpu->rings[nr];
	u32 window = 3 * nr, i;

	/* Memory that was unmapped may be mapped again; otherwise the queue is broken. */
	for (i = 0; i < 3; i++)
		if (vgpu_dma_lost(vgpu, window + i))
			exec_unpin_ring(vgpu, nr);
	if (vgpu->exec.pinned & BIT(nr))
		return;
	vgpu->exec.pinned |= BIT(nr);
	vgpu_dma_pin(vgpu, window, ring->desc, 16 * ring->size, false);
	vgpu_dma_pin(vgpu, window + 1, ring->avail, 6 + 2 * ring->size, false);
	vgpu_dma_pin(vgpu, window + 2, ring->used, 6 + 8 * ring->size, true);
}

/* All resources and rings go. */
static void exec_forget(struct vgpu *vgpu)
{
	u32 nr;

	vgpu_gpu_reset(vgpu->exec.gpu);
	for (nr = 0; nr < VGPU_NR_QUEUES; nr++)
		exec_unpin_ring(vgpu, nr);
}

/* There is something to do. */
static void exec_kick(struct vgpu *vgpu)
{
	if (!READ_ONCE(vgpu->exec.mm))
		return;
	WRITE_ONCE(vgpu->exec.kicked, true);
	wake_up(&vgpu->exec.kick);
}

/* End resets that the guest waits for. */
static void exec_reset(struct vgpu *vgpu)
{
	struct vgpu_gpu *gpu = vgpu->exec.gpu;
	struct vgpu_virtio *v = &vgpu->model->virtio;
	u32 era, queues, nr;
	bool keep;

	lockdep_assert_held(&vgpu->exec.lock);
	mutex_lock(&vgpu->lock);
	era = v->era;
	keep = v->kept.valid;
	queues = vgpu_virtio_queues_resetting(vgpu->model);
	mutex_unlock(&vgpu->lock);
	for (nr = 0; nr < VGPU_NR_QUEUES; nr++) {
		if (!(queues & BIT(nr)))
			continue;
		gpu->rings[nr].size = 0;
		exec_unpin_ring(vgpu, nr);
		if (nr == VGPU_QUEUE_CONTROL)
			gpu->nr_held = 0;
	}
	if (vgpu->exec.era != era && !keep)
		exec_forget(vgpu);
	vgpu->exec.era = era;
	mutex_lock(&vgpu->lock);
	WRITE_ONCE(vgpu->exec.latest, v->era);
	/* With another one since, there will be more work. */
	if (v->era == era)
		vgpu_virtio_reset_done(vgpu->model, queues);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
}

/* What there is to do, VGPU_WORK_*; nothing while commands are not executed. */
static u32 exec_take_work(struct vgpu *vgpu)
{
	struct vgpu_gpu *gpu = vgpu->exec.gpu;
	struct vgpu_model *model = vgpu->model;
	u32 work, nr;

	lockdep_assert_held(&vgpu->exec.lock);
	mutex_lock(&vgpu->lock);
	if (vgpu->stopped || vgpu->revoked) {
		mutex_unlock(&vgpu->lock);
		return 0;
	}
	if (model->virtio.work & VGPU_WORK_RESET) {
		model->virtio.work &= ~VGPU_WORK_RESET;
		mutex_unlock(&vgpu->lock);
		exec_reset(vgpu);
		/* The guest may be at its next reset already. */
		return VGPU_WORK_RESET;
	}
	work = model->virtio.work;
	model->virtio.work = 0;
	if (!vgpu_virtio_runs(model))
		work = 0;
	gpu->runs = vgpu_model_runs(model);
	gpu->limited = model->frl_hz;
	for (nr = 0; nr < VGPU_NR_QUEUES && work; nr++)
		exec_take_ring(vgpu, nr);
	if (work & VGPU_WORK_WAKE) {
		vgpu_gpu_heads(gpu, model);
		model->changed |= VGPU_CHANGED_HEADS;
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return work;
}

static void exec_broken(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu)) {
		vgpu_virtio_broken(vgpu->model);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
}

static void exec_interrupt(struct vgpu *vgpu, u32 nr)
{
	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu)) {
		vgpu_virtio_interrupt(vgpu->model, nr);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
}

/*
 * Execute what is in a queue, up to a limit.  Returns 1 when there is more, 0 when there is
 * not and the guest will notify of more, or an errno.
 */
static int exec_queue(struct vgpu *vgpu, u32 nr)
{
	struct vgpu_gpu *gpu = vgpu->exec.gpu;
	struct vgpu_ring *ring = &gpu->rings[nr];
	int ret, more;

	exec_pin_ring(vgpu, nr);
	ret = vgpu_ring_notify(ring, &gpu->host, false);
	if (ret < 0)
		return ret;
	more = vgpu_gpu_run(gpu, nr, EXEC_BATCH);
	if (more < 0)
		return more;
	ret = vgpu_ring_interrupts(ring, &gpu->host);
	if (ret < 0)
		return ret;
	if (ret)
		exec_interrupt(vgpu, nr);
	return more ?: vgpu_ring_notify(ring, &gpu->host, true);
}

/* A frame has ended; or no head shows anything, and none will. */
static int exec_release(struct vgpu *vgpu)
{
	struct vgpu_gpu *gpu = vgpu->exec.gpu;
	int ret;

	if (!gpu->nr_held)
		return 0;
	ret = vgpu_gpu_release(gpu);
	if (!ret)
		ret = vgpu_ring_interrupts(&gpu->rings[VGPU_QUEUE_CONTROL],
					   &gpu->host);
	if (ret > 0)
		exec_interrupt(vgpu, VGPU_QUEUE_CONTROL);
	return min(ret, 0);
}

/* Have the end of the next frame give back what waits for that. */
static void exec_want_frame(struct vgpu *vgpu)
{
	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu))
		vgpu->model->virtio.frames_wanted = true;
	mutex_unlock(&vgpu->lock);
}

/* Returns whether there may be more to do. */
static bool exec_some(struct vgpu *vgpu)
{
	struct vgpu_gpu *gpu = vgpu->exec.gpu;
	u32 work = exec_take_work(vgpu), nr;
	int ret = 0;

	lockdep_assert_held(&vgpu->exec.lock);
	if (!work)
		return false;
	if (work & VGPU_WORK_FRAME)
		ret = exec_release(vgpu);
	for (nr = 0; nr < VGPU_NR_QUEUES && ret >= 0; nr++) {
		if (!(work & VGPU_WORK_QUEUE(nr)) || !gpu->rings[nr].size)
			continue;
		ret = exec_queue(vgpu, nr);
		if (ret <= 0)
			continue;
		mutex_lock(&vgpu->lock);
		vgpu->model->virtio.work |= VGPU_WORK_QUEUE(nr);
		mutex_unlock(&vgpu->lock);
	}
	if (ret >= 0 && gpu->nr_held) {
		if (vgpu_gpu_shows(gpu))
			exec_want_frame(vgpu);
		else
			ret = exec_release(vgpu);
	}
	if (ret < 0)
		exec_broken(vgpu);
	return true;
}

static void exec_look(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	u32 head;

	lockdep_assert_held(&exec->lock);
	for (head = 0; head < vgpu->type->profile.num_heads; head++)
		if (test_bit(head, &exec->look)) {
			vgpu_gpu_refresh(exec->gpu, head);
			clear_bit(head, &exec->look);
			wake_up_all(&exec->looked);
		}
}

/*
 * The process that has opened the vGPU has exited, and the guest's memory with it, but
 * another one still has the vGPU.  Resets end, and otherwise the device needs one.
 */
static void exec_orphaned(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	u32 work;

	mutex_lock(&exec->lock);
	do {
		work = exec_take_work(vgpu);
	} while (work == VGPU_WORK_RESET);
	if (work)
		exec_broken(vgpu);
	WRITE_ONCE(exec->look, 0);
	wake_up_all(&exec->looked);
	mutex_unlock(&exec->lock);
}

/* Do what there is to do, though not all at once. */
static void exec_pass(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	struct mm_struct *mm = READ_ONCE(exec->mm);
	struct mem_cgroup *memcg;
	u32 n;

	if (!mm)
		return;
	if (!mmget_not_zero(mm)) {
		exec_orphaned(vgpu);
		return;
	}
	kthread_use_mm(mm);
	memcg = set_active_memcg(exec->memcg);
	mutex_lock(&exec->lock);
	for (n = 0; n < EXEC_MOST / EXEC_BATCH && exec_some(vgpu) &&
	     !atomic_read(&exec->resets); n++)
		cond_resched();
	exec_look(vgpu);
	mutex_unlock(&exec->lock);
	set_active_memcg(memcg);
	kthread_unuse_mm(mm);
	mmput(mm);
	if (n == EXEC_MOST / EXEC_BATCH)
		exec_kick(vgpu);
}

static int exec_thread(void *data)
{
	struct vgpu *vgpu = data;
	struct vgpu_exec *exec = &vgpu->exec;

	allow_kernel_signal(SIGKILL);
	while (!kthread_should_stop()) {
		wait_event_idle(exec->kick, xchg(&exec->kicked, false) ||
				kthread_should_stop());
		exec_pass(vgpu);
	}
	return 0;
}

/**
 * vgpu_exec_work() - the model has something to do, or was reset
 * @vgpu: the vGPU
 *
 * What is being executed learns of a reset from here, without the lock.
 */
void vgpu_exec_work(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->lock);
	WRITE_ONCE(vgpu->exec.latest, vgpu->model->virtio.era);
	exec_kick(vgpu);
}

/**
 * vgpu_exec_begin_reset() - wait for the command that is being executed
 * @vgpu: vgpu.lock is not held; no command is executed until vgpu_exec_end_reset()
 *
 * Return: 0; -EINTR for a VMM that was killed meanwhile, unless it has closed the vGPU
 */
int vgpu_exec_begin_reset(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	int ret = 0;

	atomic_inc(&exec->resets);
	if (READ_ONCE(exec->mm))
		ret = mutex_lock_killable(&exec->lock);
	else
		mutex_lock(&exec->lock);
	atomic_dec(&exec->resets);
	return ret;
}

/**
 * vgpu_exec_end_reset() - opposite of vgpu_exec_begin_reset()
 * @vgpu: its registers were reset
 * @keep: the guest sleeps; otherwise all is forgotten
 */
void vgpu_exec_end_reset(struct vgpu *vgpu, bool keep)
{
	struct vgpu_exec *exec = &vgpu->exec;
	u32 nr;

	for (nr = 0; nr < VGPU_NR_QUEUES && keep; nr++)
		exec_unpin_ring(vgpu, nr);
	if (exec->gpu && !keep)
		exec_forget(vgpu);
	mutex_unlock(&exec->lock);
	exec_kick(vgpu);
}

/**
 * vgpu_exec_look() - somebody looks at a head: wait until its picture is that of now
 * @vgpu: the vGPU; nothing is waited for unless a VMM has it open, and no longer than that
 * @head: one that the type has
 *
 * Context: no locks are held; waits a second at most
 */
void vgpu_exec_look(struct vgpu *vgpu, u32 head)
{
	struct vgpu_exec *exec = &vgpu->exec;

	if (!READ_ONCE(exec->mm))
		return;
	/* So that nothing is left to execute when a VMM closes it meanwhile. */
	mutex_lock(&vgpu->lock);
	/* It is stale before the guest is notified that a flush has been done. */
	if (READ_ONCE(exec->mm) &&
	    READ_ONCE(exec->gpu->scanouts[head].stale.width)) {
		set_bit(head, &exec->look);
		exec_kick(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	wait_event_killable_timeout(exec->looked, !test_bit(head, &exec->look),
				    EXEC_LOOK);
}

/**
 * vgpu_exec_load() - take over a state
 * @vgpu: stopped, with vgpu_exec.lock held; its model has been loaded
 * @gpu: the state
 *
 * Return: what the vGPU had before, for vgpu_exec_free()
 */
struct vgpu_gpu *vgpu_exec_load(struct vgpu *vgpu, struct vgpu_gpu *gpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	struct vgpu_gpu *old = exec->gpu;
	u32 nr;

	lockdep_assert_held(&exec->lock);
	for (nr = 0; nr < VGPU_NR_QUEUES; nr++)
		exec_unpin_ring(vgpu, nr);
	vgpu_exec_use(old, false);
	vgpu_exec_use(gpu, true);
	mutex_lock(&vgpu->lock);
	exec->gpu = gpu;
	vgpu_gpu_heads(gpu, vgpu->model);
	/* A reset that had begun ends with all that was loaded. */
	exec->era = vgpu->model->virtio.era - vgpu->model->virtio.resetting;
	WRITE_ONCE(exec->latest, vgpu->model->virtio.era);
	vgpu->model->changed |= VGPU_CHANGED_HEADS;
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	return old;
}

/**
 * vgpu_exec_save() - the next records of resources
 * @vgpu: stopped
 * @at: how far it has come; zeroed at first
 * @buf: where to
 * @room: bytes
 *
 * Return: bytes; 0 when there are no more
 */
size_t vgpu_exec_save(struct vgpu *vgpu, struct vgpu_resource_at *at, u8 *buf,
		      size_t room)
{
	size_t len = 0, n;

	mutex_lock(&vgpu->exec.lock);
	while (vgpu->exec.gpu && room - len >= VGPU_RESOURCE_RECORD) {
		n = vgpu_gpu_save_resource(vgpu->exec.gpu, at, buf + len);
		if (!n)
			break;
		len += n;
	}
	mutex_unlock(&vgpu->exec.lock);
	return len;
}

/* Nothing that is put aside travels: it comes back, or is forgotten. */
static void exec_settle(struct vgpu *vgpu)
{
	bool forget;

	lockdep_assert_held(&vgpu->exec.lock);
	mutex_lock(&vgpu->lock);
	forget = vgpu_virtio_settle(vgpu->model);
	vgpu_apply(vgpu);
	mutex_unlock(&vgpu->lock);
	if (forget)
		exec_forget(vgpu);
}

/**
 * vgpu_exec_stop() - wait until no command is executed
 * @vgpu: stopped
 *
 * What waits for the end of a frame is given back, so that no frame has to travel.
 *
 * Context: in the VMM
 *
 * Return: 0; -EINTR for a VMM that was killed meanwhile
 */
int vgpu_exec_stop(struct vgpu *vgpu)
{
	int ret = mutex_lock_killable(&vgpu->exec.lock);

	if (ret)
		return ret;
	exec_settle(vgpu);
	if (vgpu->exec.gpu && exec_release(vgpu) < 0)
		exec_broken(vgpu);
	mutex_unlock(&vgpu->exec.lock);
	return 0;
}

/**
 * vgpu_exec_open() - a VMM opens the vGPU
 * @vgpu: its model is there
 *
 * Return: 0 or a negative errno
 */
int vgpu_exec_open(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	struct task_struct *task;

	if (!vgpu_personality(&vgpu->type->profile)->executes)
		return 0;
	exec->gpu = vgpu_exec_new(vgpu);
	if (!exec->gpu)
		return -ENOMEM;
	task = kthread_run(exec_thread, vgpu, "vgpu");
	if (IS_ERR(task)) {
		vgpu_exec_free(exec->gpu);
		exec->gpu = NULL;
		return PTR_ERR(task);
	}
	exec->task = task;
	vgpu_exec_use(exec->gpu, true);
	exec->memcg = get_mem_cgroup_from_mm(current->mm);
	mmgrab(current->mm);
	/* Who looks from outside may be the first to kick. */
	mutex_lock(&vgpu->lock);
	WRITE_ONCE(exec->mm, current->mm);
	mutex_unlock(&vgpu->lock);
	return 0;
}

/**
 * vgpu_exec_close() - opposite of vgpu_exec_open()
 * @vgpu: its model is still there
 */
void vgpu_exec_close(struct vgpu *vgpu)
{
	struct vgpu_exec *exec = &vgpu->exec;
	struct mm_struct *mm = exec->mm;

	if (!mm)
		return;
	/* vgpu.lock orders this and those who kick. */
	mutex_lock(&vgpu->lock);
	WRITE_ONCE(exec->mm, NULL);
	mutex_unlock(&vgpu->lock);
	atomic_inc(&exec->resets);
	/* It may wait for memory that never comes. */
	send_sig(SIGKILL, exec->task, 1);
	kthread_stop(exec->task);
	atomic_dec(&exec->resets);
	mutex_lock(&exec->lock);
	exec_forget(vgpu);
	vgpu_exec_free(exec->gpu);
	exec->gpu = NULL;
	mutex_unlock(&exec->lock);
	/* Nothing will be brought up to date any more. */
	WRITE_ONCE(exec->look, 0);
	wake_up_all(&exec->looked);
	mem_cgroup_put(exec->memcg);
	mmdrop(mm);
}

void vgpu_exec_init(struct vgpu *vgpu)
{
	mutex_init(&vgpu->exec.lock);
	init_waitqueue_head(&vgpu->exec.looked);
	init_waitqueue_head(&vgpu->exec.kick);
}

/**
 * vgpu_exec_fini() - opposite of vgpu_exec_init()
 * @vgpu: nobody has a reference on it any more
 */
void vgpu_exec_fini(struct vgpu *vgpu)
{
	mutex_destroy(&vgpu->exec.lock);
}
