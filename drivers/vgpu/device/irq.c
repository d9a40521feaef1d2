// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts of a vGPU: from events in the device model to the eventfds that
 * the VMM has set with VFIO_DEVICE_SET_IRQS.
 *
 * The eventfds have a spinlock of their own.  What the VMM's eventfds do runs on
 * queues that all VFIO devices share, so it must not wait for vgpu.lock, which is
 * held as long as a reset takes; therefore the state of the device model that
 * interrupts depend on is kept here too, as of its last change.
 *
 * SET_IRQS takes vgpu_irqs.set_lock around it, because enabling and disabling an
 * unmask eventfd waits for the work that it does.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "compat/misc.h"
#include "device/irq.h"
#include "device/vgpu.h"
#include "model/event.h"
#include "model/pci_config.h"
#include "model/type.h"

/* How many interrupts an index has. */
static u32 vgpu_irq_count(const struct vgpu *vgpu, u32 index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
	case VFIO_PCI_ERR_IRQ_INDEX:
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return vgpu_config_vectors(&vgpu->type->profile);
	default:
		return 0;
	}
}

/**
 * vgpu_irq_info() - VFIO_DEVICE_GET_IRQ_INFO
 * @vgpu: the vGPU
 * @arg: struct vfio_irq_info of user space
 *
 * Return: 0; -EINVAL for an index that does not exist; -EFAULT
 */
