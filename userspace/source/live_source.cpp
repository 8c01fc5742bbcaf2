// SPDX-License-Identifier: GPL-2.0-only
#include "source/live_source.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <unistd.h>

#include "base/clock.hpp"
#include "source/host.hpp"
#include "source/pipe_ends.hpp"
#include "source/symbols.hpp"

namespace ipcscope::source {
namespace {

/// A record's time is taken just before it is reserved and committed just
/// after; a BPF program that was preempted between can be late by this much.
constexpr std::uint64_t kSlackNs = 20'000'000;
constexpr std::uint64_t kLedgerPeriodNs = 1'000'000'000;

class LiveSource final : public Source {
public:
    LiveSource(std::unique_ptr<Producer> producer, std::unique_ptr<ThreadStacks> stacks,
               Host host)
        : producer_(std::move(producer)), host_(std::move(host)), stacks_(std::move(stacks)),
          pipe_ends_(static_cast<std::uint32_t>(getpid()))
    {
    }

    Result<bool> poll(Sink& sink, std::chrono::milliseconds timeout) override
    {
        if (auto done = greet(sink); !done) {
            return tl::unexpected<Error>(done.error());
        }
        producer_->wait(timeout);
        auto done = pass_on_rings(sink)
                        .and_then([&] { return pass_on_ledger(sink, false); })
                        .and_then([&] { return producer_->alive(); });
        if (!done) {
            return tl::unexpected<Error>(done.error());
        }
        return true;
    }

    Result<void> finish(Sink& sink) override
    {
        if (finished_) {
            return {};
        }
        finished_ = true;
        auto detached = producer_->detach();
        const std::uint64_t end = monotonic_ns();
        auto drained = greet(sink).and_then([&] { return drain_all(sink); });
        if (!detached) {
            // What there was is kept; that the trace has ended in order is not said.
            (void)drained.and_then([&] { return pass_on_ledger(sink, true); });
            return detached;
        }
        return drained
            .and_then([&] { return pass_on_unfinished(sink, end); })
            .and_then([&] { return sink.watermark(end); })
            .and_then([&] { return pass_on_ledger(sink, true); })
            .and_then([&] { return sink.end(end); });
    }

private:
    Result<void> greet(Sink& sink)
    {
        if (greeted_) {
            return {};
        }
        greeted_ = true;
        return sink.host(host_);
    }

    /// One pass over all rings, then the watermark that it proves.
    Result<void> pass_on_rings(Sink& sink)
    {
        std::uint64_t complete_ns = monotonic_ns();
        bool empty = true;
        for (unsigned cpu = 0; cpu < producer_->cpus(); cpu++) {
            const auto drained = producer_->drain(cpu);
            if (auto done = pass_on(sink, cpu, drained.records); !done) {
                return done;
            }
            if (!drained.empty) {
                complete_ns = std::min(complete_ns, last_time_ns_);
                empty = false;
            }
        }
        if (auto done = pass_on_pipe_ends(sink, false); !done) {
            return done;
        }
        all_drained_ = empty;
        if (complete_ns > kSlackNs) {
            watermark_ns_ = std::max(watermark_ns_, complete_ns - kSlackNs);
        }
        return sink.watermark(watermark_ns_);
    }

    Result<void> drain_all(Sink& sink)
    {
        do {
            if (auto done = pass_on_rings(sink); !done) {
                return done;
            }
        } while (!all_drained_);
        return pass_on_pipe_ends(sink, true);
    }

    Result<void> pass_on(Sink& sink, unsigned cpu, std::span<std::byte> records)
    {
        notes_.clear();
        for (std::size_t at = 0; at < records.size();) {
            auto* header = reinterpret_cast<ipcscope_header*>(&records[at]);
            if (header->kind == IPCSCOPE_KILL) {
                name_stack(*reinterpret_cast<ipcscope_kill*>(header));
            } else if (header->kind == IPCSCOPE_PIPE_READ ||
                       header->kind == IPCSCOPE_PIPE_WRITE) {
                pipe_ends_.saw(*reinterpret_cast<ipcscope_pipe_op*>(header));
            }
            last_time_ns_ = header->time_ns;
            at += header->size;
        }
        // The names come before the records that use them.
        if (!notes_.empty()) {
            if (auto done = sink.records(Sink::kCollector, notes_); !done) {
                return done;
            }
        }
        return records.empty() ? Result<void>{} : sink.records(cpu, records);
    }

