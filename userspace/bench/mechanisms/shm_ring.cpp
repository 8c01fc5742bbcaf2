// SPDX-License-Identifier: GPL-2.0-only
// A ring of messages in shared memory for one producer and one consumer.
//
// A place is full when its number is that of the message awaited there, so the
// line that announces a message is the first line of the message.  The consumer
// stores its position in `taken`, which the producer reads only when the ring appears
// to be full.
//
// WaitMode::block: an end that has to wait sets its own word (`asleep`), checks the ring
// once more and sleeps on that word; the other end checks the word after each message.
// Both write before they read, with a full barrier between, so at least one of them
// sees the other's write.  No system call is made while neither end sleeps.
#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "bench/latency.hpp"
#include "bench/mechanisms/copy.hpp"
#include "bench/mechanisms/futex.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/shared_area.hpp"

namespace ipcscope::bench {
namespace {

using Word = std::atomic<std::uint32_t>;
using Number = std::atomic<std::uint64_t>;   ///< of a message, from 1

/// Followed by the places.
struct Ring {
    alignas(kFalseSharingBytes) Number taken{0};
    alignas(kFalseSharingBytes) Word producer_asleep{0};
    alignas(kFalseSharingBytes) Word consumer_asleep{0};
};

/// A short message lies in the line of its number, a larger one follows.
struct alignas(64) Place {
    Number number{0};
    std::array<std::byte, 56> small;

    std::byte* message(std::size_t bytes)
    {
        return bytes <= small.size() ? small.data() : reinterpret_cast<std::byte*>(this + 1);
    }
};

struct Layout {
    std::size_t place_bytes;
    std::uint64_t places;   ///< a power of two

    explicit Layout(std::size_t message_bytes)
        : place_bytes(sizeof(Place) + (message_bytes > sizeof(Place::small)
                                           ? round_up(message_bytes, alignof(Place))
                                           : 0)),
          places(std::bit_floor(std::clamp<std::size_t>(kBytes / message_bytes, 4, 1024)))
    {
    }
    std::size_t bytes() const
    {
        return round_up(sizeof(Ring) + places * place_bytes, kFalseSharingBytes);
    }