int vgpu_irq_info(struct vgpu *vgpu, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info = { };

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.count = vgpu_irq_count(vgpu, info.index);
	info.flags = info.count ? VFIO_IRQ_INFO_EVENTFD : 0;
	if (info.index == VFIO_PCI_INTX_IRQ_INDEX)
		info.flags |= VFIO_IRQ_INFO_MASKABLE |
			      VFIO_IRQ_INFO_AUTOMASKED;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static void vgpu_irq_signal(struct eventfd_ctx *trigger)
{
	if (trigger)
		vgpu_eventfd_signal(trigger);
}

/*
 * Send what is due.  A level interrupt is sent once, then it is masked until the
 * VMM unmasks it.  An MSI-X vector is sent when its event becomes pending, and
 * again only after the guest has cleared it: a guest that does not look is not
 * flooded.  With a personality whose events are over when they are sent, the guest
 * limits them by other means.
 */
static void vgpu_irqs_send(struct vgpu_irqs *irqs)
{
	unsigned long fresh = irqs->msix_on ? irqs->pending & ~irqs->sent : 0;
	u32 i;

	lockdep_assert_held(&irqs->lock);
	irqs->sent = (irqs->sent & irqs->pending) | fresh;
	for_each_set_bit(i, &fresh, VGPU_NR_IRQS)
		vgpu_irq_signal(irqs->msix[i]);
	if (!irqs->intx_on || irqs->intx_masked || !irqs->intx || !irqs->line)
		return;
	irqs->intx_masked = true;
	vgpu_irq_signal(irqs->intx);
}

/**
 * vgpu_irq_update() - send the interrupts that are due
 * @vgpu: vgpu.lock is held; something has changed that interrupts depend on
 */
void vgpu_irq_update(struct vgpu *vgpu)
{
	struct vgpu_irqs *irqs = &vgpu->irqs;

	lockdep_assert_held(&vgpu->lock);
	spin_lock(&irqs->lock);
	irqs->pending = vgpu_event_pending(vgpu->model);
	irqs->line = vgpu_event_line(vgpu->model);
	irqs->msix_on = !vgpu->stopped && vgpu_config_messages(vgpu->model);
	irqs->intx_on = !vgpu->stopped && vgpu_config_intx(vgpu->model);
	vgpu_irqs_send(irqs);
	if (vgpu_event_sent(vgpu->model, irqs->sent)) {
		irqs->pending = vgpu_event_pending(vgpu->model);
		irqs->sent = 0;
	}
	/* What waits for that messages may be sent. */
	vgpu->model->msix_pending = irqs->pending & ~irqs->sent;
	spin_unlock(&irqs->lock);
}

/**
 * vgpu_irq_resend() - what is pending counts as not sent yet
 * @vgpu: the vGPU; it is sent with the next vgpu_irq_update()
 */
void vgpu_irq_resend(struct vgpu *vgpu)
{
	spin_lock(&vgpu->irqs.lock);
	vgpu->irqs.sent = 0;
	spin_unlock(&vgpu->irqs.lock);
}

/**
 * vgpu_irq_request() - ask the VMM to let the device go
 * @vgpu: the vGPU
 *
 * Return: whether there is somebody to ask
 */
bool vgpu_irq_request(struct vgpu *vgpu)
{
	bool asked;

	spin_lock(&vgpu->irqs.lock);
	asked = vgpu->irqs.req;
	vgpu_irq_signal(vgpu->irqs.req);
	spin_unlock(&vgpu->irqs.lock);
	return asked;
}

static void vgpu_irq_set_masked(struct vgpu *vgpu, bool masked)
{
	spin_lock(&vgpu->irqs.lock);
	vgpu->irqs.intx_masked = masked;
	vgpu_irqs_send(&vgpu->irqs);
	spin_unlock(&vgpu->irqs.lock);
}

/*
 * The eventfds that come back from the VMM.  This runs from a workqueue, and when
 * one is closed the only queue that VFIO has for that waits for it.
 */
static void vgpu_irq_unmask_work(void *opaque, void *data)
{
	vgpu_irq_set_masked(opaque, false);
}

static void vgpu_irq_mask_work(void *opaque, void *data)
{
	vgpu_irq_set_masked(opaque, true);
}

/* MASK and UNMASK of INTx. */
static int vgpu_irq_set_intx_mask(struct vgpu *vgpu, u32 flags, const void *data)
{
	bool unmask = flags & VFIO_IRQ_SET_ACTION_UNMASK;
	struct virqfd **virqfd = unmask ? &vgpu->irqs.unmask :
					  &vgpu->irqs.mask;
	const s32 *fd = data;
	const u8 *set = data;

	if (flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (*fd < 0) {
			vfio_virqfd_disable(virqfd);
			return 0;
		}
		return vfio_virqfd_enable(vgpu, NULL,
					  unmask ? vgpu_irq_unmask_work :
						   vgpu_irq_mask_work,
					  NULL, virqfd, *fd);
	}
	if ((flags & VFIO_IRQ_SET_DATA_BOOL) && !*set)
		return 0;
	vgpu_irq_set_masked(vgpu, !unmask);
	return 0;
}

static struct eventfd_ctx **vgpu_irq_slot(struct vgpu *vgpu, u32 index, u32 nr)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return &vgpu->irqs.intx;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return &vgpu->irqs.err;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return &vgpu->irqs.req;
	default:
		return &vgpu->irqs.msix[nr];
	}
}

static void vgpu_irq_replace(struct vgpu *vgpu, struct eventfd_ctx **slot,
			     struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *old;

	spin_lock(&vgpu->irqs.lock);
	old = *slot;
	*slot = trigger;
	spin_unlock(&vgpu->irqs.lock);
	if (old)
		eventfd_ctx_put(old);
}

/* All of an index off. */
static void vgpu_irq_disable(struct vgpu *vgpu, u32 index)
{
	u32 i;

	for (i = 0; i < vgpu_irq_count(vgpu, index); i++)
		vgpu_irq_replace(vgpu, vgpu_irq_slot(vgpu, index, i), NULL);
	if (index == VFIO_PCI_INTX_IRQ_INDEX) {
		vfio_virqfd_disable(&vgpu->irqs.unmask);
		vfio_virqfd_disable(&vgpu->irqs.mask);
		vgpu_irq_set_masked(vgpu, false);
	}
}

static void vgpu_irq_put_all(struct eventfd_ctx **triggers, u32 nr)
{
	while (nr--)
		if (triggers[nr])
			eventfd_ctx_put(triggers[nr]);
}

