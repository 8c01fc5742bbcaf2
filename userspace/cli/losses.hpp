// SPDX-License-Identifier: GPL-2.0-only
// A sink in front of another that keeps the newest ledger.
#pragma once

#include <string>

#include "source/source.hpp"

namespace ipcscope::cli {

class WithLosses final : public source::Sink {
public:
    explicit WithLosses(source::Sink& next) : next_(next) {}

    Result<void> host(const source::Host& host) override { return next_.host(host); }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        return next_.records(cpu, bytes);
    }
    Result<void> watermark(std::uint64_t time_ns) override { return next_.watermark(time_ns); }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        ledger_ = ledger;
        return next_.ledger(ledger);
    }
    Result<void> end(std::uint64_t time_ns) override { return next_.end(time_ns); }

    std::uint64_t lost() const;
    /// "nothing lost", or "1,234 lost (1,234 ring_full): …".
    std::string sentence() const;
    /// `status`, or Exit::lost where something was and --on-loss=exit.
    int exit_status(int status, const std::string& on_loss) const;

private:
    source::Sink& next_;
    source::Ledger ledger_;
};

}  // namespace ipcscope::cli
