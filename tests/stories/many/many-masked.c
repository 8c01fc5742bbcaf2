// SPDX-License-Identifier: GPL-2.0-only
// 10,000 signals to a process that has them blocked.
#include "../many.h"

int main(void)
{
	sigset_t set;
	pid_t pid;

	share();
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pid = fork_as("many-masked-r");
	if (!pid) {
		signal(SIGRTMIN, count);
		for (int i = 1; i <= ROUNDS; ++i) {
			sigprocmask(SIG_BLOCK, &set, NULL);
			shared->round = i;
			until(&shared->sent, i);
			nap(0.01);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
		}
		_exit(shared->taken != ROUNDS * EACH);
	}
	for (int i = 1; i <= ROUNDS; ++i) {
		until(&shared->round, i);
		send_all(pid, SIGRTMIN, EACH);
		shared->sent = i;
	}
	if (reap(pid))
		return 1;
	truth("held %d signal=SIGRTMIN by=mask count=%d", pid, ROUNDS * EACH);
	truth("allow signal-late");
}
