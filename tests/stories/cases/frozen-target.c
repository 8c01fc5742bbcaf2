// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to a process with a handler in a frozen cgroup: it ends as the cgroup is thawed,
// 1 s later.  One without a handler, there too, dies at once.
#include "../story.h"

static void quit(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	pid_t target = fork_as("frozen-handler"), other;
	double sent;

	if (!target) {
		signal(SIGTERM, quit);
		for (;;)
			pause();
	}
	other = fork_as("frozen-default");
	if (!other)
		for (;;)
			pause();
	move_to_cgroup("ice", target);
	move_to_cgroup("ice", other);
	nap(0.2);
	freeze_cgroup("ice", 1);
	sent = signal_after(0.2, target, SIGTERM);
	must(kill(other, SIGTERM));
	reap(other);
	nap(1);
	freeze_cgroup("ice", 0);
	reap(target);
	truth("expect target-frozen of=%d:frozen-handler with=%d:frozen-target at=%.3f~0.3 "
	      "secs=%.3f~0.3 says=SIGTERM says=frozen", target, getpid(), sent, now() - sent);
}
