// SPDX-License-Identifier: GPL-2.0-only
// What an export is fed with: a trace's events and intervals as they come, its report and
// findings at the end.
#pragma once

#include <memory>

#include "aggregate/report.hpp"
#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "correlate/interval.hpp"
#include "decode/event.hpp"
#include "diagnose/finding.hpp"
#include "source/source.hpp"

namespace ipcscope::exports {

class Exporter {
public:
    virtual ~Exporter() = default;

    /// Once, before the first event.
    virtual void host(const source::Host& host) = 0;
    /// In the order of time.
    virtual void event(const decode::Event& event) = 0;
    virtual void interval(const correlate::Interval& interval) = 0;
    /// Once; after it the file has its name.
    virtual Result<void> finish(const aggregate::Report& report,
                                const diagnose::Findings& findings) = 0;
    /// The first write that failed: what comes after it is of no use.
    virtual const Result<void>& result() const = 0;
};

using Made = Result<std::unique_ptr<Exporter>>;

/// A SQLite database (docs/export.md): not on a pipe, in which nothing can be looked up.
Made sqlite(AtomicFile file);
/// A Perfetto trace of track events.
Made perfetto(AtomicFile file);
/// Stacks with the time off the CPU in ns, for flame graphs.
Made folded(AtomicFile file);

}  // namespace ipcscope::exports
