// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/kmod_source.hpp"

#include <unistd.h>

#include "base/clock.hpp"
#include "source/kmod/device.hpp"
#include "source/live_source.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::kmod {

Result<std::unique_ptr<Source>> open_source(const Options& options)
{
    auto stacks = std::make_unique<ThreadStacks>();
    const std::uint64_t start = monotonic_ns();
    auto device = Device::attach(options);
    if (!device) {
        return tl::unexpected<Error>(device.error());
    }
    keep_only_reading();
    return live_source(std::move(*device), std::move(stacks), "kmod", start, options);
}

bool loaded()
{
    return access("/dev/" IPCSCOPE_DEVICE, F_OK) == 0;
}

}  // namespace ipcscope::source::kmod
