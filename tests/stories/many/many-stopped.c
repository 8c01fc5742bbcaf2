// SPDX-License-Identifier: GPL-2.0-only
// 10,000 signals to a process that is stopped.
#include "../many.h"

int main(void)
{
	pid_t pid;

	share();
	pid = fork_as("many-stopped-r");
	if (!pid) {
		signal(SIGRTMIN, count);
		shared->round = 1;
		until(&shared->taken, ROUNDS * EACH);
		_exit(0);
	}
	until(&shared->round, 1);
	for (int i = 0; i < ROUNDS; ++i) {
		must(kill(pid, SIGSTOP));
		wait_state(pid, 'T');
		send_all(pid, SIGRTMIN, EACH);
		signal_after(0.015, pid, SIGCONT);
		until(&shared->taken, (i + 1) * EACH);
	}
	reap(pid);
	truth("held %d signal=SIGRTMIN by=stopped count=%d", pid, ROUNDS * EACH);
	truth("allow target-stopped");
}
