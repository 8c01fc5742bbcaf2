// SPDX-License-Identifier: GPL-2.0-only
#include "maps.bpf.h"

const volatile struct ipcscope_config config SEC(".rodata.config") = {};

volatile __u32 stopped;

struct rings_map rings SEC(".maps");
struct ledgers_map ledgers SEC(".maps");
struct calls_map calls SEC(".maps");
struct entries_map entries SEC(".maps");
struct moments_map moments SEC(".maps");
struct id_set filter_tgids SEC(".maps");
struct id_set filter_tids SEC(".maps");
struct id_set followed SEC(".maps");
struct comm_set filter_comms SEC(".maps");
struct cgroup_set filter_cgroups SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
