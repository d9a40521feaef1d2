/* SPDX-License-Identifier: GPL-2.0 */
/* Physical GPUs, and through what vGPUs of them are offered. */
#ifndef _VGPU_GPU_H
#define _VGPU_GPU_H

#include <linux/list.h>
#include <vgpu/pgpu.h>

#include "memory/vram.h"
#include "ras/ras.h"

struct attribute_group;
struct pgpu_front;
struct vgpu_type_desc;

/**
 * struct pgpu - a physical GPU
 * @dev: its PCI device, parent of what the front makes
 * @desc: what the backend said of it; the strings in it are only valid at probe
 * @backend: whose GPU it is
 * @link: in the list of all pGPUs
 * @vram: its memory
 * @ras: errors of that
 * @types: what it offers
 * @nr_types: how many
 * @front_priv: for what offers it
 */
struct pgpu {
	struct device *dev;
	struct pgpu_desc desc;
	struct pgpu_backend *backend;
	struct list_head link;
	struct vram vram;
	struct ras ras;
	struct vgpu_type_desc *types;
	u32 nr_types;
	void *front_priv;
};

/**
 * struct pgpu_front - what offers the vGPUs of a pGPU to the host
 * @add: begin to; the pGPU is complete, its device is locked.  Return: 0 or an errno
 * @del: opposite of @add; removes every vGPU, and waits for the VMMs that have one
 *	open
 */
struct pgpu_front {
	int (*add)(struct pgpu *pgpu);
	void (*del)(struct pgpu *pgpu);
};

/* pci.c */
int vgpu_pci_init(const struct pgpu_front *front);
void vgpu_pci_exit(void);

/* pgpu.c */
struct pgpu *pgpu_alloc(struct device *dev, struct pgpu_backend *backend);
void pgpu_free(struct pgpu *pgpu);
int pgpu_register(struct pgpu *pgpu, const struct pgpu_desc *desc,
		  const struct pgpu_front *front);
void pgpu_unregister(struct pgpu *pgpu, const struct pgpu_front *front);

/* ecc_attrs.c */
extern const struct attribute_group *vgpu_pci_groups[];

#endif /* _VGPU_GPU_H */
