// SPDX-License-Identifier: GPL-2.0-only
// SIGUSR1 to a process that waits in vfork() for its child: handled 0.8 s late.
#include "../story.h"

static volatile double handled;

static void reload(int number)
{
	(void)number;
	handled = now();
}

int main(void)
{
	pid_t service = fork_as("usr1-service");
	double sent;

	if (!service) {
		signal(SIGUSR1, reload);
		if (!vfork()) {
			call_me("vfork-child");
			nap(1);
			_exit(0);
		}
		_exit(0);
	}
	sent = signal_after(0.2, service, SIGUSR1);
	reap(service);
	truth("expect signal-late of=%d:usr1-service with=%d:vfork-late at=%.3f secs=%.3f "
	      "says=SIGUSR1", service, getpid(), sent, now() - sent);
}
