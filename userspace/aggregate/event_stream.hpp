// SPDX-License-Identifier: GPL-2.0-only
// A source's records → events in the order of time, with names: all that `dump`
// needs, and the beginning of an analysis.
#pragma once

#include <cstdint>
#include <functional>

#include "decode/merge.hpp"
#include "decode/thread_table.hpp"
#include "source/source.hpp"

namespace ipcscope::aggregate {

class EventStream final : public source::Sink {
public:
    using Consumer = std::function<void(const decode::Event&)>;

    /// @param malformed called for each record that cannot be decoded; may be empty
    explicit EventStream(Consumer event, std::function<void()> malformed = {});

    Result<void> host(const source::Host& host) override;
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t time_ns) override;
    Result<void> ledger(const source::Ledger& ledger) override;
    Result<void> end(std::uint64_t time_ns) override;

    /// Passes on what is held back, at the end of the source.
    void flush() { merger_.flush(); }

    const source::Host& host_of_trace() const { return host_; }
    const source::Ledger& last_ledger() const { return ledger_; }
    std::uint64_t late() const { return merger_.late(); }
    bool ended() const { return ended_; }
    /// Of the trace's end; without one, of the newest event.
    std::uint64_t end_ns() const { return ended_ ? end_ns_ : last_ns_; }

private:
    Consumer consumer_;
    std::function<void()> malformed_;
    decode::ThreadTable threads_;
    decode::Merger merger_;
    source::Host host_;
    source::Ledger ledger_;
    std::uint64_t last_ns_ = 0;
    std::uint64_t end_ns_ = 0;
    bool ended_ = false;
};

}  // namespace ipcscope::aggregate
