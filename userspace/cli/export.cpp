// SPDX-License-Identifier: GPL-2.0-only
// ipcscope export: a capture as a file for another program.
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "aggregate/analysis.hpp"
#include "base/safe_text.hpp"
#include "capture/capture.hpp"
#include "cli/commands.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/output_file.hpp"
#include "cli/replay.hpp"
#include "diagnose/diagnose.hpp"
#include "exports/exporter.hpp"

namespace ipcscope::cli {
namespace {

constexpr mode_t kMode = 0600;   // as a capture's: it shows what others' processes did

struct Target {
    const char* option;
    const char* help;
    exports::Made (*make)(AtomicFile);
    bool is_text;
    std::string file;   ///< empty: not wanted
};

struct Arguments {
    std::string file = kStandardCapture;
    std::vector<Target> targets{
        {"--sqlite", "A SQLite database: docs/export.md has its tables", exports::sqlite, false, {}},
        {"--perfetto", "A trace for ui.perfetto.dev; - is standard output", exports::perfetto,
         false, {}},
        {"--folded", "Stacks of the time off the CPU, in ns, for flame graphs; - is standard output",
         exports::folded, true, {}},
    };
};

using Exporters = std::vector<std::unique_ptr<exports::Exporter>>;

/// Ends the replay once a file cannot be written.
class ExportSink final : public ForwardingSink {
public:
    ExportSink(source::Sink& next, const Exporters& exporters)
        : ForwardingSink(next), exporters_(exporters)
    {
    }

    Result<void> host(const source::Host& host) override
    {
        for (const auto& exporter : exporters_) {
            exporter->host(host);
        }
        return ForwardingSink::host(host);
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        auto done = ForwardingSink::watermark(time_ns);
        for (const auto& exporter : exporters_) {
            if (!exporter->result()) {
                return exporter->result();
            }
        }
        return done;
    }

private:
    const Exporters& exporters_;
};

/// A name that is wanted twice, or is a capture's, is a mistake.
Result<void> validate(const Arguments& arguments)
{
    std::set<std::string> names;
    for (const Target& target : arguments.targets) {
        if (target.file.empty()) {
            continue;
        }
        const std::string shown = SafeText::escape(target.file).str();
        if (!names.insert(target.file).second) {
            return fail(Exit::usage, fmt::format("export {}: {} is the file of another option: "
                                                 "give each its own", target.option, shown));
        }
        if (target.file == "-" && !target.is_text && isatty(STDOUT_FILENO) == 1) {
            return fail(Exit::usage, fmt::format("export {}: standard output is a terminal: "
                                                 "redirect it, or name a file", target.option));
        }
        if (auto spared = spare_capture(fmt::format("export {}", target.option), target.file); !spared) {
            return spared;
        }
    }
    return names.empty() ? fail(Exit::usage, "export: to what? give --sqlite FILE, --perfetto FILE "
                                             "or --folded FILE")
                         : Result<void>();
}

Result<Exporters> make(const Arguments& arguments)
{
    Exporters exporters;
    for (const Target& target : arguments.targets) {
        if (target.file.empty()) {
            continue;
        }
        auto made = AtomicFile::create(target.file, kMode).and_then(target.make);
        if (!made) {
            return tl::unexpected<Error>(made.error());
        }
        exporters.push_back(std::move(*made));
    }
    return exporters;
}

int run_export(const Arguments& arguments)
{
    if (auto valid = validate(arguments); !valid) {
        return print_error(valid.error());
    }
    // Before the outputs: a name that is wrong leaves nothing behind.
    if (std::error_code ignored;
        arguments.file != "-" && !std::filesystem::is_fifo(arguments.file, ignored)) {
        if (auto reader = capture::Reader::open(arguments.file); !reader) {
            return print_error(reader.error());
        }
    }
    const auto exporters = make(arguments);
    if (!exporters) {
        return print_error(exporters.error());
    }
    aggregate::Analysis analysis({[&](const decode::Event& event) {
                                      for (const auto& one : *exporters) one->event(event);
                                  },
                                  [&](const correlate::Interval& interval) {
                                      for (const auto& one : *exporters) one->interval(interval);
                                  }});
    ExportSink sink(analysis, *exporters);
    auto why = replay(arguments.file, sink);
    if (!why) {
        return print_error(why.error());
    }
    const aggregate::Report report = analysis.report(*why);
    const diagnose::Findings findings = diagnose::diagnose(report);
    for (const auto& exporter : *exporters) {
        if (auto done = exporter->finish(report, findings); !done) {
            return print_error(done.error());
        }
    }
    if (!report.complete) {
        return print_error({Exit::input, fmt::format("{}: {}", SafeText::escape(arguments.file).str(),
                                                  report.incomplete_why)});
    }
    return 0;
}

}  // namespace

Run declare_export(CLI::App& app)
{
    auto arguments = std::make_shared<Arguments>();
    CLI::App* export_app = app.add_subcommand(
        "export", "Write a capture for SQLite, Perfetto or flame graphs");
    declare_input(*export_app, arguments->file);
    for (Target& target : arguments->targets) {
        export_app->add_option(target.option, target.file, target.help)->type_name("FILE");
    }
    export_app->footer(R"(Examples:
  ipcscope export --perfetto t.perfetto t.ipcs   open it in ui.perfetto.dev
  ipcscope export --sqlite t.db t.ipcs           sqlite3 t.db, docs/queries.md
  ipcscope export --folded - t.ipcs | flamegraph.pl --countname ns >t.svg)");
    return [arguments] { return run_export(*arguments); };
}

}  // namespace ipcscope::cli
