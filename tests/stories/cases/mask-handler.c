// SPDX-License-Identifier: GPL-2.0-only
// A handler of SIGALRM blocks all signals and takes 1 s; SIGTERM comes meanwhile.
#include "../story.h"

static void on_alarm(int signal)
{
	(void)signal;
	nap(1.0);
}

static void on_term(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	struct sigaction alarm = { .sa_handler = on_alarm }, term = { .sa_handler = on_term };
	pid_t child = fork_as("in-alarm");
	double sent;

	if (!child) {
		sigfillset(&alarm.sa_mask);
		must(sigaction(SIGALRM, &alarm, NULL));
		must(sigaction(SIGTERM, &term, NULL));
		raise(SIGALRM);
		_exit(1);
	}
	sent = signal_after(0.3, child, SIGTERM);
	reap(child);
	truth("expect signal-blocked of=%d:in-alarm with=%d:mask-handler at=%.3f "
	      "says=\"in its handler of SIGALRM\"", child, getpid(), sent);
	truth("allow slow-handler");
}
