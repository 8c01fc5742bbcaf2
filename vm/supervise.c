// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one guest and returns the status of vm/run, which execs this program once it
 * has chosen the kernel; so signals sent to vm/run arrive here.
 *
 *   supervise [options] -- QEMU ARGS... -- COMMAND ARGS...
 *
 * It starts QEMU with two socketpairs (the guest's console, and the port of
 * protocol.h), copies the command's output, enforces the time limits, passes the
 * kernel's log to the splat scanner and exits with the status codes of vm/run.
 * It writes nothing to disk, and QEMU is killed when this process ends, also by
 * SIGKILL (PR_SET_PDEATHSIG), so there is nothing to clean up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define EXIT_USAGE 2
#define EXIT_TIMEOUT 124
#define EXIT_NO_VERDICT 125
#define EXIT_SPLAT 126

#define LOG_LIMIT_BYTES (16u << 20)
#define OUTPUT_LIMIT_BYTES (1u << 20)
#define ESCAPE_KEY 0x1d		/* Ctrl-], three times, ends a terminal run */
#define MAX_KERNELS 4
#define MAX_SCAN_ARGS 128
#define QEMU_EXTRA_ARGS 16
#define STACKS_QUIET_MS 500	/* without a line of the kernel log: they are complete */
#define STACKS_LIMIT_MS 15000
#define DEATH_LINES 100
#define DUMP_LIMIT_MS 120000

struct buffer {
	char *data;
	size_t head, tail, size;
};

struct options {
	const char *kernel[MAX_KERNELS];
	int kernels;
	const char *unbootable_mark;
	const char *verdict_file;
	const char *dump;	/* the guest's memory goes there if it dies or hangs */
	FILE *log;		/* the console, as it comes; NULL: not kept */
	char *scan[MAX_SCAN_ARGS + 2];
	int scan_args;
	double timeout_s, boot_timeout_s;
	int tty, verbose;
	struct buffer job;
	char **qemu, **command;
};

struct guest {
	const struct options *opt;
	pid_t pid;
	int port, console, qemu_output, signals;
	int qmp;		/* QEMU's control socket */
	struct buffer in, to_port, out, err;	/* byte queues */
	struct buffer qmp_in, to_qmp;
	struct buffer klog, console_log, qemu_log;
	struct frame_status status;
	char token[TOKEN_BYTES];
	uint64_t out_bytes, err_bytes;
	long long started_ms, running_ms, acked_ms;
	long long stacks_ms, klog_ms;	/* asked for the stacks; last line of the log */
	long long dump_ms;	/* asked for the dump */
	int shut_down, was_reset;	/* the guest's doing, as QEMU says: one or the other */
	int dumped;
	int hello, running, have_status, have_input, escapes;
	int reaped, qemu_status;
	int verdict;	/* -1 while there is none */
	const char *reason;	/* for the verdict file; NULL: the command's own status */
};

static struct termios saved_terminal;
static int terminal_is_raw;

static void terminal_restore(void)
{
	if (terminal_is_raw)
		tcsetattr(0, TCSAFLUSH, &saved_terminal);
	terminal_is_raw = 0;
}

__attribute__((format(printf, 1, 2)))
static void print_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("vm/run: ", stderr);
	vfprintf(stderr, format, args);
	fputs(terminal_is_raw ? "\r\n" : "\n", stderr);
	va_end(args);
}

