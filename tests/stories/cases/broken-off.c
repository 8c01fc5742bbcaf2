// SPDX-License-Identifier: GPL-2.0-only
// Calls that are given up: a msgsnd to a full queue by a handler of SIGALRM, a semtimedop by its
// timeout, while another process keeps the semaphore.
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "../story.h"

static void on_alarm(int signal)
{
	(void)signal;
}

static void fill_queue(void)
{
	struct { long type; char text[4096]; } message = { .type = 1 };
	int queue = must(msgget(IPC_PRIVATE, 0600));

	signal(SIGALRM, on_alarm);   /* SA_RESTART or not: msgsnd is not restarted */
	alarm(2);
	while (!msgsnd(queue, &message, sizeof(message.text), 0))
		;
	must(msgctl(queue, IPC_RMID, 0));
	_exit(0);
}

int main(void)
{
	struct sembuf take = { 0, -1, 0 };
	struct timespec limit = { .tv_sec = 1, .tv_nsec = 500000000 };
	pid_t sender, keeper, waiter;
	double since;
	int set;

	set = must(semget(IPC_PRIVATE, 1, 0600));
	must(semctl(set, 0, SETVAL, 1));
	keeper = fork_as("keeper");
	if (!keeper) {
		must(semop(set, &take, 1));
		for (;;)
			pause();
	}
	wait_state(keeper, 'S');
	since = now();
	sender = fork_as("sender");
	if (!sender)
		fill_queue();
	waiter = fork_as("waiter");
	if (!waiter) {
		semtimedop(set, &take, 1, &limit);
		_exit(0);
	}
	reap(waiter);
	reap(sender);
	must(kill(keeper, SIGKILL));
	reap(keeper);
	must(semctl(set, 0, IPC_RMID));
	truth("expect stuck-write of=%d:sender at=%.3f secs=2.0~0.2 says=\"a signal broke the call off\" "
	      "says=\"the System V message queue was full\" level=warning", sender, since);
	truth("expect stuck-read of=%d:waiter with=%d:keeper at=%.3f secs=1.5~0.2 "
	      "says=\"its timeout broke the call off\" says=\"has taken it\" level=warning", waiter,
	      keeper, since);
	truth("allow ended-by-process");
}
