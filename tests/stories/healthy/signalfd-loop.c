// SPDX-License-Identifier: GPL-2.0-only
// An event loop with epoll and a signalfd for SIGCHLD, SIGUSR1 and SIGTERM.
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t loop;

	set = block(SIGUSR1, SIGTERM, SIGCHLD);
	loop = fork_as("signalfd-loop");
	if (!loop) {
		struct epoll_event event = { .events = EPOLLIN };
		int fd = must(signalfd(-1, &set, SFD_CLOEXEC)), epoll = must(epoll_create1(0));
		struct signalfd_siginfo info;

		must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
		do {
			must(epoll_wait(epoll, &event, 1, -1));
			must(read(fd, &info, sizeof(info)));
			if (info.ssi_signo == SIGUSR1 && !fork_as("quick-child"))
				_exit(0);
			if (info.ssi_signo == SIGCHLD)
				while (waitpid(-1, NULL, WNOHANG) > 0)
					;
		} while (info.ssi_signo != SIGTERM);
		_exit(0);
	}
	for (int i = 0; i < 10; ++i)
		signal_after(0.03, loop, SIGUSR1);
	signal_after(0.05, loop, SIGTERM);
	reap(loop);
	return 0;
}
