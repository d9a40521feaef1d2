/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgpu: what a backend implements and calls.
 *
 * A backend is the code that knows one kind of physical GPU.  It says which
 * PCI devices are its own, describes their memory (VRAM) and gives the core
 * access to it.  All policy is the core's: types, allocation, the emulated
 * device and VFIO.  To add a GPU, write one file that fills in a
 * struct pgpu_backend and a struct pgpu_ops; Documentation/backend.md walks
 * through one.
 */
#ifndef _VGPU_PGPU_H
#define _VGPU_PGPU_H

#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct module;
struct pci_dev;
struct pgpu;

/** PGPU_BLOCK_SIZE - granule of VRAM allocation, one PMD mapping on x86 */
#define PGPU_BLOCK_SIZE		SZ_2M

/** PGPU_VRAM_MIN - less VRAM is no use: the smallest type takes it all */
#define PGPU_VRAM_MIN		SZ_16M

/** PGPU_TYPE_LIST_MAX - longest list of types that pgpu_desc may hold */
#define PGPU_TYPE_LIST_MAX	512

/**
 * struct pgpu_run - VRAM pages that lie next to each other in host memory
 * @pfn: host page frame of the first page
 * @vaddr: kernel address of the first page; NULL for pages that were never
 *	written and have no memory yet, which read as zero
 * @nr: number of pages, at least 1
 */
struct pgpu_run {
	unsigned long pfn;
	void *vaddr;
	u64 nr;
};

/**
 * enum pgpu_alloc - whether a page of VRAM must have memory afterwards
 * @PGPU_ALLOC_NONE: no
 * @PGPU_ALLOC_TRY: yes, but nobody waits for it until the memory cgroup of the
 *	calling task has room, because locks are held that others need: then the
 *	answer is -EAGAIN.  The core waits without them, and asks again with
 * @PGPU_ALLOC_FORCE: yes, and memory of one page is charged even if the cgroup has
 *	no room for it
 *
 * A backend with memory that belongs to nobody's cgroup takes the last two for the
 * same.
 */
enum pgpu_alloc {
	PGPU_ALLOC_NONE,
	PGPU_ALLOC_TRY,
	PGPU_ALLOC_FORCE,
};

/**
 * struct pgpu_ops - operations of a backend
 *
 * The core calls them in process context with mutexes and rwsems held: vgpu_fb.lock
 * of a vGPU, vram.lock of a pGPU, or both, and outside of these vgpu.lock, a
 * reservation object or mmap_lock of a VMM; Documentation/backend.md has a table.
 * So they may sleep, but must not wait for user space and not call
 * pgpu_report_error().
 *
 * The core guarantees that no mapping of a page is left when @vram_discard runs, and
 * that no other operation on the same page runs then but a @vram_map that does not
 * touch the memory (PGPU_ALLOC_NONE, for the address).  @vram_map may run at the same
 * time for the same page in several threads.
 */
struct pgpu_ops {
	/**
	 * @vram_map: find the host memory of VRAM page @page
	 *
	 * @page: VRAM page number, in units of PAGE_SIZE
	 * @nr: number of pages wanted, at least 1; the run may be shorter
	 *	and is never longer
	 * @alloc: whether memory must exist afterwards; else a page without
	 *	memory is answered with a @run->vaddr of NULL
	 * @run: the answer
	 *
	 * Memory that is new reads as zero.  It is charged to the calling
	 * task's memory cgroup where the kernel allows.
	 *
	 * Return: 0; -ENOMEM; -EAGAIN, see PGPU_ALLOC_TRY; -EIO for a page that
	 * has failed.
	 */
	int (*vram_map)(struct pgpu *pgpu, u64 page, u64 nr,
			enum pgpu_alloc alloc, struct pgpu_run *run);

	/**
	 * @vram_discard: drop the content of @nr pages from @page on
	 *
	 * Whole blocks, or some pages of one.  They read as zero from now on.
	 * A page of system memory is released and not used again if an
	 * importer of a dma-buf that cannot be notified may hold a reference
	 * to it.  Cannot fail.
	 */
	void (*vram_discard)(struct pgpu *pgpu, u64 page, u64 nr);

