// SPDX-License-Identifier: GPL-2.0-only
#include "cli/backend.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "source/kmod/examine.hpp"
#include "source/kmod/kmod_source.hpp"
#include "source/kmod/load.hpp"
#include "source/kmod/stat_source.hpp"
#ifdef IPCSCOPE_TRACER
#include "source/bpf/bpf_source.hpp"
#include "source/bpf/examine.hpp"
#include "source/bpf/stat_source.hpp"
#endif

namespace ipcscope::cli {
namespace {

#ifndef IPCSCOPE_TRACER
constexpr const char kNoBpf[] =
    "this ipcscope was built without the eBPF backend (IPCSCOPE_TRACER=OFF)";
#endif

Result<std::unique_ptr<source::Source>> open_bpf(const source::Options& options)
{
#ifdef IPCSCOPE_TRACER
    return source::bpf::open_source(options);
#else
    (void)options;
    return fail(Exit::kernel, kNoBpf);
#endif
}

Result<std::unique_ptr<source::StatSource>> stat_bpf(const source::Options& options)
{
#ifdef IPCSCOPE_TRACER
    return source::bpf::open_stat(options);
#else
    (void)options;
    return fail(Exit::kernel, kNoBpf);
#endif
}

/// "auto": the module only where bpf does not work here and it is loaded already.
template <typename T, typename OpenBpf, typename OpenKmod>
Result<std::unique_ptr<T>> open_by(std::string_view name, const source::Options& options,
                                   OpenBpf open_bpf, OpenKmod open_kmod)
{
    if (name == "kmod") {
        return open_kmod(options);
    }
    Result<std::unique_ptr<T>> bpf = open_bpf(options);
    // What root may not do by BPF (under lockdown), the module may.
    const auto no_bpf = [&] {
        return bpf.error().code == Exit::kernel ||
               (bpf.error().code == Exit::permission && geteuid() == 0);
    };
    if (name == "bpf" || bpf || !no_bpf() || !source::kmod::loaded()) {
        return bpf;
    }
    Result<std::unique_ptr<T>> kmod = open_kmod(options);
    if (!kmod && kmod.error().code == Exit::kernel) {
        kmod.error().message =
            fmt::format("bpf: {}; kmod: {}", bpf.error().message, kmod.error().message);
    }
    return kmod;
}

std::vector<source::FamilyStatus> examine_bpf()
{
#ifdef IPCSCOPE_TRACER
    return source::bpf::examine();
#else
    return source::examine_families(
        [](const source::Options&) -> Result<std::vector<source::HookStatus>> {
            return fail(Exit::kernel, kNoBpf);
        });
#endif
}

BackendStatus status_of(const char* name, std::vector<source::FamilyStatus> families)
{
    const bool works = std::ranges::all_of(families, &source::FamilyStatus::works);
    return {name, works, std::move(families)};
}

}  // namespace

Result<std::unique_ptr<source::Source>> open_backend(std::string_view name,
                                                     const source::Options& options)
{
    return open_by<source::Source>(name, options, open_bpf, source::kmod::open_source);
}

Result<std::unique_ptr<source::StatSource>> open_stat(std::string_view name,
                                                      const source::Options& options)
{
    return open_by<source::StatSource>(name, options, stat_bpf, source::kmod::open_stat);
}

std::vector<BackendStatus> examine_backends()
{
    std::vector<BackendStatus> backends;
    backends.push_back(status_of("bpf", examine_bpf()));
    backends.push_back(status_of("kmod", source::kmod::examine()));
    return backends;
}

}  // namespace ipcscope::cli
