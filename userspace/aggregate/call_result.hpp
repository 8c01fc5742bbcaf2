// SPDX-License-Identifier: GPL-2.0-only
// What a call's result means.
#pragma once

#include <cerrno>
#include <cstdint>

namespace ipcscope::aggregate {

/// `ret`: as a call returned it.  A signal ended the call: EINTR, or one of the
/// kernel's own numbers (ERESTARTSYS ... ERESTART_RESTARTBLOCK), by which it restarts it.
inline bool is_interrupted(std::int32_t ret)
{
    return ret == -EINTR || (ret <= -512 && ret >= -514) || ret == -516;
}

/// `ret` of a call that slept: its timeout ended it, SO_RCVTIMEO or SO_SNDTIMEO, say.
inline bool is_timed_out(std::int32_t ret) { return ret == -EAGAIN || ret == -ETIMEDOUT; }

}  // namespace ipcscope::aggregate
