/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the collector tells the BPF programs before they load.  The verifier
 * sees constants, so that a family that is off costs nothing.
 */
#ifndef IPCSCOPE_BPF_CONFIG_H
#define IPCSCOPE_BPF_CONFIG_H

#include <linux/types.h>
#include <ipcscope/transport.h>

struct ipcscope_config {
	__u64 signal_mask;	/* bit (n - 1): signal n is wanted */
	__u32 self_tgid;	/* the collector: never reported */
	__u32 wakeup_bytes;	/* wake the collector at this ring fill */
	__u8 filter_tgid;	/* 1: only processes in filter_tgids */
	__u8 filter_tid;
	__u8 filter_comm;
	__u8 filter_cgroup;
	__u8 follow;		/* IPCSCOPE_FOLLOW_ */
	__u8 twins;		/* 1: two programs watch each call */
	__u8 pad[2];
};

/* Key of the comm filter: padded with NUL. */
struct ipcscope_comm {
	char name[16];
};

/*
 * A call that has been entered and not left.  The key is the tid; a call of
 * get_signal() sets the top bit, since it may write a core dump to a pipe.
 */
#define IPCSCOPE_CALL_GET_SIGNAL	0x80000000u

struct ipcscope_call {
	__u64 enter_ns;
	__u64 inode;
	__u64 requested_bytes;
	__u64 blocked_ns;
	__u64 runqueue_ns;
	__u64 uninterruptible_ns;
	__u64 woken_ns;		/* out of the last S sleep, 0: none */
	__u64 sleep_ns;		/* off the CPU since, 0: running */
	__u64 wake_ns;		/* woken at, 0: not yet */
	__u32 tgid;
	__u32 dev;
	__u32 ring_slots;
	__u32 used_slots;
	__u32 readers;
	__u32 writers;
	__u32 sleeps;
	__u16 kind;		/* IPCSCOPE_PIPE_READ, … or IPCSCOPE_SIGNAL_GET */
	__u8 sleep_state;	/* IPCSCOPE_STATE_ it sleeps in */
	__u8 fifo;
	__u8 nonblock;
	__u8 packet;
	__u8 fresh;		/* entered, and the twin has not looked yet */
	__u8 pad[1];
	char comm[16];
};

/* Entries of calls, counted where twins watch one function (call.bpf.h). */
struct ipcscope_entries {
	__u64 wanted[IPCSCOPE_KIND_COUNT];	/* seen by the first twin */
	__u64 entered[IPCSCOPE_KIND_COUNT];	/* seen by either */
};

#endif /* IPCSCOPE_BPF_CONFIG_H */
