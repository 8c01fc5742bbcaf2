// SPDX-License-Identifier: GPL-2.0-only
// Builds a stream of events in a few words, and runs it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "correlate/correlator.hpp"

namespace ipcscope::correlate::test {

inline constexpr std::uint64_t kMs = 1'000'000;

inline Task task(std::uint32_t tgid, std::uint32_t tid = 0)
{
    const auto number = tid ? tid : tgid;
    return {tgid, number, SafeText::escape("t" + std::to_string(number))};
}

/// One generation that is still being described.
class Generate {
public:
    Generate(decode::Event& event) : event_(event) {}

    Generate& shared() { return set([](auto& g) { g.shared = true; }); }
    Generate& fatal() { return set([](auto& g) { g.fatal = true; }); }
    Generate& blocked() { return set([](auto& g) { g.blocked = true; }); }
    Generate& outcome(Outcome o) { return set([&](auto& g) { g.outcome = o; }); }
    Generate& code(std::int32_t c) { return set([&](auto& g) { g.si_code = c; }); }
    Generate& pid(std::uint32_t p) { return set([&](auto& g) { g.sender_pid = p; }); }
    Generate& given() { return set([](auto& g) { g.has_info = true; }); }
    Generate& state(State s) { return set([&](auto& g) { g.target_state = s; }); }
    Generate& value(std::uint64_t v)
    {
        return set([&](auto& g) { g.value = v, g.has_info = true, g.si_code = -1; });
    }
    Generate& timer(std::uint32_t id)
    {
        return set([&](auto& g) {
            g.origin = Origin::timer, g.has_info = true, g.si_code = -2, g.sender_pid = id;
        });
    }
    Generate& does(decode::Disposition d) { return set([&](auto& g) { g.disposition = d; }); }
    Generate& cpu(unsigned c)
    {
        event_.cpu = c;
        return *this;
    }

private:
    template <typename Change>
    Generate& set(Change change)
    {
        change(std::get<decode::SignalGenerate>(event_.body));
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

    Generate generate(std::uint64_t t, Task sender, Task target, unsigned signal)
    {
        decode::SignalGenerate body;
        body.target = std::move(target);
        body.signal = signal;
        return add(t, std::move(sender), IPCSCOPE_SIGNAL_GENERATE, body);
    }
    void dequeue(std::uint64_t t, Task who, unsigned signal, std::uint64_t value = 0,
                 std::int32_t si_code = 0, std::uint32_t sender_pid = 0)
    {
        add(t, who, IPCSCOPE_SIGNAL_DEQUEUE,
            decode::SignalDequeue{value, si_code, sender_pid, signal});
    }
    void queued_value(std::uint64_t t, Task who, unsigned signal, std::uint64_t value)
    {
        dequeue(t, std::move(who), signal, value, -1);
    }
    void deliver(std::uint64_t t, Task who, unsigned signal,
                 decode::Disposition disposition = decode::Disposition::handler)
    {
        decode::SignalDeliver body;
        body.signal = signal;
        body.disposition = disposition;
        add(t, std::move(who), IPCSCOPE_SIGNAL_DELIVER, body);
    }
    void got(std::uint64_t t, Task who, unsigned signal = 0)
    {
        add(t, std::move(who), IPCSCOPE_SIGNAL_GET, decode::SignalGet{t, signal});
    }
    void pipe(std::uint64_t t, Task who)
    {
        add(t, std::move(who), IPCSCOPE_PIPE_READ, decode::PipeOp{});
    }
    void exit(std::uint64_t t, Task who, std::int32_t code, bool group_dead)
    {
        add(t, std::move(who), IPCSCOPE_TASK_EXIT, decode::TaskExit{code, group_dead});
    }
    void freed(std::uint64_t t, Task whom)
    {
        add(t, task(0), IPCSCOPE_TASK_FREE, decode::TaskFree{std::move(whom)});
    }
    decode::Kill& kill(std::uint64_t t, Task sender, Task target, unsigned signal)
    {
        decode::Kill body;
        body.target = std::move(target);
        body.signal = signal;
        body.state = State::uninterruptible;
        body.stuck_threads = 1;
        return std::get<decode::Kill>(
            add(t, std::move(sender), IPCSCOPE_KILL, body).body);
    }
    void symbol(std::uint64_t id, const std::string& text)
    {
        add(0, task(0), IPCSCOPE_SYMBOL, decode::Symbol{id, SafeText::escape(text)});
    }
    /// The records that follow tell of so many more lost ones.
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

inline Outcomes run(const Scenario& scenario, std::uint64_t end_ns = 0)
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
    for (const auto& event : scenario.events) correlator.event(event);
    out.before_finish = out.signals.size();
    correlator.finish(end_ns);
    return out;
}

/// The interval of the signal that was generated at that time.
inline SignalInterval of(const Outcomes& outcomes, std::uint64_t generated_ns)
{
    for (const auto& signal : outcomes.signals)
        if (signal.generated_ns == generated_ns) return signal;
    return {};
}

}  // namespace ipcscope::correlate::test
