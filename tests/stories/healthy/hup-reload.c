// SPDX-License-Identifier: GPL-2.0-only
// A daemon reads its configuration again on SIGHUP, four times, and goes on.
#include "../story.h"

static volatile sig_atomic_t reloads;

static void reload(int number)
{
	(void)number;
	++reloads;
}

int main(void)
{
	pid_t daemon = fork_as("reloader");

	if (!daemon) {
		signal(SIGHUP, reload);
		for (;;)
			pause();
	}
	for (int i = 0; i < 4; ++i)
		signal_after(0.15, daemon, SIGHUP);
	signal_after(0.3, daemon, SIGTERM);
	reap(daemon);
	return 0;
}
