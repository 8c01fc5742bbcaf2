// SPDX-License-Identifier: GPL-2.0-only
// The BPF object: opened, configured, loaded, attached, armed, counted, detached.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "source/bpf/hooks.hpp"
#include "source/bpf/kernel.hpp"
#include "source/hooks.hpp"
#include "source/options.hpp"
#include "source/producer.hpp"
#include "source/selection.hpp"
#include "source/source.hpp"

struct bpf_object;
struct bpf_link;
struct bpf_map;
struct bpf_program;
struct ipcscope_config;

namespace ipcscope::source::bpf {

class CoreTypes;

class Tracer {
public:
    /// Loads and attaches everything that `options` asks for.  Nothing is counted
    /// yet.  Errors: Exit::permission, Exit::kernel, Exit::usage (a filter that names
    /// nothing), each with what to do about it.
    static Result<std::unique_ptr<Tracer>> attach(const Options& options);
    ~Tracer();

    /// From now on all hooks count; then notes what the threads there are do.
    Result<void> arm();

    /// No hook counts from now on; on return no program runs any more.
    void detach();

    std::size_t cpus() const { return rings_.size(); }
    int ring_fd(std::size_t cpu) const { return rings_[cpu].get(); }

    std::uint64_t start_ns() const { return start_ns_; }
    std::uint64_t stop_ns() const { return stop_ns_; }

    /// Cumulative totals, from the programs' own counts.
    Ledger ledger() const;

    /// After detach: see Producer::unfinished.
    void unfinished(const Producer::Visit& visit) const;

    const std::vector<HookStatus>& hooks() const { return status_; }

    /// Of a map of the object; -1: it has none of that name.
    int map_fd(const char* name) const;

private:
    Tracer() = default;
    struct Placed {
        bpf_program* program;
        bpf_program* twin;      ///< nullptr: none
        unsigned kind;          ///< that a skipped run loses, 0: none
        std::size_t status;     ///< index into status_
    };
    struct CloseObject { void operator()(bpf_object* object) const; };
    struct DestroyLink { void operator()(bpf_link* link) const; };

    Result<void> open(const Options& options, const CoreTypes& types);
    Result<void> fill(const CoreTypes& types, const ::btf& kernel) const;
    Result<void> place_programs(const ::btf& kernel, const Options& options);
    Result<void> configure(const Options& options, const Selection& selection);
    Result<void> check_open_files() const;
    Result<void> make_rings(std::size_t bytes);
    void configure_stat(ipcscope_config& config, const StatOptions& stat) const;
    Result<void> fill_free_rows(std::uint32_t rows) const;
    Result<void> fill_filters(const Selection& selection);
    Result<void> attach_programs();
    Result<void> attach_hook(const Placed& placed);
    Result<void> sweep();
    void set_phase(std::uint32_t phase) const;
    void switch_off_all();
    bpf_program* prepare(std::string_view name, const Placement& place, bool use);
    void add_skipped(Ledger& ledger) const;
    bpf_map* map(const char* name) const;

    std::unique_ptr<bpf_object, CloseObject> object_;
    std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
    bpf_link* sweep_ = nullptr;   ///< among links_
    std::vector<Fd> rings_;
    std::uint32_t buckets_ = 1;   ///< of the table of threads
    std::vector<Placed> placed_;
    std::vector<HookStatus> status_;
    KernelTraits traits_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t stop_ns_ = 0;
};

}  // namespace ipcscope::source::bpf
