// SPDX-License-Identifier: GPL-2.0-only
// Where threads were when they did not run: folded stacks, "process;thread;call;state ns".
#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "decode/time.hpp"
#include "exports/call_waits.hpp"
#include "exports/exporter.hpp"
#include "exports/text.hpp"

namespace ipcscope::exports {
namespace {

using decode::State;

/// A stack of the kernel that was seen while its thread slept.
struct Seen {
    std::uint64_t at_ns = 0;
    std::string frames;   ///< outermost first, each led by a ;
};

/// A stay in D or K between calls, that its record has not accounted for yet.
struct Stay {
    State state{};
    std::uint64_t ns = 0;
    std::string frames;
};

struct Thread {
    Seen seen;
    std::vector<Stay> stays;
};

/// A name may have the character that separates frames.
std::string frame(std::string text)
{
    for (std::size_t at = text.find(';'); at != std::string::npos; at = text.find(';', at)) {
        text.replace(at, 1, "\\x3b");
    }
    return text;
}

class Folded final : public Exporter {
public:
    explicit Folded(AtomicFile file) : file_(std::move(file)) {}

    void host(const source::Host&) override {}
    void event(const decode::Event& event) override
    {
        std::visit([&](const auto& body) { on(event, body); }, event.body);
    }
    void interval(const correlate::Interval&) override {}
    Result<void> finish(const aggregate::Report& report,
                        const diagnose::Findings& findings) override;
    const Result<void>& result() const override { return result_; }

private:
    void on(const decode::Event&, const auto&) {}   // shows no stack and no name
    void on(const decode::Event& event, const decode::Kill& body)
    {
        see(body.stuck_tid, event.time_ns, std::span(body.stack).first(depth(body)));
    }
    void on(const decode::Event& event, const decode::Thread& body)
    {
        if (body.reason == IPCSCOPE_THREAD_FORK) threads_.erase(event.task.tid);
        if (!event.task.comm.empty()) comms_[event.task.tid] = event.task.comm;
    }
    void on(const decode::Event& event, const decode::ThreadTime& body);
    void on(const decode::Event& event, const decode::ThreadFree&)
    {
        threads_.erase(event.task.tid);
        comms_.erase(event.task.tid);
        call_waits_.rest(event.task.tid);
    }
    void on(const decode::Event& event, const decode::Slice& body);
    void on(const decode::Event& event, const decode::Call& body);
    void on(const decode::Event&, const decode::Symbol& body)
    {
        symbols_.insert_or_assign(body.record.id, frame(body.text.str()));
    }
    void on(const decode::Event& event, const decode::Observed& body)
    {
        see(event.task.tid, event.time_ns, std::span(body.record.stack).first(depth(body.record)));
    }

    template <typename Record>
    static std::size_t depth(const Record& record)
    {
        return std::min<std::size_t>(record.stack_depth, std::size(record.stack));
    }
    void see(std::uint32_t tid, std::uint64_t time_ns, std::span<const __u64> stack);
    std::string frames_within(std::uint32_t tid, std::uint64_t start_ns, std::uint64_t end_ns);
    void between(const decode::Event& event, const decode::Between& time);
    void add(const std::string& stack, std::uint64_t ns)
    {
        if (ns != 0) {
            std::uint64_t& sum = stacks_[stack];
            sum = plus(sum, ns);
        }
    }
    std::string root(const decode::Event& event);
    std::string waker(std::uint32_t tid);

