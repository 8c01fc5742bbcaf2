/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stories in C share.  A story prints its truth to standard output, which
 * is a file, by truth(): see docs/stories.md for the lines.  It may use pipes and
 * signals for its subject only, since they are traced; it waits for the state of
 * another process by /proc.
 */
#ifndef STORY_H
#define STORY_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* Ends the story as failed where a call of its own failed. */
#define must(call)                                                            \
	({                                                                    \
		long must_result = (long)(call);                              \
		if (must_result == -1) {                                      \
			dprintf(2, "%s:%d: %s: %s\n", __FILE__, __LINE__,     \
				#call, strerror(errno));                      \
			_exit(99);                                            \
		}                                                             \
		must_result;                                                  \
	})

/* CLOCK_MONOTONIC, in seconds. */
static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Sleeps so long, whatever signals are handled meanwhile. */
static inline void nap(double seconds)
{
	struct timespec t = { (time_t)seconds, (seconds - (time_t)seconds) * 1e9 };

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

/* One line of the truth, by one write(2). */
static inline __attribute__((format(printf, 1, 2))) void truth(const char *format, ...)
{
	char line[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[length++] = '\n';
	must(write(1, line, length));
}

static inline void call_me(const char *name)
{
	must(prctl(PR_SET_NAME, name));
}

/* fork(), and in the child the name. */
static inline pid_t fork_as(const char *name)
{
	pid_t pid = must(fork());

	if (!pid)
		call_me(name);
	return pid;
}

/* The state of a process as in /proc/PID/stat, '\0' where there is none. */
static inline char state_of(pid_t pid)
{
	char path[32], text[512], *end;
	int fd;
	long n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = 0;
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

/* Its only child, as in /proc; 0 where there is none. */
static inline pid_t only_child(pid_t pid)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	must(read(fd, text, sizeof(text) - 1));
	close(fd);
	return atoi(text);
}

/* Waits until the process is in this state. */
static inline void wait_state(pid_t pid, char state)
{
	for (int i = 0; state_of(pid) != state; i++) {
		if (i == 1000) {
			dprintf(2, "%d is not in state %c\n", pid, state);
			_exit(98);
		}
		nap(0.003);
	}
}

/* Runs for so many seconds of its own CPU time. */
static inline void burn(double seconds)
{
	struct timespec t;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_sec + t.tv_nsec / 1e9 < seconds);
}

static inline void put(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CLOEXEC));

	must(write(fd, text, strlen(text)));
	close(fd);
}

/* A cgroup below the story's own, with the process in it. */
static inline void move_to_cgroup(const char *name, pid_t pid)
{
	char path[512], text[16];

	snprintf(path, sizeof(path), "%s/%s", getenv("STORY_CGROUP"), name);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		must(-1);
	strcat(path, "/cgroup.procs");
	snprintf(text, sizeof(text), "%d", pid);
	put(path, text);
}

static inline void freeze_cgroup(const char *name, int freeze)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/cgroup.freeze", getenv("STORY_CGROUP"), name);
	put(path, freeze ? "1" : "0");
}

/* Waits for the child; its status as waitpid() has it. */
static inline int reap(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0));
	return status;
}

/* block(SIGUSR1, SIGTERM): blocks them, and returns the set of them. */
#define block(...) block_list((const int[]){ __VA_ARGS__, 0 })
static inline sigset_t block_list(const int *signals)
{
	sigset_t set;

	sigemptyset(&set);
	while (*signals)
		sigaddset(&set, *signals++);
	must(sigprocmask(SIG_BLOCK, &set, NULL));
	return set;
}

static inline void block_for(double seconds, int number)
{
	sigset_t set = block(number);

	nap(seconds);
	must(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

/* Sends a signal in so many seconds; when it did, by now(). */
static inline double signal_after(double seconds, pid_t pid, int number)
{
	double sent;

	nap(seconds);
	sent = now();
	must(kill(pid, number));
	return sent;
}

/* Holds a process as a debugger does, until it is released. */
static inline void hold(pid_t pid)
{
	must(ptrace(PTRACE_SEIZE, pid, 0, 0));
	must(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	must(waitpid(pid, NULL, __WALL));
}

/* 64 KiB to write. */
static UNUSED char zeros[1 << 16];

#endif
