// SPDX-License-Identifier: GPL-2.0-only
// Ten children exit while SIGCHLD is blocked, and the handler then waits for one: nine
// SIGCHLD were merged, and nine zombies stay.
#include "../story.h"

static void reap_one(int number)
{
	(void)number;
	waitpid(-1, NULL, WNOHANG);
}

int main(void)
{
	struct sigaction action = { .sa_handler = reap_one, .sa_flags = SA_RESTART };
	sigset_t set;

	sigaction(SIGCHLD, &action, NULL);
	set = block(SIGCHLD);
	for (int i = 0; i < 10; ++i)
		if (!fork_as("merged-job"))
			_exit(0);
	nap(0.8);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	nap(0.3);
	truth("expect signal-merged of=%d:merged-chld says=SIGCHLD says=9", getpid());
	truth("allow signal-blocked|slow-reap|signal-late");
}
