// SPDX-License-Identifier: GPL-2.0-only
// SIGTERM to five services: two have no handler, and the handlers of the others end at once.
#include "../story.h"

static void quit(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	pid_t service[5];

	for (int i = 0; i < 5; ++i) {
		service[i] = fork_as("quick-service");
		if (!service[i]) {
			if (i > 1)
				signal(SIGTERM, quit);
			for (;;)
				pause();
		}
	}
	nap(0.2);
	for (int i = 0; i < 5; ++i) {
		must(kill(service[i], SIGTERM));
		reap(service[i]);
	}
	return 0;
}
