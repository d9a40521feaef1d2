// SPDX-License-Identifier: GPL-2.0
/*
 * What executing commands asks of the device: the kernel's side of model/virtio/gpu.h.
 *
 * Each effect on registers and heads takes vgpu.lock for itself, and happens only as long
 * as the device was not reset (vgpu_virtio.era).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uuid.h>

#include "device/exec.h"
#include "device/vgpu.h"
#include "model/type.h"
#include "model/virtio/gpu.h"

/**
 * struct exec_gpu - what executes commands, and whose
 * @gpu: the model's part
 * @vgpu: the vGPU
 */
struct exec_gpu {
	struct vgpu_gpu gpu;
	struct vgpu *vgpu;
};

static struct vgpu *gpu_to_vgpu(struct vgpu_gpu *gpu)
{
	return container_of(gpu, struct exec_gpu, gpu)->vgpu;
}

static struct vgpu *host_to_vgpu(struct vgpu_host *host)
{
	return gpu_to_vgpu(container_of(host, struct vgpu_gpu, host));
}

static int exec_host_read(struct vgpu_host *host, u64 iova, void *buf, size_t len)
{
	return vgpu_dma_read(host_to_vgpu(host), iova, buf, len);
}

static int exec_host_write(struct vgpu_host *host, u64 iova, const void *buf,
			   size_t len)
{
	return vgpu_dma_write(host_to_vgpu(host), iova, buf, len);
}

static void *exec_alloc(struct vgpu_gpu *gpu, size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT);
}

static void exec_free(struct vgpu_gpu *gpu, void *memory)
{
	kvfree(memory);
}

static void exec_uuid(struct vgpu_gpu *gpu, u8 *uuid)
{
	generate_random_uuid(uuid);
}

static int exec_fb_read(struct vgpu_gpu *gpu, u64 offset, void *buf, size_t len)
{
	return vgpu_fb_read(&gpu_to_vgpu(gpu)->fb, offset, buf, len);
}

static int exec_fb_write(struct vgpu_gpu *gpu, u64 offset, u64 pitch,
			 const void *buf, size_t len, u32 nr)
{
	return vgpu_fb_write_lines(&gpu_to_vgpu(gpu)->fb, offset, pitch, buf,
				   len, nr);
}

static int exec_fb_zero(struct vgpu_gpu *gpu, u64 offset, u64 len)
{
	return vgpu_fb_zero(&gpu_to_vgpu(gpu)->fb, offset >> PAGE_SHIFT,
			    len >> PAGE_SHIFT);
}

static void exec_monitor(struct vgpu_gpu *gpu, u32 head,
			 struct vgpu_monitor *monitor)
{
	struct vgpu *vgpu = gpu_to_vgpu(gpu);

	mutex_lock(&vgpu->lock);
	vgpu_monitor_get(vgpu->model, head, monitor);
	mutex_unlock(&vgpu->lock);
}

/**
 * vgpu_exec_is_current() - whether what is executed has effects: not after a reset
 * @vgpu: vgpu.lock is held
 *
 * Return: true if it has
 */
bool vgpu_exec_is_current(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->lock);
	return !vgpu->revoked && vgpu->exec.era == vgpu->model->virtio.era;
}

/**
 * vgpu_exec_sleeps() - whether the guest sleeps through a reset
 * @vgpu: between vgpu_exec_begin_reset() and vgpu_exec_end_reset(), with vgpu.lock held
 *
 * Return: true if it is to find everything as it was; not when there is something that a
 * reset of before has ended
 */
bool vgpu_exec_sleeps(struct vgpu *vgpu)
{
	lockdep_assert_held(&vgpu->exec.lock);
	lockdep_assert_held(&vgpu->lock);
	return vgpu->exec.gpu && vgpu_exec_is_current(vgpu) &&
	       vgpu_virtio_asleep(vgpu->model);
}

static void exec_show(struct vgpu_gpu *gpu, u32 head,
		      const struct vgpu_scanout *picture)
{
	struct vgpu *vgpu = gpu_to_vgpu(gpu);

	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu)) {
		vgpu_head_show(vgpu->model, head, picture);
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
}

static void exec_cursor(struct vgpu_gpu *gpu, u32 head,
			const struct vgpu_cursor *cursor)
{
	struct vgpu *vgpu = gpu_to_vgpu(gpu);

	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu)) {
		vgpu->model->heads[head].cursor = *cursor;
		vgpu->model->changed |= VGPU_CHANGED_HEADS;
		vgpu_apply(vgpu);
	}
	mutex_unlock(&vgpu->lock);
}

static void exec_flipped(struct vgpu_gpu *gpu, u32 head)
{
	struct vgpu *vgpu = gpu_to_vgpu(gpu);

	mutex_lock(&vgpu->lock);
	if (vgpu_exec_is_current(vgpu))
		vgpu->model->heads[head].flips++;
	mutex_unlock(&vgpu->lock);
}

/* While a state is loaded, heads show what they did. */
static void exec_no_show(struct vgpu_gpu *gpu, u32 head,
			 const struct vgpu_scanout *picture)
{
}

static bool exec_gone(struct vgpu_gpu *gpu)
{
	struct vgpu *vgpu = gpu_to_vgpu(gpu);

	return atomic_read(&vgpu->exec.resets) ||
	       READ_ONCE(vgpu->exec.latest) != vgpu->exec.era;
}

static const struct vgpu_gpu_ops exec_load_ops = {
	.alloc = exec_alloc,
	.free = exec_free,
	.fb_zero = exec_fb_zero,
	.show = exec_no_show,
	.gone = exec_gone,
};

static const struct vgpu_gpu_ops exec_ops = {
	.alloc = exec_alloc,
	.free = exec_free,
	.uuid = exec_uuid,
	.fb_read = exec_fb_read,
	.fb_write = exec_fb_write,
	.fb_zero = exec_fb_zero,
	.monitor = exec_monitor,
	.show = exec_show,
	.cursor = exec_cursor,
	.flipped = exec_flipped,
	.gone = exec_gone,
};

/**
 * vgpu_exec_use() - whether commands that are executed have effects on the vGPU
 * @gpu: of vgpu_exec_new()
 * @use: they have; otherwise heads show what they did, as while a state is loaded
 */
void vgpu_exec_use(struct vgpu_gpu *gpu, bool use)
{
	gpu->ops = use ? &exec_ops : &exec_load_ops;
}

/**
 * vgpu_exec_new() - what executes commands, without any state
 * @vgpu: the vGPU; its personality executes commands
 *
 * Return: what is to be loaded, or NULL
 */
struct vgpu_gpu *vgpu_exec_new(struct vgpu *vgpu)
{
	struct exec_gpu *gpu = kvzalloc(sizeof(*gpu), GFP_KERNEL_ACCOUNT);

	if (!gpu)
		return NULL;
	gpu->vgpu = vgpu;
	gpu->gpu.host.read = exec_host_read;
	gpu->gpu.host.write = exec_host_write;
	vgpu_exec_use(&gpu->gpu, false);
	gpu->gpu.profile = &vgpu->type->profile;
	return &gpu->gpu;
}

/**
 * vgpu_exec_free() - opposite of vgpu_exec_new()
 * @gpu: not the one that a vGPU uses; NULL is ignored
 */
void vgpu_exec_free(struct vgpu_gpu *gpu)
{
	if (!gpu)
		return;
	vgpu_gpu_reset(gpu);
	kvfree(container_of(gpu, struct exec_gpu, gpu));
}