    /// Replaces kernel addresses by ids of names.  Where the stuck thread is
    /// not the one that the signal was sent to, BPF has no stack of it.
    void name_stack(ipcscope_kill& kill)
    {
        const std::size_t depth = std::min<std::size_t>(kill.stack_depth, IPCSCOPE_STACK_DEPTH);
        std::uint64_t addresses[IPCSCOPE_STACK_DEPTH];
        std::copy_n(kill.stack, depth, addresses);
        const auto names = depth > 0
                               ? symbols_.of_addresses(std::span(addresses, depth))
                               : symbols_.of_stack_text(
                                     stacks_->read(kill.target_tgid, kill.stuck_tid));
        std::memset(kill.stack, 0, sizeof kill.stack);
        kill.stack_depth = 0;
        for (const Symbols::Named& name : names) {
            if (kill.stack_depth == IPCSCOPE_STACK_DEPTH) {
                break;
            }
            if (name.is_new) {
                append_symbol(name);
            }
            kill.stack[kill.stack_depth++] = name.id;
        }
    }

    /// A name is as old as can be: another CPU's ring, which is read later, may
    /// hold an earlier kill with the same function in its stack.
    void append_symbol(const Symbols::Named& name)
    {
        ipcscope_symbol record{};
        record.header.time_ns = watermark_ns_;
        record.header.cpu = Sink::kCollector;
        record.header.kind = IPCSCOPE_SYMBOL;
        record.header.size = static_cast<__u16>(sizeof record + name.text.size());
        record.id = name.id;
        append(notes_, &record, sizeof record);
        append(notes_, name.text.data(), name.text.size());
    }

    static void append(std::vector<std::byte>& to, const void* from, std::size_t size)
    {
        const auto* bytes = static_cast<const std::byte*>(from);
        to.insert(to.end(), bytes, bytes + size);
    }

    Result<void> pass_on_pipe_ends(Sink& sink, bool now)
    {
        notes_.clear();
        pipe_ends_.append_notes(notes_, now);
        return notes_.empty() ? Result<void>{} : sink.records(Sink::kCollector, notes_);
    }

    /// Calls that had not returned when the hooks went: whoever is still
    /// waiting in a pipe is what a reader of the report looks for.
    Result<void> pass_on_unfinished(Sink& sink, std::uint64_t now)
    {
        std::vector<std::byte> records;
        producer_->unfinished(now, [&](const ipcscope_pipe_op& record) {
            append(records, &record, sizeof record);
            pipe_ends_.saw(record);
            unfinished_[record.header.kind]++;
        });
        if (records.empty()) {
            return {};
        }
        // Whoever waits may wait on a pipe of which no call has ever returned.
        return sink.records(0, records).and_then([&] { return pass_on_pipe_ends(sink, true); });
    }

    Result<void> pass_on_ledger(Sink& sink, bool now)
    {
        const std::uint64_t time = monotonic_ns();
        if (!now && time < next_ledger_ns_) {
            return {};
        }
        next_ledger_ns_ = time + kLedgerPeriodNs;
        Ledger ledger = producer_->ledger();
        for (const auto& [kind, count] : unfinished_) {
            ledger[0].kind[kind].emitted += count;
        }
        return sink.ledger(ledger);
    }

    std::unique_ptr<Producer> producer_;
    Host host_;
    Symbols symbols_;
    std::unique_ptr<ThreadStacks> stacks_;
    PipeEnds pipe_ends_;
    std::vector<std::byte> notes_;
    std::map<unsigned, std::uint64_t> unfinished_;   ///< by kind
    std::uint64_t next_ledger_ns_ = 0;
    std::uint64_t last_time_ns_ = 0;
    std::uint64_t watermark_ns_ = 0;                 ///< the last one passed on
    bool all_drained_ = false;
    bool greeted_ = false;
    bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> live_source(std::unique_ptr<Producer> producer,
                                    std::unique_ptr<ThreadStacks> stacks,
                                    const std::string& backend, std::uint64_t start_ns,
                                    const Options& options)
{
    Host host = this_host(options);
    host.backend = backend;
    host.start_ns = start_ns;
    host.cpus = static_cast<unsigned>(producer->cpus());
    for (const HookStatus& hook : producer->hooks()) {
        if (hook.attached) {
            host.hooks.push_back(describe(hook));
        }
    }
    return std::make_unique<LiveSource>(std::move(producer), std::move(stacks), std::move(host));
}

}  // namespace ipcscope::source