__attribute__((noreturn))
static void die(const char *what)
{
	print_message("%s: %s", what, strerror(errno));
	terminal_restore();
	exit(EXIT_NO_VERDICT);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- buffers ---------------------------------------------------------- */

static size_t buffer_used(const struct buffer *b)
{
	return b->tail - b->head;
}

static void buffer_append(struct buffer *b, const void *data, size_t size)
{
	if (b->head == b->tail)
		b->head = b->tail = 0;
	if (b->tail + size > b->size) {
		if (b->head)
			memmove(b->data, b->data + b->head, buffer_used(b));
		b->tail -= b->head;
		b->head = 0;
	}
	if (b->tail + size > b->size) {
		b->size = (b->tail + size) * 2;
		b->data = realloc(b->data, b->size);
		if (!b->data)
			die("memory");
	}
	if (size)
		memcpy(b->data + b->tail, data, size);
	b->tail += size;
}

/* A log above the limit keeps its first and its last part. */
static void buffer_append_log(struct buffer *b, const void *data, size_t size)
{
	if (buffer_used(b) + size > LOG_LIMIT_BYTES)
		b->tail = b->head + LOG_LIMIT_BYTES / 2;
	buffer_append(b, data, size);
}

static void buffer_append_frame(struct buffer *b, int type, const void *data, size_t size)
{
	struct frame_header header = { .type = type, .length_bytes = size };

	buffer_append(b, &header, sizeof(header));
	buffer_append(b, data, size);
}

static void job_add(struct options *opt, const char *key, const char *value)
{
	buffer_append(&opt->job, key, strlen(key) + 1);
	buffer_append(&opt->job, value, strlen(value) + 1);
}

/* ---- QEMU ------------------------------------------------------------- */

static void qemu_exec(const struct options *opt, const char *kernel,
		      int port, int console, int qmp, int output)
{
	char port_arg[64], console_arg[64], qmp_arg[64];
	char *argv[512];
	sigset_t none;
	int argc = 0, null = open("/dev/null", O_RDONLY);

	while (opt->qemu[argc] && argc < 512 - QEMU_EXTRA_ARGS) {
		argv[argc] = opt->qemu[argc];
		argc++;
	}
	snprintf(port_arg, sizeof(port_arg), "socket,id=port,fd=%d", port);
	snprintf(console_arg, sizeof(console_arg), "socket,id=console,fd=%d",
		 console);
	argv[argc++] = "-kernel";
	argv[argc++] = (char *)kernel;
	argv[argc++] = "-chardev";
	argv[argc++] = port_arg;
	argv[argc++] = "-device";
	argv[argc++] = "virtserialport,nr=1,chardev=port,name=" PORT_NAME;
	argv[argc++] = "-chardev";
	argv[argc++] = console_arg;
	argv[argc++] = "-serial";
	argv[argc++] = "chardev:console";
	snprintf(qmp_arg, sizeof(qmp_arg), "socket,id=qmp,fd=%d", qmp);
	argv[argc++] = "-chardev";
	argv[argc++] = qmp_arg;
	argv[argc++] = "-mon";
	argv[argc++] = "chardev=qmp,mode=control";
	if (opt->dump) {
		/* A guest that is over stays as it is until its memory is written. */
		argv[argc++] = "-action";
		argv[argc++] = "shutdown=pause";
		argv[argc++] = "-device";
		argv[argc++] = "vmcoreinfo";
	}
	argv[argc] = NULL;

	dup2(null, 0);
	dup2(output, 1);
	dup2(output, 2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	fcntl(port, F_SETFD, 0);
	fcntl(console, F_SETFD, 0);
	fcntl(qmp, F_SETFD, 0);
	execvp(argv[0], argv);
	dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void qmp_send(struct guest *g, const char *command)
{
	buffer_append(&g->to_qmp, command, strlen(command));
	buffer_append(&g->to_qmp, "\n", 1);
}

static void qemu_start(struct guest *g, const char *kernel)
{
	int port[2], console[2], qmp[2], output[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) ||
	    pipe2(output, O_CLOEXEC))
		die("cannot make a channel");
	g->started_ms = now_ms();
	g->pid = fork();
	if (g->pid < 0)
		die("fork");
	if (!g->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		qemu_exec(g->opt, kernel, port[1], console[1], qmp[1], output[1]);
	}
	close(port[1]);
	close(console[1]);
	close(qmp[1]);
	close(output[1]);
	g->port = port[0];
	g->console = console[0];
	g->qmp = qmp[0];
	g->qemu_output = output[0];
	fcntl(g->port, F_SETFL, O_NONBLOCK);
	fcntl(g->console, F_SETFL, O_NONBLOCK);
	fcntl(g->qmp, F_SETFL, O_NONBLOCK);
	fcntl(g->qemu_output, F_SETFL, O_NONBLOCK);
	qmp_send(g, "{\"execute\":\"qmp_capabilities\"}");
	buffer_append_frame(&g->to_port, FRAME_JOB, g->opt->job.data, buffer_used(&g->opt->job));
}

static void qemu_end(struct guest *g)
{
	if (g->reaped)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, &g->qemu_status, 0);
	g->reaped = 1;
}

/* ---- frames ----------------------------------------------------------- */

static void handle_status(struct guest *g, const char *data, size_t size)
{
	if (size != sizeof(g->status)) {
		print_message("the guest's status is malformed");
		g->verdict = EXIT_NO_VERDICT;
		return;
	}
	memcpy(&g->status, data, size);
	if (memcmp(g->status.token, g->token, TOKEN_BYTES)) {
		print_message("the guest's status does not carry this run's token");
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->status.out_bytes != g->out_bytes ||
		   g->status.err_bytes != g->err_bytes) {
		print_message("output lost on the way: %llu+%llu bytes sent, %llu+%llu received",
		    (unsigned long long)g->status.out_bytes,
		    (unsigned long long)g->status.err_bytes,
		    (unsigned long long)g->out_bytes,
		    (unsigned long long)g->err_bytes);
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->status.share_errors) {
		print_message("%u share(s) could not be written back", g->status.share_errors);
		g->verdict = EXIT_NO_VERDICT;
	}
	g->have_status = 1;
	g->acked_ms = now_ms();
	buffer_append_frame(&g->to_port, FRAME_ACK, NULL, 0);
}

static void handle_frame(struct guest *g, int type, const char *data, size_t size)
{
	switch (type) {
	case FRAME_HELLO:
		g->hello = 1;
		if (g->opt->verbose)
			print_message("%lld ms: %.*s is up", now_ms() - g->started_ms,
			    (int)size, data);
		break;
	case FRAME_START:
		g->running = 1;
		g->running_ms = now_ms();
		if (g->opt->verbose)
			print_message("%lld ms: the command starts",
			    now_ms() - g->started_ms);
		break;
	case FRAME_OUT:
		g->out_bytes += size;
		buffer_append(&g->out, data, size);
		break;
	case FRAME_ERR:
		g->err_bytes += size;
		buffer_append(&g->err, data, size);
		break;
	case FRAME_KLOG:
		buffer_append_log(&g->klog, data, size);
		g->klog_ms = now_ms();
		break;
	case FRAME_FATAL:
		print_message("the guest could not start: %.*s", (int)size, data);
		g->verdict = EXIT_NO_VERDICT;
		g->reason = "no-start";
		break;
	case FRAME_STATUS:
		handle_status(g, data, size);
		break;
	default:
		print_message("the guest sent an unknown frame (%d)", type);
		g->verdict = EXIT_NO_VERDICT;
	}
}

static void handle_frames(struct guest *g)
{
	struct frame_header header;

	while (buffer_used(&g->in) >= sizeof(header) && g->verdict < 0) {
		const char *at = g->in.data + g->in.head;

		memcpy(&header, at, sizeof(header));
		if (header.length_bytes > FRAME_MAX_BYTES) {
			print_message("the guest sent a frame that is too long");
			g->verdict = EXIT_NO_VERDICT;
			return;
		}
		if (buffer_used(&g->in) < sizeof(header) + header.length_bytes)
			return;
		handle_frame(g, header.type, at + sizeof(header),
			   header.length_bytes);
		g->in.head += sizeof(header) + header.length_bytes;
	}
}

/* ---- the loop --------------------------------------------------------- */

/* 1 if something was read, 0 at the end or if nothing is available. */
static int read_into(int *fd, struct buffer *b, int log)
{
	char data[65536];
	ssize_t n;

	if (*fd < 0)
		return 0;
	n = read(*fd, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return 0;
	}
	if (log)
		buffer_append_log(b, data, n);
	else
		buffer_append(b, data, n);
	return 1;
}

static void drain_socket(int fd, struct buffer *b)
{
	ssize_t n = send(fd, b->data + b->head, buffer_used(b), MSG_NOSIGNAL);

	if (n > 0)
		b->head += n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		b->head = b->tail;
}

/* At most PIPE_BUF bytes: a pipe that polls writable accepts those at once. */
static void drain_output(struct guest *g, int fd, struct buffer *b)
{
	size_t size = buffer_used(b) < 4096 ? buffer_used(b) : 4096;
	ssize_t n = write(fd, b->data + b->head, size);

	if (n > 0) {
		b->head += n;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		b->head = b->tail;
		if (errno == EPIPE)
			g->verdict = 128 + SIGPIPE;
		else if (g->verdict < 0)
			g->verdict = EXIT_NO_VERDICT;
	}
}

/* ---- QEMU's control socket ---------------------------------------------- */

/* The guest's memory, as an ELF core file; its processors stand still from now on. */
static void dump_memory(struct guest *g)
{
	char command[4096];

	g->dump_ms = now_ms();
	snprintf(command, sizeof(command),
		 "{\"execute\":\"stop\"}\n{\"execute\":\"dump-guest-memory\",\"id\":\"dump\","
		 "\"arguments\":{\"paging\":false,\"protocol\":\"file:%s\"}}", g->opt->dump);
	qmp_send(g, command);
}

static void qmp_line(struct guest *g, const char *line)
{
	if (strstr(line, "\"SHUTDOWN\"")) {
		if (!strstr(line, "\"guest\": true"))
			return;		/* our own quit */
		g->shut_down = strstr(line, "\"guest-shutdown\"") != NULL;
		g->was_reset = !g->shut_down;
		if (!g->opt->dump)
			return;
		if (g->have_status || !g->was_reset)
			qmp_send(g, "{\"execute\":\"quit\"}");
		else if (!g->dump_ms)
			dump_memory(g);
	} else if (strstr(line, "\"id\": \"dump\"")) {
		g->dumped = !strstr(line, "\"error\"");
		if (!g->dumped)
			print_message("--dump %s: QEMU: %s", g->opt->dump, line);
		if (g->was_reset)
			qmp_send(g, "{\"execute\":\"quit\"}");
		g->dump_ms = -1;
	}
}

static void read_qmp(struct guest *g)
{
	read_into(&g->qmp, &g->qmp_in, 0);
	while (buffer_used(&g->qmp_in)) {
		char *at = g->qmp_in.data + g->qmp_in.head;
		char *end = memchr(at, '\n', buffer_used(&g->qmp_in));

		if (!end)
			return;
		*end = 0;
		qmp_line(g, at);
		g->qmp_in.head += end + 1 - at;
	}
}

static void send_winsize(struct guest *g)
{
	struct winsize ws;
	struct frame_winsize win;

	if (!g->opt->tty || ioctl(0, TIOCGWINSZ, &ws))
		return;
	win.rows = ws.ws_row;
	win.columns = ws.ws_col;
	buffer_append_frame(&g->to_port, FRAME_WINSIZE, &win, sizeof(win));
}

static void handle_signals(struct guest *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			send_winsize(g);
		else if (info.ssi_signo != SIGCHLD)
			g->verdict = 128 + info.ssi_signo;
	}
	if (!g->reaped && waitpid(g->pid, &g->qemu_status, WNOHANG) == g->pid)
		g->reaped = 1;
}

