// SPDX-License-Identifier: GPL-2.0-only
// A reader opens a FIFO that no process opens for writing, and stays there.
#include "../story.h"

int main(void)
{
	pid_t reader;
	double start;

	must(mkfifo("requests", 0600));
	start = now();
	reader = fork_as("lone-reader");
	if (!reader) {
		must(open("requests", O_RDONLY));
		_exit(0);
	}
	wait_state(reader, 'S');
	truth("expect stuck-open of=%d:lone-reader at=%.3f~0.3 secs=1+ says=reading", reader,
	      start);
	truth("ready");
	reap(reader);
	return 0;
}
