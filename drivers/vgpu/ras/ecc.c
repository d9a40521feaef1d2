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
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/vgpu_retired.h>
#include <linux/xarray.h>

#include "device/deferred.h"
#include "device/vgpu.h"
#include "memory/fb.h"
#include "memory/vram.h"
#include "ras/ras.h"

static bool ecc_default = true;
module_param_named(ecc, ecc_default, bool, 0444);
MODULE_PARM_DESC(ecc, "Whether GPUs start with ECC on (default Y)");

/**
 * ras_init() - no errors yet
 * @ras: zeroed
 * @vram: the memory
 */
void ras_init(struct ras *ras, struct vram *vram)
{
	ras->vram = vram;
	ras->enabled = ecc_default;
	ras->pending = ecc_default;
}

/**
 * ras_fini() - opposite of ras_init()
 * @ras: nobody reports errors any more
 */
void ras_fini(struct ras *ras)
{
	kvfree(ras->list);
}

/**
 * ras_set_live() - errors can be reported from now on, or not any more
 * @ras: with its pGPU complete, or going
 * @live: which
 */
void ras_set_live(struct ras *ras, bool live)
{
	struct vram *vram = ras->vram;

	mutex_lock(&vram->lock);
	ras->live = live;
	mutex_unlock(&vram->lock);
}

/**
 * ras_reset() - put the pending mode in force
 * @ras: the pGPU's
 *
 * Volatile counters start anew; what is retired stays so.
 *
 * Return: 0; -EBUSY while a VMM has a vGPU open
 */
int ras_reset(struct ras *ras)
{
	struct vram *vram = ras->vram;
	struct vram_bad_page *bad;
	unsigned long page;

	mutex_lock(&vram->lock);
	if (atomic_read(&vram->open_count)) {
		mutex_unlock(&vram->lock);
		return -EBUSY;
	}
	ras->enabled = ras->pending;
	ras->sbe_before += ras->sbe;
	ras->dbe_before += ras->dbe;
	ras->sbe = 0;
	ras->dbe = 0;
	xa_for_each(&vram->bad, page, bad)
		bad->sbe = 0;
	mutex_unlock(&vram->lock);
	return 0;
}

/**
 * ras_enabled() - whether errors are detected now
 * @ras: the pGPU's
 *
 * Return: true if they are
 */
bool ras_enabled(struct ras *ras)
{
	struct vram *vram = ras->vram;
	bool enabled;

	mutex_lock(&vram->lock);
	enabled = ras->enabled;
	mutex_unlock(&vram->lock);
	return enabled;
}

static const char *ras_state(const struct vram_bad_page *bad)
{
	return READ_ONCE(bad->pending) ? "pending" :
	       READ_ONCE(bad->cause) ? "retired" : "good";
}

/*
 * There is a uevent, with which programs save the list, when there is something new of
 * a page: its first error, another state, an error of the other kind.  For one that goes
 * on failing there is another after a long time.  What is counted is in sysfs.
 */
#define RAS_TELL_AGAIN		(3600 * HZ)

static bool ras_is_news(struct ras *ras, struct vram_bad_page *bad, bool dbe,
			const char *state)
{
	const u8 error = BIT(dbe ? PGPU_ERROR_DBE : PGPU_ERROR_SBE);
	bool news;

	mutex_lock(&ras->vram->lock);
	if (bad->told_state != *state ||
	    time_after32(jiffies, bad->told_at + RAS_TELL_AGAIN)) {
		bad->told_state = *state;
		bad->told = 0;
	}
	news = !(bad->told & error);
	if (news) {
		bad->told |= error;
		bad->told_at = jiffies;
	}
	mutex_unlock(&ras->vram->lock);
	return news;
}

/* The form is for programs: the code, the page, what became of it, whose. */
static void ras_tell(struct ras *ras, struct vram_bad_page *bad, u64 page,
		     bool dbe, const struct vgpu *vgpu)
{
	const char *code = dbe ? "VGPU-ECC-DBE" : "VGPU-ECC-SBE";
	const char *whose = vgpu ? dev_name(vgpu->vdev.dev) : "none";
	const char *state = ras_state(bad);
	char event[32], address[32], page_state[32], uuid[64];
	char *envp[] = { event, address, page_state, uuid, NULL };

	dev_warn_ratelimited(ras->vram->dev, "%s: address %#llx, page %s, vGPU %s\n",
			     code, page << PAGE_SHIFT, state, whose);
	if (!ras_is_news(ras, bad, dbe, state))
		return;
	snprintf(event, sizeof(event), "VGPU_EVENT=%s", code);
	snprintf(address, sizeof(address), "VGPU_ADDRESS=%#llx",
		 page << PAGE_SHIFT);
	snprintf(page_state, sizeof(page_state), "VGPU_PAGE_STATE=%s", state);
	snprintf(uuid, sizeof(uuid), "VGPU_UUID=%s", whose);
	kobject_uevent_env(&ras->vram->dev->kobj, KOBJ_CHANGE, envp);
}

/*
 * The vGPU of a framebuffer, referenced.  There is nobody to notify, and nothing to
 * lose, in one that is just being made and whose device does not exist yet.
 */
static struct vgpu *ras_get(struct vgpu_fb *fb)
{
	return fb ? vgpu_get(container_of(fb, struct vgpu, fb)) : NULL;
}

