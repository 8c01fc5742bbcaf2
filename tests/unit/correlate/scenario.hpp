// SPDX-License-Identifier: GPL-2.0-only
// Builds a stream of events in a few words, and runs it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "correlate/correlator.hpp"

namespace ipcscope::correlate::test {

using decode::Disposition;
using decode::GroupCause;
using decode::How;

inline Task task(std::uint32_t tgid, std::uint32_t tid = 0)
{
    const auto number = tid ? tid : tgid;
    return {tgid, number, Comm("t" + std::to_string(number))};
}

template <typename Enum>
std::uint8_t id(Enum value)
{
    return static_cast<std::uint8_t>(value);
}

/// One record that is still being described.  Of these words each kind knows some.
template <typename Body>
class Described {
public:
    explicit Described(decode::Event& event) : event_(event) {}

    // of a generation
    auto& shared() { return set([](auto& b) { b.shared = 1; }); }
    auto& fatal() { return set([](auto& b) { b.fatal = 1; }); }
    auto& blocked() { return set([](auto& b) { b.blocked = 1; }); }
    auto& dying() { return set([](auto& b) { b.dying = 1; }); }
    auto& requeued() { return set([](auto& b) { b.requeued = 1; }); }
    auto& outcome(Outcome o) { return set([&](auto& b) { b.result = id(o); }); }
    auto& state(State s) { return set([&](auto& b) { b.target_state = id(s); }); }
    auto& entered(std::uint64_t t) { return set([&](auto& b) { b.enter_ns = t; }); }
    auto& timer(std::uint32_t number)
    {
        set([&](auto& b) { b.origin = id(Origin::timer); });
        return given(-2, number);
    }
    // of a taking
    auto& dequeued(std::uint64_t t) { return set([&](auto& b) { b.dequeued_ns = t; }); }
    auto& traced() { return set([](auto& b) { b.traced = 1; }); }
    auto& group(GroupCause cause, unsigned signal = 0)
    {
        return set([&](auto& b) {
            b.group = id(cause);
            b.group_signal = static_cast<std::uint8_t>(signal);
        });
    }
    // of both
    auto& code(std::int32_t c) { return set([&](auto& b) { b.si_code = c; }); }
    auto& pid(std::uint32_t p) { return set([&](auto& b) { b.sender_pid = p; }); }
    auto& given(std::int32_t c, std::uint32_t p)
    {
        return set([&](auto& b) { b.has_info = 1, b.si_code = c, b.sender_pid = p; });
    }
    auto& value(std::uint64_t v)
    {
        set([&](auto& b) { b.value = v; });
        return given(-1, 0);
    }
    auto& does(Disposition d) { return set([&](auto& b) { b.disposition = id(d); }); }
    // of a kill
    auto& stack(std::vector<std::uint64_t> ids)
    {
        return set([&](auto& b) {
            std::copy(ids.begin(), ids.end(), b.stack);
            b.stack_depth = static_cast<std::uint32_t>(ids.size());
        });
    }
    auto& cpu(unsigned c)
    {
        event_.cpu = c;
        return *this;
    }

private:
    template <typename Change>
    Described& set(Change change)
    {
        change(std::get<Body>(event_.body));
        return *this;
    }
    decode::Event& event_;
};

class Scenario {
public:
    std::vector<decode::Event> events;

    Scenario() { events.reserve(4096); }

    decode::Event& add(std::uint64_t time_ns, Task who, unsigned kind, decode::Body body)
    {
        decode::Event event;
        event.time_ns = time_ns;
        event.task = std::move(who);
        event.kind = kind;
        event.lost_before = lost_;
        event.body = std::move(body);
        return events.emplace_back(std::move(event));
    }

