// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope inspect PID` for people.
#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/inspect.hpp"
#include "render/layout.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace {

using namespace inspect;
using Align = Table::Align;

constexpr std::size_t kShown = 8;   ///< holders, descriptors, waiters of an object
constexpr unsigned kSignals = 64;

/// What the kinds are called in text, by Kind.
constexpr std::array<std::string_view, kKinds> kWords{
    "pipe",    "FIFO",  "unix stream", "unix dgram", "unix seqpacket", "eventfd",
    "signalfd", "epoll", "pidfd",       "mqueue",     "shared memory"};

std::string named(const Comm& comm, std::uint32_t pid)
{
    return glued(fmt::format("{}/{}", comm.text().view(), pid));
}

/// "a, b and 3 more"
std::string list(const std::vector<std::string>& words, std::size_t most = kShown)
{
    const std::size_t shown = words.size() > most + 1 ? most : words.size();
    std::string text;
    for (std::size_t at = 0; at < shown; ++at) {
        text += (at == 0 ? "" : ", ") + words[at];
    }
    return shown == words.size() ? text
                                 : text + fmt::format(" and {} more", words.size() - shown);
}

template <typename Number>
std::string numbers(const std::vector<Number>& all)
{
    std::vector<std::string> words;
    for (const Number number : all) {
        words.push_back(std::to_string(number));
    }
    return list(words);
}

std::string signals_of(std::uint64_t mask) { return list(signal_names(mask), kSignals); }

class Facts {
public:
    explicit Facts(std::size_t width) : width_(width) {}
    void add(std::string_view key, const std::string& value)
    {
        if (!value.empty()) {
            text_ += wrap(value, width_, fmt::format("  {:<10}", key), std::string(12, ' '));
        }
    }
    const std::string& str() const { return text_; }

private:
    std::size_t width_;
    std::string text_;
};

std::string head(const Process& process, std::size_t width, const Style& style)
{
    Facts facts(width);
    if (process.ppid != 0) {
        facts.add("parent", named(process.parent, process.ppid));
    }
    facts.add("user", std::to_string(process.uid));
    facts.add("cgroup", safe(process.cgroup));
    if (process.tracer != 0) {
        facts.add("debugger", fmt::format("process {}", process.tracer));
    }
    return style.bold(named(process.comm, process.pid)) + "\n" + facts.str();
}

/// What threads have in common is said once.
std::string by_threads(const Process& process, std::uint64_t Thread::*mask)
{
    std::map<std::uint64_t, std::vector<std::string>> threads;
    for (const Thread& thread : process.threads) {
        threads[thread.*mask].push_back(named(thread.comm, thread.tid));
    }
    std::string text;
    for (const auto& [value, names] : threads) {
        if (value != 0) {
            const bool all = threads.size() == 1 && process.all_threads == names.size();
            text += fmt::format("{}{} ({})", text.empty() ? "" : "; ", signals_of(value),
                                all && names.size() == 1 ? "its thread"
                                : all                    ? "all threads"
                                                         : list(names));
        }
    }
    return text;
}

std::string signal_section(const Process& process, std::size_t width, const Style& style)
{
    Facts facts(width);
    std::string pending = signals_of(process.pending);
    pending += pending.empty() ? "" : " (the process)";
    const std::string own = by_threads(process, &Thread::pending);
    facts.add("pending", pending + (pending.empty() || own.empty() ? "" : "; ") + own);
    facts.add("blocked", by_threads(process, &Thread::blocked));
    facts.add("ignored", signals_of(process.ignored));
    facts.add("handled", signals_of(process.caught));
    facts.add("queued", fmt::format("{} of user {}, of at most {}", grouped(process.queued),
                                    process.uid, grouped(process.queue_limit)));
    return "\n" + style.bold("Signals") + "\n" + facts.str();
}

std::string thread_section(const Process& process, const TextOptions& options, const Style& style)
{
    Table table({{"THREAD", Align::left, 10},
                 {"STATE", Align::left},
                 {"CALL", Align::left},
                 {"FD", Align::left, 6},
                 {"WAIT CHANNEL", Align::left, 12}});
    const std::size_t shown = options.top == 0 ? process.threads.size()
                                               : std::min(options.top, process.threads.size());
    for (std::size_t at = 0; at < shown; ++at) {
        const Thread& thread = process.threads[at];
        const std::string call = !thread.call.empty() ? std::string(thread.call)
                                 : thread.number      ? fmt::format("syscall {}", *thread.number)
                                                      : style.none();
        table.row({Table::Cell(thread.comm.text().str(), fmt::format("/{}", thread.tid)),
                   std::string(1, thread.state), call,
                   thread.descriptors.empty() ? style.none() : numbers(thread.descriptors),
                   thread.wait_channel.empty() ? style.none() : safe(thread.wait_channel)});
        if (!thread.stack.empty()) {
            table.detail(fmt::format("in {}", safe(fmt::format("{}", fmt::join(thread.stack, " ← ")))));
        }
    }
    const std::size_t left = process.all_threads - shown;
    return "\n" + style.bold("Threads") + "\n" + table.str(options.width, style) +
           (left == 0 ? "" : fmt::format("{} {} more\n", style.dots(), grouped(left)));
}

