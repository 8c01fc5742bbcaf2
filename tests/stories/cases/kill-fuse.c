// SPDX-License-Identifier: GPL-2.0-only
// SIGKILL to a process that waits for the answer of a FUSE server: it gets up, and sleeps
// on in D until the server dies, 1.2 s later.
#include "../fuse.h"

int main(void)
{
	pid_t server = start_fuse_server(), victim = fork_into_fuse("fuse-victim");
	double sent;

	sent = now();
	must(kill(victim, SIGKILL));
	nap(1.2);
	end_fuse_server(server);
	reap(victim);
	truth("expect kill-stuck of=%d:fuse-victim with=%d:kill-fuse at=%.3f secs=%.3f "
	      "says=SIGKILL says=request_wait_answer",
	      victim, getpid(), sent, now() - sent);
}
