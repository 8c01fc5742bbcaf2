/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that all hook families share; defined in maps.bpf.c. */
#ifndef IPCSCOPE_MAPS_BPF_H
#define IPCSCOPE_MAPS_BPF_H

#include "compat.bpf.h"
#include "config.h"

/* 1 in the object of `ipcscope stat`, which is made of the same sources. */
#ifndef IPCSCOPE_STAT
#define IPCSCOPE_STAT 0
#endif

/* Without volatile a setting is read once in a program. */
#if IPCSCOPE_STAT
#define SETTINGS	const
#else
#define SETTINGS	const volatile
#endif

extern SETTINGS struct ipcscope_config config;

extern volatile __u32 phase;	/* IPCSCOPE_PHASE_ */

extern struct ipcscope_oom oom;

/* The last terminal that was hung up, and by whom: tid << 32 | dev_t. */
extern volatile __u64 hangup;

struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One ring a CPU; sized and filled by the collector. */
struct rings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring_map);
};

/*
 * One ledger a CPU.  Not a per-CPU map: the verifier turns the lookup in an
 * array into five instructions, on all kernels.
 */
struct ipcscope_cpu_ledger {
	struct ipcscope_ledger ledger;
	__u64 written_bytes;	/* since the collector was last woken */
	__u64 pad[6];		/* to a whole cache line */
};

struct ledgers_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_cpu_ledger);
};

/*
 * The table of threads (table.bpf.h).  Arrays, since the verifier turns a lookup
 * in an array into a few instructions; the collector sets their sizes.
 */
struct buckets_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_bucket);
};

struct states_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_thread_state);
};

/*
 * Task to slot.  Preallocated.  The hooks of the scheduler only look up, and
 * delete at a thread's last switch; no lock is taken inside a bucket's lock.
 */
struct threads_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
};

struct entries_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_entries);
};

/* IPCSCOPE_PID_ of each id; the collector sets the size. */
struct ipcscope_pids {
	__u8 flags[IPCSCOPE_PID_BLOCK];
};

struct pids_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_pids);
};

struct comm_set {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct ipcscope_comm);
	__type(value, __u8);
};

struct cgroup_set {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u8);
};

extern struct rings_map rings SEC(".maps");
extern struct ledgers_map ledgers SEC(".maps");
extern struct buckets_map buckets SEC(".maps");
extern struct states_map states SEC(".maps");
extern struct threads_map threads SEC(".maps");
extern struct entries_map entries SEC(".maps");
extern struct pids_map pids SEC(".maps");
extern struct comm_set filter_comms SEC(".maps");
extern struct cgroup_set filter_cgroups SEC(".maps");

#endif /* IPCSCOPE_MAPS_BPF_H */
