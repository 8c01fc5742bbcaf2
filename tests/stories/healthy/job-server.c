// SPDX-License-Identifier: GPL-2.0-only
// A job server of two tokens in a pipe, and five clients that take one, work for 60 ms, and
// give it back: to wait for a token is what it is for.
#include "../pipeline.h"

int main(void)
{
	char token;

	make_pipes(1);
	must(write(pipes[0][1], "++", 2));
	for (int i = 0; i < 5; ++i) {
		if (fork_as("job-client"))
			continue;
		for (int job = 0; job < 3; ++job) {
			must(read(pipes[0][0], &token, 1));
			nap(0.06);
			must(write(pipes[0][1], &token, 1));
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