    /// Preferred size of a ring: it fits into a CPU's cache.
    static constexpr std::size_t kBytes = 256 * 1024;
};

/// Returns when `ready`.  @return 0 or an errno
template <WaitMode kWaiting, typename Ready>
int await(Word& asleep, const Futex& futex, Ready ready)
{
    while (!ready()) {
        if constexpr (kWaiting == WaitMode::spin) {
            cpu_relax();
        } else {
            asleep.store(1, std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_seq_cst);
            if (ready()) {
                break;
            }
            if (const int error = futex.wait(asleep, 1)) {
                return error;
            }
        }
    }
    return 0;
}

/// Wakes the other end if it waits and `worth_it`.
template <WaitMode kWaiting, typename WorthIt>
int rouse(Word& asleep, const Futex& futex, WorthIt worth_it)
{
    if constexpr (kWaiting == WaitMode::spin) {
        return 0;
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (asleep.load(std::memory_order_relaxed) == 0 || !worth_it()) {
        return 0;
    }
    asleep.store(0, std::memory_order_relaxed);
    return futex.wake(asleep);
}

template <WaitMode kWaiting>
class RingPort final : public LoopedPort<RingPort<kWaiting>> {
public:
    RingPort(Ring* in, Ring* out, const Layout& layout, bool threads)
        : in_(in), out_(out), layout_(layout), futex_(threads)
    {
    }

    int send(std::span<const std::byte> message) override
    {
        if (sent_ - known_taken_ == layout_.places) {
            const int error = await<kWaiting>(out_->producer_asleep, futex_, [this] {
                known_taken_ = out_->taken.load(std::memory_order_acquire);
                return sent_ - known_taken_ < layout_.places;
            });
            if (error) {
                return error;
            }
        }
        Place& place = place_of(out_, ++sent_);
        copy_message(place.message(message.size()), message.data(), message.size());
        place.number.store(sent_, std::memory_order_release);
        return rouse<kWaiting>(out_->consumer_asleep, futex_, [] { return true; });
    }

    int receive(std::span<std::byte> message) override
    {
        Place& place = place_of(in_, ++received_);
        const std::uint64_t before =
            received_ > layout_.places ? received_ - layout_.places : 0;
        std::uint64_t number = 0;
        const int error = await<kWaiting>(in_->consumer_asleep, futex_, [&] {
            number = place.number.load(std::memory_order_acquire);
            return number != before;
        });
        if (error || number != received_) {
            return error ? error : EBADMSG;
        }
        copy_message(message.data(), place.message(message.size()), message.size());
        in_->taken.store(received_, std::memory_order_release);
        // A sleeping producer has filled the ring: wake it once half of it is free.
        return rouse<kWaiting>(in_->producer_asleep, futex_, [this] {
            const std::uint64_t half = received_ + layout_.places / 2;
            return place_of(in_, half).number.load(std::memory_order_relaxed) != half;
        });
    }

private:
    Place& place_of(Ring* ring, std::uint64_t number) const
    {
        return *reinterpret_cast<Place*>(reinterpret_cast<std::byte*>(ring + 1) +
                                         (number & (layout_.places - 1)) * layout_.place_bytes);
    }

    Ring* in_;
    Ring* out_;
    Layout layout_;
    Futex futex_;
    std::uint64_t sent_ = 0;
    std::uint64_t known_taken_ = 0;
    std::uint64_t received_ = 0;
};

/// [0] leads from a to b, [1] back.
class RingChannel final : public Channel {
public:
    RingChannel(SharedArea area, const Layout& layout, const Setup& setup)
        : area_(std::move(area)), layout_(layout), waiting_(setup.waiting),
          threads_(setup.threads)
    {
        for (std::size_t i = 0; i < rings_.size(); i++) {
            // The places are zero, as a Place that was never filled is.
            rings_[i] = new (area_.get() + i * layout.bytes()) Ring;
        }
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        return waiting_ == WaitMode::spin ? make<WaitMode::spin>(end)
                                         : make<WaitMode::block>(end);
    }

    int drained() override
    {
        for (Ring* ring : rings_) {
            const auto* places = reinterpret_cast<const std::byte*>(ring + 1);
            for (std::uint64_t i = 0; i < layout_.places; i++) {
                const auto* place =
                    reinterpret_cast<const Place*>(places + i * layout_.place_bytes);
                if (place->number > ring->taken) {
                    return EBADMSG;
                }
            }
        }
        return 0;
    }

private:
    template <WaitMode kWaiting>
    std::unique_ptr<Port> make(End end)
    {
        const bool a = end == End::a;
        return std::make_unique<RingPort<kWaiting>>(rings_[a ? 1 : 0], rings_[a ? 0 : 1],
                                                    layout_, threads_);
    }

    SharedArea area_;
    Layout layout_;
    WaitMode waiting_;
    bool threads_;
    std::array<Ring*, 2> rings_;
};

Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    const Layout layout(setup.message_bytes);
    auto area = map_posix_shm(setup.names, 2 * layout.bytes());
    if (!area) {
        return tl::unexpected(area.error());
    }
    return std::make_unique<RingChannel>(std::move(*area), layout, setup);
}

constexpr Mechanism kMechanisms[] = {
    {.name = "shm-ring", .title = "ring of messages in shared memory",
     .family = Family::shared_memory, .min_message = 1, .max_message = 1 << 20,
     .single_thread_max = 64 << 10,
     .spins = true, .throughput = true, .traced_by = IPCSCOPE_FAMILY_FUTEX,
     .create = create},
};

}  // namespace

std::span<const Mechanism> shm_ring_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
