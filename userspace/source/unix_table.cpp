// SPDX-License-Identifier: GPL-2.0-only
#include "source/unix_table.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ipcscope/policy.h>

#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace {

constexpr std::string_view kTitle = "Num ";
constexpr unsigned kNone = 0;   // of a connection that none has accepted yet
constexpr unsigned kStream = 1;

/// "Num: RefCount Protocol Flags Type St Inode [Path]"; nullopt: it is no such line.
std::optional<std::pair<std::uint64_t, UnixSocket>> parse_line(std::string_view line)
{
    const std::string_view number = proc::take_word(line);
    if (!number.ends_with(':')) {
        return std::nullopt;
    }
    std::uint32_t ignored = 0;
    for (int field = 0; field < 3; ++field) {   // RefCount Protocol Flags
        if (!proc::parse_number(proc::take_word(line), ignored, 16)) {
            return std::nullopt;
        }
    }
    unsigned type = 0;
    std::uint64_t inode = 0;
    if (!proc::parse_number(proc::take_word(line), type, 16) ||
        !proc::parse_number(proc::take_word(line), ignored, 16) ||
        !proc::parse_number(proc::take_word(line), inode) ||
        (type != kNone && type != kStream && type != IPCSCOPE_SOCK_DGRAM &&
         type != IPCSCOPE_SOCK_SEQPACKET)) {
        return std::nullopt;
    }
    line.remove_prefix(line.empty() ? 0 : 1);   // one space; an address may begin with more
    return std::pair(inode, UnixSocket{ipcscope_socket_type(static_cast<int>(type)),
                                       std::string(line)});
}

std::string read_all(const Fd& file)
{
    std::string text;
    std::array<char, 16384> part;
    for (ssize_t size = 0; file && (size = read(file.get(), part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

}  // namespace

UnixTable parse_unix_table(std::string_view text)
{
    UnixTable table;
    UnixSocket* last = nullptr;   // of the line before, if it has an address
    while (!text.empty()) {
        const std::string_view line = proc::take_line(text);
        if (auto found = parse_line(line)) {
            if (found->first == 0) {   // a connection as above
                last = nullptr;
                continue;
            }
            const auto [at, is_new] = table.try_emplace(found->first, std::move(found->second));
            if (!is_new) {
                at->second.address.clear();
            }
            last = is_new && !at->second.address.empty() ? &at->second : nullptr;
        } else if (last != nullptr && !line.starts_with(kTitle)) {
            last->address += '\n';
            last->address += line;
        }
    }
    return table;
}

UnixTable read_unix_table(const Fd& process)
{
    return parse_unix_table(
        read_all(Fd(openat(process.get(), "net/unix", O_RDONLY | O_CLOEXEC))));
}

const UnixSocket* UnixTables::find(const Fd& process, std::uint64_t inode)
{
    struct stat space {};
    if (fstatat(process.get(), "ns/net", &space, 0) != 0) {
        return nullptr;
    }
    auto [table, is_new] = tables_.try_emplace(space.st_ino);
    if (is_new) {
        table->second = read_unix_table(process);
    }
    const auto found = table->second.find(inode);
    return found == table->second.end() ? nullptr : &found->second;
}

}  // namespace ipcscope::source
