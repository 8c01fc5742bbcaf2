// SPDX-License-Identifier: GPL-2.0-only
// The IPC objects that a process has open, by the links in its /proc/PID/fd.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "inspect/process.hpp"

namespace ipcscope::inspect {

/// MQUEUE_MAGIC of ipc/mqueue.c: the type of the file system of POSIX message queues.
inline constexpr long kMqueueMagic = 0x19800202;

/// A /proc/PID.  Nothing in it is opened but directories and text: an open end of a pipe
/// would keep it alive, and could hang those that use it.
class Descriptors {
public:
    explicit Descriptors(const Fd& process);

    /// false: they may not be listed, or the process is gone.
    bool readable() const { return static_cast<bool>(links_); }
    const std::vector<std::uint32_t>& all() const { return all_; }

    /// What one is; nullopt: no IPC object, or closed by now.  A Unix-domain socket has the
    /// kind unix_stream, whichever it is: the link does not say.
    std::optional<Object> object(std::uint32_t descriptor) const;
    /// Whether it may be read, and written.
    bool reads(std::uint32_t descriptor) const;
    bool writes(std::uint32_t descriptor) const;
    /// Text of the link.
    std::string target(std::uint32_t descriptor) const;
    /// What its fdinfo says of such an object.
    State state(std::uint32_t descriptor, Kind kind) const;

private:
    std::string info(std::uint32_t descriptor) const;
    std::optional<Object> file(std::uint32_t descriptor) const;
    unsigned mode(std::uint32_t descriptor) const;

    Fd links_, infos_;
    std::vector<std::uint32_t> all_;
};

}  // namespace ipcscope::inspect
