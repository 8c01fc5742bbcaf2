// SPDX-License-Identifier: GPL-2.0-only
// A nonblocking reader looks for data each millisecond, and the writer has none for 0.7 s.
#include "../pipeline.h"

int main(void)
{
	make_pipes(1);
	if (!stage("eagain-reader", 0, -1)) {
		int refused = 0, tried = 0;
		char data[4096];
		long n;

		fcntl(pipes[0][0], F_SETFL, O_NONBLOCK);
		for (;; ++tried) {
			n = read(pipes[0][0], data, sizeof(data));
			if (!n)
				break;
			if (n > 0)
				continue;
			++refused;
			nap(0.001);
		}
		truth("expect eagain-storm of=%d:eagain-reader says=%d", getpid(), refused);
		_exit(0);
	}
	if (!stage("late-writer", -1, 0)) {
		nap(0.7);
		produce(0, 1, 4096, 0);
	}
	wait_for_stages();
	truth("allow slow-stage");
	return 0;
}
