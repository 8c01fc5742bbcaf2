// SPDX-License-Identifier: GPL-2.0-only
// Two backends that saw the same: are their records equal?
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
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
    Result<void> host(const source::Host& host) override;
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t) override { return {}; }
    Result<void> ledger(const source::Ledger& ledger) override;
    Result<void> end(std::uint64_t time_ns) override;

    /// In the order of the rings; what the collector added is left out.
    const std::vector<Record>& all() const { return records_; }
    std::uint64_t count(unsigned kind) const;
    std::uint64_t tally(unsigned kind, __u64 ipcscope_tally::*what) const;
    std::uint64_t lost() const;
    std::uint64_t start_ns() const { return start_ns_; }
    std::uint64_t end_ns() const { return end_ns_; }

private:
    std::vector<Record> records_;
    source::Ledger ledger_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t end_ns_ = UINT64_MAX;
};

/// Of one kind.
struct KindParity {
    std::string_view not_compared;   ///< why; empty: it is compared
    bool same_number = true;         ///< as many records of both are expected
    std::uint64_t first = 0;         ///< records of the first backend
    std::uint64_t second = 0;
    std::uint64_t unequal = 0;       ///< records with no equal one of the other
    std::uint64_t allowed = 0;       ///< of these
    std::string example;             ///< the first of them

    bool equal() const { return unequal <= allowed && (first == second || !same_number); }
};

/// Compares every field but those that are of the hook or of chance: instants and
/// spans of time, lost_before, who woke a caller, the stacks of kills, and whether
/// the record of a call is a long one (docs/kmod.md).
///
/// Records of a kind and thread are paired in their order.  The exceptions:
/// - SLICE: a stay of about IPCSCOPE_SLICE_NS may have a record of one backend only.
///   Each of twice that length, within both windows, must have its like.
/// - THREAD_TIME: is of the moment at which a backend ends, and they end one after
///   the other.
KindParity compare(const Kept& first, const Kept& second, unsigned kind);

/// Calls of a kind that did IPCSCOPE_OP_….
std::uint64_t calls(const Kept& kept, unsigned kind, unsigned op);

/// How long the reads of a pipe that had to wait for data took.
Histogram blocked_reads(const Kept& kept);

/// From generation to taking of one signal, which is sent one at a time.
Histogram signal_latencies(const Kept& kept, unsigned signal);

/// Signals generated, by number.
std::map<unsigned, std::uint64_t> generated(const Kept& kept);

/// Whether two medians are in the same bucket, or in neighbours: a value near a
/// bound may fall on either side of it.
bool same_bucket(const Histogram& first, const Histogram& second);

}  // namespace ipcscope::selftest
