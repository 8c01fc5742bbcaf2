// SPDX-License-Identifier: GPL-2.0-only
// 200 real-time signals with a value each, taken one by one by sigwaitinfo().
#include "../story.h"

int main(void)
{
	union sigval value = { 0 };
	siginfo_t info;
	sigset_t set;
	pid_t taker;

	set = block(SIGRTMIN + 1);
	taker = fork_as("rt-taker");
	if (!taker) {
		for (int i = 0; i < 200; ++i)
			must(sigwaitinfo(&set, &info));
		_exit(0);
	}
	for (int i = 0; i < 200; ++i) {
		must(sigqueue(taker, SIGRTMIN + 1, value));
		if (i % 20 == 19)
			nap(0.01);
	}
	reap(taker);
	return 0;
}
