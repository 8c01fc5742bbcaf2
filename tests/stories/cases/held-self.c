// SPDX-License-Identifier: GPL-2.0-only
// A reader has forgotten to close its own writing end: the end of file never comes.
#include "../pipeline.h"

int main(void)
{
	pid_t reader, writer;
	double begin;

	make_pipes(1);
	reader = fork_as("self-holder");
	if (!reader) {
		alarm(1);
		consume(0, 4096, 0);
	}
	writer = stage("done-writer", -1, 0);
	if (!writer)
		produce(0, 3, 4096, 0);
	keep_ends(-1, -1);
	reap(writer);
	begin = now();
	reap(reader);
	truth("expect end-held-open of=%d:self-holder at=%.3f~0.3 secs=%.3f~0.3", reader, begin,
	      now() - begin);
	return 0;
}
