// SPDX-License-Identifier: GPL-2.0-only
// The parent reads its child's standard error to the end; the child is stuck writing more
// to standard output than the pipe holds.  A watchdog ends the parent after 1.2 s.
#include "../story.h"

int main(void)
{
	int out[2], err[2];
	pid_t child;
	double begin = now();
	char buffer[4096];

	if (!fork()) {		/* the story's subject; its parent stays out of it */
		call_me("err-first");
		must(pipe(out));
		must(pipe(err));
		child = fork_as("chatty");
		if (!child) {
			close(out[0]);
			close(err[0]);
			for (int i = 0; i < 50; ++i)
				must(write(out[1], zeros, 4096));
			_exit(0);
		}
		close(out[1]);
		close(err[1]);
		truth("expect deadlock with=%d:err-first with=%d:chatty at=%.3f~0.4 "
		      "secs=1.2~0.4", getpid(), child, begin);
		/* The parent's end leaves the child without a reader. */
		truth("allow reader-gone");
		alarm(1);
		while (read(err[0], buffer, sizeof(buffer)) > 0)
			;
		while (read(out[0], buffer, sizeof(buffer)) > 0)
			;
		_exit(0);
	}
	wait(NULL);
	return 0;
}
