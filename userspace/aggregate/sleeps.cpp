// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/sleeps.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

/// A system call by its number on a machine: the record's is the traced kernel's.
struct Syscall {
    std::string_view machine;
    std::uint16_t number;
    SleepRow::In in;
};

using In = SleepRow::In;
constexpr std::array<Syscall, 15> kSyscalls{{
    {"x86_64", 7, In::poll},          {"x86_64", 23, In::select},
    {"x86_64", 61, In::wait},         {"x86_64", 232, In::epoll_wait},
    {"x86_64", 247, In::wait},        {"x86_64", 270, In::select},
    {"x86_64", 271, In::poll},        {"x86_64", 281, In::epoll_wait},
    {"x86_64", 441, In::epoll_wait},  {"aarch64", 22, In::epoll_wait},
    {"aarch64", 72, In::select},      {"aarch64", 73, In::poll},
    {"aarch64", 95, In::wait},        {"aarch64", 260, In::wait},
    {"aarch64", 441, In::epoll_wait},
}};

std::optional<In> sleeps_in(std::string_view machine, const decode::Slice& slice)
{
    const decode::State state = decode::state_of(slice.state);
    const bool polls = state == decode::State::polling;
    if (!polls && (state != decode::State::interruptible || slice.call != 0)) {
        return std::nullopt;
    }
    const auto found = std::ranges::find_if(kSyscalls, [&](const Syscall& call) {
        return call.machine == machine && call.number == slice.syscall;
    });
    if (found == kSyscalls.end()) {
        return polls ? In::poll : In::other;
    }
    return polls == (found->in != In::wait) ? found->in : In::other;
}

bool longer(const SleepRow& a, const SleepRow& b)
{
    return a.end_ns - a.start_ns > b.end_ns - b.start_ns;
}

}  // namespace

void SleepTable::slice(const decode::Event& event, const decode::Slice& slice)
{
    if (slice.end_ns < slice.start_ns || slice.end_ns - slice.start_ns < kLongWait_ns) {
        return;
    }
    const decode::State state = decode::state_of(slice.state);
    const bool stuck = state == decode::State::uninterruptible || state == decode::State::killable;
    // Threads of the kernel are in none.
    if (event.unfinished && stuck && slice.syscall != IPCSCOPE_SYSCALL_NONE) {
        if (stuck_.size() == kMostStuck) {
            ++evicted_;
            return;
        }
        stuck_.push_back({process_of(event), event.task.tid, state, slice.syscall, slice.start_ns,
                          slice.end_ns});
        return;
    }
    const std::optional<In> in = sleeps_in(machine_, slice);
    if (!in) {
        return;
    }
    std::vector<SleepRow>& rows = *in == In::other ? others_ : rows_;
    rows.push_back({process_of(event), event.task.tid, *in, slice.syscall, slice.start_ns,
                    slice.end_ns});
    std::ranges::push_heap(rows, longer);
    if (rows.size() > kMost) {
        std::ranges::pop_heap(rows, longer);
        rows.pop_back();
        ++evicted_;
    }
}

std::vector<SleepRow> SleepTable::rows() const
{
    std::vector<SleepRow> out = rows_;
    out.insert(out.end(), others_.begin(), others_.end());
    std::ranges::sort(out, [](const SleepRow& a, const SleepRow& b) {
        return std::tuple(a.process.tgid, a.start_ns, a.tid) <
               std::tuple(b.process.tgid, b.start_ns, b.tid);
    });
    return out;
}

}  // namespace ipcscope::aggregate
