// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO regions of a vGPU: one table, and the read, write and mmap operations
 * that work from it.
 *
 * Reads and writes go through a buffer in the kernel: what belongs to the
 * guest is copied with a lock held, user memory is touched without one.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "core.h"

/* Largest piece of a read or write; long ones can be interrupted between. */
#define VGPU_RW_CHUNK	SZ_64K
/* Registers and small pieces do with the stack. */
#define VGPU_RW_SMALL	64

/**
 * struct vgpu_region - what there is to know about a region
 * @size: in bytes, 0 for a region that this vGPU does not have
 * @read: copy @len bytes from @pos, which lie in the region, to @buf
 * @write: the same the other way round
 * @mappable: the framebuffer can be mapped through it
 * @type: VFIO_REGION_TYPE_* of a region that is not standard, else 0
 * @subtype: what it is among those of its type
 */
struct vgpu_region {
	u64 (*size)(const struct vgpu *vgpu);
	int (*read)(struct vgpu *vgpu, u64 pos, void *buf, size_t len);
	int (*write)(struct vgpu *vgpu, u64 pos, const void *buf, size_t len);
	bool mappable;
	u32 type;
	u32 subtype;
};

static u64 bar0_size(const struct vgpu *vgpu)
{
	return vgpu_bar0_size(&vgpu->type->desc.profile);
}

/*
 * With memory space off, or the device gone, a bus reads all ones and writes
 * go nowhere.
 */
static bool bar_answers_locked(const struct vgpu *vgpu)
{
	return !vgpu->revoked && vgpu_config_memory(&vgpu->model);
}

static bool bar_answers(struct vgpu *vgpu)
{
	bool answers;

	mutex_lock(&vgpu->lock);
	answers = bar_answers_locked(vgpu);
	mutex_unlock(&vgpu->lock);
	return answers;
}

static int bar0_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	if (bar_answers(vgpu))
		return vgpu_fb_read(&vgpu->fb, pos, buf, len);
	memset(buf, 0xff, len);
	return 0;
}

static int bar0_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	return bar_answers(vgpu) ? vgpu_fb_write(&vgpu->fb, pos, buf, len) : 0;
}

static u64 bar2_size(const struct vgpu *vgpu)
{
	return VGPU_BAR2_SIZE;
}

static u64 bar4_size(const struct vgpu *vgpu)
{
	return VGPU_BAR4_SIZE;
}

static int registers_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len,
			  void (*read)(struct vgpu_model *, u32, void *, u32))
{
	mutex_lock(&vgpu->lock);
	if (bar_answers_locked(vgpu))
		read(&vgpu->model, pos, buf, len);
	else
		memset(buf, 0xff, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

/* A write may have changed the picture or what interrupts. */
static int registers_write(struct vgpu *vgpu, u64 pos, const void *buf,
			   size_t len,
			   void (*write)(struct vgpu_model *, u32, const void *,
					 u32))
{
	mutex_lock(&vgpu->lock);
	if (bar_answers_locked(vgpu)) {
		write(&vgpu->model, pos, buf, len);
		vgpu_fb_set_console(&vgpu->fb, vgpu->model.scanout.offset);
		vgpu_vblank_update(vgpu);
		vgpu_irq_update(vgpu);
	}
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int bar2_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	return registers_read(vgpu, pos, buf, len, vgpu_bar2_read);
}

static int bar2_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	return registers_write(vgpu, pos, buf, len, vgpu_bar2_write);
}

static int bar4_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	return registers_read(vgpu, pos, buf, len, vgpu_bar4_read);
}

static int bar4_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	return registers_write(vgpu, pos, buf, len, vgpu_bar4_write);
}

static u64 config_size(const struct vgpu *vgpu)
{
	return VGPU_CONFIG_SIZE;
}

static int config_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	if (vgpu->revoked)
		memset(buf, 0xff, len);
	else
		vgpu_config_read(&vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int config_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	bool reset;

	mutex_lock(&vgpu->lock);
	reset = !vgpu->revoked &&
		vgpu_config_write(&vgpu->model, pos, buf, len);
	vgpu_irq_update(vgpu);
	mutex_unlock(&vgpu->lock);
	if (reset)
		vgpu_reset(vgpu);
	return 0;
}

