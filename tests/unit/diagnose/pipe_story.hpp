// SPDX-License-Identifier: GPL-2.0-only
// A trace of processes and pipes, written as a story; and what is found in it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../aggregate/builders.hpp"
#include "base/units.hpp"
#include "diagnose/diagnose.hpp"

namespace ipcscope::diagnose::test {

using namespace aggregate::test;
using aggregate::Report;

inline constexpr std::uint64_t kSecond = 1'000 * kMs;

inline constexpr std::uint16_t kPoll = 7, kWait4 = 61, kEpollWait = 232;   // x86_64

/// A trace written as a story: who did what, when.
class Story {
public:
    explicit Story(std::vector<std::string> filters = {})
    {
        source::Host host;
        host.filters = std::move(filters);
        host.machine = "x86_64";
        trace_->host(host);
    }

    Story& born(std::uint64_t at, decode::Task who, std::uint32_t parent)
    {
        decode::Thread body{};
        body.reason = IPCSCOPE_THREAD_FORK;
        body.ppid = parent;
        return add(at, who, IPCSCOPE_THREAD, body);
    }
    Story& holds(std::uint64_t at, decode::Task who, std::uint64_t pipe, bool reads, bool writes)
    {
        return add(at, who, IPCSCOPE_HOLDER, holder(pipe, reads, writes));
    }
    Story& holds(std::uint64_t at, decode::Task who, const decode::Holder& what)
    {
        return add(at, who, IPCSCOPE_HOLDER, what);
    }
    /// A call that slept from start to end, where it was woken by `waker`.
    Story& slept(decode::Task who, bool write, std::uint64_t pipe, std::uint64_t start,
                 std::uint64_t end, std::int32_t ret, std::uint32_t waker,
                 bool unfinished = false, std::uint32_t missing = 0)
    {
        decode::Slice slice{};
        slice.start_ns = start;
        slice.end_ns = end;
        slice.state = IPCSCOPE_STATE_INTERRUPTIBLE;
        slice.call = IPCSCOPE_CALL_PIPE;
        slice.waker_tid = waker;
        if (end - start >= IPCSCOPE_SLICE_NS) {
            add(end, who, IPCSCOPE_SLICE, slice, unfinished);
        }
        auto body = op(write, pipe, start, unfinished ? 0 : ret, end - start);
        body.waker_tid = waker;
        body.requested = ret > 0 ? static_cast<std::uint32_t>(ret) + missing : body.requested;
        return add(end, who, IPCSCOPE_CALL_PIPE, body, unfinished);
    }
    Story& did(std::uint64_t at, decode::Task who, bool write, std::uint64_t pipe,
               std::int32_t ret, std::uint32_t requested = 4096, std::uint64_t ran_since = 0)
    {
        auto body = op(write, pipe, at - 1'000, ret);
        body.requested = requested;
        body.since_ns = ran_since != 0 ? ran_since : body.since_ns;
        return add(at, who, IPCSCOPE_CALL_PIPE, body);
    }
    /// A write after a sleep of its own will since then.
    Story& wrote_after_sleep(std::uint64_t since, std::uint64_t at, decode::Task who,
                             std::uint64_t pipe, std::int32_t ret)
    {
        auto body = op(true, pipe, at - 1'000, ret);
        body.since_ns = since;
        body.between_sleeping_ns = at - 1'000 - since;
        return add(at, who, IPCSCOPE_CALL_PIPE, body);
    }
    /// A call on an object of any type that slept from `start` on, or did not sleep.
    Story& called(std::uint64_t end, decode::Task who, unsigned kind, decode::Call body,
                  std::uint64_t start = 0, bool unfinished = false)
    {
        body.enter_ns = body.since_ns = start != 0 ? start : end - 1'000;
        body.blocked_ns = start != 0 ? end - start : 0;
        body.sleeps = start != 0;
        if (body.blocked_ns >= IPCSCOPE_SLICE_NS) {
            decode::Slice slice{};
            slice.start_ns = start;
            slice.end_ns = end;
            slice.state = IPCSCOPE_STATE_INTERRUPTIBLE;
            slice.call = static_cast<std::uint8_t>(kind);
            slice.waker_tid = body.waker_tid;
            add(end, who, IPCSCOPE_SLICE, slice, unfinished);
        }
        return add(end, who, kind, body, unfinished);
    }
    /// A read after a poll that took so long.
    Story& polled(std::uint64_t at, decode::Task who, std::uint64_t pipe, std::int32_t ret,
                  std::uint64_t poll_ns)
    {
        auto body = op(false, pipe, at - 1'000, ret);
        body.since_ns = at - 1'000 - poll_ns;
        body.between_polling_ns = poll_ns;
        return add(at, who, IPCSCOPE_CALL_PIPE, body);
    }
    Story& exits(std::uint64_t at, decode::Task who, std::int32_t code = 0)
    {
        decode::ThreadTime body{};
        body.since_ns = at - 1;
        body.exit_code = code;
        body.group_dead = 1;
        return add(at, who, IPCSCOPE_THREAD_EXIT, body);
    }
    Story& lives_on(std::uint64_t at, decode::Task who)
    {
        decode::ThreadTime body{};
        body.since_ns = at - 1;
        return add(at, who, IPCSCOPE_THREAD_TIME, body, true);
    }
    Story& stopped(decode::Task who, std::uint64_t start, std::uint64_t end,
                   std::uint8_t state = IPCSCOPE_STATE_STOPPED, bool unfinished = false)
    {
        decode::Slice slice{};
        slice.start_ns = start;
        slice.end_ns = end;
        slice.state = state;
        return add(end, who, IPCSCOPE_SLICE, slice, unfinished);
    }
    /// The records as they are.
    Story& adds(std::uint64_t end, decode::Task who, decode::Call body, bool unfinished = false)
    {
        return add(end, who, IPCSCOPE_CALL_PIPE, body, unfinished);
    }
    Story& adds(decode::Task who, decode::Slice slice)
    {
        return add(slice.end_ns, who, IPCSCOPE_SLICE, slice);
    }
    /// A thread in a system call, by its number on x86_64.
    Story& sleeps(decode::Task who, std::uint16_t syscall, std::uint64_t start, std::uint64_t end,
                  bool unfinished = false)
    {
        decode::Slice slice{};
        slice.start_ns = start;
        slice.end_ns = end;
        slice.state = syscall == kWait4 ? IPCSCOPE_STATE_INTERRUPTIBLE : IPCSCOPE_STATE_POLLING;
        slice.syscall = syscall;
        return add(end, who, IPCSCOPE_SLICE, slice, unfinished);
    }
    Story& signal(std::uint64_t at, decode::Task from, decode::Task to, unsigned number)
    {
        decode::SignalGenerate body{};
        body.enter_ns = at;
        body.target_tgid = to.tgid;
        body.target_tid = to.tid;
        body.sig = static_cast<std::uint8_t>(number);
        return add(at + 1, from, IPCSCOPE_SIGNAL_GENERATE, body);
    }

    Report report(std::uint64_t end_ns)
    {
        std::ranges::stable_sort(events_, {}, &decode::Event::time_ns);
        for (decode::Event& event : events_) {
            trace_->event(std::move(event));
        }
        events_.clear();
        Report report = trace_->snapshot({{}, end_ns, 0, true, ""});
        report.loss.exact = true;
        return report;
    }

private:
    Story& add(std::uint64_t at, decode::Task who, unsigned kind, decode::Body body,
               bool unfinished = false)
    {
        auto made = event(at, who, kind, std::move(body));
        made.unfinished = unfinished;
        events_.push_back(std::move(made));
        return *this;
    }
    std::unique_ptr<aggregate::Aggregator> trace_ = std::make_unique<aggregate::Aggregator>();
    std::vector<decode::Event> events_;
};

inline std::string plain(std::string text)
{
    std::ranges::replace(text, kGlue, ' ');
    return text;
}

inline std::optional<Finding> only(const Report& report, Code code)
{
    std::optional<Finding> found;
    for (Finding& finding : diagnose(report)) {
        if (finding.code != code) {
            continue;
        }
        EXPECT_FALSE(found) << "twice: " << plain(finding.text);
        finding.text = plain(finding.text);
        found = std::move(finding);
    }
    return found;
}

inline std::vector<std::string> above_note(const Report& report)
{
    std::vector<std::string> out;
    for (const Finding& finding : diagnose(report)) {
        if (finding.severity != Severity::note) {
            out.push_back(plain(finding.text));
        }
    }
    return out;
}

}  // namespace ipcscope::diagnose::test
