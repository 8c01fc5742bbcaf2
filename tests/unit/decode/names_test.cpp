// SPDX-License-Identifier: GPL-2.0-only
#include <set>

#include <gtest/gtest.h>
#include <ipcscope/ledger.h>

#include "decode/decode.hpp"

namespace ipcscope::decode {
namespace {

TEST(SignalNames, StandardSignals)
{
    const std::pair<unsigned, const char*> known[] = {
        {1, "SIGHUP"},     {2, "SIGINT"},   {3, "SIGQUIT"},   {4, "SIGILL"},   {5, "SIGTRAP"},
        {6, "SIGABRT"},    {7, "SIGBUS"},   {8, "SIGFPE"},    {9, "SIGKILL"},  {10, "SIGUSR1"},
        {11, "SIGSEGV"},   {12, "SIGUSR2"}, {13, "SIGPIPE"},  {14, "SIGALRM"}, {15, "SIGTERM"},
        {16, "SIGSTKFLT"}, {17, "SIGCHLD"}, {18, "SIGCONT"},  {19, "SIGSTOP"}, {20, "SIGTSTP"},
        {21, "SIGTTIN"},   {22, "SIGTTOU"}, {23, "SIGURG"},   {24, "SIGXCPU"}, {25, "SIGXFSZ"},
        {26, "SIGVTALRM"}, {27, "SIGPROF"}, {28, "SIGWINCH"}, {29, "SIGIO"},   {30, "SIGPWR"},
        {31, "SIGSYS"},
    };
    for (const auto& [number, name] : known) EXPECT_EQ(signal_name(number), name);
}

TEST(SignalNames, RealTimeSignals)
{
    EXPECT_EQ(signal_name(32), "SIG32");
    EXPECT_EQ(signal_name(33), "SIG33");
    EXPECT_EQ(signal_name(34), "SIGRTMIN");
    EXPECT_EQ(signal_name(37), "SIGRTMIN+3");
    EXPECT_EQ(signal_name(49), "SIGRTMIN+15");
    EXPECT_EQ(signal_name(50), "SIGRTMAX-14");
    EXPECT_EQ(signal_name(63), "SIGRTMAX-1");
    EXPECT_EQ(signal_name(64), "SIGRTMAX");
}

TEST(Names, ATerminalByItsDevice)
{
    EXPECT_EQ(terminal_name(136u << 20 | 3), "/dev/pts/3");
    EXPECT_EQ(terminal_name(137u << 20 | 1), "/dev/pts/257");
    EXPECT_EQ(terminal_name(136u << 20 | 300), "/dev/pts/300");
    EXPECT_EQ(terminal_name(4u << 20 | 1), "/dev/tty1");
    EXPECT_EQ(terminal_name(4u << 20 | 65), "/dev/ttyS1");
    EXPECT_EQ(terminal_name(229u << 20), "/dev/hvc0");
    EXPECT_EQ(terminal_name(204u << 20 | 64), "204:64");
}

TEST(SignalNames, OutsideTheRange)
{
    EXPECT_EQ(signal_name(0), "SIG0");
    EXPECT_EQ(signal_name(65), "SIG65");
    EXPECT_EQ(signal_name(200), "SIG200");
    EXPECT_EQ(signal_name(UINT32_MAX), "SIG4294967295");
}

TEST(SignalNames, RoundTrip)
{
    std::set<std::string> seen;
    for (unsigned number = 1; number <= 64; ++number) {
        const std::string name = signal_name(number);
        EXPECT_TRUE(seen.insert(name).second) << name;
        EXPECT_EQ(signal_number(name), number) << name;
        EXPECT_EQ(signal_number(name.substr(3)), number) << name;
        EXPECT_EQ(signal_number(std::to_string(number)), number);
    }
}

TEST(SignalNames, OtherSpellings)
{
    EXPECT_EQ(signal_number("USR1"), 10U);
    EXPECT_EQ(signal_number("usr1"), 10U);
    EXPECT_EQ(signal_number("SigUsr1"), 10U);
    EXPECT_EQ(signal_number("10"), 10U);
    EXPECT_EQ(signal_number("SIG10"), 10U);
    EXPECT_EQ(signal_number("RTMIN+3"), 37U);
    EXPECT_EQ(signal_number("RTMIN+30"), 64U);
    EXPECT_EQ(signal_number("rtmin+0"), 34U);
    EXPECT_EQ(signal_number("SIGRTMAX-1"), 63U);
    EXPECT_EQ(signal_number("RTMAX-30"), 34U);
    EXPECT_EQ(signal_number("POLL"), 29U);
    EXPECT_EQ(signal_number("CLD"), 17U);
    EXPECT_EQ(signal_number("IOT"), 6U);
}

TEST(SignalNames, WhatIsNone)
{
    for (const char* name :
         {"",          "SIG",      "0",        "65",         "-1",
          "+1",        "1x",       "x",        "USR",        "USR11",
          "SIGSIGHUP", "RTMIN+31", "RTMIN-1",  "RTMAX+1",    "RTMAX-31",
          "RTMIN+",    "RTMIN3",   "RTMIN+-1", "4294967297", "99999999999999999999",
          " HUP",      "HUP "})
        EXPECT_EQ(signal_number(name), 0U) << name;
}

TEST(Names, KindsAreThoseOfTheContract)
{
    const std::pair<unsigned, std::string_view> known[] = {
        {IPCSCOPE_SIGNAL_GENERATE, "signal_generate"},
        {IPCSCOPE_SIGNAL_TAKE, "signal_take"},
        {IPCSCOPE_KILL, "kill"},
        {IPCSCOPE_THREAD, "thread"},
        {IPCSCOPE_THREAD_TIME, "thread_time"},
        {IPCSCOPE_THREAD_EXIT, "thread_exit"},
        {IPCSCOPE_THREAD_FREE, "thread_free"},
        {IPCSCOPE_SLICE, "slice"},
        {IPCSCOPE_CALL_PIPE, "call_pipe"},
        {IPCSCOPE_CALL_SPLICE, "call_splice"},
        {IPCSCOPE_CALL_UNIX, "call_unix"},
        {IPCSCOPE_CALL_EVENTFD, "call_eventfd"},
        {IPCSCOPE_CALL_MQUEUE, "call_mqueue"},
        {IPCSCOPE_CALL_SYSV, "call_sysv"},
        {IPCSCOPE_CALL_FUTEX, "call_futex"},
        {IPCSCOPE_SIGNAL_HANDLER, "signal_handler"},
        {IPCSCOPE_SIGNAL_MASK, "signal_mask"},
        {IPCSCOPE_COMMAND, "command"},
        {IPCSCOPE_FD_RECEIVED, "fd_received"},
        {IPCSCOPE_SYMBOL, "symbol"},
        {IPCSCOPE_HOLDER, "holder"},
        {IPCSCOPE_OBSERVED, "observed"},
        {IPCSCOPE_PROCESS, "process"},
        {IPCSCOPE_USER, "user"},
        {IPCSCOPE_CGROUP, "cgroup"},
    };
    for (const auto& [kind, name] : known) EXPECT_EQ(kind_name(kind), name);
    for (const unsigned kind : {0U, unsigned{IPCSCOPE_KIND_COUNT}, 255U, IPCSCOPE_COLLECTOR_LAST + 1U, UINT32_MAX})
        EXPECT_EQ(kind_name(kind), "unknown");
}

TEST(Names, FamiliesOfKinds)
{
    EXPECT_EQ(family_name(IPCSCOPE_SIGNAL_GENERATE), "signals");
    EXPECT_EQ(family_name(IPCSCOPE_SIGNAL_TAKE), "signals");
    EXPECT_EQ(family_name(IPCSCOPE_KILL), "kills");
    EXPECT_EQ(family_name(IPCSCOPE_CALL_PIPE), "pipes");
    EXPECT_EQ(family_name(IPCSCOPE_CALL_SPLICE), "pipes");
    EXPECT_EQ(family_name(IPCSCOPE_CALL_FUTEX), "futex");
    for (const unsigned kind : {0U, unsigned{IPCSCOPE_THREAD}, unsigned{IPCSCOPE_SLICE}, 64U,
                                unsigned{IPCSCOPE_SYMBOL}, UINT32_MAX})
        EXPECT_EQ(family_name(kind), "");
}

TEST(Names, CausesOfLoss)
{
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_RING_FULL), "ring_full");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_RING_BUSY), "ring_busy");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_TABLE_FULL), "table_full");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_RECURSION), "recursion");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_CAPTURE), "capture_write");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_DAMAGED), "capture_damaged");
    EXPECT_EQ(loss_name(IPCSCOPE_LOST_COUNT), "unknown");
}

