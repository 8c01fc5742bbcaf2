// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/stat_source.hpp"

#include <cstring>

#include "base/clock.hpp"
#include "source/host.hpp"
#include "source/kmod/device.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::kmod {
namespace {

class KmodStat final : public StatSource {
public:
    KmodStat(std::unique_ptr<Device> device, Host host)
        : device_(std::move(device)), host_(std::move(host))
    {
    }

    const Host& host() const override { return host_; }

    Result<Stat> read() override
    {
        Stat stat;
        stat.time_ns = stopped_ ? device_->stop_ns() : monotonic_ns();
        const StatAreas& areas = device_->stat();
        // What a queue has lost meanwhile is in the tallies, which are read later.
        for (const ipcscope_stat_slot& shared : areas.slots) {
            if (__atomic_load_n(&shared.key, __ATOMIC_RELAXED) != 0) {
                const ipcscope_stat_slot slot = copy_of(shared);
                add_queue(stat, slot.key, slot.queue);
            }
        }
        for (const ipcscope_stat_tallies& tallies : areas.tallies) {
            add_tallies(stat, copy_of(tallies));
        }
        read_rows(stat);
        stat.ledger = device_->ledger();
        return stat;
    }

    Result<void> stop() override
    {
        if (stopped_) {
            return {};
        }
        return device_->detach().map([this] { stopped_ = true; });
    }

private:
    /// Rows are taken into use one after the other.
    void read_rows(Stat& stat) const
    {
        const StatAreas& areas = device_->stat();
        for (std::size_t row = 0; row < areas.keys.size(); ++row) {
            if (__atomic_load_n(&areas.keys[row].event, __ATOMIC_ACQUIRE) == 0) {
                break;
            }
            StatRow& sum = stat.rows.emplace_back();
            sum.key = areas.keys[row];
            for (std::size_t at = row; at < areas.cells.size(); at += areas.keys.size()) {
                add_cell(sum, copy_of(areas.cells[at]));
            }
        }
    }

    std::unique_ptr<Device> device_;
    Host host_;
    bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<StatSource>> open_stat(const Options& options)
{
    Options sums = options;
    sums.ring_bytes = IPCSCOPE_RING_MIN;   // nothing is written to them
    auto device = Device::attach(sums);
    if (!device) {
        return tl::unexpected<Error>(device.error());
    }
    keep_only_reading();
    Host host = this_host(options);
    host.backend = "kmod";
    host.start_ns = (*device)->start_ns();
    host.cpus = static_cast<unsigned>((*device)->cpus());
    return std::make_unique<KmodStat>(std::move(*device), std::move(host));
}

}  // namespace ipcscope::source::kmod
