// SPDX-License-Identifier: GPL-2.0-only
// In deadlock since before the trace: the parent reads one pipe, the child fills another.
#include "../story.h"

int main(void)
{
	int out[2], err[2];
	pid_t parent, child;
	char byte;

	must(pipe(out));
	must(pipe(err));
	child = fork_as("old-writer");
	if (!child) {
		close(out[0]);
		close(err[0]);
		for (int i = 0; i < 2; ++i)
			must(write(out[1], zeros, sizeof(zeros)));
		_exit(0);
	}
	parent = fork_as("old-reader");
	if (!parent) {
		close(out[1]);
		close(err[1]);
		must(read(err[0], &byte, 1));
		_exit(0);
	}
	for (int i = 0; i < 2; ++i) {
		close(out[i]);
		close(err[i]);
	}
	wait_state(child, 'S');
	wait_state(parent, 'S');
	nap(0.1);
	truth("expect deadlock level=error with=%d:old-writer with=%d:old-reader secs=1+ "
	      "says=\"before the trace\"", child, parent);
	truth("ready");
	for (;;)
		pause();
}
