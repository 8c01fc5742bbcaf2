// SPDX-License-Identifier: GPL-2.0-only
#include "source/holders.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "source/mappings.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(250);
constexpr auto kYoung = std::chrono::milliseconds(300);   // most have closed what they inherit
constexpr std::size_t kMostYoung = 65536;
constexpr std::size_t kMostKnown = 65536;

std::string target_of(const Fd& descriptors, const std::string& number)
{
    std::array<char, Notes::kMostText> text;
    const ssize_t size =
        readlinkat(descriptors.get(), number.c_str(), text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

}  // namespace

std::optional<PipeEnd> find_pipe(const Fd& descriptors, const std::string& number)
{
    // Follows the link to the inode without opening it, and asks no file server.
    struct statx file {};
    if (statx(descriptors.get(), number.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO,
              &file) != 0 ||
        !S_ISFIFO(file.stx_mode)) {
        return std::nullopt;
    }
    // O_RDONLY, O_WRONLY or O_RDWR, by the mode of the link.
    struct stat link {};
    if (fstatat(descriptors.get(), number.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0) {
        return std::nullopt;
    }
    std::string target = target_of(descriptors, number);
    const bool fifo = !target.starts_with("pipe:");
    return PipeEnd{(file.stx_dev_major << 20) | file.stx_dev_minor,
                   file.stx_ino,
                   (link.st_mode & S_IRUSR) != 0,
                   (link.st_mode & S_IWUSR) != 0,
                   fifo,
                   std::move(target)};
}

std::string find_name(const Fd& descriptors, std::uint32_t dev, std::uint64_t inode)
{
    for (const std::uint32_t descriptor : proc::numbers(descriptors)) {
        const std::string number = std::to_string(descriptor);
        struct statx file {};
        if (statx(descriptors.get(), number.c_str(), AT_STATX_DONT_SYNC, STATX_INO, &file) == 0 &&
            ((file.stx_dev_major << 20) | file.stx_dev_minor) == dev && file.stx_ino == inode) {
            return target_of(descriptors, number);
        }
    }
    return {};
}

std::optional<std::uint64_t> find_socket(const Fd& descriptors, const std::string& number)
{
    constexpr std::string_view kBegin = "socket:[";
    const std::string target = target_of(descriptors, number);
    std::string_view digits = target;
    std::uint64_t inode = 0;
    if (!digits.starts_with(kBegin) || !digits.ends_with(']')) {
        return std::nullopt;
    }
    digits = digits.substr(kBegin.size(), digits.size() - kBegin.size() - 1);
    return proc::parse_number(digits, inode) ? std::optional(inode) : std::nullopt;
}

Holders::Holders(std::vector<std::uint32_t> self, proc::Cgroups& cgroups, ProcessNames& names,
                 bool sockets)
    : self_(std::move(self)), cgroups_(cgroups), names_(names), sockets_(sockets)
{
}

bool Holders::is_self(std::uint32_t pid) const
{
    return std::ranges::find(self_, pid) != self_.end();
}

bool Holders::is_new(const Key& key, std::uint8_t type)
{
    return known_.size() < kMostKnown && known_.emplace(key, type).second;
}

void Holders::want(const Key& key, std::uint8_t type, bool unfinished)
{
    if (is_new(key, type) || unfinished) {
        wanted_.insert(key);
    }
}

void Holders::saw(const ipcscope_call& call)
{
    if (call.type == IPCSCOPE_OBJECT_MQUEUE || call.type == IPCSCOPE_OBJECT_FUTEX) {
        if (is_new({call.dev, call.object}, call.type)) {
            unnamed_.push_back(call);
        }
        return;
    }
    const bool unfinished = (call.header.flags & IPCSCOPE_UNFINISHED) != 0;
    want({call.dev, call.object}, call.type, unfinished);
    if (call.peer != 0) {
        want({call.dev, call.peer}, call.type, unfinished);
    }
}

/// Adds what the link `number` is of.  A socket that calls were seen on and that is not in
/// the process's network namespace has no address here.
void Holders::hold(std::map<Key, Ends>& held, const Fd& process, const Fd& descriptors,
                   const std::string& number)
{
    if (const auto pipe = find_pipe(descriptors, number)) {
        Ends& ends = held[{pipe->dev, pipe->inode}];
        ends.reads |= pipe->reads;
        ends.writes |= pipe->writes;
        ends.type = pipe->fifo ? IPCSCOPE_OBJECT_FIFO : IPCSCOPE_OBJECT_PIPE;
        ends.path = pipe->fifo ? pipe->target : "";
        return;
    }
    const auto inode = sockets_ ? find_socket(descriptors, number) : std::nullopt;
    if (!inode) {
        return;
    }
    const Key key{0, *inode};
    const UnixSocket* socket = tables_.find(process, *inode);
    const auto known = known_.find(key);
    if (socket != nullptr) {
        held[key] = {true, true, socket->type, socket->address};
    } else if (known != known_.end()) {
        held[key] = {true, true, known->second, {}};
    }
}

void Holders::scan_process(std::uint32_t pid, std::uint64_t time_ns,
                           const std::function<bool(const Key&)>& wanted, Notes& notes)
{
    // All of a process that holds a wanted one: a deadlock is over two pipes, and the
    // first call on the second one may return only when an end of it is gone.
    std::map<Key, Ends> held;
    const Fd process = proc::open_directory(AT_FDCWD, fmt::format("/proc/{}", pid).c_str());
    const Fd descriptors = proc::open_directory(process.get(), "fd");
    for (const std::uint32_t descriptor : proc::numbers(descriptors)) {
        hold(held, process, descriptors, std::to_string(descriptor));
    }
    const bool holds_wanted =
        std::ranges::any_of(held, [&](const auto& one) { return wanted(one.first); });
    if (!holds_wanted) {
        return;
    }
    auto leader = proc::thread(proc::open_directory(process.get(), "task"), pid, cgroups_);
    if (leader && names_.add(*leader)) {
        leader->header.time_ns = time_ns;
        leader->reason = IPCSCOPE_THREAD_SWEEP;
        notes.add(*leader, IPCSCOPE_THREAD);
    }
    for (const auto& [key, ends] : held) {
        ipcscope_holder record{};
        record.header.time_ns = time_ns;
        record.header.tgid = pid;
        record.header.tid = pid;
        record.object = key.second;
        record.dev = key.first;
        record.type = ends.type;
        record.reads = ends.reads;
        record.writes = ends.writes;
        notes.add(record, IPCSCOPE_HOLDER, ends.path);
    }
}

bool Holders::append_all(Notes& notes, std::uint64_t time_ns, Deadline deadline)
{
    if (!listed_) {
        processes_ = proc::processes();
        listed_ = true;
    }
    while (!processes_.empty()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        const std::uint32_t pid = processes_.back();
        processes_.pop_back();
        if (!is_self(pid)) {
            scan_process(pid, time_ns, [](const Key&) { return true; }, notes);
        }
    }
    tables_.forget();
    return true;
}

void Holders::born(std::uint32_t pid)
{
    if (births_.size() < kMostYoung) {
        births_.emplace_back(std::chrono::steady_clock::now(), pid);
        young_.insert(pid);
    }
}

void Holders::append_young(Notes& notes, std::uint64_t last_ns)
{
    const auto before = std::chrono::steady_clock::now() - kYoung;
    for (; !births_.empty() && births_.front().first <= before; births_.pop_front()) {
        const std::uint32_t pid = births_.front().second;
        if (young_.erase(pid) != 0 && !is_self(pid)) {
            scan_process(pid, std::min(monotonic_ns(), last_ns),
                         [](const Key&) { return true; }, notes);
            tables_.forget();
        }
    }
}

/// The caller itself has the queue open, or the memory mapped.
std::string Holders::name_of(const ipcscope_call& call)
{
    const std::uint32_t pid = call.header.tgid;
    if (call.type == IPCSCOPE_OBJECT_FUTEX) {
        std::string& name = memories_[call.object >> 32];
        if (name.empty()) {
            name = find_mapping(pid, call.peer);
        }
        return name;
    }
    const Fd descriptors = proc::open_directory(AT_FDCWD, fmt::format("/proc/{}/fd", pid).c_str());
    return find_name(descriptors, call.dev, call.object);
}

void Holders::append_named(Notes& notes, std::uint64_t last_ns)
{
    for (const ipcscope_call& call : unnamed_) {
        const std::uint32_t pid = call.header.tgid;
        const std::string name = name_of(call);
        if (name.empty()) {
            known_.erase({call.dev, call.object});   // the next caller may still be there
            continue;
        }
        ipcscope_holder record{};
        record.header.time_ns = std::min(monotonic_ns(), last_ns);
        record.header.tgid = pid;
        record.header.tid = pid;
        record.object = call.object;
        record.dev = call.dev;
        record.type = call.type;
        record.reads = call.type == IPCSCOPE_OBJECT_MQUEUE;   // a futex has no ends
        record.writes = record.reads;
        notes.add(record, IPCSCOPE_HOLDER, name);
    }
    unnamed_.clear();
}

void Holders::append_seen(Notes& notes, bool now, std::uint64_t last_ns)
{
    append_young(notes, last_ns);
    append_named(notes, last_ns);
    const auto time = std::chrono::steady_clock::now();
    if (wanted_.empty() || (!now && time < next_)) {
        return;
    }
    next_ = time + kPeriod;
    for (const std::uint32_t pid : proc::processes()) {
        if (is_self(pid)) {
            continue;
        }
        // Before its name is read: a record of a renaming that comes next is newer.
        const std::uint64_t scan_ns = std::min(monotonic_ns(), last_ns);
        scan_process(pid, scan_ns, [&](const Key& key) { return wanted_.contains(key); }, notes);
    }
    wanted_.clear();
    tables_.forget();
}

}  // namespace ipcscope::source
