// SPDX-License-Identifier: GPL-2.0-only
// Events in the order of time → intervals.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "correlate/interval.hpp"

namespace ipcscope::correlate {

/// Pairs generations with deliveries and kills with deaths, by the rules in
/// docs/matching.md.  Memory is bounded by what is pending in
/// the traced kernel.
class Correlator {
public:
    using Consumer = std::function<void(const Interval&)>;

    explicit Correlator(Consumer consumer);
    ~Correlator();

    void event(const decode::Event& event);

    /// The trace ended: everything still open becomes an interval.
    void finish(std::uint64_t end_ns);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace ipcscope::correlate
