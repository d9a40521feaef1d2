// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/vgpu_guest.h"

#define PAGE		4096

enum slot { SLOT_CODE, SLOT_MEMORY };

static int vt_guest_slot(struct vt_guest *guest, enum slot slot, uint64_t gpa,
			 void *addr, size_t len)
{
	struct kvm_userspace_memory_region memory = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)addr,
	};

	return ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &memory) ? -errno :
								       0;
}

int vt_guest_memory(struct vt_guest *guest, uint64_t gpa, void *addr,
		    size_t len)
{
	return vt_guest_slot(guest, SLOT_MEMORY, gpa, addr, len);
}

int vt_guest_es(struct vt_guest *guest, uint64_t gpa)
{
	struct kvm_sregs sregs;

	if (ioctl(guest->vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.es.base = gpa;
	sregs.es.selector = gpa >> 4;
	return ioctl(guest->vcpu, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

int vt_guest_regs(struct vt_guest *guest, struct kvm_regs *regs)
{
	regs->rip = VT_GUEST_CODE;
	regs->rflags = 2;
	return ioctl(guest->vcpu, KVM_SET_REGS, regs) ? -errno : 0;
}

int vt_guest_run(struct vt_guest *guest)
{
	return ioctl(guest->vcpu, KVM_RUN, 0) ? -errno : 0;
}

static int vt_guest_setup(struct vt_guest *guest, const void *code, size_t len)
{
	int ret;

	guest->vm = ioctl(guest->kvm, KVM_CREATE_VM, 0);
	if (guest->vm < 0)
		return -errno;
	guest->code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guest->code == MAP_FAILED)
		return -errno;
	memcpy(guest->code, code, len);
	ret = vt_guest_slot(guest, SLOT_CODE, VT_GUEST_CODE, guest->code, PAGE);
	if (ret)
		return ret;
	guest->vcpu = ioctl(guest->vm, KVM_CREATE_VCPU, 0);
	if (guest->vcpu < 0)
		return -errno;
	ret = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (ret < 0)
		return -errno;
	guest->run_len = ret;
	guest->run = mmap(NULL, guest->run_len, PROT_READ | PROT_WRITE,
			  MAP_SHARED, guest->vcpu, 0);
	return guest->run == MAP_FAILED ? -errno : 0;
}

int vt_guest_start(struct vt_guest *guest, const void *code, size_t len)
{
	int ret;

	*guest = (struct vt_guest){
		.vm = -1,
		.vcpu = -1,
		.run = MAP_FAILED,
		.code = MAP_FAILED,
	};
	guest->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (guest->kvm < 0)
		return -errno;
	ret = vt_guest_setup(guest, code, len);
	if (ret)
		vt_guest_end(guest);
	return ret;
}

void vt_guest_end(struct vt_guest *guest)
{
	if (guest->run != MAP_FAILED)
		munmap(guest->run, guest->run_len);
	if (guest->code != MAP_FAILED)
		munmap(guest->code, PAGE);
	close(guest->vcpu);
	close(guest->vm);
	close(guest->kvm);
}