static void forward_keys(struct guest *g)
{
	char data[4096];
	ssize_t n = read(0, data, sizeof(data));

	if (n <= 0) {
		g->have_input = 0;
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		g->escapes = data[i] == ESCAPE_KEY ? g->escapes + 1 : 0;
		if (g->escapes == 3)
			g->verdict = 128 + SIGINT;
	}
	buffer_append_frame(&g->to_port, FRAME_IN, data, n);
}

/* False until the guest's memory is written, where a dump is wanted. */
static int have_dump(struct guest *g, long long now)
{
	if (!g->opt->dump || g->dump_ms < 0)
		return 1;
	if (!g->dump_ms)
		dump_memory(g);
	return now - g->dump_ms > DUMP_LIMIT_MS;
}

/* False until the guest has written all tasks' stacks, where they are kept. */
static int have_stacks(struct guest *g, long long now)
{
	if (!g->opt->log && !g->opt->dump)
		return 1;
	if (!g->stacks_ms) {
		g->stacks_ms = g->klog_ms = now;
		buffer_append_frame(&g->to_port, FRAME_STACKS, NULL, 0);
	}
	if (now - g->stacks_ms > STACKS_LIMIT_MS)
		return 1;
	return now - g->stacks_ms > 2 * STACKS_QUIET_MS && now - g->klog_ms > STACKS_QUIET_MS;
}

