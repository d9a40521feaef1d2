/* SPDX-License-Identifier: GPL-2.0 */
/* Doorbells that are eventfds. */
#ifndef _VGPU_DOORBELL_H
#define _VGPU_DOORBELL_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "model/model.h"

struct vgpu;

/**
 * struct vgpu_ioeventfds - doorbells that are eventfds
 * @lock: protects @list and @nr
 * @list: of struct vgpu_ioeventfd
 * @nr: how many
 * @rung: how often they rang, and the model has not been told
 */
struct vgpu_ioeventfds {
	struct mutex lock;
	struct list_head list;
	u32 nr;
	atomic_t rung;
};

int vgpu_ioeventfd_set(struct vgpu *vgpu, void __user *arg);
void vgpu_ioeventfd_release(struct vgpu *vgpu);

/* Have the model know how often they rang; vgpu.lock is held. */
static inline void vgpu_ioeventfd_gather(struct vgpu_ioeventfds *ioeventfds,
					 struct vgpu_model *model)
{
	if (atomic_read(&ioeventfds->rung))
		model->doorbells += atomic_xchg(&ioeventfds->rung, 0);
}

#endif /* _VGPU_DOORBELL_H */
