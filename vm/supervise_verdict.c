// SPDX-License-Identifier: GPL-2.0-only
/*
 * What came out of a run, for vm/supervise: the exit status, the reason, and what of the
 * console is shown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise.h"

#define DEATH_LINES 100

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

int console_has(const struct guest *g, const char *text)
{
	const struct buffer *b = &g->console_log;

	return buffer_used(b) && memmem(b->data + b->head, buffer_used(b), text, strlen(text));
}

/* Memory that the host does not have: QEMU says so itself, or the kernel ends it. */
static int print_memory_message(const struct guest *g)
{
	const struct buffer *b = &g->qemu_log;
	static const char mark[] = "cannot set up guest memory";

	if (!buffer_used(b) || !memmem(b->data + b->head, buffer_used(b), mark, sizeof(mark) - 1))
		return 0;
	print_message("this host has not enough memory for the guest: give it less (--memory MIB)");
	return 1;
}

/* Of a boot that failed: why the kernel died, or the last that it wrote. */
static void print_boot(const struct guest *g)
{
	print_tail(&g->qemu_log, 5);
	if (console_has(g, PANIC))
		print_death(&g->console_log);
	else
		print_tail(&g->console_log, 10);
}

static int report_no_verdict(struct guest *g)
{
	/* What killed QEMU is not the guest: that is "broken". */
	g->reason = g->running ? (WIFSIGNALED(g->qemu_status) ? NULL : "ended") :
		    console_has(g, PANIC) ? "boot-panic" : "no-start";
	if (print_init_message(&g->console_log) || print_memory_message(g))
		return EXIT_NO_VERDICT;
	if (g->running)
		print_message("the guest ended without a verdict");
	else
		print_message("the guest ended before the command started");
	if (WIFEXITED(g->qemu_status) && WEXITSTATUS(g->qemu_status))
		print_message("QEMU exited with status %d", WEXITSTATUS(g->qemu_status));
	else if (WIFSIGNALED(g->qemu_status))
		print_message("QEMU was ended by signal %d%s", WTERMSIG(g->qemu_status),
		    WTERMSIG(g->qemu_status) == SIGKILL ? " (has the host enough memory? dmesg names what it killed)" : "");
	print_boot(g);
	return EXIT_NO_VERDICT;
}

/* The reader of a pipe that ends is no interruption. */
static void print_interrupted(int signal)
{
	static const char *const names[] = {
		[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT", [SIGTERM] = "SIGTERM",
	};

	if (signal != SIGPIPE)
		print_message("interrupted by %s", signal <= SIGTERM ? names[signal] : "a signal");
}

int exit_status_of(struct guest *g)
{
	int splat;

	if (g->verdict >= 128) {
		print_interrupted(g->verdict - 128);
		return g->verdict;
	}
	splat = scan(g);
	if (splat > 1) {
		print_message("the splat scanner could not run (%d)", splat);
		g->reason = "unscanned";
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
	if (g->verdict == EXIT_NO_VERDICT && !g->running && (!g->hello || g->panic_ms)) {
		print_init_message(&g->console_log);
		print_boot(g);
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
void write_verdict(const struct guest *g, int code)
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
