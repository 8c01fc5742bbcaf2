// SPDX-License-Identifier: GPL-2.0-only
// The init of a container installs its handler for SIGTERM 0.4 s after that came: the kernel has
// ignored it by then. SIGKILL follows after 1.6 s.
#include <sched.h>

#include "../story.h"

static void finish(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	pid_t starter = getpid(), first;
	double sent;

	must(unshare(CLONE_NEWPID));
	first = fork_as("late-init");
	if (!first) {
		nap(0.7);
		signal(SIGTERM, finish);
		for (;;)
			pause();
	}
	sent = signal_after(0.3, first, SIGTERM);
	signal_after(1.6, first, SIGKILL);
	reap(first);
	truth("expect container-shutdown of=%d:late-init with=%d:shutdown-late at=%.3f secs=1.6 "
	      "says=SIGTERM says=\"no handler for it yet\" says=\"it had one\" "
	      "says=SIGKILL", first, starter, sent);
}
