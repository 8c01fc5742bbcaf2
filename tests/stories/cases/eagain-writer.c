// SPDX-License-Identifier: GPL-2.0-only
// The writing end of a pipe is nonblocking, and the reader begins after 0.7 s: the writer
// tries each millisecond, and is refused.
#include "../pipeline.h"

int main(void)
{
	int writer;

	make_pipes(1);
	fcntl(pipes[0][1], F_SETFL, O_NONBLOCK);
	writer = stage("eagain-writer", -1, 0);
	if (!writer) {
		int refused = 0, tried = 0;

		for (long left = 150000; left > 0; ++tried) {
			long n = write(pipes[0][1], zeros, left < 65536 ? left : 65536);

			if (n > 0) {
				left -= n;
				continue;
			}
			++refused;
			nap(0.001);
		}
		truth("expect eagain-storm of=%d:eagain-writer secs=0.7~0.3 says=%d says=%d", getpid(),
		      refused, tried);
		_exit(0);
	}
	if (!stage("late-reader", 0, -1)) {
		nap(0.7);
		consume(0, 65536, 0);
	}
	wait_for_stages();
	/* The reader's pause, and that writes were taken in part, is true as well. */
	truth("allow slow-stage|short-writes");
	return 0;
}
