// SPDX-License-Identifier: GPL-2.0-only
#include "signal_suite.hpp"

#include <fmt/format.h>

namespace ipcscope::conformance {

decode::SignalTake expected_take(unsigned signal, unsigned how)
{
    auto expected = blank<decode::SignalTake>(IPCSCOPE_SIGNAL_TAKE);
    expected.sig = static_cast<__u8>(signal);
    expected.how = static_cast<__u8>(how);
    expected.has_info = 1;
    switch (how) {
    case IPCSCOPE_TAKE_HANDLER: expected.disposition = IPCSCOPE_DISPOSITION_HANDLER; break;
    case IPCSCOPE_TAKE_DEFAULT: expected.disposition = IPCSCOPE_DISPOSITION_DEFAULT; break;
    default: expected.disposition = IPCSCOPE_DISPOSITION_UNKNOWN; break;
    }
    return expected;
}

decode::SignalTake expected_group_exit(unsigned group, unsigned group_signal)
{
    auto expected = expected_take(9, IPCSCOPE_TAKE_GROUP_EXIT);
    expected.disposition = IPCSCOPE_DISPOSITION_DEFAULT;
    expected.has_info = 0;
    expected.group = static_cast<__u8>(group);
    expected.group_signal = static_cast<__u8>(group_signal);
    return expected;
}

std::vector<std::string> shown(const Generations& all)
{
    std::vector<std::string> lines;
    for (const auto& one : all) {
        lines.push_back(show(*one.body));
    }
    return lines;
}

std::vector<std::string> shown(const Takings& all)
{
    std::vector<std::string> lines;
    for (const auto& one : all) {
        lines.push_back(show(*one.body));
    }
    return lines;
}

const Trace& SignalSuite::trace()
{
    static const Trace trace = record_workload({}, "signal_fields");
    return trace;
}

std::string SignalSuite::director_shown()
{
    return fmt::format("{0}/{0} \"director\"", director());
}

decode::SignalGenerate SignalSuite::expected_to(const std::string& name, unsigned signal)
{
    auto expected = blank<decode::SignalGenerate>(IPCSCOPE_SIGNAL_GENERATE);
    expected.target_tgid = static_cast<__u32>(trace().facts.at(name, 0));
    expected.target_tid = static_cast<__u32>(trace().facts.at(name, 1));
    expected.sig = static_cast<__u8>(signal);
    expected.sender_pid = static_cast<__u32>(director());
    expected.target_state = IPCSCOPE_STATE_INTERRUPTIBLE;
    expected.shared = 1;
    expected.has_info = 1;
    return expected;
}

void SignalSuite::expect_generated(const std::string& name, const char* comm,
                                   const decode::SignalGenerate& expected,
                                   std::size_t count)
{
    const auto all = generated(capture(), director(), fact(name), expected.sig);
    EXPECT_EQ(all.size(), count);
    for (const auto& one : all) {
        EXPECT_EQ(show(*one.body), show(expected));
        EXPECT_EQ(show(one.event->task), director_shown());
        EXPECT_EQ(one.event->target.tgid, expected.target_tgid);
        EXPECT_EQ(one.event->target.tid, expected.target_tid);
        EXPECT_EQ(name_of(one.event->target), comm);
    }
}

void SignalSuite::expect_handled(const std::string& name, unsigned signal, std::size_t count,
                                 int si_code, std::uint32_t sa_flags)
{
    auto expected = expected_take(signal, IPCSCOPE_TAKE_HANDLER);
    expected.si_code = si_code;
    expected.sender_pid = si_code <= 0 ? static_cast<__u32>(director()) : 0;
    expected.sa_flags = sa_flags | SA_RESTORER_;
    const auto all = taken(capture(), fact(name), signal);
    EXPECT_EQ(all.size(), count);
    for (const auto& one : all) {
        expected.value = si_code == SI_QUEUE_ ? one->value : 0;
        EXPECT_EQ(show(*one.body), show(expected));
        EXPECT_EQ(one.event->task.tid, trace().facts.at(name, 1));
        EXPECT_LE(one->enter_ns, one->dequeued_ns);
        EXPECT_LE(one->dequeued_ns, one.event->time_ns);
        EXPECT_GE(one->enter_ns, capture().host.start_ns);
    }
}

}  // namespace ipcscope::conformance
