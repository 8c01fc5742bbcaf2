// SPDX-License-Identifier: GPL-2.0-only
// kill() of a real-time signal where RLIMIT_SIGPENDING is used up: it arrives, and who sent
// it is lost.
#include <sys/resource.h>

#include "../story.h"

static void count(int number)
{
	(void)number;
}

int main(void)
{
	struct rlimit limit = { 3, 3 };
	pid_t target;

	must(setuid(47112));
	target = fork_as("rt-lossy");
	if (!target) {
		must(setrlimit(RLIMIT_SIGPENDING, &limit));
		signal(SIGRTMIN + 3, count);
		block_for(0.6, SIGRTMIN + 3);
		_exit(0);
	}
	nap(0.2);
	for (int i = 0; i < 8; ++i)
		must(kill(target, SIGRTMIN + 3));
	reap(target);
	truth("expect signal-info-lost of=%d:rt-lossy with=%d:info-lost says=RTMIN+3",
	      target, getpid());
	truth("allow signal-blocked|signal-late|signal-merged");
}
