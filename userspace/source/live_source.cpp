// SPDX-License-Identifier: GPL-2.0-only
#include "source/live_source.hpp"

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "source/collector.hpp"
#include "source/host.hpp"
#include "source/records.hpp"

namespace ipcscope::source {
namespace {

using std::chrono::milliseconds;

/// A record's time is taken just before it is reserved and committed just
/// after; a BPF program that was preempted between can be late by this much.
constexpr std::uint64_t kSlackNs = 20'000'000;
constexpr std::uint64_t kLedgerPeriodNs = 1'000'000'000;
/// Of the sweep at the start: the rings, which fill meanwhile, hold much more.
constexpr milliseconds kSweepPortion{20};
constexpr milliseconds kWholeSweep = std::chrono::hours(1);

class LiveSource final : public Source {
public:
    LiveSource(std::unique_ptr<Producer> producer, std::unique_ptr<ThreadStacks> stacks,
               std::unique_ptr<CallsBefore> calls, Host host, const Options& options)
        : producer_(std::move(producer)), host_(std::move(host)),
          collector_(std::move(stacks), std::move(calls), host_.start_ns, options.stuck_after_ns,
                     (options.families & IPCSCOPE_FAMILY_UNIX) != 0),
          watermark_ns_(host_.start_ns)
    {
    }

    Result<bool> poll(Sink& sink, milliseconds timeout) override
    {
        auto done = begin(sink, kSweepPortion);
        if (done) {
            producer_->wait(collector_.swept() ? until_next_look(timeout) : milliseconds(0));
            done = pass_on_rings(sink)
                       .and_then([&] { return collector_.observe(sink, watermark_ns_); })
                       .and_then([&] { return pass_on_ledger(sink, false); })
                       .and_then([&] { return producer_->alive(); });
        }
        return done ? Result<bool>(true) : tl::unexpected<Error>(done.error());
    }

    Result<void> finish(Sink& sink) override
    {
        if (finished_) {
            return {};
        }
        finished_ = true;
        collector_.observe_all(watermark_ns_);
        auto detached = producer_->detach();
        if (detached) {
            stop_ns_ = producer_->stop_ns();
        }
        auto drained =
            begin(sink, kWholeSweep).and_then([&] { return drain_all(sink); });
        if (!detached) {
            // What there was is kept; that the trace has ended in order is not said.
            (void)drained.and_then([&] { return pass_on_ledger(sink, true); });
            return detached;
        }
        return drained
            .and_then([&] { return pass_on_unfinished(sink); })
            .and_then([&] {
                // A hook that had begun before the stop may have ended after it.
                stop_ns_ = std::max(stop_ns_, newest_ns_);
                return sink.watermark(stop_ns_);
            })
            .and_then([&] { return pass_on_ledger(sink, true); })
            .and_then([&] { return sink.end(stop_ns_); });
    }

private:
    /// The host, once; then what there was before the first record.
    Result<void> begin(Sink& sink, milliseconds portion)
    {
        if (!begun_) {
            begun_ = true;
            if (auto done = sink.host(host_); !done) {
                return done;
            }
        }
        return collector_.sweep(sink, portion);
    }

