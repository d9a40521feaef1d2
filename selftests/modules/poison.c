// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that has failed without anybody knowing, as those see it who copy from it with
 * copy_mc_to_kernel(): the copy stops short.  For selftests/ras/hwpoison.
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

	return !pfn || !virt_addr_valid(from) || PHYS_PFN(__pa(from)) != pfn;
}

/* A byte was left. */
static int poison_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs_set_return_value(regs, 1);
	return 0;
}

static struct kretprobe poison_probe = {
	.kp.symbol_name = "copy_mc_to_kernel",
	.entry_handler = poison_enter,
	.handler = poison_return,
};

static int __init poison_init(void)
{
	return register_kretprobe(&poison_probe);
}

static void __exit poison_exit(void)
{
	unregister_kretprobe(&poison_probe);
}

module_init(poison_init);
module_exit(poison_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory that has failed, for tests of vgpu");
