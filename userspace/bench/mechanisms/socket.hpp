// SPDX-License-Identifier: GPL-2.0-only
// Pairs of Unix sockets, end a and end b.
#pragma once

#include <array>
#include <cstddef>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "bench/channel.hpp"

namespace ipcscope::bench {

using SocketPair = std::array<Fd, 2>;

/// @param type  SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET
Result<SocketPair> make_socket_pair(int type, const Setup& setup);

/// A datagram has to fit into the send buffer, of which the kernel keeps 32
/// bytes (sock_alloc_send_pskb); net.core.wmem_default is this many on any
/// machine with 64 bits and pages of 4 KiB.
inline constexpr std::size_t kDefaultSendBuffer = 212992;
inline constexpr std::size_t kSendBufferKept = 32;
inline constexpr std::size_t kMaxDatagram = kDefaultSendBuffer - kSendBufferKept;

/// Whether there is something to read.
bool readable(const Fd& fd);

}  // namespace ipcscope::bench
