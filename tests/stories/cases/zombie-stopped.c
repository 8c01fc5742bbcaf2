// SPDX-License-Identifier: GPL-2.0-only
// A child is killed while its parent is stopped, which reaps it only when it goes on.
#include "../story.h"

int main(void)
{
	pid_t parent = fork_as("halted"), child, stopper;

	if (!parent) {
		child = fork_as("orphaned");
		if (!child)
			for (;;)
				pause();
		reap(child);
		_exit(0);
	}
	for (int i = 0; !(child = only_child(parent)) && i < 1000; ++i)
		nap(0.003);
	wait_state(child, 'S');
	stopper = fork_as("stopper");
	if (!stopper) {
		must(kill(parent, SIGSTOP));
		wait_state(parent, 'T');
		must(kill(child, SIGKILL));
		signal_after(1.2, parent, SIGCONT);
		_exit(0);
	}
	reap(parent);
	reap(stopper);
	truth("expect slow-reap of=%d:orphaned says=\"stopped by SIGSTOP from %d (stopper)\"", child,
	      stopper);
	return 0;
}
