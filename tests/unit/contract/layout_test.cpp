// SPDX-License-Identifier: GPL-2.0-only
// Where every field of every record lies: golden/layout.txt.  A change there breaks
// captures and backends that are built apart.  After a wanted one (a new schema
// version, or a field at the end)
//     UPDATE_GOLDEN=1 build/tests/unit/unit_contract --gtest_filter='Layout*'
// writes it anew; read the diff.
#include <span>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../golden.hpp"
#include "decode/fields.hpp"
#include "decode/names.hpp"

namespace ipcscope {
namespace {

using decode::Field;
using Fields = std::span<const Field>;

std::string line(const Field& field)
{
    const std::string type = fmt::format("{}{}", field.is_signed ? 's' : 'u', 8 * field.size);
    const std::string count = field.count == 1 ? "" : fmt::format("[{}]", field.count);
    return fmt::format("{:4} {}{} {}\n", field.offset, type, count, field.name);
}

std::string table(std::string_view name, std::size_t size, Fields fields)
{
    std::string out = fmt::format("{} {}\n", name, size);
    for (const Field& field : fields) out += line(field);
    return out;
}

#define HEADER_FIELD(type, name) \
    line({#name, offsetof(ipcscope_header, name), sizeof(type), 1, {}, false})

std::string header()
{
    return fmt::format("header {}\n", sizeof(ipcscope_header)) +
           HEADER_FIELD(__u64, time_ns) + HEADER_FIELD(__u64, lost_before) +
           HEADER_FIELD(__u32, tgid) + HEADER_FIELD(__u32, tid) + HEADER_FIELD(__u16, cpu) +
           HEADER_FIELD(__u16, kind) + HEADER_FIELD(__u16, size) + HEADER_FIELD(__u16, flags);
}

std::size_t size_of(unsigned kind)
{
    if (kind >= IPCSCOPE_CALL_FIRST && kind <= IPCSCOPE_CALL_LAST)
        return sizeof(ipcscope_call_split);
    switch (kind) {
    case IPCSCOPE_SIGNAL_GENERATE: return sizeof(ipcscope_signal_callers);
    case IPCSCOPE_SIGNAL_TAKE: return sizeof(ipcscope_signal_take);
    case IPCSCOPE_SIGNAL_HANDLER: return sizeof(ipcscope_signal_handler);
    case IPCSCOPE_SIGNAL_MASK: return sizeof(ipcscope_signal_mask);
    case IPCSCOPE_COMMAND: return sizeof(ipcscope_command);
    case IPCSCOPE_FD_RECEIVED: return sizeof(ipcscope_fd_received);
    case IPCSCOPE_KILL: return sizeof(ipcscope_kill);
    case IPCSCOPE_THREAD: return sizeof(ipcscope_thread);
    case IPCSCOPE_THREAD_TIME:
    case IPCSCOPE_THREAD_EXIT: return sizeof(ipcscope_thread_time);
    case IPCSCOPE_SLICE: return sizeof(ipcscope_slice);
    case IPCSCOPE_SYMBOL: return sizeof(ipcscope_symbol);
    case IPCSCOPE_HOLDER: return sizeof(ipcscope_holder);
    case IPCSCOPE_OBSERVED: return sizeof(ipcscope_observed);
    case IPCSCOPE_PROCESS: return sizeof(ipcscope_process);
    case IPCSCOPE_USER: case IPCSCOPE_CGROUP: return sizeof(ipcscope_name);
    default: return sizeof(ipcscope_header);
    }
}

TEST(Layout, IsThatOfTheSchema)
{
    std::string out = fmt::format("schema {}\n{}", IPCSCOPE_SCHEMA_VERSION, header());
    const auto add = [&](unsigned kind) {
        out += fmt::format("kind {} ", kind) +
               table(decode::kind_name(kind), size_of(kind), decode::fields_of(kind));
    };
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) add(kind);
    for (unsigned kind = IPCSCOPE_SYMBOL; kind <= IPCSCOPE_COLLECTOR_LAST; ++kind) add(kind);
    for (unsigned type = 0; type < IPCSCOPE_OBJECT_COUNT; ++type)
        out += fmt::format("tail {} ", type) +
               table(decode::object_name(static_cast<decode::ObjectType>(type)),
                     decode::tail_fields(type).empty() ? 0 : sizeof(ipcscope_tail),
                     decode::tail_fields(type));
    expect_golden(__FILE__, "layout.txt", out);
}

/// Every byte is of one field: no hidden padding, which could leak the kernel's stack.
void expect_covered(std::size_t from, std::size_t size, Fields fields, std::string_view name)
{
    std::size_t at = from;
    for (const Field& field : fields) {
        EXPECT_EQ(field.offset, at) << name << " " << field.name;
        EXPECT_EQ(field.offset % field.size, 0U) << name << " " << field.name;
        at = field.offset + field.size * field.count;
        if (at == offsetof(ipcscope_call_split, tail) && size == sizeof(ipcscope_call_split))
            at += sizeof(ipcscope_tail);
    }
    EXPECT_EQ(at, size) << name;
}

TEST(Layout, HasNoHolesAndIsAligned)
{
    for (unsigned kind = 1; kind <= IPCSCOPE_COLLECTOR_LAST; ++kind) {
        if (decode::fields_of(kind).empty()) continue;
        expect_covered(sizeof(ipcscope_header), size_of(kind), decode::fields_of(kind),
                       decode::kind_name(kind));
    }
    for (unsigned type = 1; type < IPCSCOPE_OBJECT_COUNT; ++type)
        expect_covered(offsetof(ipcscope_call, tail), sizeof(ipcscope_call),
                       decode::tail_fields(type),
                       decode::object_name(static_cast<decode::ObjectType>(type)));
}

}  // namespace
}  // namespace ipcscope
