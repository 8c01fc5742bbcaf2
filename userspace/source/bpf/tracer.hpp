// SPDX-License-Identifier: GPL-2.0-only
// The BPF object: opened, configured, loaded, attached, counted, detached.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "source/bpf/hooks.hpp"
#include "source/options.hpp"
#include "source/selection.hpp"
#include "source/source.hpp"

struct bpf_object;
struct bpf_link;
struct bpf_map;
struct bpf_program;
struct ipcscope_call;

namespace ipcscope::source::bpf {

class Tracer {
public:
    /// Loads and attaches everything that `options` asks for.  Errors:
    /// Exit::permission, Exit::kernel, Exit::usage (a filter that names
    /// nothing), each with the way to mend it.
    static Result<std::unique_ptr<Tracer>> attach(const Options& options);
    ~Tracer();

    /// Takes every hook away; on return no program runs any more.
    void detach();

    std::size_t cpus() const { return rings_.size(); }
    int ring_fd(std::size_t cpu) const { return rings_[cpu].get(); }

    /// Cumulative totals, from the programs' own counts.
    Ledger ledger() const;

    /// Visits the calls that have not returned: (tid, call).
    void unfinished(const std::function<void(std::uint32_t, const ipcscope_call&)>& visit) const;

    const std::vector<HookStatus>& hooks() const { return status_; }

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

    Result<void> open();
    Result<void> place_programs(const ::btf& kernel, const Options& options);
    Result<void> configure(const Options& options, const Selection& selection);
    Result<void> make_rings(std::size_t bytes);
    Result<void> fill_filters(const Selection& selection);
    Result<void> attach_programs();
    bpf_program* prepare(std::string_view name, std::string_view target, bool use);
    void add_skipped(Ledger& ledger) const;
    bpf_map* map(const char* name) const;

    std::unique_ptr<bpf_object, CloseObject> object_;
    std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
    std::vector<Fd> rings_;
    std::vector<Placed> placed_;
    std::vector<HookStatus> status_;
    bool twins_ = false;
};

}  // namespace ipcscope::source::bpf
