// SPDX-License-Identifier: GPL-2.0-only
// 10,000 signals that merge with one that is pending.
#include "../many.h"

int main(void)
{
	sigset_t set;
	pid_t pid;

	share();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pid = fork_as("many-merged-r");
	if (!pid) {
		signal(SIGUSR1, count);
		for (int i = 1; i <= ROUNDS; ++i) {
			sigprocmask(SIG_BLOCK, &set, NULL);
			shared->round = i;
			until(&shared->sent, i);
			sigprocmask(SIG_UNBLOCK, &set, NULL);
		}
		_exit(shared->taken != ROUNDS);
	}
	for (int i = 1; i <= ROUNDS; ++i) {
		until(&shared->round, i);
		for (int k = 0; k < EACH + 1; ++k)
			must(kill(pid, SIGUSR1));
		shared->sent = i;
	}
	if (reap(pid))
		return 1;
	truth("expect signal-merged of=%d:many-merged-r says=SIGUSR1 says=%d", pid, ROUNDS * EACH);
	truth("allow signal-late");
}
