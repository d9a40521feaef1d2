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

#include "memory/vram.h"
#include "ras/ras.h"

static bool edac_wanted;
module_param_named(edac, edac_wanted, bool, 0444);
MODULE_PARM_DESC(edac, "Whether GPUs report errors to EDAC, which then refuses the host's memory controllers (default N)");

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

static DEFINE_IDA(ras_edac_ida);

/*
 * EDAC logs a line for each report.  So no more than ten errors in five seconds are
 * reported as they come; the others together, five seconds later at the latest.
 */
#define RAS_EDAC_INTERVAL	(5 * HZ)
#define RAS_EDAC_BURST		10

/**
 * struct ras_edac_errors - errors that have not been reported to EDAC
 * @nr: how many
 * @page: page of VRAM of the last one
 * @several: there were other pages, too
 */
struct ras_edac_errors {
	u64 nr;
	u64 page;
	bool several;
};

/**
 * struct ras_edac - a pGPU's private part of its memory controller
 * @ras: the pGPU's
 * @limit: when they are reported at once
 * @work: reports them otherwise
 * @errors: those that were corrected, and those that were not; protected by
 *	vram.lock
 */
struct ras_edac {
	struct ras *ras;
	struct ratelimit_state limit;
	struct delayed_work work;
	struct ras_edac_errors errors[2];
};

static void ras_edac_tell(struct ras *ras, bool dbe)
{
	struct ras_edac *edac = ras->edac->pvt_info;
	struct ras_edac_errors *errors = &edac->errors[dbe];
	struct pgpu_run run = { };
	char detail[50];
	u16 nr;

	/* EDAC takes one error of a controller at a time. */
	lockdep_assert_held(&ras->vram->lock);
	/*
	 * Addresses are the host's: rasdaemon has the kernel give up pages with
	 * many errors, which must not be those with the same number as ours, nor
	 * the last of several that had some.
	 */
	if (errors->several ||
	    vram_map(ras->vram, errors->page, 1, PGPU_ALLOC_NONE, &run))
		run.pfn = 0;
	snprintf(detail, sizeof(detail), "VRAM address %#llx%s",
		 errors->page << PAGE_SHIFT,
		 errors->several ? " and others" : "");
	for (; errors->nr; errors->nr -= nr) {
		nr = min_t(u64, errors->nr, U16_MAX);
		edac_mc_handle_error(dbe ? HW_EVENT_ERR_UNCORRECTED :
					   HW_EVENT_ERR_CORRECTED,
				     ras->edac, nr, run.pfn, 0, 0, 0, -1, -1,
				     dbe ? "VGPU-ECC-DBE" : "VGPU-ECC-SBE",
				     detail);
	}
	errors->several = false;
}

static void ras_edac_tell_all(struct ras *ras)
{
	mutex_lock(&ras->vram->lock);
	ras_edac_tell(ras, false);
	ras_edac_tell(ras, true);
	mutex_unlock(&ras->vram->lock);
}

static void ras_edac_work(struct work_struct *work)
{
	struct ras_edac *edac =
		container_of(work, struct ras_edac, work.work);

	ras_edac_tell_all(edac->ras);
}

/**
 * ras_edac_add() - report a pGPU's errors to EDAC, if that is wanted
 * @ras: the pGPU's; nothing depends on it that EDAC takes it, and the log says so
 *	if it does not
 * @name: of the kind of GPU; stays valid
 */
void ras_edac_add(struct ras *ras, const char *name)
{
	struct edac_mc_layer layer = {
		.type = EDAC_MC_LAYER_ALL_MEM,
		.size = 1,
		.is_virt_csrow = true,
	};
	struct mem_ctl_info *mci;
	struct ras_edac *edac;
	struct dimm_info *dimm;
	int id, ret = -ENOMEM;

	if (!edac_wanted)
		return;
	if (!IS_ENABLED(CONFIG_EDAC)) {
		dev_warn(ras->vram->dev, "this kernel has no EDAC\n");
		return;
	}
	id = ida_alloc(&ras_edac_ida, GFP_KERNEL);
	if (id < 0)
		goto err;
	mci = edac_mc_alloc(id, 1, &layer, sizeof(*edac));
	if (!mci)
		goto err_free_id;
	edac = mci->pvt_info;
	edac->ras = ras;
	INIT_DELAYED_WORK(&edac->work, ras_edac_work);
	ratelimit_state_init(&edac->limit, RAS_EDAC_INTERVAL, RAS_EDAC_BURST);
	/* No line of its own about what it left out. */
	ratelimit_set_flags(&edac->limit, RATELIMIT_MSG_ON_RELEASE);
	mci->pdev = ras->vram->dev;
	mci->mod_name = KBUILD_MODNAME;
	mci->ctl_name = name;
	mci->dev_name = dev_name(ras->vram->dev);
	mci->mtype_cap = MEM_FLAG_UNKNOWN;
	mci->edac_ctl_cap = EDAC_FLAG_SECDED;
	mci->edac_cap = EDAC_FLAG_SECDED;
	dimm = mci->dimms[0];
	dimm->nr_pages = vram_nr_pages(ras->vram);
	dimm->grain = PAGE_SIZE;
	dimm->dtype = DEV_UNKNOWN;
	dimm->mtype = MEM_UNKNOWN;
	dimm->edac_mode = EDAC_SECDED;
	snprintf(dimm->label, sizeof(dimm->label), "VRAM of %s",
		 dev_name(ras->vram->dev));
	ret = edac_mc_add_mc_with_groups(mci, NULL);
	if (ret)
		goto err_free_mci;
	mutex_lock(&ras->vram->lock);
	ras->edac = mci;
	mutex_unlock(&ras->vram->lock);
	return;

err_free_mci:
	edac_mc_free(mci);
err_free_id:
	ida_free(&ras_edac_ida, id);
err:
	dev_warn(ras->vram->dev, "not with EDAC: %d%s\n", ret, ret == -EPERM ?
		 ", which has another driver" : "");
}

/**
 * ras_edac_del() - opposite of ras_edac_add()
 * @ras: no errors are reported any more
 */
void ras_edac_del(struct ras *ras)
{
	struct ras_edac *edac;
	int id;

	if (!IS_ENABLED(CONFIG_EDAC) || !ras->edac)
		return;
	edac = ras->edac->pvt_info;
	cancel_delayed_work_sync(&edac->work);
	ras_edac_tell_all(ras);
	id = ras->edac->mc_idx;
	edac_mc_del_mc(ras->vram->dev);
	edac_mc_free(ras->edac);
	ras->edac = NULL;
	ida_free(&ras_edac_ida, id);
}

/**
 * ras_edac_report() - count an error with EDAC, now or a little later
 * @ras: vram.lock is held
 * @page: page of VRAM
 * @dbe: not corrected
 */
void ras_edac_report(struct ras *ras, u64 page, bool dbe)
{
	struct ras_edac_errors *errors;
	struct ras_edac *edac;

	lockdep_assert_held(&ras->vram->lock);
	if (!IS_ENABLED(CONFIG_EDAC) || !ras->edac)
		return;
	edac = ras->edac->pvt_info;
	errors = &edac->errors[dbe];
	errors->several |= errors->nr && errors->page != page;
	errors->page = page;
	errors->nr++;
	if (__ratelimit(&edac->limit))
		ras_edac_tell(ras, dbe);
	else
		schedule_delayed_work(&edac->work, RAS_EDAC_INTERVAL);
}
