// SPDX-License-Identifier: GPL-2.0-only
// A program blocks SIGUSR1 while it works: by itself, from then on.
#include "../story.h"

static void note(int number)
{
	(void)number;
}

int main(void)
{
	pid_t child = fork_as("masks-usr1");
	double sent;

	if (!child) {
		signal(SIGUSR1, note);
		block_for(0.8, SIGUSR1);
		_exit(0);
	}
	sent = signal_after(0.2, child, SIGUSR1);
	reap(child);
	truth("expect signal-late of=%d:masks-usr1 with=%d:mask-usr1 at=%.3f secs=0.6 "
	      "says=SIGUSR1 says=\"by its own sigprocmask()\"", child, getpid(), sent);
}
