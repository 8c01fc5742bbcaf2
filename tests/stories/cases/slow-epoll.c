// SPDX-License-Identifier: GPL-2.0-only
// A server with an epoll loop reads from two producers: one is done at once, the other has a
// message each 30 ms, and it is what the server and the sink behind it wait for.
#include <sys/epoll.h>

#include "../pipeline.h"

int main(void)
{
	char data[256];
	pid_t slow;

	make_pipes(3);
	if (!stage("quick-producer", -1, 0))
		produce(0, 20, sizeof(data), 0);
	slow = stage("slow-producer", -1, 1);
	if (!slow)
		produce(1, 45, sizeof(data), 0.03);
	if (!fork_as("epoll-server")) {
		struct epoll_event event = { .events = EPOLLIN };
		int epoll = must(epoll_create1(0)), open_inputs = 2;

		close(pipes[0][1]);
		close(pipes[1][1]);
		close(pipes[2][0]);
		for (int i = 0; i < 2; ++i) {
			event.data.fd = pipes[i][0];
			must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &event));
		}
		while (open_inputs) {
			long n;

			must(epoll_wait(epoll, &event, 1, -1));
			n = must(read(event.data.fd, data, sizeof(data)));
			if (n)
				must(write(pipes[2][1], data, n));
			else
				--open_inputs, close(event.data.fd);
		}
		_exit(0);
	}
	if (!stage("epoll-sink", 2, -1))
		consume(2, sizeof(data), 0);
	wait_for_stages();
	truth("expect slow-stage of=%d:slow-producer", slow);
	return 0;
}
