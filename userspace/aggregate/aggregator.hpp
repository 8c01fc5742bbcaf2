// SPDX-License-Identifier: GPL-2.0-only
// Events and intervals → Report.
#pragma once

#include <memory>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class Aggregator {
public:
    Aggregator();
    ~Aggregator();

    void host(const source::Host& host);
    void event(const decode::Event& event);            ///< every event, in order
    void interval(const correlate::Interval& interval);
    void malformed();                                  ///< one record

    /// Whether the trace has all that the process did, so far as records prove it.
    bool covers(std::uint32_t tgid) const;

    /// What of the trace is not in its records.
    struct Frame {
        source::Ledger ledger;      ///< the last one of the source; empty: there was none
        std::uint64_t end_ns = 0;
        std::uint64_t late = 0;
        bool complete = true;
        std::string incomplete_why;
    };
    /// The report as of now; at any time, as often as one likes.
    Report snapshot(const Frame& frame) const;
    /// The report at the end; nothing may follow.
    Report finish(const Frame& frame);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ipcscope::aggregate
