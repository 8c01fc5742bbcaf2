// SPDX-License-Identifier: GPL-2.0-only
// generate_capture FILE [--records N] [--tasks N] [--pipes N] [--targets N] [--cpus N]
//                  [--live N] [--joined 1] [--even 1]
//
// A capture as a machine makes it that does much IPC, to measure the collector by: TASKS
// processes in turn, of which LIVE are there at once, each named, reading and writing one
// of PIPES pipes, every fourth read after a wait, and sending SIGUSR1 to one of TARGETS
// processes that handle it.  A pipe is between two tasks that are neighbours; with
// --joined between any, so that all are one pipeline.  With --even LIVE of the tasks are
// there from the beginning, and pipes and targets are used in turn, so that each one is.
// The numbers are those of a fixed pseudo-random sequence, so that each run is of the same
// file.  Prints how many there are: "records N tasks N pipes N targets N".
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <ipcscope/record.h>

#include "capture/capture.hpp"

namespace {

using ipcscope::capture::Writer;

struct Size {
    std::uint64_t records = 1'000'000;
    std::uint64_t tasks = 2'000;
    std::uint64_t pipes = 5'000;
    std::uint64_t targets = 1'000;
    std::uint64_t cpus = 4;
    std::uint64_t live = 1'000;
    std::uint64_t joined = 0;
    std::uint64_t even = 0;
};

constexpr std::uint64_t kStartNs = 1'000'000'000;
constexpr std::uint32_t kFirstTask = 1'000;
constexpr std::size_t kBlockBytes = 64 << 10;

class Generator {
public:
    Generator(const Size& size, Writer& out) : size_(size), out_(out), rings_(size.cpus) {}

    bool run()
    {
        ipcscope::source::Host host;
        host.kernel = "generated";
        host.machine = "x86_64";
        host.backend = "bpf";
        host.cpus = static_cast<unsigned>(size_.cpus);
        host.start_ns = kStartNs;
        bool ok = out_.host(host).has_value();
        while (ok && size_.even != 0 && next_ < std::min(size_.live, size_.tasks)) {
            begins(next_++);
            ok = made_ % 4096 == 0 ? flush() : ok;
        }
        while (ok && made_ < size_.records) {
            step();
            ok = made_ % 4096 < 8 ? flush() : ok;
        }
        for (std::uint64_t task = oldest_; ok && task < next_; ++task) {
            ends(task);
        }
        ok = ok && flush();
        ipcscope::source::Ledger ledger(size_.cpus);
        for (std::uint64_t kind = 0; kind < IPCSCOPE_KIND_COUNT; ++kind) {
            ledger[0].kind[kind].emitted = emitted_[kind];
        }
        return ok && out_.ledger(ledger).has_value() && out_.end(now_).has_value();
    }

    void print() const
    {
        fmt::print("records {} tasks {} pipes {} targets {}\n", made_, next_, pipes_.size(),
                   targets_.size());
    }

private:
    std::uint64_t random(std::uint64_t below)
    {
        state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
        return (state_ >> 33) % below;
    }

    /// Of so many the next one with --even, else any.
    std::uint64_t one_of(std::uint64_t count, std::uint64_t& turn)
    {
        return size_.even != 0 ? turn++ % count : random(count);
    }

    std::uint32_t pid_of(std::uint64_t task) const
    {
        return kFirstTask + static_cast<std::uint32_t>(task);
    }

    template <typename Record>
    void put(Record& record, unsigned kind, std::uint64_t task)
    {
        now_ += 200 + random(400);
        record.header.time_ns = now_;
        record.header.tgid = record.header.tid = pid_of(task);
        record.header.cpu = static_cast<__u16>(task % size_.cpus);
        record.header.kind = static_cast<__u16>(kind);
        record.header.size = sizeof record;
        auto& ring = rings_[record.header.cpu];
        const auto* bytes = reinterpret_cast<const std::byte*>(&record);
        ring.insert(ring.end(), bytes, bytes + sizeof record);
        ++emitted_[kind];
        ++made_;
    }

