// SPDX-License-Identifier: GPL-2.0-only
// Blocks' payloads: Host as JSON, Ledger as numbers.
#pragma once

#include <optional>
#include <string>

#include "capture/format.hpp"
#include "source/source.hpp"

namespace ipcscope::capture {

/// At most kMaxPayload bytes: long texts and lists are cut, and end with "…".
std::string host_to_json(const source::Host& host);

/// nullopt where the text is not a description of a host, or is beyond its bounds.
std::optional<source::Host> host_from_json(std::string_view text);

/// CPUs that fit in one LEDGER block.
inline constexpr std::size_t kLedgerCpusPerBlock =
    (kMaxPayload - sizeof(LedgerHeader)) / sizeof(ipcscope_ledger);

/// Puts a ledger together from its blocks.
class LedgerReader {
public:
    enum class Status { more, complete, damaged, unknown_ids };
    Status add(std::span<const std::byte> payload);
    const source::Ledger& ledger() const { return ledger_; }

private:
    source::Ledger ledger_;
    bool whole_ = true;  ///< the next block begins a new ledger
};

}  // namespace ipcscope::capture
