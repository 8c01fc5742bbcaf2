// SPDX-License-Identifier: GPL-2.0-only
// Log-linear histogram of nanoseconds: fixed size, exact count, min, max, sum.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ipcscope {

/// Values 0..63 have a bucket each; above, every power of two is cut into 32
/// equal buckets, so a reported quantile is at most 1/32 (3.2 %) above the
/// true one.  Covers all of uint64_t.
class Histogram {
public:
    static constexpr unsigned kSubBits = 5;

    struct Bucket {
        std::uint64_t low;   ///< smallest value it holds
        std::uint64_t high;  ///< largest value it holds
        std::uint64_t count;
    };

    void add(std::uint64_t value, std::uint64_t count = 1);
    void merge(const Histogram& other);

    /// The histogram whose buckets(), sum(), min() and max() these are, as read from a
    /// file; empty optional if no set of values can produce them.
    static std::optional<Histogram> restore(std::span<const Bucket> buckets,
                                            std::uint64_t sum, std::uint64_t min,
                                            std::uint64_t max);

    /// The histogram with `counts` by index.  The others are brought into what the
    /// counts allow: they may be of another instant.
    static Histogram of_counts(std::span<const std::uint64_t> counts, std::uint64_t sum,
                               std::uint64_t min, std::uint64_t max);

    /// The same in a unit `by` times as large: of each value, as the middle of its
    /// bucket, the whole units.
    Histogram divided(std::uint64_t by) const;

    std::uint64_t count() const { return count_; }
    std::uint64_t sum() const { return sum_; }  ///< saturates
    std::uint64_t min() const { return count_ ? min_ : 0; }
    std::uint64_t max() const { return max_; }

    /// Smallest bucket bound not below the fraction `q` (0..1) of all values,
    /// never above max() nor below min(); 0 when empty.
    std::uint64_t quantile(double q) const;

    /// The fraction `q` of all values, taken as spread evenly over their bucket:
    /// for comparing, where quantile()'s steps would show; 0 when empty.
    double interpolated(double q) const;

    /// The buckets that hold something, in order.
    std::vector<Bucket> buckets() const;

    static unsigned index(std::uint64_t value);
    static std::uint64_t low(unsigned index);
    static std::uint64_t high(unsigned index);
    static constexpr unsigned kBuckets = (64 - kSubBits + 1) << kSubBits;

private:
    std::uint64_t& count_at(unsigned index);
    unsigned end_index() const { return first_ + static_cast<unsigned>(counts_.size()); }

    std::vector<std::uint64_t> counts_;  ///< from the bucket first_ on, to what is used
    unsigned first_ = 0;
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t min_ = UINT64_MAX;
    std::uint64_t max_ = 0;
};

}  // namespace ipcscope
