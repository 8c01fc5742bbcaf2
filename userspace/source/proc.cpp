// SPDX-License-Identifier: GPL-2.0-only
#include "source/proc.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::source::proc {
namespace {

struct CloseDirectory {
    void operator()(DIR* directory) const { closedir(directory); }
};

/// A status file escapes a name's newlines and backslashes.
std::string unescaped(std::string_view name)
{
    std::string bytes;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '\\' || i + 1 == name.size()) {
            bytes += name[i];
            continue;
        }
        ++i;
        bytes += name[i] == 'n' ? '\n' : name[i];
    }
    return bytes;
}

/// /proc appends to a worker's name what it works on: "kworker/0:1-events".
std::string_view without_work(std::string_view name)
{
    constexpr std::string_view kWorker = "kworker/";
    if (!name.starts_with(kWorker) || name.starts_with("kworker/R-")) {
        return name;
    }
    return name.substr(0, name.find_first_of("+-", kWorker.size()));
}

constexpr std::uint32_t kKthreadd = 2;   ///< parent of all kernel threads

void set_comm(ipcscope_thread& record, std::string_view escaped)
{
    const std::string bytes = unescaped(escaped);
    std::string_view name = bytes;
    if (record.ppid == kKthreadd) {
        name = without_work(name);
    }
    // The last byte of the kernel's own copy is always a NUL.
    std::copy_n(name.begin(), std::min<std::size_t>(name.size(), IPCSCOPE_COMM_LEN - 1),
                record.comm);
}

}  // namespace

