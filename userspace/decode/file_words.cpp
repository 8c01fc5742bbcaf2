// SPDX-License-Identifier: GPL-2.0-only
#include "decode/file_words.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace ipcscope::decode {
namespace {

constexpr std::uint32_t kPidFs = 0x50494446;    // PID_FS_MAGIC, since 6.9
constexpr std::uint32_t kDmaBuf = 0x444d4142;   // DMA_BUF_MAGIC

/// Of files without a directory: what the kernel calls them.
struct Anonymous {
    std::string_view name;
    std::string_view words;
};
constexpr std::array kAnonymous{
    Anonymous{"[eventfd]", "an eventfd"},
    Anonymous{"[eventpoll]", "an epoll instance"},
    Anonymous{"[signalfd]", "a signalfd"},
    Anonymous{"[timerfd]", "a timerfd"},
    Anonymous{"[pidfd]", "a pidfd"},
    Anonymous{"inotify", "an inotify instance"},
    Anonymous{"[io_uring]", "an io_uring"},
    Anonymous{"[userfaultfd]", "a userfaultfd"},
    Anonymous{"[perf_event]", "a perf event"},
};

std::string name_of(const FdReceived& file)
{
    const char* begin = reinterpret_cast<const char*>(file.name);
    const char* end = std::find(begin, begin + sizeof file.name, '\0');
    return SafeText::escape(std::string_view(begin, end)).str();
}

std::string_view type_words(unsigned type)
{
    switch (type) {
    case SOCK_STREAM: return "stream socket";
    case SOCK_DGRAM: return "datagram socket";
    case SOCK_SEQPACKET: return "seqpacket socket";
    case SOCK_RAW: return "raw socket";
    default: return "socket";
    }
}

/// The kernel's name of the protocol is that of the file: "TCP", "TCPv6", "UDP".
std::string socket_words(const FdReceived& file)
{
    const std::string_view listening = file.listening ? "listening " : "";
    if (file.family == AF_UNIX)
        return fmt::format("a {}Unix {}", listening, type_words(file.socket_type));
    std::string words = name_of(file).empty()
                            ? fmt::format("a {}{}", listening, type_words(file.socket_type))
                            : fmt::format("a {}{} socket", listening, name_of(file));
    return file.port == 0 ? words : fmt::format("{}, port {}", words, file.port);
}

std::string anonymous_words(const FdReceived& file)
{
    const std::string name = name_of(file);
    const auto* known = std::ranges::find(kAnonymous, name, &Anonymous::name);
    return known != kAnonymous.end() ? std::string(known->words)
           : name.empty()            ? "an anonymous file"
                                     : "an anonymous file, " + name;
}

std::string called(std::string_view kind, const FdReceived& file)
{
    const std::string name = name_of(file);
    return name.empty() ? fmt::format("a {}", kind) : fmt::format("the {} {}", kind, name);
}

}  // namespace

std::string file_words(const FdReceived& file)
{
    constexpr std::string_view kMemfd = "memfd:";
    switch (file.filesystem) {
    case ANON_INODE_FS_MAGIC: return anonymous_words(file);
    case kPidFs: return "a pidfd";
    case NSFS_MAGIC: return "a namespace";
    case PIPEFS_MAGIC: return "a pipe";
    case kDmaBuf: return "a dma-buf";
    }
    switch (file.mode & S_IFMT) {
    case S_IFSOCK: return socket_words(file);
    case S_IFIFO: return called("FIFO", file);
    case S_IFDIR: return called("directory", file);
    case S_IFCHR: return called("character device", file);
    case S_IFBLK: return called("block device", file);
    case S_IFREG: break;
    default: return "a file of another kind";
    }
    if (const std::string name = name_of(file); name.starts_with(kMemfd))
        return "the memfd " + name.substr(kMemfd.size());
    return called("file", file);
}

}  // namespace ipcscope::decode
