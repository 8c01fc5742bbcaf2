// SPDX-License-Identifier: GPL-2.0-only
// The time ledger of each thread of a trace, put together from its records.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "show.hpp"

namespace ipcscope::conformance {

/// Time by state, as the contract has it: outside of calls and inside; the span has both.
struct TimeSum : decode::Between {
    std::uint64_t blocked_ns = 0;          ///< in calls
    std::uint64_t in_call_d_ns = 0;        ///< in calls, in D and K
    std::uint64_t in_call_running_ns = 0;
    std::uint64_t in_call_runnable_ns = 0;

    std::uint64_t parts() const
    {
        return running_ns + runnable_ns + sleeping_ns + polling_ns + uninterruptible_ns +
               killable_ns + other_ns + blocked_ns + in_call_d_ns + in_call_running_ns +
               in_call_runnable_ns;
    }
    std::uint64_t all_running_ns() const { return running_ns + in_call_running_ns; }
    std::uint64_t all_runnable_ns() const { return runnable_ns + in_call_runnable_ns; }
};

/// The records that account for one thread's time, from its birth (or the trace's
/// start) to its exit (or the trace's end), in order.
struct ThreadLedger {
    std::uint32_t tgid = 0;
    std::uint32_t tid = 0;
    std::vector<const decode::Event*> records;   ///< CALL, THREAD_TIME, THREAD_EXIT
    std::vector<Seen<decode::Slice>> slices;
    TimeSum sum;
    bool exited = false;
};

std::vector<ThreadLedger> thread_ledgers(const Capture& capture);

/// The ledger of thread `tid`, a failure (and an empty one) where there is not
/// exactly one.
ThreadLedger ledger_of(const Capture& capture, std::uint64_t tid);

/// Slices of `state` (IPCSCOPE_STATE_…).
std::vector<Seen<decode::Slice>> slices_in(const ThreadLedger& thread, unsigned state);

/// For every thread: each record goes on where the last one ended, until its exit or
/// the trace's end; the parts add up to the span, to the nanosecond; slices follow
/// one another, none is missing of a state that only slices show, and they are
/// no longer than the time in their state.
void expect_time_ledgers(const Trace& trace);

}  // namespace ipcscope::conformance
