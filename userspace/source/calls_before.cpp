// SPDX-License-Identifier: GPL-2.0-only
#include "source/calls_before.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/comm.hpp"
#include "source/holders.hpp"
#include "source/observer.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace {

template <typename T>
bool holds(const std::vector<T>& values, const T& value)
{
    return values.empty() || std::ranges::find(values, value) != values.end();
}

/// What a thread does that sleeps in such a function, in such a system call.
struct Place {
    std::string_view function;   ///< ends so: anon_pipe_read is a pipe_read
    long syscall;
    std::uint16_t kind;
    std::uint8_t op;
    bool third;                  ///< argument, not the first one, is the descriptor
    bool bytes;                  ///< the third argument is a number of bytes
};
constexpr std::array<Place, 9> kPlaces{{
    {"pipe_read", SYS_read, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, false, true},
    {"pipe_read", SYS_readv, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, false, false},
    {"pipe_write", SYS_write, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, false, true},
    {"pipe_write", SYS_writev, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, false, false},
    {"pipe_wait_readable", SYS_splice, IPCSCOPE_CALL_SPLICE, IPCSCOPE_OP_SPLICE_IN, false, false},
    {"pipe_wait_readable", SYS_tee, IPCSCOPE_CALL_SPLICE, IPCSCOPE_OP_TEE, false, true},
    {"pipe_wait_writable", SYS_splice, IPCSCOPE_CALL_SPLICE, IPCSCOPE_OP_SPLICE_OUT, true, false},
    {"pipe_wait_writable", SYS_vmsplice, IPCSCOPE_CALL_SPLICE, IPCSCOPE_OP_VMSPLICE, false, false},
    {"pipe_wait_writable", SYS_sendfile, IPCSCOPE_CALL_SPLICE, IPCSCOPE_OP_SPLICE_OUT, false,
     false},
}};

const Place* place_of(std::string_view function, long syscall)
{
    const auto found = std::ranges::find_if(kPlaces, [&](const Place& place) {
        return place.syscall == syscall && function.ends_with(place.function);
    });
    return found == kPlaces.end() ? nullptr : &*found;
}

bool is_pipe_call(std::string_view function)
{
    return std::ranges::any_of(
        kPlaces, [&](const Place& place) { return function.ends_with(place.function); });
}

/// Of the first line of a /proc/TID/stack: "[<0>] pipe_read+0x37f/0x680".
std::string_view innermost(std::string_view stack)
{
    stack = stack.substr(0, stack.find('+'));
    return stack.substr(std::min(stack.rfind(' ') + 1, stack.size()));
}

/// The sum of voluntary_ctxt_switches and nonvoluntary_ctxt_switches.
std::optional<std::uint64_t> switches_in(std::string_view status)
{
    std::uint64_t sum = 0;
    unsigned found = 0;
    constexpr std::string_view kKey = "voluntary_ctxt_switches:";
    for (auto at = status.find(kKey); at != std::string_view::npos;
         at = status.find(kKey, at + 1)) {
        std::string_view rest = status.substr(at + kKey.size());
        std::uint64_t value = 0;
        found += proc::parse_number(proc::take_word(rest), value);
        sum += value;
    }
    return found == 2 ? std::optional(sum) : std::nullopt;
}

}  // namespace

CallsBefore::CallsBefore(const Options& options, ThreadStacks& stacks, std::string proc)
    : filters_(options.filters), stacks_(stacks), proc_(std::move(proc))
{
    const bool only_command =
        options.command_pid != 0 && filters_.pids.empty() && filters_.tids.empty();
    if (only_command || (options.families & IPCSCOPE_FAMILY_PIPES) == 0) {
        return;   // what has not begun has slept nowhere
    }
    const auto self = static_cast<std::uint32_t>(getpid());
    for (const std::uint32_t tgid : proc::numbers(proc::open_directory(AT_FDCWD, proc_.c_str()))) {
        const Fd tasks =
            proc::open_directory(AT_FDCWD, fmt::format("{}/{}/task", proc_, tgid).c_str());
        for (const std::uint32_t tid : proc::numbers(tasks)) {
            if (tgid == self || sleepers_.size() >= kMost) {
                break;
            }
            if (const auto sleeper = look(tasks, tgid, tid); sleeper && wanted(tasks, tgid, tid)) {
                sleepers_[tid] = *sleeper;
            }
        }
    }
}