static u64 console_size(const struct vgpu *vgpu)
{
	return vgpu->fb.size;
}

/*
 * The base may move between looking at it and the copy; then the caller gets
 * the picture before the move, as it would have with a faster read.
 */
static u64 console_offset(struct vgpu *vgpu, u64 pos)
{
	return (READ_ONCE(vgpu->fb.console_base) << PAGE_SHIFT) + pos;
}

static int console_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	return vgpu_fb_read(&vgpu->fb, console_offset(vgpu, pos), buf, len);
}

static int console_write(struct vgpu *vgpu, u64 pos, const void *buf,
			 size_t len)
{
	return vgpu_fb_write(&vgpu->fb, console_offset(vgpu, pos), buf, len);
}

static u64 edid_size(const struct vgpu *vgpu)
{
	return VGPU_REGION_EDID_SIZE;
}

static int edid_read(struct vgpu *vgpu, u64 pos, void *buf, size_t len)
{
	mutex_lock(&vgpu->lock);
	vgpu_link_read(&vgpu->model, pos, buf, len);
	mutex_unlock(&vgpu->lock);
	return 0;
}

static int edid_write(struct vgpu *vgpu, u64 pos, const void *buf, size_t len)
{
	int ret;

	mutex_lock(&vgpu->lock);
	ret = vgpu_link_write(&vgpu->model, pos, buf, len);
	vgpu_irq_update(vgpu);
	mutex_unlock(&vgpu->lock);
	return ret;
}

static const struct vgpu_region vgpu_regions[VGPU_NUM_REGIONS] = {
	[VFIO_PCI_BAR0_REGION_INDEX] = {
		.size = bar0_size,
		.read = bar0_read,
		.write = bar0_write,
		.mappable = true,
	},
	[VFIO_PCI_BAR2_REGION_INDEX] = {
		.size = bar2_size,
		.read = bar2_read,
		.write = bar2_write,
	},
	[VFIO_PCI_BAR4_REGION_INDEX] = {
		.size = bar4_size,
		.read = bar4_read,
		.write = bar4_write,
	},
	[VFIO_PCI_CONFIG_REGION_INDEX] = {
		.size = config_size,
		.read = config_read,
		.write = config_write,
	},
	[VGPU_REGION_CONSOLE] = {
		.size = console_size,
		.read = console_read,
		.write = console_write,
		.mappable = true,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | VGPU_PCI_VENDOR,
		.subtype = VGPU_REGION_SUBTYPE_CONSOLE,
	},
	[VGPU_REGION_EDID] = {
		.size = edid_size,
		.read = edid_read,
		.write = edid_write,
		.type = VFIO_REGION_TYPE_GFX,
		.subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
	},
};

/* The region with an index from user space, or NULL for one without size. */
static const struct vgpu_region *vgpu_region_get(u64 index)
{
	if (index >= VGPU_NUM_REGIONS)
		return NULL;
	index = array_index_nospec(index, VGPU_NUM_REGIONS);
	return vgpu_regions[index].size ? &vgpu_regions[index] : NULL;
}

/*
 * A region that can be mapped only in part must say so: the BAR is a power of
 * two, the framebuffer need not be.
 */
static int vgpu_region_add_sparse(struct vfio_info_cap *caps, u64 size)
{
	struct {
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area area;
	} sparse = {
		.cap.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.cap.header.version = 1,
		.cap.nr_areas = 1,
		.area.size = size,
	};

	return vfio_info_add_capability(caps, &sparse.cap.header,
					sizeof(sparse));
}

static int vgpu_region_add_type(struct vfio_info_cap *caps,
				const struct vgpu_region *region)
{
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = region->type,
		.subtype = region->subtype,
	};

	return vfio_info_add_capability(caps, &type.header, sizeof(type));
}