std::string state_text(const Item& item)
{
    struct Words {
        std::string operator()(std::monostate) const { return {}; }
        std::string operator()(const Eventfd& state) const
        {
            return fmt::format("count {}{}", state.count, state.semaphore ? ", a semaphore" : "");
        }
        std::string operator()(const Signalfd& state) const { return signals_of(state.mask); }
        std::string operator()(const Epoll& state) const
        {
            return state.watched.empty() ? "watches nothing"
                                         : "watches fd " + numbers(state.watched);
        }
        std::string operator()(const Pidfd& state) const
        {
            return state.pid > 0   ? fmt::format("process {}", state.pid)
                   : state.pid < 0 ? "a process that has ended"
                                   : "a process of another pid namespace";
        }
        std::string operator()(const UnixSocket& state) const
        {
            if (state.listening) {
                return state.received ? fmt::format("listens, {} of {} connections wait",
                                                    *state.received, state.backlog)
                                      : "listens";
            }
            return state.received ? fmt::format("{} to receive", bytes(*state.received)) : "";
        }
    };
    return std::visit(Words{}, item.state);
}

std::string address(const std::string& name)
{
    // The kernel's own way to show an abstract address, in /proc/net/unix.
    std::string shown = name;
    if (shown.starts_with('\0')) {
        std::ranges::replace(shown, '\0', '@');
    }
    return safe(shown);
}

std::string access(bool reads, bool writes)
{
    return reads && writes ? "read, write" : reads ? "read" : writes ? "write" : "";
}

std::string waiters_text(const std::vector<Waiter>& waiting, std::uint32_t pid)
{
    std::vector<std::string> words;
    for (const Waiter& waiter : waiting) {
        words.push_back(waiter.tid == pid
                            ? std::string(waiter.call)
                            : fmt::format("{} (thread {})", waiter.call,
                                          named(waiter.comm, waiter.tid)));
    }
    return words.empty() ? "" : "waits in " + list(words);
}

std::string holder_text(const Item& item, const Holder& holder, const Style& style)
{
    const bool ends = item.kind == Kind::pipe || item.kind == Kind::fifo;
    std::string text = fmt::format("{} {}", style.arrow(), named(holder.comm, holder.pid));
    text += holder.descriptors.empty() ? " has it mapped"
                                       : " fd " + numbers(holder.descriptors);
    if (ends) {
        text += ", " + access(holder.reads, holder.writes);
    } else if (is_unix(item.kind) && !holder.peer) {
        text += ", the same end";
    }
    const std::string waits = waiters_text(holder.waiting, holder.pid);
    return text + (waits.empty() ? "" : ", " + waits);
}

/// That an end is missing is only certain where all processes could be looked at.
std::string missing_end(const Item& item)
{
    const bool ends = item.kind == Kind::pipe || item.kind == Kind::fifo;
    if (ends && !item.is_written()) {
        return "no process with its write end was found";
    }
    if (ends && !item.is_read()) {
        return "no process with its read end was found";
    }
    const auto* socket = std::get_if<UnixSocket>(&item.state);
    if (socket != nullptr && socket->peer && !item.has_peer()) {
        return "no process with its other end was found";
    }
    return {};
}

std::string object_section(const Process& process, const TextOptions& options, const Style& style)
{
    if (process.items.empty()) {
        return "\n" + wrap("It has no pipe, FIFO, Unix-domain socket, queue, eventfd or shared memory.",
                           std::max(options.width, kLeastWidth), "", "");
    }
    Table table({{"FD", Align::left, 4},
                 {"KIND", Align::left},
                 {"ACCESS", Align::left},
                 {"OBJECT", Align::left, 16},
                 {"STATE", Align::left, 10}});
    const std::size_t shown = options.top == 0 ? process.items.size()
                                               : std::min(options.top, process.items.size());
    for (std::size_t at = 0; at < shown; ++at) {
        const Item& item = process.items[at];
        const bool numbered = item.object.id != 0 && item.kind != Kind::signalfd &&
                              item.kind != Kind::epoll && item.kind != Kind::pidfd;
        table.row({item.descriptors.empty() ? style.none() : numbers(item.descriptors),
                   std::string(kWords[static_cast<std::size_t>(item.kind)]),
                   item.kind == Kind::pipe || item.kind == Kind::fifo ||
                           item.kind == Kind::message_queue
                       ? access(item.reads, item.writes)
                       : style.none(),
                   !item.name.empty() ? address(item.name)
                   : numbered         ? std::to_string(item.object.id)
                                      : style.none(),
                   item.bytes != 0 ? bytes(item.bytes) : state_text(item)});
        table.detail(waiters_text(item.waiting, process.pid));
        const std::size_t most = options.top == 0 ? item.others.size() : kShown;
        for (std::size_t other = 0; other < std::min(most, item.others.size()); ++other) {
            table.detail(holder_text(item, item.others[other], style));
        }
        if (item.others.size() > most) {
            table.detail(fmt::format("{} {} more processes", style.dots(),
                                     grouped(item.others.size() - most)));
        }
        table.detail(missing_end(item));
    }
    const std::size_t left = process.items.size() - shown;
    return "\n" + style.bold("Objects, and who else has them") + "\n" +
           table.str(options.width, style) +
           (left == 0 ? "" : fmt::format("{} {} more (--top)\n", style.dots(), grouped(left)));
}

}  // namespace

std::vector<std::string> signal_names(std::uint64_t mask)
{
    std::vector<std::string> names;
    for (unsigned signal = 1; signal <= kSignals; ++signal) {
        if ((mask >> (signal - 1) & 1) != 0) {
            names.push_back(decode::signal_name(signal));
        }
    }
    return names;
}

std::string inspect_text(const Process& process, const TextOptions& options)
{
    const Style style{options.utf8, options.colour};
    const std::size_t width = std::max(options.width, kLeastWidth);
    std::string text = head(process, width, style) + signal_section(process, width, style) +
                       thread_section(process, options, style) +
                       object_section(process, options, style);
    for (const std::string& gap : process.gaps) {
        text += wrap(gap, width, "Not seen: ", "  ");
    }
    return style.plain(std::move(text));
}

}  // namespace ipcscope::render
