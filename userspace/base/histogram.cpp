// SPDX-License-Identifier: GPL-2.0-only
#include "base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ipcscope {
namespace {

constexpr unsigned kSub = 1U << Histogram::kSubBits;

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/// Bits by which the values of a bucket are shifted: it holds 1 << shift values.
unsigned shift_of(unsigned index) { return index < 2 * kSub ? 0 : index / kSub - 1; }

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b)
{
    const auto product = static_cast<unsigned __int128>(a) * b;
    return product > UINT64_MAX ? UINT64_MAX : static_cast<std::uint64_t>(product);
}

bool is_bucket(const Histogram::Bucket& bucket)
{
    const unsigned index = Histogram::index(bucket.low);
    return bucket.count != 0 && bucket.low == Histogram::low(index) &&
           bucket.high == Histogram::high(index);
}

bool holds(const Histogram::Bucket& bucket, std::uint64_t value)
{
    return bucket.low <= value && value <= bucket.high;
}

}  // namespace

unsigned Histogram::index(std::uint64_t value)
{
    if (value < 2 * kSub) return static_cast<unsigned>(value);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
    return shift * kSub + static_cast<unsigned>(value >> shift);
}

std::uint64_t Histogram::low(unsigned index)
{
    const unsigned shift = shift_of(index);
    return std::uint64_t{index - shift * kSub} << shift;
}

std::uint64_t Histogram::high(unsigned index)
{
    return low(index) + ((std::uint64_t{1} << shift_of(index)) - 1);
}

/// Values are near each other: those before the least take no memory.
std::uint64_t& Histogram::count_at(unsigned index)
{
    constexpr unsigned kStep = 8;   // grows less often
    const unsigned from = index - index % kStep;
    if (counts_.empty()) {
        first_ = from;
    } else if (index < first_) {
        counts_.insert(counts_.begin(), first_ - from, 0);
        first_ = from;
    }
    if (index >= end_index()) counts_.resize(index - first_ + 1);
    return counts_[index - first_];
}

void Histogram::add(std::uint64_t value, std::uint64_t count)
{
    if (count == 0) return;
    count_at(index(value)) += count;
    count_ += count;
    sum_ = saturating_sum(sum_, saturating_product(value, count));
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
}

Histogram Histogram::divided(std::uint64_t by) const
{
    Histogram whole;
    for (const Bucket& bucket : buckets()) {
        const std::uint64_t from = std::max(bucket.low, min_), to = std::min(bucket.high, max_);
        whole.add((from + (to - from) / 2) / by, bucket.count);
    }
    return whole;
}

void Histogram::merge(const Histogram& other)
{
    for (unsigned i = other.first_; i < other.end_index(); ++i) {
        if (const std::uint64_t more = other.counts_[i - other.first_]) count_at(i) += more;
    }
    count_ += other.count_;
    sum_ = saturating_sum(sum_, other.sum_);
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

std::optional<Histogram> Histogram::restore(std::span<const Bucket> buckets,
                                            std::uint64_t sum, std::uint64_t min,
                                            std::uint64_t max)
{
    Histogram made;
    std::uint64_t least_sum = 0;
    std::uint64_t most_sum = 0;
    for (const Bucket& bucket : buckets) {
        if (!is_bucket(bucket) || bucket.count > UINT64_MAX - made.count_) return {};
        const unsigned at = index(bucket.low);
        if (made.count_ != 0 && at < made.end_index()) return {};   // not in order, or twice
        made.count_at(at) = bucket.count;
        made.count_ += bucket.count;
        // What its values can add up to: no less than min, no more than max each.
        const std::uint64_t low = std::max(bucket.low, min);
        const std::uint64_t high = std::min(bucket.high, max);
        least_sum = saturating_sum(least_sum, saturating_product(low, bucket.count));
        most_sum = saturating_sum(most_sum, saturating_product(high, bucket.count));
    }
    if (buckets.empty()) {
        if (sum != 0 || min != 0 || max != 0) return {};
        return made;
    }
    if (min > max || !holds(buckets.front(), min) || !holds(buckets.back(), max) ||
        sum < least_sum || sum > most_sum || (made.count_ == 1 && min != max))
        return {};
    made.sum_ = sum;
    made.min_ = min;
    made.max_ = max;
    return made;
}

Histogram Histogram::of_counts(std::span<const std::uint64_t> counts, std::uint64_t sum,
                               std::uint64_t min, std::uint64_t max)
{
    Histogram made;
    for (unsigned i = 0; i < counts.size(); ++i) made.add(low(i), counts[i]);
    if (made.count_ == 0) return made;
    const unsigned last = index(made.max_);
    made.min_ = std::clamp(min, made.min_, high(index(made.min_)));
    made.max_ = std::max(std::clamp(max, made.max_, high(last)), made.min_);
    std::uint64_t least_sum = 0, most_sum = 0;
    for (const Bucket& bucket : made.buckets()) {
        const std::uint64_t from = std::max(bucket.low, made.min_);
        const std::uint64_t to = std::min(bucket.high, made.max_);
        least_sum = saturating_sum(least_sum, saturating_product(from, bucket.count));
        most_sum = saturating_sum(most_sum, saturating_product(to, bucket.count));
    }
    made.sum_ = std::clamp(sum, least_sum, most_sum);
    return made;
}

std::uint64_t Histogram::quantile(double q) const
{
    if (count_ == 0) return 0;
    const auto total = static_cast<double>(count_);
    // A hair less, so that 0.07 of 100 is 7 in spite of rounding; written so that
    // a NaN gives the minimum.
    const double wanted = q > 0 ? std::ceil(std::min(q, 1.0) * total * (1 - 1e-12)) : 1;
    const std::uint64_t rank =
        wanted < total ? std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted))
                       : count_;
    std::uint64_t seen = 0;
    for (unsigned i = first_; i < end_index(); ++i) {
        seen += counts_[i - first_];
        if (seen >= rank) return std::clamp(high(i), min_, max_);
    }
    return max_;
}

double Histogram::interpolated(double q) const
{
    if (count_ == 0) return 0;
    const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(count_);
    double seen = 0;
    for (unsigned i = first_; i < end_index(); ++i) {
        const auto here = static_cast<double>(counts_[i - first_]);
        if (here > 0 && seen + here >= wanted) {
            const auto from = static_cast<double>(std::max(low(i), min_));
            const auto to = static_cast<double>(std::min(high(i), max_));
            return from + (wanted - seen) / here * (to - from);
        }
        seen += here;
    }
    return static_cast<double>(max_);
}

std::vector<Histogram::Bucket> Histogram::buckets() const
{
    std::vector<Bucket> used;
    for (unsigned i = first_; i < end_index(); ++i)
        if (const std::uint64_t count = counts_[i - first_])
            used.push_back({low(i), high(i), count});
    return used;
}

}  // namespace ipcscope
