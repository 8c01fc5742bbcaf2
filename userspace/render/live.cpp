// SPDX-License-Identifier: GPL-2.0-only
// Live output: one line per signal and pipe call, a sentence per kill.
#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include <fmt/format.h>
#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/file_words.hpp"
#include "decode/names.hpp"
#include "diagnose/words.hpp"
#include "render/layout.hpp"
#include "render/live_line.hpp"
#include "render/names.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using correlate::End;
using correlate::KillInterval;
using correlate::SignalInterval;

constexpr std::size_t kSignal = 11;
constexpr std::size_t kOutcome = 9;
constexpr std::size_t kLatency = 8;
constexpr std::size_t kPid = 7;
constexpr std::size_t kPages = 7;
constexpr std::size_t kWhat = 38;

bool shows(const LiveOptions& options, FamilyMask family)
{
    return (options.families & family) != 0;
}

Style style(const LiveOptions& options) { return {options.utf8, options.colour}; }

const char* end_name(const SignalInterval& signal)
{
    switch (signal.end) {
    case End::handler: return "handler";
    case End::standard: return "default";
    case End::ignored: return "ignored";
    case End::sigwait: return "sigwait";
    case End::signalfd: return "signalfd";
    case End::debugger: return "debugger";
    case End::kernel_thread: return "kthread";
    case End::death: return "died";
    case End::pending: return "pending";
    case End::target_exited: return "exited";
    case End::unseen: return "unseen";
    case End::flushed: return "flushed";
    case End::discarded: return "discarded";
    case End::outside: return "untraced";
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

/// From its generation to its taking.  Of one that was not seen to be taken: more, or less, than
/// from its generation until now.
std::string latency(const SignalInterval& signal, std::uint64_t now_ns, const Style& style)
{
    const auto until_now = [&](const char* relation) {
        return relation + style.time(since(now_ns, signal.generated_ns));
    };
    switch (signal.end) {
    case End::not_queued: return {};
    case End::pending:
    case End::outside: return until_now(">");
    case End::target_exited:
    case End::unseen:
    case End::flushed:
    case End::discarded: return until_now("<");
    case End::handler:
    case End::standard:
    case End::ignored:
    case End::sigwait:
    case End::signalfd:
    case End::debugger:
    case End::kernel_thread:
    case End::death: break;
    }
    return style.time(signal.latency_ns());
}

std::string signal_line(const SignalInterval& signal, std::uint64_t now_ns,
                        std::uint64_t start_ns, const LiveOptions& options)
{
    Line line(options);
    line.right(clock(now_ns, start_ns, options), line.width().time);
    const std::string_view label = decode::origin_label(signal.origin);
    if (label.empty())
        line.task(signal.sender);
    else
        line.left(std::string(label), line.width().task);
    line.left(decode::signal_name(signal.signal), kSignal)
        .left(line.style().arrow(), columns(line.style().arrow()))
        .task(signal.target)
        .left(end_name(signal), kOutcome)
        .right(latency(signal, now_ns, line.style()), kLatency);
    return line.str();
}

/// "EAGAIN"; the number where it has no name.  `ret`: as a call returned it, negative.
std::string error_name(std::int32_t ret)
{
    constexpr std::int32_t kMost = 4095;   // MAX_ERRNO of the kernel
    const char* name = ret >= -kMost ? strerrorname_np(-ret) : nullptr;
    return name != nullptr ? name : std::to_string(ret);
}

/// "4096/65536"; "EAGAIN/4096".
std::string result(const decode::Call& call, bool unfinished, std::size_t width)
{
    if (unfinished) return "inside";
    const auto compose = [&](std::string (*number)(std::uint64_t)) {
        const std::string got = call.ret >= 0 ? number(static_cast<std::uint64_t>(call.ret))
                                              : error_name(call.ret);
        return fmt::format("{}/{}", got, number(call.requested));
    };
    const std::string exact = compose([](std::uint64_t n) { return std::to_string(n); });
    if (exact.size() <= width) return exact;
    return compose([](std::uint64_t n) {
        std::string text = bytes(n);
        std::erase_if(text, [](char c) { return c == ' ' || c == 'i' || c == 'B'; });
        return text;
    });
}

/// Families of calls.
constexpr FamilyMask kCalls =
    IPCSCOPE_FAMILY_IPC & ~(IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_KILLS);

/// "3 fds", "peek", "stream"
std::string socket_column(const decode::Call& call)
{
    if (call.tail.socket.passed_fds != 0) {
        return counted(call.tail.socket.passed_fds, "fd", "fds");
    }
    if ((call.flags & IPCSCOPE_CALL_PEEK) != 0) {
        return "peek";
    }
    return std::string(socket_kind(decode::type_of(call)));
}

/// How full a pipe is; of what is no pipe: what it is.
std::string last_column(const decode::Call& call)
{
    const auto type = decode::type_of(call);
    if (decode::is_unix(type)) {
        return socket_column(call);
    }
    if (!decode::is_pipe(type)) {
        return std::string(kind_text(type));
    }
    const ipcscope_tail_pipe& tail = call.tail.pipe;
    return fmt::format("{}/{}", tail.used_slots, tail.ring_slots);
}

/// Of the operations of one kind of object, each has another one.
constexpr std::string_view kOpLetters = "rwoz<>tvsrcanpawkq";
static_assert(kOpLetters.size() == IPCSCOPE_OP_COUNT);

std::string call_line(const decode::Event& event, const decode::Call& call,
                      std::uint64_t start_ns, const LiveOptions& options)
{
    Line line(options);
    const Style& style = line.style();
    line.right(clock(event.time_ns, start_ns, options), line.width().time)
        .right(std::to_string(event.task.tgid), kPid)
        .left(event.task.comm.text().str(), line.width().comm)
        .left(std::string(kOpLetters.substr(call.op, 1)), 1)
        .right(object_text(decode::type_of(call), call.object), line.width().inode)
        .right(result(call, event.unfinished, line.width().bytes), line.width().bytes)
        .right(style.time(since(event.time_ns, call.enter_ns)), kLatency)
        .right(call.blocked_ns == 0 ? "" : style.time(call.blocked_ns), kLatency)
        .right(last_column(call), kPages);
    return line.str();
}

/// "+USR1,USR2 -TERM": what was added to the mask, and taken out.
std::string mask_change(const decode::SignalMask& mask)
{
    std::string text;
    const auto add = [&](std::uint64_t signals, char sign) {
        if (signals == 0) return;
        if (signals == ~0ull || std::popcount(signals) > 8) {
            text += fmt::format(" {}{} signals", sign, std::popcount(signals));
            return;
        }
        std::string names;
        for (unsigned signal = 1; signal <= 64; ++signal)
            if ((signals & IPCSCOPE_SIG_BIT(signal)) != 0)
                names += (names.empty() ? "" : ",") + decode::signal_name(signal).substr(3);
        text += fmt::format(" {}{}", sign, names);
    };
    add(mask.after & ~mask.before, '+');
    add(mask.before & ~mask.after, '-');
    return text.empty() ? "unchanged" : text.substr(1);
}

/// Of what is neither a call nor a signal's way: a handler that is over, a change of the mask,
/// a descriptor that came.
std::string event_line(const decode::Event& event, const std::string& what,
                       const std::string& took, std::uint64_t start_ns,
                       const LiveOptions& options)
{
    Line line(options);
    line.right(clock(event.time_ns, start_ns, options), line.width().time)
        .right(std::to_string(event.task.tgid), kPid)
        .left(event.task.comm.text().str(), line.width().comm)
        .left(what, took.empty() ? std::max(kWhat, what.size()) : kWhat)
        .right(took, kLatency);
    return line.str();
}

/// A sentence in lines of the live width, without the last newline.
std::string sentence(std::string text, std::uint64_t time_ns, std::uint64_t start_ns,
                     const LiveOptions& options)
{
    const LineWidths width = line_widths(options);
    const std::string when = pad_left(clock(time_ns, start_ns, options), width.time) + " ";
    std::string lines = wrap(text, width.line, when, std::string(width.time + 1, ' '));
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
    if (const std::string_view label = decode::origin_label(origin); !label.empty())
        return fmt::format("the {}", label);
    const std::string name = glued(fit_task(task, line_widths(options).task, style(options)));
    return origin == decode::Origin::parent_exit ? "the exit of " + name : name;
}

std::string kill_event(const decode::Event& event, const decode::Kill& kill,
                       std::uint64_t start_ns, const LiveOptions& options,
                       const Symbols* symbols)
{
    std::vector<SafeText> stack;
    const std::size_t depth = std::min<std::size_t>(kill.stack_depth, IPCSCOPE_STACK_DEPTH);
    for (const std::uint64_t id : std::span(kill.stack).first(depth))
        if (symbols != nullptr && !symbols->name(id).empty())
            stack.push_back(symbols->name(id));
    std::string text = fmt::format(
        "KILL {} {} {} {} in {}", decode::signal_name(kill.sig),
        short_sender(event.task, static_cast<decode::Origin>(kill.origin), options),
        style(options).arrow(),
        glued(fit_task(event.target, line_widths(options).task, style(options))),
        decode::state_letter(decode::state_of(kill.state)));
    if (kill.stuck_tid != kill.target_tgid)
        text += fmt::format(" (thread {})", kill.stuck_tid);
    if (!stack.empty()) text += fmt::format(", stuck in {}", diagnose::sleeps_in(stack));
    return sentence(std::move(text), event.time_ns, start_ns, options);
}

/// A zombie is gone, and is reaped later, or never.
std::string reaping(const KillInterval& kill, const LiveOptions& options)
{
    constexpr std::uint64_t kSoon_ns = 1'000'000'000;
    if (!kill.gone_ns) return {};
    if (!kill.reaped_ns) return ", not seen to be reaped";
    const std::uint64_t zombie_ns = since(*kill.reaped_ns, *kill.gone_ns);
    return zombie_ns < kSoon_ns
               ? ""
               : fmt::format(", reaped {} later", glued(style(options).time(zombie_ns)));
}

std::string kill_end(const KillInterval& kill, std::uint64_t now_ns, std::uint64_t start_ns,
                     const LiveOptions& options)
{
    const std::uint64_t end = kill.gone_ns.value_or(kill.trace_end_ns);
    std::string text = fmt::format(
        "KILL {} {} after {}{} ({} from {})",
        glued(fit_task(kill.target, line_widths(options).task, style(options))),
        kill.gone_ns ? "gone" : "STILL STUCK",
        glued(style(options).time(since(end, kill.sent_ns))), reaping(kill, options),
        decode::signal_name(kill.signal), short_sender(kill.sender, kill.origin, options));
    if (kill.repeats != 0)
        text += fmt::format(", killed {}", glued(counted(kill.repeats, "more time", "more times")));
    return sentence(std::move(text), now_ns, start_ns, options);
}

using MaybeLine = std::optional<std::string>;

struct OfInterval {
    std::uint64_t now_ns;
    std::uint64_t start_ns;
    const LiveOptions& options;

    MaybeLine operator()(const SignalInterval& signal) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_SIGNALS)) return {};
        return signal_line(signal, now_ns, start_ns, options);
    }
    MaybeLine operator()(const KillInterval& kill) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_KILLS)) return {};
        return kill_end(kill, now_ns, start_ns, options);
    }
    MaybeLine operator()(const correlate::Orphan&) const { return {}; }
};

