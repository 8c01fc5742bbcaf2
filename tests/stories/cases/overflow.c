// SPDX-License-Identifier: GPL-2.0-only
// sigqueue() of more real-time signals than RLIMIT_SIGPENDING admits: EAGAIN, 7 times.
#include <sys/resource.h>

#include "../story.h"

static void count(int number)
{
	(void)number;
}

int main(void)
{
	struct rlimit limit = { 5, 5 };
	union sigval value = { 0 };
	int refused = 0;
	pid_t target;

	/* The limit counts all of a user's signals: take a user of its own. */
	must(setuid(47111));
	target = fork_as("rt-queue");
	if (!target) {
		must(setrlimit(RLIMIT_SIGPENDING, &limit));
		signal(SIGRTMIN + 2, count);
		block_for(0.6, SIGRTMIN + 2);
		_exit(0);
	}
	nap(0.2);
	for (int i = 0; i < 12; ++i)
		refused += sigqueue(target, SIGRTMIN + 2, value) == -1 && errno == EAGAIN;
	reap(target);
	truth("expect signal-overflow of=%d:rt-queue with=%d:overflow says=RTMIN+2 says=%d",
	      target, getpid(), refused);
	truth("allow signal-blocked|signal-late");
	return refused == 7 ? 0 : 1;
}
