// SPDX-License-Identifier: GPL-2.0-only
// A backend as the live source sees it: hooks that fill one ring a CPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <ipcscope/record.h>

#include "base/result.hpp"
#include "source/hooks.hpp"
#include "source/source.hpp"

namespace ipcscope::source {

class Producer {
public:
    virtual ~Producer() = default;

    /// Possible CPUs; each has a ring.
    virtual std::size_t cpus() const = 0;

    /// Until a ring is worth reading, or `timeout`, or a signal.
    virtual void wait(std::chrono::milliseconds timeout) = 0;

    struct Drained {
        std::span<std::byte> records;   ///< whole records; valid until the next call
        bool empty;                     ///< nothing was left behind
    };
    /// Takes records of one CPU's ring, up to about kBatchBytes.
    virtual Drained drain(std::size_t cpu) = 0;

    /// Exit::producer where it no longer works.
    virtual Result<void> alive() = 0;

    /// Takes every hook away; on return none runs any more.
    virtual Result<void> detach() = 0;

    /// Cumulative totals.
    virtual Ledger ledger() const = 0;

    /// CLOCK_MONOTONIC: from when all hooks count, and, after detach, until when.
    virtual std::uint64_t start_ns() const = 0;
    virtual std::uint64_t stop_ns() const = 0;

    /// After detach: a record of each call that had not returned, and of the time
    /// of each thread that is in none, flagged IPCSCOPE_UNFINISHED; ready to be
    /// passed on but for header.cpu.
    using Visit = std::function<void(std::span<std::byte> record)>;
    virtual void unfinished(const Visit& visit) const = 0;

    virtual const std::vector<HookStatus>& hooks() const = 0;

    static constexpr std::size_t kBatchBytes = 1 << 20;
};

}  // namespace ipcscope::source
