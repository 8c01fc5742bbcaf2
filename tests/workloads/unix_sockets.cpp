// SPDX-License-Identifier: GPL-2.0-only
// Unix-domain sockets whose every call is known.
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr unsigned kFew = 13, kMany = 103, kWaited = 17, kQueued = 19, kFull = 11, kAccepted = 7;
constexpr std::size_t kBytes = 10;

struct Pair {
    int a;
    int b;
};

std::uint64_t inode(int fd)
{
    struct stat file {};
    MUST(fstat(fd, &file) == 0);
    return file.st_ino;
}

std::uint64_t option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    MUST(getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0);
    return static_cast<std::uint64_t>(value);
}

std::uint64_t queued(int fd, unsigned long request)
{
    int value = 0;
    MUST(ioctl(fd, request, &value) == 0);
    return static_cast<std::uint64_t>(value);
}

/// fact: NAME inode of a, of b, their limits of sending and receiving.
Pair make_pair(const char* name, int type)
{
    int ends[2];
    MUST(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    fact(name, {inode(ends[0]), inode(ends[1]), option(ends[0], SO_SNDBUF),
                option(ends[0], SO_RCVBUF)});
    return {ends[0], ends[1]};
}

const char kData[65536] = {};

void put(int fd, std::size_t bytes, int flags = 0)
{
    MUST(send(fd, kData, bytes, flags) == static_cast<ssize_t>(bytes));
}

void get(int fd, std::size_t bytes, int flags = 0)
{
    char data[64];
    MUST(recv(fd, data, sizeof data, flags) == static_cast<ssize_t>(bytes));
}

void in_turn(const char* name, int type)
{
    const Pair pair = make_pair(name, type);
    for (unsigned i = 0; i < kMany; ++i) {
        put(pair.a, kBytes);
        get(pair.b, kBytes);
    }
}

/// Each system call that sends or receives.
void every_way()
{
    const Pair pair = make_pair("every_way", SOCK_STREAM);
    char data[64];
    iovec from{const_cast<char*>(kData), kBytes}, to{data, sizeof data};
    msghdr out{}, in{};
    out.msg_iov = &from;
    in.msg_iov = &to;
    out.msg_iovlen = in.msg_iovlen = 1;
    const auto ten = static_cast<ssize_t>(kBytes);
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(write(pair.a, kData, kBytes) == ten && read(pair.b, data, sizeof data) == ten);
        MUST(writev(pair.a, &from, 1) == ten && readv(pair.b, &to, 1) == ten);
        MUST(sendto(pair.a, kData, kBytes, 0, nullptr, 0) == ten);
        MUST(recvfrom(pair.b, data, sizeof data, 0, nullptr, nullptr) == ten);
        MUST(sendmsg(pair.a, &out, 0) == ten && recvmsg(pair.b, &in, 0) == ten);
    }
}

/// More messages than are looked at.  fact: NAME_before what is queued before a send, as the
/// kernel counts it.
void queue(const char* name, int type)
{
    const Pair pair = make_pair(name, type);
    for (unsigned i = 0; i < kQueued; ++i) {
        fact(std::string(name) + "_before", {queued(pair.a, SIOCOUTQ)});
        put(pair.a, 7, MSG_DONTWAIT);
    }
    char some[3];
    for (unsigned i = 0; i < kQueued; ++i) {
        MUST(recv(pair.b, some, sizeof some, 0) == sizeof some);
    }
}

void peek()
{
    const Pair pair = make_pair("peek", SOCK_STREAM);
    put(pair.a, kBytes);
    for (unsigned i = 0; i < kFew; ++i) {
        get(pair.b, kBytes, MSG_PEEK);
    }
    get(pair.b, kBytes);
}

void errors()
{
    const Pair pair = make_pair("errors", SOCK_STREAM);
    char data[64];
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(recv(pair.b, data, sizeof data, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    }
    MUST(fcntl(pair.b, F_SETFL, O_NONBLOCK) == 0);
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(read(pair.b, data, sizeof data) < 0 && errno == EAGAIN);
    }
    put(pair.a, kBytes);
    close(pair.a);
    get(pair.b, kBytes);
    for (unsigned i = 0; i < kFew; ++i) {
        get(pair.b, 0);
        MUST(send(pair.b, kData, kBytes, MSG_NOSIGNAL) < 0 && errno == EPIPE);
    }
}

