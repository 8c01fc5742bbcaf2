// SPDX-License-Identifier: GPL-2.0-only
// Any bytes: an event or a malformation, and what was decoded is in range.
#include <cstdlib>

#include "decode/decode.hpp"
#include "decode/merge.hpp"

using namespace ipcscope::decode;

namespace {

void require(bool condition)
{
    if (!condition) std::abort();
}

void check_body(const SignalGenerate& body) { require(body.signal >= 1 && body.signal <= 64); }
void check_body(const SignalGet& body) { require(body.signal <= 64); }
void check_body(const Kill& body) { require(body.stack.size() <= IPCSCOPE_STACK_DEPTH); }
template <typename Other>
void check_body(const Other&)
{
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    // The first two bytes choose the ring.
    if (size < 2) return 0;
    const unsigned cpu = data[0] | unsigned{data[1]} << 8;
    auto rest = std::as_bytes(std::span{data, size}).subspan(2);

    std::uint64_t seen = 0;
    std::uint64_t added = 0;
    Merger merger{[&](const Event&) { ++seen; }};
    while (const std::size_t record = record_size(rest)) {
        auto decoded = decode(cpu, rest);
        if (decoded) {
            require(decoded->size == record);
            require(kind_name(decoded->event.kind) != "unknown");
            std::visit([](const auto& body) { check_body(body); }, decoded->event.body);
            merger.add(std::move(decoded->event));
            ++added;
        } else {
            require(describe(decoded.error()) != "unknown");
        }
        rest = rest.subspan(record);
    }
    require(!decode(cpu, rest));
    merger.watermark(UINT64_MAX / 2);
    merger.flush();
    require(seen == added);
    return 0;
}
