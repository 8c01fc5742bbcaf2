// SPDX-License-Identifier: GPL-2.0-only
// A sink that passes everything to two others, in this order.
#pragma once

#include "source/source.hpp"

namespace ipcscope::cli {

class TeeSink final : public source::Sink {
public:
    TeeSink(source::Sink& first, source::Sink& second) : first_(first), second_(second) {}

    Result<void> host(const source::Host& host) override
    {
        return first_.host(host).and_then([&] { return second_.host(host); });
    }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        return first_.records(cpu, bytes).and_then([&] { return second_.records(cpu, bytes); });
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        return first_.watermark(time_ns).and_then([&] { return second_.watermark(time_ns); });
    }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        return first_.ledger(ledger).and_then([&] { return second_.ledger(ledger); });
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        return first_.end(time_ns).and_then([&] { return second_.end(time_ns); });
    }

private:
    source::Sink& first_;
    source::Sink& second_;
};

}  // namespace ipcscope::cli
