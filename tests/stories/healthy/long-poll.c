// SPDX-License-Identifier: GPL-2.0-only
// A client asks a server every 0.2 s, which answers at once: an idle server is not slow, and
// neither is a client that has nothing to ask.
#include <poll.h>

#include "../pipeline.h"

int main(void)
{
	char byte = 0;

	make_pipes(2);
	if (!stage("poll-server", 0, 1)) {
		while (must(read(pipes[0][0], &byte, 1)) > 0)
			must(write(pipes[1][1], &byte, 1));
		_exit(0);
	}
	if (!stage("poll-client", 1, 0)) {
		struct pollfd answer = { pipes[1][0], POLLIN, 0 };

		for (int i = 0; i < 4; ++i) {
			nap(0.2);
			must(write(pipes[0][1], &byte, 1));
			must(poll(&answer, 1, 1000));
			must(read(pipes[1][0], &byte, 1));
		}
		_exit(0);
	}
	wait_for_stages();
	return 0;
}
