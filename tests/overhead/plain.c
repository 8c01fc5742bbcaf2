// SPDX-License-Identifier: GPL-2.0-only
// What a round trip costs where nothing measures it: for each mechanism the
// shortest loop in C between two pinned processes.
//
//   plain MECHANISM CPU_A CPU_B SECONDS [STRETCH]
//                   prints ns per round trip: of all, and of the middle one of
//                   many stretches of STRETCH (64) round trips
//   plain --list
//
// All is what others print too.  The clock is read once a stretch, which is so
// short that most of them are undisturbed where other programs run: its middle is
// a typical round trip.  A STRETCH of 1 shows the cost of the clock alone.
//
// Errors end it: this is a yardstick, not a tool.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MUST(call)                                                        \
	({                                                                \
		__typeof__(call) result_ = (call);                        \
		if (result_ == (__typeof__(call))-1) {                    \
			perror(#call);                                    \
			exit(1);                                          \
		}                                                         \
		result_;                                                  \
	})

/* Of each pair [0] leads from a to b, [1] back. */
static struct shared {
	_Alignas(128) volatile uint32_t line;	/* one cache line, there and back */
	_Alignas(128) volatile uint32_t word[2];
	_Alignas(128) sem_t sem[2];
	_Alignas(128) volatile uint64_t count;	/* round trips that b is to answer */
	_Alignas(128) volatile int ready;
} *shared;
static int in[2], out[2];	/* descriptors, or ids of System V */
static mqd_t queue[2];
static int sem_set;

static void make_pipes(void)
{
	for (int i = 0; i < 2; i++) {
		int ends[2];
		MUST(pipe(ends));
		in[i] = ends[0];
		out[i] = ends[1];
	}
}

static void make_sockets(void)
{
	int ends[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	out[0] = in[1] = ends[0];
	out[1] = in[0] = ends[1];
}

static void make_eventfds(void)
{
	for (int i = 0; i < 2; i++)
		in[i] = out[i] = MUST(eventfd(0, 0));
}

static void make_sems(void)
{
	for (int i = 0; i < 2; i++)
		MUST(sem_init(&shared->sem[i], 1, 0));
}

/* What has a name or a key is taken from sight at once, as far as it goes. */
static void make_queues(void)
{
	struct mq_attr shape = { .mq_maxmsg = 10, .mq_msgsize = 1 };
	char name[64];

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "/ipcscope-plain-%d-%d", getpid(), i);
		queue[i] = MUST(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &shape));
		MUST(mq_unlink(name));
	}
}

static void make_msgs(void)
{
	for (int i = 0; i < 2; i++)
		in[i] = out[i] = MUST(msgget(IPC_PRIVATE, 0600));
}

static void drop_msgs(void)
{
	msgctl(in[0], IPC_RMID, NULL);
	msgctl(in[1], IPC_RMID, NULL);
}

static void make_sem_set(void) { sem_set = MUST(semget(IPC_PRIVATE, 2, 0600)); }
static void drop_sem_set(void) { semctl(sem_set, 0, IPC_RMID); }
static void nothing(void) { }

static void send_byte(int way)
{
	char byte = 1;
	if (write(out[way], &byte, 1) != 1)
		abort();
}

static void receive_byte(int way)
{
	char byte;
	if (read(in[way], &byte, 1) != 1)
		abort();
}

static void send_event(int way)
{
	uint64_t one = 1;
	if (write(out[way], &one, sizeof(one)) != sizeof(one))
		abort();
}

static void receive_event(int way)
{
	uint64_t count;
	if (read(in[way], &count, sizeof(count)) != sizeof(count))
		abort();
}

