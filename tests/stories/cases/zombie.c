// SPDX-License-Identifier: GPL-2.0-only
// Three SIGKILLs to a child that had exited with status 3, and that its parent does not reap.
#include "../story.h"

int main(void)
{
	pid_t zombie = fork_as("undead"), admin;

	if (!zombie)
		_exit(3);
	admin = fork_as("admin");
	if (!admin) {
		nap(0.4);
		for (int i = 0; i < 3; ++i) {
			must(kill(zombie, SIGKILL));
			nap(0.2);
		}
		_exit(0);
	}
	nap(1.6);
	truth("expect zombie of=%d:undead with=%d:zombie with=%d:admin says=SIGKILL says=\"status 3\"",
	      zombie, getpid(), admin);
	reap(admin);
	reap(zombie);
}
