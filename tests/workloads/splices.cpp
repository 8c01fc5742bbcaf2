// SPDX-License-Identifier: GPL-2.0-only
// Pipes whose every splice, tee, vmsplice, sendfile, open and resize is known.
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr std::size_t kPage = 4096;
constexpr ssize_t kBytes = 13;

/// fact: NAME inode device, the latter as the kernel writes it.
void report_object(const std::string& name, int fd)
{
    struct stat info {};
    MUST(fstat(fd, &info) == 0);
    const std::uint64_t device = (static_cast<std::uint64_t>(major(info.st_dev)) << 20) |
                                 minor(info.st_dev);
    fact(name, {info.st_ino, device});
}

struct Ends {
    int read_fd = -1;
    int write_fd = -1;
    explicit Ends(const std::string& name)
    {
        std::array<int, 2> fds{};
        MUST(pipe2(fds.data(), O_CLOEXEC) == 0);
        read_fd = fds[0];
        write_fd = fds[1];
        report_object(name, read_fd);
    }
    Ends(const Ends&) = delete;
    ~Ends()
    {
        close_reader();
        close_writer();
    }
    void close_reader() { read_fd = read_fd >= 0 ? (close(read_fd), -1) : -1; }
    void close_writer() { write_fd = write_fd >= 0 ? (close(write_fd), -1) : -1; }
    void put(std::size_t size = kBytes) const
    {
        const std::vector<char> data(size, 'x');
        MUST(write(write_fd, data.data(), size) == static_cast<ssize_t>(size));
    }
    void get(std::size_t size = kBytes) const
    {
        std::vector<char> data(size);
        MUST(read(read_fd, data.data(), size) == static_cast<ssize_t>(size));
    }
};

ssize_t move(int from, int to, unsigned flags = 0)
{
    return splice(from, nullptr, to, nullptr, kBytes, flags);
}

int file_of_bytes(const std::string& name)
{
    const int fd = memfd_create("bytes", MFD_CLOEXEC);
    MUST(fd >= 0 && ftruncate(fd, kBytes) == 0);
    report_object(name, fd);
    return fd;
}

void between_pipes()
{
    const Ends from("moved_from"), to("moved_to");
    for (int i = 0; i < 97; ++i) {
        from.put();
        MUST(move(from.read_fd, to.write_fd) == kBytes);
        to.get();
    }
}

void copies()
{
    const Ends from("copied_from"), to("copied_to");
    from.put();
    for (int i = 0; i < 31; ++i) {
        MUST(tee(from.read_fd, to.write_fd, kBytes, 0) == kBytes);
        to.get();
    }
    from.get();
}

void user_memory()
{
    const Ends ends("memory");
    std::array<char, kBytes> bytes{};
    std::array<iovec, 2> two{iovec{bytes.data(), 5}, iovec{bytes.data() + 5, 8}};
    const iovec one{bytes.data(), bytes.size()};
    for (int i = 0; i < 37; ++i) {
        MUST(vmsplice(ends.write_fd, two.data(), two.size(), 0) == kBytes);
        MUST(vmsplice(ends.read_fd, &one, 1, 0) == kBytes);
    }
}

void files()
{
    const Ends ends("files");
    const int file = file_of_bytes("file");
    for (int i = 0; i < 17; ++i) {
        off_t at = 0;
        MUST(sendfile(ends.write_fd, file, &at, kBytes) == kBytes);
        loff_t to = 0;
        MUST(splice(ends.read_fd, nullptr, file, &to, kBytes, 0) == kBytes);
    }
    for (int i = 0; i < 11; ++i) {
        loff_t at = 0;
        MUST(splice(file, &at, ends.write_fd, nullptr, kBytes, 0) == kBytes);
        ends.get();
    }
    close(file);
}