TEST(Names, States)
{
    std::string letters;
    for (unsigned state = 0; state < IPCSCOPE_STATE_COUNT; ++state)
        letters += state_letter(static_cast<State>(state));
    EXPECT_EQ(letters, "?RSDKITtZX?QPF");
    EXPECT_EQ(state_letter(static_cast<State>(200)), '?');
    EXPECT_EQ(state_name(State::uninterruptible), "uninterruptible");
    EXPECT_EQ(state_name(State::runnable), "runnable");
    EXPECT_EQ(state_name(State::frozen), "frozen");
    EXPECT_EQ(state_name(static_cast<State>(200)), "unknown");
}

TEST(Names, Ids)
{
    EXPECT_EQ(origin_name(Origin::timer), "timer");
    EXPECT_EQ(origin_name(Origin::parent_exit), "parent_exit");
    EXPECT_EQ(outcome_name(Outcome::delivered), "delivered");
    EXPECT_EQ(outcome_name(Outcome::info_lost), "info_lost");
    EXPECT_EQ(disposition_name(Disposition::standard), "default");
    EXPECT_EQ(disposition_name(Disposition::unknown), "unknown");
    EXPECT_EQ(how_name(How::handler), "handler");
    EXPECT_EQ(how_name(How::standard), "default");
    EXPECT_EQ(how_name(How::kernel_thread), "kernel_thread");
    EXPECT_EQ(group_name(GroupCause::core_dump), "core_dump");
    EXPECT_EQ(reason_name(ThreadReason::rename), "rename");
    EXPECT_EQ(object_name(ObjectType::unix_stream), "unix_stream");
    EXPECT_EQ(object_name(ObjectType::futex), "futex");
    EXPECT_EQ(op_name(Op::read), "read");
    EXPECT_EQ(op_name(Op::vmsplice), "vmsplice");
    EXPECT_EQ(op_name(Op::requeue), "requeue");
}

