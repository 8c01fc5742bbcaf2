// SPDX-License-Identifier: GPL-2.0-only
// The middle of three stages computes for 6 ms for each block: it is the slow one.
#include "../pipeline.h"

int main(void)
{
	static char data[16384];
	pid_t slow;
	long n;

	make_pipes(2);
	if (!stage("cpu-source", -1, 0))
		produce(0, 30, 16384, 0);
	slow = stage("cpu-middle", 0, 1);
	if (!slow) {
		for (int i = 1; (n = must(read(pipes[0][0], data, sizeof(data)))) > 0; ++i) {
			burn(0.006 * i);
			must(write(pipes[1][1], data, n));
		}
		_exit(0);
	}
	if (!stage("cpu-sink", 1, -1))
		consume(1, 16384, 0);
	wait_for_stages();
	truth("expect slow-stage of=%d:cpu-middle", slow);
	return 0;
}
