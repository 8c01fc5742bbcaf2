// SPDX-License-Identifier: GPL-2.0-only
// A source with a message each 40 ms, before a stage that blocks, one that polls, and a sink:
// the source is slow, and the third only sleeps in poll() for its input.
#include <poll.h>

#include "../pipeline.h"

int main(void)
{
	char data[512];
	pid_t slow;
	long n;

	make_pipes(3);
	slow = stage("sensor", -1, 0);
	if (!slow)
		produce(0, 40, sizeof(data), 0.04);
	if (!stage("parse", 0, 1))
		pass_on(0, 1, sizeof(data));
	if (!stage("poller", 1, 2)) {
		struct pollfd ready = { pipes[1][0], POLLIN, 0 };

		fcntl(ready.fd, F_SETFL, O_NONBLOCK);
		for (;;) {
			must(poll(&ready, 1, -1));
			n = must(read(ready.fd, data, sizeof(data)));
			if (!n)
				break;
			must(write(pipes[2][1], data, n));
		}
		_exit(0);
	}
	if (!stage("store", 2, -1))
		consume(2, sizeof(data), 0);
	wait_for_stages();
	truth("expect slow-stage of=%d:sensor", slow);
	return 0;
}
