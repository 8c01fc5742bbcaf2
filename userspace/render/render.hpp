// SPDX-License-Identifier: GPL-2.0-only
// Report → text or JSON; live events → one line each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "aggregate/report.hpp"

namespace ipcscope::render {

struct TextOptions {
    bool colour = false;
    bool histograms = true;
    std::size_t top = 20;       ///< rows per table; 0: all
    std::size_t width = 80;     ///< no line is wider; at least kMinWidth
    bool utf8 = true;           ///< false: arrows, bars and units in ASCII
};

/// A narrower TextOptions.width counts as this one.
inline constexpr std::size_t kMinWidth = 80;

/// The report for people.
std::string text(const aggregate::Report& report, const TextOptions& options = {});

/// The report as JSON, schema "ipcscope.report/1" (docs/json-schema.md).
std::string json(const aggregate::Report& report);

/// One event as a JSON object on one line (`ipcscope dump`): every field of
/// the contract by its name.
std::string json_line(const decode::Event& event);

/// Live output: lines under 80 columns, or under 120 where `wide`.
struct LiveOptions {
    bool colour = false;
    bool wide = false;          ///< more columns than fit in 80
    bool signals = true;
    bool pipes = true;
    bool kills = true;
    bool utf8 = true;
};

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

/// One line per family that is shown.
std::string live_header(const LiveOptions& options);

/// nullopt: not shown (of a family that was not asked for, or a part of
/// something else that is shown).  A kill is a sentence and may be two lines;
/// nothing ends with a newline.
std::optional<std::string> live_line(const correlate::Interval& interval,
                                     std::uint64_t start_ns, const LiveOptions& options);
std::optional<std::string> live_line(const decode::Event& event,
                                     std::uint64_t start_ns, const LiveOptions& options,
                                     const Symbols* symbols = nullptr);

/// "1.23 ms": three significant digits; from 1000 s in min, h, d, y.
std::string duration(std::uint64_t ns);
/// "1.50 MiB": three significant digits, exact below 1024 B.
std::string bytes(std::uint64_t bytes);

}  // namespace ipcscope::render
