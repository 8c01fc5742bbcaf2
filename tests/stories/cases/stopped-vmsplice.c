// SPDX-License-Identifier: GPL-2.0-only
// A writer that hands its pages over by vmsplice(): its reader is stopped for 1 s.
#include <sys/uio.h>

#include "../pipeline.h"

static void give(int writes)
{
	for (int i = 0; i < 40; ++i) {
		struct iovec block = { zeros, 8192 };

		nap(0.01);
		while (block.iov_len) {
			long n = must(vmsplice(pipes[writes][1], &block, 1, 0));

			block.iov_base = (char *)block.iov_base + n;
			block.iov_len -= n;
		}
	}
	_exit(0);
}

int main(void)
{
	pid_t giver, reader;

	make_pipes(1);
	giver = stage("page-giver", -1, 0);
	if (!giver)
		give(0);
	reader = stage("halted-reader", 0, -1);
	if (!reader)
		consume(0, 8192, 0);
	keep_ends(-1, -1);
	signal_after(0.15, reader, SIGSTOP);
	signal_after(1.2, reader, SIGCONT);
	reap(giver);
	reap(reader);
	truth("expect partner-stopped of=%d:page-giver with=%d:halted-reader secs=1.2~0.3 "
	      "says=SIGSTOP says=SIGCONT", giver, reader);
	/* It also slept 10 ms before each block. */
	truth("allow slow-stage");
	return 0;
}
