// SPDX-License-Identifier: GPL-2.0-only
#include "signal_suite.hpp"

#include <fmt/format.h>

namespace ipcscope::conformance {

const Trace& SignalSuite::trace()
{
    static const Trace trace = record_workload({}, "signal_fields");
    return trace;
}

std::string SignalSuite::director_shown()
{
    return fmt::format("{0}/{0} \"director\"", director());
}

decode::SignalGenerate SignalSuite::expected_to(const std::string& name, const char* comm,
                                                unsigned signal)
{
    decode::SignalGenerate expected;
    expected.target.tgid = static_cast<std::uint32_t>(trace().facts.at(name, 0));
    expected.target.tid = static_cast<std::uint32_t>(trace().facts.at(name, 1));
    expected.target.comm = SafeText::escape(comm);
    expected.signal = signal;
    expected.sender_pid = static_cast<std::uint32_t>(director());
    expected.target_state = decode::State::interruptible;
    expected.shared = true;
    expected.has_info = true;
    return expected;
}

void SignalSuite::expect_generated(const std::string& name,
                                   const decode::SignalGenerate& expected,
                                   std::size_t count)
{
    const auto all = generated(capture(), director(), fact(name), expected.signal);
    EXPECT_EQ(all.size(), count);
    for (const auto& one : all) {
        EXPECT_EQ(show(*one.body), show(expected));
        EXPECT_EQ(show(one.event->task), director_shown());
    }
    decode::SignalSend send;
    send.target_tgid = expected.target.tgid;
    send.target_tid = expected.target.tid;
    send.signal = expected.signal;
    const auto sends = sent(capture(), director(), fact(name), expected.signal);
    EXPECT_EQ(sends.size(), count);
    for (const auto& one : sends) {
        EXPECT_EQ(show(*one.body), show(send));
        EXPECT_EQ(show(one.event->task), director_shown());
    }
}

void SignalSuite::expect_taken(const std::string& name, unsigned signal, std::size_t count,
                               int si_code, std::uint32_t sa_flags)
{
    decode::SignalDeliver deliver;
    deliver.si_code = si_code;
    deliver.sender_pid = si_code <= 0 ? static_cast<std::uint32_t>(director()) : 0;
    deliver.sa_flags = sa_flags | SA_RESTORER_;
    deliver.signal = signal;
    deliver.disposition = decode::Disposition::handler;
    deliver.has_info = true;
    const auto deliveries = delivered(capture(), fact(name), signal);
    EXPECT_EQ(deliveries.size(), count);
    for (const auto& one : deliveries) {
        EXPECT_EQ(show(*one.body), show(deliver));
        EXPECT_EQ(one.event->task.tid, trace().facts.at(name, 1));
    }
    const auto dequeues = dequeued(capture(), fact(name), signal);
    EXPECT_EQ(dequeues.size(), count);
    for (const auto& one : dequeues) {
        EXPECT_EQ(one->si_code, si_code);
        EXPECT_EQ(one->sender_pid, deliver.sender_pid);
        EXPECT_EQ(one.event->task.tid, trace().facts.at(name, 1));
    }
    EXPECT_EQ(got(capture(), fact(name), signal).size(), count);
}

}  // namespace ipcscope::conformance
