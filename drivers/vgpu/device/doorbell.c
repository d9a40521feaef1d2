// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO_DEVICE_IOEVENTFD: doorbells that the VMM rings with an eventfd.  KVM
 * signals it when the guest writes the register, and no exit to the VMM is
 * needed.
 */
#include <linux/llist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "device/doorbell.h"
#include "device/vgpu.h"
#include "model/personality.h"
#include "model/type.h"

/* What a VMM can have at most; more than any will use. */
#define VGPU_MAX_IOEVENTFDS	VGPU_NR_DOORBELLS

/**
 * struct vgpu_ioeventfd - an eventfd that rings a doorbell
 * @link: in vgpu_ioeventfds.list
 * @offset: of the doorbell in BAR4
 * @data: what it is rung with
 * @virqfd: VFIO's part, NULL when the eventfd is gone
 * @rung: one less than the number of rings that the model has not been kicked for; of 64
 *	bits, so that a VMM cannot make it wrap around
 * @rung_link: in vgpu_ioeventfds.rung, unless @rung is -1
 */
struct vgpu_ioeventfd {
	struct list_head link;
	u32 offset;
	u32 data;
	struct virqfd *virqfd;
	atomic64_t rung;
	struct llist_node rung_link;
};

/*
 * The guest has written the register.  In the context of the one that signals,
 * which is KVM with its vCPU stopped, so this is short and takes no lock.
 */
static int vgpu_ioeventfd_ring(void *opaque, void *data)
{
	struct vgpu_ioeventfds *ioeventfds = opaque;
	struct vgpu_ioeventfd *ioeventfd = data;

	if (atomic64_inc_and_test(&ioeventfd->rung))
		llist_add(&ioeventfd->rung_link, &ioeventfds->rung);
	return 0;
}

/* See vgpu_ioeventfd_gather(), which is for most cases where none has rung. */
void vgpu_ioeventfd_kick(struct vgpu_ioeventfds *ioeventfds)
{
	struct vgpu *vgpu = container_of(ioeventfds, struct vgpu, ioeventfds);
	const struct vgpu_personality *p = vgpu_personality(&vgpu->type->profile);
	struct llist_node *rung = llist_del_all(&ioeventfds->rung);
	struct vgpu_ioeventfd *ioeventfd, *next;
	u32 times;

	lockdep_assert_held(&vgpu->lock);
	llist_for_each_entry_safe(ioeventfd, next, rung, rung_link) {
		times = atomic64_xchg(&ioeventfd->rung, -1) + 1;
		if (vgpu->bars_on)
			p->kick(vgpu->model,
				(ioeventfd->offset - VGPU_DOORBELL(0)) / 4,
				times);
	}
}

static struct vgpu_ioeventfd *vgpu_ioeventfd_find(struct vgpu *vgpu,
						  u32 offset, u32 data)
{
	struct vgpu_ioeventfd *ioeventfd;

	lockdep_assert_held(&vgpu->ioeventfds.lock);
	list_for_each_entry(ioeventfd, &vgpu->ioeventfds.list, link)
		if (ioeventfd->offset == offset && ioeventfd->data == data)
			return ioeventfd;
	return NULL;
}

static void vgpu_ioeventfd_del(struct vgpu *vgpu,
			       struct vgpu_ioeventfd *ioeventfd)
{
	lockdep_assert_held(&vgpu->ioeventfds.lock);
	vfio_virqfd_disable(&ioeventfd->virqfd);
	/* What it rang counts, and the list is left. */
	mutex_lock(&vgpu->lock);
	vgpu_ioeventfd_gather(&vgpu->ioeventfds);
	mutex_unlock(&vgpu->lock);
	list_del(&ioeventfd->link);
	vgpu->ioeventfds.nr--;
	kfree(ioeventfd);
}

static int vgpu_ioeventfd_add(struct vgpu *vgpu, u32 offset, u32 data, int fd)
{
	struct vgpu_ioeventfd *ioeventfd;
	int ret;

	lockdep_assert_held(&vgpu->ioeventfds.lock);
	if (vgpu->ioeventfds.nr == VGPU_MAX_IOEVENTFDS)
		return -ENOSPC;
	ioeventfd = kzalloc(sizeof(*ioeventfd), GFP_KERNEL_ACCOUNT);
	if (!ioeventfd)
		return -ENOMEM;
	ioeventfd->offset = offset;
	ioeventfd->data = data;
	atomic64_set(&ioeventfd->rung, -1);
	ret = vfio_virqfd_enable(&vgpu->ioeventfds, vgpu_ioeventfd_ring, NULL,
				 ioeventfd, &ioeventfd->virqfd, fd);
	if (ret) {
		kfree(ioeventfd);
		return ret;
	}
	list_add(&ioeventfd->link, &vgpu->ioeventfds.list);
	vgpu->ioeventfds.nr++;
	return 0;
}

/**
 * vgpu_ioeventfd_set() - VFIO_DEVICE_IOEVENTFD
 * @vgpu: the vGPU
 * @arg: struct vfio_device_ioeventfd of user space
 *
 * Return: 0; -EINVAL for anything but a whole doorbell; -EEXIST when it has an
 * eventfd for this value; -ENODEV when it has none to take away; -ENOSPC;
 * -EBADF or -EINVAL for something that is no eventfd; -EFAULT; -ENOMEM
 */
int vgpu_ioeventfd_set(struct vgpu *vgpu, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_ioeventfd, fd);
	struct vfio_device_ioeventfd args;
	struct vgpu_ioeventfd *ioeventfd;
	u64 offset;
	int ret;

	if (copy_from_user(&args, arg, minsz))
		return -EFAULT;
	if (args.argsz < minsz || args.flags != VFIO_DEVICE_IOEVENTFD_32 ||
	    args.fd < -1 || args.data > U32_MAX)
		return -EINVAL;
	offset = args.offset & VGPU_OFFSET_MASK;
	if (args.offset >> VGPU_OFFSET_SHIFT != VFIO_PCI_BAR4_REGION_INDEX ||
	    offset < VGPU_DOORBELL(0) ||
	    offset >= VGPU_DOORBELL(vgpu_personality(&vgpu->type->profile)->nr_doorbells) ||
	    offset % 4)
		return -EINVAL;

	mutex_lock(&vgpu->ioeventfds.lock);
	ioeventfd = vgpu_ioeventfd_find(vgpu, offset, args.data);
	if (args.fd >= 0) {
		ret = ioeventfd ? -EEXIST :
		      vgpu_ioeventfd_add(vgpu, offset, args.data, args.fd);
	} else {
		ret = ioeventfd ? 0 : -ENODEV;
		if (ioeventfd)
			vgpu_ioeventfd_del(vgpu, ioeventfd);
	}
	mutex_unlock(&vgpu->ioeventfds.lock);
	return ret;
}

/**
 * vgpu_ioeventfd_release() - take all away
 * @vgpu: nobody has it open any more
 */
void vgpu_ioeventfd_release(struct vgpu *vgpu)
{
	struct vgpu_ioeventfd *ioeventfd, *next;

	mutex_lock(&vgpu->ioeventfds.lock);
	list_for_each_entry_safe(ioeventfd, next, &vgpu->ioeventfds.list, link)
		vgpu_ioeventfd_del(vgpu, ioeventfd);
	mutex_unlock(&vgpu->ioeventfds.lock);
}
