// SPDX-License-Identifier: GPL-2.0-only
// The workloads by name.
#include <cstdio>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

struct Entry {
    const char* name;
    int (*body)(const Arguments&);
};

constexpr Entry kTable[] = {
    {"signal_fields", signal_fields},
    {"signal_pairs", signal_pairs},
    {"signal_takings", signal_takings},
    {"handler_fields", handler_fields},
    {"eventfd_fields", eventfd_fields},
    {"unix_fields", unix_fields},
    {"pipe_fields", pipe_fields},
    {"splice_fields", splice_fields},
    {"mqueue_fields", mqueue_fields},
    {"sysv_fields", sysv_fields},
    {"futex_fields", futex_fields},
    {"frozen_writers", frozen_writers},
    {"gate", gate},
    {"filter_tree", filter_tree},
    {"overload", overload},
    {"flood", flood},
    {"exit_together", exit_together},
    {"exit_with", exit_with},
    {"die_of", die_of},
    {"rename_self", rename_self},
    {"linger", linger},
    {"many_threads", many_threads},
    {"time_states", time_states},
    {"asleep_before", asleep_before},
    {"poll_chain", poll_chain},
    {"steady_pipeline", steady_pipeline},
    {"trickle", trickle},
    {"handles", handles},
    {"send_signal", send_signal},
    {"renamed_sender", renamed_sender},
    {"stat_events", stat_events},
    {"stat_objects", stat_objects},
    {"stat_storm", stat_storm},
};

}  // namespace

int run(const std::string& name, const Arguments& arguments)
{
    for (const Entry& entry : kTable) {
        if (name == entry.name) {
            return entry.body(arguments);
        }
    }
    std::fprintf(stderr, "no workload %s\n", name.c_str());
    return 126;
}

}  // namespace ipcscope::workload