static void check_time(struct guest *g, long long now)
{
	const struct options *opt = g->opt;
	double age_s = (now - g->started_ms) / 1000.0;

	if (!g->running && age_s > opt->boot_timeout_s && have_dump(g, now)) {
		print_message("the guest did not start within %g s", opt->boot_timeout_s);
		g->verdict = EXIT_NO_VERDICT;
		g->reason = "boot-timeout";
	} else if (g->have_status && now - g->acked_ms > 10000) {
		print_message("the guest sent its status but did not power off");
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->running && !g->have_status && opt->timeout_s > 0 &&
		   (now - g->running_ms) / 1000.0 > opt->timeout_s &&
		   have_stacks(g, now) && have_dump(g, now)) {
		print_message("the command did not end within %g s", opt->timeout_s);
		g->verdict = EXIT_TIMEOUT;
		g->reason = "timeout";
	}
}

/* Console bytes that were read go to the log, and with --verbose to stderr. */
static void show_console(const struct guest *g, size_t from)
{
	const struct buffer *log = &g->console_log;

	if (log->tail <= from)
		return;
	if (g->opt->verbose)
		fwrite(log->data + from, 1, log->tail - from, stderr);
	if (g->opt->log) {
		fwrite(log->data + from, 1, log->tail - from, g->opt->log);
		fflush(g->opt->log);
	}
}

