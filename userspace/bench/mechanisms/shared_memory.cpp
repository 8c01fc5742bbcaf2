// SPDX-License-Identifier: GPL-2.0-only
// Shared memory with one place for a message, which is the answer's place too:
// every kind of area with every way to notify the other end of a message.
#include <array>
#include <atomic>
#include <cstring>
#include <new>

#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <fmt/format.h>

#include "base/fd.hpp"
#include "bench/latency.hpp"
#include "bench/mechanisms/copy.hpp"
#include "bench/mechanisms/futex.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/shared_area.hpp"

namespace ipcscope::bench {
namespace {

using Word = std::atomic<std::uint32_t>;

/// The numbers of both directions share a line with a message that fits there: a
/// line that one CPU reads and then writes is transferred to it once; with a line for
/// each direction there would be two transfers.
struct Place {
    struct Direction {
        alignas(kFalseSharingBytes) Word received{0};   ///< written by the receiver, for drained()
        alignas(kFalseSharingBytes) sem_t posted;
    };
    std::array<Direction, 2> directions;
    alignas(kFalseSharingBytes) std::array<Word, 2> sent{};
    alignas(8) std::array<std::byte, 56> small;   ///< a larger message follows the place

    std::byte* message(std::size_t bytes)
    {
        return bytes <= small.size() ? small.data() : reinterpret_cast<std::byte*>(this + 1);
    }
};

/// One direction of a place.
struct Lane {
    Lane(Place& place, unsigned which)
        : sent(place.sent[which]), received(place.directions[which].received),
          posted(place.directions[which].posted)
    {
    }
    Word& sent;
    Word& received;
    sem_t& posted;
};

/// From a to b, and back.
constexpr unsigned outgoing(End end) { return end == End::a ? 0 : 1; }

// Notifiers: created for an end from the channel's state (Shared); post() announces a
// message in the lane, await() returns when more than `last` were sent.
// Both return 0 or an errno.

struct SpinNotifier {
    static constexpr FamilyMask kTracedBy = 0;
    struct Shared {};
    static Result<Shared> share(const Setup&, Place&) { return Shared(); }
    static Result<SpinNotifier> make(const Shared&, End) { return SpinNotifier(); }

    int post(Lane&) { return 0; }
    int await(Lane& lane, std::uint32_t last)
    {
        while (lane.sent.load(std::memory_order_acquire) == last) {
            cpu_relax();
        }
        return 0;
    }
};

struct FutexNotifier {
    static constexpr FamilyMask kTracedBy = IPCSCOPE_FAMILY_FUTEX;
    using Shared = Futex;
    static Result<Shared> share(const Setup& setup, Place&) { return Futex(setup.threads); }
    static Result<FutexNotifier> make(const Shared& shared, End)
    {
        return FutexNotifier{shared};
    }

    int post(Lane& lane) { return futex.wake(lane.sent); }
    int await(Lane& lane, std::uint32_t last)
    {
        int error = 0;
        while (!error && lane.sent.load(std::memory_order_acquire) == last) {
            error = futex.wait(lane.sent, last);
        }
        return error;
    }

    Futex futex;
};

struct SemaphoreNotifier {
    static constexpr FamilyMask kTracedBy = IPCSCOPE_FAMILY_FUTEX;
    struct Shared {};
    static Result<Shared> share(const Setup& setup, Place& place)
    {
        for (Place::Direction& direction : place.directions) {
            sem_init(&direction.posted, !setup.threads, 0);
        }
        return Shared();
    }
    static Result<SemaphoreNotifier> make(const Shared&, End) { return SemaphoreNotifier(); }

