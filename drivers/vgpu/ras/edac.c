// SPDX-License-Identifier: GPL-2.0
/*
 * A pGPU's memory as a memory controller of EDAC, for tools that read error
 * counters there (edac-util) or in its trace event (rasdaemon).
 *
 * Only on request: the kernel has one EDAC driver for memory controllers at a
 * time, and on a machine with ECC memory that should be the one of its chipset.
 */
#include <linux/edac.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>

#include "core.h"

static bool edac_wanted;
module_param_named(edac, edac_wanted, bool, 0444);
MODULE_PARM_DESC(edac, "Whether GPUs report errors to EDAC, which then refuses the host's memory controllers (default N)");

#if IS_ENABLED(CONFIG_EDAC)
/*
 * Exported to modules, and declared in drivers/edac/edac_mc.h, which is not
 * among the headers that come with a kernel.  The lab compares this with what each
 * kernel has (tools/labhost/edac-prototypes).
 */
struct mem_ctl_info *edac_mc_alloc(unsigned int mc_num, unsigned int n_layers,
				   struct edac_mc_layer *layers,
				   unsigned int sz_pvt);
int edac_mc_add_mc_with_groups(struct mem_ctl_info *mci,
			       const struct attribute_group **groups);
struct mem_ctl_info *edac_mc_del_mc(struct device *dev);
void edac_mc_free(struct mem_ctl_info *mci);
void edac_mc_handle_error(const enum hw_event_mc_err_type type,
			  struct mem_ctl_info *mci, const u16 error_count,
			  const unsigned long page_frame_number,
			  const unsigned long offset_in_page,
			  const unsigned long syndrome, const int top_layer,
			  const int mid_layer, const int low_layer,
			  const char *msg, const char *other_detail);

static DEFINE_IDA(pgpu_edac_ida);

/*
 * EDAC logs a line for each error that it is told of.  So no more than ten in five
 * seconds are told as they come; the others together, five seconds later at the
 * latest.
 */
#define PGPU_EDAC_INTERVAL	(5 * HZ)
#define PGPU_EDAC_BURST		10

/**
 * struct pgpu_edac_errors - errors that EDAC has not been told of
 * @nr: how many
 * @page: page of VRAM of the last one
 * @several: there were other pages, too
 */
struct pgpu_edac_errors {
	u64 nr;
	u64 page;
	bool several;
};

/**
 * struct pgpu_edac - a pGPU's private part of its memory controller
 * @pgpu: the pGPU
 * @limit: when they are told at once
 * @work: tells them otherwise
 * @errors: those that were corrected, and those that were not; protected by
 *	pgpu.lock
 */
struct pgpu_edac {
	struct pgpu *pgpu;
	struct ratelimit_state limit;
	struct delayed_work work;
	struct pgpu_edac_errors errors[2];
};

static void pgpu_edac_tell(struct pgpu *pgpu, bool dbe)
{
	struct pgpu_edac *edac = pgpu->edac->pvt_info;
	struct pgpu_edac_errors *errors = &edac->errors[dbe];
	struct pgpu_run run = { };
	char detail[50];
	u16 nr;

	/* EDAC takes one error of a controller at a time. */
	lockdep_assert_held(&pgpu->lock);
	/*
	 * Addresses are the host's: rasdaemon has the kernel give up pages with
	 * many errors, which must not be those with the same number as ours, nor
	 * the last of several that had some.
	 */
	if (errors->several ||
	    pgpu->desc.ops->vram_map(pgpu, errors->page, 1,
				      PGPU_ALLOC_NONE, &run))
		run.pfn = 0;
	snprintf(detail, sizeof(detail), "VRAM address %#llx%s",
		 errors->page << PAGE_SHIFT,
		 errors->several ? " and others" : "");
	for (; errors->nr; errors->nr -= nr) {
		nr = min_t(u64, errors->nr, U16_MAX);
		edac_mc_handle_error(dbe ? HW_EVENT_ERR_UNCORRECTED :
					   HW_EVENT_ERR_CORRECTED,
				     pgpu->edac, nr, run.pfn, 0, 0, 0, -1, -1,
				     dbe ? "VGPU-ECC-DBE" : "VGPU-ECC-SBE",
				     detail);
	}
	errors->several = false;
}

static void pgpu_edac_tell_all(struct pgpu *pgpu)
{
	mutex_lock(&pgpu->lock);
	pgpu_edac_tell(pgpu, false);
	pgpu_edac_tell(pgpu, true);
	mutex_unlock(&pgpu->lock);
}

static void pgpu_edac_work(struct work_struct *work)
{
	struct pgpu_edac *edac =
		container_of(work, struct pgpu_edac, work.work);

	pgpu_edac_tell_all(edac->pgpu);
}

