// SPDX-License-Identifier: GPL-2.0-only
#include "cli/backend.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "source/kmod/examine.hpp"
#include "source/kmod/kmod_source.hpp"
#include "source/kmod/load.hpp"
#ifdef IPCSCOPE_TRACER
#include "source/bpf/bpf_source.hpp"
#include "source/bpf/examine.hpp"
#include "source/bpf/stat_source.hpp"
#endif

namespace ipcscope::cli {
namespace {

using Opened = Result<std::unique_ptr<source::Source>>;

#ifndef IPCSCOPE_TRACER
constexpr const char kNoBpf[] =
    "this ipcscope was built without the eBPF backend (IPCSCOPE_TRACER=OFF)";
#endif

Opened open_bpf(const source::Options& options)
{
#ifdef IPCSCOPE_TRACER
    return source::bpf::open_source(options);
#else
    (void)options;
    return fail(Exit::kernel, kNoBpf);
#endif
}

}  // namespace

Result<void> load_module()
{
    return source::kmod::loaded() ? Result<void>{} : source::kmod::load();
}

namespace {

Opened open_auto(const source::Options& options)
{
    auto bpf = open_bpf(options);
    if (bpf || bpf.error().code != Exit::kernel || !source::kmod::loaded()) {
        return bpf;
    }
    auto kmod = source::kmod::open_source(options);
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

Opened open_backend(std::string_view name, const source::Options& options)
{
    if (name == "kmod") {
        return source::kmod::open_source(options);
    }
    return name == "bpf" ? open_bpf(options) : open_auto(options);
}

Result<std::unique_ptr<source::StatSource>> open_stat(std::string_view name,
                                                      const source::Options& options)
{
    if (name == "kmod") {
        return fail(Exit::usage, "--backend kmod: stat needs bpf, for the module aggregates "
                                 "nothing; use record");
    }
#ifdef IPCSCOPE_TRACER
    return source::bpf::open_stat(options);
#else
    (void)options;
    return fail(Exit::kernel, kNoBpf);
#endif
}

std::vector<BackendStatus> examine_backends()
{
    std::vector<BackendStatus> backends;
    backends.push_back(status_of("bpf", examine_bpf()));
    backends.push_back(status_of("kmod", source::kmod::examine()));
    return backends;
}

}  // namespace ipcscope::cli
