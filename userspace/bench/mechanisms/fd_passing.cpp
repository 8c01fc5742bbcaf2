// SPDX-License-Identifier: GPL-2.0-only
// Passes a file descriptor with each message (SCM_RIGHTS).
#include <array>
#include <cstring>

#include <sys/mman.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/socket.hpp"

namespace ipcscope::bench {
namespace {

/// Open files that are sent in turn.  Each has a different file position, which is part
/// of the open file description and the cheapest way to identify it.
constexpr unsigned kSentFiles = 8;
using SentFiles = std::array<Fd, kSentFiles>;

off_t position_of(std::uint32_t number) { return 1000 + number % kSentFiles; }

/// Room for one surplus descriptor, so that it is detected.
struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(2 * sizeof(int))> bytes{};
};

class RightsPort final : public LoopedPort<RightsPort> {
public:
    RightsPort(int socket, const SentFiles& files) : socket_(socket), files_(files)
    {
    }

    int send(std::span<const std::byte> message) override
    {
        iovec part{const_cast<std::byte*>(message.data()), message.size()};
        Control control;
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.bytes.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int));
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = files_[sent_++ % kSentFiles].get();
        std::memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
        ssize_t size = 0;
        do {
            size = sendmsg(socket_, &header, MSG_NOSIGNAL);
        } while (size < 0 && again(errno));
        return size < 0 ? errno : 0;
    }

    int receive(std::span<std::byte> message) override
    {
        iovec part{message.data(), message.size()};
        Control control;
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        ssize_t size = 0;
        do {
            header.msg_control = control.bytes.data();
            header.msg_controllen = control.bytes.size();
            size = recvmsg(socket_, &header, MSG_CMSG_CLOEXEC | MSG_TRUNC);
        } while (size < 0 && again(errno));
        if (size < 0) {
            return errno;
        }
        const bool whole = size == static_cast<ssize_t>(message.size());
        return take_descriptors(header) && whole ? 0 : EBADMSG;
    }

private:
    /// Closes the received descriptors; true if exactly the one that was sent arrived.
    bool take_descriptors(msghdr& header)
    {
        const off_t expected = position_of(received_++);
        const cmsghdr* rights = CMSG_FIRSTHDR(&header);
        if (!rights || rights->cmsg_type != SCM_RIGHTS) {
            return false;
        }
        const std::size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        bool same = count == 1 && !(header.msg_flags & MSG_CTRUNC);
        for (std::size_t i = 0; i < count; i++) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof(fd), sizeof(fd));
            same = lseek(fd, 0, SEEK_CUR) == expected && same;
            close(fd);
        }
        return same;
    }

    int socket_;
    const SentFiles& files_;
    std::uint32_t sent_ = 0;
    std::uint32_t received_ = 0;
};

class RightsChannel final : public Channel {
public:
    RightsChannel(SocketPair pair, SentFiles files)
        : pair_(std::move(pair)), files_(std::move(files))
    {
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return std::make_unique<RightsPort>(pair_[end == End::a ? 0 : 1].get(), files_);
    }

    int drained() override { return readable(pair_[0]) || readable(pair_[1]) ? EBADMSG : 0; }

private:
    SocketPair pair_;
    SentFiles files_;
};

Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    auto pair = make_socket_pair(SOCK_SEQPACKET, setup);
    if (!pair) {
        return tl::unexpected(pair.error());
    }
    SentFiles files;
    for (std::uint32_t i = 0; i < kSentFiles; i++) {
        files[i].reset(memfd_create("ipcscope-file", MFD_CLOEXEC));
        if (!files[i] || lseek(files[i].get(), position_of(i), SEEK_SET) < 0) {
            return fail(Exit::kernel, fmt::format("memfd_create: {}; raise ulimit -n",
                                                  std::strerror(errno)));
        }
    }
    return std::make_unique<RightsChannel>(std::move(*pair), std::move(files));
}

constexpr Mechanism kMechanisms[] = {
    {.name = "scm-rights", .title = "Unix socket, a descriptor passed (SCM_RIGHTS)",
     .family = Family::unix_socket, .min_message = 1, .max_message = 1 << 20,
     .default_max = kMaxDatagram, .spins = true, .throughput = true,
     .traced_by = IPCSCOPE_FAMILY_UNIX, .create = create},
};

}  // namespace

std::span<const Mechanism> fd_passing_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
