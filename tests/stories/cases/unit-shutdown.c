// SPDX-License-Identifier: GPL-2.0-only
// A service manager stops a unit: SIGTERM to each of its processes, SIGKILL 0.8 s later to the
// one that blocks it.
#include "../story.h"

/* It gets its name there, as a service is executed in its unit: what moves later, and is ended at
 * once, is known by its old control group.
 */
static pid_t member(const char *name)
{
	pid_t pid = must(fork());

	if (!pid) {
		move_to_cgroup("app.service", getpid());
		call_me(name);
	}
	return pid;
}

static void finish(int number)
{
	(void)number;
	nap(0.4);
	_exit(0);
}

int main(void)
{
	pid_t quick, busy, deaf;
	double sent;

	quick = member("unit-quick");
	if (!quick) {
		nap(30);
		_exit(0);
	}
	busy = member("unit-busy");
	if (!busy) {
		signal(SIGTERM, finish);
		for (;;)
			pause();
	}
	deaf = member("unit-deaf");
	if (!deaf) {
		block(SIGTERM);
		nap(30);
		_exit(0);
	}
	sent = signal_after(0.5, quick, SIGTERM);
	must(kill(busy, SIGTERM));
	must(kill(deaf, SIGTERM));
	reap(quick);
	reap(busy);
	nap(0.8 - (now() - sent));
	must(kill(deaf, SIGKILL));
	reap(deaf);
	truth("expect unit-shutdown of=%d:unit-deaf with=%d:unit-shutdown with=%d:unit-busy "
	      "with=%d:unit-quick at=%.3f secs=0.8 says=app.service says=SIGKILL "
	      "says=\"it ended %d (unit-quick) at once\" says=\"%d (unit-busy) ran its handler\" "
	      "place=%d:app.service", deaf, getpid(), busy, quick, sent, quick, busy, deaf);
}
