// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of a pGPU's memory: counted, kept with the vGPU whose memory it is,
 * and the page retired.
 *
 * A page is retired for a double-bit error or a second single-bit one, and never
 * given out again.  What is in a page with a single-bit error is good, so a
 * spare page takes its place at once.  What was in one with a double-bit error
 * is lost, and its vGPU has to know: it is stopped, and gets a spare page when
 * it is reset.  Until then the page is pending.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/xarray.h>

#include "ras/ecc.h"

static bool ecc_default = true;
module_param_named(ecc, ecc_default, bool, 0444);
MODULE_PARM_DESC(ecc, "Whether GPUs start with ECC on (default Y)");

void pgpu_ecc_init(struct pgpu *pgpu)
{
	pgpu->ecc.enabled = ecc_default;
	pgpu->ecc.pending = ecc_default;
	xa_init(&pgpu->ecc.pages);
}

void pgpu_ecc_fini(struct pgpu *pgpu)
{
	struct pgpu_bad_page *bad;
	unsigned long page;

	xa_for_each(&pgpu->ecc.pages, page, bad)
		kfree(bad);
	xa_destroy(&pgpu->ecc.pages);
	kvfree(pgpu->ecc.list);
}

/**
 * pgpu_ecc_reset() - put the pending mode in force
 * @pgpu: the pGPU
 *
 * Volatile counters start anew; what is retired stays so.
 *
 * Return: 0; -EBUSY while a VMM has a vGPU open
 */
int pgpu_ecc_reset(struct pgpu *pgpu)
{
	struct pgpu_ecc *ecc = &pgpu->ecc;
	struct pgpu_bad_page *bad;
	unsigned long page;

	mutex_lock(&pgpu->lock);
	if (atomic_read(&pgpu->open_count)) {
		mutex_unlock(&pgpu->lock);
		return -EBUSY;
	}
	ecc->enabled = ecc->pending;
	ecc->sbe_before += ecc->sbe;
	ecc->dbe_before += ecc->dbe;
	ecc->sbe = 0;
	ecc->dbe = 0;
	xa_for_each(&ecc->pages, page, bad)
		bad->sbe = 0;
	mutex_unlock(&pgpu->lock);
	return 0;
}

/**
 * pgpu_ecc_enabled() - whether errors are noticed now
 * @pgpu: the pGPU
 *
 * Return: true if they are
 */
bool pgpu_ecc_enabled(struct pgpu *pgpu)
{
	bool enabled;

	mutex_lock(&pgpu->lock);
	enabled = pgpu->ecc.enabled;
	mutex_unlock(&pgpu->lock);
	return enabled;
}

/**
 * pgpu_ecc_has_pending() - whether bad pages are still in use
 * @pgpu: the pGPU
 *
 * Return: true if any is
 */
bool pgpu_ecc_has_pending(struct pgpu *pgpu)
{
	bool has;

	mutex_lock(&pgpu->lock);
	has = pgpu->ecc.nr_pending;
	mutex_unlock(&pgpu->lock);
	return has;
}

/**
 * pgpu_ecc_is_bad() - whether a page must not be given out again
 * @pgpu: the pGPU; what is known of a page is kept as long as it
 * @page: page of VRAM
 *
 * Return: true if it is retired, or is to be
 */
bool pgpu_ecc_is_bad(struct pgpu *pgpu, u64 page)
{
	struct pgpu_bad_page *bad = xa_load(&pgpu->ecc.pages, page);

	return bad && READ_ONCE(bad->cause);
}

/**
 * pgpu_ecc_is_pending() - whether a page is bad and still in use
 * @pgpu: the pGPU
 * @page: page of VRAM
 *
 * Return: true if it is
 */
bool pgpu_ecc_is_pending(struct pgpu *pgpu, u64 page)
{
	struct pgpu_bad_page *bad = xa_load(&pgpu->ecc.pages, page);

	return bad && READ_ONCE(bad->pending);
}

/**
 * pgpu_ecc_next_bad() - find a page that must not be given out again
 * @pgpu: the pGPU
 * @first: page of VRAM to begin with
 * @last: where to end
 *
 * Return: the page, or VRAM_NO_PAGE
 */
u64 pgpu_ecc_next_bad(struct pgpu *pgpu, u64 first, u64 last)
{
	struct pgpu_bad_page *bad;
	unsigned long page;

	xa_for_each_range(&pgpu->ecc.pages, page, bad, first, last)
		if (READ_ONCE(bad->cause))
			return page;
	return VRAM_NO_PAGE;
}

/**
 * pgpu_ecc_done() - a page is in use no more
 * @pgpu: pgpu.lock is held
 * @page: page of VRAM, perhaps pending
 */