/**
 * pgpu_edac_add() - report a pGPU's errors to EDAC, if that is wanted
 * @pgpu: the pGPU; nothing depends on it that EDAC takes it, and the log says so
 *	if it does not
 */
void pgpu_edac_add(struct pgpu *pgpu)
{
	struct edac_mc_layer layer = {
		.type = EDAC_MC_LAYER_ALL_MEM,
		.size = 1,
		.is_virt_csrow = true,
	};
	struct mem_ctl_info *mci;
	struct pgpu_edac *edac;
	struct dimm_info *dimm;
	int id, ret = -ENOMEM;

	if (!edac_wanted)
		return;
	id = ida_alloc(&pgpu_edac_ida, GFP_KERNEL);
	if (id < 0)
		goto err;
	mci = edac_mc_alloc(id, 1, &layer, sizeof(*edac));
	if (!mci)
		goto err_free_id;
	edac = mci->pvt_info;
	edac->pgpu = pgpu;
	INIT_DELAYED_WORK(&edac->work, pgpu_edac_work);
	ratelimit_state_init(&edac->limit, PGPU_EDAC_INTERVAL, PGPU_EDAC_BURST);
	/* No line of its own about what it left out. */
	ratelimit_set_flags(&edac->limit, RATELIMIT_MSG_ON_RELEASE);
	mci->pdev = pgpu->dev;
	mci->mod_name = KBUILD_MODNAME;
	mci->ctl_name = pgpu->backend->name;
	mci->dev_name = dev_name(pgpu->dev);
	mci->mtype_cap = MEM_FLAG_UNKNOWN;
	mci->edac_ctl_cap = EDAC_FLAG_SECDED;
	mci->edac_cap = EDAC_FLAG_SECDED;
	dimm = mci->dimms[0];
	dimm->nr_pages = pgpu_nr_pages(pgpu);
	dimm->grain = PAGE_SIZE;
	dimm->dtype = DEV_UNKNOWN;
	dimm->mtype = MEM_UNKNOWN;
	dimm->edac_mode = EDAC_SECDED;
	snprintf(dimm->label, sizeof(dimm->label), "VRAM of %s",
		 dev_name(pgpu->dev));
	ret = edac_mc_add_mc_with_groups(mci, NULL);
	if (ret)
		goto err_free_mci;
	mutex_lock(&pgpu->lock);
	pgpu->edac = mci;
	mutex_unlock(&pgpu->lock);
	return;

err_free_mci:
	edac_mc_free(mci);
err_free_id:
	ida_free(&pgpu_edac_ida, id);
err:
	dev_warn(pgpu->dev, "not with EDAC: %d%s\n", ret, ret == -EPERM ?
		 ", which has another driver" : "");
}

/**
 * pgpu_edac_del() - opposite of pgpu_edac_add()
 * @pgpu: no errors are reported any more
 */
void pgpu_edac_del(struct pgpu *pgpu)
{
	struct pgpu_edac *edac;
	int id;

	if (!pgpu->edac)
		return;
	edac = pgpu->edac->pvt_info;
	cancel_delayed_work_sync(&edac->work);
	pgpu_edac_tell_all(pgpu);
	id = pgpu->edac->mc_idx;
	edac_mc_del_mc(pgpu->dev);
	edac_mc_free(pgpu->edac);
	pgpu->edac = NULL;
	ida_free(&pgpu_edac_ida, id);
}

/**
 * pgpu_edac_report() - count an error with EDAC, now or a little later
 * @pgpu: pgpu.lock is held
 * @page: page of VRAM
 * @dbe: not corrected
 */
void pgpu_edac_report(struct pgpu *pgpu, u64 page, bool dbe)
{
	struct pgpu_edac_errors *errors;
	struct pgpu_edac *edac;

	lockdep_assert_held(&pgpu->lock);
	if (!pgpu->edac)
		return;
	edac = pgpu->edac->pvt_info;
	errors = &edac->errors[dbe];
	errors->several |= errors->nr && errors->page != page;
	errors->page = page;
	errors->nr++;
	if (__ratelimit(&edac->limit))
		pgpu_edac_tell(pgpu, dbe);
	else
		schedule_delayed_work(&edac->work, PGPU_EDAC_INTERVAL);
}
#else
void pgpu_edac_add(struct pgpu *pgpu)
{
	if (edac_wanted)
		dev_warn(pgpu->dev, "this kernel has no EDAC\n");
}

void pgpu_edac_del(struct pgpu *pgpu)
{
}

void pgpu_edac_report(struct pgpu *pgpu, u64 page, bool dbe)
{
}
#endif