void refused()
{
    const Ends empty("refused_empty"), to("refused_to");
    for (int i = 0; i < 5; ++i) {
        MUST(move(empty.read_fd, to.write_fd, SPLICE_F_NONBLOCK) < 0 && errno == EAGAIN);
    }
    const Ends from("refused_from"), full("refused_full");
    MUST(fcntl(full.write_fd, F_SETPIPE_SZ, 2 * kPage) == static_cast<int>(2 * kPage));
    full.put(2 * kPage);
    from.put();
    for (int i = 0; i < 7; ++i) {
        MUST(move(from.read_fd, full.write_fd, SPLICE_F_NONBLOCK) < 0 && errno == EAGAIN);
    }
    std::signal(SIGPIPE, SIG_IGN);
    Ends broken("broken");
    broken.close_reader();
    for (int i = 0; i < 3; ++i) {
        MUST(move(from.read_fd, broken.write_fd) < 0 && errno == EPIPE);
    }
    Ends ended("ended");
    ended.close_writer();
    for (int i = 0; i < 3; ++i) {
        MUST(move(ended.read_fd, to.write_fd) == 0);
    }
}

/// A child that waits in its splice, for the one or the other; for room only when there are bytes.
void blocked()
{
    const Ends from("waits_for_bytes"), to("waits_for_room"), go("go");
    const pid_t mover = child("mover", [&] {
        for (int i = 0; i < 10; ++i) {
            if (i >= 5) go.get(1);
            MUST(move(from.read_fd, to.write_fd) == kBytes);
        }
        return 0;
    });
    fact("mover", {static_cast<std::uint64_t>(mover)});
    for (int i = 0; i < 5; ++i) {
        wait_state(mover, 'S');
        sleep_ms(10);
        from.put();
        to.get();
    }
    wait_state(mover, 'S');
    MUST(fcntl(to.write_fd, F_SETPIPE_SZ, kPage) == static_cast<int>(kPage));
    for (int i = 0; i < 5; ++i) {
        to.put(kPage);
        from.put();
        go.put(1);
        sleep_ms(5);
        wait_state(mover, 'S');
        sleep_ms(10);
        to.get(kPage);
        to.get();
    }
    MUST(reap(mover) == 0);
}

/// What is spliced comes from a socket, and is waited for there: with the pipe's lock held,
/// so that the pipe is not read before the splice is over.
void socket()
{
    std::array<int, 2> fds{};
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    report_object("socket", fds[1]);
    const Ends ends("from_socket");
    const std::array<char, kBytes> bytes{};
    for (int i = 0; i < 7; ++i) {
        const pid_t mover = child("mover", [&] {
            MUST(move(fds[1], ends.write_fd) == kBytes);
            return 0;
        });
        wait_state(mover, 'S');
        sleep_ms(10);
        MUST(write(fds[0], bytes.data(), bytes.size()) == kBytes);
        MUST(reap(mover) == 0);
        ends.get();
    }
    close(fds[0]);
    close(fds[1]);
}

/// argument: a directory.
void opens(const std::string& directory)
{
    const std::string path = directory + "/fifo";
    MUST(mkfifo(path.c_str(), 0600) == 0);
    struct stat info {};
    MUST(stat(path.c_str(), &info) == 0);
    fact("fifo", {info.st_ino, (static_cast<std::uint64_t>(major(info.st_dev)) << 20) |
                                   minor(info.st_dev)});
    for (int i = 0; i < 5; ++i) {
        const pid_t reader = child("opens", [&] {
            const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
            MUST(fd >= 0);
            return 0;
        });
        wait_state(reader, 'S');
        sleep_ms(10);
        const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        MUST(fd >= 0);
        MUST(reap(reader) == 0);
        close(fd);
    }
    MUST(open(path.c_str(), O_WRONLY | O_NONBLOCK) < 0 && errno == ENXIO);
}

}  // namespace

int splice_fields(const Arguments& arguments)
{
    name_thread("director");
    fact("director", {static_cast<std::uint64_t>(getpid())});
    between_pipes();
    copies();
    user_memory();
    files();
    refused();
    blocked();
    socket();
    opens(arguments.at(0));
    return 0;
}

}  // namespace ipcscope::workload
