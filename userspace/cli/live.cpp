// SPDX-License-Identifier: GPL-2.0-only
#include "cli/live.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "decode/decode.hpp"

namespace ipcscope::cli {
namespace {

// Written by the handler, read by the loop: the one thing a handler can reach.
volatile std::sig_atomic_t stops = 0;
volatile std::sig_atomic_t terminated = 0;

void on_stop(int signal)
{
    stops = stops + 1;
    if (signal != SIGINT) {
        terminated = 1;
    }
}

/// SIGINT, SIGTERM and SIGHUP end the trace in order while it lives.
class StopSignals {
public:
    StopSignals()
    {
        stops = 0;
        terminated = 0;
        struct sigaction action {};
        action.sa_handler = on_stop;   // no SA_RESTART: waits end at once
        for (std::size_t i = 0; i < 3; i++) {
            sigaction(kSignals[i], &action, &old_[i]);
        }
    }
    ~StopSignals()
    {
        for (std::size_t i = 0; i < 3; i++) {
            sigaction(kSignals[i], &old_[i], nullptr);
        }
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction old_[3];
};

[[noreturn]] void run_child(int gate, const std::function<int()>& body)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);   // until it is let go
    std::uint64_t go = 0;
    if (read(gate, &go, sizeof go) != sizeof go) {
        _exit(127);
    }
    prctl(PR_SET_PDEATHSIG, 0);
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGXFSZ, SIG_DFL);
    _exit(body());
}

/// Becomes the command; returns only where it cannot, with the status for that.
int execute(const std::vector<std::string>& words)
{
    std::vector<char*> argv;
    for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    const int error = errno;
    tell(fmt::format("ipcscope: cannot run {}: {}\n", argv[0], std::strerror(error)));
    return error == ENOENT ? 127 : 126;
}

}  // namespace

void declare_live(CLI::App& app, LiveArguments& arguments)
{
    auto& filters = arguments.options.filters;
    app.add_option("-p,--pid", filters.pids, "Only this process (repeatable)");
    app.add_option("-t,--tid", filters.tids, "Only this thread (repeatable)");
    app.add_option("--comm", filters.comms, "Only tasks of this name (repeatable)");
    app.add_option("--cgroup", filters.cgroups,
                   "Only tasks in this cgroup v2 directory or below (repeatable)");
    app.add_option("-s,--signal", arguments.signal_names,
                   "Only this signal: USR1, SIGRTMIN+3, 10 (repeatable)");
    app.add_flag("-f,--follow", filters.follow, "Children of what is traced, too");
    app.add_flag("-a,--all", arguments.all,
                 "With a command: trace the whole system while it runs");
    app.add_option("-d,--duration", arguments.duration_s, "End after this many seconds, the command too")
        ->check(CLI::PositiveNumber);
    app.add_option("--ring-size", arguments.ring_kib, "KiB of ring for each CPU")
        ->check(CLI::Range(4, 1 << 20))->capture_default_str();
    app.add_option("--backend", arguments.backend,
                   "bpf, kmod (the kernel module), or auto: bpf where it works")
        ->check(CLI::IsMember({"bpf", "kmod", "auto"}))->capture_default_str();
    app.add_option("--on-loss", arguments.on_loss,
                   "exit: status 5 where events were lost; or continue")
        ->check(CLI::IsMember({"exit", "continue"}))->capture_default_str();
}

Result<void> settle(LiveArguments& arguments)
{
    auto& options = arguments.options;
    for (const std::string& name : arguments.signal_names) {
        const unsigned signal = decode::signal_number(name);
        if (signal == 0) {
            return fail(Exit::usage,
                        fmt::format("--signal {}: no such signal; give a name such as USR1 or "
                                    "RTMIN+3, or a number from 1 to 64",
                                    SafeText::escape(name).str()));
        }
        options.filters.signals.push_back(signal);
    }
    for (const std::string& comm : options.filters.comms) {
        if (comm.empty() || comm.size() > IPCSCOPE_COMM_LEN - 1) {
            return fail(Exit::usage,
                        fmt::format("--comm {}: the kernel keeps 1 to 15 bytes of a name; give "
                                    "what ps -o comm shows",
                                    SafeText::escape(comm).str()));
        }
    }
    if (arguments.all && arguments.command.empty()) {
        return fail(Exit::usage, "--all goes with a command; without one everything is traced");
    }
    options.ring_bytes = arguments.ring_kib * 1024;
    options.command = arguments.command;
    return {};
}

Result<Command> Command::start(const std::vector<std::string>& words)
{
    return start([&] { return execute(words); });
}

Result<Command> Command::start(const std::function<int()>& body)
{
    // An eventfd rather than a pipe, so that the trace does not begin with us.
    Fd gate(eventfd(0, EFD_CLOEXEC));
    const int pid = gate ? fork() : -1;
    if (pid < 0) {
        return fail(Exit::input, fmt::format("cannot start a process: {}",
                                             std::strerror(errno)));
    }
    if (pid == 0) {
        run_child(gate.get(), body);
    }
    return Command(pid, std::move(gate));
}

void Command::let_go()
{
    const std::uint64_t go = 1;
    [[maybe_unused]] const auto written = write(gate_.get(), &go, sizeof go);
    gate_.reset();
}

bool Command::ended()
{
    if (!reaped_ && waitpid(pid_, &status_, WNOHANG) == pid_) {
        reaped_ = true;
    }
    return reaped_;
}

void Command::terminate() const
{
    if (!reaped_) {
        kill(pid_, SIGTERM);
    }
}

void Command::kill_now() const
{
    if (!reaped_) {
        kill(pid_, SIGKILL);
    }
}

int Command::status()
{
    if (!reaped_) {
        if (gate_) {
            kill_now();
        }
        while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
        }
        reaped_ = true;
    }
    return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                            std::chrono::milliseconds period)
{
    StopSignals signals;
    std::unique_ptr<Command> command;
    if (!arguments.command.empty()) {
        auto started = Command::start(arguments.command);
        if (!started) {
            return tl::unexpected<Error>(started.error());
        }
        command = std::make_unique<Command>(std::move(*started));
        arguments.options.command_pid = arguments.all ? 0 : command->pid();
    }
    auto source = open_backend(arguments.backend, arguments.options);
    if (!source) {
        if (command) {
            command->status();
        }
        return tl::unexpected<Error>(source.error());
    }
    if (command) {
        command->let_go();
    }
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::duration<double>(arguments.duration_s);
    // With a command the first Ctrl-C is the command's; the trace goes on until
    // it has ended, or a second one comes.
    bool forwarded = false;
    while (!(command ? command->ended() || stops > 1 : stops > 0)) {
        if (terminated && command && !forwarded) {
            command->terminate();
            forwarded = true;
        }
        if (arguments.duration_s > 0 && std::chrono::steady_clock::now() >= end) {
            break;
        }
        auto more = (*source)->poll(sink, period);
        if (!more) {
            (void)(*source)->finish(sink);
            source->reset();
            if (!command) {
                return tl::unexpected<Error>(more.error());
            }
            // It goes on without us; its end is ours, and may be far away.
            complain(more.error());
            command->status();
            return fail(more.error().code, "");
        }
    }
    if (auto finished = (*source)->finish(sink); !finished) {
        return tl::unexpected<Error>(finished.error());
    }
    int status = 0;
    if (command) {
        if (!command->ended()) {
            command->terminate();
        }
        // A second Ctrl-C, or a duration's end, does not wait for a stubborn one.
        for (int i = 0; i < 20 && !command->ended(); i++) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        command->kill_now();
        status = command->status();
    }
    return status;
}

}  // namespace ipcscope::cli
