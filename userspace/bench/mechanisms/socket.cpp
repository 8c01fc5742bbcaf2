// SPDX-License-Identifier: GPL-2.0-only
// Unix sockets: a pair, used in both directions.
#include "bench/latency.hpp"
#include "bench/mechanisms/socket.hpp"

#include <cstring>

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"

namespace ipcscope::bench {
namespace {

class StreamPort final : public LoopedPort<StreamPort> {
public:
    explicit StreamPort(int fd) : fd_(fd) {}

    int send(std::span<const std::byte> message) override { return write_all(fd_, message); }
    int receive(std::span<std::byte> message) override { return read_all(fd_, message); }

private:
    int fd_;
};

/// One call receives one packet; a shorter or longer one is an error.
class DatagramPort final : public LoopedPort<DatagramPort> {
public:
    explicit DatagramPort(int fd) : fd_(fd) {}

    int send(std::span<const std::byte> message) override { return write_all(fd_, message); }
    int receive(std::span<std::byte> message) override
    {
        ssize_t size = 0;
        do {
            size = recv(fd_, message.data(), message.size(), MSG_TRUNC);
        } while (size < 0 && again(errno));
        return size < 0 ? errno : size == static_cast<ssize_t>(message.size()) ? 0 : EBADMSG;
    }

private:
    int fd_;
};

template <typename PortType>
class SocketChannel final : public Channel {
public:
    explicit SocketChannel(SocketPair pair) : pair_(std::move(pair)) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return std::make_unique<PortType>(pair_[end == End::a ? 0 : 1].get());
    }

    int drained() override { return readable(pair_[0]) || readable(pair_[1]) ? EBADMSG : 0; }

private:
    SocketPair pair_;
};

template <typename PortType, int kType>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    // A stream keeps short writes whole, as one buffer; longer ones get mixed.
    if (kType == SOCK_STREAM && setup.producers + setup.consumers > 2 &&
        setup.message_bytes > PIPE_BUF) {
        return fail(Exit::usage, fmt::format("a stream with several producers or consumers "
                                             "takes messages of up to {} bytes", PIPE_BUF));
    }
    auto pair = make_socket_pair(kType, setup);
    if (!pair) {
        return tl::unexpected(pair.error());
    }
    return std::make_unique<SocketChannel<PortType>>(std::move(*pair));
}

constexpr Mechanism kMechanisms[] = {
    {.name = "unix-stream", .title = "Unix socket, stream", .family = Family::unix_socket,
     .min_message = 1, .max_message = 1 << 20, .single_thread_max = 64 << 10, .spins = true,
     .throughput = true,
     .mpmc = true, .traced_by = IPCSCOPE_FAMILY_UNIX,
     .create = create<StreamPort, SOCK_STREAM>},
    {.name = "unix-dgram", .title = "Unix socket, datagrams", .family = Family::unix_socket,
     .min_message = 1, .max_message = 1 << 20, .default_max = kMaxDatagram, .spins = true,
     .throughput = true, .mpmc = true,
     .traced_by = IPCSCOPE_FAMILY_UNIX, .create = create<DatagramPort, SOCK_DGRAM>},
    {.name = "unix-seqpacket", .title = "Unix socket, sequenced packets",
     .family = Family::unix_socket, .min_message = 1, .max_message = 1 << 20,
     .default_max = kMaxDatagram, .spins = true, .throughput = true, .mpmc = true,
     .traced_by = IPCSCOPE_FAMILY_UNIX, .create = create<DatagramPort, SOCK_SEQPACKET>},
};

/// Makes the send buffer large enough for a datagram.  @return 0 or EMSGSIZE
int fit_send_buffer(int fd, std::size_t message_bytes)
{
    const std::size_t needed = message_bytes + kSendBufferKept;
    int size = 0;
    socklen_t length = sizeof(size);
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
    if (static_cast<std::size_t>(size) >= needed) {
        return 0;
    }
    // The kernel doubles what it is given and answers with that.
    const int wanted = static_cast<int>(needed / 2 + 1);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
    return static_cast<std::size_t>(size) >= needed ? 0 : EMSGSIZE;
}

}  // namespace

Result<SocketPair> make_socket_pair(int type, const Setup& setup)
{
    const int nonblocking = setup.waiting == WaitMode::spin ? SOCK_NONBLOCK : 0;
    int fds[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | nonblocking, 0, fds) != 0) {
        return fail(Exit::kernel, fmt::format("socketpair: {}; raise ulimit -n",
                                              std::strerror(errno)));
    }
    SocketPair pair{Fd(fds[0]), Fd(fds[1])};
    for (const Fd& fd : pair) {
        if (type != SOCK_STREAM && fit_send_buffer(fd.get(), setup.message_bytes) != 0) {
            return fail(Exit::kernel,
                        fmt::format("a send buffer for {} bytes: too large; sysctl "
                                    "net.core.wmem_max={}", setup.message_bytes,
                                    setup.message_bytes / 2 + kSendBufferKept));
        }
    }
    return pair;
}

bool readable(const Fd& fd)
{
    pollfd wanted{.fd = fd.get(), .events = POLLIN, .revents = 0};
    return poll(&wanted, 1, 0) != 0;
}

std::span<const Mechanism> socket_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
