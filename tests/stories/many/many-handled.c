// SPDX-License-Identifier: GPL-2.0-only
// 10,000 signals that come while a handler of them runs.
#include "../many.h"

/* The first of a round waits for the others to be sent. */
static void handle(int number)
{
	(void)number;
	if (shared->taken++ % (EACH + 1) != 0)
		return;
	++shared->round;
	until(&shared->sent, shared->round);
	nap(0.01);
}

int main(void)
{
	pid_t pid;

	share();
	pid = fork_as("many-handled-r");
	if (!pid) {
		signal(SIGRTMIN, handle);
		shared->sent = 0;
		shared->taken = 0;
		must(prctl(PR_SET_PDEATHSIG, SIGKILL));
		until(&shared->taken, ROUNDS * (EACH + 1));
		_exit(0);
	}
	wait_state(pid, 'S');
	for (int i = 1; i <= ROUNDS; ++i) {
		send_all(pid, SIGRTMIN, 1);
		until(&shared->round, i);
		send_all(pid, SIGRTMIN, EACH);
		shared->sent = i;
		until(&shared->taken, i * (EACH + 1));
	}
	reap(pid);
	truth("held %d signal=SIGRTMIN by=handler count=%d", pid, ROUNDS * EACH);
	truth("allow slow-handler");
}
