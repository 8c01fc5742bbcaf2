// SPDX-License-Identifier: GPL-2.0-only
// What record and trace share: filters on the command line, the traced
// command, and the loop that ends by Ctrl-C, by --duration or with the command.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "source/options.hpp"
#include "source/source.hpp"

namespace ipcscope::cli {

struct LiveArguments {
    source::Options options;
    std::vector<std::string> signal_names;
    std::vector<std::string> command;
    std::uint64_t ring_kib = 4096;
    double duration_s = 0;          ///< 0: until it is ended
    std::string backend = "auto";
    std::string on_loss = "continue";
    bool all = false;               ///< with a command: everything else too
};

/// Declares the options on `app`.
void declare_live(CLI::App& app, LiveArguments& arguments);

/// What the command line means; Exit::usage where it means nothing.
Result<void> settle(LiveArguments& arguments);

/// A child process that waits to run the command until it is let go.
class Command {
public:
    static Result<Command> start(const std::vector<std::string>& words);
    /// A function of ours instead, whose value is the child's exit status.
    static Result<Command> start(const std::function<int()>& body);
    Command(Command&&) = default;

    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
    void let_go();
    /// True once it has ended.
    bool ended();
    void terminate() const;   ///< SIGTERM
    void kill_now() const;    ///< SIGKILL
    /// Its exit status as a shell tells it; kills it first where it was not let go.
    int status();

private:
    Command(int pid, Fd gate) : pid_(pid), gate_(std::move(gate)) {}
    int pid_;
    Fd gate_;
    bool reaped_ = false;
    int status_ = 0;
};

/// Opens the live source, runs the command if there is one, and polls `sink`
/// until the end.  An error is the source's or the sink's.
/// @return the status to exit with, before losses are looked at
Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                            std::chrono::milliseconds period);

}  // namespace ipcscope::cli