/* New eventfds for a range: all of them, or none when one is bad. */
static int vgpu_irq_set_eventfds(struct vgpu *vgpu, u32 index, u32 start,
				 u32 count, const s32 *fds)
{
	struct eventfd_ctx *triggers[VGPU_NR_IRQS] = { };
	u32 i;

	for (i = 0; i < count; i++) {
		struct eventfd_ctx *trigger;

		if (fds[i] < 0)
			continue;
		trigger = eventfd_ctx_fdget(fds[i]);
		if (IS_ERR(trigger)) {
			vgpu_irq_put_all(triggers, i);
			return PTR_ERR(trigger);
		}
		triggers[i] = trigger;
	}
	for (i = 0; i < count; i++)
		vgpu_irq_replace(vgpu, vgpu_irq_slot(vgpu, index, start + i),
				 triggers[i]);
	/* What has been pending all along is news to the new eventfd. */
	spin_lock(&vgpu->irqs.lock);
	if (index == VFIO_PCI_MSIX_IRQ_INDEX)
		vgpu->irqs.sent = 0;
	vgpu_irqs_send(&vgpu->irqs);
	spin_unlock(&vgpu->irqs.lock);
	return 0;
}

/* TRIGGER without eventfds: send, as a VMM does to test its own wiring. */
static void vgpu_irq_loopback(struct vgpu *vgpu, u32 flags, u32 index,
			      u32 start, u32 count, const u8 *set)
{
	u32 i;

	spin_lock(&vgpu->irqs.lock);
	for (i = 0; i < count; i++)
		if ((flags & VFIO_IRQ_SET_DATA_NONE) || set[i])
			vgpu_irq_signal(*vgpu_irq_slot(vgpu, index, start + i));
	spin_unlock(&vgpu->irqs.lock);
}

static int vgpu_irq_set_locked(struct vgpu *vgpu,
			       const struct vfio_irq_set *hdr, const void *data)
{
	lockdep_assert_held(&vgpu->irqs.set_lock);
	switch (hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_MASK:
	case VFIO_IRQ_SET_ACTION_UNMASK:
		if (hdr->index != VFIO_PCI_INTX_IRQ_INDEX)
			return -ENOTTY;
		if (!hdr->count)
			return -EINVAL;
		return vgpu_irq_set_intx_mask(vgpu, hdr->flags, data);
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		if (hdr->flags & VFIO_IRQ_SET_DATA_EVENTFD)
			return vgpu_irq_set_eventfds(vgpu, hdr->index,
						     hdr->start, hdr->count,
						     data);
		if (hdr->count)
			vgpu_irq_loopback(vgpu, hdr->flags, hdr->index,
					  hdr->start, hdr->count, data);
		else
			vgpu_irq_disable(vgpu, hdr->index);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * vgpu_irq_set() - VFIO_DEVICE_SET_IRQS
 * @vgpu: the vGPU
 * @arg: struct vfio_irq_set of user space
 *
 * Return: 0; -EINVAL for a bad index, range, size or combination of flags;
 * -ENOTTY for masking what cannot be masked; -EBADF or -EINVAL for something
 * that is no eventfd; -EBUSY for a second unmask eventfd; -EFAULT; -ENOMEM
 */
int vgpu_irq_set(struct vgpu *vgpu, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set hdr;
	void *data = NULL;
	size_t size;
	int ret;

	if (copy_from_user(&hdr, arg, minsz))
		return -EFAULT;
	if (hdr.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	ret = vfio_set_irqs_validate_and_prepare(&hdr,
						 vgpu_irq_count(vgpu, hdr.index),
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;
	if (size) {
		data = memdup_user(arg + minsz, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	mutex_lock(&vgpu->irqs.set_lock);
	ret = vgpu_irq_set_locked(vgpu, &hdr, data);
	mutex_unlock(&vgpu->irqs.set_lock);
	kfree(data);
	return ret;
}

/**
 * vgpu_irq_release() - let go of everything the VMM has set
 * @vgpu: nobody has it open any more
 */
void vgpu_irq_release(struct vgpu *vgpu)
{
	u32 index;

	mutex_lock(&vgpu->irqs.set_lock);
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++)
		vgpu_irq_disable(vgpu, index);
	mutex_unlock(&vgpu->irqs.set_lock);
}
