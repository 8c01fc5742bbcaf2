// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/calls.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <poll.h>
#include <sys/syscall.h>

#include "base/syscall_name.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::inspect {
namespace {

using Arguments = std::array<std::uint64_t, 6>;

/// Which of its arguments say what it waits for.
enum class About : std::uint8_t {
    nothing,
    first,
    first_and_second,
    first_and_third,
    poll,
    select,
    epoll,
    futex,
};

/// Of those not listed: nothing, and the kernel's name.
struct Shape {
    long number;
    std::string_view name;
    About about;
};
constexpr auto kShapes = std::to_array<Shape>({
    {SYS_read, "read", About::first},
    {SYS_readv, "readv", About::first},
    {SYS_write, "write", About::first},
    {SYS_writev, "writev", About::first},
    {SYS_recvfrom, "recv", About::first},
    {SYS_recvmsg, "recvmsg", About::first},
    {SYS_recvmmsg, "recvmmsg", About::first},
    {SYS_sendto, "send", About::first},
    {SYS_sendmsg, "sendmsg", About::first},
    {SYS_sendmmsg, "sendmmsg", About::first},
    {SYS_accept4, "accept4", About::first},
    {SYS_accept, "accept", About::first},
    {SYS_connect, "connect", About::first},
    {SYS_mq_timedsend, "mq_timedsend", About::first},
    {SYS_mq_timedreceive, "mq_timedreceive", About::first},
    {SYS_vmsplice, "vmsplice", About::first},
    {SYS_splice, "splice", About::first_and_third},
    {SYS_tee, "tee", About::first_and_second},
    {SYS_sendfile, "sendfile", About::first_and_second},
    {SYS_ppoll, "ppoll", About::poll},
    {SYS_pselect6, "pselect6", About::select},
    {SYS_epoll_pwait, "epoll_pwait", About::epoll},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, "epoll_pwait2", About::epoll},
#endif
#ifdef SYS_poll
    {SYS_poll, "poll", About::poll},
#endif
#ifdef SYS_select
    {SYS_select, "select", About::select},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", About::epoll},
#endif
    {SYS_futex, "futex", About::futex},
    {SYS_rt_sigtimedwait, "sigtimedwait", About::nothing},
    {SYS_rt_sigsuspend, "sigsuspend", About::nothing},
});

constexpr std::uint64_t kMostPolled = 4096;

std::vector<std::uint32_t> polled(const Arguments& arguments, const ReadMemory& memory)
{
    const std::uint64_t number = std::min(arguments[1], kMostPolled);
    const std::string bytes = memory(arguments[0], number * sizeof(pollfd));
    std::vector<std::uint32_t> descriptors;
    for (std::size_t at = 0; at + sizeof(pollfd) <= bytes.size(); at += sizeof(pollfd)) {
        pollfd one{};
        std::memcpy(&one, bytes.data() + at, sizeof one);
        if (one.fd >= 0) {
            descriptors.push_back(static_cast<std::uint32_t>(one.fd));
        }
    }
    return descriptors;
}

/// The kernel writes the sets only when it returns.
std::vector<std::uint32_t> selected(const Arguments& arguments, const ReadMemory& memory)
{
    const auto number = static_cast<std::uint32_t>(std::min(arguments[0], kMostPolled));
    const std::size_t size = (number + 63) / 64 * 8;
    std::string sets[3];
    for (unsigned set = 0; set < 3; ++set) {
        if (arguments[set + 1] != 0) {
            sets[set] = memory(arguments[set + 1], size);
        }
    }
    std::vector<std::uint32_t> descriptors;
    for (std::uint32_t descriptor = 0; descriptor < number; ++descriptor) {
        const bool waits = std::ranges::any_of(sets, [&](const std::string& set) {
            return descriptor / 8 < set.size() &&
                   (static_cast<unsigned char>(set[descriptor / 8]) >> descriptor % 8 & 1) != 0;
        });
        if (waits) {
            descriptors.push_back(descriptor);
        }
    }
    return descriptors;
}

void look_at(Call& call, About about, const Arguments& arguments, const ReadMemory& memory,
             const Watched& watched)
{
    const auto descriptor = [&](unsigned argument) {
        return static_cast<std::uint32_t>(arguments[argument]);
    };
    switch (about) {
    case About::nothing: break;
    case About::first: call.descriptors = {descriptor(0)}; break;
    case About::first_and_third: call.descriptors = {descriptor(0), descriptor(2)}; break;
    case About::first_and_second: call.descriptors = {descriptor(0), descriptor(1)}; break;
    case About::poll: call.descriptors = polled(arguments, memory); break;
    case About::select: call.descriptors = selected(arguments, memory); break;
    case About::epoll:
        call.descriptors = watched(descriptor(0));
        call.descriptors.insert(call.descriptors.begin(), descriptor(0));
        break;
    case About::futex: call.address = arguments[0]; break;
    }
}

}  // namespace

std::optional<Call> parse_call(std::string_view text, const ReadMemory& memory,
                               const Watched& watched)
{
    using namespace source::proc;
    Call call;
    const std::string_view first = take_word(text);
    if (first == "running") {
        return call;
    }
    std::int64_t number = 0;
    if (!parse_number(first, number)) {
        return std::nullopt;
    }
    if (number < 0) {
        return call;   // it sleeps in a page fault, or is a kernel thread
    }
    call.number = static_cast<std::uint32_t>(number);
    Arguments arguments{};
    for (std::uint64_t& argument : arguments) {
        parse_number(take_word(text), argument, 16);
    }
    const auto shape = std::ranges::find(kShapes, number, &Shape::number);
    if (shape != kShapes.end()) {
        call.name = shape->name;
        look_at(call, shape->about, arguments, memory, watched);
    } else {
        call.name = syscall_name(*call.number);
    }
    return call;
}

std::vector<std::string> functions_of(std::string_view text, std::size_t most)
{
    std::vector<std::string> functions;
    while (!text.empty() && functions.size() < most) {
        std::string_view line = source::proc::take_line(text);   // "[<0>] pipe_read+0x37f/0x680"
        line.remove_prefix(std::min(line.find(' '), line.size()));
        line.remove_prefix(std::min<std::size_t>(line.size(), 1));
        const std::string_view name = line.substr(0, line.find('+'));
        if (!name.empty() && name.size() < line.size()) {
            functions.emplace_back(name);
        }
    }
    return functions;
}

}  // namespace ipcscope::inspect
