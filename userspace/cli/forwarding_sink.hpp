// SPDX-License-Identifier: GPL-2.0-only
// A sink in front of another: passes everything on.  To be derived from.
#pragma once

#include "source/source.hpp"

namespace ipcscope::cli {

class ForwardingSink : public source::Sink {
public:
    explicit ForwardingSink(source::Sink& next) : next_(next) {}
    // One in front of another is made of it as a Sink: a copy would pass it by.
    ForwardingSink(const ForwardingSink&) = delete;
    ForwardingSink& operator=(const ForwardingSink&) = delete;

    Result<void> host(const source::Host& host) override { return next_.host(host); }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        return next_.records(cpu, bytes);
    }
    Result<void> watermark(std::uint64_t time_ns) override { return next_.watermark(time_ns); }
    Result<void> ledger(const source::Ledger& ledger) override { return next_.ledger(ledger); }
    Result<void> end(std::uint64_t time_ns) override { return next_.end(time_ns); }

private:
    source::Sink& next_;
};

}  // namespace ipcscope::cli