std::string_view read_file(const Fd& directory, const std::string& path, std::span<char> buffer)
{
    const Fd file(openat(directory.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    const ssize_t size = file ? read(file.get(), buffer.data(), buffer.size()) : 0;
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

Fd open_directory(int directory, const char* path)
{
    return Fd(openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// Calls `entry` with each entry's name.
template <typename Entry>
static void each_entry(const Fd& directory, Entry entry)
{
    // fdopendir() takes the descriptor over; the caller keeps its own.
    Fd copy(directory ? fcntl(directory.get(), F_DUPFD_CLOEXEC, 0) : -1);
    const std::unique_ptr<DIR, CloseDirectory> listing(copy ? fdopendir(copy.get()) : nullptr);
    if (!listing) {
        return;
    }
    copy.release();
    while (const dirent* found = readdir(listing.get())) {
        entry(std::string_view(found->d_name));
    }
}

std::vector<std::string> names(const Fd& directory)
{
    std::vector<std::string> found;
    each_entry(directory, [&](std::string_view name) {
        if (name != "." && name != "..") {
            found.emplace_back(name);
        }
    });
    return found;
}

std::vector<std::uint32_t> numbers(const Fd& directory)
{
    std::vector<std::uint32_t> found;
    each_entry(directory, [&](std::string_view name) {
        std::uint32_t number = 0;
        if (parse_number(name, number)) {
            found.push_back(number);
        }
    });
    return found;
}

std::optional<std::string_view> unified_path(std::string_view text)
{
    constexpr std::string_view kUnified = "0::";
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (line.starts_with(kUnified)) {
            return line.substr(kUnified.size());
        }
    }
    return std::nullopt;
}

std::vector<std::uint32_t> processes() { return numbers(open_directory(AT_FDCWD, "/proc")); }

std::string cgroup_mount()
{
    std::ifstream mounts("/proc/self/mountinfo");
    std::string line;
    while (std::getline(mounts, line)) {
        if (line.find(" - cgroup2 ") == std::string::npos) {
            continue;
        }
        std::istringstream fields(line);
        std::string skipped, mount;
        fields >> skipped >> skipped >> skipped >> skipped >> mount;
        return mount;
    }
    return {};
}

void for_each_cgroup(const std::string& mount,
                     const std::function<bool(const std::string& path)>& visit)
{
    namespace fs = std::filesystem;
    if (mount.empty() || !visit("/")) {
        return;
    }
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(mount, options, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (at->is_directory(ignored) && !visit(at->path().string().substr(mount.size()))) {
            at.disable_recursion_pending();
        }
    }
}

Cgroups::Cgroups() : mount_(cgroup_mount()) {}

std::uint64_t Cgroups::id_of(std::string_view text)
{
    const auto line = unified_path(text);
    if (!line || mount_.empty()) {
        return 0;
    }
    const auto known = ids_.find(*line);
    if (known != ids_.end()) {
        return known->second;
    }
    struct stat info {};
    const std::string path(*line);
    const std::uint64_t id = stat((mount_ + path).c_str(), &info) == 0 ? info.st_ino : 0;
    return ids_[path] = id;
}

bool Cgroups::is_below(std::string_view text, const std::string& directory)
{
    const auto line = unified_path(text);
    struct stat wanted {};
    if (!line || mount_.empty() || stat(directory.c_str(), &wanted) != 0) {
        return false;
    }
    for (std::string path(*line);; path.resize(path.rfind('/'))) {
        struct stat info {};
        if (stat((mount_ + path).c_str(), &info) == 0 && info.st_ino == wanted.st_ino) {
            return true;
        }
        if (path.empty() || path == "/") {
            return false;
        }
    }
}

/// By cgroup.events once all of it stands still; before that by the cgroup.freeze of it
/// or of one that it is in.  The root has neither, and cannot be frozen.
std::optional<bool> Cgroups::is_frozen(std::string_view text) const
{
    const auto line = unified_path(text);
    if (!line || mount_.empty()) {
        return std::nullopt;
    }
    std::string path(*line);
    if (path == "/") {
        return false;
    }
    std::array<char, 256> buffer;
    const Fd here(open(mount_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto read_in = [&](const char* file) {
        return read_file(here, fmt::format(".{}/{}", path, file), buffer);
    };
    const std::string_view events = read_in("cgroup.events");
    if (events.find("frozen ") == std::string_view::npos) {
        return std::nullopt;
    }
    if (events.find("frozen 1") != std::string_view::npos) {
        return true;
    }
    for (; !path.empty(); path.resize(path.rfind('/'))) {
        if (read_in("cgroup.freeze").starts_with('1')) {
            return true;
        }
    }
    return false;
}

bool began_after(std::uint64_t start_ticks, std::uint64_t time_ns)
{
    const auto ticks_per_s = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    const std::uint64_t tick_ns = 1'000'000'000 / ticks_per_s;
    const std::uint64_t suspended_ns = clock_ns(CLOCK_BOOTTIME) - monotonic_ns();
    return start_ticks * tick_ns > time_ns + suspended_ns + tick_ns;
}

namespace {

std::string quoted(std::string_view word)
{
    std::string text = "'";
    for (const char byte : word) {
        text += byte == '\'' ? std::string_view("'\\''") : std::string_view(&byte, 1);
    }
    return text + "'";
}

}  // namespace

std::string command_line(std::string_view text)
{
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789@%_+=:,./-";
    std::string line;
    text = text.substr(0, text.find_last_not_of(std::string_view("\0 ", 2)) + 1);
    while (!text.empty() && line.size() <= kMostCommand) {
        const std::string_view word = text.substr(0, text.find('\0'));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        line += line.empty() ? "" : " ";
        // A daemon may have written a title in their place, with spaces in it.
        const bool title = line.empty() && text.empty();
        const bool plain = !word.empty() && word.find_first_not_of(kPlain) == word.npos;
        line += plain || title ? std::string(word) : quoted(word);
    }
    if (line.size() > kMostCommand) {
        line.resize(kMostCommand);
        line += "...";
    }
    return line;
}

std::optional<ipcscope_thread> parse_status(std::string_view text)
{
    ipcscope_thread record{};
    std::string_view name;
    const auto number = [](std::string_view from, std::uint32_t& to) {
        parse_number(from.substr(0, from.find('\t')), to);
    };
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        const auto colon = line.find(":\t");
        if (colon == std::string_view::npos) {
            continue;
        }
        const std::string_view key = line.substr(0, colon);
        const std::string_view value = line.substr(colon + 2);
        if (key == "Name") {
            name = value;
        } else if (key == "Tgid") {
            number(value, record.header.tgid);
        } else if (key == "Pid") {
            number(value, record.header.tid);
        } else if (key == "PPid") {
            number(value, record.ppid);
        } else if (key == "Uid") {
            number(value, record.uid);
        } else if (key == "NSpid") {
            // Of each namespace, its own the last.
            number(value.substr(value.rfind('\t') + 1), record.ns_pid);
        } else if (key == "SigBlk") {
            std::from_chars(value.data(), value.data() + value.size(), record.blocked, 16);
            break;
        }
    }
    if (record.header.tid == 0) {
        return std::nullopt;
    }
    set_comm(record, name);
    return record;
}

std::optional<ipcscope_thread> thread(const Fd& tasks, std::uint32_t tid, Cgroups& cgroups)
{
    std::array<char, 4096> buffer;
    auto record = parse_status(read_file(tasks, fmt::format("{}/status", tid), buffer));
    if (record) {
        record->cgroup =
            cgroups.id_of(read_file(tasks, fmt::format("{}/cgroup", tid), buffer));
    }
    return record;
}

}  // namespace ipcscope::source::proc
