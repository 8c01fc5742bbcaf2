// SPDX-License-Identifier: GPL-2.0-only
// A nonblocking reader with epoll reads until EAGAIN, once for each message: that is how it
// knows that it has all.
#include <sys/epoll.h>

#include "../pipeline.h"

int main(void)
{
	make_pipes(1);
	if (!stage("drain-reader", 0, -1)) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLET };
		int epoll = must(epoll_create1(0));
		char data[4096];
		long n = 1;

		fcntl(pipes[0][0], F_SETFL, O_NONBLOCK);
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0][0], &event));
		while (n) {
			must(epoll_wait(epoll, &event, 1, -1));
			while ((n = read(pipes[0][0], data, sizeof(data))) > 0)
				;
		}
		_exit(0);
	}
	if (!stage("drain-writer", -1, 0))
		for (int i = 0; i < 2; ++i) {
			for (int j = 0; j < 15; ++j)
				must(write(pipes[0][1], zeros, 700));
			if (i)
				_exit(0);
			nap(0.02);
		}
	wait_for_stages();
	return 0;
}
