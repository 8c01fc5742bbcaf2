// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to a process that SIGSTOP has stopped: it dies with SIGCONT, 1 s later.
#include "../story.h"

int main(void)
{
	pid_t target = fork_as("stopped"), stopper;
	double sent;

	if (!target)
		for (;;)
			pause();
	nap(0.1);	/* it has its name by then */
	stopper = fork_as("stopper");
	if (!stopper) {
		must(kill(target, SIGSTOP));
		_exit(0);
	}
	reap(stopper);
	wait_state(target, 'T');
	sent = signal_after(0.2, target, SIGTERM);
	signal_after(1, target, SIGCONT);
	reap(target);
	truth("expect target-stopped of=%d:stopped with=%d:stopped-target with=%d:stopper at=%.3f~0.3 "
	      "secs=%.3f~0.3 says=SIGTERM says=SIGSTOP says=SIGCONT chain=%d<%d",
	      target, getpid(), stopper, sent, now() - sent, stopper, getpid());
}