/**
 * vgpu_region_info() - VFIO_DEVICE_GET_REGION_INFO
 * @vdev: the vGPU
 * @info: index in, the rest out
 * @caps: capabilities out
 *
 * Return: 0, -EINVAL for an index that does not exist, -ENOMEM
 */
int vgpu_region_info(struct vfio_device *vdev, struct vfio_region_info *info,
		     struct vfio_info_cap *caps)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	const struct vgpu_region *region;
	int ret = 0;

	if (info->index >= VGPU_NUM_REGIONS)
		return -EINVAL;
	info->offset = VGPU_INDEX_TO_OFFSET(info->index);
	info->size = 0;
	info->flags = 0;
	region = vgpu_region_get(info->index);
	if (!region)
		return 0;
	info->size = region->size(vgpu);
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (region->mappable) {
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		if (info->size != vgpu->fb.size)
			ret = vgpu_region_add_sparse(caps, vgpu->fb.size);
	}
	if (!ret && region->type)
		ret = vgpu_region_add_type(caps, region);
	return ret;
}

static ssize_t vgpu_region_rw(struct vgpu *vgpu, char __user *ubuf,
			      size_t count, loff_t *ppos, bool write)
{
	u64 pos = *ppos & VGPU_OFFSET_MASK;
	u8 small[VGPU_RW_SMALL];
	const struct vgpu_region *region;
	size_t done = 0, chunk = sizeof(small);
	void *buf = small;
	int ret = 0;
	u64 size;

	region = vgpu_region_get((u64)*ppos >> VGPU_OFFSET_SHIFT);
	if (!region)
		return -EINVAL;
	size = region->size(vgpu);
	if (pos >= size)
		return -EINVAL;
	count = min_t(u64, count, size - pos);
	if (count > sizeof(small)) {
		chunk = min_t(size_t, count, VGPU_RW_CHUNK);
		buf = kvmalloc(chunk, GFP_KERNEL_ACCOUNT);
		if (!buf)
			return -ENOMEM;
	}

	while (done < count) {
		size_t len = min(chunk, count - done);

		if (write) {
			ret = -EFAULT;
			if (copy_from_user(buf, ubuf + done, len))
				break;
			ret = region->write(vgpu, pos + done, buf, len);
			if (ret)
				break;
		} else {
			ret = region->read(vgpu, pos + done, buf, len);
			if (ret)
				break;
			ret = -EFAULT;
			if (copy_to_user(ubuf + done, buf, len))
				break;
		}
		ret = 0;
		done += len;
		if (done < count) {
			if (fatal_signal_pending(current)) {
				ret = -EINTR;
				break;
			}
			cond_resched();
		}
	}
	if (buf != small)
		kvfree(buf);
	*ppos += done;
	return done ?: ret;
}

/**
 * vgpu_region_read() - read(2) and pread(2)
 * @vdev: the vGPU
 * @buf: where to
 * @count: bytes; cut at the end of the region
 * @ppos: region index and offset
 *
 * Return: bytes read; -EINVAL beyond a region, -EFAULT, -ENOMEM
 */
ssize_t vgpu_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), buf, count, ppos, false);
}

/**
 * vgpu_region_write() - write(2) and pwrite(2)
 * @vdev: the vGPU
 * @buf: where from
 * @count: bytes; cut at the end of the region
 * @ppos: region index and offset
 *
 * Return: bytes written; -EINVAL beyond a region, -EFAULT, -ENOMEM
 */
ssize_t vgpu_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	return vgpu_region_rw(vdev_to_vgpu(vdev), (char __user *)buf, count,
			      ppos, true);
}

/*
 * The first framebuffer page of what a VMA offset names.  Called with
 * vgpu_fb.lock held, under which the console does not move.
 */
static u64 vgpu_fault_page(struct vgpu *vgpu, pgoff_t pgoff)
{
	u64 page = pgoff & (VGPU_OFFSET_MASK >> PAGE_SHIFT);

	lockdep_assert_held(&vgpu->fb.lock);
	if (pgoff >> (VGPU_OFFSET_SHIFT - PAGE_SHIFT) == VGPU_REGION_CONSOLE)
		page += vgpu->fb.console_base;
	return page;
}

