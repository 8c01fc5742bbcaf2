// SPDX-License-Identifier: GPL-2.0-only
// A tee copies to two sinks, of which one takes 15 ms for a block: source, tee and the other
// sink wait for that one.
#include "../pipeline.h"

int main(void)
{
	static char data[8192];
	pid_t slow;
	long n;

	make_pipes(3);
	if (!stage("tee-source", -1, 0))
		produce(0, 90, sizeof(data), 0);
	if (!fork_as("copier")) {
		close(pipes[0][1]);
		close(pipes[1][0]);
		close(pipes[2][0]);
		while ((n = must(read(pipes[0][0], data, sizeof(data)))) > 0) {
			must(write(pipes[1][1], data, n));
			must(write(pipes[2][1], data, n));
		}
		_exit(0);
	}
	if (!stage("tee-fast", 1, -1))
		consume(1, sizeof(data), 0);
	slow = stage("tee-slow", 2, -1);
	if (!slow)
		consume(2, sizeof(data), 0.015);
	wait_for_stages();
	truth("expect slow-stage of=%d:tee-slow", slow);
	return 0;
}
