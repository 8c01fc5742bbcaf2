// SPDX-License-Identifier: GPL-2.0-only
// The sender and its parent are gone at once after the signal: what is said of them is how
// it was as the signal was sent.
#include <sys/mman.h>

#include "../story.h"

int main(void)
{
	pid_t target = fork_as("quick-target"), starter;
	pid_t *killer = mmap(NULL, sizeof(*killer), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double sent;

	if (!target)
		for (;;)
			pause();
	nap(0.2);
	sent = now();
	starter = fork_as("quick-starter");
	if (!starter) {
		pid_t child = fork_as("quick-killer");

		if (!child) {
			must(kill(target, SIGKILL));
			_exit(0);
		}
		*killer = child;
		reap(child);
		_exit(0);
	}
	reap(starter);
	reap(target);
	truth("expect ended-by-process of=%d:quick-target with=%d:quick-killer at=%.3f "
	      "says=SIGKILL chain=%d<%d<%d", target, *killer, sent, *killer, starter, getpid());
}
