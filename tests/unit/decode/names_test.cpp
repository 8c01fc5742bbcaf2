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
    EXPECT_EQ(kind_name(IPCSCOPE_SIGNAL_GENERATE), "signal_generate");
    EXPECT_EQ(kind_name(IPCSCOPE_SIGNAL_SEND), "signal_send");
    EXPECT_EQ(kind_name(IPCSCOPE_SIGNAL_DELIVER), "signal_deliver");
    EXPECT_EQ(kind_name(IPCSCOPE_SIGNAL_DEQUEUE), "signal_dequeue");
    EXPECT_EQ(kind_name(IPCSCOPE_SIGNAL_GET), "signal_get");
    EXPECT_EQ(kind_name(IPCSCOPE_PIPE_READ), "pipe_read");
    EXPECT_EQ(kind_name(IPCSCOPE_PIPE_WRITE), "pipe_write");
    EXPECT_EQ(kind_name(IPCSCOPE_KILL), "kill");
    EXPECT_EQ(kind_name(IPCSCOPE_TASK_EXIT), "task_exit");
    EXPECT_EQ(kind_name(IPCSCOPE_TASK_FREE), "task_free");
    EXPECT_EQ(kind_name(IPCSCOPE_SYMBOL), "symbol");
    EXPECT_EQ(kind_name(IPCSCOPE_PIPE_END), "pipe_end");
    for (const unsigned kind : {0U, 11U, 255U, 258U, UINT32_MAX})
        EXPECT_EQ(kind_name(kind), "unknown");
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

TEST(Names, StatesAndOutcomes)
{
    std::string letters;
    for (unsigned state = 0; state < IPCSCOPE_STATE_COUNT; ++state)
        letters += state_letter(static_cast<State>(state));
    EXPECT_EQ(letters, "?RSDKITtZX?");
    EXPECT_EQ(state_letter(static_cast<State>(200)), '?');
    EXPECT_EQ(outcome_name(Outcome::delivered), "delivered");
    EXPECT_EQ(outcome_name(Outcome::ignored), "ignored");
    EXPECT_EQ(outcome_name(Outcome::already_pending), "already_pending");
    EXPECT_EQ(outcome_name(Outcome::overflow), "overflow");
    EXPECT_EQ(outcome_name(Outcome::info_lost), "info_lost");
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
