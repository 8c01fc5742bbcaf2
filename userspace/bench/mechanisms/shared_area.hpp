// SPDX-License-Identifier: GPL-2.0-only
// Memory that the supervisor maps and all workers inherit.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.hpp"
#include "bench/name_registry.hpp"

namespace ipcscope::bench {

struct Unmap {
    std::size_t bytes = 0;
    bool sysv = false;
    void operator()(std::byte* memory) const;
};

/// Zeroed, backed by memory (no SIGBUS later), aligned to a page.
using SharedArea = std::unique_ptr<std::byte, Unmap>;

/// How an area is made.  A name is gone again when the area has been mapped.
using MapArea = Result<SharedArea> (*)(NameRegistry& names, std::size_t bytes);

Result<SharedArea> map_posix_shm(NameRegistry& names, std::size_t bytes);
Result<SharedArea> map_file(NameRegistry& names, std::size_t bytes);
Result<SharedArea> map_anonymous(NameRegistry& names, std::size_t bytes);
Result<SharedArea> map_memfd(NameRegistry& names, std::size_t bytes);
Result<SharedArea> map_sysv_shm(NameRegistry& names, std::size_t bytes);

/// What may be written by one CPU while another reads what is beside it.
/// Two lines of 64 bytes: the neighbour line is fetched ahead on x86.
inline constexpr std::size_t kFalseSharingBytes = 128;

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

}  // namespace ipcscope::bench
