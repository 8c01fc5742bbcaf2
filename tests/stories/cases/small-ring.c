// SPDX-License-Identifier: GPL-2.0-only
// A program has set its pipe to one page: the writer waits after each block.
#include "../pipeline.h"

int main(void)
{
	pid_t writer;

	make_pipes(1);
	must(fcntl(pipes[0][0], F_SETPIPE_SZ, 4096));
	writer = stage("cramped-writer", -1, 0);
	if (!writer)
		produce(0, 150, 8192, 0);
	if (!stage("cramped-reader", 0, -1))
		consume(0, 8192, 0);
	wait_for_stages();
	truth("expect small-ring with=%d:cramped-writer says=page", writer);
	truth("allow short-reads");
	return 0;
}