void pgpu_ecc_done(struct pgpu *pgpu, u64 page)
{
	struct pgpu_bad_page *bad = xa_load(&pgpu->ecc.pages, page);

	lockdep_assert_held(&pgpu->lock);
	if (!bad || !bad->pending)
		return;
	WRITE_ONCE(bad->pending, false);
	pgpu->ecc.nr_pending--;
}

/**
 * pgpu_ecc_again() - a page that is retired has none to stand in for it
 * @pgpu: pgpu.lock is held
 * @page: page of VRAM that is bad; it is pending until there is one
 */
void pgpu_ecc_again(struct pgpu *pgpu, u64 page)
{
	struct pgpu_bad_page *bad = xa_load(&pgpu->ecc.pages, page);

	lockdep_assert_held(&pgpu->lock);
	if (WARN_ON_ONCE(!bad) || bad->pending)
		return;
	WRITE_ONCE(bad->pending, true);
	pgpu->ecc.nr_pending++;
}

/*
 * Who uses a page, and as which page of its blocks; NULL for nobody.  A page
 * that another one stands in for is not in use.
 */
static struct vgpu_fb *pgpu_ecc_user(struct pgpu *pgpu, u64 page, u64 *home)
{
	lockdep_assert_held(&pgpu->lock);
	if (!vram_find_user(pgpu, page, home) ||
	    vram_resolve(pgpu, *home) != page)
		return NULL;
	return pgpu->owners[*home / PGPU_BLOCK_PAGES];
}

/**
 * pgpu_ecc_retire_unused() - retire a page that nobody uses
 * @pgpu: pgpu.lock is held
 * @page: page of VRAM; it stays pending if there is no spare page for it
 */
void pgpu_ecc_retire_unused(struct pgpu *pgpu, u64 page)
{
	u64 home;

	lockdep_assert_held(&pgpu->lock);
	/* It stands in for none, or another one stands in for it: done. */
	if (!vram_find_user(pgpu, page, &home))
		home = page;
	else if (home == page && vram_resolve(pgpu, home) != page &&
		 vram_resolve(pgpu, home) != VRAM_NO_PAGE)
		goto done;
	if (vram_retire_free(pgpu, page, home))
		return;
done:
	pgpu_ecc_done(pgpu, page);
}

/**
 * pgpu_ecc_retire_freed() - retire pages that were pending and are free now
 * @pgpu: pgpu.lock is held; blocks have been given back
 */
void pgpu_ecc_retire_freed(struct pgpu *pgpu)
{
	struct pgpu_bad_page *bad;
	unsigned long page;
	u64 home;

	lockdep_assert_held(&pgpu->lock);
	if (!pgpu->ecc.nr_pending)
		return;
	xa_for_each(&pgpu->ecc.pages, page, bad) {
		if (!bad->pending)
			continue;
		if (!vram_find_user(pgpu, page, &home))
			home = page;
		if (home / PGPU_BLOCK_PAGES >= pgpu_nr_blocks(pgpu) ||
		    !pgpu->owners[home / PGPU_BLOCK_PAGES])
			pgpu_ecc_retire_unused(pgpu, page);
	}
}

/**
 * pgpu_ecc_page() - what is known of a page
 * @pgpu: pgpu.lock is held
 * @page: page of VRAM, which may have had no error yet
 *
 * Return: that, or an error pointer: -ENOMEM
 */
struct pgpu_bad_page *pgpu_ecc_page(struct pgpu *pgpu, u64 page)
{
	struct pgpu_bad_page *bad = xa_load(&pgpu->ecc.pages, page);

	lockdep_assert_held(&pgpu->lock);
	if (bad)
		return bad;
	bad = kzalloc(sizeof(*bad), GFP_KERNEL);
	if (!bad)
		return ERR_PTR(-ENOMEM);
	if (xa_err(xa_store(&pgpu->ecc.pages, page, bad, GFP_KERNEL))) {
		kfree(bad);
		return ERR_PTR(-ENOMEM);
	}
	return bad;
}

/*
 * Programs are told of a page, and save the list, when there is something new: its
 * first error, another state, an error of the other kind.  One that goes on failing
 * is told of again after a long time.  What is counted is in sysfs.
 */
#define PGPU_TELL_AGAIN		(3600 * HZ)

static bool pgpu_ecc_is_news(struct pgpu *pgpu, u64 page, bool dbe,
			     const char *state)
{
	const u8 error = BIT(dbe ? PGPU_ERROR_DBE : PGPU_ERROR_SBE);
	struct pgpu_bad_page *bad;
	bool news;

	mutex_lock(&pgpu->lock);
	bad = xa_load(&pgpu->ecc.pages, page);
	if (bad->told_state != *state ||
	    time_after32(jiffies, bad->told_at + PGPU_TELL_AGAIN)) {
		bad->told_state = *state;
		bad->told = 0;
	}
	news = !(bad->told & error);
	if (news) {
		bad->told |= error;
		bad->told_at = jiffies;
	}
	mutex_unlock(&pgpu->lock);
	return news;
}

