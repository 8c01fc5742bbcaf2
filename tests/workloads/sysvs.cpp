// SPDX-License-Identifier: GPL-2.0-only
// System V message queues and semaphores whose every call is known.
#include <array>
#include <cerrno>

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr unsigned kMany = 101, kFew = 11, kWaited = 13, kUndone = 7;
constexpr key_t kKey = 0x1234567;

struct Message {
    long type = 7;
    std::array<char, 13> text{};
};

std::uint64_t u(int id) { return static_cast<std::uint64_t>(id); }

void put(int queue)
{
    const Message message;
    MUST(msgsnd(queue, &message, message.text.size(), 0) == 0);
}

void get(int queue)
{
    Message message;
    MUST(msgrcv(queue, &message, message.text.size(), 0, 0) == 13);
}

void messages()
{
    const int queue = msgget(kKey, IPC_CREAT | IPC_EXCL | 0600);
    MUST(queue >= 0);
    fact("messages", {u(queue)});
    for (unsigned i = 0; i < kMany; ++i) {
        put(queue);
        get(queue);
    }
    Message message;
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(msgrcv(queue, &message, message.text.size(), -9, IPC_NOWAIT) < 0 &&
             errno == ENOMSG);
    }
    put(queue);
    put(queue);
    MUST(msgctl(queue, IPC_RMID, nullptr) == 0);
    MUST(msgsnd(queue, &message, message.text.size(), 0) < 0 && errno == EINVAL);
}

void waiting_receiver()
{
    const int queue = msgget(IPC_PRIVATE, 0600);
    MUST(queue >= 0);
    fact("empty", {u(queue)});
    const pid_t receiver = child("receives", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            get(queue);
        }
        return 0;
    });
    fact("receiver", {u(receiver)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(receiver, 'S');
        sleep_ms(10);
        put(queue);
    }
    MUST(reap(receiver) == 0);
    MUST(msgctl(queue, IPC_RMID, nullptr) == 0);
}

void change(int semaphores, short by, unsigned short number, short flags = 0)
{
    sembuf operation{number, by, flags};
    MUST(semop(semaphores, &operation, 1) == 0);
}

void semaphores()
{
    const int set = semget(kKey + 1, 3, IPC_CREAT | IPC_EXCL | 0600);
    MUST(set >= 0);
    fact("semaphores", {u(set)});
    for (unsigned i = 0; i < kMany; ++i) {
        change(set, 2, 1);
        change(set, -2, 1);
    }
    for (unsigned i = 0; i < kUndone; ++i) {
        change(set, 3, 2, SEM_UNDO);
        change(set, -3, 2, SEM_UNDO);
    }
    std::array<sembuf, 2> two{sembuf{2, 5, 0}, sembuf{0, 1, 0}};
    MUST(semop(set, two.data(), two.size()) == 0);
    for (unsigned i = 0; i < kFew; ++i) {
        sembuf take{2, -6, IPC_NOWAIT};
        MUST(semop(set, &take, 1) < 0 && errno == EAGAIN);
    }
    const pid_t waiter = child("takes", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            change(set, -1, 1);
        }
        return 0;
    });
    fact("waiter", {u(waiter)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(waiter, 'S');
        sleep_ms(10);
        change(set, 1, 1);
    }
    MUST(reap(waiter) == 0);
    MUST(semctl(set, 0, IPC_RMID) == 0);
}

}  // namespace

int sysv_fields(const Arguments&)
{
    name_thread("director");
    fact("director", {u(getpid())});
    messages();
    waiting_receiver();
    semaphores();
    return 0;
}

}  // namespace ipcscope::workload
