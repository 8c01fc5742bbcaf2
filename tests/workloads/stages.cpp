// SPDX-License-Identifier: GPL-2.0-only
// Pipelines and senders of which the report must say the right thing.
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

struct Pipe {
    Pipe() { MUST(pipe2(ends, O_CLOEXEC) == 0); }
    void close_both() const
    {
        close(ends[0]);
        close(ends[1]);
    }
    int ends[2];
};

/// A stage of a chain of pipes, with no other end open.
pid_t stage(const char* name, const std::vector<Pipe>& pipes, int in, int out,
            const std::function<void(int in_fd, int out_fd)>& work)
{
    const pid_t pid = child(name, [&] {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 0; i < static_cast<int>(pipes.size()); i++) {
            if (i != in) close(pipes[i].ends[0]);
            if (i != out) close(pipes[i].ends[1]);
        }
        work(in >= 0 ? pipes[in].ends[0] : -1, out >= 0 ? pipes[out].ends[1] : -1);
        return 0;
    });
    fact(name, {u(pid)});
    return pid;
}

void copy_blocking(int in, int out)
{
    char data[256];
    for (ssize_t size; (size = read(in, data, sizeof data)) > 0;) {
        if (out >= 0) {
            MUST(write(out, data, static_cast<std::size_t>(size)) == size);
        }
    }
}

/// As an event loop does it: poll, then read what there is.
void copy_polling(int in, int out)
{
    char data[256];
    MUST(fcntl(in, F_SETFL, O_NONBLOCK) == 0);
    while (true) {
        pollfd wanted{in, POLLIN, 0};
        MUST(poll(&wanted, 1, -1) == 1);
        const ssize_t size = read(in, data, sizeof data);
        if (size == 0) {
            return;
        }
        MUST(size > 0 && write(out, data, static_cast<std::size_t>(size)) == size);
    }
}

bool exists(const std::string& path)
{
    struct stat info {};
    return stat(path.c_str(), &info) == 0;
}

}  // namespace

/// A slow source, a blocking relay, one that polls, a sink.
int poll_chain(const Arguments&)
{
    const std::vector<Pipe> pipes(3);
    const pid_t stages[] = {
        stage("slow-source", pipes, -1, 0,
              [](int, int out) {
                  const char data[200] = {};
                  for (int i = 0; i < 60; i++) {
                      sleep_ms(50);
                      MUST(write(out, data, sizeof data) == sizeof data);
                  }
              }),
        stage("relay", pipes, 0, 1, copy_blocking),
        stage("event-loop", pipes, 1, 2, copy_polling),
        stage("sink", pipes, 2, -1, copy_blocking),
    };
    for (const Pipe& pipe : pipes) {
        pipe.close_both();
    }
    for (const pid_t pid : stages) {
        MUST(reap(pid) == 0);
    }
    return 0;
}

/// steady_pipeline DIRECTORY: from a file "go" on, a writer and a reader as fast as
/// they can, until they are killed.
int steady_pipeline(const Arguments& arguments)
{
    const std::vector<Pipe> pipes(1);
    struct stat info {};
    MUST(fstat(pipes[0].ends[0], &info) == 0);
    fact("pipe", {info.st_ino});
    const std::string go = arguments.at(0) + "/go";
    stage("pours", pipes, -1, 0, [&](int, int out) {
        const char data[1000] = {};
        while (!exists(go)) {
            sleep_ms(10);
        }
        while (write(out, data, sizeof data) > 0) {
        }
    });
    stage("drains", pipes, 0, -1, [](int in, int) {
        std::vector<char> data(65536);
        while (read(in, data.data(), data.size()) > 0) {
        }
    });
    pipes[0].close_both();
    sleep_ms(600'000);
    return 0;
}

/// trickle: a writer of 20 messages a second and its reader, until they are killed.
int trickle(const Arguments&)
{
    const std::vector<Pipe> pipes(1);
    stage("trickles", pipes, -1, 0, [](int, int out) {
        while (write(out, "x\n", 2) == 2) {
            sleep_ms(50);
        }
    });
    stage("listens", pipes, 0, -1, [](int in, int) { copy_blocking(in, -1); });
    pipes[0].close_both();
    sleep_ms(600'000);
    return 0;
}

/// handles: counts SIGUSR1 in a handler and as facts, until it is killed.
int handles(const Arguments&)
{
    static volatile sig_atomic_t count = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { count = count + 1; };
    MUST(sigaction(SIGUSR1, &action, nullptr) == 0);
    fact("handles", {u(getpid())});
    for (std::uint64_t last = 0;;) {
        sleep_ms(10);
        if (const auto now = static_cast<std::uint64_t>(count); now != last) {
            fact("handled", {last = now});
        }
    }
}

/// send_signal PID SIGNAL MILLISECONDS: sends it, and ends so much later.
int send_signal(const Arguments& arguments)
{
    fact("sender", {u(getpid())});
    MUST(kill(std::stoi(arguments.at(0)), std::stoi(arguments.at(1))) == 0);
    sleep_ms(static_cast<unsigned>(std::stoul(arguments.at(2))));
    return 0;
}

/// One process that sends under three names: its own two, and a program's.
int renamed_sender(const Arguments&)
{
    Shared* shared = share();
    const pid_t target = child("is-sent-to", [shared] {
        static Shared* page;
        page = shared;
        struct sigaction action {};
        action.sa_handler = [](int) { page->handled++; };
        for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP}) {
            MUST(sigaction(signal, &action, nullptr) == 0);
        }
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, 1);
    fact("names", {u(getpid()), u(target)});
    name_thread("first-name");
    MUST(kill(target, SIGUSR1) == 0);
    wait_until(shared->handled, 1);
    name_thread("second-name");
    MUST(kill(target, SIGUSR2) == 0);
    wait_until(shared->handled, 2);
    const std::string command = "kill -HUP " + std::to_string(target) +
                                "; sleep 0.3; kill -KILL " + std::to_string(target);
    execlp("sh", "sh", "-c", command.c_str(), nullptr);
    give_up("exec");
}

}  // namespace ipcscope::workload
