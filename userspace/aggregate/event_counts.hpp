// SPDX-License-Identifier: GPL-2.0-only
// What `ipcscope stat` counts in the kernel, from the records of a capture.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "aggregate/report.hpp"
#include "aggregate/stat_report.hpp"
#include "correlate/interval.hpp"

namespace ipcscope::aggregate {

/// Rows by what `ipcscope stat --by` has, of the same events, outcomes and latencies
/// (docs/stat.md); or of signals alone, by their numbers.
class EventCounts {
public:
    enum class Of : std::uint8_t { all, signals };

    /// `by`: IPCSCOPE_STAT_BY_.
    EventCounts(unsigned by, Of of) : by_(by), of_(of) {}

    void event(const decode::Event& event);
    void interval(const correlate::Interval& interval);

    /// `report`: of the same records, for the machine, the window and the ledger.
    StatReport report(const Report& report) const;

private:
    using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>;   ///< by, event
    struct Row {
        std::uint64_t count = 0;
        std::uint64_t bytes = 0;
        Histogram latency;
    };

    Row* row_of(const decode::Task& who, const decode::Call* call, unsigned kind, unsigned what,
                unsigned outcome);
    void by_of(const decode::Task& who, const decode::Call* call, std::uint64_t (&by)[2]) const;
    SafeText name_of(const ipcscope_stat_key& key) const;

    void on(const decode::Event& event, const decode::SignalGenerate& body);
    void on(const decode::Event& event, const decode::SignalTake& body);
    void on(const decode::Event& event, const decode::Call& body);
    void on(const decode::Event& event, const decode::Thread& body);
    void on(const decode::Event& event, const decode::Cgroup& body);
    // Stat counts no others; a kill is counted as its generation.
    void on(const decode::Event&, const decode::Kill&) {}
    void on(const decode::Event&, const decode::ThreadTime&) {}
    void on(const decode::Event&, const decode::ThreadFree&) {}
    void on(const decode::Event&, const decode::Slice&) {}
    void on(const decode::Event&, const decode::Symbol&) {}
    void on(const decode::Event&, const decode::Holder&) {}
    void on(const decode::Event&, const decode::Observed&) {}
    void on(const decode::Event&, const decode::Process&) {}
    void on(const decode::Event&, const decode::User&) {}
    void on(const decode::Event&, const decode::Command&) {}
    void on(const decode::Event&, const decode::FdReceived&) {}
    void on(const decode::Event&, const decode::SignalHandler&) {}
    void on(const decode::Event&, const decode::SignalMask&) {}

    unsigned by_;
    Of of_;
    std::map<Key, Row> rows_;
    std::map<std::uint32_t, std::uint64_t> cgroups_;   ///< of threads
    std::map<std::uint64_t, SafeText> paths_;          ///< of cgroups
    std::map<std::uint32_t, SafeText> names_;          ///< of processes
};

}  // namespace ipcscope::aggregate
