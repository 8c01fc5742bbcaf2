// SPDX-License-Identifier: GPL-2.0-only
// A process of 100 children exits; each of them asked for SIGTERM then (PR_SET_PDEATHSIG).
#include "../many.h"

int main(void)
{
	pid_t *pids = mmap(NULL, EACH * sizeof(*pids), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	parent = fork_as("many-parent");
	if (!parent) {
		for (int i = 0; i < EACH; ++i) {
			pid_t pid = fork_as("many-orphan");

			if (!pid) {
				must(prctl(PR_SET_PDEATHSIG, SIGTERM));
				nap(30);
				_exit(1);
			}
			wait_state(pid, 'S');
			pids[i] = pid;
		}
		_exit(0);
	}
	reap(parent);
	for (int i = 0; i < EACH; ++i) {
		if (reap(pids[i]) != SIGTERM)
			return 1;
		/* Which it is depends on how soon the last of them gets a CPU, and is reaped. */
		truth("each ended-by-kernel|slow-reap|target-starved with=%d:many-orphan says=SIGTERM says=PDEATHSIG",
		      pids[i]);
	}
}
