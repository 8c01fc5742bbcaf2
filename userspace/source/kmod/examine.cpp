// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/examine.hpp"

#include "source/kmod/device.hpp"
#include "source/kmod/kmod_source.hpp"

namespace ipcscope::source::kmod {

std::vector<FamilyStatus> examine()
{
    return examine_families([](const Options& options) -> Result<std::vector<HookStatus>> {
        if (!loaded()) {
            return fail(Exit::kernel, "the kernel module is not loaded: ipcscope doctor --load "
                                      "loads it for a look, which taints the kernel");
        }
        auto device = Device::attach(options);
        if (!device) {
            return tl::unexpected<Error>(device.error());
        }
        return (*device)->hooks();
    });
}

}  // namespace ipcscope::source::kmod
