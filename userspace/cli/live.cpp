// SPDX-License-Identifier: GPL-2.0-only
#include "cli/live.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>
#include <set>
#include <thread>

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/family.hpp"
#include "base/clock.hpp"
#include "base/safe_text.hpp"
#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "cli/forwarding_sink.hpp"
#include "cli/option_values.hpp"
#include "decode/decode.hpp"
#include "source/object_filter.hpp"
#include "source/places.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::uint64_t kLeastStuckAfter_ns = 1'000'000;
constexpr std::uint64_t kMostStuckAfter_ns = 3'600'000'000'000;

// Written by the signal handler, read by the loop.
volatile std::sig_atomic_t stop_requests = 0;
volatile std::sig_atomic_t terminated = 0;

void on_stop(int signal)
{
    stop_requests = stop_requests + 1;
    // The terminal sends the other two to the command as well.
    if (signal != SIGINT && signal != SIGQUIT) {
        terminated = 1;
    }
}

/// During its lifetime SIGINT, SIGQUIT, SIGTERM and SIGHUP end the trace in order.
class StopSignals {
public:
    StopSignals()
    {
        stop_requests = 0;
        terminated = 0;
        struct sigaction action {};
        action.sa_handler = on_stop;   // no SA_RESTART: waits end at once
        for (std::size_t i = 0; i < std::size(kSignals); i++) {
            sigaction(kSignals[i], &action, &old_[i]);
        }
    }
    ~StopSignals()
    {
        for (std::size_t i = 0; i < std::size(kSignals); i++) {
            sigaction(kSignals[i], &old_[i], nullptr);
        }
    }
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    static constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    struct sigaction old_[std::size(kSignals)];
};

[[noreturn]] void run_child(int gate, const std::function<int()>& body)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);   // until release()
    std::uint64_t go = 0;
    if (read(gate, &go, sizeof go) != sizeof go) {
        _exit(127);
    }
    prctl(PR_SET_PDEATHSIG, 0);
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGXFSZ, SIG_DFL);
    _exit(body());
}

/// Executes the command; returns only on failure, with the exit status for it.
int execute(const std::vector<std::string>& words, bool stdout_is_data)
{
    if (stdout_is_data) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    std::vector<char*> argv;
    for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    const int error = errno;
    print_stderr(fmt::format("ipcscope: cannot run {}: {}\n",
                             SafeText::escape(words[0]).str(), std::strerror(error)));
    return error == ENOENT ? 127 : 126;
}

/// How much is left of --duration, which counts from when all hooks count.
std::chrono::milliseconds time_left(double duration_s, std::uint64_t start_ns)
{
    constexpr std::chrono::milliseconds kLong = std::chrono::hours(1);
    if (duration_s <= 0 || start_ns == 0) {
        return kLong;
    }
    const auto passed_ns = static_cast<std::int64_t>(monotonic_ns() - start_ns);
    const double passed_s = static_cast<double>(passed_ns) / 1e9;
    const double left_ms = std::ceil((duration_s - passed_s) * 1e3);
    return left_ms < static_cast<double>(kLong.count())
               ? std::chrono::milliseconds(static_cast<std::int64_t>(left_ms))
               : kLong;
}

/// On a terminal, during its lifetime: that the hooks are being attached, which takes seconds.
class AttachingLine {
public:
    explicit AttachingLine(bool wanted) : shown_(wanted && isatty(STDERR_FILENO))
    {
        if (shown_) {
            print_stderr("ipcscope: attaching");
        }
    }
    ~AttachingLine()
    {
        if (shown_) {
            print_stderr("\r\x1b[K");
        }
    }
    AttachingLine(const AttachingLine&) = delete;
    AttachingLine& operator=(const AttachingLine&) = delete;

private:
    bool shown_;
};

/// Records from a backend to a sink.
class RecordSession final : public Session {
public:
    RecordSession(std::string backend, source::Sink& next, std::function<bool()> more)
        : backend_(std::move(backend)), sink_(next), more_(std::move(more))
    {
    }

    Result<void> open(const source::Options& options) override
    {
        auto opened = open_backend(backend_, options);
        if (!opened) {
            return tl::unexpected<Error>(opened.error());
        }
        source_ = std::move(*opened);
        return {};
    }

    Result<bool> poll(std::chrono::milliseconds timeout) override
    {
        return source_->poll(sink_, timeout).map([this](bool) { return more_(); });
    }

    Result<void> finish() override { return source_->finish(sink_); }
    void close() override { source_.reset(); }
    std::uint64_t start_ns() const override { return sink_.start_ns; }

private:
    struct StartSink final : ForwardingSink {
        using ForwardingSink::ForwardingSink;
        Result<void> host(const source::Host& host) override
        {
            start_ns = host.start_ns;
            return ForwardingSink::host(host);
        }
        std::uint64_t start_ns = 0;
    };