/* The form is for programs: the code, the page, what became of it, whose. */
static void pgpu_ecc_tell(struct pgpu *pgpu, u64 page, bool dbe,
			  const char *state, const struct vgpu *vgpu)
{
	const char *code = dbe ? "VGPU-ECC-DBE" : "VGPU-ECC-SBE";
	const char *whose = vgpu ? dev_name(vgpu->vdev.dev) : "none";
	char *envp[] = { NULL, NULL, NULL, NULL, NULL };
	int i;

	dev_warn_ratelimited(pgpu->dev, "%s: address %#llx, page %s, vGPU %s\n",
			     code, page << PAGE_SHIFT, state, whose);
	if (!pgpu_ecc_is_news(pgpu, page, dbe, state))
		return;
	envp[0] = kasprintf(GFP_KERNEL, "VGPU_EVENT=%s", code);
	envp[1] = kasprintf(GFP_KERNEL, "VGPU_ADDRESS=%#llx",
			    page << PAGE_SHIFT);
	envp[2] = kasprintf(GFP_KERNEL, "VGPU_PAGE_STATE=%s", state);
	envp[3] = kasprintf(GFP_KERNEL, "VGPU_UUID=%s", whose);
	if (envp[0] && envp[1] && envp[2] && envp[3])
		kobject_uevent_env(&pgpu->dev->kobj, KOBJ_CHANGE, envp);
	for (i = 0; i < 4; i++)
		kfree(envp[i]);
}

/*
 * Hold on to the vGPU of a framebuffer: it may be removed meanwhile, but not
 * forgotten.  There is nobody to tell, and nothing to lose, in one that is just
 * being made and whose device does not exist yet.
 */
static struct vgpu *pgpu_ecc_get(struct vgpu_fb *fb)
{
	struct vgpu *vgpu;

	if (!fb)
		return NULL;
	vgpu = container_of(fb, struct vgpu, fb);
	if (!kobject_get_unless_zero(&vgpu->vdev.device.kobj))
		return NULL;
	get_device(&vgpu->mdev->dev);
	return vgpu;
}

static void pgpu_ecc_put(struct vgpu *vgpu)
{
	struct device *dev = &vgpu->mdev->dev;

	put_device(&vgpu->vdev.device);
	put_device(dev);
}

static void pgpu_ecc_remember(struct pgpu *pgpu, u64 page, bool dbe,
			      const struct vgpu *vgpu)
{
	struct pgpu_ecc *ecc = &pgpu->ecc;
	struct pgpu_ecc_error *last;

	lockdep_assert_held(&pgpu->lock);
	last = &ecc->last[ecc->nr_errors++ % PGPU_LAST_ERRORS];
	last->page = page;
	last->time = ktime_get_real_seconds();
	last->dbe = dbe;
	strscpy(last->uuid, vgpu ? dev_name(vgpu->vdev.dev) : "none",
		sizeof(last->uuid));
}

/**
 * pgpu_ecc_last() - print the last errors
 * @pgpu: the pGPU
 * @buf: a line each, the newest first: sbe or dbe, address, seconds since 1970,
 *	UUID of the vGPU or "none"; of the size of a page
 *
 * Return: number of characters
 */
int pgpu_ecc_last(struct pgpu *pgpu, char *buf)
{
	struct pgpu_ecc *ecc = &pgpu->ecc;
	int len = 0;
	u64 n;

	mutex_lock(&pgpu->lock);
	for (n = ecc->nr_errors; n && ecc->nr_errors - n < PGPU_LAST_ERRORS;
	     n--) {
		const struct pgpu_ecc_error *last =
			&ecc->last[(n - 1) % PGPU_LAST_ERRORS];

		len += sysfs_emit_at(buf, len, "%s %#llx %lld %s\n",
				     last->dbe ? "dbe" : "sbe",
				     last->page << PAGE_SHIFT, last->time,
				     last->uuid);
	}
	mutex_unlock(&pgpu->lock);
	return len;
}

/* Whose framebuffer a page is in, held on to, and as which page of its blocks. */
static struct vgpu *pgpu_ecc_find(struct pgpu *pgpu, u64 page, u64 *home)
{
	struct vgpu *vgpu = NULL;

	mutex_lock(&pgpu->lock);
	if (pgpu->live && page < pgpu_nr_pages(pgpu))
		vgpu = pgpu_ecc_get(pgpu_ecc_user(pgpu, page, home));
	mutex_unlock(&pgpu->lock);
	return vgpu;
}

