// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM ends a worker at once; its parent waits for it 1.1 s later.
#include "../story.h"

int main(void)
{
	pid_t worker = fork_as("dead-worker");
	double sent;

	if (!worker)
		for (;;)
			pause();
	sent = signal_after(0.2, worker, SIGTERM);
	nap(1.1);
	reap(worker);
	truth("expect slow-reap of=%d:dead-worker with=%d:slow-reap at=%.3f~0.3 secs=%.3f",
	      worker, getpid(), sent, now() - sent);
}
