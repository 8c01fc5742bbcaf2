// SPDX-License-Identifier: GPL-2.0-only
// One process aborts, and one sends SIGKILL to itself.
#include <sys/resource.h>

#include "../story.h"

int main(void)
{
	struct rlimit no_core = { 0, 0 };
	pid_t aborts, kills;

	must(setrlimit(RLIMIT_CORE, &no_core));
	aborts = fork_as("asserts");
	if (!aborts)
		abort();
	kills = fork_as("ends-itself");
	if (!kills)
		kill(getpid(), SIGKILL);
	reap(aborts);
	reap(kills);
	truth("expect crash of=%d:asserts says=SIGABRT says=\"sent to itself\"", aborts);
	truth("expect ended-by-process of=%d:ends-itself says=\"sent to itself\"", kills);
	return 0;
}
