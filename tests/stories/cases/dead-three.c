// SPDX-License-Identifier: GPL-2.0-only
// Three processes in a ring: each waits for data from the one before it, and none begins.
#include "../story.h"

int main(void)
{
	int ring[3][2];
	pid_t pid[3];
	char byte;

	for (int i = 0; i < 3; ++i)
		must(pipe(ring[i]));
	for (int i = 0; i < 3; ++i) {
		char name[16];

		snprintf(name, sizeof(name), "ring-%d", i);
		pid[i] = fork_as(name);
		if (pid[i])
			continue;
		for (int j = 0; j < 3; ++j) {
			if (j != i)
				close(ring[j][0]);
			if (j != (i + 1) % 3)
				close(ring[j][1]);
		}
		alarm(2);	/* ends the first, and the others see the end of file */
		if (i)
			alarm(0);
		while (read(ring[i][0], &byte, 1) > 0)
			must(write(ring[(i + 1) % 3][1], &byte, 1));
		_exit(0);
	}
	for (int i = 0; i < 3; ++i) {
		close(ring[i][0]);
		close(ring[i][1]);
	}
	for (int i = 0; i < 3; ++i)
		reap(pid[i]);
	truth("expect deadlock with=%d:ring-0 with=%d:ring-1 with=%d:ring-2 secs=2~0.4",
	      pid[0], pid[1], pid[2]);
	return 0;
}
