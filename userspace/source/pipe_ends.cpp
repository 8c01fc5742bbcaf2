// SPDX-License-Identifier: GPL-2.0-only
#include "source/pipe_ends.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"

namespace ipcscope::source {
namespace {

namespace fs = std::filesystem;
constexpr auto kPeriod = std::chrono::milliseconds(250);
constexpr std::size_t kKnownLimit = 65536;

/// The kernel's internal device number, as records have it.
std::uint32_t kernel_dev(dev_t dev)
{
    return (major(dev) << 20) | minor(dev);
}

/// Calls `visit` with each entry; processes may vanish at any moment.
template <typename Visit>
void for_each_entry(const fs::path& directory, Visit visit)
{
    std::error_code error;
    fs::directory_iterator it(directory, error);
    while (!error && it != fs::directory_iterator()) {
        visit(it->path());
        it.increment(error);
    }
}

/// O_RDONLY, O_WRONLY or O_RDWR of a descriptor, by the mode of its link.
bool link_mode(const fs::path& link, bool& reads, bool& writes)
{
    struct stat info {};
    if (lstat(link.c_str(), &info) != 0) {
        return false;
    }
    reads = info.st_mode & S_IRUSR;
    writes = info.st_mode & S_IWUSR;
    return true;
}

struct End {
    bool reads = false;
    bool writes = false;
    bool fifo = false;
    std::string path;
};

void append(std::vector<std::byte>& notes, std::uint32_t pid, const std::string& comm,
            std::uint32_t dev, std::uint64_t inode, const End& end)
{
    ipcscope_pipe_end record{};
    const std::size_t room = UINT16_MAX - sizeof record - 8;
    const std::string path = end.path.substr(0, std::min<std::size_t>(room, 4096));
    record.header.time_ns = monotonic_ns();
    record.header.tgid = pid;
    record.header.tid = pid;
    record.header.cpu = 0xffff;
    record.header.kind = IPCSCOPE_PIPE_END;
    record.header.size = static_cast<__u16>(sizeof record + path.size());
    std::memcpy(record.header.comm, comm.data(),
                std::min(comm.size(), sizeof record.header.comm));
    record.inode = inode;
    record.dev = dev;
    record.reads = end.reads;
    record.writes = end.writes;
    record.fifo = end.fifo;
    const auto* bytes = reinterpret_cast<const std::byte*>(&record);
    notes.insert(notes.end(), bytes, bytes + sizeof record);
    const auto* text = reinterpret_cast<const std::byte*>(path.data());
    notes.insert(notes.end(), text, text + path.size());
}

}  // namespace

void PipeEnds::saw(const ipcscope_pipe_op& call)
{
    const Key key{call.dev, call.inode};
    if (known_.size() < kKnownLimit && known_.insert(key).second) {
        wanted_.insert(key);
    }
}

void PipeEnds::scan_process(std::uint32_t pid, std::vector<std::byte>& notes) const
{
    std::map<Key, End> ends;
    const fs::path process = fmt::format("/proc/{}", pid);
    for_each_entry(process / "fd", [&](const fs::path& link) {
        struct stat info {};
        // stat() follows the link to the inode without opening it.
        if (stat(link.c_str(), &info) != 0 || !S_ISFIFO(info.st_mode)) {
            return;
        }
        const Key key{kernel_dev(info.st_dev), info.st_ino};
        bool reads = false, writes = false;
        if (!wanted_.count(key) || !link_mode(link, reads, writes)) {
            return;
        }
        End& end = ends[key];
        end.reads |= reads;
        end.writes |= writes;
        std::error_code error;
        const std::string target = fs::read_symlink(link, error).string();
        end.fifo = !target.starts_with("pipe:");
        end.path = end.fifo ? target : "";
    });
    if (ends.empty()) {
        return;
    }
    std::ifstream file(process / "comm");
    std::string comm;
    std::getline(file, comm, '\0');
    while (!comm.empty() && comm.back() == '\n') {
        comm.pop_back();
    }
    for (const auto& [key, end] : ends) {
        append(notes, pid, comm, key.first, key.second, end);
    }
}

void PipeEnds::append_notes(std::vector<std::byte>& notes, bool now)
{
    const auto time = std::chrono::steady_clock::now();
    if (wanted_.empty() || (!now && time < next_)) {
        return;
    }
    next_ = time + kPeriod;
    for_each_entry("/proc", [&](const fs::path& entry) {
        const std::string name = entry.filename().string();
        std::uint32_t pid = 0;
        const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (bad == std::errc{} && end == name.data() + name.size() && pid != self_tgid_) {
            scan_process(pid, notes);
        }
    });
    wanted_.clear();
}

}  // namespace ipcscope::source
