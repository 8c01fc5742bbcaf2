// SPDX-License-Identifier: GPL-2.0-only
// A worker takes 15 ms for a job and writes its result to the feeder, which polls for results
// and is blocked in the write of the next job.
#include <poll.h>

#include "../story.h"

#define JOBS 80

int main(void)
{
	int jobs[2], results[2];
	char block[4096] = "job", result[8];
	int got = 0;
	pid_t worker;

	must(pipe(jobs));
	must(pipe(results));
	worker = fork_as("worker");
	if (!worker) {
		close(jobs[1]);
		close(results[0]);
		while (must(read(jobs[0], block, sizeof(block))) > 0) {
			nap(0.015);
			must(write(results[1], "result", 6));
		}
		_exit(0);
	}
	close(jobs[0]);
	close(results[1]);
	for (int i = 0; i < JOBS; ++i) {
		struct pollfd ready = { results[0], POLLIN, 0 };

		must(write(jobs[1], block, sizeof(block)));
		while (must(poll(&ready, 1, 0)) > 0)
			got += must(read(results[0], result, 6)) / 6;
	}
	close(jobs[1]);
	while (must(read(results[0], result, 6)) > 0)
		++got;
	reap(worker);
	truth("expect slow-stage of=%d:worker", worker);
	return got == 0;
}
