// SPDX-License-Identifier: GPL-2.0-only
// A child writes to no memory: its own fault ends it by SIGSEGV.
#include "../story.h"

int main(void)
{
	volatile int *nowhere = (volatile int *)16;
	double at = now();
	pid_t child = must(fork());

	if (!child) {
		*nowhere = 1;
		_exit(97);
	}
	reap(child);
	truth("expect crash of=%d at=%.3f says=SIGSEGV says=\"a fault of its own\"", child, at);
}
