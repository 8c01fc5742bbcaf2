// SPDX-License-Identifier: GPL-2.0-only
// The processes at one end of a channel.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

/// At most kMostChannelEnds of them: a new one takes the place of the one that was not used
/// for the longest time.  They lie in one piece, for most ends have one, or a few.
class ChannelEnds {
public:
    /// That of a process, made where there is none.  It moves when another is made.
    ChannelEnd& use(std::uint32_t tgid)
    {
        if (last_ >= ends_.size() || users_[last_].tgid != tgid) {
            last_ = place_of(tgid);
        }
        if (last_ == users_.size()) {
            last_ = make(tgid);
        }
        users_[last_].used = ++clock_;
        return ends_[last_];
    }

    /// nullptr: there is none.
    ChannelEnd* find(std::uint32_t tgid)
    {
        const std::size_t at = place_of(tgid);
        return at == ends_.size() ? nullptr : &ends_[at];
    }

    const std::vector<ChannelEnd>& rows() const { return ends_; }   ///< in no order
    /// The same, and forgets them.
    std::vector<ChannelEnd> take()
    {
        users_ = {};
        return std::exchange(ends_, {});
    }
    std::uint64_t evicted() const { return evicted_; }

private:
    struct User {
        std::uint32_t tgid;
        std::uint64_t used;   ///< when; no two are the same
    };

    std::size_t place_of(std::uint32_t tgid) const
    {
        return static_cast<std::size_t>(std::ranges::find(users_, tgid, &User::tgid) -
                                        users_.begin());
    }

    std::size_t make(std::uint32_t tgid)
    {
        if (users_.size() < kMostChannelEnds) {
            grow();
            users_.push_back({tgid, 0});
            ends_.emplace_back();
            return ends_.size() - 1;
        }
        const auto oldest = std::ranges::min_element(users_, {}, &User::used);
        const auto at = static_cast<std::size_t>(oldest - users_.begin());
        users_[at] = {tgid, 0};
        ends_[at] = {};
        ++evicted_;
        return at;
    }

    /// By a quarter: there are many of them.
    void grow()
    {
        if (ends_.size() == ends_.capacity()) {
            ends_.reserve(ends_.size() + ends_.size() / 4 + 1);
        }
    }

    std::vector<ChannelEnd> ends_;
    std::vector<User> users_;   ///< of ends_
    std::size_t last_ = 0;      ///< that was used last: the next use is often the same
    std::uint64_t clock_ = 0;
    std::uint64_t evicted_ = 0;
};

}  // namespace ipcscope::aggregate