    int post(Lane& lane) { return sem_post(&lane.posted) == 0 ? 0 : errno; }
    int await(Lane& lane, std::uint32_t)
    {
        while (sem_wait(&lane.posted) != 0) {
            if (errno != EINTR) {
                return errno;
            }
        }
        return 0;
    }
};

struct EventNotifier {
    static constexpr FamilyMask kTracedBy = IPCSCOPE_FAMILY_EVENTFD;
    using Shared = std::array<Fd, 2>;
    static Result<Shared> share(const Setup&, Place&)
    {
        Shared events;
        for (Fd& event : events) {
            event.reset(eventfd(0, EFD_CLOEXEC));
            if (!event) {
                return fail(Exit::kernel, fmt::format("eventfd: {}; raise ulimit -n",
                                                      std::strerror(errno)));
            }
        }
        return events;
    }
    static Result<EventNotifier> make(const Shared& shared, End end)
    {
        return EventNotifier{shared[outgoing(other(end))].get(), shared[outgoing(end)].get()};
    }

    int post(Lane&)
    {
        const std::uint64_t one = 1;
        return write_all(out, std::as_bytes(std::span(&one, 1)));
    }
    int await(Lane&, std::uint32_t)
    {
        std::uint64_t count = 0;
        const int error = read_all(in, std::as_writable_bytes(std::span(&count, 1)));
        return error ? error : count == 1 ? 0 : EBADMSG;
    }

    int in;
    int out;
};

struct EpollNotifier {
    static constexpr FamilyMask kTracedBy = IPCSCOPE_FAMILY_EVENTFD;
    using Shared = EventNotifier::Shared;
    static constexpr auto share = EventNotifier::share;
    static Result<EpollNotifier> make(const Shared& shared, End end)
    {
        EpollNotifier made{*EventNotifier::make(shared, end), Fd(epoll_create1(EPOLL_CLOEXEC))};
        epoll_event wanted{.events = EPOLLIN, .data = {}};
        if (!made.epoll ||
            epoll_ctl(made.epoll.get(), EPOLL_CTL_ADD, made.event.in, &wanted) != 0) {
            return fail(Exit::kernel, fmt::format("epoll: {}; raise ulimit -n or sysctl "
                                                  "fs.epoll.max_user_watches",
                                                  std::strerror(errno)));
        }
        return made;
    }

    int post(Lane& lane) { return event.post(lane); }
    int await(Lane& lane, std::uint32_t last)
    {
        epoll_event ready;
        while (epoll_wait(epoll.get(), &ready, 1, -1) != 1) {
            if (errno != EINTR) {
                return errno;
            }
        }
        return event.await(lane, last);
    }

    EventNotifier event;
    Fd epoll;
};

template <typename Notifier>
class PlacePort final : public LoopedPort<PlacePort<Notifier>> {
public:
    PlacePort(Place& place, End end, Notifier notifier)
        : place_(place), in_(place, outgoing(other(end))), out_(place, outgoing(end)),
          notifier_(std::move(notifier))
    {
    }

    int send(std::span<const std::byte> message) override
    {
        copy_message(place_.message(message.size()), message.data(), message.size());
        out_.sent.store(++sent_, std::memory_order_release);
        return notifier_.post(out_);
    }

    int receive(std::span<std::byte> message) override
    {
        if (const int error = notifier_.await(in_, received_)) {
            return error;
        }
        if (in_.sent.load(std::memory_order_acquire) != ++received_) {
            return EBADMSG;
        }
        copy_message(message.data(), place_.message(message.size()), message.size());
        in_.received.store(received_, std::memory_order_relaxed);
        return 0;
    }

private:
    Place& place_;
    Lane in_;
    Lane out_;
    Notifier notifier_;
    std::uint32_t sent_ = 0;
    std::uint32_t received_ = 0;
};

template <typename Notifier>
class PlaceChannel final : public Channel {
public:
    PlaceChannel(SharedArea area, Place* place, typename Notifier::Shared shared)
        : area_(std::move(area)), place_(place), shared_(std::move(shared))
    {
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        auto notifier = Notifier::make(shared_, end);
        if (!notifier) {
            return tl::unexpected(notifier.error());
        }
        return std::make_unique<PlacePort<Notifier>>(*place_, end, std::move(*notifier));
    }

