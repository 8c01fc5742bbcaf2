// SPDX-License-Identifier: GPL-2.0-only
// The handler of SIGTERM sets a flag that the program looks at between requests, and none
// comes: SIGKILL ends it 1 s later.
#include "../story.h"

static volatile sig_atomic_t ends;

static void note(int number)
{
	ends = number;
}

int main(void)
{
	pid_t server = fork_as("idle-server");
	double sent;

	if (!server) {
		signal(SIGTERM, note);
		for (;;)
			pause();
	}
	sent = signal_after(0.2, server, SIGTERM);
	signal_after(1, server, SIGKILL);
	reap(server);
	truth("expect slow-exit of=%d:idle-server with=%d:flag-ignored at=%.3f secs=%.3f "
	      "says=SIGTERM says=SIGKILL says=handler", server, getpid(), sent, now() - sent);
}
