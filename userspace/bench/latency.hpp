// SPDX-License-Identifier: GPL-2.0-only
// The loops that latencies are measured in.  Each runs until its phase says that
// a message was the last; returns 0 or an errno.
#pragma once

#include "bench/ends.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// End a of a round trip, or both ends in one thread, as fast as it goes: a sample
/// is the mean of a group, and ends at the clock read at which the next begins.
int ping(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// The same between spinning ends, in groups of two or more: the next message is
/// sent before the clock is read and the last one checked, for meanwhile the other
/// end would ask for the cache line again and again, and make us wait for it.
int ping_spinning(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// End a, paced: measured from when a message was due, late or not.
int ping_paced(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// End a of a one-way measurement: the answer only keeps one message under way.
int ping_one_way(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);
/// End b of all three.
int pong(const Job& job, Sender& sender, Receiver& receiver, WorkerReport& report);

}  // namespace ipcscope::bench
