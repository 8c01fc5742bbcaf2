// SPDX-License-Identifier: GPL-2.0-only
// Pipes, packet pipes (O_DIRECT) and FIFOs: one for each direction.
#include <array>
#include <cstring>

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/pipe_pair.hpp"
#include "bench/name_registry.hpp"

namespace ipcscope::bench {
namespace {

class PipePort final : public LoopedPort<PipePort> {
public:
    PipePort(int in, int out) : in_(in), out_(out) {}

    int send(std::span<const std::byte> message) override { return write_all(out_, message); }
    int receive(std::span<std::byte> message) override { return read_all(in_, message); }

private:
    int in_;
    int out_;
};

/// A read returns one packet; a shorter or longer one is an error.
class PacketPort final : public LoopedPort<PacketPort> {
public:
    PacketPort(int in, int out) : in_(in), out_(out) {}

    int send(std::span<const std::byte> message) override { return write_all(out_, message); }
    int receive(std::span<std::byte> message) override
    {
        ssize_t size = 0;
        do {
            size = read(in_, message.data(), message.size());
        } while (size < 0 && again(errno));
        return size < 0 ? errno : size == static_cast<ssize_t>(message.size()) ? 0 : EBADMSG;
    }

private:
    int in_;
    int out_;
};

template <typename PortType>
class PipeChannel final : public Channel {
public:
    explicit PipeChannel(std::array<Pipe, 2> pipes) : pipes_(std::move(pipes)) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return std::make_unique<PortType>(pipes_.in(end).reader.get(),
                                          pipes_.out(end).writer.get());
    }

    int drained() override { return pipes_.drained(); }

private:
    PipePair pipes_;
};

/// How one of the two pipes is made.
using Make = Result<Pipe> (*)(NameRegistry& names);

template <int kFlags>
Result<Pipe> make_unnamed(NameRegistry&)
{
    return make_pipe(kFlags);
}

Result<Pipe> make_fifo(NameRegistry& names)
{
    auto name = names.reserve(NameRegistry::Kind::file);
    if (!name) {
        return tl::unexpected(name.error());
    }
    const char* path = name->name().c_str();
    if (mkfifo(path, 0600) != 0) {
        return fail(Exit::kernel, fmt::format("mkfifo {}: {}; set TMPDIR to a directory "
                                              "that takes FIFOs", path, std::strerror(errno)));
    }
    // A reader that does not wait for a writer, then a writer that finds it.
    Fd reader(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    Fd writer(open(path, O_WRONLY | O_CLOEXEC));
    if (!reader || !writer || fcntl(reader.get(), F_SETFL, O_RDONLY) != 0) {
        return fail(Exit::kernel, fmt::format("open {}: {}", path, std::strerror(errno)));
    }
    return Pipe{std::move(reader), std::move(writer)};
}

template <typename PortType, Make kMake>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    if (auto whole = check_not_mixed(setup); !whole) {
        return tl::unexpected(whole.error());
    }
    std::array<Pipe, 2> pipes;
    for (Pipe& pipe : pipes) {
        auto made = kMake(setup.names);
        if (!made) {
            return tl::unexpected(made.error());
        }
        pipe = std::move(*made);
        for (const Fd* fd : {&pipe.reader, &pipe.writer}) {
            if (const int error = set_waiting(fd->get(), setup.waiting)) {
                return fail(Exit::kernel, fmt::format("O_NONBLOCK: {}", std::strerror(error)));
            }
        }
    }
    return std::make_unique<PipeChannel<PortType>>(std::move(pipes));
}

constexpr std::size_t kMegabyte = 1 << 20;
constexpr std::size_t kHeld = 64 << 10;   ///< a new pipe's 16 pages of 4 KiB

constexpr Mechanism kMechanisms[] = {
    {.name = "pipe", .title = "pipe", .family = Family::pipe, .min_message = 1,
     .max_message = kMegabyte, .single_thread_max = kHeld, .spins = true, .throughput = true,
     .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<PipePort, make_unnamed<0>>},
    {.name = "pipe-packet", .title = "pipe, packets (O_DIRECT)", .family = Family::pipe,
     .min_message = 1, .max_message = PIPE_BUF, .spins = true, .throughput = true,
     .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<PacketPort, make_unnamed<O_DIRECT>>},
    {.name = "fifo", .title = "FIFO (named pipe)", .family = Family::pipe, .min_message = 1,
     .max_message = kMegabyte, .single_thread_max = kHeld, .spins = true, .throughput = true,
     .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<PipePort, make_fifo>},
};

}  // namespace

std::span<const Mechanism> pipe_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
