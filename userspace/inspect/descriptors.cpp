// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/descriptors.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "source/proc.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::inspect {
namespace {

namespace proc = source::proc;

constexpr std::string_view kAnonymous = "anon_inode:";

/// "pipe:[12]" → 12
std::optional<std::uint64_t> bracketed(std::string_view target, std::string_view begin)
{
    std::uint64_t number = 0;
    if (!target.starts_with(begin) || !target.ends_with(']')) {
        return std::nullopt;
    }
    target.remove_prefix(begin.size());
    target.remove_suffix(1);
    return proc::parse_number(target, number) ? std::optional(number) : std::nullopt;
}

/// The value of the line of a fdinfo that begins with `key`; empty: there is none.
std::string_view value_of(std::string_view info, std::string_view key)
{
    while (!info.empty()) {
        std::string_view line = proc::take_line(info);
        if (line.starts_with(key)) {
            line.remove_prefix(key.size());
            return proc::take_word(line);
        }
    }
    return {};
}

/// The descriptors in the lines "tfd:       11 events: …".
std::vector<std::uint32_t> watched_in(std::string_view info)
{
    std::vector<std::uint32_t> watched;
    while (!info.empty()) {
        std::string_view line = proc::take_line(info);
        std::uint32_t descriptor = 0;
        if (proc::take_word(line) == "tfd:" &&
            proc::parse_number(proc::take_word(line), descriptor)) {
            watched.push_back(descriptor);
        }
    }
    return watched;
}

constexpr std::pair<std::string_view, Kind> kAnonymousKinds[] = {
    {"[eventfd]", Kind::eventfd},
    {"[signalfd]", Kind::signalfd},
    {"[eventpoll]", Kind::epoll},
    {"[pidfd]", Kind::pidfd},
};

}  // namespace

Descriptors::Descriptors(const Fd& process)
    : links_(process ? proc::open_directory(process.get(), "fd") : Fd()),
      infos_(process ? proc::open_directory(process.get(), "fdinfo") : Fd()),
      all_(proc::numbers(links_))
{
    std::ranges::sort(all_);
}

std::string Descriptors::target(std::uint32_t descriptor) const
{
    std::array<char, 4096> text;
    const ssize_t size = readlinkat(links_.get(), std::to_string(descriptor).c_str(),
                                    text.data(), text.size());
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

std::string Descriptors::info(std::uint32_t descriptor) const
{
    std::string text;
    const Fd file(openat(infos_.get(), std::to_string(descriptor).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> part;
    for (ssize_t size = 0; file && (size = read(file.get(), part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

/// The links' own permissions are what the file was opened for.
unsigned Descriptors::mode(std::uint32_t descriptor) const
{
    struct stat link {};
    const std::string name = std::to_string(descriptor);
    return fstatat(links_.get(), name.c_str(), &link, AT_SYMLINK_NOFOLLOW) == 0 ? link.st_mode : 0;
}

bool Descriptors::reads(std::uint32_t descriptor) const { return mode(descriptor) & S_IRUSR; }
bool Descriptors::writes(std::uint32_t descriptor) const { return mode(descriptor) & S_IWUSR; }

/// A FIFO or a POSIX message queue, which have a path.
std::optional<Object> Descriptors::file(std::uint32_t descriptor) const
{
    // Follows the link to the inode without opening it, and asks no file server.
    struct statx inode {};
    const std::string name = std::to_string(descriptor);
    if (statx(links_.get(), name.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &inode) != 0) {
        return std::nullopt;
    }
    const std::uint64_t dev = (inode.stx_dev_major << 20) | inode.stx_dev_minor;
    if (S_ISFIFO(inode.stx_mode)) {
        return Object{Kind::fifo, dev, inode.stx_ino};
    }
    struct statfs system {};
    const std::string path = fmt::format("/proc/self/fd/{}/{}", links_.get(), name);
    // Only file systems without a device behind them: another's server may not answer.
    if (!S_ISREG(inode.stx_mode) || inode.stx_dev_major != 0 ||
        statfs(path.c_str(), &system) != 0 || system.f_type != kMqueueMagic) {
        return std::nullopt;
    }
    return Object{Kind::message_queue, dev, inode.stx_ino};
}

std::optional<Object> Descriptors::object(std::uint32_t descriptor) const
{
    const std::string link = target(descriptor);
    if (const auto inode = bracketed(link, "pipe:[")) {
        return Object{Kind::pipe, 0, *inode};
    }
    if (const auto inode = bracketed(link, "socket:[")) {
        return Object{Kind::unix_stream, 0, *inode};
    }
    if (!link.starts_with(kAnonymous)) {
        return link.starts_with('/') ? file(descriptor) : std::nullopt;
    }
    for (const auto& [name, kind] : kAnonymousKinds) {
        if (link.substr(kAnonymous.size()) != name) {
            continue;
        }
        // All of them have one inode.  An eventfd has a number of its own, since 5.2; the
        // others have that of their descriptor: they are looked up in no other process.
        std::uint64_t id = descriptor;
        if (kind == Kind::eventfd &&
            !proc::parse_number(value_of(info(descriptor), "eventfd-id:"), id)) {
            return std::nullopt;
        }
        return Object{kind, 0, id};
    }
    return std::nullopt;
}

State Descriptors::state(std::uint32_t descriptor, Kind kind) const
{
    const std::string text = info(descriptor);
    const auto number = [&](std::string_view key, int base = 10) {
        std::int64_t value = 0;
        proc::parse_number(value_of(text, key), value, base);
        return value;
    };
    switch (kind) {
    case Kind::eventfd: {
        Eventfd state{0, number("eventfd-semaphore:") != 0};
        proc::parse_number(value_of(text, "eventfd-count:"), state.count, 16);
        return state;
    }
    case Kind::signalfd: {
        Signalfd state;
        proc::parse_number(value_of(text, "sigmask:"), state.mask, 16);
        return state;
    }
    case Kind::epoll: return Epoll{watched_in(text)};
    case Kind::pidfd: return Pidfd{number("Pid:")};
    default: return {};
    }
}

}  // namespace ipcscope::inspect
