// SPDX-License-Identifier: GPL-2.0-only
// Records as a hostile file may have them.
#pragma once

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <random>

#include "decode/fields.hpp"
#include "records.hpp"

namespace ipcscope::test {

/// Few numbers, so that records meet; and the ends of every range.
class Random {
public:
    explicit Random(std::uint32_t seed) : random_(seed) {}

    unsigned below(unsigned count) { return static_cast<unsigned>(random_()) % count; }
    std::uint64_t number()
    {
        constexpr std::uint64_t kEnds[] = {
            0, 1, INT32_MAX, 1ULL << 31, UINT32_MAX, INT64_MAX, 1ULL << 63, UINT64_MAX};
        switch (below(4)) {
        case 0: return kEnds[below(std::size(kEnds))];
        case 1: return (std::uint64_t{random_()} << 32) | random_();
        default: return below(8);
        }
    }

private:
    std::mt19937 random_;
};

inline std::uint64_t value_for(Random& random, const decode::Field& field)
{
    switch (field.meaning) {
    case decode::Meaning::SIGNAL: return 1 + random.below(random.below(3) ? 20 : 64);
    case decode::Meaning::BOOL: return random.below(2);
    case decode::Meaning::STATE: return random.below(IPCSCOPE_STATE_COUNT);
    case decode::Meaning::ORIGIN: return random.below(IPCSCOPE_ORIGIN_COUNT);
    case decode::Meaning::RESULT: return random.below(2) ? 0 : random.below(5);
    case decode::Meaning::DISPOSITION: return random.below(IPCSCOPE_DISPOSITION_COUNT);
    case decode::Meaning::TAKE: return random.below(IPCSCOPE_TAKE_COUNT);
    case decode::Meaning::GROUP: return random.below(IPCSCOPE_GROUP_COUNT);
    case decode::Meaning::REASON: return random.below(IPCSCOPE_THREAD_REASON_COUNT);
    case decode::Meaning::OBJECT: return random.below(IPCSCOPE_OBJECT_COUNT);
    case decode::Meaning::OP: return random.below(IPCSCOPE_OP_COUNT);
    case decode::Meaning::CALL: return random.below(2) ? 0 : IPCSCOPE_CALL_FIRST;
    case decode::Meaning::DEPTH: return random.below(IPCSCOPE_STACK_DEPTH + 1);
    default: return random.number();
    }
}

/// A record whose fields say anything; one in eight is damaged besides.
inline Record any_record(Random& random, std::uint64_t now)
{
    const unsigned kind = kKinds[random.below(2) ? random.below(7)
                                                       : random.below(std::size(kKinds))];
    Record record = is_call(kind) && random.below(2) ? short_call(kind)
                                                           : record_of(kind);
    for (const decode::Field& field : decode::fields_of(kind))
        for (std::size_t i = 0; i < field.count; ++i) {
            const std::size_t at = field.offset + i * field.size;
            if (at + field.size > record.size()) continue;
            const std::uint64_t value = value_for(random, field);
            std::memcpy(record.data() + at, &value, field.size);
        }
    ipcscope_header header;
    std::memcpy(&header, record.data(), sizeof header);
    header.time_ns = random.below(20) ? now : random.number();
    header.lost_before = random.below(30) ? 0 : random.number();
    header.tgid = 1 + random.below(4);
    header.tid = random.below(2) ? header.tgid : header.tgid + random.below(3);
    header.cpu = static_cast<std::uint16_t>(random.below(4));
    header.flags = static_cast<std::uint16_t>(random.below(4));
    std::memcpy(record.data(), &header, sizeof header);
    if (random.below(8) == 0)
        record[random.below(static_cast<unsigned>(record.size()))] ^=
            static_cast<std::byte>(1u << random.below(8));
    return record;
}

/// How many a test makes: IPCSCOPE_HOSTILE_RECORDS.
inline std::size_t hostile_records()
{
    const char* wanted = std::getenv("IPCSCOPE_HOSTILE_RECORDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 20'000;
}

}  // namespace ipcscope::test
