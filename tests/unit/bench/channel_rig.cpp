// SPDX-License-Identifier: GPL-2.0-only
#include "channel_rig.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <thread>

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/message.hpp"
#include "bench/name_registry.hpp"

namespace ipcscope::bench::rig {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMaxWorkers = 8;
constexpr unsigned kPatience_s = 60;

/// Shared by all processes of a trial.
struct Board {
    std::array<std::atomic<unsigned>, 2> arrived{};
    std::array<Peer, kMaxWorkers> peers{};
    std::array<std::atomic<std::uint64_t>, 2> last_number{};   ///< newest from each end
    std::atomic<std::uint64_t> claimed{0};   ///< by consumers
    std::atomic<std::uint64_t> sum{0};       ///< of the numbers received
    std::atomic<bool> has_error{false};
    std::array<char, 400> error_text{};

    void say(const std::string& why)
    {
        if (!has_error.exchange(true)) {
            std::strncpy(error_text.data(), why.c_str(), error_text.size() - 1);
        }
    }
};

struct Unshare {
    void operator()(Board* board) const { munmap(board, sizeof(Board)); }
};

std::unique_ptr<Board, Unshare> make_board()
{
    void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return std::unique_ptr<Board, Unshare>(memory == MAP_FAILED ? nullptr
                                                                : new (memory) Board);
}

std::ptrdiff_t open_descriptors()
{
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

/// NameRegistry in `directory` that hold `part`.
std::string names_in(const fs::path& directory, const std::string& part)
{
    std::string found;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(directory, absent)) {
        if (entry.path().filename().string().find(part) != std::string::npos) {
            found += " " + entry.path().string();
        }
    }
    return found;
}

/// System V objects of this IPC namespace, as ipcs lists them.
std::string sysv_objects()
{
    std::string found;
    for (const char* kind : {"shm", "msg", "sem"}) {
        std::ifstream list(fmt::format("/proc/sysvipc/{}", kind));
        std::string line;
        std::getline(list, line);   // the header
        while (std::getline(list, line)) {
            found += fmt::format(" {}: {}", kind, line);
        }
    }
    return found;
}

/// Sends and receives, one end.
class Worker {
public:
    Worker(const Trial& trial, Board& board, End end, Port& port)
        : trial_(trial), board_(board), end_(end), port_(port), stamp_(trial.bytes),
          message_(trial.bytes), expected_(trial.bytes)
    {
        stamp_.fill(message_);
        stamp_.fill(expected_);
    }

    std::string send(std::uint64_t number)
    {
        stamp_.write(message_, number);
        board_.last_number[static_cast<unsigned>(end_)] = number;
        return error_of("send", number, port_.send(message_));
    }

    std::string receive(std::uint64_t number)
    {
        std::fill(received_.begin(), received_.end(), std::byte{0xaa});
        received_.resize(trial_.bytes, std::byte{0xaa});
        const int error = port_.receive(received_);
        return error ? error_of("receive", number, error) : check(number);
    }

    /// Any message; its number is added to the sum.
    std::string receive_any(std::uint64_t ticket)
    {
        received_.resize(trial_.bytes);
        if (const int error = port_.receive(received_)) {
            return error_of("receive", ticket, error);
        }
        const std::uint64_t number = Stamp::number(received_);
        board_.sum += number;
        return check(number);
    }

private:
    static std::string error_of(const char* what, std::uint64_t number, int error)
    {
        return error ? fmt::format("{} {}: {}", what, number, std::strerror(error)) : "";
    }

    std::string check(std::uint64_t number)
    {
        if (trial_.bytes == 0) {
            const std::uint64_t newest = board_.last_number[static_cast<unsigned>(other(end_))];
            const bool right = trial_.layout == Layout::one_direction ? newest >= number
                                                                    : newest == number;
            return right ? "" : fmt::format("message {} came when {} was the newest", number,
                                            newest);
        }
        stamp_.write(expected_, number);
        const auto [at, wanted] = std::mismatch(received_.begin(), received_.end(),
                                                expected_.begin());
        if (at != received_.end()) {
            return fmt::format("message {}, byte {}: {:#04x} instead of {:#04x}", number,
                               at - received_.begin(), static_cast<unsigned>(*at),
                               static_cast<unsigned>(*wanted));
        }
        return stamp_.matches(received_, number) ? "" : "whole, but its stamp does not match";
    }

