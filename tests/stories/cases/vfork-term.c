// SPDX-License-Identifier: GPL-2.0-only
// A service with a SIGTERM handler waits in vfork() for a child that takes 1 s to exec or
// exit: the handler runs only then, and the service is gone at once.
#include "../story.h"

static void quit(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	pid_t service = fork_as("vfork-service");
	double sent;

	if (!service) {
		must(signal(SIGTERM, quit) == SIG_ERR ? -1 : 0);
		if (!vfork()) {
			call_me("slow-to-exec");
			nap(1.3);
			_exit(0);
		}
		for (;;)
			pause();
	}
	sent = signal_after(0.3, service, SIGTERM);
	reap(service);
	truth("expect kill-stuck of=%d:vfork-service with=%d:vfork-term at=%.3f secs=%.3f "
	      "says=SIGTERM says=vfork says=slow-to-exec", service, getpid(), sent, now() - sent);
}
