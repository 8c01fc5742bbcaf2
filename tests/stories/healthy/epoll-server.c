// SPDX-License-Identifier: GPL-2.0-only
// A server with epoll over the pipes of four clients, which send now and then: it waits for
// them, and has nothing to do meanwhile.
#include <sys/epoll.h>

#include "../pipeline.h"

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = must(epoll_create1(EPOLL_CLOEXEC)), left = 4;
	char data[512];

	make_pipes(4);
	for (int i = 0; i < 4; ++i)
		if (!stage("epoll-client", -1, i)) {
			nap(0.008 * i);
			produce(i, 6, 100, 0);
		}
	for (int i = 0; i < 4; ++i) {
		close(pipes[i][1]);
		event.data.fd = pipes[i][0];
		must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[i][0], &event));
	}
	while (left) {
		must(epoll_wait(epoll, &event, 1, -1));
		if (!must(read(event.data.fd, data, sizeof(data)))) {
			close(event.data.fd);
			--left;
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