static void send_futex(int way)
{
	__atomic_store_n(&shared->word[way], 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &shared->word[way], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void receive_futex(int way)
{
	while (__atomic_load_n(&shared->word[way], __ATOMIC_ACQUIRE) == 0)
		syscall(SYS_futex, &shared->word[way], FUTEX_WAIT, 0, NULL, NULL, 0);
	__atomic_store_n(&shared->word[way], 0, __ATOMIC_RELAXED);
}

static void send_sem(int way) { sem_post(&shared->sem[way]); }

static void receive_sem(int way)
{
	while (sem_wait(&shared->sem[way]) != 0)
		;
}

static void semop_one(int way, short by)
{
	struct sembuf step = { .sem_num = (unsigned short)way, .sem_op = by };
	if (semop(sem_set, &step, 1) != 0)
		abort();
}

static void send_semop(int way) { semop_one(way, 1); }
static void receive_semop(int way) { semop_one(way, -1); }

static void send_mq(int way)
{
	if (mq_send(queue[way], "x", 1, 0) != 0)
		abort();
}

static void receive_mq(int way)
{
	char byte;
	if (mq_receive(queue[way], &byte, 1, NULL) != 1)
		abort();
}

struct one { long type; char byte; };

static void send_msg(int way)
{
	struct one message = { 1, 'x' };
	if (msgsnd(out[way], &message, 1, 0) != 0)
		abort();
}

static void receive_msg(int way)
{
	struct one message;
	if (msgrcv(in[way], &message, 1, 0, 0) != 1)
		abort();
}

static void send_line(int way)
{
	__atomic_store_n(&shared->line, way == 0, __ATOMIC_RELEASE);
}

static void receive_line(int way)
{
	while (__atomic_load_n(&shared->line, __ATOMIC_ACQUIRE) != (way == 0))
		;
}

/* The loops are inlined into each mechanism's pair: no calls by pointer in them. */
#define LOOPS(name, send, receive)                                        \
	static void ping_##name(uint64_t count)                           \
	{                                                                 \
		while (count--) {                                         \
			send(0);                                          \
			receive(1);                                       \
		}                                                         \
	}                                                                 \
	static void pong_##name(uint64_t count)                           \
	{                                                                 \
		while (count--) {                                         \
			receive(0);                                       \
			send(1);                                          \
		}                                                         \
	}

LOOPS(pipe, send_byte, receive_byte)
LOOPS(unix, send_byte, receive_byte)
LOOPS(eventfd, send_event, receive_event)
LOOPS(futex, send_futex, receive_futex)
LOOPS(sem, send_sem, receive_sem)
LOOPS(semop, send_semop, receive_semop)
LOOPS(mq, send_mq, receive_mq)
LOOPS(msg, send_msg, receive_msg)
LOOPS(line, send_line, receive_line)

static const struct mechanism {
	const char *name;
	void (*make)(void);
	void (*drop)(void);
	void (*ping)(uint64_t count);
	void (*pong)(uint64_t count);
} mechanisms[] = {
	{ "pipe", make_pipes, nothing, ping_pipe, pong_pipe },
	{ "unix-stream", make_sockets, nothing, ping_unix, pong_unix },
	{ "eventfd", make_eventfds, nothing, ping_eventfd, pong_eventfd },
	{ "futex", nothing, nothing, ping_futex, pong_futex },
	{ "posix-sem", make_sems, nothing, ping_sem, pong_sem },
	{ "sysv-sem", make_sem_set, drop_sem_set, ping_semop, pong_semop },
	{ "posix-mq", make_queues, nothing, ping_mq, pong_mq },
	{ "sysv-msg", make_msgs, drop_msgs, ping_msg, pong_msg },
	{ "line", nothing, nothing, ping_line, pong_line },
};

static void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	MUST(sched_setaffinity(0, sizeof(set), &set));
}

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

enum { MOST = 1 << 20 };
static uint64_t stretch = 64;
static double stretches[MOST];

/* b answers so many stretches; both begin when both are there.  Returns ns. */
static double run(const struct mechanism *what, uint64_t count)
{
	double start, before;

	shared->ready = 0;
	__atomic_store_n(&shared->count, count * stretch, __ATOMIC_RELEASE);
	while (!shared->ready)
		sched_yield();
	start = before = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		double now;

		what->ping(stretch);
		now = now_ns();
		stretches[i] = now - before;
		before = now;
	}
	return before - start;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void answer(const struct mechanism *what)
{
	while (1) {
		uint64_t count;

		while ((count = shared->count) == 0)
			sched_yield();
		shared->count = 0;
		__atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
		what->pong(count);
	}
}

int main(int argc, char **argv)
{
	const struct mechanism *what = NULL;
	const size_t all = sizeof(mechanisms) / sizeof(mechanisms[0]);
	uint64_t count = 1;
	double wanted_ns, took_ns;
	pid_t child;

	for (size_t i = 0; i < all; i++) {
		if (argc == 2 && !strcmp(argv[1], "--list"))
			puts(mechanisms[i].name);
		else if (argc >= 5 && argc <= 6 && !strcmp(argv[1], mechanisms[i].name))
			what = &mechanisms[i];
	}
	if (!what) {
		if (argc != 2)
			fprintf(stderr, "plain MECHANISM CPU_A CPU_B SECONDS [STRETCH] | --list\n");
		return argc == 2 ? 0 : 2;
	}
	wanted_ns = atof(argv[4]) * 1e9;
	if (argc == 6 && (stretch = strtoull(argv[5], NULL, 10)) == 0)
		abort();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		abort();
	what->make();
	child = MUST(fork());
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(atoi(argv[3]));
		answer(what);
	}
	pin(atoi(argv[2]));
	memset(stretches, 0, sizeof(stretches));	/* its pages are there in time */
	/* A part of the time to warm up and to find how many are needed. */
	while ((took_ns = run(what, count)) < wanted_ns / 10 && count < MOST / 2)
		count *= 2;
	count = (uint64_t)((double)count * wanted_ns / took_ns) + 1;
	if (count > MOST)
		count = MOST;
	took_ns = run(what, count);
	qsort(stretches, count, sizeof(stretches[0]), by_size);
	printf("%.1f %.1f\n", took_ns / (double)(count * stretch),
	       stretches[count / 2] / (double)stretch);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	what->drop();
	return 0;
}
