// SPDX-License-Identifier: GPL-2.0-only
// A nonblocking writer waits in poll() for room; its reader sleeps 20 ms after each block.
#include <poll.h>

#include "../pipeline.h"

int main(void)
{
	pid_t slow;

	make_pipes(1);
	if (!stage("pollout-writer", -1, 0)) {
		struct pollfd room = { pipes[0][1], POLLOUT, 0 };

		fcntl(room.fd, F_SETFL, O_NONBLOCK);
		for (int i = 0; i < 75; ++i) {
			must(poll(&room, 1, -1));
			must(write(room.fd, zeros, 4096));
		}
		_exit(0);
	}
	slow = stage("pollout-reader", 0, -1);
	if (!slow)
		consume(0, 4096, 0.02);
	wait_for_stages();
	truth("expect slow-stage of=%d:pollout-reader", slow);
	return 0;
}