TEST(Names, IdsByMeaning)
{
    EXPECT_EQ(id_name(Meaning::STATE, IPCSCOPE_STATE_POLLING), "polling");
    EXPECT_EQ(id_name(Meaning::CALL, IPCSCOPE_CALL_PIPE), "call_pipe");
    EXPECT_EQ(id_name(Meaning::CALL, 0), "none");
    EXPECT_EQ(id_name(Meaning::BOOL, 1), "true");
    EXPECT_EQ(id_name(Meaning::TAKE, IPCSCOPE_TAKE_SIGWAIT), "sigwait");
    EXPECT_EQ(id_name(Meaning::OP, UINT64_MAX), "unknown");
    for (const Meaning number : {Meaning::TIME, Meaning::SIGNAL, Meaning::CALL_FLAGS,
                                 Meaning::SYSCALL, Meaning::COMM, Meaning::PAD})
        EXPECT_EQ(id_name(number, 1), "");
}

/// No two ids of a list are called the same, and none is left without a name.
TEST(Names, AreDistinct)
{
    const std::pair<Meaning, unsigned> lists[] = {
        {Meaning::STATE, IPCSCOPE_STATE_COUNT},   {Meaning::ORIGIN, IPCSCOPE_ORIGIN_COUNT},
        {Meaning::RESULT, IPCSCOPE_RESULT_COUNT}, {Meaning::TAKE, IPCSCOPE_TAKE_COUNT},
        {Meaning::GROUP, IPCSCOPE_GROUP_COUNT},   {Meaning::OBJECT, IPCSCOPE_OBJECT_COUNT},
        {Meaning::OP, IPCSCOPE_OP_COUNT},         {Meaning::CALL, IPCSCOPE_KIND_COUNT},
        {Meaning::REASON, IPCSCOPE_THREAD_REASON_COUNT},
    };
    for (const auto& [meaning, count] : lists) {
        std::set<std::string_view> seen;
        for (unsigned id = 0; id < count; ++id) {
            EXPECT_TRUE(seen.insert(id_name(meaning, id)).second) << id_name(meaning, id);
            EXPECT_FALSE(id_name(meaning, id).empty());
        }
        EXPECT_EQ(id_name(meaning, count), "unknown");
    }
}

TEST(Names, EveryMalformationIsDescribed)
{
    std::set<std::string_view> seen;
    for (int what = 0; what <= static_cast<int>(Malformed::bad_cpu); ++what)
        EXPECT_TRUE(seen.insert(describe(static_cast<Malformed>(what))).second) << what;
    EXPECT_EQ(seen.count("unknown"), 0U);
}

}  // namespace
}  // namespace ipcscope::decode
