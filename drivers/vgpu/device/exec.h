/* SPDX-License-Identifier: GPL-2.0 */
/* What executes the commands of a guest. */
#ifndef _VGPU_EXEC_H
#define _VGPU_EXEC_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct mem_cgroup;
struct mm_struct;
struct task_struct;
struct vgpu;
struct vgpu_gpu;
struct vgpu_resource_at;

/**
 * struct vgpu_exec - what executes the commands of a guest
 * @task: does it while a VMM has the vGPU open, never a thread of the VMM
 * @kick: where it waits for something to do
 * @kicked: there is
 * @lock: held while commands are executed, and so while the guest's memory is waited
 *	for; protects @gpu, @era and @pinned.  Nothing that others wait for takes it.
 * @gpu: the state of that; NULL with a personality that has no commands, and while no VMM
 *	has the vGPU open
 * @mm: the VMM's memory, where the guest's is
 * @memcg: what memory is charged to
 * @era: of the registers that commands are executed for
 * @latest: of the registers, read without a lock; written under vgpu.lock
 * @pinned: queues, by bit, whose rings are to be pinned, if they can be
 * @resets: how many wait for the command that is being executed
 * @look: heads, by bit, that somebody wants to look at
 * @looked: woken when they can
 */
struct vgpu_exec {
	struct task_struct *task;
	wait_queue_head_t kick;
	bool kicked;
	struct mutex lock;
	struct vgpu_gpu *gpu;
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	u32 era;
	u32 latest;
	u32 pinned;
	atomic_t resets;
	unsigned long look;
	wait_queue_head_t looked;
};

/* exec.c */
void vgpu_exec_init(struct vgpu *vgpu);
void vgpu_exec_fini(struct vgpu *vgpu);
int vgpu_exec_open(struct vgpu *vgpu);
void vgpu_exec_close(struct vgpu *vgpu);
void vgpu_exec_work(struct vgpu *vgpu);
int vgpu_exec_begin_reset(struct vgpu *vgpu);
void vgpu_exec_end_reset(struct vgpu *vgpu, bool keep);
struct vgpu_gpu *vgpu_exec_load(struct vgpu *vgpu, struct vgpu_gpu *gpu);
size_t vgpu_exec_save(struct vgpu *vgpu, struct vgpu_resource_at *at, u8 *buf,
		      size_t room);
int vgpu_exec_stop(struct vgpu *vgpu);
void vgpu_exec_look(struct vgpu *vgpu, u32 head);

/* exec_ops.c */
bool vgpu_exec_is_current(struct vgpu *vgpu);
bool vgpu_exec_sleeps(struct vgpu *vgpu);
void vgpu_exec_use(struct vgpu_gpu *gpu, bool use);
struct vgpu_gpu *vgpu_exec_new(struct vgpu *vgpu);
void vgpu_exec_free(struct vgpu_gpu *gpu);

#endif /* _VGPU_EXEC_H */
