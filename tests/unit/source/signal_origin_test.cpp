// SPDX-License-Identifier: GPL-2.0-only
#include "source/signal_origin.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <ipcscope/record.h>

namespace ipcscope::source {
namespace {

std::uint8_t of(std::vector<std::string> callers)
{
    return origin_by_callers(callers, IPCSCOPE_ORIGIN_KERNEL);
}

TEST(SignalOrigin, IsTheInnermostKnownCaller)
{
    EXPECT_EQ(of({"__send_signal_locked+0x1a0", "do_send_sig_info+0x6a",
                  "__oom_kill_process+0xd3", "oom_kill_process+0x10e", "out_of_memory+0x120"}),
              IPCSCOPE_ORIGIN_OOM);
    EXPECT_EQ(of({"__kill_pgrp_info+0x38", "kill_pgrp+0x2f", "isig+0x4a",
                  "n_tty_receive_signal_char+0x17"}),
              IPCSCOPE_ORIGIN_TERMINAL);
    EXPECT_EQ(of({"group_send_sig_info+0x1", "zap_pid_ns_processes.cold+0x9"}),
              IPCSCOPE_ORIGIN_PID_NAMESPACE);
}

TEST(SignalOrigin, StaysWhatItIsWhereNoneIsKnown)
{
    EXPECT_EQ(of({}), IPCSCOPE_ORIGIN_KERNEL);
    EXPECT_EQ(of({"?", "isig_of_another+0x1", "do_exit+0x2"}), IPCSCOPE_ORIGIN_KERNEL);
    EXPECT_EQ(origin_by_callers(std::vector<std::string>{"do_tkill+0x1"}, IPCSCOPE_ORIGIN_TASK),
              IPCSCOPE_ORIGIN_TASK);
}

}  // namespace
}  // namespace ipcscope::source
