# SPDX-License-Identifier: GPL-2.0
#
# Probe the headers of the kernel that is built for.  Each line asks for one
# interface; the headers beside this file are the only ones that look at the answers,
# and versions are never compared.  The rest of the driver is written for the newest
# form of each interface.

vgpu-probe = $(if $(shell grep -sE '$(2)' $(srctree)/include/linux/$(1)),-DVGPU_HAVE_$(3))

# 6.2: release ops no longer call vfio_free_device()
vgpu-compat += $(call vgpu-probe,vfio.h,^void vfio_free_device,VFIO_FREE_DEVICE)
# 6.2: iommufd, with the emulated helpers for mediated devices
vgpu-compat += $(call vgpu-probe,vfio.h,vfio_iommufd_emulated_bind,IOMMUFD)
# 6.5: detaching from an IOAS
vgpu-compat += $(call vgpu-probe,vfio.h,vfio_iommufd_emulated_detach_ioas,IOMMUFD_DETACH)
# 6.10: an inode, and so an address space, for each VFIO device
vgpu-compat += $(call vgpu-probe,vfio.h,struct inode \*inode;,VFIO_INODE)
# 6.18: GET_REGION_INFO is parsed by the VFIO core
vgpu-compat += $(call vgpu-probe,vfio.h,get_region_info_caps,REGION_INFO_CAPS)
# 6.19: dma-bufs of regions, for peers
vgpu-compat += $(call vgpu-probe,../uapi/linux/vfio.h,^struct vfio_device_feature_dma_buf,FEATURE_DMA_BUF)
# 6.3: VMA flags are changed through functions
vgpu-compat += $(call vgpu-probe,mm.h,void vm_flags_set\>,VM_FLAGS_SET)
# 6.4: faults under the lock of a VMA
vgpu-compat += $(call vgpu-probe,mm_types.h,FAULT_FLAG_VMA_LOCK,VMA_LOCK)
# 6.17: page frames are passed as plain numbers
vgpu-compat += $(call vgpu-probe,huge_mm.h,vmf_insert_pfn_pmd.struct vm_fault .vmf. pfn_t,PFN_T)
# 6.12: moved here from asm/
vgpu-compat += $(call vgpu-probe,unaligned.h,.,LINUX_UNALIGNED)
# 6.8: the count is always one
vgpu-compat += $(call vgpu-probe,eventfd.h,eventfd_signal.struct eventfd_ctx .ctx. __u64 n,EVENTFD_SIGNAL_N)
# 6.13: timer and function in one call
vgpu-compat += $(call vgpu-probe,hrtimer.h,void hrtimer_setup.struct,HRTIMER_SETUP)
# 7.1: dma_buf_move_notify() renamed
vgpu-compat += $(call vgpu-probe,dma-buf.h,void dma_buf_invalidate_mappings,DMA_BUF_INVALIDATE)
# 6.16: binary attributes are constant
vgpu-compat += $(call vgpu-probe,sysfs.h,read..struct file \*. struct kobject \*. const struct bin_attribute,CONST_BIN_ATTR)
# 6.8: memory failures come as folios
vgpu-compat += $(call vgpu-probe,fs.h,error_remove_folio,ERROR_REMOVE_FOLIO)
# 6.2: the VFIO core asks how much a device in STOP_COPY will send
vgpu-compat += $(call vgpu-probe,vfio.h,migration_get_data_size,MIG_DATA_SIZE)
# 7.1: a helper for VFIO_MIG_GET_PRECOPY_INFO
vgpu-compat += $(call vgpu-probe,vfio.h,vfio_check_precopy_ioctl,CHECK_PRECOPY)
# 6.7: a stub where no IOMMU driver needs it
vgpu-compat += $(call vgpu-probe,iova_bitmap.h,CONFIG_IOMMUFD_DRIVER,IOVA_BITMAP_STUB)
