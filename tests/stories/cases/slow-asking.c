// SPDX-License-Identifier: GPL-2.0-only
// A stage asks a resolver, 25 ms for each block: to its neighbours it is the slow stage, and
// what it waits for is the resolver.
#include <sys/socket.h>

#include "../pipeline.h"

int main(void)
{
	pid_t asker, resolver;
	char block[4096], answer[8];
	int asks[2];

	make_pipes(2);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, asks));
	resolver = stage("resolver", -1, -1);
	if (!resolver) {
		close(asks[0]);
		while (must(read(asks[1], answer, sizeof(answer))) > 0) {
			nap(0.025);
			must(write(asks[1], "answer", 6));
		}
		_exit(0);
	}
	asker = stage("asker", 0, 1);
	if (!asker) {
		close(asks[1]);
		while (must(read(pipes[0][0], block, sizeof(block))) > 0) {
			must(write(asks[0], "ask", 3));
			must(read(asks[0], answer, sizeof(answer)));
			must(write(pipes[1][1], block, sizeof(block)));
		}
		_exit(0);
	}
	close(asks[0]);
	close(asks[1]);
	if (!stage("asking-source", -1, 0))
		produce(0, 60, 4096, 0);
	if (!stage("asking-sink", 1, -1))
		consume(1, 4096, 0);
	wait_for_stages();
	truth("expect slow-stage of=%d:asker says=\"for %d (resolver)\"", asker, resolver);
	return 0;
}
