/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts of a vGPU. */
#ifndef _VGPU_IRQ_H
#define _VGPU_IRQ_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/vgpu.h>

struct eventfd_ctx;
struct vgpu;
struct virqfd;

/**
 * struct vgpu_irqs - where the VMM wants interrupts signalled
 * @set_lock: serialises VFIO_DEVICE_SET_IRQS, protects @unmask and @mask
 * @lock: protects all but these; eventfds are signalled with it held
 * @msix: an eventfd for each vector, or NULL
 * @intx: for INTx
 * @err: for errors of the device; none is sent yet
 * @req: for the request to let the device go
 * @pending: messages of the device model that are due; this and the following three
 *	are as of the last vgpu_irq_update()
 * @line: the device model asserts INTx
 * @msix_on: MSI-X messages may be sent
 * @intx_on: INTx may be raised
 * @sent: events whose MSI-X has been sent and that the guest has not cleared
 * @intx_masked: INTx was sent, or masked by the VMM
 * @unmask: eventfd with which the VMM unmasks INTx
 * @mask: eventfd with which it masks INTx
 */
struct vgpu_irqs {
	struct mutex set_lock;
	spinlock_t lock;
	struct eventfd_ctx *msix[VGPU_NR_IRQS];
	struct eventfd_ctx *intx;
	struct eventfd_ctx *err;
	struct eventfd_ctx *req;
	u32 pending;
	bool line;
	bool msix_on;
	bool intx_on;
	u32 sent;
	bool intx_masked;
	struct virqfd *unmask;
	struct virqfd *mask;
};

int vgpu_irq_info(struct vgpu *vgpu, void __user *arg);
int vgpu_irq_set(struct vgpu *vgpu, void __user *arg);
void vgpu_irq_update(struct vgpu *vgpu);
void vgpu_irq_resend(struct vgpu *vgpu);
bool vgpu_irq_request(struct vgpu *vgpu);
void vgpu_irq_release(struct vgpu *vgpu);

#endif /* _VGPU_IRQ_H */
