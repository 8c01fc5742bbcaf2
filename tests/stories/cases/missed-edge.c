// SPDX-License-Identifier: GPL-2.0-only
// A reader by EPOLLET reads a part of what is there, and waits for another edge: the writer fills
// the pipe, and both sleep until the reader is ended.
#include <sys/epoll.h>

#include "../pipeline.h"

static void read_a_part(void)
{
	int epoll = must(epoll_create1(EPOLL_CLOEXEC));
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	must(fcntl(pipes[0][0], F_SETFL, O_NONBLOCK));
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0][0], &event));
	nap(0.2);	/* until the pipe is full */
	for (;;) {
		must(epoll_wait(epoll, &event, 1, -1));
		must(read(pipes[0][0], zeros, 1000));
	}
}

int main(void)
{
	pid_t reader, writer;

	make_pipes(1);
	reader = stage("edge-reader", 0, -1);
	if (!reader)
		read_a_part();
	writer = stage("edge-writer", -1, 0);
	if (!writer) {
		signal(SIGPIPE, SIG_IGN);
		while (write(pipes[0][1], zeros, sizeof(zeros)) > 0)
			;
		_exit(0);
	}
	keep_ends(-1, -1);
	signal_after(2.0, reader, SIGKILL);
	reap(reader);
	reap(writer);
	truth("expect stuck-write of=%d:edge-writer with=%d:edge-reader secs=1.9~0.2 says=epoll_wait "
	      "says=EPOLLET", writer, reader);
	return 0;
}
