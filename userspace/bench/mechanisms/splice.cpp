// SPDX-License-Identifier: GPL-2.0-only
// Pipes that are filled without a copy: by splice, vmsplice and tee.  The
// receiver reads as from any pipe.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/pipe_pair.hpp"
#include "bench/mechanisms/shared_area.hpp"

namespace ipcscope::bench {
namespace {

/// The parameters of a port.
struct Ends {
    int in;
    const Pipe* out;
    std::size_t message_bytes;
    unsigned flags;        ///< SPLICE_F_NONBLOCK where it spins
};

/// A pipe of the sender's own, into which it writes what then moves on.
class Relay {
public:
    explicit Relay(Pipe pipe) : pipe_(std::move(pipe)), chunk_(pipe_.capacity()) {}
    int source() const { return pipe_.reader.get(); }
    /// `move` takes a part of so many bytes on; 0, or an errno.
    template <typename Move>
    int send(std::span<const std::byte> message, const Move& move)
    {
        int error = 0;
        while (!message.empty() && !error) {
            const auto part = message.first(std::min(message.size(), chunk_));
            message = message.subspan(part.size());
            error = write_all(pipe_.writer.get(), part);
            if (!error) {
                error = move_all(part.size(), [&](std::size_t, std::size_t left) {
                    return move(left);
                });
            }
        }
        return error;
    }

private:
    Pipe pipe_;
    std::size_t chunk_;   ///< what the pipe takes without blocking
};

/// Goes through a pipe of the sender's own, as in a relay: the message is
/// written into that one and its pages move on.
class SplicePort final : public LoopedPort<SplicePort> {
public:
    static Result<std::unique_ptr<Port>> make(const Ends& ends)
    {
        auto own = make_pipe(0);
        if (!own) {
            return tl::unexpected(own.error());
        }
        return std::make_unique<SplicePort>(ends, std::move(*own));
    }
    SplicePort(const Ends& ends, Pipe own)
        : ends_(ends), own_(std::move(own))
    {
    }

    int send(std::span<const std::byte> message) override
    {
        return own_.send(message, [this](std::size_t left) {
            return splice(own_.source(), nullptr, ends_.out->writer.get(), nullptr, left,
                          ends_.flags);
        });
    }
    int receive(std::span<std::byte> message) override { return read_all(ends_.in, message); }

private:
    Ends ends_;
    Relay own_;
};

/// The message is written into a pipe of the sender's own, whose pages the other
/// pipe then shares; the first copy is discarded.
class TeePort final : public LoopedPort<TeePort> {
public:
    static Result<std::unique_ptr<Port>> make(const Ends& ends)
    {
        Fd sink(open("/dev/null", O_WRONLY | O_CLOEXEC));
        if (!sink) {
            return fail(Exit::kernel, fmt::format("open /dev/null: {}",
                                                  std::strerror(errno)));
        }
        auto own = make_pipe(0);
        if (!own) {
            return tl::unexpected(own.error());
        }
        return std::make_unique<TeePort>(ends, std::move(*own), std::move(sink));
    }
    TeePort(const Ends& ends, Pipe own, Fd sink)
        : ends_(ends), own_(std::move(own)), sink_(std::move(sink))
    {
    }

    int send(std::span<const std::byte> message) override
    {
        return own_.send(message, [this](std::size_t left) { return share(left); });
    }
    int receive(std::span<std::byte> message) override { return read_all(ends_.in, message); }

private:
    /// tee() starts at the first byte each time: what it took has to go.  It
    /// returns 0 where another producer filled the pipe between its wait for room
    /// and its lock on it.
    ssize_t share(std::size_t bytes)
    {
        ssize_t shared = 0;
        do {
            shared = tee(own_.source(), ends_.out->writer.get(), bytes, ends_.flags);
        } while (shared == 0);
        if (shared > 0) {
            const int error = move_all(static_cast<std::size_t>(shared),
                                       [this](std::size_t, std::size_t left) {
                return splice(own_.source(), nullptr, sink_.get(), nullptr, left, 0);
            });
            if (error) {
                errno = error;
                return -1;
            }
        }
        return shared;
    }

