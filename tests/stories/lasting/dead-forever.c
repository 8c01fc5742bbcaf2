// SPDX-License-Identifier: GPL-2.0-only
// Two processes that each wait for the other's answer, to the end of the trace.
#include "../story.h"

int main(void)
{
	int there[2], back[2];
	pid_t client, server;
	double begin;
	char byte;

	must(pipe(there));
	must(pipe(back));
	begin = now();
	client = fork_as("rpc-client");
	if (!client) {
		close(there[0]);
		close(back[1]);
		must(read(back[0], &byte, 1));
		_exit(0);
	}
	server = fork_as("rpc-server");
	if (!server) {
		close(there[1]);
		close(back[0]);
		must(read(there[0], &byte, 1));
		_exit(0);
	}
	for (int i = 0; i < 2; ++i) {
		close(there[i]);
		close(back[i]);
	}
	nap(0.2);
	truth("expect deadlock level=error with=%d:rpc-client with=%d:rpc-server at=%.3f~0.3 secs=1+",
	      client, server, begin);
	truth("ready");
	for (;;)
		pause();
}