    std::string backend_;
    StartSink sink_;
    std::function<bool()> more_;
    std::unique_ptr<source::Source> source_;
};

constexpr std::string_view kAllFamilies = "ipc";

/// "all but handlers": what "ipc" stands for, beside such names.
std::string meaning_of_all(const std::vector<std::string>& names)
{
    std::vector<std::string> others;
    std::ranges::copy_if(names, std::back_inserter(others), [](const std::string& name) {
        const auto family = find_family(name);
        return family && (family->mask() & IPCSCOPE_FAMILY_IPC) == 0;
    });
    return others.empty() ? "all" : fmt::format("all but {}", fmt::join(others, ", "));
}

/// `names`: of family_names(); `ipc`: what "ipc" stands for.
FamilyMask mask_of(const std::vector<std::string>& names, FamilyMask ipc)
{
    FamilyMask mask = 0;
    for (const std::string& name : names) {
        mask |= name == kAllFamilies ? ipc : find_family(name)->mask();
    }
    // A handler runs because of a signal: without its records it is half the answer.
    if ((mask & IPCSCOPE_FAMILY_HANDLERS) != 0) mask |= IPCSCOPE_FAMILY_SIGNALS;
    if ((mask & IPCSCOPE_FAMILY_FUTEX_ALL) != 0) mask |= IPCSCOPE_FAMILY_FUTEX;
    return mask;
}

/// "USR1" is one of those that are wanted, "!URG" of those that are not; where there are
/// only the latter, all others are wanted.
Result<std::vector<unsigned>> signals_of(const std::vector<std::string>& names)
{
    std::set<unsigned> wanted, unwanted;
    for (const std::string& name : names) {
        const bool excluded = name.starts_with('!');
        const unsigned signal = decode::signal_number(name.substr(excluded ? 1 : 0));
        if (signal == 0) {
            if (name.starts_with('^') && decode::signal_number(name.substr(1)) != 0) {
                return fail(Exit::usage, fmt::format("--signal {}: all but it is '!{}'", name, name.substr(1)));
            }
            return fail(Exit::usage,
                        fmt::format("--signal {}: no such signal; give a name such as USR1 or "
                                    "RTMIN+3, or a number from 1 to 64",
                                    SafeText::escape(name).str()));
        }
        (excluded ? unwanted : wanted).insert(signal);
    }
    const bool all = wanted.empty() && !names.empty();
    for (unsigned signal = 1; all && signal <= IPCSCOPE_SIGNALS_COUNT; ++signal) {
        wanted.insert(signal);
    }
    std::vector<unsigned> signals;
    std::ranges::set_difference(wanted, unwanted, std::back_inserter(signals));
    if (signals.empty() && !names.empty()) {
        return fail(Exit::usage, "--signal: nothing is left of what is asked for");
    }
    return signals;
}

/// A filter of what is not traced would have no effect.
Result<void> check_effects(const LiveArguments& arguments)
{
    constexpr FamilyMask kSignals =
        IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_KILLS | IPCSCOPE_FAMILY_HANDLERS;
    const source::Options& options = arguments.options;
    const bool signals = (options.families & kSignals) != 0, calls = (options.families & ~kSignals) != 0;
    if (!signals && !arguments.signal_names.empty()) {
        return fail(Exit::usage, "--signal: no signal is traced: add signals to the families");
    }
    if (!signals && options.stuck_after_ns != source::Options{}.stuck_after_ns) {
        return fail(Exit::usage, "--stuck-after: no signal is traced: add kills to the families");
    }
    if (!calls && !(options.filters.objects.empty() && options.filters.paths.empty())) {
        return fail(Exit::usage, "--object and --path: no call is traced: add pipes or another kind "
                                 "of object to the families");
    }
    return {};
}

}  // namespace

std::vector<std::string> family_names()
{
    std::vector<std::string> names;
    for (const Family& family : kFamilies) {
        if (family.hooked()) {
            names.emplace_back(family.name);
        }
    }
    names.emplace_back(kAllFamilies);
    return names;
}

void declare_families(CLI::App& app, LiveArguments& arguments,
                      const std::vector<std::string>& names, const std::string& standard)
{
    arguments.ipc_families = 0;
    for (const std::string& name : names) {
        const auto family = find_family(name);
        arguments.ipc_families |= family ? family->mask() & IPCSCOPE_FAMILY_IPC : 0;
    }
    app.add_option("--trace", arguments.families,
                   fmt::format("What to hook: a list of {} ({})", fmt::join(names, ", "),
                               meaning_of_all(names)))
        ->type_name("FAMILIES")->delimiter(',')->check(CLI::IsMember(names))->default_str(standard)
        ->allow_extra_args(false);
}