static int read_console(struct guest *g)
{
	size_t before = g->console_log.tail;
	int got = read_into(&g->console, &g->console_log, 1);

	if (got)
		show_console(g, before);
	return got;
}

static void poll_guest(struct guest *g)
{
	int room = buffer_used(&g->out) < OUTPUT_LIMIT_BYTES &&
		   buffer_used(&g->err) < OUTPUT_LIMIT_BYTES;
	struct pollfd p[] = {
		{ g->signals, POLLIN, 0 },
		{ g->port, (room ? POLLIN : 0) |
			(buffer_used(&g->to_port) ? POLLOUT : 0), 0 },
		{ g->console, POLLIN, 0 },
		{ g->qemu_output, POLLIN, 0 },
		{ g->qmp, POLLIN | (buffer_used(&g->to_qmp) ? POLLOUT : 0), 0 },
		{ buffer_used(&g->out) ? 1 : -1, POLLOUT, 0 },
		{ buffer_used(&g->err) ? 2 : -1, POLLOUT, 0 },
		{ g->running && g->have_input &&
			buffer_used(&g->to_port) < OUTPUT_LIMIT_BYTES ? 0 : -1, POLLIN, 0 },
	};

	poll(p, sizeof(p) / sizeof(p[0]), 250);
	if (p[0].revents)
		handle_signals(g);
	if (p[1].revents & POLLOUT)
		drain_socket(g->port, &g->to_port);
	if (p[1].revents & (POLLIN | POLLHUP) && room) {
		read_into(&g->port, &g->in, 0);
		handle_frames(g);
	}
	if (p[2].revents)
		read_console(g);
	if (p[3].revents)
		read_into(&g->qemu_output, &g->qemu_log, 1);
	if (p[4].revents & POLLOUT)
		drain_socket(g->qmp, &g->to_qmp);
	if (p[4].revents & (POLLIN | POLLHUP))
		read_qmp(g);
	if (p[5].revents)
		drain_output(g, 1, &g->out);
	if (p[6].revents)
		drain_output(g, 2, &g->err);
	if (p[7].revents)
		forward_keys(g);
	check_time(g, now_ms());
}

