// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "decode/decode.hpp"

namespace ipcscope::aggregate {

EventStream::EventStream(Consumer event, std::function<void()> malformed)
    : consumer_(std::move(event)),
      malformed_(std::move(malformed)),
      merger_([this](decode::Event& merged) {
          last_ns_ = std::max(last_ns_, merged.time_ns);
          threads_.stamp(merged);
          consumer_(merged);
      })
{
}

Result<void> EventStream::host(const source::Host& host)
{
    host_ = host;
    return {};
}

Result<void> EventStream::records(unsigned cpu, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const auto decoded = decode::decode(cpu, bytes, merger_.blank());
        std::size_t size = 0;
        if (decoded) {
            size = *decoded;
            merger_.add_blank();
        } else {
            if (malformed_) malformed_();
            size = decode::record_size(bytes);
        }
        // Without a size there is no way to the next record.
        if (size == 0 || size > bytes.size()) break;
        bytes = bytes.subspan(size);
    }
    return {};
}

Result<void> EventStream::watermark(std::uint64_t time_ns)
{
    merger_.watermark(time_ns);
    return {};
}

Result<void> EventStream::ledger(const source::Ledger& ledger)
{
    ledger_ = ledger;
    return {};
}

Result<void> EventStream::end(std::uint64_t time_ns)
{
    end_ns_ = time_ns;
    ended_ = true;
    return {};
}

}  // namespace ipcscope::aggregate
