// SPDX-License-Identifier: GPL-2.0-only
// The kernel module's device as a producer of records: transport.h in C++.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ipcscope/transport.h>

#include "base/fd.hpp"
#include "source/kmod/heartbeat_monitor.hpp"
#include "source/options.hpp"
#include "source/producer.hpp"
#include "source/selection.hpp"

namespace ipcscope::source::kmod {

/// A part of the device's memory.
class Mapping {
public:
    Mapping() = default;
    ~Mapping();
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&&) = delete;

    static Result<Mapping> map(int fd, std::uint64_t offset, std::size_t bytes, bool write);

    std::byte* data() const { return data_; }

private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

/// Of what the module is writing, word by word: each number is exact.
template <typename T>
T copy_of(const T& shared)
{
    T copy;
    const auto* from = reinterpret_cast<const __u64*>(&shared);
    auto* to = reinterpret_cast<__u64*>(&copy);
    for (std::size_t word = 0; word < sizeof(T) / sizeof(__u64); ++word) {
        to[word] = __atomic_load_n(&from[word], __ATOMIC_RELAXED);
    }
    return copy;
}

/// What the module sums up (transport.h); it is being written while the trace runs.
struct StatAreas {
    std::span<const ipcscope_stat_key> keys;
    std::span<const ipcscope_stat_cell> cells;
    std::span<const ipcscope_stat_tallies> tallies;
    std::span<const ipcscope_stat_slot> slots;
};

/// Exit::kernel where the loaded module's contract is another than ours.
Result<void> check_versions(const ipcscope_about& about);

class Device final : public Producer {
public:
    /// Opens and starts.  Exit::permission, Exit::kernel (no module, busy,
    /// another version, a hook that does not fit), Exit::usage (filters).
    static Result<std::unique_ptr<Device>> attach(const Options& options);

    std::size_t cpus() const override { return rings_.size(); }
    void wait(std::chrono::milliseconds timeout) override;
    Drained drain(std::size_t cpu) override;
    Result<void> alive() override;
    Result<void> detach() override;
    Ledger ledger() const override;
    std::uint64_t start_ns() const override { return status().start_ns; }
    std::uint64_t stop_ns() const override { return status().stop_ns; }
    void unfinished(const Visit& visit) const override;
    const std::vector<HookStatus>& hooks() const override { return hooks_; }

    /// Of a trace with Options::stat: by row, by CPU and row, by CPU, by slot.
    const StatAreas& stat() const { return stat_; }

private:
    Device() { batch_.reserve(kBatchBytes); }

    Result<void> open();
    Result<void> add_filters(const Selection& selection);
    Result<void> start(const Options& options, const Selection& selection);
    Result<void> map_area(std::vector<Mapping>& to, std::uint64_t offset, std::size_t bytes,
                          bool write = false);
    Result<void> map_areas(const Options& options);
    Result<void> map_stat(const StatOptions& options);
    void look_at_hooks();
    Error start_error(int error, const Options& options) const;

    const ipcscope_status& status() const;
    const ipcscope_cpu& cpu(std::size_t number) const;
    std::size_t copy_out(std::size_t number, std::uint64_t from, std::size_t bytes);

    Fd fd_;
    ipcscope_about about_{};
    std::uint64_t ring_bytes_ = 0;
    std::vector<Mapping> areas_;      ///< status, consumers; those of stat
    StatAreas stat_;
    std::vector<Mapping> rings_;
    std::vector<std::byte> batch_;
    std::vector<HookStatus> hooks_;
    std::uint32_t unfinished_ = 0;
    HeartbeatMonitor heartbeat_monitor_;
};

}  // namespace ipcscope::source::kmod