    int drained() override
    {
        for (const unsigned which : {0u, 1u}) {
            if (place_->sent[which] != place_->directions[which].received) {
                return EBADMSG;
            }
        }
        return 0;
    }

private:
    SharedArea area_;
    Place* place_;
    typename Notifier::Shared shared_;
};

template <MapArea kMap, typename Notifier>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    auto area = kMap(setup.names, sizeof(Place) + setup.message_bytes);
    if (!area) {
        return tl::unexpected(area.error());
    }
    Place* place = new (area->get()) Place;
    auto shared = Notifier::share(setup, *place);
    if (!shared) {
        return tl::unexpected(shared.error());
    }
    return std::make_unique<PlaceChannel<Notifier>>(std::move(*area), place,
                                                    std::move(*shared));
}

template <MapArea kMap, typename Notifier>
constexpr Mechanism row(std::string_view name, std::string_view title)
{
    constexpr bool kSpins = std::is_same_v<Notifier, SpinNotifier>;
    return {.name = name, .title = title, .family = Family::shared_memory, .min_message = 1,
            .max_message = 1 << 20, .spins = kSpins, .blocks = !kSpins,
            .other_mapping = kMap != map_posix_shm, .traced_by = Notifier::kTracedBy, .create = create<kMap, Notifier>};
}

constexpr Mechanism kMechanisms[] = {
    row<map_posix_shm, SpinNotifier>("shm-spin", "POSIX shared memory, spinning"),
    row<map_posix_shm, FutexNotifier>("shm-futex", "POSIX shared memory, futex"),
    row<map_posix_shm, EventNotifier>("shm-eventfd", "POSIX shared memory, eventfd"),
    row<map_posix_shm, EpollNotifier>("shm-epoll", "POSIX shared memory, eventfd and epoll"),
    row<map_posix_shm, SemaphoreNotifier>("shm-sem", "POSIX shared memory, POSIX semaphore"),
    row<map_file, SpinNotifier>("file-spin", "mapped file, spinning"),
    row<map_file, FutexNotifier>("file-futex", "mapped file, futex"),
    row<map_file, EventNotifier>("file-eventfd", "mapped file, eventfd"),
    row<map_file, EpollNotifier>("file-epoll", "mapped file, eventfd and epoll"),
    row<map_file, SemaphoreNotifier>("file-sem", "mapped file, POSIX semaphore"),
    row<map_anonymous, SpinNotifier>("anon-spin", "anonymous shared memory, spinning"),
    row<map_anonymous, FutexNotifier>("anon-futex", "anonymous shared memory, futex"),
    row<map_anonymous, EventNotifier>("anon-eventfd", "anonymous shared memory, eventfd"),
    row<map_anonymous, EpollNotifier>("anon-epoll",
                                      "anonymous shared memory, eventfd and epoll"),
    row<map_anonymous, SemaphoreNotifier>("anon-sem",
                                          "anonymous shared memory, POSIX semaphore"),
    row<map_memfd, SpinNotifier>("memfd-spin", "memfd, spinning"),
    row<map_memfd, FutexNotifier>("memfd-futex", "memfd, futex"),
    row<map_memfd, EventNotifier>("memfd-eventfd", "memfd, eventfd"),
    row<map_memfd, EpollNotifier>("memfd-epoll", "memfd, eventfd and epoll"),
    row<map_memfd, SemaphoreNotifier>("memfd-sem", "memfd, POSIX semaphore"),
    row<map_sysv_shm, SpinNotifier>("sysv-shm-spin", "System V shared memory, spinning"),
    row<map_sysv_shm, FutexNotifier>("sysv-shm-futex", "System V shared memory, futex"),
    row<map_sysv_shm, EventNotifier>("sysv-shm-eventfd", "System V shared memory, eventfd"),
    row<map_sysv_shm, EpollNotifier>("sysv-shm-epoll",
                                     "System V shared memory, eventfd and epoll"),
    row<map_sysv_shm, SemaphoreNotifier>("sysv-shm-sem",
                                         "System V shared memory, POSIX semaphore"),
};

}  // namespace

std::span<const Mechanism> shared_memory_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
