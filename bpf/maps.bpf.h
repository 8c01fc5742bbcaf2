/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that all hook families share; defined in maps.bpf.c. */
#ifndef IPCSCOPE_MAPS_BPF_H
#define IPCSCOPE_MAPS_BPF_H

#include "compat.bpf.h"
#include "config.h"

extern const volatile struct ipcscope_config config;

/* Set by the collector when the trace ends: no hook does anything after. */
extern volatile __u32 stopped;

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

struct ledgers_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_ledger);
};

/* Calls in flight, by tid.  Written in task context only (no lock order). */
struct calls_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct ipcscope_call);
};

struct entries_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipcscope_entries);
};

/* Moments that the first twin has seen (call.bpf.h): who, and its start_time. */
struct moments_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
};

struct id_set {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u8);
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
extern struct calls_map calls SEC(".maps");
extern struct entries_map entries SEC(".maps");
extern struct moments_map moments SEC(".maps");
extern struct id_set filter_tgids SEC(".maps");
extern struct id_set filter_tids SEC(".maps");
extern struct id_set followed SEC(".maps");
extern struct comm_set filter_comms SEC(".maps");
extern struct cgroup_set filter_cgroups SEC(".maps");

#endif /* IPCSCOPE_MAPS_BPF_H */
