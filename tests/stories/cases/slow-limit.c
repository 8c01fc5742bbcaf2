// SPDX-License-Identifier: GPL-2.0-only
// A rate limiter in the middle sleeps 20 ms for each block: those on both sides wait for it.
#include "../pipeline.h"

int main(void)
{
	static char data[16384];
	pid_t slow;
	long n;

	make_pipes(2);
	if (!stage("limit-source", -1, 0))
		produce(0, 70, 16384, 0);
	slow = stage("rate-limiter", 0, 1);
	if (!slow) {
		while ((n = must(read(pipes[0][0], data, sizeof(data)))) > 0) {
			nap(0.02);
			must(write(pipes[1][1], data, n));
		}
		_exit(0);
	}
	if (!stage("limit-sink", 1, -1))
		consume(1, 16384, 0);
	wait_for_stages();
	truth("expect slow-stage of=%d:rate-limiter", slow);
	return 0;
}