    milliseconds until_next_look(milliseconds timeout) const
    {
        const std::uint64_t now = monotonic_ns(), next = collector_.next_look_ns();
        if (next <= now) {
            return milliseconds(0);
        }
        const auto left = std::chrono::nanoseconds(
            std::min<std::uint64_t>(next - now, 1'000'000'000));
        return std::min(timeout, std::chrono::ceil<milliseconds>(left));
    }

    /// One pass over all rings, then the watermark that it proves.
    Result<void> pass_on_rings(Sink& sink)
    {
        std::uint64_t complete_ns = monotonic_ns();
        all_drained_ = true;
        for (unsigned cpu = 0; cpu < producer_->cpus(); ++cpu) {
            const auto drained = producer_->drain(cpu);
            if (!drained.records.empty()) {
                if (auto done = pass_on(sink, cpu, drained.records); !done) {
                    return done;
                }
            }
            if (!drained.empty) {
                complete_ns =
                    std::min(complete_ns, drained.records.empty() ? 0 : last_time_ns_);
                all_drained_ = false;
            }
        }
        if (auto done = collector_.pass_on_holders(sink, false, stop_ns_); !done) {
            return done;
        }
        if (complete_ns > kSlackNs) {
            watermark_ns_ =
                std::max(watermark_ns_, std::min(complete_ns - kSlackNs, stop_ns_));
        }
        return collector_.swept() ? sink.watermark(watermark_ns_) : Result<void>{};
    }

    Result<void> pass_on(Sink& sink, unsigned cpu, std::span<std::byte> records)
    {
        // The names come before the records that use them.
        if (auto done = collector_.look_at(sink, records, watermark_ns_); !done) {
            return done;
        }
        for_each_record(records, [&](const ipcscope_header& header) {
            last_time_ns_ = header.time_ns;
            newest_ns_ = std::max(newest_ns_, last_time_ns_);
        });
        return sink.records(cpu, records);
    }

    Result<void> drain_all(Sink& sink)
    {
        do {
            if (auto done = pass_on_rings(sink); !done) {
                return done;
            }
        } while (!all_drained_);
        return collector_.pass_on_holders(sink, true, stop_ns_);
    }

    /// Calls that had not returned when the trace ended, and the time of the threads
    /// that were in none.  They count as emitted by CPU 0.
    Result<void> pass_on_unfinished(Sink& sink)
    {
        const Ledger ledger = producer_->ledger();
        const std::uint64_t lost = ledger.empty() ? 0 : ledger.front().lost;
        std::vector<std::byte> records;
        producer_->unfinished([&](std::span<std::byte> record) {
            auto& header = *reinterpret_cast<ipcscope_header*>(record.data());
            header.cpu = 0;
            header.lost_before = lost;
            if (header.kind < IPCSCOPE_KIND_COUNT) {
                ++unfinished_[header.kind];
            }
            records.insert(records.end(), record.begin(), record.end());
        });
        if (records.empty()) {
            return {};
        }
        return pass_on(sink, 0, records).and_then([&] {
            return collector_.pass_on_holders(sink, true, stop_ns_);
        });
    }

    Result<void> pass_on_ledger(Sink& sink, bool now)
    {
        const std::uint64_t time = monotonic_ns();
        if (!now && time < next_ledger_ns_) {
            return {};
        }
        next_ledger_ns_ = time + kLedgerPeriodNs;
        Ledger ledger = producer_->ledger();
        for (unsigned kind = 0; !ledger.empty() && kind < unfinished_.size(); ++kind) {
            ledger.front().kind[kind].emitted += unfinished_[kind];
        }
        return sink.ledger(ledger);
    }

    std::unique_ptr<Producer> producer_;
    Host host_;
    Collector collector_;
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> unfinished_{};   ///< by kind
    std::uint64_t next_ledger_ns_ = 0;
    std::uint64_t last_time_ns_ = 0;
    std::uint64_t watermark_ns_;               ///< the last one passed on
    std::uint64_t newest_ns_ = 0;              ///< of any record
    std::uint64_t stop_ns_ = UINT64_MAX;       ///< until then: it runs
    bool all_drained_ = false;
    bool begun_ = false;
    bool finished_ = false;
};

}  // namespace

std::unique_ptr<Source> live_source(std::unique_ptr<Producer> producer,
                                    std::unique_ptr<ThreadStacks> stacks,
                                    std::unique_ptr<CallsBefore> calls,
                                    const std::string& backend, const Options& options)
{
    Host host = this_host(options);
    host.backend = backend;
    host.start_ns = producer->start_ns();
    host.cpus = static_cast<unsigned>(producer->cpus());
    for (const HookStatus& hook : producer->hooks()) {
        if (hook.attached) {
            host.hooks.push_back(describe(hook));
        }
    }
    return std::make_unique<LiveSource>(std::move(producer), std::move(stacks), std::move(calls),
                                        std::move(host), options);
}

}  // namespace ipcscope::source
