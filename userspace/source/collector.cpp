// SPDX-License-Identifier: GPL-2.0-only
#include "source/collector.hpp"

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "source/records.hpp"
#include "source/signal_origin.hpp"

namespace ipcscope::source {
namespace {

std::vector<std::uint32_t> own_processes(const ThreadStacks& stacks)
{
    std::vector<std::uint32_t> own{static_cast<std::uint32_t>(getpid())};
    if (stacks.helper() > 0) {
        own.push_back(static_cast<std::uint32_t>(stacks.helper()));
    }
    return own;
}

/// The rings fill meanwhile.
constexpr std::chrono::milliseconds kLookPortion{20};
constexpr std::chrono::milliseconds kLastLooks{200};

/// On one that is found among the descriptors of processes, or in what they have mapped.
bool is_call_on_file(const ipcscope_header& header)
{
    if (header.kind < IPCSCOPE_CALL_FIRST || header.kind > IPCSCOPE_CALL_LAST ||
        header.size < sizeof(ipcscope_call)) {
        return false;
    }
    const auto& call = reinterpret_cast<const ipcscope_call&>(header);
    return call.type == IPCSCOPE_OBJECT_PIPE || call.type == IPCSCOPE_OBJECT_FIFO ||
           call.type == IPCSCOPE_OBJECT_MQUEUE || call.type == IPCSCOPE_OBJECT_FUTEX ||
           header.kind == IPCSCOPE_CALL_UNIX;
}

bool is_birth(const ipcscope_thread& thread)
{
    return thread.header.tid == thread.header.tgid && thread.reason == IPCSCOPE_THREAD_FORK;
}

}  // namespace

Collector::Collector(std::unique_ptr<ThreadStacks> stacks,
                     std::unique_ptr<CallsBefore> calls, std::uint64_t start_ns,
                     std::uint64_t stuck_after_ns, bool sockets)
    : stacks_(std::move(stacks)), calls_(std::move(calls)), start_ns_(start_ns),
      holders_(own_processes(*stacks_), cgroups_, names_, sockets),
      watch_(stuck_after_ns, own_processes(*stacks_)), observer_(*stacks_, cgroups_),
      ancestry_(cgroups_)
{
}

Result<void> Collector::sweep(Sink& sink, std::chrono::milliseconds portion)
{
    if (swept_) {
        return {};
    }
    const auto deadline = std::chrono::steady_clock::now() + portion;
    if (calls_) {
        // The sooner, the more sleep on; their names and the pipes' holders follow.
        before_ = calls_->append(notes_, start_ns_);
        calls_.reset();
    }
    if (!threads_) {
        threads_ = std::make_unique<ThreadSweep>(start_ns_, cgroups_, names_);
    }
    swept_ = threads_->append(notes_, deadline) &&
             holders_.append_all(notes_, start_ns_, deadline);
    return pass_on(sink);
}

Result<void> Collector::look_at(Sink& sink, std::span<std::byte> records,
                                std::uint64_t released_ns)
{
    for_each_record(records, [&](ipcscope_header& header) {
        if (header.kind == IPCSCOPE_KILL && header.size >= sizeof(ipcscope_kill)) {
            auto& kill = reinterpret_cast<ipcscope_kill&>(header);
            name_thread(kill.target_tgid, kill.stuck_tid, header.time_ns);
            name_stack(kill, released_ns);
            watch_.saw(kill);
        } else if (header.kind == IPCSCOPE_SIGNAL_GENERATE &&
                   header.size >= sizeof(ipcscope_signal_generate)) {
            if (header.size >= sizeof(ipcscope_signal_callers)) {
                name_callers(reinterpret_cast<ipcscope_signal_callers&>(header), released_ns);
            }
            const auto& sent = reinterpret_cast<const ipcscope_signal_generate&>(header);
            watch_.saw(sent);
            ancestry_.saw(sent, notes_);
        } else if (header.kind == IPCSCOPE_THREAD_FREE && header.tid == header.tgid) {
            watch_.freed(header.tgid);
            holders_.ended(header.tgid);
            ancestry_.freed(header.tgid);
        } else if (header.kind == IPCSCOPE_THREAD && header.size >= sizeof(ipcscope_thread)) {
            const auto& thread = reinterpret_cast<const ipcscope_thread&>(header);
            if (is_birth(thread)) {
                holders_.born(header.tgid);
            }
            ancestry_.saw(thread);
            id_names_.saw(thread, notes_);
        } else if (header.kind == IPCSCOPE_COMMAND && header.size >= sizeof(ipcscope_command)) {
            ancestry_.saw(reinterpret_cast<const ipcscope_command&>(header));
        } else if (is_call_on_file(header)) {
            holders_.saw(reinterpret_cast<const ipcscope_call&>(header));
        }
        if (header.flags & IPCSCOPE_UNFINISHED) {
            name_thread(header.tgid, header.tid, header.time_ns);
        }
    });
    return pass_on(sink);
}

Result<void> Collector::pass_on_holders(Sink& sink, bool now, std::uint64_t last_ns)
{
    // The backend records its own unfinished calls, and not these.
    if (now) {
        for (const ipcscope_call& call : before_) {
            holders_.saw(call);
        }
        before_.clear();
    }
    holders_.append_seen(notes_, now, last_ns);
    return pass_on(sink);
}

/// A backend names a thread before its own records only: not the thread that a kill
/// found asleep, and not one that has renamed itself and sleeps in a call since.
void Collector::name_thread(std::uint32_t tgid, std::uint32_t tid, std::uint64_t time_ns)
{
    const std::string tasks = fmt::format("/proc/{}/task", tgid);
    auto record = proc::thread(proc::open_directory(AT_FDCWD, tasks.c_str()), tid, cgroups_);
    if (!record) {
        return;   // it has ended
    }
    record->header.time_ns = time_ns;
    record->reason = IPCSCOPE_THREAD_SEEN;
    notes_.add(*record, IPCSCOPE_THREAD);
}

/// Replaces kernel addresses by ids of names.  Where the stuck thread is not the
/// one that the signal was sent to, BPF has no stack of it.
void Collector::name_stack(ipcscope_kill& kill, std::uint64_t released_ns)
{
    const std::size_t depth = std::min<std::size_t>(kill.stack_depth, IPCSCOPE_STACK_DEPTH);
    std::uint64_t addresses[IPCSCOPE_STACK_DEPTH];
    std::copy_n(kill.stack, depth, addresses);
    const auto names = depth > 0 ? symbols_.of_addresses(std::span(addresses, depth))
                                 : symbols_.of_stack_text(
                                       stacks_->read(kill.target_tgid, kill.stuck_tid));
    set_stack(kill, names, released_ns);
}

/// The names of the callers say why the kernel sent it.
void Collector::name_callers(ipcscope_signal_callers& sent, std::uint64_t released_ns)
{
    const std::size_t depth = std::min<std::size_t>(sent.stack_depth, IPCSCOPE_CALLERS);
    std::uint64_t addresses[IPCSCOPE_CALLERS];
    std::copy_n(sent.stack, depth, addresses);
    const auto names = symbols_.of_addresses(std::span(addresses, depth));
    std::vector<std::string> callers;
    for (const Symbols::Named& name : names) {
        callers.push_back(name.text);
    }
    sent.origin = origin_by_callers(callers, sent.origin);
    sent.memory_limit *= static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    set_stack(sent, names, released_ns);
}

template <typename Record>
void Collector::set_stack(Record& record, const std::vector<Symbols::Named>& names,
                          std::uint64_t released_ns)
{
    std::memset(record.stack, 0, sizeof record.stack);
    record.stack_depth = 0;
    for (const Symbols::Named& name : names) {
        if (record.stack_depth == std::size(record.stack)) {
            break;
        }
        if (name.is_new) {
            add_symbol(name, released_ns);
        }
        record.stack[record.stack_depth++] = name.id;
    }
}

Result<void> Collector::observe(Sink& sink, std::uint64_t released_ns)
{
    const auto deadline = std::chrono::steady_clock::now() + kLookPortion;
    while (std::chrono::steady_clock::now() < deadline) {
        const auto target = watch_.take_due(monotonic_ns());
        if (!target) {
            break;
        }
        look(*target, released_ns);
    }
    return pass_on(sink);
}

void Collector::observe_all(std::uint64_t released_ns)
{
    const auto deadline = std::chrono::steady_clock::now() + kLastLooks;
    for (const Watch::Target& target : watch_.take_all(monotonic_ns())) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return;
        }
        look(target, released_ns);
    }
}