/// Signals are shown as intervals, threads and their time in the report.
struct OfEvent {
    const decode::Event& event;
    std::uint64_t start_ns;
    const LiveOptions& options;
    const Symbols* symbols;

    MaybeLine operator()(const decode::SignalGenerate&) const { return {}; }
    MaybeLine operator()(const decode::SignalTake&) const { return {}; }
    MaybeLine operator()(const decode::SignalHandler& handler) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_HANDLERS)) return {};
        return event_line(event,
                            fmt::format("handler of {}{}{}", decode::signal_name(handler.sig),
                                        handler.depth == 0 ? "" : ", nested",
                                        handler.left ? ", left" : ""),
                            handler.left ? ""
                                         : style(options).time(since(event.time_ns,
                                                                     handler.enter_ns)),
                            start_ns, options);
    }
    MaybeLine operator()(const decode::SignalMask& mask) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_HANDLERS)) return {};
        return event_line(event, "mask " + mask_change(mask), "", start_ns, options);
    }
    MaybeLine operator()(const decode::Command&) const { return {}; }
    MaybeLine operator()(const decode::FdReceived& file) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_UNIX)) return {};
        return event_line(event,
                            fmt::format("received fd {}, {}", file.fd, decode::file_words(file)),
                            "", start_ns, options);
    }
    MaybeLine operator()(const decode::Kill& kill) const
    {
        if (!shows(options, IPCSCOPE_FAMILY_KILLS)) return {};
        return kill_event(event, kill, start_ns, options, symbols);
    }
    MaybeLine operator()(const decode::Thread&) const { return {}; }
    MaybeLine operator()(const decode::ThreadTime&) const { return {}; }
    MaybeLine operator()(const decode::ThreadFree&) const { return {}; }
    MaybeLine operator()(const decode::Slice&) const { return {}; }
    MaybeLine operator()(const decode::Call& call) const
    {
        const auto is_of = [&](const Family& family) {
            return (family.kinds >> event.kind & 1) != 0;
        };
        const auto family = std::ranges::find_if(kFamilies, is_of);
        if (family == kFamilies.end() || !shows(options, family->mask())) {
            return {};
        }
        return call_line(event, call, start_ns, options);
    }
    MaybeLine operator()(const decode::Symbol&) const { return {}; }
    MaybeLine operator()(const decode::Holder&) const { return {}; }
    MaybeLine operator()(const decode::Observed&) const { return {}; }
    MaybeLine operator()(const decode::Process&) const { return {}; }
    MaybeLine operator()(const decode::User&) const { return {}; }
    MaybeLine operator()(const decode::Cgroup&) const { return {}; }
};

}  // namespace

