// SPDX-License-Identifier: GPL-2.0-only
// Handlers of known number, nesting and end, and changes of the mask.
#include <csetjmp>
#include <csignal>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr int kNoDefer = 35, kOnStack = 36, kJumps = 37;
sigjmp_buf place;

/// raise() may block signals around it.
void send_self(int signal)
{
    MUST(syscall(SYS_tgkill, getpid(), gettid_(), signal) == 0);
}

void plain(int) {}
void nests(int) { send_self(SIGUSR1); }
void jumps(int) { siglongjmp(place, 1); }
void ends(int)
{
    sleep_ms(50);
    _exit(0);
}
/// Two more come while it runs: they merge.
void sleeps(int)
{
    static int left = 1;
    if (left-- == 1) {
        send_self(SIGUSR2);
        send_self(SIGUSR2);
        sleep_ms(200);
    }
}

void handle(int signal, void (*handler)(int), int flags, std::initializer_list<int> mask = {})
{
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    for (const int one : mask) {
        sigaddset(&action.sa_mask, one);
    }
    MUST(sigaction(signal, &action, nullptr) == 0);
}

void send_times(int signal, int times)
{
    for (int i = 0; i < times; ++i) {
        send_self(signal);
    }
}

sigset_t set_of(std::initializer_list<int> signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (const int one : signals) {
        sigaddset(&set, one);
    }
    return set;
}

void set_mask(std::initializer_list<int> signals)
{
    const sigset_t set = set_of(signals);
    MUST(sigprocmask(SIG_SETMASK, &set, nullptr) == 0);
}

/// Each jump leaves a handler, of which the next set-up shows that it is left.
void jump(int times)
{
    volatile int left = times;
    if (sigsetjmp(place, 1) == 0 || left > 0) {
        left = left - 1;
        send_self(kJumps);
    }
    send_self(SIGUSR1);
}

void change_masks()
{
    for (int i = 0; i < 19; ++i) {
        set_mask({SIGUSR1, SIGUSR2});
        set_mask({SIGUSR1, SIGUSR2});   // no change
        set_mask({});
    }
    set_mask({SIGUSR1});
    const sigset_t none = set_of({});
    const timespec soon{0, 1'000'000};
    for (int i = 0; i < 23; ++i) {
        MUST(ppoll(nullptr, 0, &soon, &none) == 0);
    }
    set_mask({});
}

int runs()
{
    alignas(16) static char stack[65536];
    stack_t alternate{};
    alternate.ss_sp = stack;
    alternate.ss_size = sizeof stack;
    MUST(sigaltstack(&alternate, nullptr) == 0);
    set_mask({});
    handle(SIGUSR1, plain, 0);
    handle(SIGUSR2, nests, 0, {SIGALRM});
    handle(kNoDefer, plain, SA_NODEFER);
    handle(kOnStack, nests, SA_ONSTACK);
    handle(kJumps, jumps, 0);
    fact("runs", {static_cast<std::uint64_t>(getpid()), now_ns()});
    send_times(SIGUSR1, 101);
    send_times(SIGUSR2, 13);
    send_times(kNoDefer, 7);
    send_times(kOnStack, 11);
    jump(17);
    change_masks();
    fact("ran", {now_ns()});
    return 0;
}

int waits()
{
    handle(SIGUSR2, sleeps, 0);
    fact("waits", {static_cast<std::uint64_t>(getpid())});
    send_self(SIGUSR2);
    return 0;
}

int ends_in_it()
{
    handle(SIGUSR1, ends, 0);
    fact("ends", {static_cast<std::uint64_t>(getpid())});
    send_self(SIGUSR1);
    return 1;
}

}  // namespace

int handler_fields(const Arguments&)
{
    MUST(reap(child("runs", runs)) == 0);
    MUST(reap(child("waits", waits)) == 0);
    MUST(reap(child("ends", ends_in_it)) == 0);
    return 0;
}

}  // namespace ipcscope::workload