    void begins(std::uint64_t task)
    {
        ipcscope_thread record{};
        record.start_ns = now_;
        record.ppid = 1;
        record.ns_pid = pid_of(task);
        record.reason = IPCSCOPE_THREAD_FORK;
        const std::string name = fmt::format("task{}", task % 1'000);
        std::memcpy(record.comm, name.data(), std::min<std::size_t>(name.size(), 15));
        since_.push_back(now_);
        put(record, IPCSCOPE_THREAD, task);
    }

    void ends(std::uint64_t task)
    {
        ipcscope_thread_time record{};
        record.since_ns = since_[task];
        record.group_dead = 1;
        put(record, IPCSCOPE_THREAD_EXIT, task);
        ipcscope_header freed{};
        struct { ipcscope_header header; } free{freed};
        put(free, IPCSCOPE_THREAD_FREE, task);
    }

    void call(std::uint64_t task, std::uint64_t pipe, bool write)
    {
        pipes_.insert(pipe);
        ipcscope_call_split record{};
        record.since_ns = since_[task];
        record.enter_ns = now_;
        record.object = 10'000 + pipe;
        record.requested = 4096;
        record.ret = 4096;
        record.dev = 14;
        record.type = IPCSCOPE_OBJECT_PIPE;
        record.op = write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ;
        record.tail.pipe = {16, write ? 0u : 1u, 1, 1};
        if (!write && random(4) == 0) {
            now_ += 5'000;
            record.blocked_ns = 4'000;
            record.sleeps = 1;
            record.waker_tid = pid_of(task);
            put(record, IPCSCOPE_CALL_PIPE, task);
        } else {
            ipcscope_call brief{};
            std::memcpy(&brief, &record, sizeof brief);
            put(brief, IPCSCOPE_CALL_PIPE, task);
        }
        since_[task] = now_;
    }

    void signal(std::uint64_t sender, std::uint64_t target)
    {
        targets_.insert(target);
        ipcscope_signal_generate made{};
        made.enter_ns = now_ + 100;
        made.target_tgid = made.target_tid = pid_of(target);
        made.sig = 10;
        made.disposition = IPCSCOPE_DISPOSITION_HANDLER;
        made.shared = 1;
        put(made, IPCSCOPE_SIGNAL_GENERATE, sender);
        ipcscope_signal_take taken{};
        taken.dequeued_ns = taken.enter_ns = now_ + 50;
        taken.sig = 10;
        taken.how = IPCSCOPE_TAKE_HANDLER;
        taken.disposition = IPCSCOPE_DISPOSITION_HANDLER;
        put(taken, IPCSCOPE_SIGNAL_TAKE, target);
    }

    /// A task comes (and the oldest goes) so often that all have come at the end; else
    /// one writes a pipe and another reads it, or a signal is sent.
    void step()
    {
        if (next_ < size_.tasks && made_ * size_.tasks >= next_ * size_.records) {
            begins(next_++);
            if (next_ - oldest_ > size_.live) {
                ends(oldest_++);
            }
        }
        const std::uint64_t task = oldest_ + random(next_ - oldest_);
        const std::uint64_t other = oldest_ + random(next_ - oldest_);
        if (random(4) == 0) {
            const std::uint64_t targets = std::min(size_.targets, next_ - oldest_);
            signal(task, next_ - 1 - one_of(targets, next_target_));
            return;
        }
        if (size_.joined != 0) {
            const std::uint64_t pipe = one_of(size_.pipes, next_pipe_);
            call(task, pipe, true);
            call(other, pipe, false);
            return;
        }
        const std::uint64_t pairs = (size_.tasks + 1) / 2;
        const std::uint64_t each = std::max<std::uint64_t>(size_.pipes / pairs, 1);
        const std::uint64_t turn = next_pipe_++;
        const std::uint64_t any = size_.even != 0 ? turn / each % pairs * 2 : task;
        const std::uint64_t writer = any & ~std::uint64_t{1};
        if (writer >= oldest_ && writer + 1 < next_) {
            const std::uint64_t of_pair = size_.even != 0 ? turn % each : random(each);
            const std::uint64_t pipe = (writer / 2) * each + of_pair;
            call(writer, pipe, true);
            call(writer + 1, pipe, false);
        }
    }

    bool flush()
    {
        for (unsigned cpu = 0; cpu < rings_.size(); ++cpu) {
            if (!rings_[cpu].empty() && !out_.records(cpu, rings_[cpu])) {
                return false;
            }
            rings_[cpu].clear();
        }
        return out_.watermark(now_).has_value();
    }

    Size size_;
    Writer& out_;
    std::vector<std::vector<std::byte>> rings_;
    std::vector<std::uint64_t> since_;   ///< by task
    std::unordered_set<std::uint64_t> pipes_;  ///< used
    std::unordered_set<std::uint64_t> targets_;
    std::uint64_t next_pipe_ = 0;
    std::uint64_t next_target_ = 0;
    std::uint64_t emitted_[IPCSCOPE_KIND_COUNT] = {};
    std::uint64_t state_ = 1;
    std::uint64_t now_ = kStartNs;
    std::uint64_t made_ = 0;
    std::uint64_t oldest_ = 0;           ///< task that is still there
    std::uint64_t next_ = 0;             ///< task that has not come yet
};

bool parse(int argc, char** argv, Size& size)
{
    const std::pair<std::string_view, std::uint64_t*> options[] = {
        {"--records", &size.records}, {"--tasks", &size.tasks}, {"--pipes", &size.pipes},
        {"--targets", &size.targets}, {"--cpus", &size.cpus},   {"--live", &size.live},
        {"--joined", &size.joined},   {"--even", &size.even}};
    for (int at = 2; at + 1 < argc; at += 2) {
        const auto option = std::ranges::find(options, argv[at], [](auto& o) { return o.first; });
        if (option == std::end(options)) {
            return false;
        }
        *option->second = std::stoull(argv[at + 1]);
    }
    return argc >= 2 && argc % 2 == 0;
}

}  // namespace

int main(int argc, char** argv)
{
    Size size;
    if (!parse(argc, argv, size) || argv[1][0] == '-') {
        std::fprintf(stderr,
                     "generate_capture FILE [--records N] [--tasks N] [--pipes N] "
                     "[--targets N] [--cpus N] [--live N] [--joined 1] [--even 1]\n");
        return 2;
    }
    auto writer = Writer::create(argv[1], true);
    if (!writer) {
        return 1;
    }
    Generator generator(size, **writer);
    if (!generator.run()) {
        return 1;
    }
    generator.print();
    return 0;
}
