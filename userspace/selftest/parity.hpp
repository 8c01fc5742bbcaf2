// SPDX-License-Identifier: GPL-2.0-only
// Two backends that saw the same: are their records equal?
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <ipcscope/ledger.h>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "source/source.hpp"

namespace ipcscope::selftest {

using Record = std::vector<std::byte>;

/// A sink that keeps everything.
class Kept final : public source::Sink {
public:
    Result<void> host(const source::Host&) override { return {}; }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t) override { return {}; }
    Result<void> ledger(const source::Ledger& ledger) override;
    Result<void> end(std::uint64_t) override { return {}; }

    /// In the order of the rings; what the collector added is left out.
    const std::vector<Record>& all() const { return records_; }
    std::uint64_t count(unsigned kind) const;
    std::uint64_t tally(unsigned kind, __u64 ipcscope_tally::*what) const;
    std::uint64_t lost() const;

private:
    std::vector<Record> records_;
    source::Ledger ledger_;
};

/// Of one kind.
struct KindParity {
    std::uint64_t first = 0;    ///< records of the first backend
    std::uint64_t second = 0;
    std::uint64_t unequal = 0;  ///< pairs with a field that differs
    std::string example;        ///< the first of them
    bool equal() const { return first == second && unequal == 0; }
};

/// Pairs the records of each kind and thread in their order, and compares each
/// field but times, lost_before, and the stacks of kills (docs/kmod.md).
KindParity compare(const Kept& first, const Kept& second, unsigned kind);

/// How long the reads of a pipe that had to wait for data took.
Histogram blocked_reads(const Kept& kept);

/// From generation to delivery of one signal, which is sent one at a time.
Histogram signal_latencies(const Kept& kept, unsigned signal);

/// Signals generated, by number.
std::map<unsigned, std::uint64_t> generated(const Kept& kept);

/// Whether two medians are in the same bucket, or in neighbours: a value near a
/// bound may fall on either side of it.
bool same_bucket(const Histogram& first, const Histogram& second);

}  // namespace ipcscope::selftest
