// SPDX-License-Identifier: GPL-2.0-only
// How channels, and what is done with them, are called in sentences.
#pragma once

#include <string>
#include <string_view>

#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

/// One side: who takes out, or who puts in.
struct SideWords {
    std::string_view doing;    ///< "was blocked READING pipe 7"
    std::string_view call;     ///< "blocked in a READ OF pipe 7"
    std::string_view does;     ///< "10 (a) WRITES pipe 7"
    std::string_view did;      ///< "and last READ FROM IT"
    std::string_view done;     ///< "and has not WRITTEN TO IT in the trace"
    std::string_view calls;    ///< "9 of its 10 READS were refused"
    std::string_view end;      ///< "holds the READ END"
};
struct ChannelWords {
    std::string_view noun;     ///< "PIPE 7"
    SideWords take;
    SideWords put;
    std::string_view full;     ///< "(PIPE FULL)"
    std::string_view empty;
    bool closes;               ///< its ends are open files

    const SideWords& side(bool output) const { return output ? put : take; }
};
const ChannelWords& words(const aggregate::ChannelRow& channel);

/// "pipe 1234", "FIFO 77 (/tmp/x)", "semaphore 0 of set 3"
std::string which(const aggregate::ChannelRow& channel);

/// Of whom else the wait can be ended: "of which only 100 (parent) holds the read end", "which
/// 100 (a) has taken".
std::string held_words(const aggregate::ChannelRow& channel, const aggregate::LongWait& wait,
                       const HeldBy& held);

}  // namespace ipcscope::diagnose
