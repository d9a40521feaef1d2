// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs that are meant to be found: "tools/lab selfcheck" loads this with each and
 * looks whether the lab notices.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "out-of-bounds, use-after-free, lock-inversion, leak, sleep or race");

/* As a size that comes from a guest is not known to the compiler. */
static noinline void planted_out_of_bounds(size_t len)
{
	u8 *buf = kmalloc(len, GFP_KERNEL);

	if (!buf)
		return;
	OPTIMIZER_HIDE_VAR(len);
	WRITE_ONCE(buf[len], 1);
	kfree(buf);
}

static void planted_use_after_free(void)
{
	u32 *word = kzalloc(sizeof(*word), GFP_KERNEL);

	if (!word)
		return;
	kfree(word);
	WRITE_ONCE(*word, 1);
}

static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);

/* One after the other, and never in each other's way. */
static void planted_lock_inversion(void)
{
	mutex_lock(&planted_a);
	mutex_lock(&planted_b);
	mutex_unlock(&planted_b);
	mutex_unlock(&planted_a);
	mutex_lock(&planted_b);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	mutex_unlock(&planted_b);
}

static void planted_leak(void)
{
	int i;

	/* Some address may be left in a register or on a stack. */
	for (i = 0; i < 16; i++)
		OPTIMIZER_HIDE_VAR(i);
	for (i = 0; i < 16; i++) {
		void *lost = kmalloc(712, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
}

static DEFINE_SPINLOCK(planted_lock);

static void planted_sleep(void)
{
	spin_lock(&planted_lock);
	might_sleep();
	spin_unlock(&planted_lock);
}

static u64 planted_count;

static int planted_racer(void *unused)
{
	while (!kthread_should_stop()) {
		planted_count++;
		cond_resched();
	}
	return 0;
}

static void planted_race(void)
{
	struct task_struct *racers[2];
	int i;

	for (i = 0; i < 2; i++)
		racers[i] = kthread_run(planted_racer, NULL, "planted");
	msleep(5000);
	for (i = 0; i < 2; i++)
		if (!IS_ERR(racers[i]))
			kthread_stop(racers[i]);
}

static int __init planted_init(void)
{
	if (!strcmp(bug, "out-of-bounds"))
		planted_out_of_bounds(13);
	else if (!strcmp(bug, "use-after-free"))
		planted_use_after_free();
	else if (!strcmp(bug, "lock-inversion"))
		planted_lock_inversion();
	else if (!strcmp(bug, "leak"))
		planted_leak();
	else if (!strcmp(bug, "sleep"))
		planted_sleep();
	else if (!strcmp(bug, "race"))
		planted_race();
	else
		return -EINVAL;
	return 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Bugs that are meant to be found");
