// SPDX-License-Identifier: GPL-2.0-only
// An event loop reads SIGTERM from a signalfd, and needs 0.6 s to shut down.
#include <poll.h>
#include <sys/signalfd.h>

#include "../story.h"

int main(void)
{
	sigset_t set;
	pid_t loop;
	double sent;

	set = block(SIGTERM);
	loop = fork_as("event-loop");
	if (!loop) {
		struct signalfd_siginfo info;
		struct pollfd wait = { signalfd(-1, &set, SFD_CLOEXEC), POLLIN, 0 };

		must(poll(&wait, 1, -1));
		must(read(wait.fd, &info, sizeof(info)));
		nap(0.6);
		_exit(0);
	}
	sent = signal_after(0.2, loop, SIGTERM);
	reap(loop);
	truth("expect slow-exit of=%d:event-loop with=%d:slow-signalfd at=%.3f secs=%.3f "
	      "says=SIGTERM", loop, getpid(), sent, now() - sent);
}