static vm_fault_t vgpu_fault_error(int ret)
{
	return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/*
 * A fault fills in the rest of the run of host memory that it hit, as far as
 * the VMA goes: one fault for up to 2 MiB even where the alignment or the
 * kernel rules out a larger entry.
 */
static vm_fault_t vgpu_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vgpu *vgpu = vma->vm_private_data;
	u64 room = (vma->vm_end - vmf->address) >> PAGE_SHIFT;
	struct pgpu_run run;
	vm_fault_t fault;
	int ret;
	u64 i;

	down_read(&vgpu->fb.lock);
	ret = vgpu_fb_run(&vgpu->fb, vgpu_fault_page(vgpu, vmf->pgoff),
			  max_t(u64, room, 1), true, &run);
	if (ret) {
		fault = vgpu_fault_error(ret);
		goto out_unlock;
	}
	fault = vmf_insert_pfn(vma, vmf->address & PAGE_MASK, run.pfn);
	for (i = 1; i < run.nr && fault == VM_FAULT_NOPAGE; i++)
		if (vmf_insert_pfn(vma, (vmf->address & PAGE_MASK) +
				   i * PAGE_SIZE, run.pfn + i) != VM_FAULT_NOPAGE)
			break;
out_unlock:
	up_read(&vgpu->fb.lock);
	return fault;
}

#ifdef VGPU_PMD_FAULTS
static vm_fault_t vgpu_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vgpu *vgpu = vma->vm_private_data;
	unsigned long address = vmf->address & PMD_MASK;
	vm_fault_t fault = VM_FAULT_FALLBACK;
	struct pgpu_run run;
	pgoff_t pgoff;
	u64 page;

	if (order != PMD_ORDER || address < vma->vm_start ||
	    address + PMD_SIZE > vma->vm_end)
		return VM_FAULT_FALLBACK;
	pgoff = linear_page_index(vma, address);

	down_read(&vgpu->fb.lock);
	page = vgpu_fault_page(vgpu, pgoff);
	/* The VMA may be shifted against the blocks; then 4 KiB will do. */
	if (IS_ALIGNED(page, PTRS_PER_PMD) &&
	    !vgpu_fb_run(&vgpu->fb, page, PTRS_PER_PMD, true, &run) &&
	    run.nr == PTRS_PER_PMD && IS_ALIGNED(run.pfn, PTRS_PER_PMD))
		fault = vgpu_insert_pfn_pmd(vmf, run.pfn,
					    vmf->flags & FAULT_FLAG_WRITE);
	up_read(&vgpu->fb.lock);
	return fault;
}
#endif

static const struct vm_operations_struct vgpu_vm_ops = {
	.fault = vgpu_fault,
#ifdef VGPU_PMD_FAULTS
	.huge_fault = vgpu_huge_fault,
#endif
};

/**
 * vgpu_region_mmap() - mmap(2)
 * @vdev: the vGPU
 * @vma: offset and length name a part of the framebuffer in a region
 *
 * Return: 0; -EINVAL for a region that cannot be mapped, a part that is not in
 * the framebuffer, or a private mapping
 */
int vgpu_region_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vgpu *vgpu = vdev_to_vgpu(vdev);
	u64 index = vma->vm_pgoff >> (VGPU_OFFSET_SHIFT - PAGE_SHIFT);
	u64 page = vma->vm_pgoff & (VGPU_OFFSET_MASK >> PAGE_SHIFT);
	const struct vgpu_region *region = vgpu_region_get(index);
	u64 fb_pages = vgpu->fb.size >> PAGE_SHIFT;

	if (!region || !region->mappable || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (page >= fb_pages || vma_pages(vma) > fb_pages - page)
		return -EINVAL;

	vgpu_mmaps_adopt(&vgpu->mmaps, vma);
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = vgpu;
	vma->vm_ops = &vgpu_vm_ops;
	return 0;
}
