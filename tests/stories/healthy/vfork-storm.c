// SPDX-License-Identifier: GPL-2.0-only
// 60 times vfork() and execve(), as posix_spawn() does it.
#include <spawn.h>

#include "../story.h"

extern char **environ;

int main(void)
{
	char *command[] = { (char *)"true", NULL };
	pid_t pid;

	for (int i = 0; i < 60; ++i) {
		if (posix_spawn(&pid, "/bin/true", NULL, NULL, command, environ))
			return 1;
		reap(pid);
	}
	return 0;
}
