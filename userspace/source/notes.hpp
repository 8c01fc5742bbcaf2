// SPDX-License-Identifier: GPL-2.0-only
// Records that the collector adds, as bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <ipcscope/record.h>

#include "base/collector.hpp"

namespace ipcscope::source {

/// Records one behind the other, ready for Sink::records(kCollectorCpu, …).
class Notes {
public:
    static constexpr std::size_t kMostText = 4096;   ///< bytes; PATH_MAX

    /// `record` with its time and its thread set; `text` fills the record's rest.
    template <typename Record>
    void add(Record record, unsigned kind, std::string_view text = {})
    {
        text = text.substr(0, kMostText);
        record.header.cpu = kCollectorCpu;
        record.header.kind = static_cast<__u16>(kind);
        record.header.size = static_cast<__u16>(sizeof record + text.size());
        append(std::as_bytes(std::span{&record, 1}));
        append(std::as_bytes(std::span{text}));
    }

    bool empty() const { return bytes_.empty(); }
    std::span<const std::byte> bytes() const { return bytes_; }
    void clear() { bytes_.clear(); }

    /// Whole records.
    void append(std::span<const std::byte> bytes)
    {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }

private:
    std::vector<std::byte> bytes_;
};

}  // namespace ipcscope::source
