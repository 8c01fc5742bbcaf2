// SPDX-License-Identifier: GPL-2.0-only
// The sender is a program that has ended as its signal is looked at, as /bin/kill has: which
// command it was is known all the same.
#include "../story.h"

int main(int argc, char **argv)
{
	char self[256] = "", number[16];
	pid_t target, killer;
	double sent;

	if (argc > 2) {
		must(kill(atoi(argv[2]), SIGKILL));
		_exit(0);
	}
	target = fork_as("ended-target");
	if (!target)
		for (;;)
			pause();
	nap(0.2);
	must(readlink("/proc/self/exe", self, sizeof(self) - 1));
	snprintf(number, sizeof(number), "%d", target);
	sent = now();
	killer = must(fork());
	if (!killer)
		must(execl(self, "quick-kill", "-9", number, (char *)NULL));
	reap(killer);
	reap(target);
	truth("expect ended-by-process of=%d:ended-target with=%d:who-ended at=%.3f "
	      "says=SIGKILL says=\"quick-kill -9 %s\" chain=%d<%d",
	      target, killer, sent, number, killer, getpid());
}
