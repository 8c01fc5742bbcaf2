// SPDX-License-Identifier: GPL-2.0-only
// A reader waits for a source that SIGSTOP holds for 1 s.
#include "../pipeline.h"

int main(void)
{
	pid_t source, reader;

	make_pipes(1);
	source = stage("halted-source", -1, 0);
	if (!source)
		produce(0, 50, 512, 0.01);
	reader = stage("hungry-reader", 0, -1);
	if (!reader)
		consume(0, 512, 0);
	keep_ends(-1, -1);
	signal_after(0.15, source, SIGSTOP);
	signal_after(1, source, SIGCONT);
	reap(source);
	reap(reader);
	truth("expect partner-stopped of=%d:hungry-reader with=%d:halted-source secs=1~0.2 "
	      "says=SIGSTOP says=SIGCONT", reader, source);
	/* It also slept 10 ms before each write. */
	truth("allow slow-stage");
	return 0;
}
