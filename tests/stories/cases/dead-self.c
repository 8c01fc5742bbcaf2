// SPDX-License-Identifier: GPL-2.0-only
// A process writes more into a pipe than it holds, before it starts the reader: it is
// itself the only one that could read.  An alarm ends it.
#include "../story.h"

int main(void)
{
	pid_t self = fork_as("own-reader");
	double begin = now();

	if (!self) {
		int ends[2];

		must(pipe(ends));
		alarm(1);
		for (int i = 0; i < 2; ++i)
			must(write(ends[1], zeros, sizeof(zeros)));
		_exit(0);
	}
	reap(self);
	truth("expect deadlock|stuck-write of=%d:own-reader at=%.3f~0.3 secs=1~0.3", self, begin);
	return 0;
}
