// SPDX-License-Identifier: GPL-2.0-only
// What was added to sums from one snapshot of a running trace to the next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/units.hpp"

namespace ipcscope::diagnose {

/// N sums of each Key.  A call is recorded as it ends, with all that it waited: what is added has
/// the time since the sums last changed, not since the last snapshot.
template <typename Key, std::size_t N>
class Changes {
public:
    using Sums = std::array<std::uint64_t, N>;
    struct Change {
        Sums added{};
        std::uint64_t over_ns = 0;    ///< the time that `added` is of; 0: nothing was
        std::uint64_t quiet_ns = 0;   ///< nothing was added for so long; 0: something was
    };

    /// `sums`: as of `now_ns`; where the key is new they began at `start_ns`.
    Change of(const Key& key, const Sums& sums, std::uint64_t start_ns, std::uint64_t now_ns)
    {
        const auto [at, is_new] = all_.try_emplace(key);
        Last& last = at->second;
        last.seen_ns = now_ns;
        if (is_new) {
            last.at_ns = start_ns;
        }
        Change change;
        if (!is_new && last.sums == sums) {
            change.quiet_ns = since(now_ns, last.at_ns);
            return change;
        }
        change.over_ns = since(now_ns, last.at_ns);
        for (std::size_t i = 0; i < N; ++i) {
            change.added[i] = since(sums[i], last.sums[i]);
        }
        last.sums = sums;
        last.at_ns = now_ns;
        return change;
    }

    /// Forgets the keys that of() was not asked for at `now_ns`: their rows are gone.
    void forget_unseen(std::uint64_t now_ns)
    {
        std::erase_if(all_, [&](const auto& entry) { return entry.second.seen_ns != now_ns; });
    }

private:
    struct Last {
        Sums sums{};
        std::uint64_t at_ns = 0;     ///< when they last changed
        std::uint64_t seen_ns = 0;
    };
    std::map<Key, Last> all_;
};

}  // namespace ipcscope::diagnose
