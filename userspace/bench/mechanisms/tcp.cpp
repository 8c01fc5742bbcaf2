// SPDX-License-Identifier: GPL-2.0-only
// TCP over loopback, without Nagle's algorithm, for comparison.
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/socket.hpp"

namespace ipcscope::bench {
namespace {

class TcpPort final : public LoopedPort<TcpPort> {
public:
    explicit TcpPort(int fd) : fd_(fd) {}

    int send(std::span<const std::byte> message) override { return write_all(fd_, message); }
    int receive(std::span<std::byte> message) override { return read_all(fd_, message); }

private:
    int fd_;
};

class TcpChannel final : public Channel {
public:
    explicit TcpChannel(SocketPair pair) : pair_(std::move(pair)) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return std::make_unique<TcpPort>(pair_[end == End::a ? 0 : 1].get());
    }

    int drained() override { return readable(pair_[0]) || readable(pair_[1]) ? EBADMSG : 0; }

private:
    SocketPair pair_;
};

tl::unexpected<Error> no_loopback(const char* call)
{
    // A network namespace starts with its loopback down: no address, no route.
    const bool down = errno == EADDRNOTAVAIL || errno == ENETUNREACH;
    return fail(Exit::kernel, fmt::format("{} 127.0.0.1: {}; {}", call, std::strerror(errno),
                                          down ? "ip link set lo up" : "raise ulimit -n"));
}

bool same_address(const sockaddr_in& a, const sockaddr_in& b)
{
    return a.sin_addr.s_addr == b.sin_addr.s_addr && a.sin_port == b.sin_port;
}

/// Connects to an unused port; another process could connect to it too.
Result<SocketPair> connect_to_self()
{
    const auto address = [](sockaddr_in& in) { return reinterpret_cast<sockaddr*>(&in); };
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(here);
    const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!listener || bind(listener.get(), address(here), length) != 0 ||
        getsockname(listener.get(), address(here), &length) != 0 ||
        listen(listener.get(), 1) != 0) {
        return no_loopback("listen on");
    }
    Fd connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in ours{};
    if (!connected || connect(connected.get(), address(here), length) != 0 ||
        getsockname(connected.get(), address(ours), &length) != 0) {
        return no_loopback("connect to");
    }
    while (true) {
        sockaddr_in theirs{};
        Fd accepted(accept4(listener.get(), address(theirs), &length, SOCK_CLOEXEC));
        if (!accepted && errno != EINTR && errno != ECONNABORTED) {
            return no_loopback("accept on");
        }
        if (accepted && same_address(ours, theirs)) {
            return SocketPair{std::move(connected), std::move(accepted)};
        }
    }
}

Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    auto pair = connect_to_self();
    if (!pair) {
        return tl::unexpected(pair.error());
    }
    for (const Fd& fd : *pair) {
        const int on = 1;
        if (setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
            set_waiting(fd.get(), setup.waiting) != 0) {
            return fail(Exit::kernel, fmt::format("TCP_NODELAY: {}", std::strerror(errno)));
        }
    }
    return std::make_unique<TcpChannel>(std::move(*pair));
}

constexpr Mechanism kMechanisms[] = {
    {.name = "tcp-loopback", .title = "TCP over loopback", .family = Family::tcp,
     .min_message = 1, .max_message = 1 << 20, .single_thread_max = 64 << 10, .spins = true,
     .throughput = true,
     .create = create},
};

}  // namespace

std::span<const Mechanism> tcp_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