/* Whoever still maps the memory that was behind a page lets go of it. */
static void pgpu_ecc_zap(struct pgpu *pgpu, u64 page)
{
	struct vgpu *vgpu;
	u64 home;

	vgpu = pgpu_ecc_find(pgpu, page, &home);
	if (!vgpu)
		return;
	vgpu_fb_zap_page(&vgpu->fb, home);
	pgpu_ecc_put(vgpu);
}

/**
 * pgpu_report_error() - an error in a page of VRAM has been noticed
 * @pgpu: the pGPU
 * @page: page of VRAM, in units of PAGE_SIZE; also a spare one
 * @error: what happened to it
 *
 * Context: process; none of the backend's locks that its operations take
 *
 * Return: 0; -ENODEV before the pGPU is complete, or when it is no more; -ERANGE
 * for a page that there is not; -EOPNOTSUPP with ECC off, when nothing is
 * counted or retired; -ENOMEM, when it is not either, but the guest is told of what
 * is lost
 */
int pgpu_report_error(struct pgpu *pgpu, u64 page, enum pgpu_error error)
{
	bool dbe = error != PGPU_ERROR_SBE;
	struct pgpu_ecc *ecc = &pgpu->ecc;
	struct pgpu_bad_page *bad;
	struct vgpu *vgpu;
	bool retire, pending;
	struct vgpu_fb *fb;
	u64 home, fb_page;
	int ret = 0;

	if (error == PGPU_ERROR_GONE)
		pgpu_ecc_zap(pgpu, page);
	mutex_lock(&pgpu->lock);
	if (!pgpu->live)
		ret = -ENODEV;
	else if (page >= pgpu_nr_pages(pgpu))
		ret = -ERANGE;
	else if (!ecc->enabled)
		ret = -EOPNOTSUPP;
	if (ret)
		goto err_unlock;
	fb = pgpu_ecc_user(pgpu, page, &home);
	vgpu = pgpu_ecc_get(fb);
	bad = pgpu_ecc_page(pgpu, page);
	retire = !IS_ERR(bad) && !bad->cause && (dbe || bad->sbe);
	/* Room for whatever comes to stand in for it, so that no step can fail. */
	if (IS_ERR(bad) ||
	    (retire && xa_reserve(&pgpu->remap, page, GFP_KERNEL))) {
		mutex_unlock(&pgpu->lock);
		ret = -ENOMEM;
		/* What is lost is lost, and a guest must not go on without knowing. */
		goto tell_guest;
	}
	ecc->sbe += !dbe;
	ecc->dbe += dbe;
	bad->sbe += !dbe;
	pgpu_edac_report(pgpu, page, dbe);
	pgpu_ecc_remember(pgpu, page, dbe, vgpu);
	if (retire) {
		WRITE_ONCE(bad->cause, dbe ? VGPU_RETIRED_DBE :
					     VGPU_RETIRED_SBE);
		bad->time = ktime_get_real_seconds();
		ecc->nr_retired++;
		WRITE_ONCE(bad->pending, true);
		ecc->nr_pending++;
		if (!fb)
			pgpu_ecc_retire_unused(pgpu, page);
	}
	mutex_unlock(&pgpu->lock);

	/* Without a spare page it stays as it is until its vGPU is reset. */
	if (vgpu && retire && !dbe)
		vgpu_fb_retire_page(&vgpu->fb, home);
	pending = pgpu_ecc_is_pending(pgpu, page);
	pgpu_ecc_tell(pgpu, page, dbe, pending ? "pending" :
		      pgpu_ecc_is_bad(pgpu, page) ? "retired" : "good", vgpu);
tell_guest:
	if (vgpu) {
		if ((!ret || dbe) &&
		    !vgpu_fb_find_page(&vgpu->fb, home, &fb_page))
			vgpu_ecc_event(vgpu, dbe, fb_page);
		pgpu_ecc_put(vgpu);
	}
	return ret;

err_unlock:
	mutex_unlock(&pgpu->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(pgpu_report_error);

/**
 * pgpu_ecc_show() - print pages that had errors, and who uses them now
 * @pgpu: the pGPU
 * @m: a line each: address, state, UUID of the vGPU or "none"
 */
void pgpu_ecc_show(struct pgpu *pgpu, struct seq_file *m)
{
	struct pgpu_bad_page *bad;
	unsigned long page;
	struct vgpu_fb *fb;
	struct vgpu *vgpu;
	u64 home;

	mutex_lock(&pgpu->lock);
	xa_for_each(&pgpu->ecc.pages, page, bad) {
		fb = pgpu_ecc_user(pgpu, page, &home);
		vgpu = fb ? container_of(fb, struct vgpu, fb) : NULL;
		seq_printf(m, "%#llx %s %s\n", (u64)page << PAGE_SHIFT,
			   bad->pending ? "pending" :
			   bad->cause ? "retired" : "good",
			   vgpu ? dev_name(vgpu->vdev.dev) : "none");
	}
	mutex_unlock(&pgpu->lock);
}