void declare_selection(CLI::App& app, LiveArguments& arguments,
                       const std::vector<std::string>& names, const std::string& standard)
{
    declare_families(app, arguments, names, standard);
    declare_filters(app, arguments);
    declare_signals(app, arguments);
}

void declare_filters(CLI::App& app, LiveArguments& arguments)
{
    auto& filters = arguments.options.filters;
    declare_numbers(app, "-p,--pid", filters.pids, "Only these processes: 12,34", "PID");
    declare_numbers(app, "-t,--tid", filters.tids, "Only these threads: 12,34", "TID");
    app.add_option("--comm", filters.comms, "Only tasks of this name (repeatable)")->type_name("NAME");
    app.add_option("--cgroup", filters.cgroups,
                   "Only tasks in this cgroup v2 directory or below (repeatable)")->type_name("DIRECTORY");
    app.add_option("--container", arguments.containers,
                   "Only tasks in this container: its ID, the beginning of it, or of an lxc name "
                   "(repeatable)")->type_name("ID");
    app.add_option("--unit", arguments.units, "Only tasks in this systemd unit (repeatable)")
        ->type_name("UNIT");
    // The word after an option's value is no other value of it.
    for (const char* name : {"--pid", "--tid", "--comm", "--cgroup", "--container", "--unit"}) {
        app.get_option(name)->allow_extra_args(false);
    }
    for (const char* name : {"--comm", "--cgroup", "--container", "--unit"}) {
        app.get_option(name)->check(not_empty);
    }
    app.add_flag("-f,--follow", filters.follow, "Children of what is traced, too");
    app.add_flag("-a,--all", arguments.all,
                 "With a command: trace the whole system while it runs");
    app.add_option("-d,--duration", arguments.duration_s, "End after this many seconds, the command too")
        ->type_name("SECONDS")->check(seconds_above_0);
}

void declare_signals(CLI::App& app, LiveArguments& arguments)
{
    app.add_option("-s,--signal", arguments.signal_names,
                   "Only these signals: USR1,SIGRTMIN+3,10; or all but these: '!URG,!CHLD'")
        ->type_name("SIGNAL")->delimiter(',')->allow_extra_args(false);
}

static void declare_objects(CLI::App& app, LiveArguments& arguments)
{
    auto& filters = arguments.options.filters;
    app.add_option("--object", filters.objects,
                   "Calls only on this object: pipe:[12], unix:/run/x.sock, mqueue:/jobs, "
                   "sysv_sem:3[0], futex:7:0x40 (repeatable)")
        ->type_name("OBJECT");
    app.add_option("--path", filters.paths,
                   "Calls only on FIFOs, Unix-domain sockets and message queues of this name; with "
                   "*, ? and [...] (repeatable)")
        ->type_name("PATTERN");
    for (const char* name : {"--object", "--path"}) {
        app.get_option(name)->allow_extra_args(false)->check(not_empty);
    }
}

void declare_live(CLI::App& app, LiveArguments& arguments)
{
    declare_selection(app, arguments, family_names(), "signals,pipes,kills");
    declare_objects(app, arguments);
    declare_stuck_after(app, arguments);
    declare_recording(app, arguments);
}

void declare_recording(CLI::App& app, LiveArguments& arguments)
{
    app.add_option("--ring-size", arguments.ring_kib, "KiB of ring for each CPU")
        ->type_name("KIB")->check(CLI::Range(4, 1 << 20))->capture_default_str();
    declare_backend(app, arguments);
}

void declare_stuck_after(CLI::App& app, LiveArguments& arguments)
{
    declare_duration(app, "--stuck-after", arguments.options.stuck_after_ns,
                     "Look at a process that is still there so long after a signal that should "
                     "end it (ms, s, min), and again after 10, 100, … times as long [100ms]")
        ->check(CLI::Range(kLeastStuckAfter_ns, kMostStuckAfter_ns));
}

void declare_backend(CLI::App& app, LiveArguments& arguments)
{
    app.add_option("--backend", arguments.backend,
                   "bpf, kmod (the kernel module), or auto: bpf where it works")
        ->check(CLI::IsMember({"bpf", "kmod", "auto"}))->capture_default_str();
    app.add_option("--on-loss", arguments.on_loss,
                   "exit: status 5 where events were lost; or continue")
        ->check(CLI::IsMember({"exit", "continue"}))->capture_default_str();
}

