// SPDX-License-Identifier: GPL-2.0-only
/*
 * operations COUNT    what one operation takes, in ns of CLOCK_MONOTONIC
 *
 * In a guest of `vm/run --icount` a nanosecond is an instruction.  A line for each
 * operation: "name median": the middle one of COUNT, so that a tick, or another
 * process that ran meanwhile, does not count.  The clock's own cost is taken off.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t clock_cost_ns;

static uint64_t median_of(int count, void (*operation)(void))
{
	uint64_t *samples = calloc((size_t)count, sizeof(*samples));
	uint64_t median;

	for (int i = -count / 4; i < count; i++) {
		const uint64_t start = now_ns();

		operation();
		if (i >= 0)
			samples[i] = now_ns() - start;
	}
	qsort(samples, (size_t)count, sizeof(*samples), compare);
	median = samples[count / 2];
	free(samples);
	return median - clock_cost_ns;
}

static int here[2], there[2], back[2];
static pid_t partner;

static void nothing(void)
{
}

static void handler(int number)
{
	(void)number;
}

static void signal_to_self(void)
{
	kill(getpid(), SIGUSR1);
}

static void pipe_write_read(void)
{
	char byte = 0;

	if (write(here[1], &byte, 1) != 1 || read(here[0], &byte, 1) != 1)
		abort();
}

static void pipe_ping_pong(void)
{
	char byte = 0;

	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		abort();
}

static void signal_ping_pong(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	kill(partner, SIGUSR2);
	sigwait(&set, &number);
}

static void yield(void)
{
	syscall(SYS_sched_yield);
}

static int echo_pipe(void)
{
	char byte;

	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			return 1;
	return 0;
}

static int echo_signals(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (;;) {
		sigwait(&set, &number);
		kill(getppid(), SIGUSR2);
	}
}

static pid_t start(int (*body)(void))
{
	const pid_t pid = fork();

	if (pid == 0) {
		close(there[1]);
		_exit(body());
	}
	return pid;
}

int main(int argc, char **argv)
{
	const int count = argc > 1 ? atoi(argv[1]) : 1000;
	const struct sigaction action = { .sa_handler = handler };
	pid_t echo;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (count < 1 || pipe(here) || pipe(there) || pipe(back))
		return 1;
	setvbuf(stdout, NULL, _IOFBF, 0);
	clock_cost_ns = median_of(count, nothing);
	printf("signal %lu\n", median_of(count, signal_to_self));
	printf("pipe %lu\n", median_of(count, pipe_write_read));
	echo = start(echo_pipe);
	printf("pipe-ping-pong %lu\n", median_of(count, pipe_ping_pong));
	close(there[1]);
	waitpid(echo, NULL, 0);
	partner = start(echo_signals);
	usleep(10000);
	printf("signal-ping-pong %lu\n", median_of(count, signal_ping_pong));
	printf("yield %lu\n", median_of(count, yield));
	kill(partner, SIGKILL);
	waitpid(partner, NULL, 0);
	return fflush(stdout) != 0;
}
