/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types as far as we read them, for CO-RE: libbpf finds each
 * field by name in the running kernel's BTF.  The only place that knows
 * about differences between kernels.
 */
#ifndef IPCSCOPE_COMPAT_BPF_H
#define IPCSCOPE_COMPAT_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <ipcscope/ledger.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned long sig[1];
} sigset_t;

typedef union sigval {
	void *sival_ptr;
} sigval_t;

union __sifields {
	struct {
		int _pid;
	} _kill;
	struct {
		int _pid;
		unsigned int _uid;
		sigval_t _sigval;
	} _rt;
};

struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
	union __sifields _sifields;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
};

struct k_sigaction {
	struct sigaction sa;
};

struct ksignal {
	int sig;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct signal_struct {
	atomic_t live;
	struct list_head thread_head;
	unsigned int flags;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int __state;
	unsigned char on_cpu;	/* an int until 7.2: its low byte */
	int exit_state;
	__u64 start_time;
	int exit_code;
	int pid;
	int tgid;
	struct list_head thread_node;
	struct css_set *cgroups;
	char comm[16];
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
};

/* Until 5.13 (2f064a59a11f) the field was volatile long state. */
struct task_struct___5_13 {
	long state;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct file {
	unsigned int f_flags;
	struct inode *f_inode;
	void *private_data;
};

struct kiocb {
	struct file *ki_filp;
	int ki_flags;
};

struct iov_iter {
	unsigned long count;
};

struct pipe_inode_info {
	unsigned int head;
	unsigned int tail;
	unsigned int ring_size;
	unsigned int readers;
	unsigned int writers;
};

#pragma clang attribute pop

#define TASK_INTERRUPTIBLE	0x0001
#define TASK_UNINTERRUPTIBLE	0x0002
#define __TASK_STOPPED		0x0004
#define __TASK_TRACED		0x0008
#define EXIT_DEAD		0x0010
#define EXIT_ZOMBIE		0x0020
#define TASK_WAKEKILL		0x0100
#define TASK_WAKING		0x0200
#define TASK_NOLOAD		0x0400

#define SIGNAL_GROUP_EXIT	0x00000004
#define SIGNAL_UNKILLABLE	0x00000040

#define PIPEFS_MAGIC		0x50495045
#define IOCB_NOWAIT		0x00000008	/* == RWF_NOWAIT since 5.8 */
#define O_NONBLOCK		00004000
#define O_DIRECT		00040000

#define SIGKILL			9

static __always_inline unsigned int task_state_bits(struct task_struct *task)
{
	struct task_struct___5_13 *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return BPF_CORE_READ(old, state);
	return BPF_CORE_READ(task, __state);
}

/* The bits below 0x1000 have kept their meaning since 4.14. */
static __always_inline __u8 state_of_bits(unsigned int bits)
{
	if (bits & TASK_UNINTERRUPTIBLE) {
		if (bits & TASK_WAKEKILL)
			return IPCSCOPE_STATE_KILLABLE;
		if (bits & TASK_NOLOAD)
			return IPCSCOPE_STATE_IDLE;
		return IPCSCOPE_STATE_UNINTERRUPTIBLE;
	}
	if (bits & __TASK_STOPPED)
		return IPCSCOPE_STATE_STOPPED;
	if (bits & __TASK_TRACED)
		return IPCSCOPE_STATE_TRACED;
	if (bits & TASK_INTERRUPTIBLE)
		return IPCSCOPE_STATE_INTERRUPTIBLE;
	if (bits == 0 || bits == TASK_WAKING)
		return IPCSCOPE_STATE_RUNNING;
	return IPCSCOPE_STATE_OTHER;
}

static __always_inline __u8 task_state(struct task_struct *task)
{
	int exited = BPF_CORE_READ(task, exit_state);

	if (exited & EXIT_DEAD)
		return IPCSCOPE_STATE_DEAD;
	if (exited & EXIT_ZOMBIE)
		return IPCSCOPE_STATE_ZOMBIE;
	return state_of_bits(task_state_bits(task));
}

static __always_inline void read_comm(char *to, struct task_struct *task)
{
	bpf_core_read_str(to, IPCSCOPE_COMM_LEN, &task->comm);
}

#endif /* IPCSCOPE_COMPAT_BPF_H */
