// SPDX-License-Identifier: GPL-2.0-only
// Shared by record and trace: filters on the command line, the traced
// command, and the loop that ends by Ctrl-C, by --duration or with the command.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/fd.hpp"
#include "cli/descendants.hpp"
#include "base/result.hpp"
#include "source/options.hpp"
#include "source/source.hpp"

namespace ipcscope::cli {

struct LiveArguments {
    source::Options options;
    std::vector<std::string> signal_names;
    std::vector<std::string> containers;   ///< the beginnings of ids, or names
    std::vector<std::string> units;        ///< of systemd
    std::vector<std::string> families;   ///< names, or "ipc"; none: the default
    FamilyMask ipc_families = IPCSCOPE_FAMILY_IPC;   ///< what "ipc" stands for
    std::vector<std::string> command;
    std::uint64_t ring_kib = 4096;
    double duration_s = 0;          ///< 0: until it is ended
    std::string backend = "auto";
    std::string on_loss = "continue";
    bool all = false;               ///< with a command: everything else too
    bool stdout_is_data = false;    ///< a capture or JSON: the command writes to standard error
    bool quiet = false;             ///< nothing about attaching on a terminal, nor about the command's end
};

/// Declares the options on `app`.
void declare_live(CLI::App& app, LiveArguments& arguments);

/// Of them those that say whose events are traced, and for how long.
void declare_filters(CLI::App& app, LiveArguments& arguments);

/// Of them --signal.
void declare_signals(CLI::App& app, LiveArguments& arguments);

/// Of them those that say how records are made.
void declare_recording(CLI::App& app, LiveArguments& arguments);

/// Of them --stuck-after.
void declare_stuck_after(CLI::App& app, LiveArguments& arguments);

/// Of them --trace.
/// `names`: of families that can be asked for; `standard`: those that are where none is.
void declare_families(CLI::App& app, LiveArguments& arguments,
                      const std::vector<std::string>& names, const std::string& standard);

/// The same, declare_filters() and declare_signals().
void declare_selection(CLI::App& app, LiveArguments& arguments,
                       const std::vector<std::string>& names, const std::string& standard);

/// Of them --backend and --on-loss.
void declare_backend(CLI::App& app, LiveArguments& arguments);

/// Names of families that can be asked for, and "ipc" for all of them.
std::vector<std::string> family_names();

/// Checks the arguments and fills the options; Exit::usage if they are invalid.
Result<void> validate(LiveArguments& arguments);

/// A child process that waits for release() before it runs.
class Command {
public:
    /// `body` runs in the child; its value is the child's exit status.
    static Result<Command> start(const std::function<int()>& body);
    Command(Command&&) = default;

    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
    void release();   ///< starts the command
    /// True once it has ended.
    bool ended();
    void terminate();   ///< SIGTERM to it and to what it has started
    void kill_now();    ///< SIGKILL, likewise
    /// Of those that terminate() knew.
    bool has_descendants() { return descendants_.any_left(); }
    /// Its exit status as in a shell; kills it first if it was not released.
    int status();

private:
    Command(int pid, Fd gate) : pid_(pid), gate_(std::move(gate)) {}
    int pid_;
    Fd gate_;
    Descendants descendants_;
    bool reaped_ = false;
    int status_ = 0;
};

/// A trace as run_session() sees it.
class Session {
public:
    virtual ~Session() = default;

    /// All hooks count on return.
    virtual Result<void> open(const source::Options& options) = 0;
    /// Waits at most `timeout`.  False: the trace is to end now.
    virtual Result<bool> poll(std::chrono::milliseconds timeout) = 0;
    /// Ends the trace in order; also after an error.
    virtual Result<void> finish() = 0;
    /// After an error, and finish(): frees what the trace holds.
    virtual void close() = 0;
    /// CLOCK_MONOTONIC, from which --duration counts; 0: not known yet.
    virtual std::uint64_t start_ns() const = 0;
};

/// Opens the session, runs the command if there is one, and polls until the end: of
/// the command, of --duration, of the session, or by a signal.  An error is the
/// session's.
/// @return the status to exit with, before losses are looked at
Result<int> run_session(LiveArguments& arguments, Session& session,
                        std::chrono::milliseconds period);

/// Opens the live source, runs the command if there is one, and polls `sink`
/// until the end.  An error is the source's or the sink's.
/// @return the status to exit with, before losses are looked at
Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                            std::chrono::milliseconds period);
/// The same, also until `more`, which is called after each poll, is false.
Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                     std::chrono::milliseconds period, std::function<bool()> more);

}  // namespace ipcscope::cli
