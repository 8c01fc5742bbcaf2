// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/kmod_source.hpp"

#include <unistd.h>

#include "source/kmod/device.hpp"
#include "source/calls_before.hpp"
#include "source/live_source.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::kmod {

Result<std::unique_ptr<Source>> open_source(const Options& options)
{
    auto stacks = std::make_unique<ThreadStacks>();
    auto calls = std::make_unique<CallsBefore>(options, *stacks);
    auto device = Device::attach(options);
    if (!device) {
        return tl::unexpected<Error>(device.error());
    }
    keep_only_reading();
    return live_source(std::move(*device), std::move(stacks), std::move(calls),
                       "kmod", options);
}

bool loaded()
{
    return access("/dev/" IPCSCOPE_DEVICE, F_OK) == 0;
}

}  // namespace ipcscope::source::kmod
