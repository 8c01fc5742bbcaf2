// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/inspector.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/units.hpp"
#include "source/observer.hpp"
#include "source/proc.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::inspect {
namespace {

namespace proc = source::proc;

constexpr std::size_t kStatus = 8192;

/// Values of a status file, by their keys.
class Status {
public:
    Status(const Fd& directory, const std::string& path)
    {
        text_ = proc::read_file(directory, path, buffer_);
    }
    explicit operator bool() const { return !text_.empty(); }

    std::string_view value(std::string_view key) const
    {
        for (std::string_view rest = text_; !rest.empty();) {
            std::string_view line = proc::take_line(rest);
            if (line.starts_with(key) && line.substr(key.size()).starts_with(":\t")) {
                return line.substr(key.size() + 2);
            }
        }
        return {};
    }
    template <typename Number = std::uint64_t>
    Number number(std::string_view key, int base = 10) const
    {
        std::string_view text = value(key);
        Number number = 0;
        proc::parse_number(proc::take_word(text), number, base);
        return number;
    }
    /// Which the kernel writes with its newlines and backslashes escaped.
    Comm comm() const
    {
        const auto record = proc::parse_status(text_);
        return record ? Comm({reinterpret_cast<const char*>(record->comm), sizeof record->comm})
                      : Comm();
    }

private:
    std::array<char, kStatus> buffer_;
    std::string_view text_;
};

Fd process_directory(std::uint32_t pid)
{
    return proc::open_directory(AT_FDCWD, fmt::format("/proc/{}", pid).c_str());
}

Comm comm_of(std::uint32_t pid)
{
    return pid == 0 ? Comm() : Status(process_directory(pid), "status").comm();
}

std::string cgroup_of(const Fd& process)
{
    std::array<char, 4096> buffer;
    const std::string_view text = proc::read_file(process, "cgroup", buffer);
    return std::string(proc::unified_path(text).value_or(""));
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

void append_waiters(std::vector<Waiter>& waiting, const std::vector<Calling>& calls,
                    const std::vector<std::uint32_t>& descriptors)
{
    for (const auto& call : calls) {
        const bool concerns = std::ranges::any_of(descriptors, [&](std::uint32_t descriptor) {
            return std::ranges::count(call.descriptors, descriptor) != 0;
        });
        if (concerns) {
            waiting.push_back(call.waiter);
        }
    }
}

/// Whether a call waits for a word of the object's memory.
void append_futex_waiters(std::vector<Waiter>& waiting, const std::vector<Calling>& calls,
                          const std::vector<Mapping>& mappings, const Object& object)
{
    for (const auto& call : calls) {
        const bool inside = std::ranges::any_of(mappings, [&](const Mapping& mapping) {
            return object_of(mapping) == object && mapping.holds(call.address);
        });
        if (call.address != 0 && inside) {
            waiting.push_back(call.waiter);
        }
    }
}

bool has_memory(const std::vector<Item>& items)
{
    return std::ranges::count(items, Kind::shared_memory, &Item::kind) != 0;
}

/// Of descriptors of one kind there are no others that have the same one.
bool is_own(Kind kind)
{
    return kind == Kind::signalfd || kind == Kind::epoll || kind == Kind::pidfd;
}

/// Of a file of /proc that was not opened: `why`, unless errno says something else.
tl::unexpected<Error> not_opened(std::uint32_t pid, const char* why)
{
    constexpr unsigned kFiles = 32;
    if (errno == EMFILE) {
        return fail(Exit::kernel, fmt::format("too many open files: ulimit -n {}", kFiles));
    }
    return fail(Exit::input, fmt::format("no process {}: {}", pid, why));
}

}  // namespace

Result<Process> Inspector::look(std::uint32_t pid)
{
    found_ = {};
    found_.pid = pid;
    Fd process = process_directory(pid);
    if (!process) {
        return not_opened(pid, "it has ended, or /proc hides it");
    }
    if (const auto shown = look_at_process(process); !shown) {
        return tl::unexpected<Error>(shown.error());
    }
    process = process_directory(found_.pid);
    const Descriptors descriptors(process);
    mappings_ = mappings_of(found_.pid);
    View view = look_at_threads(process, found_.pid, descriptors);
    collect_items(descriptors);
    name_sockets(process);
    for (Item& item : found_.items) {
        append_waiters(item.waiting, view.calls, item.descriptors);
        append_futex_waiters(item.waiting, view.calls, mappings_, item.object);
    }
    look_at_others();
    found_.all_descriptors = descriptors.all().size();
    if (!descriptors.readable()) {
        found_.gaps.emplace_back("its descriptors may not be listed: run as root");
    }
    note_gaps(view);
    found_.threads = std::move(view.threads);
    found_.all_threads = view.all_threads;
    return std::move(found_);
}

/// A thread's id leads to its process, too.
Result<void> Inspector::look_at_process(const Fd& process)
{
    const Status status(process, "status");
    if (!status) {
        return not_opened(found_.pid, "it has ended");
    }
    found_.pid = status.number<std::uint32_t>("Tgid");
    found_.comm = status.comm();
    found_.ppid = status.number<std::uint32_t>("PPid");
    found_.parent = comm_of(found_.ppid);
    found_.uid = status.number<std::uint32_t>("Uid");
    found_.tracer = status.number<std::uint32_t>("TracerPid");
    found_.cgroup = cgroup_of(process);
    found_.pending = status.number("ShdPnd", 16);
    found_.ignored = status.number("SigIgn", 16);
    found_.caught = status.number("SigCgt", 16);
    const std::string_view queue = status.value("SigQ");
    const auto slash = queue.find('/');
    if (slash != std::string_view::npos) {
        proc::parse_number(queue.substr(0, slash), found_.queued);
        proc::parse_number(queue.substr(slash + 1), found_.queue_limit);
    }
    return {};
}

Inspector::View Inspector::look_at_threads(const Fd& process, std::uint32_t pid,
                                           const Descriptors& descriptors)
{
    View view;
    const Fd tasks = proc::open_directory(process.get(), "task");
    std::vector<std::uint32_t> tids = proc::numbers(tasks);
    std::ranges::sort(tids, {}, [&](std::uint32_t tid) { return std::pair(tid != pid, tid); });
    view.all_threads = tids.size();
    tids.resize(std::min(tids.size(), kMostThreads));
    for (const std::uint32_t tid : tids) {
        Thread thread = look_at_thread(tasks, pid, tid, descriptors, view);
        if (thread.tid != 0) {
            view.threads.push_back(std::move(thread));
        }
    }
    return view;
}

Thread Inspector::look_at_thread(const Fd& tasks, std::uint32_t pid, std::uint32_t tid,
                                 const Descriptors& descriptors, View& view)
{
    Thread thread;
    const Status status(tasks, fmt::format("{}/status", tid));
    if (!status) {
        return thread;   // it has ended
    }
    thread.tid = tid;
    thread.comm = status.comm();
    thread.state = status.value("State").substr(0, 1).empty() ? '?' : status.value("State")[0];
    thread.pending = status.number("SigPnd", 16);
    thread.blocked = status.number("SigBlk", 16);
    std::array<char, 256> buffer;
    const std::string channel =
        first_line(proc::read_file(tasks, fmt::format("{}/wchan", tid), buffer));
    thread.wait_channel = channel == "0" ? "" : channel;
    if (thread.state == 'D') {
        constexpr std::size_t kFunctions = 5, kStackBytes = 8192;
        const auto stack = slow_.read(fmt::format("/proc/{}/task/{}/stack", pid, tid), 0, kStackBytes);
        thread.stack = functions_of(stack.value_or(""), kFunctions);
    }
    const std::string path = fmt::format("/proc/{}/task/{}/syscall", pid, tid);
    const auto text = slow_.read(path);
    const auto call = parse_call(
        text.value_or(""),
        [&](std::uint64_t address, std::size_t size) {
            return slow_.read(fmt::format("/proc/{}/mem", pid), address, size).value_or("");
        },
        [&](std::uint32_t descriptor) {
            const State state = descriptors.state(descriptor, Kind::epoll);
            return std::get<Epoll>(state).watched;
        });
    if (!call) {
        view.refused += thread.state != 'Z' && thread.state != 'X';
        return thread;
    }
    thread.call = call->name;
    thread.number = call->number;
    thread.descriptors = call->descriptors;
    if (!call->name.empty()) {
        view.calls.push_back({{tid, thread.comm, call->name}, call->descriptors, call->address});
    }
    return thread;
}

std::vector<Mapping> Inspector::mappings_of(std::uint32_t pid)
{
    const auto text = slow_.read(fmt::format("/proc/{}/maps", pid));
    hanging_ += !text;
    return shared_mappings(text.value_or(""));
}

Item* Inspector::item_of(const Object& object)
{
    const auto [at, is_new] = index_.emplace(object, found_.items.size());
    if (is_new) {
        found_.items.push_back({object, object.kind});
    }
    return &found_.items[at->second];
}

void Inspector::collect_items(const Descriptors& descriptors)
{
    for (const std::uint32_t descriptor : descriptors.all()) {
        const auto object = descriptors.object(descriptor);
        if (!object) {
            continue;
        }
        Item& item = *item_of(*object);
        if (item.descriptors.empty()) {
            item.state = descriptors.state(descriptor, object->kind);
            const bool named = object->kind == Kind::fifo || object->kind == Kind::message_queue;
            item.name = named ? descriptors.target(descriptor) : "";
        }
        item.descriptors.push_back(descriptor);
        item.reads |= descriptors.reads(descriptor);
        item.writes |= descriptors.writes(descriptor);
    }
    for (const Mapping& mapping : mappings_) {
        Item& item = *item_of(object_of(mapping));
        item.reads = item.writes = true;
        item.name = mapping.name;
        item.bytes += mapping.end - mapping.begin;
    }
}

/// Of sockets those stay that are Unix-domain sockets.
void Inspector::name_sockets(const Fd& process)
{
    const auto is_socket = [](const Item& item) { return item.object.kind == Kind::unix_stream; };
    if (std::ranges::none_of(found_.items, is_socket)) {
        return;
    }
    std::string why;
    const UnixEntries entries = unix_sockets(process, why);
    std::erase_if(found_.items, [&](const Item& item) {
        return is_socket(item) && !entries.contains(item.object.id);
    });
    index_.clear();
    for (std::size_t at = 0; at < found_.items.size(); ++at) {
        Item& item = found_.items[at];
        index_[item.object] = at;
        if (!is_socket(item)) {
            continue;
        }
        const UnixEntry& entry = entries.at(item.object.id);
        item.kind = entry.kind;
        item.state = entry.state;
        const auto other = entry.state.peer ? entries.find(*entry.state.peer) : entries.end();
        // Of a connection the end that was accepted has the address, of both.
        item.name = entry.address.empty() && other != entries.end() ? other->second.address
                                                                    : entry.address;
        if (entry.state.peer) {
            peers_[{Kind::unix_stream, 0, *entry.state.peer}].push_back(at);
        }
    }
    if (!why.empty()) {
        found_.gaps.push_back("the other ends of Unix-domain sockets: " + why);
    }
}

void Inspector::look_at_others()
{
    const bool mapped = has_memory(found_.items);
    for (const std::uint32_t pid : proc::processes()) {
        if (pid != without_ && pid != slow_.helper()) {
            look_at_other(pid, mapped);
        }
    }
}

/// The process itself is at the other end of its own connections, too.
void Inspector::look_at_other(std::uint32_t pid, bool mapped)
{
    const Fd process = process_directory(pid);
    const Descriptors descriptors(process);
    unseen_ += process && !descriptors.readable();
    std::map<std::pair<std::size_t, bool>, Holder> held;   // by item, and whether the peer
    const auto hold = [&](std::uint32_t descriptor, std::size_t item, bool peer) {
        Holder& holder = held[{item, peer}];
        holder.peer = peer;
        holder.descriptors.push_back(descriptor);
        holder.reads |= descriptors.reads(descriptor);
        holder.writes |= descriptors.writes(descriptor);
    };
    const bool self = pid == found_.pid;
    for (const std::uint32_t descriptor : descriptors.all()) {
        const auto object = descriptors.object(descriptor);
        if (!object) {
            continue;
        }
        const auto same = index_.find(*object);
        if (same != index_.end() && !self && !is_own(object->kind)) {
            hold(descriptor, same->second, false);
        }
        const auto peer = peers_.find(*object);
        for (std::size_t i = 0; peer != peers_.end() && i < peer->second.size(); ++i) {
            hold(descriptor, peer->second[i], true);
        }
    }
    std::vector<Mapping> mappings;
    if (mapped && !self) {
        mappings = mappings_of(pid);
        for (const Mapping& mapping : mappings) {
            if (const auto same = index_.find(object_of(mapping)); same != index_.end()) {
                Holder& holder = held[{same->second, false}];
                holder.reads = holder.writes = true;
            }
        }
    }
    if (held.empty()) {
        return;
    }
    const View view = look_at_threads(process, pid, descriptors);
    const Comm comm = comm_of(pid);
    for (auto& [key, holder] : held) {
        Item& item = found_.items[key.first];
        holder.pid = pid;
        holder.comm = comm;
        append_waiters(holder.waiting, view.calls, holder.descriptors);
        append_futex_waiters(holder.waiting, view.calls, mappings, item.object);
        item.others.push_back(std::move(holder));
    }
}

void Inspector::note_gaps(const View& view)
{
    if (view.refused != 0) {
        found_.gaps.push_back(fmt::format("the system calls of {}: run as root",
                                          counted(view.refused, "thread", "threads")));
    }
    if (unseen_ != 0) {
        found_.gaps.push_back(
            fmt::format("{} whose descriptors may not be listed: what is at an other end may be "
                        "missing: run as root",
                        counted(unseen_, "process", "processes")));
    }
    if (hanging_ != 0) {
        found_.gaps.push_back(fmt::format("the memory of {}, which a stuck thread keeps locked",
                                          counted(hanging_, "process", "processes")));
    }
}

}  // namespace ipcscope::inspect
