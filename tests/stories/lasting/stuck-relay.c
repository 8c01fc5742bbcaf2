// SPDX-License-Identifier: GPL-2.0-only
// A source is blocked, as the relay that reads from it polls for room in its own output: the sink
// reads nothing.
#include <poll.h>

#include "../pipeline.h"

static void relay(int from, int to)
{
	char *data = zeros;

	must(fcntl(to, F_SETFL, O_NONBLOCK));
	for (;;) {
		long left = must(read(from, data, sizeof(zeros)));

		while (left) {
			struct pollfd room = { .fd = to, .events = POLLOUT };
			long n;

			must(poll(&room, 1, -1));
			n = write(to, data, left);
			if (n > 0)
				left -= n;
		}
	}
}

int main(void)
{
	pid_t source, middle;
	double since;

	make_pipes(2);
	source = stage("full-source", -1, 0);
	if (!source)
		produce(0, 1000, 4096, 0);
	middle = stage("full-relay", 0, 1);
	if (!middle)
		relay(pipes[0][0], pipes[1][1]);
	if (!stage("hung-sink", 1, -1))
		nap(1000);
	keep_ends(-1, -1);
	nap(0.3);
	wait_state(source, 'S');
	wait_state(middle, 'S');
	since = now();
	/* Who holds the other pipe is not looked up, since no call waits on it. */
	truth("expect stuck-write of=%d:full-source with=%d:full-relay at=%.3f~0.4 secs=1+ "
	      "says=\"which it writes, was full\" says=\"none has read from it\"", source, middle, since);
	truth("ready");
	wait(NULL);
}
