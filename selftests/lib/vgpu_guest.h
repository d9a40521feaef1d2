/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest guest: one processor in real mode that runs a page of code, and
 * the part of a VMM that it needs.
 */
#ifndef VGPU_GUEST_H
#define VGPU_GUEST_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

/* Where its code is. */
#define VT_GUEST_CODE	0x1000

struct vt_guest {
	int kvm;
	int vm;
	int vcpu;
	size_t run_len;
	struct kvm_run *run;
	uint8_t *code;
};

/* Functions return 0, or a negative errno; -ENOENT or -ENODEV without KVM. */
int vt_guest_start(struct vt_guest *guest, const void *code, size_t len);
void vt_guest_end(struct vt_guest *guest);
/* Memory of this process at a guest-physical address. */
int vt_guest_memory(struct vt_guest *guest, uint64_t gpa, void *addr,
		    size_t len);
/* Where %es:0 is, guest-physical. */
int vt_guest_es(struct vt_guest *guest, uint64_t gpa);
/* Begin anew with these registers; rip and rflags are filled in. */
int vt_guest_regs(struct vt_guest *guest, struct kvm_regs *regs);
/* Until the next exit; its reason is in @run. */
int vt_guest_run(struct vt_guest *guest);

#endif /* VGPU_GUEST_H */
