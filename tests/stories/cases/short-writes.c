// SPDX-License-Identifier: GPL-2.0-only
// A nonblocking writer asks for 96 KiB, and the pipe takes a part each time.
#include <poll.h>

#include "../pipeline.h"

int main(void)
{
	static char block[98304];
	pid_t writer;

	make_pipes(1);
	fcntl(pipes[0][1], F_SETFL, O_NONBLOCK);
	writer = stage("partial-writer", -1, 0);
	if (!writer) {
		struct pollfd room = { pipes[0][1], POLLOUT, 0 };
		int part = 0;

		for (int i = 0; i < 40; ++i) {
			must(poll(&room, 1, -1));
			part += must(write(pipes[0][1], block, sizeof(block))) < (long)sizeof(block);
		}
		truth("expect short-writes of=%d:partial-writer says=%d", getpid(), part);
		_exit(0);
	}
	if (!stage("part-reader", 0, -1))
		consume(0, 65536, 0.005);
	wait_for_stages();
	truth("allow slow-stage|eagain-storm");
	return 0;
}
