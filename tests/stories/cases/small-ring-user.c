// SPDX-License-Identifier: GPL-2.0-only
// A user with more than 1,024 pipes gets pipes of two pages (pipe-user-pages-soft).
#include <sys/resource.h>

#include "../pipeline.h"

int main(void)
{
	struct rlimit limit = { 4096, 4096 };
	pid_t hoarder = fork_as("pipe-hoarder");

	if (!hoarder) {
		int ends[2], size;
		pid_t writer, reader;

		must(setrlimit(RLIMIT_NOFILE, &limit));
		must(setgid(47113));
		must(setuid(47113));
		for (int i = 0; i < 1025; ++i)
			must(pipe2(ends, O_CLOEXEC));
		make_pipes(1);
		size = must(fcntl(pipes[0][0], F_GETPIPE_SZ));
		if (size > 8192)
			_exit(1);
		writer = fork_as("poor-writer");
		if (!writer) {
			closefrom(pipes[0][1] + 1);
			produce(0, 100, 16384, 0);
		}
		reader = fork_as("poor-reader");
		if (!reader) {
			close(pipes[0][1]);
			consume(0, 16384, 0);
		}
		close(pipes[0][0]);
		close(pipes[0][1]);
		reap(writer);
		reap(reader);
		truth("expect small-ring with=%d:poor-writer says=page", writer);
		truth("allow short-reads");
		_exit(0);
	}
	return reap(hoarder) ? 1 : 0;
}