    AtomicFile file_;
    Result<void> result_;
    Names names_;
    CallWaits call_waits_;
    std::map<std::uint64_t, std::string> symbols_;
    std::unordered_map<std::uint32_t, Thread> threads_;   ///< by tid
    std::unordered_map<std::uint32_t, Comm> comms_;       ///< by tid
    std::map<std::string, std::uint64_t> stacks_;         ///< ns
};

bool is_deep(State state) { return state == State::uninterruptible || state == State::killable; }

std::string named(State state) { return std::string(decode::state_name(state)); }

/// "process", "process;thread" where a thread has a name of its own.
std::string Folded::root(const decode::Event& event)
{
    const Comm& process = event.process.empty() ? event.task.comm : event.process;
    std::string out = process.empty() ? "?" : frame(names_.of(process));
    if (!event.task.comm.empty() && event.task.comm != process) {
        out += ";" + frame(names_.of(event.task.comm));
    }
    return out;
}

std::string Folded::waker(std::uint32_t tid)
{
    const auto found = comms_.find(tid);
    return tid == 0 || found == comms_.end() ? std::string()
                                             : ";woken by " + frame(names_.of(found->second));
}

void Folded::see(std::uint32_t tid, std::uint64_t time_ns, std::span<const __u64> stack)
{
    if (stack.empty()) {
        return;
    }
    Seen& seen = threads_[tid].seen;
    seen = {time_ns, ""};
    for (std::size_t at = stack.size(); at-- > 0;) {
        const auto symbol = symbols_.find(stack[at]);
        seen.frames += ";" + (symbol == symbols_.end() ? "?" : symbol->second);
    }
}

/// Of a stack that was seen in that time; else nothing.
std::string Folded::frames_within(std::uint32_t tid, std::uint64_t start_ns, std::uint64_t end_ns)
{
    const auto found = threads_.find(tid);
    if (found == threads_.end()) {
        return {};
    }
    const Seen& seen = found->second.seen;
    return seen.at_ns >= start_ns && seen.at_ns <= end_ns ? seen.frames : std::string();
}

void Folded::on(const decode::Event& event, const decode::Slice& body)
{
    const State state = decode::state_of(body.state);
    if (!call_waits_.note(event, body) && is_deep(state)) {
        threads_[event.task.tid].stays.push_back(
            {state, since(body.end_ns, body.start_ns),
             frames_within(event.task.tid, body.start_ns, body.end_ns)});
    }
}

void Folded::between(const decode::Event& event, const decode::Between& time)
{
    const std::string thread = root(event);
    std::uint64_t uninterruptible_ns = time.uninterruptible_ns, killable_ns = time.killable_ns;
    const auto found = threads_.find(event.task.tid);
    if (found != threads_.end()) {
        for (const Stay& stay : std::exchange(found->second.stays, {})) {
            std::uint64_t& left_ns =
                stay.state == State::killable ? killable_ns : uninterruptible_ns;
            const std::uint64_t ns = std::min(stay.ns, left_ns);
            left_ns -= ns;
            add(thread + ";" + named(stay.state) + stay.frames, ns);
        }
    }
    add(thread + ";" + named(State::uninterruptible), uninterruptible_ns);
    add(thread + ";" + named(State::killable), killable_ns);
    add(thread + ";" + named(State::runnable), time.runnable_ns);
    add(thread + ";" + named(State::polling), time.polling_ns);
    add(thread + ";sleeping", time.sleeping_ns);
    add(thread + ";stopped, traced or frozen", time.other_ns);
}

void Folded::on(const decode::Event& event, const decode::ThreadTime& body)
{
    call_waits_.rest(event.task.tid);
    between(event, decode::between(event, body));
}

void Folded::on(const decode::Event& event, const decode::Call& call)
{
    const std::vector<Wait> waits = call_waits_.of(event, call);
    if (event.before_trace) {
        return;   // its time is that of the thread's own records
    }
    between(event, decode::between(call));
    const decode::Inside inside = decode::inside(event, call);
    const std::string in = fmt::format("{};{} {}", root(event),
                                       decode::op_name(decode::op_of(call)),
                                       decode::object_name(decode::type_of(call)));
    std::uint64_t blocked_ns = inside.blocked_ns, deep_ns = inside.uninterruptible_ns;
    const std::string_view what = waits_for(call);
    const std::string blocked =
        in + ";" + (what.empty() ? "blocked" : fmt::format("waits for {}", what));
    for (const Wait& wait : waits) {
        if (!wait.in_call || wait.state == State::runnable) {
            continue;   // of what is runnable there is the sum
        }
        std::uint64_t& left_ns = is_deep(wait.state) ? deep_ns : blocked_ns;
        const std::uint64_t ns = std::min(since(wait.end_ns, wait.start_ns), left_ns);
        left_ns -= ns;
        if (is_deep(wait.state)) {
            add(in + ";" + named(wait.state) +
                    frames_within(event.task.tid, wait.start_ns, wait.end_ns), ns);
        } else if (wait.state == State::interruptible) {
            add(blocked + waker(wait.waker_tid), ns);
        } else {
            add(in + ";" + named(wait.state), ns);
        }
    }
    add(blocked, blocked_ns);
    add(in + ";" + named(State::uninterruptible), deep_ns);
    add(in + ";" + named(State::runnable), inside.runnable_ns);
}

Result<void> Folded::finish(const aggregate::Report&, const diagnose::Findings&)
{
    std::string text;
    for (const auto& [stack, ns] : stacks_) {
        text += fmt::format("{} {}\n", stack, ns);
    }
    return file_.write(text).and_then([&] { return file_.commit(); });
}

}  // namespace

Made folded(AtomicFile file) { return std::make_unique<Folded>(std::move(file)); }

}  // namespace ipcscope::exports
