// SPDX-License-Identifier: GPL-2.0-only
// A service whose SIGTERM handler takes 1.2 s.
#include "../story.h"

static void flush(int number)
{
	(void)number;
	nap(1.2);
	_exit(0);
}

int main(void)
{
	pid_t service = fork_as("flush-service");
	double sent;

	if (!service) {
		signal(SIGTERM, flush);
		for (;;)
			pause();
	}
	sent = signal_after(0.2, service, SIGTERM);
	reap(service);
	truth("expect slow-exit of=%d:flush-service with=%d:slow-handler at=%.3f secs=%.3f "
	      "says=SIGTERM says=handler", service, getpid(), sent, now() - sent);
}
