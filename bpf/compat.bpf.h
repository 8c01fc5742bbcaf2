/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types as far as they are read, for CO-RE: libbpf finds each
 * field by name in the running kernel's BTF.  Differences between kernels are
 * decided here only, and from BTF, so that the verifier removes what does not
 * apply.
 *
 * The arguments of tp_btf, fentry and fexit programs are typed: `task->pid` is
 * one load, and a bad address reads as 0.  What is not typed (list nodes, the
 * current task before 5.11) is read by BPF_CORE_READ(), a helper's call each.
 */
#ifndef IPCSCOPE_COMPAT_BPF_H
#define IPCSCOPE_COMPAT_BPF_H

#include <linux/bpf.h>
#include <linux/mqueue.h>
#include <linux/types.h>
#include <asm/unistd.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <ipcscope/ledger.h>
#include <ipcscope/policy.h>

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

struct sigpending {
	sigset_t signal;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
	sigset_t sa_mask;
};

struct k_sigaction {
	struct sigaction sa;
};

struct ksignal {
	struct k_sigaction ka;
	int sig;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct core_state;

struct tty_driver {
	int major;
	int minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

struct signal_struct {
	atomic_t live;
	struct list_head thread_head;
	struct sigpending shared_pending;
	int group_exit_code;
	struct task_struct *group_exec_task;
	unsigned int flags;
	struct core_state *core_state;
	struct tty_struct *tty;
};

/* Until 5.16 (60700e38fb68): set for execve() and for core dumps. */
struct signal_struct___5_16 {
	struct task_struct *group_exit_task;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	__u64 id;
	const char *name;
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

struct page_counter {
	unsigned long max;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

struct oom_control {
	struct mem_cgroup *memcg;
};

struct thread_info {
	unsigned int status;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct task_struct {
	struct thread_info thread_info;
	struct mm_struct *mm;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	unsigned char on_cpu;
	int exit_state;
	int exit_code;
	unsigned long jobctl;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct list_head thread_node;
	__u64 start_time;
	__u64 self_exec_id;
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	sigset_t real_blocked;
	struct sigpending pending;
	unsigned long sas_ss_sp;
	__u64 sas_ss_size;
	int softirq_disable_cnt;	/* of PREEMPT_RT */
};

/* Until 5.13 (2f064a59a11f) the field was volatile long state. */
struct task_struct___5_13 {
	long state;
};

/* Until 7.2. */
struct task_struct___7_2 {
	int on_cpu;
};

struct kasan_cache {	/* only in kernels with KASAN */
	int alloc_meta_offset;
};

struct pt_regs {
	unsigned long orig_ax;
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long r10;
	unsigned long r9;
	unsigned long sp;
};

struct pt_regs___arm64 {
	int syscallno;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};

struct pipe_inode_info {
	unsigned int head;
	unsigned int tail;
	unsigned int ring_size;
	unsigned int readers;
	unsigned int writers;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
	struct pipe_inode_info *i_pipe;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	unsigned int f_flags;
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct wait_queue_head {
	struct list_head head;
};

struct eventfd_ctx {
	struct wait_queue_head wqh;
	__u64 count;
	unsigned int flags;
	int id;
};

struct mqueue_inode_info {
	struct inode vfs_inode;
	struct mq_attr attr;	/* linux/mqueue.h */
};

struct kern_ipc_perm {
	int key;
};

struct msg_queue {
	struct kern_ipc_perm q_perm;
	unsigned long q_qnum;
};

struct sem {
	int semval;
};

struct sem_array {
	struct kern_ipc_perm sem_perm;
	int sem_nsems;
	struct sem sems[1];
};

union futex_key {
	struct {
		__u64 i_seq;
		unsigned long pgoff;
		unsigned int offset;
	} shared;
};

struct restart_block {
	struct {
		unsigned int *uaddr;
		unsigned int val;
		unsigned int flags;
	} futex;
};

struct kiocb {
	struct file *ki_filp;
	int ki_flags;
};

struct iov_iter {
	unsigned long count;
};

struct msghdr {
	struct iov_iter msg_iter;
	void *msg_control;
	unsigned int msg_flags;
	unsigned long msg_controllen;
};

struct refcount_struct {
	atomic_t refs;
};

struct sk_buff {
	struct sk_buff *next;
	char cb[48];
	unsigned int len;
};

struct unix_skb_parms {
	unsigned int consumed;
};

struct sk_buff_head {
	struct sk_buff *next;
	unsigned int qlen;
};

struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned short skc_num;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	int sk_rcvbuf;
	int sk_sndbuf;
	struct refcount_struct sk_wmem_alloc;
	unsigned int sk_max_ack_backlog;
	struct pid *sk_peer_pid;
	struct socket *sk_socket;
};

struct unix_sock {
	struct sock *peer;
};

struct socket {
	short type;
	struct sock *sk;
};

struct socket_alloc {
	struct inode vfs_inode;
};

struct unix_stream_read_state {
	struct socket *socket;
	unsigned long size;
	int flags;
};

struct proto_accept_arg {	/* since 6.10 (92ef0fd55ac8) */
	int flags;
};

struct scm_fp_list {
	short count;
};

struct scm_cookie {
	struct scm_fp_list *fp;
};

struct bpf_iter__task {
	struct task_struct *task;
};

struct pcpu_hot {
	int preempt_count;
};

#pragma clang attribute pop

/* The head of struct kernel_siginfo, which is the ABI's on 64-bit kernels. */
struct siginfo_head {
	int si_signo;
	int si_errno;
	int si_code;
	int pad;
	int pid;		/* _kill, _rt, _sigchld; _timer: its id */
	int uid;		/* ... _timer: overruns */
	__u64 value;		/* _rt, _timer */
};

#define THREAD_SIZE		16384	/* x86, and arm64 with small pages */
#define PF_EXITING		0x00000004
#define PF_KTHREAD		0x00200000
#define TS_COMPAT		0x0002		/* x86: a 32-bit system call */
#define PIPEFS_MAGIC		0x50495045
#define IOCB_NOWAIT		0x00000008	/* == RWF_NOWAIT since 5.8 */
#define S_IFMT			0170000
#define S_IFIFO			0010000
#define O_ACCMODE		00000003
#define O_RDONLY		00000000
#define O_NONBLOCK		00004000
#define O_DIRECT		00040000

/* Bits of preempt_count(): hard interrupts and NMI; a softirq is served. */
#define IN_INTERRUPT		0x00ff0100
#define SOFTIRQ_OFFSET		0x00000100

#define HAS_HELPER(name) \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_##name)

/* Typed since 5.11, an address before: read it by LOAD() only. */
static __always_inline struct task_struct *current_task(void)
{
	if (HAS_HELPER(get_current_task_btf))
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/*
 * A typed pointer as a number, negated: no typed pointer takes an offset that
 * varies, and the verifier takes a negated one for a number.
 */
static __always_inline __u64 negated(const void *pointer)
{
	__u64 number = (__u64)pointer;

	asm volatile("%0 = -%0" : "+r"(number));
	return number;
}

/* A typed pointer as the number that it is, for a GLOBAL function. */
static __always_inline __u64 address_of(const void *pointer)
{
	return -negated(pointer);
}

/* A field of what may be, or come from, current_task(). */
#define LOAD(from, field) ({						\
	typeof(from) from_ = (from);					\
	HAS_HELPER(get_current_task_btf) ? from_->field :		\
					   BPF_CORE_READ(from_, field);	\
})

/* `task` is typed. */
static __always_inline unsigned int task_state_bits(struct task_struct *task)
{
	struct task_struct___5_13 *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return (unsigned int)old->state;
	return task->__state;
}

/* `task` is typed. */
static __always_inline bool runs_now(struct task_struct *task)
{
	struct task_struct___7_2 *old = (void *)task;

	if (bpf_core_field_size(task->on_cpu) == sizeof(old->on_cpu))
		return old->on_cpu;
	return task->on_cpu;
}

/* An address, or NULL; what the descriptor is as the call begins. */
static __always_inline struct file *file_of(unsigned int descriptor)
{
	struct fdtable *table = LOAD(LOAD(current_task(), files), fdt);
	struct file **files = LOAD(table, fd);
	struct file *file = NULL;

	if (descriptor < LOAD(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), files + descriptor);
	return file;
}

/* Flags of unix_accept(): an argument of its own until 6.10. */
static __always_inline unsigned int accept_flags(__u64 *ctx)
{
	if (bpf_core_type_exists(struct proto_accept_arg))
		return ((struct proto_accept_arg *)ctx[2])->flags;
	return (unsigned int)ctx[2];
}

/* Each is read by itself: the verifier wants an offset into ctx to be constant. */
static __always_inline int accept_result(__u64 *ctx)
{
	__u64 result;

	if (bpf_core_type_exists(struct proto_accept_arg)) {
		result = ctx[3];
		asm volatile("" : "+r"(result));
	} else {
		result = ctx[4];
		asm volatile("" : "+r"(result));
	}
	return (int)result;
}

static __always_inline void load_comm(__u64 *comm, struct task_struct *task)
{
	if (HAS_HELPER(get_current_task_btf)) {
		comm[0] = *(__u64 *)&task->comm[0];
		comm[1] = *(__u64 *)&task->comm[8];
	} else {
		bpf_core_read(comm, IPCSCOPE_COMM_LEN, &task->comm);
	}
}

/* Padded with NUL, which the kernel's own copy is not on all kernels. */
static __always_inline void read_comm(void *to, struct task_struct *task)
{
	__builtin_memset(to, 0, IPCSCOPE_COMM_LEN);
	bpf_core_read_str(to, IPCSCOPE_COMM_LEN, &task->comm);
}

static __always_inline __u64 cgroup_of(struct task_struct *task)
{
	struct css_set *sets = LOAD(task, cgroups);
	struct cgroup *cgroup = LOAD(sets, dfl_cgrp);
	struct kernfs_node *node = LOAD(cgroup, kn);

	return LOAD(node, id);
}

/* Its tid in its own pid namespace; 0 once it has none. */
static __always_inline __u32 ns_pid_of(struct task_struct *task)
{
	/* An address: no typed pointer takes an offset that varies. */
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level, nr = 0;
	void *at;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level);
	at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	     level * bpf_core_type_size(struct upid) +
	     bpf_core_field_offset(struct upid, nr);
	bpf_probe_read_kernel(&nr, sizeof(nr), at);
	return nr;
}

static __always_inline __u8 disposition_of(struct sighand_struct *sighand,
					   int sig)
{
	__u64 at = bpf_core_field_offset(struct sighand_struct, action) +
		   (__u64)(sig - 1) * bpf_core_type_size(struct k_sigaction) +
		   bpf_core_field_offset(struct k_sigaction, sa.sa_handler);
	__u64 handler = 0;

	bpf_probe_read_kernel(&handler, sizeof(handler),
			      (void *)(at - negated(sighand)));
	return ipcscope_disposition_of(handler);
}

/* IPCSCOPE_GROUP_: why the threads of the process are made to exit; `signal` is an address. */
static __always_inline __u8 group_cause(struct signal_struct *signal)
{
	struct signal_struct___5_16 *old = (void *)signal;
	unsigned int flags = BPF_CORE_READ(signal, flags);
	struct task_struct *exec;
	bool dumps;

	if (bpf_core_field_exists(signal->group_exec_task)) {
		dumps = BPF_CORE_READ(signal, core_state);
		exec = BPF_CORE_READ(signal, group_exec_task);
	} else {
		dumps = flags & IPCSCOPE_SIGNAL_GROUP_COREDUMP;
		exec = BPF_CORE_READ(old, group_exit_task);
	}
	if (dumps)
		return IPCSCOPE_GROUP_CORE_DUMP;
	if (flags & IPCSCOPE_SIGNAL_GROUP_EXIT)
		return IPCSCOPE_GROUP_EXIT;
	return exec ? IPCSCOPE_GROUP_EXEC : IPCSCOPE_GROUP_NONE;
}

static __always_inline bool is_compat(struct task_struct *task)
{
	if (!bpf_core_field_exists(struct thread_info, status))
		return false;
	return LOAD(task, thread_info.status) & TS_COMPAT;
}

static __always_inline __u16 syscall_in(struct pt_regs *regs, bool typed)
{
	struct pt_regs___arm64 *arm = (void *)regs;
	long nr = -1;

	if (bpf_core_field_exists(regs->orig_ax))
		nr = typed ? regs->orig_ax : BPF_CORE_READ(regs, orig_ax);
	else if (bpf_core_field_exists(arm->syscallno))
		nr = typed ? arm->syscallno : BPF_CORE_READ(arm, syscallno);
	return (__u64)nr < IPCSCOPE_SYSCALL_NONE ? nr : IPCSCOPE_SYSCALL_NONE;
}

/* Until 5.14 (dd6e10fbd9fb) no helper gives them: an address. */
static __always_inline void *saved_registers(struct task_struct *task)
{
	return LOAD(task, stack) - bpf_core_type_size(struct pt_regs) +
	       (bpf_core_type_exists(struct kasan_cache) ? 2 * THREAD_SIZE :
							   THREAD_SIZE);
}

/* From the registers that the thread saved as it entered the kernel. */
static __always_inline __u16 syscall_of(struct task_struct *task)
{
	if ((LOAD(task, flags) & PF_KTHREAD) || is_compat(task))
		return IPCSCOPE_SYSCALL_NONE;
	if (HAS_HELPER(task_pt_regs))
		return syscall_in((void *)bpf_task_pt_regs(task), true);
	return syscall_in(saved_registers(task), false);
}

/* Where the user's stack ends that the current thread will return to. */
static __always_inline __u64 user_stack(struct task_struct *task)
{
	struct pt_regs *regs;

	if (HAS_HELPER(task_pt_regs)) {
		regs = (void *)bpf_task_pt_regs(task);
		return regs->sp;
	}
	regs = saved_registers(task);
	return BPF_CORE_READ(regs, sp);
}

/* x86: a handler's return takes its address, the frame's first word, off the stack. */
static __always_inline __u64 frame_that_returns(struct task_struct *task)
{
	struct pt_regs *regs = NULL;

	return user_stack(task) -
	       (bpf_core_field_exists(regs->orig_ax) ? sizeof(__u64) : 0);
}

/*
 * The registers of the current system call, which its function has for an argument:
 * ctx[0].  Where the kernel's BTF has no type for that (5.10, of futex) they are read
 * from the stack, where they are.
 */
#define SYSCALL_ARGUMENT(ctx, field) ({					\
	struct pt_regs *regs_;						\
	unsigned long value_;						\
									\
	if (HAS_HELPER(task_pt_regs)) {					\
		regs_ = (struct pt_regs *)(ctx)[0];			\
		value_ = regs_->field;					\
	} else {							\
		regs_ = saved_registers(current_task());		\
		value_ = BPF_CORE_READ(regs_, field);			\
	}								\
	value_;								\
})

static __always_inline bool is_polling(__u16 syscall)
{
	switch (syscall) {
#ifdef __NR_poll
	case __NR_poll:
#endif
#ifdef __NR_select
	case __NR_select:
#endif
#ifdef __NR_epoll_wait
	case __NR_epoll_wait:
#endif
	case __NR_ppoll:
	case __NR_pselect6:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
		return true;
	default:
		return false;
	}
}

static __always_inline bool is_splicing(__u16 syscall)
{
	return syscall == __NR_splice || syscall == __NR_sendfile;
}

/* State of a thread off the CPU; `task` is typed, `bits` its __state. */
static __always_inline __u8 sleep_state(struct task_struct *task,
					unsigned int bits, __u16 syscall)
{
	__u8 state = ipcscope_state_of_bits(bits);

	if (task->flags & IPCSCOPE_PF_FROZEN)
		return IPCSCOPE_STATE_FROZEN;
	if (state != IPCSCOPE_STATE_INTERRUPTIBLE)
		return state;
	if (task->jobctl & IPCSCOPE_JOBCTL_TRAP_FREEZE)
		return IPCSCOPE_STATE_FROZEN;
	return is_polling(syscall) ? IPCSCOPE_STATE_POLLING : state;
}

extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;	/* 6.2 to 6.14, x86 */

/* The thread that wakes another; 0: an interrupt, where BTF lets that be seen. */
static __always_inline __u32 waker_tid(void)
{
	int count = 0;

	if (&__preempt_count) {
		const int *at = bpf_this_cpu_ptr(&__preempt_count);

		count = *at;
	} else if (&pcpu_hot) {
		const struct pcpu_hot *hot = bpf_this_cpu_ptr(&pcpu_hot);

		count = hot->preempt_count;
	}
	/* There a softirq is served by a thread, whose count says so. */
	if (bpf_core_field_exists(struct task_struct, softirq_disable_cnt))
		count |= LOAD(current_task(), softirq_disable_cnt) &
			 SOFTIRQ_OFFSET;
	return count & IN_INTERRUPT ? 0 : (__u32)bpf_get_current_pid_tgid();
}

#endif /* IPCSCOPE_COMPAT_BPF_H */