	/**
	 * @vram_single: pages of a block go to different framebuffers from now on
	 *
	 * @page: the first of a block that nobody uses
	 *
	 * Until the whole block is discarded each of its pages gets memory by
	 * itself, when it is used, so that no user waits for another or is
	 * charged for its pages.  May be NULL where memory is always there.
	 *
	 * Return: 0 or -ENOMEM.
	 */
	int (*vram_single)(struct pgpu *pgpu, u64 page);
};

/**
 * struct pgpu_desc - what a backend tells the core about a pGPU
 * @model: first part of the names of its types; no spaces, because management
 *	tools turn them into other characters
 * @ops: operations
 * @owner: module that must stay loaded while a vGPU is in use
 * @vram_size: VRAM in bytes, a multiple of PGPU_BLOCK_SIZE
 * @spare_size: bytes behind @vram_size, a multiple of PGPU_BLOCK_SIZE, for spare
 *	pages; operations get page numbers of them, too
 * @device_memory: VRAM is a device's, without struct page; it is mapped
 *	write-combined.  Otherwise it is system memory, each page with a
 *	reference count of its own, which a page keeps over @ops->vram_discard
 *	for those who hold one.
 * @types: comma-separated type ids to offer ("256Q,1024C"), or NULL or "" for
 *	the generated table; like @model it is read after the backend's probe has
 *	returned, but not once the pGPU is registered
 * @priv: the backend's own, see pgpu_priv()
 */
struct pgpu_desc {
	const char *model;
	const struct pgpu_ops *ops;
	struct module *owner;
	u64 vram_size;
	u64 spare_size;
	bool device_memory;
	const char *types;
	void *priv;
};

/**
 * struct pgpu_backend - a kind of physical GPU
 * @name: for log messages
 * @generic: takes devices that it does not know in particular, so it is asked
 *	after all others
 * @match: whether @pdev is of this kind; must not sleep for long
 * @probe: describe the pGPU, which is valid until @remove returns, so that
 *	errors can be reported.  Called with the device lock of @pdev held.
 *	Return: 0 or an errno, which the PCI core reports.
 * @remove: opposite of @probe; no vGPU is left and no operation runs.  May be
 *	NULL.
 * @list: private to the core
 */
struct pgpu_backend {
	const char *name;
	bool generic;
	bool (*match)(struct pci_dev *pdev);
	int (*probe)(struct pci_dev *pdev, struct pgpu *pgpu,
		     struct pgpu_desc *desc);
	void (*remove)(struct pci_dev *pdev, void *priv);
	struct list_head list;
};

int pgpu_backend_register(struct pgpu_backend *backend);
void pgpu_backend_unregister(struct pgpu_backend *backend);

/*
 * pgpu_types_check() - check a type list before a pGPU exists
 *
 * Return: 0; -EINVAL for what is no id, -ERANGE for a size that the VRAM does
 * not allow, -EEXIST for an id that is there twice, -E2BIG for too many, or
 * -ENOMEM.
 */
int pgpu_types_check(const char *types, u64 vram_size);

/**
 * enum pgpu_error - what happened to a page of VRAM
 * @PGPU_ERROR_SBE: a single-bit error; it has been corrected
 * @PGPU_ERROR_DBE: a double-bit error; the content is lost, and can be looked at
 * @PGPU_ERROR_GONE: the host memory behind the page has failed and must not be
 *	touched any more.  The backend has put other memory, which is zero, in
 *	its place already; mappings of the old one go now.  Counts as a
 *	double-bit error.
 */
enum pgpu_error {
	PGPU_ERROR_SBE,
	PGPU_ERROR_DBE,
	PGPU_ERROR_GONE,
};

int pgpu_report_error(struct pgpu *pgpu, u64 page, enum pgpu_error error);
void *pgpu_priv(struct pgpu *pgpu);
bool pgpu_in_use(struct pci_dev *pdev);

#endif /* _VGPU_PGPU_H */
