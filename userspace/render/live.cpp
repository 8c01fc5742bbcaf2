// SPDX-License-Identifier: GPL-2.0-only
// Live output: one line per signal and pipe call, a sentence per kill.
#include <cstring>

#include <fmt/format.h>

#include "decode/decode.hpp"
#include "render/layout.hpp"
#include "render/names.hpp"
#include "render/render.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using correlate::End;
using correlate::KillInterval;
using correlate::SignalInterval;

constexpr std::size_t kTime = 11;
constexpr std::size_t kSignal = 11;
constexpr std::size_t kOutcome = 9;
constexpr std::size_t kLatency = 8;
constexpr std::size_t kPid = 7;
constexpr std::size_t kSlots = 7;

/// Widths that depend on `wide`: a line has less than 80 or 120 columns.
struct Widths {
    std::size_t task;
    std::size_t comm;
    std::size_t inode;
    std::size_t bytes;
    std::size_t line;
};

Widths widths(const LiveOptions& options)
{
    return options.wide ? Widths{28, 20, 20, 24, 119} : Widths{16, 9, 9, 11, 79};
}

Style style(const LiveOptions& options) { return {options.utf8, options.colour}; }

/// Seconds since the start, in at most 11 columns for any time.
std::string clock(std::uint64_t time_ns, std::uint64_t start_ns)
{
    const std::uint64_t ns = since(time_ns, start_ns);
    const std::uint64_t seconds = ns / 1'000'000'000;
    if (seconds < 10'000)
        return fmt::format("{}.{:06}", seconds, ns / 1'000 % 1'000'000);
    if (seconds < 10'000'000) return fmt::format("{}.{:03}", seconds, ns / 1'000'000 % 1000);
    return std::to_string(seconds);
}

/// Cells in columns, cut to the line: nothing that a process chose can make it
/// longer.
class Line {
public:
    explicit Line(const LiveOptions& options) : style_(style(options)), widths_(widths(options)) {}

    Line& left(std::string text, std::size_t width)
    {
        return append(pad_right(fit(text, width, style_), width));
    }
    Line& right(std::string text, std::size_t width)
    {
        return append(pad_left(fit(text, width, style_), width));
    }
    Line& task(const decode::Task& task)
    {
        return append(pad_right(fit_task(task, widths_.task, style_), widths_.task));
    }
    std::string str() const
    {
        std::string line = fit(text_, widths_.line, style_);
        line.erase(line.find_last_not_of(' ') + 1);
        return line;
    }
    const Widths& width() const { return widths_; }
    const Style& style_of() const { return style_; }

private:
    Line& append(const std::string& cell)
    {
        if (!text_.empty()) text_ += ' ';
        text_ += cell;
        return *this;
    }
    Style style_;
    Widths widths_;
    std::string text_;
};

const char* end_name(const SignalInterval& signal)
{
    switch (signal.end) {
    case End::handler: return "handler";
    case End::standard: return "default";
    case End::accepted: return "accepted";
    case End::death: return "died";
    case End::pending: return "pending";
    case End::target_exited: return "exited";
    case End::unseen: return "unseen";
    case End::flushed: return "discarded";
    case End::not_queued: break;
    }
    switch (signal.outcome) {
    case decode::Outcome::ignored: return "ignored";
    case decode::Outcome::already_pending: return "merged";
    case decode::Outcome::overflow: return "overflow";
    case decode::Outcome::info_lost: return "info lost";
    case decode::Outcome::delivered: break;
    }
    return "queued";
}

std::string signal_line(const SignalInterval& signal, std::uint64_t start_ns,
                        const LiveOptions& options)
{
    Line line(options);
    line.right(clock(signal.generated_ns, start_ns), kTime);
    if (signal.origin == decode::Origin::task)
        line.task(signal.sender);
    else
        line.left(signal.origin == decode::Origin::timer ? "timer" : "kernel",
                  line.width().task);
    line.left(decode::signal_name(signal.signal), kSignal)
        .left(line.style_of().arrow(), columns(line.style_of().arrow()))
        .task(signal.target)
        .left(end_name(signal), kOutcome)
        .right(signal.matched() ? line.style_of().time(signal.latency_ns()) : "", kLatency);
    return line.str();
}

/// "4096/65536"; "EAGAIN/4096".
std::string result(const decode::PipeOp& op, bool unfinished, std::size_t width)
{
    if (unfinished) return "inside";
    const auto compose = [&](std::string (*number)(std::uint64_t)) {
        const char* error = op.ret < 0 ? strerrorname_np(static_cast<int>(-op.ret)) : nullptr;
        std::string got = op.ret >= 0 ? number(static_cast<std::uint64_t>(op.ret))
                                      : error != nullptr ? error : std::to_string(op.ret);
        return fmt::format("{}/{}", got, number(op.requested_bytes));
    };
    const std::string exact = compose([](std::uint64_t n) { return std::to_string(n); });
    if (exact.size() <= width) return exact;
    return compose([](std::uint64_t n) {
        std::string text = bytes(n);
        std::erase_if(text, [](char c) { return c == ' ' || c == 'i' || c == 'B'; });
        return text;
    });
}

std::string pipe_line(const decode::Event& event, const decode::PipeOp& op,
                      std::uint64_t start_ns, const LiveOptions& options)
{
    Line line(options);
    const Style& style = line.style_of();
    line.right(clock(event.time_ns, start_ns), kTime)
        .right(std::to_string(event.task.tgid), kPid)
        .left(event.task.comm.str(), line.width().comm)
        .left(op.write ? "w" : "r", 1)
        .right(std::to_string(op.inode), line.width().inode)
        .right(result(op, event.unfinished, line.width().bytes), line.width().bytes)
        .right(style.time(since(event.time_ns, op.enter_ns)), kLatency)
        .right(op.blocked_ns == 0 ? "" : style.time(op.blocked_ns), kLatency)
        .right(fmt::format("{}/{}", op.used_slots, op.ring_slots), kSlots);
    return line.str();
}

/// A sentence in lines of the live width, without the last newline.
std::string sentence(std::string text, std::uint64_t time_ns, std::uint64_t start_ns,
                     const LiveOptions& options)
{
    const std::string when = pad_left(clock(time_ns, start_ns), kTime) + " ";
    std::string lines = wrap(text, widths(options).line, when, std::string(kTime + 1, ' '));
    lines.pop_back();
    if (!options.colour) return lines;
    std::string out;
    for (std::size_t at = 0; at <= lines.size();) {
        const std::size_t end = std::min(lines.find('\n', at), lines.size());
        if (at != 0) out += '\n';
        out += style(options).red(std::string_view(lines).substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::string short_sender(const decode::Task& task, decode::Origin origin,
                         const LiveOptions& options)
{
    if (origin == decode::Origin::timer) return "a timer";
    if (origin == decode::Origin::kernel) return "the kernel";
    return glued(fit_task(task, widths(options).task, style(options)));
}

std::string kill_event(const decode::Event& event, const decode::Kill& kill,
                       std::uint64_t start_ns, const LiveOptions& options,
                       const Symbols* symbols)
{
    std::vector<std::string> stack;
    for (const std::uint64_t id : kill.stack)
        if (symbols != nullptr && !symbols->name(id).empty())
            stack.push_back(symbols->name(id).str());
    std::string text = fmt::format(
        "KILL {} {} {} {} in {}", decode::signal_name(kill.signal),
        short_sender(event.task, kill.origin, options), style(options).arrow(),
        glued(fit_task(kill.target, widths(options).task, style(options))),
        decode::state_letter(kill.state));
    if (kill.target.tid != kill.target.tgid)
        text += fmt::format(" (thread {})", kill.target.tid);
    if (!stack.empty()) text += fmt::format(", stuck in {}", sleeps_in(stack));
    return sentence(std::move(text), event.time_ns, start_ns, options);
}

std::string kill_end(const KillInterval& kill, std::uint64_t start_ns,
                     const LiveOptions& options)
{
    const std::uint64_t end = kill.gone_ns.value_or(kill.trace_end_ns);
    std::string text = fmt::format(
        "KILL {} {} after {} ({} from {})",
        glued(fit_task(kill.target, widths(options).task, style(options))),
        kill.gone_ns ? "gone" : "STILL STUCK",
        glued(style(options).time(since(end, kill.sent_ns))),
        decode::signal_name(kill.signal), short_sender(kill.sender, kill.origin, options));
    if (kill.repeats != 0)
        text += fmt::format(", killed {}", counted(kill.repeats, "more time", "more times"));
    return sentence(std::move(text), end, start_ns, options);
}

}  // namespace

void Symbols::note(const decode::Event& event)
{
    if (const auto* symbol = std::get_if<decode::Symbol>(&event.body))
        names_.insert_or_assign(symbol->id, symbol->text);
}

const SafeText& Symbols::name(std::uint64_t id) const
{
    const auto found = names_.find(id);
    return found == names_.end() ? unknown_ : found->second;
}

std::string live_header(const LiveOptions& options)
{
    std::string out;
    const auto add = [&](const std::string& line) {
        if (!out.empty()) out += '\n';
        out += style(options).bold(line);
    };
    const Widths width = widths(options);
    if (options.signals) {
        const char* arrow = style(options).arrow();
        add(Line(options).right("TIME", kTime).left("SENDER", width.task)
                .left("SIGNAL", kSignal).left(arrow, columns(arrow))
                .left("TARGET", width.task).left("OUTCOME", kOutcome)
                .right("LATENCY", kLatency).str());
    }
    if (options.pipes)
        add(Line(options).right("TIME", kTime).right("PID", kPid).left("COMM", width.comm)
                .left("", 1).right("INODE", width.inode).right("BYTES/REQ", width.bytes)
                .right("LATENCY", kLatency).right("BLOCKED", kLatency)
                .right("SLOTS", kSlots).str());
    if (options.kills && out.empty()) add(Line(options).right("TIME", kTime).str());
    return out;
}

std::optional<std::string> live_line(const correlate::Interval& interval,
                                     std::uint64_t start_ns, const LiveOptions& options)
{
    if (const auto* signal = std::get_if<SignalInterval>(&interval)) {
        if (!options.signals) return std::nullopt;
        return signal_line(*signal, start_ns, options);
    }
    if (const auto* kill = std::get_if<KillInterval>(&interval)) {
        if (!options.kills) return std::nullopt;
        return kill_end(*kill, start_ns, options);
    }
    return std::nullopt;
}

std::optional<std::string> live_line(const decode::Event& event, std::uint64_t start_ns,
                                     const LiveOptions& options, const Symbols* symbols)
{
    if (const auto* op = std::get_if<decode::PipeOp>(&event.body)) {
        if (!options.pipes) return std::nullopt;
        return pipe_line(event, *op, start_ns, options);
    }
    if (const auto* kill = std::get_if<decode::Kill>(&event.body)) {
        if (!options.kills) return std::nullopt;
        return kill_event(event, *kill, start_ns, options, symbols);
    }
    return std::nullopt;
}

}  // namespace ipcscope::render
