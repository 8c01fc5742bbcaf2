// SPDX-License-Identifier: GPL-2.0-only
// A server crashes 0.4 s into its orderly shutdown: what ended it is no SIGTERM.
#include "../story.h"

static volatile sig_atomic_t asked;
static int *volatile nowhere;

static void ask(int number)
{
	(void)number;
	asked = 1;
}

int main(void)
{
	pid_t server = fork_as("crashes-late");
	double sent;

	if (!server) {
		signal(SIGTERM, ask);
		while (!asked)
			nap(0.01);
		nap(0.4);
		*nowhere = 1;
	}
	sent = signal_after(0.2, server, SIGTERM);
	reap(server);
	truth("expect crash of=%d:crashes-late with=%d:crash-after-ter at=%.3f~0.2 says=SIGSEGV "
	      "says=\"SIGTERM from\"", server, getpid(), sent + 0.4);
	return 0;
}