void Collector::look(const Watch::Target& target, std::uint64_t released_ns)
{
    const std::uint64_t time_ns = monotonic_ns();
    ObservedProcess process = observer_.look(target.tgid);
    if (!process.exists || proc::began_after(process.start_ticks, target.sent_ns)) {
        watch_.gone(target.tgid);
        return;
    }
    for (ObservedThread& thread : process.threads) {
        add_observed(target, thread, time_ns, released_ns);
    }
}

/// With the names of those it speaks of: the backend names a thread before its own
/// records only.
void Collector::add_observed(const Watch::Target& target, ObservedThread& thread,
                             std::uint64_t time_ns, std::uint64_t released_ns)
{
    ipcscope_observed& record = thread.record;
    const std::uint32_t tgid = record.header.tgid, tid = record.header.tid;
    if (tid == tgid || target.looks == 0) {
        name_thread(tgid, tid, time_ns);
    }
    for (const std::uint32_t other : {record.ppid, record.tracer_pid, record.vfork_child}) {
        if (other != 0 && (tid == tgid || other != record.ppid)) {
            name_thread(other, other, time_ns);
        }
    }
    record.header.time_ns = time_ns;
    record.sent_ns = target.sent_ns;
    record.sig = static_cast<__u8>(target.signal);
    set_stack(record, symbols_.of_stack_text(thread.stack), released_ns);
    notes_.add(record, IPCSCOPE_OBSERVED, thread.wait_channel);
}

/// A name is as old as can be: another CPU's ring, which is read later, may hold
/// an earlier kill with the same function in its stack.
void Collector::add_symbol(const Symbols::Named& name, std::uint64_t released_ns)
{
    ipcscope_symbol record{};
    record.header.time_ns = std::max(released_ns, start_ns_);
    record.id = name.id;
    notes_.add(record, IPCSCOPE_SYMBOL, name.text);
}

/// Of users and cgroups that the notes are of.
void Collector::add_names()
{
    Notes names;
    // The text of others may leave a record unaligned.
    const auto saw = [&](auto record, std::span<const std::byte> bytes) {
        std::memcpy(&record, bytes.data(), sizeof record);
        id_names_.saw(record, names);
    };
    ipcscope_header header;
    for (auto bytes = notes_.bytes(); !bytes.empty(); bytes = bytes.subspan(header.size)) {
        std::memcpy(&header, bytes.data(), sizeof header);
        if (header.kind == IPCSCOPE_THREAD) {
            saw(ipcscope_thread{}, bytes);
        } else if (header.kind == IPCSCOPE_PROCESS) {
            saw(ipcscope_process{}, bytes);
        }
    }
    notes_.append(names.bytes());
}

Result<void> Collector::pass_on(Sink& sink)
{
    if (notes_.empty()) {
        return {};
    }
    add_names();
    auto done = sink.records(kCollectorCpu, notes_.bytes());
    notes_.clear();
    return done;
}

}  // namespace ipcscope::source
