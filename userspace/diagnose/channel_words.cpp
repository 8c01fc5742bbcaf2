// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/channel_words.hpp"

#include <array>

#include <fmt/format.h>
#include <ipcscope/futex.h>

#include "base/units.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using decode::ObjectType;

constexpr SideWords kReads{"reading", "read of", "reads", "read from it", "read from it", "reads",
                           "read end"};
constexpr SideWords kWrites{"writing", "write of", "writes", "wrote to it", "written to it", "writes",
                            "write end"};
constexpr SideWords kReceives{"receiving from", "receive on", "receives from", "received from it",
                              "received from it", "receives", "other end"};
constexpr SideWords kSends{"sending to", "send to", "sends to", "sent to it", "sent to it", "sends",
                           "other end"};
constexpr SideWords kDecrements{"decrementing", "semop() that decrements", "decrements",
                                "decremented it", "decremented it", "decrements", "value"};
constexpr SideWords kIncrements{"waiting for 0 in", "semop() that waits for 0 in", "increments",
                                "incremented it", "incremented it", "increments", "value"};
constexpr SideWords kWaits{"waiting on", "wait on", "waits on", "waited on it", "waited on it", "waits",
                           "word"};
constexpr SideWords kWakes{"waking", "wake-up of", "wakes", "woke its waiters", "woken its waiters",
                           "wake-ups", "word"};

constexpr SideWords kAccepts{"accepting on", "accept on", "accepts from", "accepted from it",
                             "accepted from it", "accepts", "listening end"};
constexpr SideWords kConnects{"connecting to", "connect to", "connects to", "connected to it",
                              "connected to it", "connects", "other end"};

constexpr ChannelWords pipe(std::string_view noun)
{
    return {noun, kReads, kWrites, "pipe full", "pipe empty", true};
}
constexpr ChannelWords queue(std::string_view noun, bool closes)
{
    return {noun, kReceives, kSends, "queue full", "queue empty", closes};
}

/// By ObjectType.
constexpr std::array<ChannelWords, IPCSCOPE_OBJECT_COUNT> kWords{{
    pipe("object"),
    pipe("pipe"),
    pipe("FIFO"),
    queue("Unix socket", true),
    queue("Unix datagram socket", true),
    queue("Unix seqpacket socket", true),
    {"eventfd", kReads, kWrites, "eventfd at its maximum", "eventfd at 0", true},
    queue("message queue", true),
    queue("System V message queue", false),
    {"semaphore", kDecrements, kIncrements, "not 0", "at 0", false},
    pipe("shared memory"),
    {"futex", kWaits, kWakes, "", "", false},
    {"private futex", kWaits, kWakes, "", "", false},
}};

constexpr ChannelWords kListener{"Unix socket", kAccepts, kConnects, "backlog full",
                                 "no connection", true};

/// What the numbers are made of: kmod/include/uapi/ipcscope/record.h.
std::string number_words(ObjectType type, std::uint64_t number)
{
    switch (type) {
    case ObjectType::sysv_sem:
        return fmt::format("semaphore {} of set {}", number >> 32, number & UINT32_MAX);
    case ObjectType::futex:
        return fmt::format("futex {:#x} of memory {}", ipcscope_futex_offset(number),
                           number >> 32);
    case ObjectType::futex_private: return fmt::format("private futex {:#x}", number);
    default: return fmt::format("{} {}", kWords[static_cast<std::size_t>(type)].noun, number);
    }
}

}  // namespace

const ChannelWords& words(const aggregate::ChannelRow& channel)
{
    return channel.listens ? kListener : kWords[static_cast<std::size_t>(channel.type)];
}

std::string which(const aggregate::ChannelRow& channel)
{
    std::string name = number_words(channel.type, channel.object.object);
    if (!channel.path.empty()) {
        name += fmt::format(" ({})", channel.path.view());
    }
    return glued(std::move(name));
}

std::string held_words(const aggregate::ChannelRow& channel, const aggregate::LongWait& wait,
                       const HeldBy& held)
{
    const std::string holders = holders_of(wait, held);
    const bool one = held.ends.size() == 1;
    if (aggregate::channel_kind(channel.type).owned) {
        return fmt::format("which {} {} taken and not put back", holders, one ? "has" : "have");
    }
    return fmt::format("of which only {} hold{} the {}", holders, one ? "s" : "",
                       words(channel).side(!wait.output).end);
}

}  // namespace ipcscope::diagnose
