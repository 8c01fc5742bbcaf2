// SPDX-License-Identifier: GPL-2.0-only
// The table of thresholds: from when on something is worth a finding.
#pragma once

#include <cstdint>

namespace ipcscope::diagnose {

struct Thresholds {
    // deaths and signals
    std::uint64_t slow_death_ns = 100'000'000;
    std::uint64_t slow_reap_ns = 1'000'000'000;    ///< below, a note
    std::uint64_t unreaped_ns = 250'000'000;       ///< after its parent's SIGCHLD
    std::uint64_t worth_telling_ns = 20'000'000;   ///< of one reason among several
    std::uint64_t escalation_ns = 1'000'000'000;   ///< a process ignores SIGTERM
    std::uint64_t sigint_ends_ns = 30'000'000'000; ///< until then, it was the SIGINT
    std::uint64_t late_ns = 100'000'000;
    std::uint64_t still_pending_ns = 1'000'000'000;
    std::uint64_t many_merged = 10;                ///< and half of all sent
    // pipes
    std::uint64_t stage_wait_ns = 10'000'000;      ///< and 1/20 of the waiter's span
    std::uint64_t slow_stage_ns = 200'000'000;     ///< that it held others up
    std::uint64_t slow_stage_percent = 20;         ///< of the pipeline's time
    std::uint64_t slow_late_stage_ns = 1'000'000'000;   ///< or of its own time
    // Of stages that all run, one is always the slowest: only where it is by far.
    std::uint64_t busy_stage_ns = 1'000'000'000;
    std::uint64_t busy_stage_percent = 40;
    std::uint64_t slow_stage_lead_percent = 150;   ///< of what any other stage did
    std::uint64_t clear_stage_ns = 150'000'000;    ///< and in a shorter time, where clearly so
    std::uint64_t clear_stage_percent = 60;
    std::uint64_t clear_stage_lead_percent = 500;
    std::uint64_t deadlock_ns = 500'000'000;
    std::uint64_t stuck_ns = 900'000'000;
    std::uint64_t held_open_ns = 900'000'000;
    std::uint64_t partner_ns = 100'000'000;        ///< stopped, and half of the wait
    std::uint64_t storm_row = 20;                  ///< refusals in a row, and half of all
    std::uint64_t short_reads = 4;
    std::uint64_t many_short_reads = 50;           ///< and nine tenths of all
    std::uint64_t short_writes = 10;               ///< and half of all
    std::uint64_t small_ring_stalls = 10;
    std::uint64_t large_writes = 10;               ///< of more than a small ring holds
    std::uint64_t small_writes = 1'000;
    std::uint64_t small_write_bytes = 64;          ///< on average
    std::uint64_t many_stalls = 100;               ///< of each side of a ring
    std::uint64_t ring_waits_ns = 10'000'000;
    std::uint64_t starved_ns = 500'000'000;        ///< a message in its queue
    std::uint64_t starved_overtaken = 20;          ///< by such messages meanwhile
    std::uint64_t ring_waits_percent = 10;         ///< of its time, full and empty
};
inline constexpr Thresholds kThresholds;

}  // namespace ipcscope::diagnose
