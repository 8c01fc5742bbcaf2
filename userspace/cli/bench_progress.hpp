// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstddef>

#include "bench/runner.hpp"

namespace ipcscope::cli {

/// How far the run is, on standard error: one line that changes on a terminal;
/// elsewhere nothing, or a line now and then where it is asked for.
class BenchProgress final : public bench::Progress {
public:
    explicit BenchProgress(bool wanted);
    ~BenchProgress() override;

    void step(std::size_t done, std::size_t all, const bench::Case& now) override;
    /// Takes the line off the terminal.
    void clear();

private:
    using Clock = std::chrono::steady_clock;

    bool terminal_;
    bool wanted_;
    bool shown_ = false;
    Clock::time_point next_ = Clock::now();
};

}  // namespace ipcscope::cli
