// SPDX-License-Identifier: GPL-2.0-only
// A SIGTERM without a handler, then two SIGKILLs of another process, to one that sleeps in D:
// one death, all three signals.
#include "../fuse.h"

int main(void)
{
	pid_t server = start_fuse_server(), victim = fork_into_fuse("fuse-stat"), killer;
	double sent;

	sent = now();
	must(kill(victim, SIGTERM));
	killer = fork_as("impatient");
	if (!killer) {
		signal_after(0.3, victim, SIGKILL);
		signal_after(0.3, victim, SIGKILL);
		_exit(0);
	}
	nap(1);
	end_fuse_server(server);
	reap(victim);
	truth("expect kill-stuck of=%d:fuse-stat with=%d:kill-repeated with=%d:impatient at=%.3f "
	      "secs=%.3f says=SIGTERM says=SIGKILL says=request_wait_answer",
	      victim, getpid(), killer, sent, now() - sent);
	reap(killer);
}
