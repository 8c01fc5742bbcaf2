// SPDX-License-Identifier: GPL-2.0-only
// SIGINT to a process that blocks it, and goes on to the end of the trace.
#include "../story.h"

int main(void)
{
	pid_t target;
	double sent;

	block(SIGINT);
	target = fork_as("int-blocked");
	if (!target)
		for (;;)
			pause();
	sent = signal_after(0.1, target, SIGINT);
	truth("expect signal-blocked of=%d:int-blocked with=%d:blocked-forever at=%.3f secs=1+ "
	      "says=SIGINT", target, getpid(), sent);
	truth("ready");
	for (;;)
		pause();
}
