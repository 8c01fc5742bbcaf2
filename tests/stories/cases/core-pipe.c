// SPDX-License-Identifier: GPL-2.0-only
// A fault ends a process of 8 MiB; its core goes to a handler that reads it after a second.
#include <sys/resource.h>

#include "../story.h"

static volatile char memory[8 << 20];

#define PATTERN "/proc/sys/kernel/core_pattern"

int main(int count, char **words)
{
	struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	char before[128] = "", program[64] = "", pattern[128];
	volatile int *nowhere = (volatile int *)16;
	pid_t child;
	double at;
	int fd;

	if (count > 2 && !strcmp(words[1], "handler")) {
		call_me("core-handler");
		if (!strcmp(words[2], "dumper"))	/* and no other story's */
			nap(1.0);
		while (read(0, zeros, sizeof(zeros)) > 0)
			;
		return 0;
	}
	fd = must(open(PATTERN, O_RDONLY | O_CLOEXEC));
	must(read(fd, before, sizeof(before) - 1));
	close(fd);
	must(readlink("/proc/self/exe", program, sizeof(program) - 1));
	snprintf(pattern, sizeof(pattern), "|%s%s handler %%e", getenv("STORY_CHROOT"), program);
	put(PATTERN, pattern);
	must(setrlimit(RLIMIT_CORE, &any));
	at = now();
	child = fork_as("dumper");
	if (!child) {
		for (size_t at = 0; at < sizeof(memory); at += 4096)
			memory[at] = 1;
		*nowhere = 1;
		_exit(97);
	}
	reap(child);
	put(PATTERN, before);
	truth("expect crash of=%d:dumper at=%.3f~0.5 says=SIGSEGV says=\"a fault of its own\" "
	      "says=\"dumped core for\" level=warning", child, at);
	truth("allow slow-stage");	/* the handler, of the pipe to it */
}