    Described<decode::SignalGenerate> generate(std::uint64_t t, Task sender, Task target,
                                               unsigned signal)
    {
        decode::SignalGenerate body{};
        body.enter_ns = t;
        body.target_tgid = target.tgid;
        body.target_tid = target.tid;
        body.sig = static_cast<std::uint8_t>(signal);
        auto& event = add(t, std::move(sender), IPCSCOPE_SIGNAL_GENERATE, body);
        event.target = std::move(target);
        return Described<decode::SignalGenerate>(event);
    }
    /// Dequeued at the same time, with no information but what a bit has.
    Described<decode::SignalTake> take(std::uint64_t t, Task who, unsigned signal, How how)
    {
        decode::SignalTake body{};
        body.dequeued_ns = t;
        body.sig = static_cast<std::uint8_t>(signal);
        body.how = id(how);
        body.has_info = 1;
        return Described<decode::SignalTake>(
            add(t, std::move(who), IPCSCOPE_SIGNAL_TAKE, body));
    }
    auto handled(std::uint64_t t, Task who, unsigned signal)
    {
        return take(t, std::move(who), signal, How::handler);
    }
    auto waited(std::uint64_t t, Task who, unsigned signal)
    {
        return take(t, std::move(who), signal, How::sigwait);
    }
    /// A SIGKILL that was never generated.
    void group_exit(std::uint64_t t, Task who, GroupCause cause, unsigned signal = 0)
    {
        take(t, std::move(who), 9, How::group_exit).dequeued(0).group(cause, signal);
    }
    void thread(std::uint64_t t, Task who, decode::ThreadReason reason,
                std::uint64_t start_ns = 0)
    {
        decode::Thread body{};
        body.reason = id(reason);
        body.start_ns = start_ns;
        add(t, std::move(who), IPCSCOPE_THREAD, body);
    }
    void exit(std::uint64_t t, Task who, std::int32_t code, bool group_dead)
    {
        decode::ThreadTime body{};
        body.exit_code = code;
        body.group_dead = group_dead;
        add(t, std::move(who), IPCSCOPE_THREAD_EXIT, body);
    }
    void freed(std::uint64_t t, Task whom)
    {
        add(t, std::move(whom), IPCSCOPE_THREAD_FREE, decode::ThreadFree{});
    }
    /// Of a record that says nothing about signals.
    void slice(std::uint64_t t, Task who)
    {
        add(t, std::move(who), IPCSCOPE_SLICE, decode::Slice{});
    }
    Described<decode::Kill> kill(std::uint64_t t, Task sender, Task target, unsigned signal)
    {
        decode::Kill body{};
        body.target_tgid = target.tgid;
        body.stuck_tid = target.tid;
        body.sig = static_cast<std::uint8_t>(signal);
        body.state = id(State::uninterruptible);
        body.stuck_threads = 1;
        auto& event = add(t, std::move(sender), IPCSCOPE_KILL, body);
        event.target = std::move(target);
        return Described<decode::Kill>(event);
    }
    void symbol(std::uint64_t number, const std::string& text)
    {
        decode::Symbol body;
        body.record.id = number;
        body.text = SafeText::escape(text);
        add(0, task(0), IPCSCOPE_SYMBOL, body);
    }
    /// The records that follow say that so many more were lost.
    void lose(std::uint64_t count) { lost_ += count; }

private:
    std::uint64_t lost_ = 0;
};

/// What a scenario amounts to.
struct Outcomes {
    std::vector<SignalInterval> signals;
    std::vector<Orphan> orphans;
    std::vector<KillInterval> kills;
    std::size_t before_finish = 0;     ///< signal intervals that came at once
};

inline Outcomes run(const std::vector<decode::Event>& events, std::uint64_t end_ns = 0)
{
    Outcomes out;
    Correlator correlator([&](const Interval& interval) {
        if (const auto* signal = std::get_if<SignalInterval>(&interval))
            out.signals.push_back(*signal);
        else if (const auto* orphan = std::get_if<Orphan>(&interval))
            out.orphans.push_back(*orphan);
        else
            out.kills.push_back(std::get<KillInterval>(interval));
    });
    for (const auto& event : events) correlator.event(event);
    out.before_finish = out.signals.size();
    correlator.finish(end_ns);
    return out;
}

inline Outcomes run(const Scenario& scenario, std::uint64_t end_ns = 0)
{
    return run(scenario.events, end_ns);
}

/// The interval of the signal that was generated at that time.
inline SignalInterval of(const Outcomes& outcomes, std::uint64_t generated_ns)
{
    for (const auto& signal : outcomes.signals)
        if (signal.generated_ns == generated_ns) return signal;
    return {};
}

}  // namespace ipcscope::correlate::test
