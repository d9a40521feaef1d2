/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vgpu-soft: a software GPU.  A PCI device without hardware, on a root bus of
 * its own, with system memory for VRAM.
 */
#ifndef _VGPU_SOFT_H
#define _VGPU_SOFT_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <vgpu/pgpu.h>

#define SOFT_CONFIG_SIZE	256

/**
 * struct soft_vram - the memory of a software GPU
 * @inode: its page cache has the pages; see memory.c
 * @blocks: by number of the 2 MiB block, absent until it is needed; see vram.c
 * @node: NUMA node to take memory from
 * @report_lock: protects @pgpu; held while an error is reported, so it comes
 *	before all locks of the core.  Folio locks of @inode do not wait for it.
 * @pgpu: whom errors are reported to, or NULL
 */
struct soft_vram {
	struct inode *inode;
	struct xarray blocks;
	int node;
	struct mutex report_lock;
	struct pgpu *pgpu;
};

/**
 * struct soft_config - what a software GPU is made from
 * @vram_size: in bytes, a multiple of 2 MiB
 * @types: as pgpu_desc.types
 * @numa_node: where it is, and where its memory comes from as long as there is
 *	some; or NUMA_NO_NODE
 */
struct soft_config {
	u64 vram_size;
	char types[PGPU_TYPE_LIST_MAX];
	int numa_node;
};

/**
 * struct soft_gpu - a software GPU with its power on
 * @config: what it was made from
 * @sysdata: the architecture's part of the root bus
 * @bus: the root bus
 * @regs: PCI config space of the device
 * @vram: its memory
 * @work: plugs it in or unplugs it
 * @claimed: @work has begun, or nobody waits for it any more: whichever came first
 * @done: it has ended
 * @ret: what came of it
 */
struct soft_gpu {
	struct soft_config config;
	struct pci_sysdata sysdata;
	struct pci_bus *bus;
	u8 regs[SOFT_CONFIG_SIZE];
	struct soft_vram vram;
	struct work_struct work;
	atomic_t claimed;
	struct completion done;
	int ret;
};

/* main.c */
int soft_config_check(const struct soft_config *config);
struct soft_gpu *soft_gpu_create(const struct soft_config *config, bool later);
void soft_gpu_free(struct soft_gpu *gpu);

/* bus.c */
int soft_bus_init(void);
void soft_bus_exit(void);
int soft_bus_add(struct soft_gpu *gpu, bool later);
void soft_bus_remove(struct soft_gpu *gpu);
struct pci_dev *soft_bus_device(struct soft_gpu *gpu);
struct soft_gpu *soft_bus_gpu(struct pci_dev *pdev);

/* memory.c */
int soft_fs_pin(void);
void soft_fs_release(void);
int soft_memory_init(struct soft_vram *vram);
void soft_memory_fini(struct soft_vram *vram);
int soft_memory_add(struct soft_vram *vram, u64 index, struct page *page,
		    gfp_t gfp);
struct page *soft_memory_find(struct soft_vram *vram, u64 index);
void soft_memory_drop(struct soft_vram *vram, u64 index, u64 nr);
void soft_vram_report_to(struct soft_vram *vram, struct pgpu *pgpu);

/* vram.c */
int soft_vram_init(struct soft_vram *vram, int node);
void soft_vram_fini(struct soft_vram *vram);
void soft_vram_split(struct soft_vram *vram, u64 page);
int soft_vram_map(struct pgpu *pgpu, u64 page, u64 nr, enum pgpu_alloc alloc,
		  struct pgpu_run *run);
int soft_vram_single(struct pgpu *pgpu, u64 page);
void soft_vram_discard(struct pgpu *pgpu, u64 page, u64 nr);

/* configfs.c */
int soft_configfs_init(void);
void soft_configfs_exit(void);

#endif /* _VGPU_SOFT_H */
