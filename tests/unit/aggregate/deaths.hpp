// SPDX-License-Identifier: GPL-2.0-only
// A process and the signals that should end it, as events, in a few words.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <ipcscope/policy.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {

inline constexpr unsigned kHup = 1, kInt = 2, kKill = 9, kTerm = 15, kChld = 17, kCont = 18,
                          kStop = 19;

/// Times are in ms from the start of the trace.
class Life {
public:
    static constexpr std::uint64_t kStart_ns = 1'000'000'000;
    static std::uint64_t ns(std::uint64_t ms) { return kStart_ns + ms * kMs; }

    explicit Life(std::vector<std::string> filters = {}, std::vector<std::string> command = {})
    {
        source::Host host;
        host.start_ns = kStart_ns;
        host.filters = std::move(filters);
        host.command = std::move(command);
        aggregator.host(host);
    }

    /// A process; ppid 0: not known.
    void process(std::uint32_t tgid, std::string_view name, std::uint32_t ppid = 0,
                 std::uint64_t ms = 0, unsigned reason = IPCSCOPE_THREAD_SWEEP,
                 std::uint64_t blocked = 0)
    {
        decode::Thread body{};
        body.blocked = blocked;
        body.uid = uid;
        body.ppid = ppid;
        body.reason = static_cast<__u8>(reason);
        names[tgid] = std::string(name);
        add(ms, tgid, IPCSCOPE_THREAD, body);
    }

    /// As /proc has it as a signal was sent.
    void look_up(std::uint64_t ms, std::uint32_t tgid, std::string_view name, std::uint32_t ppid,
                 std::string_view command = {})
    {
        decode::Process body;
        body.record.ppid = ppid;
        body.record.uid = uid;
        body.record.cgroup = cgroup;
        std::ranges::copy(name, body.record.comm);
        body.command = SafeText::escape(command);
        names[tgid] = std::string(name);
        add(ms, tgid, IPCSCOPE_PROCESS, body);
    }
    /// That of the processes that are looked up from then on.
    void move_to(std::uint64_t id, std::string_view path)
    {
        decode::Cgroup body;
        body.record.id = id;
        body.path = SafeText::escape(path);
        add(0, 0, IPCSCOPE_CGROUP, body);
        cgroup = id;
    }
    void user(std::uint32_t id, std::string_view name)
    {
        decode::User body;
        body.record.id = id;
        body.name = SafeText::escape(name);
        add(0, 0, IPCSCOPE_USER, body);
    }