    const Trial& trial_;
    Board& board_;
    End end_;
    Port& port_;
    Stamp stamp_;
    std::vector<std::byte> message_;
    std::vector<std::byte> expected_;
    std::vector<std::byte> received_;
};

unsigned workers(const Trial& trial)
{
    return trial.layout == Layout::one_thread ? 1 : trial.producers + trial.consumers;
}

void gate(const Trial& trial, Board& board, unsigned which)
{
    board.arrived[which]++;
    while (board.arrived[which] < workers(trial)) {
        sched_yield();
    }
}

std::string exchange(const Trial& trial, Board& board, End end, unsigned index, Worker& self)
{
    std::string failed;
    if (trial.layout == Layout::round_trip) {
        for (std::uint64_t i = 1; i <= trial.messages && failed.empty(); i++) {
            failed = end == End::a ? self.send(i) : self.receive(i);
            if (failed.empty()) {
                failed = end == End::a ? self.receive(i) : self.send(i);
            }
        }
    } else if (end == End::a) {
        const std::uint64_t share = trial.messages / trial.producers;
        for (std::uint64_t i = 1; i <= share && failed.empty(); i++) {
            failed = self.send(index * share + i);
        }
    } else if (workers(trial) == 2) {
        for (std::uint64_t i = 1; i <= trial.messages && failed.empty(); i++) {
            failed = self.receive(i);
        }
    } else {
        for (std::uint64_t i; (i = ++board.claimed) <= trial.messages && failed.empty();) {
            failed = self.receive_any(i);
        }
    }
    return failed;
}

/// One worker's life.
std::string work(const Trial& trial, Board& board, Channel& channel, unsigned index)
{
    const End end = index < trial.producers ? End::a : End::b;
    board.peers[index] = {getpid(), static_cast<pid_t>(syscall(SYS_gettid))};
    gate(trial, board, 0);
    const unsigned peer = end == End::a ? trial.producers : 0;
    auto port = channel.port(end, board.peers[peer]);
    if (!port) {
        return port.error().message;
    }
    gate(trial, board, 1);
    const std::ptrdiff_t before = open_descriptors();
    Worker self(trial, board, end, **port);
    std::string failed = exchange(trial, board, end, index, self);
    if (failed.empty() && !trial.threads && open_descriptors() != before) {
        failed = fmt::format("{} descriptors before, {} after", before, open_descriptors());
    }
    return failed;
}

std::string work_alone(const Trial& trial, Board& board, Channel& channel)
{
    const Peer self{getpid(), static_cast<pid_t>(syscall(SYS_gettid))};
    auto a = channel.port(End::a, self);
    auto b = channel.port(End::b, self);
    if (!a || !b) {
        return (!a ? a : b).error().message;
    }
    Worker sender(trial, board, End::a, **a);
    Worker receiver(trial, board, End::b, **b);
    std::string failed;
    for (std::uint64_t i = 1; i <= trial.messages && failed.empty(); i++) {
        failed = sender.send(i);
        if (failed.empty()) {
            failed = receiver.receive(i);
        }
    }
    return failed;
}

/// Ends the process where a worker fails: the others would wait for ever.
void run_threads(const Trial& trial, Board& board, Channel& channel)
{
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < workers(trial); i++) {
        threads.emplace_back([&, i] {
            if (const std::string failed = work(trial, board, channel, i); !failed.empty()) {
                board.say(failed);
                _exit(1);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

void run_processes(const Trial& trial, Board& board, Channel& channel)
{
    std::vector<pid_t> children;
    for (unsigned i = 0; i < workers(trial); i++) {
        const pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            const std::string failed = work(trial, board, channel, i);
            if (!failed.empty()) {
                board.say(failed);
            }
            _exit(failed.empty() ? 0 : 1);
        }
        children.push_back(child);
    }
    for (std::size_t left = children.size(); left > 0;) {
        int status = 0;
        const pid_t child = waitpid(-1, &status, 0);
        const auto at = std::find(children.begin(), children.end(), child);
        if (at == children.end()) {
            continue;   // the cleanup process, or an interrupted call
        }
        *at = 0;
        left--;
        if (status == 0) {
            continue;
        }
        board.say(fmt::format("a worker ended with status {:#x}", status));
        for (const pid_t other : children) {
            if (other > 0) kill(other, SIGKILL);
        }
    }
}

std::string run_channel(const Trial& trial, Board& board, Channel& channel)
{
    if (trial.layout == Layout::one_thread) {
        if (const std::string failed = work_alone(trial, board, channel); !failed.empty()) {
            return failed;
        }
    } else if (trial.threads) {
        run_threads(trial, board, channel);
    } else {
        run_processes(trial, board, channel);
    }
    if (board.has_error) {
        return board.error_text.data();
    }
    if (const int error = channel.drained()) {
        return fmt::format("left over: {}", std::strerror(error));
    }
    const std::uint64_t all = trial.messages / trial.producers * trial.producers;
    if (workers(trial) > 2 && trial.bytes >= sizeof(std::uint64_t) &&
        board.sum != all * (all + 1) / 2) {
        return "some came twice, others not at all";
    }
    return "";
}

/// "refused: …" where create() refuses.
std::string run_here(const Trial& trial, Board& board)
{
    const std::ptrdiff_t before = open_descriptors();
    auto names = NameRegistry::start();
    if (!names) {
        return names.error().message;
    }
    std::string failed;
    {
        auto channel = trial.mechanism.create(
            {.message_bytes = trial.bytes, .waiting = trial.waiting, .threads = trial.threads,
             .one_direction = trial.layout == Layout::one_direction,
             .producers = trial.producers, .consumers = trial.consumers, .names = **names});
        failed = channel ? run_channel(trial, board, **channel)
                         : "refused: " + channel.error().message;
    }
    if (failed.empty() && (*names)->size() != 0) {
        failed = fmt::format("{} names are still registered", (*names)->size());
    }
    names->reset();
    if (failed.empty() && open_descriptors() != before) {
        failed = fmt::format("{} descriptors before, {} after", before, open_descriptors());
    }
    return failed;
}

/// Waits for the child; ends it where it takes too long.
std::string outcome(pid_t child, Board& board)
{
    int status = 0;
    for (unsigned tenths = 0; waitpid(child, &status, WNOHANG) != child; tenths++) {
        if (tenths >= kPatience_s * 1000) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return fmt::format("no end after {} s", kPatience_s);
        }
        usleep(1000);
    }
    return board.has_error ? std::string(board.error_text.data())
           : status       ? fmt::format("ended with status {:#x}", status)
                          : "";
}

}  // namespace

std::string in_child(const std::function<std::string()>& body)
{
    const auto board = make_board();
    std::string directory = (fs::temp_directory_path() / "rig-XXXXXX").string();
    if (!board || !mkdtemp(directory.data())) {
        return std::strerror(errno);
    }
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("TMPDIR", directory.c_str(), 1);
        const bool own_namespace = unshare(CLONE_NEWIPC) == 0;
        std::string failed = body();
        if (const std::string left = sysv_objects(); own_namespace && !left.empty()) {
            failed += " left behind:" + left;
        }
        if (!failed.empty()) {
            board->say(failed);
        }
        _exit(0);
    }
    std::string failed = outcome(child, *board);
    const std::string mark = fmt::format("ipcscope-{}-", child);
    const std::string left = names_in(directory, "") + names_in("/dev/shm", mark) +
                             names_in("/dev/mqueue", mark);
    if (!left.empty()) {
        failed += " left behind:" + left;
    }
    fs::remove_all(directory);
    return failed;
}

Verdict run(const Trial& trial)
{
    const auto board = make_board();
    if (!board) {
        return {.failed = std::strerror(errno), .refused = {}};
    }
    std::string error_text = in_child([&] { return run_here(trial, *board); });
    if (board->has_error && error_text.find(board->error_text.data()) == std::string::npos) {
        error_text = fmt::format("{} ({})", board->error_text.data(), error_text);
    }
    constexpr std::string_view kRefused = "refused: ";
    if (error_text.starts_with(kRefused)) {
        return {.failed = {}, .refused = error_text.substr(kRefused.size())};
    }
    return {.failed = error_text, .refused = {}};
}

std::string describe(const Trial& trial)
{
    constexpr std::array kLayoutNames = {"round trip", "one thread", "one direction"};
    return fmt::format("{}, {}, {} bytes, {}, {}, {}:{}", trial.mechanism.name,
                       kLayoutNames[static_cast<unsigned>(trial.layout)], trial.bytes,
                       trial.waiting == WaitMode::spin ? "spin" : "block",
                       trial.threads ? "threads" : "processes", trial.producers,
                       trial.consumers);
}

std::vector<std::size_t> sizes(const Mechanism& mechanism)
{
    std::vector<std::size_t> all;
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{64},
                                   std::size_t{4096}, std::size_t{65536},
                                   mechanism.max_message}) {
        const std::size_t fit = std::clamp(size, mechanism.min_message, mechanism.max_message);
        if (all.empty() || all.back() < fit) {
            all.push_back(fit);
        }
    }
    return all;
}

}  // namespace ipcscope::bench::rig
