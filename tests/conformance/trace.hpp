// SPDX-License-Identifier: GPL-2.0-only
// A trace as the tests look at it: the capture's records, the report, and what
// the workload says that it did.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "decode/event.hpp"
#include "process.hpp"
#include "source/source.hpp"

namespace ipcscope::conformance {

using Json = nlohmann::json;
using Numbers = std::vector<std::uint64_t>;

/// Facts by name; a name may come more than once.
class Facts {
public:
    static Facts load(const std::string& path);
    const std::vector<Numbers>& all(const std::string& name) const;
    /// The n-th number of the only fact of that name; a failure where there is none.
    std::uint64_t at(const std::string& name, std::size_t n = 0) const;
    bool has(const std::string& name) const { return facts_.count(name) > 0; }

private:
    std::map<std::string, std::vector<Numbers>> facts_;
};

struct Capture {
    source::Host host;
    source::Ledger ledger;              ///< the last one
    std::vector<decode::Event> events;  ///< in the order of time, threads named
    /// By kind; what the collector added is not in it.
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> decoded{};
    std::map<unsigned, std::uint64_t> last_lost;  ///< by CPU: lost_before of its last record
    std::uint64_t malformed = 0;
    std::uint64_t end_ns = 0;           ///< 0: the capture has no end
    std::uint64_t late = 0;             ///< events that came too late to be sorted in
    bool gaps_grow = true;              ///< lost_before never fell
    std::string incomplete_why;
    std::string error;                  ///< it could not be opened

    std::uint64_t tally(unsigned kind, __u64 ipcscope_tally::*what) const;
    std::uint64_t lost(unsigned kind, unsigned cause) const;
    std::uint64_t lost(unsigned kind) const;
    std::uint64_t lost() const;
    /// Threads whose end is known, or lost: they exited, or the trace ended before
    /// they had left their CPU for the last time, as the command itself may.
    std::uint64_t threads_ended() const
    {
        return decoded[IPCSCOPE_THREAD_EXIT] + decoded[IPCSCOPE_THREAD_TIME] +
               lost(IPCSCOPE_THREAD_EXIT);
    }
    std::uint64_t filtered(unsigned kind) const
    {
        return tally(kind, &ipcscope_tally::filtered);
    }
};

/// @param keep_events false: they are only counted
Capture load_capture(const std::string& path, bool keep_events = true);

struct Trace {
    Finished record;
    std::string file;
    Capture capture;
    Json report;
    Facts facts;
};

/// `ipcscope record OPTIONS -- COMMAND`, then everything there is to know of it.
Trace record(const Words& options, const Words& command, bool keep_events = true);
Trace record_workload(const Words& options, const std::string& workload,
                      const Words& arguments = {}, bool keep_events = true);

/// Until a trace has written to its capture which hooks it has: from then on it counts.
bool attached(const std::string& file);

/// Fills in what can be known of a finished capture.
void analyse(Trace& trace, bool keep_events = true);

/// generated = shown + filtered + lost, kind by kind, in the capture and in the
/// report.
void expect_exact(const Trace& trace);
/// And nothing was lost.
void expect_lossless(const Trace& trace);

}  // namespace ipcscope::conformance