    Ends ends_;
    Relay own_;
    Fd sink_;
};

constexpr std::size_t kPage = 4096;

/// The pipe refers to pages of the sender, which must not be written before they
/// have been read, while the message is the caller's again when send() returns:
/// it is copied into one of more places than the pipe has slots to refer to.
/// What the pipe refers to outlives the mapping.
class VmsplicePort final : public LoopedPort<VmsplicePort> {
public:
    static Result<std::unique_ptr<Port>> make(const Ends& ends)
    {
        // Small messages share pages, but none crosses a page: one slot each.
        const std::size_t size = ends.message_bytes;
        const std::size_t place_bytes =
            size > kPage ? round_up(size, kPage)
                         : std::bit_ceil(std::max<std::size_t>(size, 64));
        const std::size_t slots = std::max<std::size_t>(place_bytes / kPage, 1);
        const std::size_t places = (ends.out->capacity() / kPage + slots - 1) / slots + 1;
        auto memory = map_private(places * place_bytes);
        if (!memory) {
            return tl::unexpected(memory.error());
        }
        return std::make_unique<VmsplicePort>(ends, std::move(*memory), place_bytes, places);
    }
    VmsplicePort(const Ends& ends, SharedArea memory, std::size_t place_bytes,
                 std::size_t places)
        : ends_(ends), memory_(std::move(memory)), place_bytes_(place_bytes), places_(places)
    {
    }

    int send(std::span<const std::byte> message) override
    {
        std::byte* place = memory_.get() + next_ * place_bytes_;
        next_ = next_ + 1 == places_ ? 0 : next_ + 1;
        std::memcpy(place, message.data(), message.size());
        return move_all(message.size(), [&](std::size_t at, std::size_t left) {
            const iovec part{place + at, left};
            return vmsplice(ends_.out->writer.get(), &part, 1, ends_.flags);
        });
    }
    int receive(std::span<std::byte> message) override { return read_all(ends_.in, message); }

private:
    static Result<SharedArea> map_private(std::size_t bytes)
    {
        void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) {
            return fail(Exit::kernel, fmt::format("mmap of {} bytes: {}; raise ulimit -v",
                                                  bytes, std::strerror(errno)));
        }
        return SharedArea(static_cast<std::byte*>(memory), Unmap{.bytes = bytes});
    }

    Ends ends_;
    SharedArea memory_;
    std::size_t place_bytes_;
    std::size_t places_;
    std::size_t next_ = 0;
};

/// [0] leads from a to b, [1] back.
template <typename PortType>
class SpliceChannel final : public Channel {
public:
    SpliceChannel(std::array<Pipe, 2> pipes, const Setup& setup)
        : pipes_(std::move(pipes)), message_bytes_(setup.message_bytes),
          spins_(setup.waiting == WaitMode::spin)
    {
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return PortType::make({.in = pipes_.in(end).reader.get(),
                               .out = &pipes_.out(end),
                               .message_bytes = message_bytes_,
                               .flags = spins_ ? SPLICE_F_NONBLOCK : 0u});
    }

    int drained() override { return pipes_.drained(); }

private:
    PipePair pipes_;
    std::size_t message_bytes_;
    bool spins_;
};

template <typename PortType>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    if (auto whole = check_not_mixed(setup); !whole) {
        return tl::unexpected(whole.error());
    }
    std::array<Pipe, 2> pipes;
    for (Pipe& pipe : pipes) {
        auto made = make_pipe(setup.waiting == WaitMode::spin ? O_NONBLOCK : 0);
        if (!made) {
            return tl::unexpected(made.error());
        }
        pipe = std::move(*made);
    }
    return std::make_unique<SpliceChannel<PortType>>(std::move(pipes), setup);
}

constexpr Mechanism kMechanisms[] = {
    {.name = "splice", .title = "pipe, spliced from another pipe", .family = Family::pipe,
     .min_message = 1, .max_message = 1 << 20, .single_thread_max = 64 << 10, .spins = true,
     .throughput = true,
     .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<SplicePort>},
    {.name = "vmsplice", .title = "pipe, the sender's pages (vmsplice)",
     .family = Family::pipe, .min_message = 1, .max_message = 1 << 20,
     .single_thread_max = 64 << 10, .spins = true,
     .throughput = true, .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<VmsplicePort>},
    {.name = "tee", .title = "pipe, duplicated from another pipe (tee)",
     .family = Family::pipe, .min_message = 1, .max_message = 1 << 20,
     .single_thread_max = 64 << 10, .spins = true,
     .throughput = true, .mpmc = true, .traced_by = IPCSCOPE_FAMILY_PIPES,
     .create = create<TeePort>},
};

}  // namespace

std::span<const Mechanism> splice_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
