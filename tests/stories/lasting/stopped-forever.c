// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to a stopped process that is never continued.
#include "../story.h"

int main(void)
{
	pid_t target = fork_as("suspended");
	double sent;

	if (!target)
		for (;;)
			pause();
	signal_after(0.1, target, SIGSTOP);
	wait_state(target, 'T');
	sent = now();
	must(kill(target, SIGTERM));
	truth("expect target-stopped of=%d:suspended with=%d:stopped-forever at=%.3f~0.3 secs=1+ "
	      "says=SIGTERM says=SIGSTOP", target, getpid(), sent);
	truth("ready");
	for (;;)
		pause();
}