/* Reads and forwards what is left after QEMU has ended. */
static void drain_guest(struct guest *g)
{
	while (read_console(g))
		;
	while (read_into(&g->qemu_output, &g->qemu_log, 1))
		;
	read_qmp(g);
	while (read_into(&g->port, &g->in, 0))
		handle_frames(g);
	handle_frames(g);
	while ((buffer_used(&g->out) || buffer_used(&g->err)) && g->verdict < 128) {
		struct pollfd p[] = {
			{ g->signals, POLLIN, 0 },
			{ buffer_used(&g->out) ? 1 : -1, POLLOUT, 0 },
			{ buffer_used(&g->err) ? 2 : -1, POLLOUT, 0 },
		};

		poll(p, 3, 1000);
		if (p[0].revents)
			handle_signals(g);
		if (p[1].revents)
			drain_output(g, 1, &g->out);
		if (p[2].revents)
			drain_output(g, 2, &g->err);
	}
}

/* ---- the verdict ------------------------------------------------------ */

static void write_all(int fd, const struct buffer *b)
{
	size_t at = b->head;

	while (at < b->tail) {
		ssize_t n = write(fd, b->data + at, b->tail - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		at += n;
	}
}

/* The scanner's exit status: 0 clean, 1 splat, else it could not run. */
static int scan(const struct guest *g)
{
	int in[2], status;
	pid_t pid;

	if (!g->opt->scan[0] || (!buffer_used(&g->klog) && !buffer_used(&g->console_log)))
		return 0;
	if (pipe2(in, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(in[0], 0);
		dup2(2, 1);
		execv(g->opt->scan[0], g->opt->scan);
		_exit(127);
	}
	close(in[0]);
	write_all(in[1], &g->klog);
	write_all(in[1], &g->console_log);
	close(in[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* Prints the last lines that the guest or QEMU wrote before it ended. */
static void print_tail(const struct buffer *b, int lines)
{
	size_t at = b->tail;

	if (!buffer_used(b))
		return;
	while (at > b->head && lines >= 0) {
		at--;
		if (b->data[at] == '\n')
			lines -= at + 1 < b->tail;
	}
	if (at > b->head)
		at++;
	for (; at < b->tail; at++)
		if (b->data[at] != '\r')
			fputc(b->data[at], stderr);
	if (b->data[b->tail - 1] != '\n')
		fputc('\n', stderr);
}

/*
 * Prints the console from the first line of the kernel's death on: the call trace, which
 * the kernel writes there however quiet it is.
 */
static void print_death(const struct buffer *b)
{
	static const char *const marks[] = { "BUG: ", "Oops", "general protection fault",
					     "Kernel panic", "------------[ cut here" };
	size_t at = b->tail;
	int lines = 0;

	for (size_t i = 0; buffer_used(b) && i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *mark = memmem(b->data + b->head, buffer_used(b), marks[i],
					  strlen(marks[i]));

		if (mark && (size_t)(mark - b->data) < at)
			at = mark - b->data;
	}
	while (at > b->head && b->data[at - 1] != '\n')
		at--;
	for (; at < b->tail && lines < DEATH_LINES; at++) {
		lines += b->data[at] == '\n';
		if (b->data[at] != '\r')
			fputc(b->data[at], stderr);
	}
	if (at < b->tail)
		print_message("--log FILE keeps the rest");
}

/* If init could not use the port, its error message is on the console. */
static int print_init_message(const struct buffer *b)
{
	static const char mark[] = "ipcscope-init: ";
	const char *at = buffer_used(b) ? memmem(b->data + b->head, buffer_used(b), mark,
					  sizeof(mark) - 1) : NULL;

	if (!at)
		return 0;
	at += sizeof(mark) - 1;
	print_message("the guest could not start: %.*s",
	    (int)strcspn(at, "\r\n"), at);
	return 1;
}

/*
 * A kernel in lockdown lets no process near the port that carries a second copy of the
 * status: there the guest must have switched itself off, which a kernel that dies does not.
 */
static int qemu_status_matches(const struct guest *g)
{
	int want = ((g->status.status & 0x7f) << 1 | 1) & 0xff;

	return WIFEXITED(g->qemu_status) &&
	       (WEXITSTATUS(g->qemu_status) == want || g->shut_down);
}

static int console_has(const struct guest *g, const char *text)
{
	const struct buffer *b = &g->console_log;

	return buffer_used(b) && memmem(b->data + b->head, buffer_used(b), text, strlen(text));
}

static int report_no_verdict(struct guest *g)
{
	g->reason = g->running ? "ended" :
		    console_has(g, "Kernel panic") ? "boot-panic" : "no-start";
	if (print_init_message(&g->console_log))
		return EXIT_NO_VERDICT;
	if (g->running)
		print_message("the guest ended without a verdict");
	else
		print_message("the guest ended before the command started");
	if (WIFEXITED(g->qemu_status) && WEXITSTATUS(g->qemu_status))
		print_message("QEMU exited with status %d", WEXITSTATUS(g->qemu_status));
	else if (WIFSIGNALED(g->qemu_status))
		print_message("QEMU was ended by signal %d", WTERMSIG(g->qemu_status));
	print_tail(&g->qemu_log, 5);
	print_tail(&g->console_log, 10);
	return EXIT_NO_VERDICT;
}

static int exit_status_of(struct guest *g)
{
	int splat;

	if (g->verdict >= 128)
		return g->verdict;
	splat = scan(g);
	if (splat > 1) {
		print_message("the splat scanner could not run (%d)", splat);
		return EXIT_NO_VERDICT;
	}
	if (splat && g->running) {
		int died = !g->have_status && g->verdict < 0;

		if (died)
			print_death(&g->console_log);
		print_message("the kernel splatted%s", died ? " and died" : "");
		g->reason = died ? "panic" : "splat";
		return EXIT_SPLAT;
	}
	if (g->verdict == EXIT_NO_VERDICT && !g->running && !g->hello) {
		print_init_message(&g->console_log);
		print_tail(&g->qemu_log, 5);
		print_tail(&g->console_log, 10);
	}
	if (g->verdict >= 0)
		return g->verdict;
	if (!g->have_status)
		return report_no_verdict(g);
	if (!qemu_status_matches(g)) {
		print_message("the guest reported %u, QEMU's exit status %#x does not match",
		    g->status.status, g->qemu_status);
		return EXIT_NO_VERDICT;
	}
	if (g->status.klog_lost)
		print_message("the kernel log overflowed %llu time(s): not all of it was scanned",
		    (unsigned long long)g->status.klog_lost);
	return g->status.status;
}

/* One line for a program: what came out, and how long it took. */
static void write_verdict(const struct guest *g, int code)
{
	const char *name = g->opt->verdict_file;
	FILE *file = name ? fopen(name, "we") : NULL;
	long long end = now_ms(), started = g->running ? g->running_ms : end;

	if (!name)
		return;
	if (!file || fprintf(file, "code=%d reason=%s boot_ms=%lld command_ms=%lld\n", code,
			     g->reason ? g->reason : g->verdict >= 128 ? "interrupted" :
			     g->have_status && g->verdict < 0 ? "command" : "broken",
			     started - g->started_ms, end - started) < 0 || fclose(file))
		print_message("cannot write %s: %s", name, strerror(errno));
}

static int exited_silently(const struct guest *g)
{
	return g->reaped && !g->hello && g->verdict < 0 &&
	       !buffer_used(&g->console_log) && !buffer_used(&g->qemu_log);
}

static int run_guest(const struct options *opt, int signals, const char *token,
		     const char *kernel, int last)
{
	struct guest g = { .opt = opt, .signals = signals, .verdict = -1,
			   .have_input = opt->tty };
	int result;

	memcpy(g.token, token, TOKEN_BYTES);
	qemu_start(&g, kernel);
	while (!g.reaped && g.verdict < 0)
		poll_guest(&g);
	qemu_end(&g);
	drain_guest(&g);
	if (exited_silently(&g) && !last)
		return -1;
	terminal_restore();
	result = exit_status_of(&g);
	if (g.dumped)
		print_message("the guest's memory is in %s", opt->dump);
	write_verdict(&g, result);
	if (opt->verbose)
		print_message("%lld ms: done, %d", now_ms() - g.started_ms, result);
	return result;
}

/* ---- start ------------------------------------------------------------ */

static void usage(const char *text)
{
	print_message("supervise: %s", text);
	exit(EXIT_USAGE);
}

static char **split(char **argv)
{
	while (*argv && strcmp(*argv, "--"))
		argv++;
	if (!*argv)
		return NULL;
	*argv = NULL;
	return argv + 1;
}

static void parse(struct options *opt, int argc, char **argv)
{
	static const struct option known[] = {
		{ "kernel", 1, 0, 'k' }, { "unbootable-mark", 1, 0, 'd' },
		{ "timeout", 1, 0, 't' }, { "boot-timeout", 1, 0, 'b' },
		{ "scan", 1, 0, 's' }, { "tty", 0, 0, 'T' },
		{ "verbose", 0, 0, 'v' }, { "job", 1, 0, 'j' },
		{ "log", 1, 0, 'l' }, { "verdict", 1, 0, 'V' },
		{ "dump", 1, 0, 'D' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		char *value;

		switch (c) {
		case 'k':
			if (opt->kernels == MAX_KERNELS)
				usage("too many kernels");
			opt->kernel[opt->kernels++] = optarg;
			break;
		case 'd': opt->unbootable_mark = optarg; break;
		case 't': opt->timeout_s = atof(optarg); break;
		case 'b': opt->boot_timeout_s = atof(optarg); break;
		case 's':
			if (opt->scan_args == MAX_SCAN_ARGS)
				usage("too many scanner arguments");
			opt->scan[opt->scan_args++] = optarg;
			break;
		case 'l':
			opt->log = fopen(optarg, "we");
			if (!opt->log) {
				print_message("--log %s: %s", optarg, strerror(errno));
				exit(EXIT_USAGE);
			}
			break;
		case 'V': opt->verdict_file = optarg; break;
		case 'D': opt->dump = optarg; break;
		case 'T': opt->tty = 1; break;
		case 'v': opt->verbose = 1; break;
		case 'j':
			value = strchr(optarg, '=');
			if (!value)
				usage("a job field is KEY=VALUE");
			*value = 0;
			job_add(opt, optarg, value + 1);
			break;
		default: exit(EXIT_USAGE);
		}
	}
	opt->qemu = argv + optind;
	opt->command = split(opt->qemu);
	if (!opt->command || !*opt->command || !*opt->qemu || !opt->kernels)
		usage("needs a kernel, QEMU's arguments and a command");
	for (char **arg = opt->command; *arg; arg++)
		job_add(opt, "arg", *arg);
}

static void make_token(char *token)
{
	unsigned char random[TOKEN_BYTES / 2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		die("getrandom");
	for (int i = 0; i < TOKEN_BYTES; i++)
		token[i] = "0123456789abcdef"[random[i / 2] >> (i % 2 * 4) & 15];
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A shell starts background jobs with SIGINT ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void terminal_raw(struct options *opt)
{
	struct winsize ws = { 0 };
	struct termios raw;
	char text[16];

	if (tcgetattr(0, &saved_terminal)) {
		print_message("--tty needs a terminal on standard input");
		exit(EXIT_USAGE);
	}
	ioctl(0, TIOCGWINSZ, &ws);
	job_add(opt, "tty", "1");
	snprintf(text, sizeof(text), "%d", ws.ws_row);
	job_add(opt, "rows", text);
	snprintf(text, sizeof(text), "%d", ws.ws_col);
	job_add(opt, "columns", text);
	raw = saved_terminal;
	cfmakeraw(&raw);
	tcsetattr(0, TCSAFLUSH, &raw);
	terminal_is_raw = 1;
}

int main(int argc, char **argv)
{
	static struct options opt = { .timeout_s = 600, .boot_timeout_s = 120 };
	char token[TOKEN_BYTES], text[TOKEN_BYTES + 1] = "";
	int signals, result = -1;

	parse(&opt, argc, argv);
	make_token(token);
	memcpy(text, token, TOKEN_BYTES);
	job_add(&opt, "token", text);
	signals = block_signals();
	if (opt.tty)
		terminal_raw(&opt);
	for (int i = 0; i < opt.kernels && result < 0; i++) {
		result = run_guest(&opt, signals, token, opt.kernel[i],
				   i == opt.kernels - 1);
		if (result < 0 && opt.unbootable_mark)
			close(open(opt.unbootable_mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	}
	terminal_restore();
	return result;
}
