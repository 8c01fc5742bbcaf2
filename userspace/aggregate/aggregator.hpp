// SPDX-License-Identifier: GPL-2.0-only
// Intervals and pipe calls → Report.
#pragma once

#include <memory>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class Aggregator {
public:
    Aggregator();
    ~Aggregator();

    void event(const decode::Event& event);            ///< every event, in order
    void interval(const correlate::Interval& interval);
    void malformed();                                  ///< one record

    /// @param ledger the last one of the source; empty where there was none
    Report finish(const source::Host& host, const source::Ledger& ledger,
                  std::uint64_t end_ns, std::uint64_t late,
                  bool complete, std::string incomplete_why);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ipcscope::aggregate