    struct Send {
        unsigned result = IPCSCOPE_RESULT_DELIVERED;
        unsigned disposition = IPCSCOPE_DISPOSITION_DEFAULT;
        unsigned state = IPCSCOPE_STATE_INTERRUPTIBLE;
        bool blocked = false;
        bool unkillable = false;
        bool dying = false;
        unsigned origin = IPCSCOPE_ORIGIN_TASK;
        std::uint32_t terminal = 0;
        std::uint64_t memory_limit = 0;
        std::string_view memory_cgroup = {};
        std::uint32_t child = 0;   ///< SIGCHLD: of its end
    };
    void send(std::uint64_t ms, std::uint32_t from, std::uint32_t to, unsigned signal)
    {
        send(ms, from, to, signal, Send{});
    }
    void send(std::uint64_t ms, std::uint32_t from, std::uint32_t to, unsigned signal, Send how)
    {
        decode::SignalGenerate body{};
        body.enter_ns = ns(ms);
        body.target_tgid = body.target_tid = to;
        body.sig = static_cast<__u8>(signal);
        body.result = static_cast<__u8>(how.result);
        body.disposition = static_cast<__u8>(how.disposition);
        body.target_state = static_cast<__u8>(how.state);
        body.blocked = how.blocked;
        body.unkillable = how.unkillable;
        body.dying = how.dying;
        body.origin = static_cast<__u8>(how.origin);
        body.terminal = how.terminal;
        body.memory_limit = how.memory_limit;
        body.sender_pid = how.child;
        body.si_code = how.child != 0;
        std::ranges::copy(how.memory_cgroup, body.cgroup_name);
        body.shared = 1;
        body.fatal = ipcscope_is_fatal(static_cast<int>(signal), body.disposition, how.blocked,
                                       how.unkillable) != 0;
        auto sent = event(ns(ms), at(from), IPCSCOPE_SIGNAL_GENERATE, body);
        sent.target = at(to);
        aggregator.event(sent);
    }
    void take(std::uint64_t ms, std::uint32_t tgid, unsigned signal,
              unsigned how = IPCSCOPE_TAKE_HANDLER)
    {
        decode::SignalTake body{};
        body.sig = static_cast<__u8>(how == IPCSCOPE_TAKE_GROUP_EXIT ? kKill : signal);
        body.group_signal = static_cast<__u8>(how == IPCSCOPE_TAKE_GROUP_EXIT ? signal : 0);
        body.how = static_cast<__u8>(how);
        add(ms, tgid, IPCSCOPE_SIGNAL_TAKE, body);
    }
    void stay(std::uint32_t tgid, unsigned state, std::uint64_t from_ms, std::uint64_t to_ms)
    {
        decode::Slice body{};
        body.state = static_cast<__u8>(state);
        body.start_ns = ns(from_ms);
        body.end_ns = ns(to_ms);
        add(to_ms, tgid, IPCSCOPE_SLICE, body);
    }
    /// One look at a process of one thread.
    decode::Observed look_of(unsigned state) const
    {
        decode::Observed body;
        body.record.state = static_cast<__u8>(state);
        body.record.threads = 1;
        body.record.syscall = IPCSCOPE_SYSCALL_NONE;
        return body;
    }
    void look(std::uint64_t ms, std::uint32_t tgid, decode::Observed body)
    {
        add(ms, tgid, IPCSCOPE_OBSERVED, std::move(body));
    }
    /// With a stack of one function.
    void look(std::uint64_t ms, std::uint32_t tgid, unsigned state, std::string_view function)
    {
        decode::Symbol symbol;
        symbol.record.id = std::hash<std::string_view>{}(function);
        symbol.text = SafeText::escape(std::string(function) + "+0x1");
        add(ms, tgid, IPCSCOPE_SYMBOL, symbol);
        auto body = look_of(state);
        body.record.stack_depth = 1;
        body.record.stack[0] = symbol.record.id;
        look(ms, tgid, std::move(body));
    }
    void exit(std::uint64_t ms, std::uint32_t tgid, int code)
    {
        decode::ThreadTime body{};
        body.since_ns = ns(ms) - 1;
        body.exit_code = code;
        body.group_dead = 1;
        add(ms, tgid, IPCSCOPE_THREAD_EXIT, body);
    }
    void reap(std::uint64_t ms, std::uint32_t tgid)
    {
        add(ms, tgid, IPCSCOPE_THREAD_FREE, decode::ThreadFree{});
    }
    /// It is there as the trace ends.
    void lives(std::uint64_t ms, std::uint32_t tgid)
    {
        decode::ThreadTime body{};
        body.since_ns = ns(ms) - 1;
        auto left = event(ns(ms), at(tgid), IPCSCOPE_THREAD_TIME, body);
        left.unfinished = true;
        aggregator.event(left);
    }
    Report report(std::uint64_t end_ms) const
    {
        return aggregator.snapshot({{}, ns(end_ms), 0, true, ""});
    }

    Aggregator aggregator;
    std::map<std::uint32_t, std::string> names;
    std::uint32_t uid = 0;               ///< of the processes that follow
    std::uint64_t cgroup = 0;            ///< likewise

private:
    decode::Task at(std::uint32_t tgid) const
    {
        const auto found = names.find(tgid);
        return task(tgid, found == names.end() ? "" : found->second);
    }
    void add(std::uint64_t ms, std::uint32_t tgid, unsigned kind, decode::Body body)
    {
        aggregator.event(event(ns(ms), at(tgid), kind, std::move(body)));
    }
};

}  // namespace ipcscope::aggregate::test
