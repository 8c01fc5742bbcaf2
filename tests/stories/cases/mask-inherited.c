// SPDX-License-Identifier: GPL-2.0-only
// A supervisor blocks SIGTERM, and its child has that mask over execve(): SIGTERM stays
// pending until SIGKILL ends the child, 1 s later.
#include "../story.h"

int main(void)
{
	pid_t child;
	double sent;

	block(SIGTERM);
	child = must(fork());
	if (!child)
		must(execl("/bin/sleep", "sleep", "100", (char *)NULL));
	sent = signal_after(0.5, child, SIGTERM);
	signal_after(1, child, SIGKILL);
	reap(child);
	truth("expect signal-blocked of=%d:sleep with=%d:mask-inherited at=%.3f secs=%.3f "
	      "says=SIGTERM says=SIGKILL says=\"inherited that mask from its parent\"", child, getpid(), sent, now() - sent);
}
