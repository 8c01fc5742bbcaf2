// SPDX-License-Identifier: GPL-2.0-only
/*
 * load RATE SECONDS    200 processes, RATE records a second in all, for SECONDS
 *
 * 100 pairs. In each round one process of a pair writes a byte to their pipe and waits
 * for signals; the other reads it and sends a signal, in some rounds two, which the first
 * takes by a handler: four records, or six. A round begins at its time (clock_nanosleep,
 * absolute; the pairs' times are spread evenly), or at once where that is over. RATE 0: as
 * fast as they go, so many rounds as a guest with --icount makes in about SECONDS.
 *
 * Prints what was done, "name number" a line: counted by each process where it did it, and
 * both the rounds and the signals of a pair are prime numbers, so that no sum is met by
 * accident. Further the ns from the first round's time to the last one's end, and of the
 * tracer (the parent) the CPU time in ns and the most of its memory that was resident.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 100
#define RECORDS_A_ROUND 4
#define FLAT_OUT_ROUNDS 400	/* a second */

#define MUST(call)                                                        \
	({                                                                \
		const __typeof__(call) result_ = (call);                  \
		if (result_ == (__typeof__(call))-1) {                    \
			perror(#call);                                    \
			exit(1);                                          \
		}                                                         \
		result_;                                                  \
	})

static struct pair {
	pid_t writer;
	uint64_t writes, reads, sends, takings, end_ns;
} *pairs;
static uint64_t rounds, signals, start_ns, round_ns;
static volatile uint64_t taken;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t at_ns)
{
	const struct timespec at = { .tv_sec = (time_t)(at_ns / 1000000000),
				     .tv_nsec = (long)(at_ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
		;
}

static uint64_t next_prime(uint64_t from)
{
	for (uint64_t number = from;; number++) {
		uint64_t by = 2;

		while (by * by <= number && number % by)
			by++;
		if (number > 1 && by * by > number)
			return number;
	}
}

static void take(int number)
{
	(void)number;
	taken = taken + 1;
}

/* Signals of all rounds until this one has ended. */
static uint64_t signals_until(uint64_t round)
{
	return (round + 1) * signals / rounds;
}

static void write_and_wait(struct pair *pair, int index, int to)
{
	const uint64_t first_ns = start_ns + round_ns * (uint64_t)index / PAIRS;
	sigset_t none;

	sigemptyset(&none);
	sleep_until(start_ns);
	for (uint64_t round = 0; round < rounds; round++) {
		if (round_ns)
			sleep_until(first_ns + round * round_ns);
		pair->writes += (uint64_t)MUST(write(to, "x", 1));
		while (taken < signals_until(round))
			sigsuspend(&none);
	}
	pair->takings = taken;
	pair->end_ns = now_ns();
}

static void read_and_send(struct pair *pair, int from)
{
	char byte;

	for (uint64_t round = 0; round < rounds; round++) {
		pair->reads += (uint64_t)MUST(read(from, &byte, 1));
		for (; pair->sends < signals_until(round); pair->sends++)
			MUST(kill(pair->writer, SIGRTMIN));
	}
}

static void start_pair(int index)
{
	struct pair *pair = &pairs[index];
	pid_t writer;
	int ends[2];

	MUST(pipe(ends));
	writer = MUST(fork());
	if (!writer) {
		write_and_wait(pair, index, ends[1]);
		_exit(0);
	}
	pair->writer = writer;
	if (!MUST(fork())) {
		read_and_send(pair, ends[0]);
		_exit(0);
	}
	close(ends[0]);
	close(ends[1]);
}

/* The first number after `key` in a file of the tracer, or the first one at all. */
static uint64_t number_of_tracer(const char *name, const char *key)
{
	char path[64], text[8192];
	FILE *file;
	size_t bytes;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/%s", getppid(), name);
	file = fopen(path, "r");
	bytes = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[bytes] = '\0';
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void print(uint64_t tracer_ns)
{
	struct pair sum = { 0 };

	for (int i = 0; i < PAIRS; i++) {
		sum.writes += pairs[i].writes;
		sum.reads += pairs[i].reads;
		sum.sends += pairs[i].sends;
		sum.takings += pairs[i].takings;
		if (pairs[i].end_ns > sum.end_ns)
			sum.end_ns = pairs[i].end_ns;
	}
	printf("processes %d\nrounds %lu\nsignals %lu\n", 2 * PAIRS, rounds, signals);
	printf("writes %lu\nreads %lu\nsends %lu\ntakings %lu\n", sum.writes, sum.reads,
	       sum.sends, sum.takings);
	printf("ns %lu\ntracer-ns %lu\ntracer-kib %lu\n", sum.end_ns - start_ns, tracer_ns,
	       number_of_tracer("status", "VmHWM:"));
}

int main(int argc, char **argv)
{
	const uint64_t rate = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
	const uint64_t seconds = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	const struct sigaction action = { .sa_handler = take };
	uint64_t tracer_ns;
	sigset_t set;
	int status = 0, failed = 0;

	if (!seconds) {
		fprintf(stderr, "load RATE SECONDS\n");
		return 2;
	}
	rounds = rate ? rate * seconds / (PAIRS * RECORDS_A_ROUND) : FLAT_OUT_ROUNDS * seconds;
	rounds = next_prime(rounds + 1);
	signals = next_prime(rounds + 1);
	round_ns = rate ? seconds * 1000000000 / rounds : 0;
	pairs = MUST(mmap(NULL, PAIRS * sizeof(*pairs), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGRTMIN, &action, NULL);
	start_ns = now_ns() + 1000000000;
	for (int i = 0; i < PAIRS; i++)
		start_pair(i);
	sleep_until(start_ns);
	tracer_ns = number_of_tracer("schedstat", "");
	while (wait(&status) > 0)
		failed |= status;
	print(number_of_tracer("schedstat", "") - tracer_ns);
	return fflush(stdout) || failed;
}