/// A child sleeps in each receive.
void blocked(const char* name, int type)
{
    const Pair pair = make_pair(name, type);
    const pid_t reader = child("receives", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            get(pair.b, kBytes);
        }
        return 0;
    });
    fact(std::string(name) + "_by", {static_cast<std::uint64_t>(reader)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(reader, 'S');
        sleep_ms(10);
        put(pair.a, kBytes);
    }
    MUST(reap(reader) == 0);
}

/// A child sleeps in each send, until the queue has been emptied.
void full(const char* name, int type)
{
    const Pair pair = make_pair(name, type);
    Shared* shared = share();
    const pid_t sender = child("sends", [&] {
        for (unsigned i = 0; i < kFull; ++i) {
            wait_until(shared->step, i + 1);
            shared->handled = i + 1;
            put(pair.a, kBytes);
        }
        return 0;
    });
    fact(std::string(name) + "_by", {static_cast<std::uint64_t>(sender)});
    char data[64];
    for (unsigned i = 0; i < kFull; ++i) {
        while (send(pair.a, kData, sizeof data, MSG_DONTWAIT) > 0) {
        }
        MUST(errno == EAGAIN);
        fact(std::string(name) + "_before", {queued(pair.a, SIOCOUTQ)});
        announce(shared->step, i + 1);
        wait_until(shared->handled, i + 1);
        wait_state(sender, 'S');
        sleep_ms(10);
        for (bool sent = false; !sent;) {
            const ssize_t got = recv(pair.b, data, sizeof data, 0);
            MUST(got > 0);
            sent = got % static_cast<ssize_t>(sizeof data) == static_cast<ssize_t>(kBytes);
        }
    }
    MUST(reap(sender) == 0);
}

struct Address {
    sockaddr_un text{};
    socklen_t size = 0;
};

/// Abstract, of bytes that no text has.
Address abstract_address(char last)
{
    Address address;
    address.text.sun_family = AF_UNIX;
    const char name[] = {'\0', 'i', 'p', 'c', '\x1b', '\n', '\0', '\xff', last};
    std::memcpy(address.text.sun_path, name, sizeof name);
    address.size = offsetof(sockaddr_un, sun_path) + sizeof name;
    return address;
}

const sockaddr* of(const Address& address)
{
    return reinterpret_cast<const sockaddr*>(&address.text);
}

int listener(const char* name, const Address& address, int type, int backlog)
{
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && bind(fd, of(address), address.size) == 0 && listen(fd, backlog) == 0);
    fact(name, {inode(fd)});
    return fd;
}

int connect_to(const char* name, const Address& address, int type)
{
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    fact(name, {inode(fd)});
    MUST(connect(fd, of(address), address.size) == 0);
    return fd;
}

void take_connection(const char* name, int listening)
{
    const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    MUST(fd >= 0);
    fact(name, {inode(fd)});
    close(fd);
}

/// One connection may wait: each of a child's but the first sleeps until the one before it
/// was accepted.
void blocked_connect()
{
    const Address address = abstract_address('c');
    const int listening = listener("connected_to", address, SOCK_STREAM, 0);
    const pid_t connects = child("connects", [&] {
        for (unsigned i = 0; i <= kAccepted; ++i) {
            close(connect_to("connecting", address, SOCK_STREAM));
        }
        return 0;
    });
    fact("connects", {static_cast<std::uint64_t>(connects)});
    for (unsigned i = 0; i < kAccepted; ++i) {
        wait_state(connects, 'S');
        sleep_ms(10);
        take_connection("accepted", listening);
    }
    MUST(reap(connects) == 0);
    take_connection("accepted", listening);
    MUST(fcntl(listening, F_SETFL, O_NONBLOCK) == 0);
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(accept(listening, nullptr, nullptr) < 0 && errno == EAGAIN);
    }
}

/// A child sleeps in each accept.
void blocked_accept()
{
    const Address address = abstract_address('a');
    const int listening = listener("accepting", address, SOCK_SEQPACKET, 5);
    const pid_t accepts = child("accepts", [&] {
        for (unsigned i = 0; i < kAccepted; ++i) {
            take_connection("taken", listening);
        }
        return 0;
    });
    fact("accepts", {static_cast<std::uint64_t>(accepts)});
    for (unsigned i = 0; i < kAccepted; ++i) {
        wait_state(accepts, 'S');
        sleep_ms(10);
        close(connect_to("offered", address, SOCK_SEQPACKET));
    }
    MUST(reap(accepts) == 0);
}

