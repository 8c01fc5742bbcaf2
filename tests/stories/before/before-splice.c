// SPDX-License-Identifier: GPL-2.0-only
// Blocked in splice() since before the trace, on a full pipe that only a sleeper could read.
#include <sys/mman.h>

#include "../pipeline.h"

int main(void)
{
	int file = must(memfd_create("input", 0));
	pid_t sleeper, mover;

	for (int i = 0; i < 4; ++i)
		must(write(file, zeros, sizeof(zeros)));
	make_pipes(1);
	sleeper = stage("splice-sleeper", 0, -1);
	if (!sleeper)
		for (;;)
			pause();
	mover = stage("old-splicer", -1, 0);
	if (!mover) {
		off_t at = 0;

		while (must(splice(file, &at, pipes[0][1], NULL, sizeof(zeros), 0)) > 0)
			;
		_exit(0);
	}
	wait_state(mover, 'S');
	truth("expect stuck-write of=%d:old-splicer with=%d:splice-sleeper secs=1+ "
	      "says=\"before the trace\"", mover, sleeper);
	truth("ready");
	wait_for_stages();
	return 0;
}
