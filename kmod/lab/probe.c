// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipcscope_probe.ko by=kretprobe|fprobe [bytes=N]: handlers that do nothing at
 * the entry and the return of a pipe's write, to measure what the mechanism costs
 * by itself (tests/overhead/mechanisms).  N bytes are kept from entry to return.
 * For tests only.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

#include "../configure.h"

#ifdef IPCSCOPE_HAS_FPROBE
#include <linux/fprobe.h>
#endif

static char *by = "kretprobe";
module_param(by, charp, 0444);
MODULE_PARM_DESC(by, "kretprobe or fprobe");

static uint bytes = 8;
module_param(bytes, uint, 0444);
MODULE_PARM_DESC(bytes, "kept from entry to return");

/* Split in 6.15: see hooks.c. */
static const char *const targets[] = { "anon_pipe_write", "pipe_write" };

static int kretprobe_enters(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static int kretprobe_leaves(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return 0;
}

static struct kretprobe kretprobe;

static int attach_kretprobe(const char *target)
{
	memset(&kretprobe, 0, sizeof(kretprobe));
	kretprobe.kp.symbol_name = target;
	kretprobe.entry_handler = kretprobe_enters;
	kretprobe.handler = kretprobe_leaves;
	kretprobe.data_size = bytes;
	kretprobe.maxactive = 4096;
	return register_kretprobe(&kretprobe);
}

static void detach_kretprobe(void)
{
	unregister_kretprobe(&kretprobe);
}

#ifdef IPCSCOPE_HAS_FPROBE
#ifdef IPCSCOPE_HAS_FPROBE_PT_REGS
#define REGS	struct pt_regs
#else
#define REGS	struct ftrace_regs
#endif

static int fprobe_enters(struct fprobe *fprobe, unsigned long entry,
			 unsigned long caller, REGS *regs, void *data)
{
	return 0;
}

static void fprobe_leaves(struct fprobe *fprobe, unsigned long entry,
			  unsigned long caller, REGS *regs, void *data)
{
}

static struct fprobe fprobe;

static int attach_fprobe(const char *target)
{
	memset(&fprobe, 0, sizeof(fprobe));
	fprobe.entry_handler = fprobe_enters;
	fprobe.exit_handler = fprobe_leaves;
	fprobe.entry_data_size = bytes;
	return register_fprobe_syms(&fprobe, &target, 1);
}

static void detach_fprobe(void)
{
	unregister_fprobe(&fprobe);
}
#else
static int attach_fprobe(const char *target)
{
	return -EOPNOTSUPP;
}

static void detach_fprobe(void)
{
}
#endif

static bool by_fprobe(void)
{
	return !strcmp(by, "fprobe");
}

static int __init probe_init(void)
{
	int i, error = -ENOENT;

	for (i = 0; i < ARRAY_SIZE(targets) && error == -ENOENT; i++)
		error = by_fprobe() ? attach_fprobe(targets[i]) :
				      attach_kretprobe(targets[i]);
	return error;
}

static void __exit probe_exit(void)
{
	if (by_fprobe())
		detach_fprobe();
	else
		detach_kretprobe();
}

module_init(probe_init);
module_exit(probe_exit);

MODULE_DESCRIPTION("What watching a function costs, for ipcscope's tests");
MODULE_AUTHOR("The ipcscope authors");
MODULE_LICENSE("GPL");
