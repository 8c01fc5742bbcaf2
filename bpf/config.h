/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and the collector share.  The configuration is
 * constant once the programs are loaded: the verifier removes what is off.
 */
#ifndef IPCSCOPE_BPF_CONFIG_H
#define IPCSCOPE_BPF_CONFIG_H

#include <linux/types.h>
#include <ipcscope/splice.h>
#include <ipcscope/stat.h>
#include <ipcscope/transport.h>

/* A name as two words, and of which of their bits it is made, NUL included. */
struct ipcscope_comm_filter {
	__u64 name[2];
	__u64 mask[2];
};

#define IPCSCOPE_COMM_FILTERS	4
/* Of what is followed only that which a name and a cgroup match, if asked for. */
#define IPCSCOPE_FOLLOW_NAMED	0x80

struct ipcscope_config {
	__u64 signal_mask;	/* bit (n - 1): signal n is wanted */
	__u32 self_tgid;	/* the collector: never reported */
	__u32 wakeup_bytes;	/* wake the collector at this ring fill */
	__u8 filter_tgid;	/* 1: only processes in filter_tgids */
	__u8 filter_tid;
	__u8 filter_comm;
	__u8 filter_cgroup;
	__u8 follow;		/* IPCSCOPE_FOLLOW_, with FOLLOW_NAMED */
	__u8 twins;		/* 1: programs can be preempted (call.bpf.h) */
	__u8 send_by_task;	/* 1: PREEMPT_RT (signal.bpf.c) */
	__u8 switch_prev_state;	/* 1: sched_switch has the argument prev_state */
	__u8 fatal_only;	/* 1: signals that end a process, no takings */
	__u8 stat_by;		/* IPCSCOPE_STAT_BY_ */
	__u8 private_futexes;	/* 1: IPCSCOPE_FAMILY_FUTEX_ALL */
	__u8 pad;
	__u32 bucket_mask;	/* of the table of threads (table.bpf.h) */
	__u32 comm_count;	/* in comms; more: in the map filter_comms */
	struct ipcscope_comm_filter comms[IPCSCOPE_COMM_FILTERS];
	__u32 stat_rows;	/* of each CPU (stat.bpf.h) */
	__u32 stat_bucket_mask;	/* of the table of pending signals */
};

/* The one flag that all hooks obey, in .bss. */
#define IPCSCOPE_PHASE_IDLE	0	/* attached, not counting yet */
#define IPCSCOPE_PHASE_ARMED	1
#define IPCSCOPE_PHASE_STOPPED	2

/* The OOM killer at work: one at a time, for it holds oom_lock. */
struct ipcscope_oom {
	__u64 task;		/* that runs it */
	__u64 cgroup;		/* of memory, 0: of all */
	__u64 limit_pages;
	char name[IPCSCOPE_CGROUP_NAME_LEN];
};

/* What the filters say of an id, in the map pids: one byte for each id. */
#define IPCSCOPE_PID_TGID	0x01	/* it is a process that they name */
#define IPCSCOPE_PID_TID	0x02	/* ... a thread */
#define IPCSCOPE_PID_FOLLOWED	0x04	/* ... a process, whatever else */

#define IPCSCOPE_PID_BLOCK	64	/* ids of one element of the map */
#define IPCSCOPE_PID_BLOCKS	65536	/* up to the kernel's PID_MAX_LIMIT */

/* Key of the comm filter: padded with NUL. */
struct ipcscope_comm {
	char name[IPCSCOPE_COMM_LEN];
};

/* A signal that a thread has dequeued in get_signal() and not yet acted on. */
struct ipcscope_open_take {
	__u64 dequeued_ns;
	__u64 value;		/* stat: when it was generated, 0: not known */
	__s32 si_code;
	__u32 sender_pid;
	__s32 overrun;
	__u8 sig;		/* 0: none */
	__u8 traced;		/* a debugger has stopped the thread since */
	__u8 pad[2];
};

/* A wanted thread.  Written in its own context and by the scheduler's hooks. */
struct ipcscope_thread_state {
	struct ipcscope_account account;
	struct ipcscope_open_call call;	/* valid while account.call != 0 */
	struct ipcscope_splice splice;	/* likewise, of a CALL_SPLICE */
	struct ipcscope_open_take take;
	__u64 get_signal_ns;	/* its entry, 0: outside it, or unseen */
	__u64 exec_id;		/* of the last execve() that was reported */
	__u64 comm[2];		/* as last written to a ring */
	__u32 tgid;
	__u32 tid;
	__u8 named;		/* comm has been written to a ring */
	__u8 fresh;		/* call entered, the twin has not run yet */
	__u8 discards;		/* signal that do_sigaction() is discarding */
	__u8 commanded;		/* a COMMAND has been written since its execve() */
	__u8 pad[4];
	__u64 key;		/* of its task in the table, 0: none */
	__u32 claims;		/* of the slot: see table.bpf.h */
	__u32 slot;		/* its own number */
};

/* Of the table of threads: the slots of one hash. */
#define IPCSCOPE_BUCKET_SLOTS	8

struct ipcscope_bucket {
	__u64 key[IPCSCOPE_BUCKET_SLOTS];	/* of a task, 0: free */
	__u64 elsewhere;	/* threads of this hash in other buckets */
};

IPCSCOPE_ASSERT_SIZE(ipcscope_open_take, 32);
IPCSCOPE_ASSERT_SIZE(ipcscope_thread_state, 392);
IPCSCOPE_ASSERT_SIZE(ipcscope_bucket, 72);

/* Entries of calls, counted where twins watch one function (call.bpf.h). */
struct ipcscope_entries {
	__u64 wanted[IPCSCOPE_KIND_COUNT];	/* runs of the first twin */
	__u64 entered[IPCSCOPE_KIND_COUNT];	/* calls seen by either */
	__u64 unwanted[IPCSCOPE_KIND_COUNT][2];	/* runs of each twin */
};

#endif /* IPCSCOPE_BPF_CONFIG_H */