/// Datagrams from a socket that has no address and is not connected.
void unconnected()
{
    const Address address = abstract_address('d');
    const int bound = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    MUST(bound >= 0 && from >= 0 && bind(bound, of(address), address.size) == 0);
    fact("unconnected", {inode(from), inode(bound), option(from, SO_SNDBUF),
                         option(from, SO_RCVBUF)});
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(sendto(from, kData, kBytes, 0, of(address), address.size) ==
             static_cast<ssize_t>(kBytes));
        get(bound, kBytes);
    }
}

void pass(int to, const std::vector<int>& fds)
{
    std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
    iovec data{const_cast<char*>(kData), kBytes};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    MUST(sendmsg(to, &message, 0) == static_cast<ssize_t>(kBytes));
}

/// `room`: for so many descriptors.
std::vector<int> take(int from, unsigned room)
{
    std::vector<char> control(room == 0 ? 0 : CMSG_LEN(room * sizeof(int)));
    char bytes[64];
    iovec data{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    MUST(recvmsg(from, &message, 0) == static_cast<ssize_t>(kBytes));
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    const std::size_t count = header == nullptr ? 0 : (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::vector<int> taken(count);
    if (count != 0) {
        std::memcpy(taken.data(), CMSG_DATA(header), count * sizeof(int));
    }
    return taken;
}

/// Three are passed to one that has room for all, for one, for none, and that never asks.
void descriptors(const char* name, int type)
{
    const Pair pair = make_pair(name, type);
    for (const unsigned room : {3u, 1u, 0u}) {
        pass(pair.a, {pair.a, pair.a, pair.a});
        for (const int fd : take(pair.b, room)) {
            close(fd);
        }
    }
    pass(pair.a, {pair.a, pair.a, pair.a});
    close(pair.a);
    close(pair.b);
}

std::uint16_t port_of(int socket)
{
    sockaddr_in address{};
    socklen_t size = sizeof address;
    MUST(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
}

/// One of each kind, in the order of the test's.
void kinds_of_descriptors()
{
    const Pair pair = make_pair("fd_kinds", SOCK_SEQPACKET);
    const int tcp = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listen(tcp, 1) == 0);
    int pipes[2];
    MUST(pipe(pipes) == 0);
    const std::vector<int> fds{tcp,
                               socket(AF_INET6, SOCK_DGRAM, 0),
                               pair.b,
                               eventfd(0, 0),
                               memfd_create("kept", 0),
                               pipes[0],
                               open("/dev/null", O_RDONLY)};
    pass(pair.a, fds);
    fact("fd_kinds_port", {port_of(tcp)});
    for (const int fd : take(pair.b, 16)) {
        struct stat file {};
        MUST(fstat(fd, &file) == 0);
        fact("fd_kinds_taken", {static_cast<std::uint64_t>(fd), file.st_ino});
        close(fd);
    }
}

/// From the socket into a pipe, and from a pipe into the socket.
void spliced()
{
    const Pair pair = make_pair("spliced", SOCK_STREAM);
    int pipes[2];
    MUST(pipe(pipes) == 0);
    const auto ten = static_cast<ssize_t>(kBytes);
    char data[64];
    for (unsigned i = 0; i < kFew; ++i) {
        put(pair.a, kBytes);
        MUST(splice(pair.b, nullptr, pipes[1], nullptr, kBytes, 0) == ten);
        MUST(splice(pipes[0], nullptr, pair.a, nullptr, kBytes, 0) == ten);
        MUST(recv(pair.b, data, sizeof data, 0) == ten);
    }
}

}  // namespace

int unix_fields(const Arguments&)
{
    name_thread("director");
    fact("director", {static_cast<std::uint64_t>(getpid())});
    in_turn("stream", SOCK_STREAM);
    in_turn("dgram", SOCK_DGRAM);
    in_turn("seqpacket", SOCK_SEQPACKET);
    every_way();
    queue("stream_queue", SOCK_STREAM);
    queue("seqpacket_queue", SOCK_SEQPACKET);
    peek();
    errors();
    blocked("stream_wait", SOCK_STREAM);
    blocked("dgram_wait", SOCK_DGRAM);
    blocked("seqpacket_wait", SOCK_SEQPACKET);
    full("stream_full", SOCK_STREAM);
    full("seqpacket_full", SOCK_SEQPACKET);
    blocked_connect();
    blocked_accept();
    unconnected();
    descriptors("stream_fds", SOCK_STREAM);
    descriptors("dgram_fds", SOCK_DGRAM);
    descriptors("seqpacket_fds", SOCK_SEQPACKET);
    kinds_of_descriptors();
    spliced();
    return 0;
}

}  // namespace ipcscope::workload
