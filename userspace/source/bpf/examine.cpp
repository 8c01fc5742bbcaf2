// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/examine.hpp"

#include "source/bpf/tracer.hpp"

namespace ipcscope::source::bpf {

std::vector<FamilyStatus> examine()
{
    return examine_families([](const Options& options) -> Result<std::vector<HookStatus>> {
        auto tracer = Tracer::attach(options);
        if (!tracer) {
            return tl::unexpected<Error>(tracer.error());
        }
        return (*tracer)->hooks();
    });
}

}  // namespace ipcscope::source::bpf
