// SPDX-License-Identifier: GPL-2.0-only
// A bare futex, and a mutex with a condition variable.  Neither carries bytes.
#include <array>
#include <new>

#include <pthread.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/futex.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/mechanisms/shared_area.hpp"

namespace ipcscope::bench {
namespace {

/// The word counts what was sent.
struct Word {
    alignas(kFalseSharingBytes) std::atomic<std::uint32_t> sent{0};
    alignas(kFalseSharingBytes) std::atomic<std::uint32_t> received{0};   ///< for left() only

    explicit Word(const Setup&) {}
    bool left() const { return sent != received; }
};

class FutexPort final : public LoopedPort<FutexPort> {
public:
    FutexPort(Word& in, Word& out, const Setup& setup)
        : in_(in), out_(out), futex_(setup.threads)
    {
    }

    int send(std::span<const std::byte>) override
    {
        out_.sent.store(++sent_, std::memory_order_release);
        return futex_.wake(out_.sent);
    }

    int receive(std::span<std::byte>) override
    {
        std::uint32_t now = 0;
        while ((now = in_.sent.load(std::memory_order_acquire)) == received_) {
            if (const int error = futex_.wait(in_.sent, received_)) {
                return error;
            }
        }
        in_.received.store(++received_, std::memory_order_relaxed);
        return now == received_ ? 0 : EBADMSG;
    }

private:
    Word& in_;
    Word& out_;
    Futex futex_;
    std::uint32_t sent_ = 0;
    std::uint32_t received_ = 0;
};

/// A count under a mutex.
struct alignas(kFalseSharingBytes) Condition {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    std::uint64_t count = 0;   ///< sent and not received

    explicit Condition(const Setup& setup)
    {
        const int shared = setup.threads ? PTHREAD_PROCESS_PRIVATE : PTHREAD_PROCESS_SHARED;
        pthread_mutexattr_t mutex_attributes;
        pthread_mutexattr_init(&mutex_attributes);
        pthread_mutexattr_setpshared(&mutex_attributes, shared);
        pthread_mutex_init(&mutex, &mutex_attributes);
        pthread_mutexattr_destroy(&mutex_attributes);
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setpshared(&attributes, shared);
        pthread_cond_init(&changed, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    bool left() const { return count != 0; }
};

class ConditionPort final : public LoopedPort<ConditionPort> {
public:
    ConditionPort(Condition& in, Condition& out, const Setup& setup)
        : in_(in), out_(out), at_most_(setup.one_direction ? UINT64_MAX : 1)
    {
    }

    int send(std::span<const std::byte>) override
    {
        pthread_mutex_lock(&out_.mutex);
        out_.count++;
        pthread_mutex_unlock(&out_.mutex);
        return pthread_cond_signal(&out_.changed);
    }

    int receive(std::span<std::byte>) override
    {
        pthread_mutex_lock(&in_.mutex);
        int error = 0;
        while (in_.count == 0 && !error) {
            error = pthread_cond_wait(&in_.changed, &in_.mutex);
        }
        if (!error) {
            error = in_.count > at_most_ ? EBADMSG : 0;
            in_.count--;
        }
        pthread_mutex_unlock(&in_.mutex);
        return error;
    }

private:
    Condition& in_;
    Condition& out_;
    std::uint64_t at_most_;   ///< messages that can be under way
};

/// [0]: from a to b, [1]: back.
template <typename PortType, typename Place>
class PlaceChannel final : public Channel {
public:
    PlaceChannel(SharedArea area, const Setup& setup)
        : area_(std::move(area)), setup_(setup)
    {
        for (std::size_t i = 0; i < places_.size(); i++) {
            places_[i] = new (area_.get() + i * sizeof(Place)) Place(setup);
        }
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<PortType>(*places_[a ? 1 : 0], *places_[a ? 0 : 1], setup_);
    }

    int drained() override
    {
        return places_[0]->left() || places_[1]->left() ? EBADMSG : 0;
    }

private:
    SharedArea area_;
    std::array<Place*, 2> places_;
    Setup setup_;
};

template <typename PortType, typename Place>
Result<std::unique_ptr<Channel>> create(const Setup& setup)
{
    auto area = map_anonymous(setup.names, 2 * sizeof(Place));
    if (!area) {
        return tl::unexpected(area.error());
    }
    return std::make_unique<PlaceChannel<PortType, Place>>(std::move(*area), setup);
}

constexpr Mechanism kMechanisms[] = {
    {.name = "futex", .title = "futex, bare", .family = Family::futex,
     .traced_by = IPCSCOPE_FAMILY_FUTEX, .create = create<FutexPort, Word>},
    {.name = "mutex-cond", .title = "mutex and condition variable", .family = Family::futex,
     .throughput = true, .mpmc = true, .traced_by = IPCSCOPE_FAMILY_FUTEX,
     .create = create<ConditionPort, Condition>},
};

}  // namespace

std::span<const Mechanism> futex_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
