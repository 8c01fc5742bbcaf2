// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/examine.hpp"

#include "source/kmod/device.hpp"

namespace ipcscope::source::kmod {

std::vector<FamilyStatus> examine()
{
    return examine_families([](const Options& options) -> Result<std::vector<HookStatus>> {
        auto device = Device::attach(options);
        if (!device) {
            return tl::unexpected<Error>(device.error());
        }
        return (*device)->hooks();
    });
}

}  // namespace ipcscope::source::kmod
