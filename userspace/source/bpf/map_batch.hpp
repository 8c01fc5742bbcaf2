// SPDX-License-Identifier: GPL-2.0-only
// Reads all elements of a BPF array map, many by one system call.
#pragma once

#include <cerrno>
#include <vector>

#include <bpf/bpf.h>

namespace ipcscope::source::bpf {

/// @param visit  (index, value) of each element
/// @return 0, or -errno: some were not read
template <typename Value, typename Visit>
int for_each_element(int fd, const Visit& visit)
{
    constexpr __u32 kBatch = 256;
    std::vector<__u32> indices(kBatch);
    std::vector<Value> values(kBatch);
    __u32 cursor = 0;
    bool first = true;
    int error = 0;
    while (error == 0) {
        __u32 count = kBatch;
        error = bpf_map_lookup_batch(fd, first ? nullptr : &cursor, &cursor, indices.data(),
                                     values.data(), &count, nullptr);
        if (error != 0 && error != -ENOENT) {
            return error;
        }
        first = false;
        for (__u32 i = 0; i < count; ++i) {
            visit(indices[i], values[i]);
        }
    }
    return 0;   // -ENOENT: that was the last batch
}

}  // namespace ipcscope::source::bpf
