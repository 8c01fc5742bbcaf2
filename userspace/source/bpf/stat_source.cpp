// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/stat_source.hpp"

#include <cerrno>
#include <cstring>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "config.h"
#include "source/bpf/map_batch.hpp"
#include "source/bpf/tracer.hpp"
#include "source/host.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::bpf {
namespace {

class BpfStat final : public StatSource {
public:
    BpfStat(std::unique_ptr<Tracer> tracer, Host host, __u32 rows)
        : tracer_(std::move(tracer)), host_(std::move(host)), rows_(rows)
    {
    }

    const Host& host() const override { return host_; }

    Result<Stat> read() override
    {
        Stat stat;
        stat.time_ns = stopped_ ? tracer_->stop_ns() : monotonic_ns();
        // What a queue has lost meanwhile is in the tallies, which are read later.
        auto done = read_queues(stat)
                        .and_then([&] { return read_tallies(stat); })
                        .and_then([&] { return read_rows(stat); });
        if (!done) {
            return tl::unexpected<Error>(done.error());
        }
        stat.ledger = tracer_->ledger();
        return stat;
    }

    Result<void> stop() override
    {
        if (!stopped_) {
            tracer_->detach();
            stopped_ = true;
        }
        return {};
    }

private:
    static tl::unexpected<Error> failed(const char* map)
    {
        return fail(Exit::kernel, fmt::format("the map {} cannot be read: {}", map,
                                              std::strerror(errno)));
    }

    Result<void> read_rows(Stat& stat) const
    {
        const int keys = tracer_->map_fd("stat_rows");
        ipcscope_stat_key key{};
        bool first = true;
        while (bpf_map_get_next_key(keys, first ? nullptr : &key, &key) == 0) {
            first = false;
            __u32 row = 0;
            if (bpf_map_lookup_elem(keys, &key, &row) == 0 && row >= 1 && row <= rows_) {
                if (auto done = read_cells(stat, key, row); !done) {
                    return done;
                }
            }
        }
        return {};
    }

    Result<void> read_cells(Stat& stat, const ipcscope_stat_key& key, __u32 row) const
    {
        StatRow& sum = stat.rows.emplace_back();
        sum.key = key;
        for (__u32 cpu = 0; cpu < host_.cpus; ++cpu) {
            const __u32 at = cpu * rows_ + row - 1;
            ipcscope_stat_cell cell{};
            if (bpf_map_lookup_elem(tracer_->map_fd("stat_cells"), &at, &cell) != 0) {
                return failed("stat_cells");
            }
            add_cell(sum, cell);
        }
        return {};
    }

    Result<void> read_tallies(Stat& stat) const
    {
        for (__u32 cpu = 0; cpu < host_.cpus; ++cpu) {
            ipcscope_stat_tallies tallies{};
            if (bpf_map_lookup_elem(tracer_->map_fd("stat_tallies"), &cpu, &tallies) != 0) {
                return failed("stat_tallies");
            }
            add_tallies(stat, tallies);
        }
        return {};
    }

    Result<void> read_queues(Stat& stat) const
    {
        const int error = for_each_element<ipcscope_bucket>(
            tracer_->map_fd("stat_buckets"),
            [&](__u32 at, const ipcscope_bucket& bucket) { read_bucket(stat, at, bucket); });
        return error == 0 ? Result<void>{} : failed("stat_buckets");
    }

    void read_bucket(Stat& stat, __u32 at, const ipcscope_bucket& bucket) const
    {
        for (__u32 i = 0; i < IPCSCOPE_BUCKET_SLOTS; ++i) {
            const __u32 slot = at * IPCSCOPE_BUCKET_SLOTS + i;
            ipcscope_stat_queue queue{};
            if (bucket.key[i] != 0 &&
                bpf_map_lookup_elem(tracer_->map_fd("stat_queues"), &slot, &queue) == 0) {
                add_queue(stat, bucket.key[i], queue);
            }
        }
    }

    std::unique_ptr<Tracer> tracer_;
    Host host_;
    __u32 rows_;
    bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<StatSource>> open_stat(const Options& options)
{
    auto tracer = Tracer::attach(options);
    if (!tracer) {
        return tl::unexpected<Error>(tracer.error());
    }
    if (auto armed = (*tracer)->arm(); !armed) {
        return tl::unexpected<Error>(armed.error());
    }
    keep_only_reading();
    Host host = this_host(options);
    host.backend = "bpf";
    host.start_ns = (*tracer)->start_ns();
    host.cpus = static_cast<unsigned>((*tracer)->cpus());
    return std::make_unique<BpfStat>(std::move(*tracer), std::move(host),
                                     options.stat->max_rows);
}

}  // namespace ipcscope::source::bpf
