// SPDX-License-Identifier: GPL-2.0-only
// Report → text or JSON; live events → one line each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "aggregate/report.hpp"
#include "aggregate/sort.hpp"
#include "base/family.hpp"
#include "diagnose/finding.hpp"
#include "diagnose/live_deaths.hpp"
#include "diagnose/live_pipelines.hpp"

namespace ipcscope::render {

struct TextOptions {
    bool colour = false;
    bool histograms = true;
    std::size_t top = 20;       ///< rows per table; 0: all
    std::size_t width = 80;     ///< no line is wider, tables below kMinWidth apart; at least kLeastWidth
    bool utf8 = true;           ///< false: arrows, bars and units in ASCII
    /// By which the report's rows are sorted; nothing: each table in its own order.
    std::optional<aggregate::SortKey> sort = std::nullopt;
};

/// A narrower TextOptions.width counts as this one.
inline constexpr std::size_t kLeastWidth = 40;
/// What every table fits into.  In less, its columns are as narrow as they can be.
inline constexpr std::size_t kMinWidth = 80;

/// The report for people.
std::string text(const aggregate::Report& report, const diagnose::Findings& findings,
                 const TextOptions& options = {});

/// The report as JSON, schema "ipcscope.report/2" (docs/json-schema.md).
std::string json(const aggregate::Report& report, const diagnose::Findings& findings);

/// One event as a JSON object on one line (`ipcscope dump`): every field of
/// the contract by its name, ids as words.
std::string json_line(const decode::Event& event);

/// Live output: lines under 80 columns, or under 120 where `wide`.
struct LiveOptions {
    bool colour = false;
    bool wide = false;          ///< more columns than fit in 80
    FamilyMask families = IPCSCOPE_FAMILY_HOOKED;   ///< what is shown
    bool utf8 = true;
    /// CLOCK_REALTIME - CLOCK_MONOTONIC: times are those of the wall clock, in the local time
    /// zone; nothing: seconds since the start.
    std::optional<std::int64_t> realtime_offset_ns = std::nullopt;
};

/// The day and the time zone of a time: "2026-11-29, UTC+01:00 (CET)".  Empty where times are
/// seconds since the start.
std::string live_day(std::uint64_t time_ns, const LiveOptions& options);

/// What the entries of a Kill's stack are called.  Feed it every event: names
/// come as SYMBOL records, ahead of the first stack that uses them.
class Symbols {
public:
    void note(const decode::Event& event);
    /// Empty where the id is unknown.
    const SafeText& name(std::uint64_t id) const;

private:
    std::map<std::uint64_t, SafeText> names_;
    SafeText unknown_;
};

/// A finding as of `now_ns`, with the time at which what it is about began: one line or more.
std::string live_line(const diagnose::Finding& finding, std::uint64_t now_ns,
                      std::uint64_t start_ns, const LiveOptions& options);

/// Pipelines as pictures: the stages, and between them their pipes (`ipcscope pipes`).  At most
/// `most` of them; 0: all.
std::string pipelines_page(const std::vector<diagnose::LivePipeline>& pipelines,
                           std::uint64_t now_ns, std::uint64_t start_ns, std::size_t most,
                           const LiveOptions& options);

/// A line for a process that got a signal which should end it (`ipcscope kills`).
std::string kills_header(const LiveOptions& options);
std::string live_line(const diagnose::LiveDeath& death, std::uint64_t start_ns,
                      const LiveOptions& options);

/// One line per family that is shown.
std::string live_header(const LiveOptions& options);

/// nullopt: not shown (of a family that was not asked for, or a part of
/// something else that is shown).  A kill is a sentence and may be two lines;
/// nothing ends with a newline.  A call's time is its return.  An interval's is `now_ns`: when
/// it ended, or when that was known.
std::optional<std::string> live_line(const correlate::Interval& interval, std::uint64_t now_ns,
                                     std::uint64_t start_ns, const LiveOptions& options);
std::optional<std::string> live_line(const decode::Event& event,
                                     std::uint64_t start_ns, const LiveOptions& options,
                                     const Symbols* symbols = nullptr);

}  // namespace ipcscope::render
