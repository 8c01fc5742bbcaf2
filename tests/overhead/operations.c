// SPDX-License-Identifier: GPL-2.0-only
/*
 * operations COUNT [more | NAME...]    what one operation takes, in ns of CLOCK_MONOTONIC
 *
 * more: also 64 KiB through a pipe, a byte around a ring of 200 processes, and what
 * the tracer took meanwhile ($TOOL_PID, or the parent): the time that its threads ran
 * and, in KiB, the most of its memory that was resident.
 *
 * NAME...: instead of all that, one operation of each family that is named: unix,
 * eventfd, mqueue, sysv-sem, sysv-msg, futex.
 *
 * In a guest of `vm/run --icount` a nanosecond is an instruction.  A line for each
 * operation: "name median": the middle one of COUNT, so that a tick, or another
 * process that ran meanwhile, does not count.  The clock's own cost is taken off.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
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

static int here[2], there[2], back[2], to_partner, from_partner;
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

/* By calls that are not traced: two context switches, two wake-ups. */
static void switches(void)
{
	eventfd_t one;

	if (eventfd_write(to_partner, 1) || eventfd_read(from_partner, &one))
		abort();
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

static int echo_events(void)
{
	eventfd_t one;

	while (!eventfd_read(to_partner, &one))
		if (eventfd_write(from_partner, 1))
			break;
	return 1;
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

static void end_partner(void)
{
	kill(partner, SIGKILL);
	waitpid(partner, NULL, 0);
}

#define BULK	65536
#define RING	200

static int ring[RING + 1][2];

static void bulk(void)
{
	static char data[BULK];
	size_t done = 0;
	ssize_t part;

	if (write(here[1], data, sizeof(data)) != sizeof(data))
		abort();
	while (done < sizeof(data)) {
		part = read(here[0], data, sizeof(data));
		if (part <= 0)
			abort();
		done += (size_t)part;
	}
}

static void around_ring(void)
{
	char byte = 0;

	if (write(ring[0][1], &byte, 1) != 1 || read(ring[RING][0], &byte, 1) != 1)
		abort();
}

/* Each process keeps the two ends that it needs, so that the ring ends by itself. */
static void make_ring(void)
{
	char byte;

	for (int i = 0; i <= RING; i++)
		if (pipe(ring[i]))
			abort();
	for (int i = 0; i < RING; i++) {
		if (fork())
			continue;
		for (int other = 0; other <= RING; other++) {
			if (other != i)
				close(ring[other][0]);
			if (other != i + 1)
				close(ring[other][1]);
		}
		while (read(ring[i][0], &byte, 1) == 1)
			if (write(ring[i + 1][1], &byte, 1) != 1)
				break;
		_exit(0);
	}
	for (int i = 0; i < RING; i++)
		close(ring[i][0]);
	for (int i = 1; i <= RING; i++)
		close(ring[i][1]);
}

static void end_ring(void)
{
	close(ring[0][1]);
	while (wait(NULL) > 0)
		;
	close(ring[RING][0]);
}

/* Of /proc/PID: the first number after `key` in a file, or the first one at all. */
static uint64_t number_in(const char *path, const char *key)
{
	char text[8192];
	FILE *file = fopen(path, "r");
	const size_t bytes = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	const char *at;

	if (file)
		fclose(file);
	text[bytes] = '\0';
	at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* ns that the threads of a process ran: those that there are. */
static uint64_t ran_ns(pid_t pid)
{
	char path[64 + NAME_MAX];
	struct dirent *entry;
	uint64_t sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid,
			 entry->d_name);
		sum += number_in(path, "");
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

static void measure_more(int count)
{
	printf("bulk %lu\n", median_of(count, bulk));
	make_ring();
	printf("ring %lu\n", median_of(count / 10 + 1, around_ring));
	end_ring();
}

/* Operations of the families: by one thread, on an object that is its own. */
static int sockets[2], event, semaphore, messages;
static mqd_t queue;
static uint32_t *word;

static void unix_send_recv(void)
{
	char byte = 0;

	if (send(sockets[0], &byte, 1, 0) != 1 || recv(sockets[1], &byte, 1, 0) != 1)
		abort();
}

static void eventfd_write_read(void)
{
	uint64_t value = 1;

	if (write(event, &value, sizeof(value)) != sizeof(value) ||
	    read(event, &value, sizeof(value)) != sizeof(value))
		abort();
}

static void mqueue_send_receive(void)
{
	char byte = 0;

	if (mq_send(queue, &byte, 1, 0) || mq_receive(queue, &byte, 1, NULL) != 1)
		abort();
}

static void semop_up_down(void)
{
	struct sembuf up = { .sem_op = 1 }, down = { .sem_op = -1 };

	if (semop(semaphore, &up, 1) || semop(semaphore, &down, 1))
		abort();
}

static void msgsnd_msgrcv(void)
{
	struct { long type; char byte; } message = { .type = 1 };

	if (msgsnd(messages, &message, 1, 0) ||
	    msgrcv(messages, &message, 1, 0, 0) != 1)
		abort();
}

/* Wakes none, and does not wait: the word has another value. */
static void futex_wake_wait(void)
{
	if (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) != 0 ||
	    syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL, NULL, 0) != -1)
		abort();
}

static const struct {
	const char *name;
	void (*operation)(void);
} families[] = {
	{ "unix", unix_send_recv },	     { "eventfd", eventfd_write_read },
	{ "mqueue", mqueue_send_receive },   { "sysv-sem", semop_up_down },
	{ "sysv-msg", msgsnd_msgrcv },	     { "futex", futex_wake_wait },
};

static int make_objects(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };

	event = eventfd(0, 0);
	queue = mq_open("/operations", O_CREAT | O_RDWR, 0600, &attr);
	mq_unlink("/operations");
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	messages = msgget(IPC_PRIVATE, 0600);
	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (word == MAP_FAILED)
		return 1;
	*word = 0;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || event < 0 ||
	       queue < 0 || semaphore < 0 || messages < 0;
}

