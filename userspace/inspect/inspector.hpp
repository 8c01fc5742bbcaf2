// SPDX-License-Identifier: GPL-2.0-only
// Looks at one process, and at all others for what they have in common with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "inspect/calls.hpp"
#include "inspect/descriptors.hpp"
#include "inspect/mappings.hpp"
#include "inspect/process.hpp"
#include "inspect/slow_files.hpp"
#include "inspect/unix_sockets.hpp"

namespace ipcscope::inspect {

/// A thread of any process, in a call that has to do with objects.
struct Calling {
    Waiter waiter;
    std::vector<std::uint32_t> descriptors;
    std::uint64_t address = 0;   ///< of a futex; 0: none
};

/// Reads /proc alone, and stops, traces and opens nothing.  What changes meanwhile may be
/// seen before or after it.
class Inspector {
public:
    static constexpr std::size_t kMostThreads = 64;   ///< of a process

    /// `without`: a process that is not shown at an other end; 0: none.
    explicit Inspector(std::uint32_t without = 0) : without_(without) {}

    /// `pid`: of a process, or of one of its threads.  Fails where there is none.
    Result<Process> look(std::uint32_t pid);

private:
    struct View {
        std::vector<Thread> threads;
        std::vector<Calling> calls;
        std::size_t all_threads = 0;
        std::size_t refused = 0;   ///< threads whose call was not shown
    };

    Result<void> look_at_process(const Fd& process);
    View look_at_threads(const Fd& process, std::uint32_t pid, const Descriptors& descriptors);
    Thread look_at_thread(const Fd& tasks, std::uint32_t pid, std::uint32_t tid,
                          const Descriptors& descriptors, View& view);
    std::vector<Mapping> mappings_of(std::uint32_t pid);
    void collect_items(const Descriptors& descriptors);
    Item* item_of(const Object& object);
    void name_sockets(const Fd& process);
    void look_at_others();
    void look_at_other(std::uint32_t pid, bool mapped);
    void note_gaps(const View& view);

    std::uint32_t without_;
    SlowFiles slow_;
    Process found_;
    std::map<Object, std::size_t> index_;        ///< in found_.items
    /// Sockets at the other end: the items, of which many may be connected with one.
    std::map<Object, std::vector<std::size_t>> peers_;
    std::vector<Mapping> mappings_;
    std::size_t unseen_ = 0;     ///< processes whose descriptors may not be listed
    std::size_t hanging_ = 0;    ///< whose memory map is locked
};

}  // namespace ipcscope::inspect
