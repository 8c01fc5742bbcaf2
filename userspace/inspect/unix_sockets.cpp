// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/unix_sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include <ipcscope/record.h>

#include "inspect/in_namespace.hpp"
#include "source/unix_table.hpp"

namespace ipcscope::inspect {
namespace {

constexpr std::uint8_t kListen = 10;   // TCP_LISTEN

Result<Fd> diagnostics(const Fd& process)
{
    Fd socket;
    int error = 0;
    const auto entered = in_namespace(process, "net", [&] {
        socket.reset(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
        error = errno;
    });
    if (!entered) {
        return tl::unexpected<Error>(entered.error());
    }
    if (!socket) {
        return fail(Exit::kernel, fmt::format("socket diagnostics: {}", std::strerror(error)));
    }
    return socket;
}

bool ask(const Fd& socket)
{
    struct {
        nlmsghdr header{};
        unix_diag_req request{};
    } message;
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = AF_UNIX;
    message.request.udiag_states = ~0U;
    message.request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;
    return send(socket.get(), &message, sizeof message, 0) == sizeof message;
}

Kind kind_of(std::uint8_t type)
{
    return type == SOCK_STREAM ? Kind::unix_stream
           : type == SOCK_DGRAM ? Kind::unix_dgram
                                : Kind::unix_seqpacket;
}

/// `size`: of all attributes.
UnixEntry entry_of(const unix_diag_msg& message, const rtattr* attribute, unsigned size)
{
    UnixEntry entry;
    entry.kind = kind_of(message.udiag_type);
    entry.state.listening = message.udiag_state == kListen;
    for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
        const void* data = RTA_DATA(attribute);
        const std::size_t length = RTA_PAYLOAD(attribute);
        if (attribute->rta_type == UNIX_DIAG_NAME) {
            entry.address.assign(static_cast<const char*>(data), length);
            if (!entry.address.starts_with('\0')) {
                entry.address.resize(std::min(entry.address.find('\0'), entry.address.size()));
            }
        } else if (attribute->rta_type == UNIX_DIAG_PEER && length >= sizeof(std::uint32_t)) {
            std::uint32_t inode = 0;
            std::memcpy(&inode, data, sizeof inode);
            if (inode != 0) {
                entry.state.peer = inode;
            }
        } else if (attribute->rta_type == UNIX_DIAG_RQLEN && length >= sizeof(unix_diag_rqlen)) {
            unix_diag_rqlen queue{};
            std::memcpy(&queue, data, sizeof queue);
            entry.state.received = queue.udiag_rqueue;
            entry.state.backlog = entry.state.listening ? queue.udiag_wqueue : 0;
        }
    }
    return entry;
}

enum class Part { more, last, failed };

Part parse(const char* bytes, std::size_t length, UnixEntries& entries, int& error)
{
    auto left = static_cast<unsigned>(length);
    const auto* header = reinterpret_cast<const nlmsghdr*>(bytes);
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == NLMSG_DONE) {
            return Part::last;
        }
        if (header->nlmsg_type == NLMSG_ERROR) {
            error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
            return Part::failed;
        }
        const auto* message = static_cast<const unix_diag_msg*>(NLMSG_DATA(header));
        const std::size_t own = NLMSG_LENGTH(sizeof *message);
        if (header->nlmsg_len < own) {
            continue;
        }
        const auto* first = reinterpret_cast<const rtattr*>(
            reinterpret_cast<const char*>(message) + NLMSG_ALIGN(sizeof *message));
        entries[message->udiag_ino] =
            entry_of(*message, first, header->nlmsg_len - static_cast<unsigned>(own));
    }
    return Part::more;
}

Result<UnixEntries> diagnosed(const Fd& process)
{
    return diagnostics(process).and_then([](const Fd& socket) -> Result<UnixEntries> {
        UnixEntries entries;
        alignas(nlmsghdr) std::array<char, 65536> buffer;
        int error = errno;
        Part part = ask(socket) ? Part::more : Part::failed;
        while (part == Part::more) {
            const ssize_t size = recv(socket.get(), buffer.data(), buffer.size(), 0);
            error = errno;
            part = size > 0 ? parse(buffer.data(), static_cast<std::size_t>(size), entries, error)
                            : Part::failed;
        }
        if (part == Part::failed) {
            const bool absent = error == ENOENT;
            return fail(Exit::kernel,
                        absent ? "this kernel has no unix_diag (CONFIG_UNIX_DIAG)"
                               : fmt::format("socket diagnostics: {}", std::strerror(error)));
        }
        return entries;
    });
}

}  // namespace

UnixEntries unix_sockets(const Fd& process, std::string& why)
{
    auto found = diagnosed(process);
    if (found) {
        return std::move(*found);
    }
    why = found.error().message;
    UnixEntries entries;
    for (auto& [inode, socket] : source::read_unix_table(process)) {
        UnixEntry& entry = entries[inode];
        entry.kind = socket.type == IPCSCOPE_OBJECT_UNIX_STREAM  ? Kind::unix_stream
                     : socket.type == IPCSCOPE_OBJECT_UNIX_DGRAM ? Kind::unix_dgram
                                                                 : Kind::unix_seqpacket;
        entry.address = std::move(socket.address);
    }
    return entries;
}

}  // namespace ipcscope::inspect
