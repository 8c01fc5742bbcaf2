// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs one guest and returns the status of vm/run, which execs this program once it
 * has chosen the kernel; so signals sent to vm/run arrive here.
 *
 *   supervise [options] -- QEMU ARGS... -- COMMAND ARGS...
 *
 * It starts QEMU with a pipe (the guest's console) and a socketpair (the port of
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
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

#define OUTPUT_LIMIT_BYTES (1u << 20)
#define FIXED_FDS 8	/* that poll_guest() waits for, beside sessions */
#define STACKS_QUIET_MS 500	/* without a line of the kernel log: they are complete */
#define STACKS_LIMIT_MS 30000
#define PANIC_QUIET_MS 1000	/* without a byte of the console: the trace is complete */
#define PANIC_LIMIT_MS 10000

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

static void handle_signals(struct guest *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && g->opt->tty)
			terminal_send_size(&g->to_port);
		else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGWINCH)
			g->verdict = 128 + info.ssi_signo;
	}
	if (!g->reaped && waitpid(g->pid, &g->qemu_status, WNOHANG) == g->pid)
		g->reaped = 1;
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
	return g->have_stacks && now - g->klog_ms > STACKS_QUIET_MS &&
	       now - g->console_ms > STACKS_QUIET_MS;
}

/*
 * With panic=N a kernel stands still after its last line, for N seconds or for good, and
 * its clock may be slow. With gdb, that is the time to look at it.
 */
static int boot_panicked(const struct guest *g, long long now)
{
	return g->panic_ms && !g->running && !g->opt->gdb &&
	       (now - g->console_ms > PANIC_QUIET_MS || now - g->panic_ms > PANIC_LIMIT_MS);
}

static void check_time(struct guest *g, long long now)
{
	const struct options *opt = g->opt;
	double age_s = (now - g->started_ms) / 1000.0;
	/* No kernel ran: its memory shows nothing. */
	int silent = !buffer_used(&g->console_log) && !g->hello;

	if (boot_panicked(g, now) && have_dump(g, now)) {
		print_message("the kernel panicked before the command started");
		g->verdict = EXIT_NO_VERDICT;
		g->reason = "boot-panic";
	} else if (!g->running && opt->boot_timeout_s > 0 && age_s > opt->boot_timeout_s &&
		   (silent || have_dump(g, now))) {
		print_message("the guest did not start within %g s%s", opt->boot_timeout_s,
		    silent ? " and printed nothing: is the image damaged?" : "");
		g->verdict = EXIT_NO_VERDICT;
		g->reason = "boot-timeout";
	} else if (g->have_status && now - g->acked_ms > 10000) {
		print_message("the guest sent its status but did not power off");
		g->verdict = EXIT_NO_VERDICT;
	} else if (g->running && !g->have_status && opt->timeout_s > 0 &&
		   (now - g->running_ms) / 1000.0 > opt->timeout_s &&
		   have_stacks(g, now) && have_dump(g, now)) {
		print_message("the command did not end within %g s%s", opt->timeout_s,
		    opt->log && g->have_stacks ? " (the stacks of all tasks are in the file of --log)" : "");
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

	if (!got)
		return 0;
	g->console_ms = now_ms();
	if (!g->running && !g->panic_ms && console_has(g, PANIC))
		g->panic_ms = g->console_ms;
	show_console(g, before);
	return 1;
}

static void poll_guest(struct guest *g)
{
	int room = buffer_used(&g->out) < OUTPUT_LIMIT_BYTES &&
		   buffer_used(&g->err) < OUTPUT_LIMIT_BYTES;
	struct pollfd p[FIXED_FDS + MAX_SESSIONS + 1] = {
		{ g->signals, POLLIN, 0 },
		{ g->port, (room ? POLLIN : 0) |
			(buffer_used(&g->to_port) ? POLLOUT : 0), 0 },
		{ g->console, POLLIN, 0 },
		{ g->qemu_output, POLLIN, 0 },
		{ g->qmp, POLLIN | (buffer_used(&g->to_qmp) ? POLLOUT : 0), 0 },
		{ buffer_used(&g->out) ? 1 : -1, POLLOUT, 0 },
		{ buffer_used(&g->err) ? 2 : -1, POLLOUT, 0 },
		{ g->running && g->keys.open &&
			buffer_used(&g->to_port) < OUTPUT_LIMIT_BYTES ? 0 : -1, POLLIN, 0 },
	};

	sessions_poll(g, p + FIXED_FDS, buffer_used(&g->to_port) < OUTPUT_LIMIT_BYTES);
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
	if (p[7].revents && keys_forward(&g->keys, &g->to_port))
		g->verdict = 128 + SIGINT;
	sessions_step(g, p + FIXED_FDS);
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

/* A QEMU that was killed says nothing about the kernel. */
static int exited_silently(const struct guest *g)
{
	return g->reaped && WIFEXITED(g->qemu_status) && !g->hello && g->verdict < 0 &&
	       !buffer_used(&g->console_log) && !buffer_used(&g->qemu_log);
}

static int run_guest(const struct options *opt, int signals, const char *token,
		     const char *kernel, int last)
{
	struct guest g = { .opt = opt, .signals = signals, .verdict = -1,
			   .keys.open = opt->tty };
	int result;

	memcpy(g.token, token, TOKEN_BYTES);
	sessions_start(&g);
	qemu_start(&g, kernel);
	while (!g.reaped && g.verdict < 0)
		poll_guest(&g);
	qemu_end(&g);
	drain_guest(&g);
	sessions_end(&g);
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
		{ "dump", 1, 0, 'D' }, { "gdb", 1, 0, 'g' },
		{ "virtiofsd", 1, 0, 'f' }, { "export", 1, 0, 'x' }, { 0 }
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
		case 'g': opt->gdb = optarg; break;
		case 'f': opt->virtiofsd = optarg; break;
		case 'x':
			if (export_add(opt, optarg))
				usage("an export is TAG=ro|rw=PATH, and there are at most 16");
			break;
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

static int receive_signals(void)
{
	int fd = block_signals(SIGCHLD);

	/* A shell starts background jobs with SIGINT ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	return fd;
}

static void remove_gdb_socket(const char *directory)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/socket", directory);
	unlink(path);
	rmdir(directory);
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
	signals = receive_signals();
	opt.listener = sessions_listen();
	if (opt.tty)
		terminal_raw(&opt);
	for (int i = 0; i < opt.kernels && result < 0; i++) {
		result = run_guest(&opt, signals, token, opt.kernel[i],
				   i == opt.kernels - 1);
		if (result < 0 && opt.unbootable_mark)
			close(open(opt.unbootable_mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	}
	terminal_restore();
	if (opt.log && (ferror(opt.log) | fclose(opt.log)))
		print_message("the file of --log is not complete: is its disk full?");
	if (opt.gdb)
		remove_gdb_socket(opt.gdb);
	return result;
}
