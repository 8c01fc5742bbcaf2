// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL to a process in D whose FUSE server never answers: still there when the trace ends.
#include "../fuse.h"

int main(void)
{
	pid_t server = start_fuse_server(), victim = fork_into_fuse("fuse-forever");
	double sent;

	(void)server;
	sent = now();
	must(kill(victim, SIGKILL));
	nap(0.3);
	truth("expect kill-stuck level=error of=%d:fuse-forever with=%d:kill-forever at=%.3f secs=1+ "
	      "says=SIGKILL says=request_wait_answer", victim, getpid(), sent);
	truth("ready");
	for (;;)
		pause();
}