static void ras_remember(struct ras *ras, u64 page, bool dbe,
			 const struct vgpu *vgpu)
{
	struct ras_error *last;

	lockdep_assert_held(&ras->vram->lock);
	last = &ras->last[ras->nr_errors++ % RAS_LAST_ERRORS];
	last->page = page;
	last->time = ktime_get_real_seconds();
	last->dbe = dbe;
	strscpy(last->uuid, vgpu ? dev_name(vgpu->vdev.dev) : "none",
		sizeof(last->uuid));
}

/**
 * ras_last() - print the last errors
 * @ras: the pGPU's
 * @buf: a line each, the newest first: sbe or dbe, address, seconds since 1970,
 *	UUID of the vGPU or "none"; of the size of a page
 *
 * Return: number of characters
 */
int ras_last(struct ras *ras, char *buf)
{
	struct vram *vram = ras->vram;
	int len = 0;
	u64 n;

	mutex_lock(&vram->lock);
	for (n = ras->nr_errors; n && ras->nr_errors - n < RAS_LAST_ERRORS;
	     n--) {
		const struct ras_error *last =
			&ras->last[(n - 1) % RAS_LAST_ERRORS];

		len += sysfs_emit_at(buf, len, "%s %#llx %lld %s\n",
				     last->dbe ? "dbe" : "sbe",
				     last->page << PAGE_SHIFT, last->time,
				     last->uuid);
	}
	mutex_unlock(&vram->lock);
	return len;
}

/*
 * Count an error, and retire the page that it makes a bad one.  Returns what is known of
 * the page; -EOPNOTSUPP with ECC off; -ENOMEM.
 */
static struct vram_bad_page *ras_count(struct ras *ras, u64 page, bool dbe,
				       const struct vgpu *vgpu, bool *retire)
{
	struct vram *vram = ras->vram;
	struct vram_bad_page *bad;

	lockdep_assert_held(&vram->lock);
	if (!ras->enabled)
		return ERR_PTR(-EOPNOTSUPP);
	bad = vram_page(vram, page);
	if (IS_ERR(bad))
		return bad;
	*retire = !bad->cause && (dbe || bad->sbe);
	if (*retire && vram_retire(vram, page, dbe ? VGPU_RETIRED_DBE :
						     VGPU_RETIRED_SBE,
				   ktime_get_real_seconds()))
		return ERR_PTR(-ENOMEM);
	ras->sbe += !dbe;
	ras->dbe += dbe;
	bad->sbe += !dbe;
	ras_edac_report(ras, page, dbe);
	ras_remember(ras, page, dbe, vgpu);
	return bad;
}

/**
 * ras_report() - an error in a page of VRAM has been detected
 * @ras: the pGPU's
 * @page: page of VRAM; also a spare one
 * @error: what happened to it
 *
 * Return: see pgpu_report_error()
 */
int ras_report(struct ras *ras, u64 page, enum pgpu_error error)
{
	bool dbe = error != PGPU_ERROR_SBE, retire = false, there;
	u64 home, fb_page, replace;
	struct vram *vram = ras->vram;
	struct vram_bad_page *bad;
	struct vgpu *vgpu;
	struct vgpu_fb *fb;
	int ret;

	mutex_lock(&vram->lock);
	if (!ras->live || page >= vram_nr_pages(vram)) {
		ret = ras->live ? -ERANGE : -ENODEV;
		mutex_unlock(&vram->lock);
		return ret;
	}
	fb = vram_user(vram, page, &home);
	vgpu = ras_get(fb);
	bad = ras_count(ras, page, dbe, vgpu, &retire);
	ret = PTR_ERR_OR_ZERO(bad);
	mutex_unlock(&vram->lock);

	/* Without a spare page it stays as it is until its vGPU is reset. */
	replace = !ret && retire && !dbe ? page : VRAM_NO_PAGE;
	there = vgpu && !vgpu_fb_page_error(&vgpu->fb, home,
					    error == PGPU_ERROR_GONE, replace,
					    &fb_page);
	if (!ret)
		ras_tell(ras, bad, page, dbe, vgpu);
	/* What is lost is lost, and a guest must not go on without knowing. */
	if (there && (!ret || (dbe && ret == -ENOMEM)))
		vgpu_ecc_event(vgpu, dbe, fb_page);
	if (vgpu)
		vgpu_put(vgpu);
	return ret;
}

/**
 * ras_show() - print pages that had errors, and who uses them now
 * @ras: the pGPU's
 * @m: a line each: address, state, UUID of the vGPU or "none"
 */
void ras_show(struct ras *ras, struct seq_file *m)
{
	struct vram *vram = ras->vram;
	struct vram_bad_page *bad;
	unsigned long page;
	struct vgpu_fb *fb;
	struct vgpu *vgpu;
	u64 home;

	mutex_lock(&vram->lock);
	xa_for_each(&vram->bad, page, bad) {
		fb = vram_user(vram, page, &home);
		vgpu = fb ? container_of(fb, struct vgpu, fb) : NULL;
		seq_printf(m, "%#llx %s %s\n", (u64)page << PAGE_SHIFT,
			   ras_state(bad),
			   vgpu ? dev_name(vgpu->vdev.dev) : "none");
	}
	mutex_unlock(&vram->lock);
}
