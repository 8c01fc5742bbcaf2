// SPDX-License-Identifier: GPL-2.0-only
#include "maps.bpf.h"

SETTINGS struct ipcscope_config config SEC(".rodata.config") = {};

volatile __u32 phase;

struct ipcscope_oom oom;

volatile __u64 hangup;

struct rings_map rings SEC(".maps");
struct ledgers_map ledgers SEC(".maps");
struct buckets_map buckets SEC(".maps");
struct states_map states SEC(".maps");
struct threads_map threads SEC(".maps");
struct entries_map entries SEC(".maps");
struct pids_map pids SEC(".maps");
struct comm_set filter_comms SEC(".maps");
struct cgroup_set filter_cgroups SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