static void remove_objects(void)
{
	semctl(semaphore, 0, IPC_RMID);
	msgctl(messages, IPC_RMID, NULL);
}

static int measure_families(int count, char **names)
{
	int unknown = 0;

	if (make_objects())
		return 1;
	clock_cost_ns = median_of(count, nothing);
	for (; *names; names++) {
		size_t i = 0;

		while (i < sizeof(families) / sizeof(*families) &&
		       strcmp(families[i].name, *names))
			i++;
		if (i < sizeof(families) / sizeof(*families))
			printf("%s %lu\n", *names, median_of(count, families[i].operation));
		else
			unknown = 2;
	}
	remove_objects();
	return fflush(stdout) ? 1 : unknown;
}

int main(int argc, char **argv)
{
	const int count = argc > 1 ? atoi(argv[1]) : 1000;
	const char *given = getenv("TOOL_PID");
	const pid_t tool = given ? atoi(given) : getppid();
	const uint64_t ran_before_ns = ran_ns(tool);
	char status[64];
	const struct sigaction action = { .sa_handler = handler };
	pid_t echo;
	sigset_t set;

	if (argc > 2 && strcmp(argv[2], "more"))
		return count < 1 ? 2 : measure_families(count, argv + 2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGUSR1, &action, NULL);
	to_partner = eventfd(0, 0);
	from_partner = eventfd(0, 0);
	if (count < 1 || pipe(here) || pipe(there) || pipe(back) || from_partner < 0)
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
	end_partner();
	partner = start(echo_events);
	printf("switches %lu\n", median_of(count, switches));
	end_partner();
	if (argc > 2) {
		measure_more(count);
		snprintf(status, sizeof(status), "/proc/%d/status", tool);
		printf("tool-ns %lu\n", ran_ns(tool) - ran_before_ns);
		printf("tool-kib %lu\n", number_in(status, "VmHWM:"));
	}
	return fflush(stdout) != 0;
}