/// As the backend's filters do, but for --follow, which speaks of children to come.
bool CallsBefore::wanted(const Fd& tasks, std::uint32_t tgid, std::uint32_t tid)
{
    const auto thread = proc::thread(tasks, tid, cgroups_);
    if (!thread) {
        return false;
    }
    const Comm comm(std::string_view(reinterpret_cast<const char*>(thread->comm),
                                     sizeof thread->comm));
    const bool named = filters_.comms.empty() ||
                       std::ranges::any_of(filters_.comms, [&](const std::string& name) {
                           return Comm(name) == comm;
                       });
    std::array<char, 4096> buffer;
    const std::string_view cgroup =
        proc::read_file(tasks, fmt::format("{}/cgroup", tid), buffer);
    const bool inside = filters_.cgroups.empty() ||
                        std::ranges::any_of(filters_.cgroups, [&](const std::string& directory) {
                            return cgroups_.is_below(cgroup, directory);
                        });
    return holds(filters_.pids, tgid) && holds(filters_.tids, tid) && named && inside;
}

std::optional<CallsBefore::Sleeper> CallsBefore::look(const Fd& tasks, std::uint32_t tgid,
                                                      std::uint32_t tid) const
{
    std::array<char, 16384> buffer;
    std::string function(proc::read_file(tasks, fmt::format("{}/wchan", tid), buffer));
    // 5.10 says 0 of each thread.
    if (function != "0" && !is_pipe_call(function)) {
        return std::nullopt;
    }
    const auto syscall =
        proc::parse_syscall(stacks_.read(tgid, tid, ThreadStacks::File::syscall));
    if (!syscall || std::ranges::find(kPlaces, syscall->number, &Place::syscall) == kPlaces.end()) {
        return std::nullopt;
    }
    if (function == "0") {
        function = innermost(stacks_.read(tgid, tid));
    }
    const auto switches =
        switches_in(proc::read_file(tasks, fmt::format("{}/status", tid), buffer));
    const Place* place = place_of(function, syscall->number);
    if (!switches || place == nullptr) {
        return std::nullopt;
    }
    Sleeper sleeper;
    sleeper.tgid = tgid;
    sleeper.kind = place->kind;
    sleeper.op = place->op;
    sleeper.switches = *switches;
    sleeper.descriptor = place->third ? syscall->bytes : syscall->argument;
    sleeper.bytes = place->bytes ? syscall->bytes : 0;
    return sleeper;
}

std::vector<ipcscope_call> CallsBefore::append(Notes& notes, std::uint64_t start_ns)
{
    std::vector<ipcscope_call> calls;
    for (const auto& [tid, sleeper] : sleepers_) {
        const Fd tasks = proc::open_directory(
            AT_FDCWD, fmt::format("{}/{}/task", proc_, sleeper.tgid).c_str());
        if (!tasks || look(tasks, sleeper.tgid, tid) != sleeper) {
            continue;
        }
        if (auto call = record(sleeper, tid, start_ns)) {
            notes.add(*call, sleeper.kind);
            calls.push_back(reinterpret_cast<const ipcscope_call&>(*call));
        }
    }
    sleepers_.clear();
    return calls;
}

std::optional<ipcscope_call_split> CallsBefore::record(const Sleeper& sleeper, std::uint32_t tid,
                                                       std::uint64_t start_ns) const
{
    const Fd descriptors = proc::open_directory(
        AT_FDCWD, fmt::format("{}/{}/fd", proc_, sleeper.tgid).c_str());
    const auto pipe = find_pipe(descriptors, std::to_string(sleeper.descriptor));
    if (!pipe) {
        return std::nullopt;
    }
    ipcscope_call_split record{};
    record.header.time_ns = start_ns;
    record.header.tgid = sleeper.tgid;
    record.header.tid = tid;
    record.header.flags = IPCSCOPE_BEFORE_TRACE | IPCSCOPE_UNFINISHED;
    record.since_ns = start_ns;
    record.enter_ns = start_ns;
    record.object = pipe->inode;
    record.dev = pipe->dev;
    record.type = pipe->fifo ? IPCSCOPE_OBJECT_FIFO : IPCSCOPE_OBJECT_PIPE;
    record.op = sleeper.op;
    record.requested = static_cast<__u32>(std::min<std::uint64_t>(sleeper.bytes, UINT32_MAX));
    record.sleeps = 1;
    return record;
}

}  // namespace ipcscope::source