Result<void> validate(LiveArguments& arguments)
{
    auto& options = arguments.options;
    if (!arguments.families.empty()) {
        options.families = mask_of(arguments.families, arguments.ipc_families);
    }
    if (auto valid = check_effects(arguments); !valid) {
        return valid;
    }
    auto signals = signals_of(arguments.signal_names);
    if (!signals) {
        return tl::unexpected<Error>(signals.error());
    }
    options.filters.signals = std::move(*signals);
    auto cgroups = source::find_places(arguments.containers, arguments.units);
    if (!cgroups) {
        return tl::unexpected<Error>(cgroups.error());
    }
    options.filters.cgroups.insert(options.filters.cgroups.end(), cgroups->begin(),
                                   cgroups->end());
    for (const std::string& comm : options.filters.comms) {
        if (comm.empty() || comm.size() > IPCSCOPE_COMM_LEN - 1) {
            return fail(Exit::usage,
                        fmt::format("--comm {}: the kernel keeps 1 to 15 bytes of a name; give "
                                    "what ps -o comm shows",
                                    SafeText::escape(comm).str()));
        }
    }
    for (const std::string& object : options.filters.objects) {
        if (auto pattern = source::parse_object(object); !pattern) {
            return tl::unexpected<Error>(pattern.error());
        }
    }
    if (arguments.all && arguments.command.empty()) {
        return fail(Exit::usage, "--all goes with a command; without one everything is traced");
    }
    options.ring_bytes = arguments.ring_kib * 1024;
    options.command = arguments.command;
    return {};
}

Result<Command> Command::start(const std::function<int()>& body)
{
    // An eventfd, not a pipe, so that the trace does not begin with our own pipe calls.
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

void Command::release()
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

void Command::terminate()
{
    if (!reaped_) {
        descendants_.find(pid_);
        kill(pid_, SIGTERM);
    }
    descendants_.send(SIGTERM);
}

void Command::kill_now()
{
    if (!reaped_) {
        descendants_.find(pid_);
        kill(pid_, SIGKILL);
    }
    descendants_.send(SIGKILL);
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

/// At the end of the trace, by a second Ctrl-C or --duration: a command that still runs is
/// asked to end with what it has started; who ignores SIGTERM is killed.
static int end_command(Command& command)
{
    if (command.ended()) {
        return command.status();
    }
    command.terminate();
    for (int i = 0; i < 20 && !(command.ended() && !command.has_descendants()); i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    command.kill_now();
    return command.status();
}

Result<int> run_session(LiveArguments& arguments, Session& session,
                        std::chrono::milliseconds period)
{
    StopSignals signals;
    std::unique_ptr<Command> command;
    if (!arguments.command.empty()) {
        auto started = Command::start(
            [&] { return execute(arguments.command, arguments.stdout_is_data); });
        if (!started) {
            return tl::unexpected<Error>(started.error());
        }
        command = std::make_unique<Command>(std::move(*started));
        arguments.options.command_pid = arguments.all ? 0 : command->pid();
    }
    const auto opened = [&] {
        const AttachingLine line(!arguments.quiet);
        return session.open(arguments.options);
    }();
    if (!opened) {
        if (command) {
            command->status();
        }
        return tl::unexpected<Error>(opened.error());
    }
    if (command) {
        command->release();
    }
    // With a command the first Ctrl-C is for the command; the trace goes on until it
    // has ended, or until a second Ctrl-C.
    bool forwarded = false;
    while (!(command ? command->ended() || stop_requests > 1 : stop_requests > 0)) {
        if (terminated && command && !forwarded) {
            command->terminate();
            forwarded = true;
        }
        const auto left = time_left(arguments.duration_s, session.start_ns());
        if (left <= std::chrono::milliseconds(0)) {
            break;
        }
        auto more = session.poll(std::min(left, period));
        if (!more) {
            (void)session.finish();
            session.close();
            if (!command) {
                return tl::unexpected<Error>(more.error());
            }
            // The command goes on untraced; ipcscope ends with it, which may take long.
            print_error(more.error());
            command->status();
            return fail(more.error().code, "");
        }
        if (!*more) {
            break;
        }
    }
    if (auto finished = session.finish(); !finished) {
        return tl::unexpected<Error>(finished.error());
    }
    if (command && !command->ended() && stop_requests == 0 && !arguments.quiet) {
        print_stderr(fmt::format("ipcscope: the trace is over, and {} still runs: it is ended (SIGTERM)\n",
                                 SafeText::escape(arguments.command[0]).str()));
    }
    return command ? end_command(*command) : 0;
}

Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                     std::chrono::milliseconds period)
{
    return run_live(arguments, sink, period, [] { return true; });
}

Result<int> run_live(LiveArguments& arguments, source::Sink& sink,
                     std::chrono::milliseconds period, std::function<bool()> more)
{
    source::ObjectFilter filter(arguments.options.filters, sink);
    RecordSession session(arguments.backend, filter, std::move(more));
    return run_session(arguments, session, period);
}

}  // namespace ipcscope::cli
