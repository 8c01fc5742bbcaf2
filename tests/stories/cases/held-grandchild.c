// SPDX-License-Identifier: GPL-2.0-only
// A parent reads a command's output to its end; a daemon that the command left behind keeps
// the pipe open for a second longer.
#include "../pipeline.h"

int main(void)
{
	pid_t command, *daemon = (pid_t *)zeros;
	char data[4096];
	double begin;

	make_pipes(1);
	command = fork_as("installer");
	if (!command) {
		pid_t left;

		close(pipes[0][0]);
		left = fork_as("left-behind");
		if (!left) {
			nap(1.2);
			_exit(0);
		}
		must(write(pipes[0][1], &left, sizeof(left)));
		_exit(0);
	}
	close(pipes[0][1]);
	reap(command);
	must(read(pipes[0][0], daemon, sizeof(*daemon)));
	begin = now();
	while (must(read(pipes[0][0], data, sizeof(data))) > 0)
		;
	truth("expect end-held-open of=%d:held-grandchild with=%d:left-behind at=%.3f~0.3 secs=%.3f~0.3",
	      getpid(), *daemon, begin, now() - begin);
	return 0;
}
