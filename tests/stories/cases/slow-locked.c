// SPDX-License-Identifier: GPL-2.0-only
// A stage takes a file's lock for each block, which another process keeps for most of the time.
#include <sys/file.h>

#include "../pipeline.h"

int main(void)
{
	int lock = must(open("lock", O_RDWR | O_CREAT, 0600));
	pid_t keeper, slow;

	make_pipes(2);
	keeper = stage("keeper", -1, -1);
	if (!keeper) {
		lock = must(open("lock", O_RDWR));
		for (;;) {
			must(flock(lock, LOCK_EX));
			nap(0.060);
			must(flock(lock, LOCK_UN));
			nap(0.001);
		}
	}
	slow = stage("locker", 0, 1);
	if (!slow) {
		char block[4096];

		while (must(read(pipes[0][0], block, sizeof(block))) > 0) {
			must(flock(lock, LOCK_EX));
			must(flock(lock, LOCK_UN));
			must(write(pipes[1][1], block, sizeof(block)));
			nap(0.004);   /* the keeper is first again */
		}
		_exit(0);
	}
	if (!stage("lock-source", -1, 0))
		produce(0, 40, 4096, 0);
	if (!stage("lock-sink", 1, -1))
		consume(1, 4096, 0);
	keep_ends(-1, -1);
	reap(slow);
	must(kill(keeper, SIGKILL));
	wait_for_stages();
	truth("expect slow-stage of=%d:locker says=\"in flock()\"", slow);
	return 0;
}
