// SPDX-License-Identifier: GPL-2.0-only
// A sink that forwards to another and keeps the newest ledger.
#pragma once

#include <string>

#include "cli/forwarding_sink.hpp"

namespace ipcscope::cli {

class LossTracker final : public ForwardingSink {
public:
    using ForwardingSink::ForwardingSink;

    Result<void> ledger(const source::Ledger& ledger) override
    {
        ledger_ = ledger;
        return ForwardingSink::ledger(ledger);
    }

    std::uint64_t lost() const;
    /// "nothing lost", or "1,234 lost (1,234 ring_full): …".
    std::string summary() const;
    /// `status`, or Exit::lost where something was and --on-loss=exit.
    int exit_status(int status, const std::string& on_loss) const;

private:
    source::Ledger ledger_;
};

}  // namespace ipcscope::cli
