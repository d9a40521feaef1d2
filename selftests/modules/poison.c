// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that has failed without anybody knowing, as those see it who copy from it with
 * copy_mc_to_kernel() or copy_mc_to_user(): the copy stops short.  For
 * selftests/ras/hwpoison.
 *
 * The parameter pfn is the page frame; 0 for none.  The copy is really made, so who
 * does not look at what that function answers is found out.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>

static unsigned long pfn;
module_param(pfn, ulong, 0600);
MODULE_PARM_DESC(pfn, "Page frame that cannot be copied");

/* Not 0: what it returns is not looked at. */
static int poison_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	void *from = (void *)regs_get_kernel_argument(regs, 1);
	unsigned int len = regs_get_kernel_argument(regs, 2);

	return !pfn || !len || !virt_addr_valid(from) ||
	       PHYS_PFN(__pa(from)) > pfn ||
	       PHYS_PFN(__pa(from) + len - 1) < pfn;
}

/* A byte was left. */
static int poison_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs_set_return_value(regs, 1);
	return 0;
}

#define POISON_PROBE(name) {			\
	.kp.symbol_name = name,			\
	.entry_handler = poison_enter,		\
	.handler = poison_return,		\
}

static struct kretprobe poison_to_kernel = POISON_PROBE("copy_mc_to_kernel");
static struct kretprobe poison_to_user = POISON_PROBE("copy_mc_to_user");

static struct kretprobe *poison_probes[] = {
	&poison_to_kernel,
	&poison_to_user,
};

static int __init poison_init(void)
{
	return register_kretprobes(poison_probes, ARRAY_SIZE(poison_probes));
}

static void __exit poison_exit(void)
{
	unregister_kretprobes(poison_probes, ARRAY_SIZE(poison_probes));
}

module_init(poison_init);
module_exit(poison_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory that has failed, for tests of vgpu");
