// SPDX-License-Identifier: GPL-2.0-only
#include "decode/fields.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "records.hpp"

namespace ipcscope::decode {
namespace {

using namespace ipcscope::test;

std::map<std::string_view, std::int64_t> values(unsigned kind, const Record& record)
{
    std::map<std::string_view, std::int64_t> out;
    for (const Field& field : fields_of(kind)) out[field.name] = value_of(field, record);
    return out;
}

TEST(Fields, TellValuesByName)
{
    const auto generate = values(IPCSCOPE_SIGNAL_GENERATE, signal_generate());
    EXPECT_EQ(generate.at("enter_ns"), 104);
    EXPECT_EQ(generate.at("value"), 0x4142434445464748);
    EXPECT_EQ(generate.at("si_code"), -6);
    EXPECT_EQ(generate.at("ret"), -11);
    EXPECT_EQ(generate.at("sig"), 12);
    EXPECT_EQ(generate.at("requeued"), 1);

    const auto take = values(IPCSCOPE_SIGNAL_TAKE, signal_take());
    EXPECT_EQ(take.at("sa_flags"), 0x98765432);   // unsigned
    EXPECT_EQ(take.at("overrun"), 305);
    EXPECT_EQ(take.at("group_signal"), 11);

    const auto call_pipe = values(IPCSCOPE_CALL_PIPE, call(IPCSCOPE_CALL_PIPE));
    EXPECT_EQ(call_pipe.at("since_ns"), 601);
    EXPECT_EQ(call_pipe.at("ret"), -606);
    EXPECT_EQ(call_pipe.at("sleeps"), 255);
    EXPECT_EQ(call_pipe.at("blocked_ns"), 621);
    EXPECT_EQ(call_pipe.at("between_other_ns"), 635);
    EXPECT_FALSE(call_pipe.contains("ring_slots"));
}

TEST(Fields, TellElements)
{
    for (const Field& field : fields_of(IPCSCOPE_KILL)) {
        if (field.meaning != Meaning::STACK) continue;
        ASSERT_EQ(field.count, std::size_t{IPCSCOPE_STACK_DEPTH});
        EXPECT_EQ(value_of(field, kill(), 31), 710 + 31);
        return;
    }
    ADD_FAILURE() << "no stack";
}

TEST(Fields, OfATail)
{
    const unsigned types[] = {IPCSCOPE_OBJECT_PIPE,   IPCSCOPE_OBJECT_UNIX_DGRAM,
                              IPCSCOPE_OBJECT_MQUEUE, IPCSCOPE_OBJECT_SYSV_SHM,
                              IPCSCOPE_OBJECT_FUTEX,  IPCSCOPE_OBJECT_FUTEX_PRIVATE};
    for (const unsigned type : types) {
        std::int64_t wanted = 612;
        for (const Field& field : tail_fields(type))
            EXPECT_EQ(value_of(field, call(IPCSCOPE_CALL_PIPE)), wanted++) << field.name;
        EXPECT_EQ(wanted, 616);
    }
    const auto eventfd = tail_fields(IPCSCOPE_OBJECT_EVENTFD);
    ASSERT_EQ(eventfd.size(), 3U);
    EXPECT_EQ(value_of(eventfd[0], call(IPCSCOPE_CALL_EVENTFD)), 612);
    EXPECT_EQ(value_of(eventfd[2], call(IPCSCOPE_CALL_EVENTFD)), 1);
}

TEST(Fields, AreNoneOutsideTheContract)
{
    for (const unsigned kind : {0U, unsigned{IPCSCOPE_THREAD_FREE}, unsigned{IPCSCOPE_KIND_COUNT}, 255U, IPCSCOPE_COLLECTOR_LAST + 1U, UINT32_MAX})
        EXPECT_TRUE(fields_of(kind).empty()) << kind;
    for (const unsigned type : {0U, 13U, 255U, UINT32_MAX})
        EXPECT_TRUE(tail_fields(type).empty()) << type;
}

}  // namespace
}  // namespace ipcscope::decode
