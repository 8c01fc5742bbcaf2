// SPDX-License-Identifier: GPL-2.0-only
// Two processes and two pipes: a request, an answer, 800 times.
#include "../pipeline.h"

int main(void)
{
	char byte = 0;

	make_pipes(2);
	if (!stage("pong", 0, 1)) {
		while (must(read(pipes[0][0], &byte, 1)) > 0)
			must(write(pipes[1][1], &byte, 1));
		_exit(0);
	}
	if (!stage("ping", 1, 0)) {
		for (int i = 0; i < 800; ++i) {
			must(write(pipes[0][1], &byte, 1));
			must(read(pipes[1][0], &byte, 1));
		}
		_exit(0);
	}
	wait_for_stages();
	return 0;
}
