// SPDX-License-Identifier: GPL-2.0-only
// A writer waits for room: a debugger holds its reader for 1 s.
#include "../pipeline.h"

int main(void)
{
	pid_t source, reader, debugger;

	make_pipes(1);
	source = stage("blocked-source", -1, 0);
	if (!source)
		produce(0, 200, 4096, 0.002);
	reader = stage("held-reader", 0, -1);
	if (!reader)
		consume(0, 4096, 0);
	keep_ends(-1, -1);
	nap(0.1);
	debugger = fork_as("gdb-like");
	if (!debugger) {
		hold(reader);
		nap(1);
		must(ptrace(PTRACE_DETACH, reader, 0, 0));
		_exit(0);
	}
	reap(debugger);
	reap(source);
	reap(reader);
	truth("expect partner-traced of=%d:blocked-source with=%d:held-reader with=%d:gdb-like "
	      "secs=1~0.25", source, reader, debugger);
	truth("allow slow-stage");
	return 0;
}
