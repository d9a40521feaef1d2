/* SPDX-License-Identifier: GPL-2.0 */
/* Doorbells that are eventfds. */
#ifndef _VGPU_DOORBELL_H
#define _VGPU_DOORBELL_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>

struct vgpu;

/**
 * struct vgpu_ioeventfds - doorbells that are eventfds
 * @lock: protects @list and @nr
 * @list: of struct vgpu_ioeventfd
 * @nr: how many
 * @rung: those that rang since vgpu_ioeventfd_gather()
 */
struct vgpu_ioeventfds {
	struct mutex lock;
	struct list_head list;
	u32 nr;
	struct llist_head rung;
};

int vgpu_ioeventfd_set(struct vgpu *vgpu, void __user *arg);
void vgpu_ioeventfd_release(struct vgpu *vgpu);
void vgpu_ioeventfd_kick(struct vgpu_ioeventfds *ioeventfds);

/**
 * vgpu_ioeventfd_gather() - kick the model for doorbells that rang
 * @ioeventfds: those of a vGPU; vgpu.lock is held
 *
 * Rings are dropped if the BARs do not answer, so this comes before that changes.
 */
static inline void vgpu_ioeventfd_gather(struct vgpu_ioeventfds *ioeventfds)
{
	if (!llist_empty(&ioeventfds->rung))
		vgpu_ioeventfd_kick(ioeventfds);
}

#endif /* _VGPU_DOORBELL_H */
