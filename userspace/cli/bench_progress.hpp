// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <chrono>
#include <cstddef>

#include "bench/runner.hpp"

namespace ipcscope::cli {

/// Shows a run's progress on standard error: one line that is updated on a terminal;
/// elsewhere nothing, or with --progress a line every two seconds.
class BenchProgress final : public bench::Progress {
public:
    explicit BenchProgress(bool wanted);
    ~BenchProgress() override;

    void step(std::size_t done, std::size_t all, const bench::Case& now) override;
    /// Erases the line from the terminal.
    void clear();

private:
    using Clock = std::chrono::steady_clock;

    bool terminal_;
    bool wanted_;
    bool shown_ = false;
    Clock::time_point next_ = Clock::now();
};

}  // namespace ipcscope::cli