void Symbols::note(const decode::Event& event)
{
    if (const auto* symbol = std::get_if<decode::Symbol>(&event.body))
        names_.insert_or_assign(symbol->record.id, symbol->text);
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
    const LineWidths width = line_widths(options);
    if (shows(options, IPCSCOPE_FAMILY_SIGNALS)) {
        const char* arrow = style(options).arrow();
        add(Line(options).right("TIME", width.time).left("SENDER", width.task)
                .left("SIGNAL", kSignal).left(arrow, columns(arrow))
                .left("TARGET", width.task).left("OUTCOME", kOutcome)
                .right("LATENCY", kLatency).str());
    }
    if (shows(options, kCalls))
        add(Line(options).right("TIME", width.time).right("PID", kPid).left("COMM", width.comm)
                .left("", 1).right("OBJECT", width.inode).right("BYTES/REQ", width.bytes)
                .right("LATENCY", kLatency).right("BLOCKED", kLatency)
                .right("PAGES", kPages).str());
    if (shows(options, IPCSCOPE_FAMILY_KILLS) && out.empty())
        add(Line(options).right("TIME", width.time).str());
    return out;
}

std::optional<std::string> live_line(const correlate::Interval& interval, std::uint64_t now_ns,
                                     std::uint64_t start_ns, const LiveOptions& options)
{
    return std::visit(OfInterval{now_ns, start_ns, options}, interval);
}

std::optional<std::string> live_line(const decode::Event& event, std::uint64_t start_ns,
                                     const LiveOptions& options, const Symbols* symbols)
{
    return std::visit(OfEvent{event, start_ns, options, symbols}, event.body);
}

std::string live_line(const diagnose::Finding& finding, std::uint64_t now_ns,
                      std::uint64_t start_ns, const LiveOptions& options)
{
    return sentence(fmt::format("FINDING at {}: {}", clock(finding.at_ns, start_ns, options),
                                style(options).plain(finding.text)),
                    now_ns, start_ns, options);
}

}  // namespace ipcscope::render
