// SPDX-License-Identifier: GPL-2.0-only
// The handler of SIGINT returns at once; the program then finishes its work for 0.8 s.
#include "../story.h"

static volatile sig_atomic_t ends;

static void note(int number)
{
	ends = number;
}

int main(void)
{
	pid_t worker = fork_as("batch-worker");
	double sent;

	if (!worker) {
		signal(SIGINT, note);
		while (!ends)
			pause();
		nap(0.8);
		_exit(0);
	}
	sent = signal_after(0.2, worker, SIGINT);
	reap(worker);
	truth("expect slow-exit of=%d:batch-worker with=%d:slow-finish at=%.3f secs=%.3f "
	      "says=SIGINT says=handler", worker, getpid(), sent, now() - sent);
}
