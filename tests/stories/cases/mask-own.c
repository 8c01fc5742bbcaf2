// SPDX-License-Identifier: GPL-2.0-only
// A program blocks SIGTERM around a section that takes 1 s; as it unblocks it, it dies.
#include "../story.h"

int main(void)
{
	pid_t child = fork_as("critical");
	double sent;

	if (!child) {
		block_for(1.2, SIGTERM);
		_exit(1);
	}
	sent = signal_after(0.2, child, SIGTERM);
	reap(child);
	truth("expect signal-blocked of=%d:critical with=%d:mask-own at=%.3f secs=%.3f "
	      "says=SIGTERM says=\"by its own sigprocmask()\"", child, getpid(), sent, now() - sent);
}
