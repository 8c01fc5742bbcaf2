// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <utility>

#include "aggregate/pipeline.hpp"
#include "decode/decode.hpp"

namespace ipcscope::aggregate {

Analysis::Analysis(Observer observer)
    : observer_(std::move(observer)),
      correlator_([this](const correlate::Interval& interval) {
          aggregator_.interval(interval);
          if (observer_.interval) observer_.interval(interval);
      }),
      merger_([this](const decode::Event& event) {
          last_ns_ = std::max(last_ns_, event.time_ns);
          aggregator_.event(event);
          if (observer_.event) observer_.event(event);
          correlator_.event(event);
      })
{
}

Result<void> Analysis::host(const source::Host& host)
{
    host_ = host;
    return {};
}

Result<void> Analysis::records(unsigned cpu, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        auto decoded = decode::decode(cpu, bytes);
        std::size_t size = 0;
        if (decoded) {
            size = decoded->size;
            merger_.add(std::move(decoded->event));
        } else {
            aggregator_.malformed();
            size = decode::record_size(bytes);
        }
        // Without a size there is no way to the next record.
        if (size == 0 || size > bytes.size()) break;
        bytes = bytes.subspan(size);
    }
    return {};
}

Result<void> Analysis::watermark(std::uint64_t time_ns)
{
    merger_.watermark(time_ns);
    return {};
}

Result<void> Analysis::ledger(const source::Ledger& ledger)
{
    ledger_ = ledger;
    return {};
}

Result<void> Analysis::end(std::uint64_t time_ns)
{
    end_ns_ = time_ns;
    ended_ = true;
    return {};
}

Report Analysis::report(std::string incomplete_why)
{
    merger_.flush();
    const std::uint64_t end_ns = ended_ ? end_ns_ : last_ns_;
    correlator_.finish(end_ns);
    const bool complete = ended_ && incomplete_why.empty();
    return aggregator_.finish(host_, ledger_, end_ns, merger_.late(), complete,
                              std::move(incomplete_why));
}

}  // namespace ipcscope::aggregate
