// SPDX-License-Identifier: GPL-2.0-only
// The backend's ledger against what was shown.
#pragma once

#include <array>
#include <cstdint>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class LossTable {
public:
    void shown(unsigned kind)
    {
        if (kind < shown_.size()) ++shown_[kind];   // the collector's own are beside it
    }
    void malformed() { ++malformed_; }

    /// @param final_ledger the ledger was taken after the last record
    LossLedger ledger(const source::Ledger& ledger, bool final_ledger,
                      std::uint64_t late) const;

private:
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> shown_{};
    std::uint64_t malformed_ = 0;
};

}  // namespace ipcscope::aggregate
